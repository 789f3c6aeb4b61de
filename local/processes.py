"""Processes that belong to an engine: found by group and by a mark in their environment, and ended.

Reads /proc, so elsewhere than on Linux it finds none and a killed server's workers end when their pipe closes.
Must not know locks or MiniStack.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

MARK = "LOCAL_ENGINE_HOME"
_PROC = Path("/proc")
_GRACE_SECONDS = 1.0


def marked(home: Path) -> list[int]:
    """Processes of this user that were started with MARK=home, without the caller.

    A server sets the mark only in its own memory, so that just what it starts carries it: never another server.
    """
    wanted = f"{MARK}={home}".encode()
    return [pid for pid in _pids() if pid != os.getpid() and wanted in _environ(pid).split(b"\0")]


def group_members(group: int) -> list[int]:
    """Living processes (no zombies) of a process group."""
    return [pid for pid in _pids() if _group_if_alive(pid) == group]


def is_dead(pid: int) -> bool:
    """Whether a process is known to have ended or to be ending; False where that can't be seen."""
    return _PROC.is_dir() and _group_if_alive(pid) is None


def end(find: Callable[[], Iterable[int]]) -> None:
    """End the processes that `find` returns: asked first, killed after a second, until it finds none."""
    for pid in find():
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while alive := list(find()):
        if time.monotonic() > deadline:
            for pid in alive:
                _signal(pid, signal.SIGKILL)
        time.sleep(0.01)


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()] if _PROC.is_dir() else []


def _environ(pid: int) -> bytes:
    try:
        return (_PROC / str(pid) / "environ").read_bytes()
    except OSError:  # ended meanwhile, or another user's: not ours either way
        return b""


def _group_if_alive(pid: int) -> int | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    state, _parent, group = stat.rpartition(")")[2].split()[:3]  # the name before it may hold anything
    return None if state in "ZX" else int(group)


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)

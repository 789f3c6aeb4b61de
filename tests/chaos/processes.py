"""The processes of a state folder as /proc shows them: its server, the Lambdas' workers, the saving child; and killing.

Must not know the stack.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from local import engine, processes

_PROC = Path("/proc")


def server(home: Path) -> int | None:
    """The process id of the running server."""
    return engine.status(home).pid


def workers(home: Path) -> list[int]:
    """The Lambdas' processes of the running server."""
    parent = server(home)
    return [pid for pid in processes.marked(home) if parent and _parent(pid) == parent]


def forks(pid: int) -> set[int]:
    """The children that are forks of the server ``pid`` and so look like it: those that save its state, and its guard,
    which is there from the beginning."""
    looks = _read(pid, "cmdline")
    return {child for child in children(pid) if looks and _read(child, "cmdline") == looks}


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in _PROC.glob(f"{pid}/task/*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def kill(pid: int) -> bool:
    """Kill -9. Whether the process was alive and is now dead."""
    if processes.is_dead(pid):
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    deadline = time.monotonic() + 10
    while not processes.is_dead(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def of_folder(folder: Path) -> dict[int, str]:
    """Every living process, but this one, that names the folder in its command line or environment."""
    wanted = str(folder).encode()
    found = {}
    for entry in _PROC.glob("[0-9]*"):
        pid = int(entry.name)
        if pid != os.getpid() and not processes.is_dead(pid):
            said = _read(pid, "cmdline")
            if wanted in said or wanted in _read(pid, "environ"):
                found[pid] = said.replace(b"\0", b" ").decode(errors="replace")[:200]
    return found


def _parent(pid: int) -> int | None:
    stat = _read(pid, "stat").decode(errors="replace")
    return int(stat.rpartition(")")[2].split()[1]) if stat else None


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:  # ended meanwhile
        return b""

"""Finding the server of a state folder, starting one, and stopping it.

Owns the start and the stop as seen from outside. Must not know MiniStack, nor what is deployed.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from local import generations, locks, processes
from local.environment import VERSION, server_environ
from local.errors import EngineError
from local.folder import Folder, Running, machine

_START_SECONDS = 120.0
_STOP_SECONDS = 300.0
_LOG_BYTES = 5_000_000
_PROJECT = Path(__file__).resolve().parent.parent
_STEP_SECONDS = 0.02
_FOREIGN_SECONDS = 30.0  # a record that is touched every second: by then its machine is dead, or cut off


def current(folder: Folder) -> Running | None:
    """The running server, or None. A record alone proves nothing: its server may have been killed."""
    running = folder.running() if locks.is_held(folder.engine_lock) else None
    # A killed process keeps its locks for a moment, until the last of its threads is gone.
    return None if running is None or running.ending or processes.is_dead(running.pid) else running


def find_or_start(folder: Folder) -> tuple[Running, bool]:
    """The running server and whether this call started it. To be called under the folder's start lock.

    Raises EngineError when the folder is in use by another machine or by another version of the engine.
    """
    _refuse_other_machine(folder)
    # A held lock without a record: a server that is about to end, or about to be ready.
    _wait(lambda: current(folder) is not None or not locks.is_held(folder.engine_lock), folder)
    if running := current(folder):
        _refuse_other_version(folder, running)
        return running, False
    return _start(folder), True


def _refuse_other_machine(folder: Folder) -> None:
    running, untouched = folder.running(), folder.seconds_untouched()
    if running is None or untouched is None or not running.host or (running.host, running.boot) == machine():
        return
    if untouched < _FOREIGN_SECONDS:
        raise EngineError(
            f"The state folder {folder.home} is in use by the machine {running.host}, where an engine has been running "
            f"since {_moment(running.since)}; it gave a sign of life {max(untouched, 0):.0f} s ago. Stop it there, or "
            f"use another folder here. If that machine has crashed, try again in {_FOREIGN_SECONDS:.0f} s."
        )


def _refuse_other_version(folder: Folder, running: Running) -> None:
    if running.version != VERSION:
        raise EngineError(
            f"The state folder {folder.home} is in use by an engine of version {running.version}, which has been "
            f"running since {_moment(running.since)} (process {running.pid}); this one is version {VERSION}. Close the "
            f"programs that use the other one or stop it, and try again."
        )


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def stop(folder: Folder) -> bool:
    """Stop the server cleanly and wait until all of its processes are gone. False if none ran."""
    folder.stay.unlink(missing_ok=True)
    running = current(folder)
    if running is None:
        stopping = locks.is_held(folder.engine_lock)
        wait_until_free(folder)
        return stopping
    before = generations.newest(folder.state)
    os.kill(running.pid, signal.SIGTERM)
    wait_until_free(folder)
    _wait(lambda: not processes.group_members(running.pid), folder)
    if folder.home.is_dir() and generations.newest(folder.state) == before:
        raise EngineError(f"The engine has stopped, but did not save its last state. See {folder.log}.")
    return True


def wait_until_free(folder: Folder) -> None:
    """Wait until a server that is about to end has ended."""
    _wait(lambda: not locks.is_held(folder.engine_lock), folder)


def _start(folder: Folder) -> Running:
    if folder.log.exists() and folder.log.stat().st_size > _LOG_BYTES:
        folder.log.replace(folder.log.with_suffix(".log.1"))
    with folder.log.open("ab") as log:
        begin = log.tell()
        server = subprocess.Popen(
            [sys.executable, "-m", "local.server", str(folder.home)],
            cwd=_PROJECT,
            env=server_environ(os.environ, folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    threading.Thread(target=server.wait, daemon=True).start()  # so that it leaves no zombie behind
    deadline = time.monotonic() + _START_SECONDS
    while (running := _started(folder, server.pid)) is None:
        if server.returncode is not None or time.monotonic() > deadline:
            raise EngineError(f"The engine did not start.\n{_tail(folder.log, begin)}\nIts log is {folder.log}.")
        time.sleep(_STEP_SECONDS)
    return running


def _started(folder: Folder, pid: int) -> Running | None:
    running = folder.running()
    return running if running and running.pid == pid else None


def _wait(done: Callable[[], bool], folder: Folder) -> None:
    deadline = time.monotonic() + _STOP_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise EngineError(
                f"The engine of {folder.home} has not stopped in {_STOP_SECONDS:.0f} s. See {folder.log}."
            )
        time.sleep(_STEP_SECONDS)


def _tail(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        return "\n".join(file.read().decode(errors="replace").splitlines()[-8:])

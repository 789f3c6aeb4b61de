"""A server's life once MiniStack is loaded: ready, wanted, drained, saved, over.

Owns when the server stops and what is done before it does. Must not know how it was started.
"""

import asyncio
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, time

from local import emulator, generations, locks, snapshot
from local.errors import EngineError
from local.folder import Folder, Running
from local.gate import CLOSED, DRAINING, Gate

_LONELY_SECONDS = 30.0
_POLL_SECONDS = 0.5
_DRAIN_SECONDS = 10.0
_SAVE_SECONDS = 300.0
_CHECKPOINT_SECONDS = 3.0
_CHECKPOINT_SHARE = 10  # of the time: a big state is saved more seldom
_log = logging.getLogger("engine")


class Life:
    """One server's life in `folder`. `lock` is the descriptor of the engine lock, held to the end."""

    def __init__(self, folder: Folder, lock: int, port: int) -> None:
        self._folder = folder
        self._inode = os.fstat(lock).st_ino
        self._port = port
        self._saving = asyncio.Lock()
        self._asked = asyncio.Event()
        self._users: int | None = None
        self.saved = True
        self._saved_changes = 0
        self._next_checkpoint = 0.0

    async def run(self, gate: Gate) -> None:
        """From the moment the server listens until it may close its socket."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked.set)
        self._folder.publish(Running(os.getpid(), self._port, time(), snapshot.VERSION))
        emulator.start_pollers()
        await self._until_unwanted(gate)
        if self.home_is_ours():
            self._folder.record.unlink(missing_ok=True)  # first of all: nobody new shall find this server
        await self._wind_down(gate)

    def home_is_ours(self) -> bool:
        """False once the state folder was removed, or replaced by another engine's: then nothing is written."""
        try:
            return os.stat(self._folder.engine_lock).st_ino == self._inode
        except FileNotFoundError:
            return False

    async def save(self) -> None:
        """Publish the state of this moment as a new generation. Raises EngineError when that failed.

        The child of a fork writes it: it has the moment to itself, while this process goes on serving.
        """
        async with self._saving:
            child = os.fork()
            if child == 0:
                _save_and_exit(self._folder)
            status = await _exit_status(child)
        if status:
            raise EngineError(f"The state could not be saved; {self._folder.log} says why. The one before is kept.")

    async def _until_unwanted(self, gate: Gate) -> None:
        started, visited = monotonic(), False
        while not self._asked.is_set():
            if not self.home_is_ours():
                _log.warning("the state folder %s is gone: stopping", self._folder.home)
                return
            users = locks.acquire(self._folder.users_lock, locks.EXCLUSIVE)
            visited = visited or users is None
            if users is not None and self._may_leave(visited or monotonic() - started > _LONELY_SECONDS):
                self._users = users  # kept to the end: whoever comes now waits, and then starts a new server
                return
            if users is not None:
                locks.release(users)
            await self._checkpoint(gate)
            await _wait(self._asked, _POLL_SECONDS)

    async def _checkpoint(self, gate: Gate) -> None:
        """Save now and then while something changes, so that a kill costs a few seconds and not the day."""
        begin = monotonic()
        if gate.changes == self._saved_changes or begin < self._next_checkpoint:
            return
        self._saved_changes = gate.changes
        try:
            await self.save()
        except EngineError as error:
            _log.error("%s", error)
        self._next_checkpoint = monotonic() + max(_CHECKPOINT_SECONDS, _CHECKPOINT_SHARE * (monotonic() - begin))

    def _may_leave(self, alone: bool) -> bool:
        return alone and not self._folder.stay.exists()

    async def _wind_down(self, gate: Gate) -> None:
        gate.state = DRAINING
        if self.home_is_ours():
            await self._drained()
        gate.state = CLOSED
        await _until(lambda: gate.active == 0, 2.0)
        await asyncio.to_thread(emulator.halt)
        if self.home_is_ours():
            await self._save_last()

    async def _save_last(self) -> None:
        try:
            await self.save()
        except EngineError as error:
            self.saved = False
            _log.error("%s", error)

    async def _drained(self) -> None:
        idle = 0

        def idle_twice() -> bool:  # between two steps of one piece of work nothing may be seen for a moment
            nonlocal idle
            idle = idle + 1 if emulator.is_idle() else 0
            return idle >= 3

        if not await _until(idle_twice, _DRAIN_SECONDS):
            _log.warning(
                "stopping with work under way after %s s; it is done again after the next start", _DRAIN_SECONDS
            )


def _save_and_exit(folder: Folder) -> None:
    failed = 1
    try:
        generations.publish(folder.state, snapshot.write)
        failed = 0
    finally:  # whatever happened, the child must not go on as a second server
        if failed:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(failed)


async def _exit_status(child: int) -> int:
    deadline = monotonic() + _SAVE_SECONDS
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        if monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        await asyncio.sleep(0.01)


async def _until(done: Callable[[], bool], seconds: float) -> bool:
    deadline = monotonic() + seconds
    while not done():
        if monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)

"""A server's life once MiniStack is loaded: ready, wanted, drained, saved, over.

Owns when the server stops and what is done before it does. Must not know how it was started.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic, strftime, time

from local import emulator, generations, locks, snapshot
from local.environment import VERSION
from local.errors import EngineError
from local.folder import Folder, Running, machine
from local.gate import CLOSED, DRAINING, Gate

_LONELY_SECONDS = 30.0
_POLL_SECONDS = 0.5
_DRAIN_SECONDS = 10.0
_TOUCH_SECONDS = 1.0
_SAVE_NICENESS = 5  # requests go first, but on a busy machine it must get done, too
_SAVE_SECONDS = 300.0
_CHECKPOINT_SECONDS = 3.0
_CHECKPOINT_SHARE = 10  # of the time: a big state is saved more seldom
_log = logging.getLogger("engine")


@dataclass(frozen=True)
class Beginning:
    """What a server began with: see `Running`."""

    recovered: bool = False
    saved_at: float | None = None
    refused: tuple[str, ...] = ()


class Life:
    """One server's life in `folder`. `lock` is the descriptor of the engine lock, held to the end."""

    def __init__(self, folder: Folder, lock: int, port: int, beginning: Beginning) -> None:
        self._folder = folder
        self._inode = os.fstat(lock).st_ino
        host, boot = machine()
        self._record = Running(
            os.getpid(), port, time(), VERSION, host, boot, beginning.recovered, beginning.saved_at, beginning.refused
        )
        self._published = False
        self._gate: Gate | None = None
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
        self._gate = gate
        self._publish(self._record)
        generations.unmark(self._folder.state)
        emulator.start_pollers()
        touching = asyncio.create_task(self._touch())
        await self._until_unwanted(gate)
        if self.home_is_ours():
            self._publish(replace(self._record, ending=True))  # first of all: nobody new shall find this server
        await self._wind_down(gate)
        touching.cancel()

    def home_is_ours(self) -> bool:
        """False once the state folder was removed or is another server's: then nothing is written.

        It is another's when its lock file or its record is; the latter happens where locks don't reach across machines.
        """
        try:
            same = os.stat(self._folder.engine_lock).st_ino == self._inode
        except FileNotFoundError:
            return False
        return same and (not self._published or self._folder.running() == self._record)

    async def save(self) -> None:
        """Publish the state of this moment as a new generation. Raises EngineError when that failed.

        The child of a fork writes it: it has the moment to itself, while this process goes on serving.
        """
        async with self._saving:
            changes = self._gate.changes if self._gate else 0
            if not self.home_is_ours():
                raise EngineError(f"The state was not saved: {self._folder.home} belongs to another engine now.")
            _set_aside_what_stays()
            try:
                child = os.fork()
            except OSError as error:
                raise EngineError(f"The state could not be saved: {error}. The one before is kept.") from error
            if child == 0:
                _save_and_exit(self._folder)
            status = await _exit_status(child)
        if status:
            raise EngineError(f"The state could not be saved; {self._folder.log} says why. The one before is kept.")
        self._saved_changes = changes

    def _publish(self, record: Running) -> None:
        self._folder.publish(record)
        self._record, self._published = record, True

    async def _touch(self) -> None:
        """Show to other machines that this server lives."""
        while self.home_is_ours():
            with suppress(OSError):  # the folder is going away at this very moment, or out of reach for one
                os.utime(self._folder.record)
            await asyncio.sleep(_TOUCH_SECONDS)

    async def _until_unwanted(self, gate: Gate) -> None:
        started, visited = monotonic(), False
        while not self._asked.is_set():
            if not self.home_is_ours():
                _log.warning("the state folder %s is gone or another engine's: stopping", self._folder.home)
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
        if gate.changes == self._saved_changes or begin < self._next_checkpoint or emulator.is_deploying():
            return
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
            generations.mark_clean(self._folder.state)
        except (EngineError, OSError) as error:
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


def _set_aside_what_stays() -> None:
    """The tables and the stream are a heap that only grows; looking through it again and again would hold up requests.
    The garbage of the moment goes first, so that it is not kept with it."""
    gc.collect(1)
    gc.freeze()


def _save_and_exit(folder: Folder) -> None:
    failed = 1
    try:
        signal.set_wakeup_fd(-1)  # it is the parent's: a signal to this process must not stop that one
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.nice(_SAVE_NICENESS)
        gc.disable()  # it would touch, and so copy, every page that is shared with the parent
        generations.publish(folder.state, snapshot.write)
        failed = 0
    finally:  # whatever happened, the child must not go on as a second server
        try:
            if failed:
                kind, error, _ = sys.exc_info()
                expected = kind is not None and issubclass(kind, OSError)
                _say(f"the state could not be written: {error if expected else traceback.format_exc()}")
        finally:
            os._exit(failed)


def _say(sentence: str) -> None:
    """In the log, past `sys.stderr`: a thread that was writing there at the fork holds its lock for ever."""
    os.write(2, f"{strftime('%Y-%m-%d %H:%M:%S')} ERROR [engine] {sentence}\n".encode())


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

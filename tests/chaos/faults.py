"""The faults: what each step of a plan does to the world, and whether it really struck.

A fault counts where it strikes: a kill when the process was alive and is dead, a jump when the process's own clock
shows it, a full disk when the engine refused to save.
"""

import random
import resource
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import TypeVar
from urllib.request import urlopen

from local import engine
from local import processes as marked
from services.errors import FOREIGN, StocktrailError
from tests.chaos import processes, repeats
from tests.chaos.answers import NETWORK
from tests.chaos.plan import Step
from tests.chaos.proxy import Rule
from tests.chaos.world import World

T = TypeVar("T")
_TRIES_SECONDS = 6.0
_SURE_SECONDS = 20.0
_EXPECTED = (StocktrailError, *FOREIGN, OSError, HTTPException)


class Faults:
    """Lets the steps of a round happen at their times, each in a thread of its own."""

    def __init__(self, world: World, steps: Iterable[Step]) -> None:
        self._world, self.unexpected = world, list[str]()
        self._threads = [threading.Thread(target=self._step, args=(step,), daemon=True) for step in steps]
        self._acts: dict[str, Callable[[Step, random.Random], None]] = {
            "kill server": self._kill_server,
            "kill worker": self._kill_worker,
            "kill saver": self._kill_saver,
            "kill dashboard": self._kill_dashboard,
            "disk full": self._fill_disk,
            "engine's clock": self._move_engine,
            "people's clock": self._move_people,
            "events again": self._repeat_events,
            "records again": self._repeat_records,
        }

    def start(self) -> None:
        self._begin = time.monotonic()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _step(self, step: Step) -> None:
        _pause(self._begin + step.at - time.monotonic())
        try:
            self._acts.get(step.kind, self._spoil)(step, random.Random(step.seed))  # noqa: S311 (a plan, no secret)
        except _EXPECTED as error:  # another fault was faster
            self.unexpected.append(f"{step.kind}: {type(error).__name__}: {error}"[:200])

    def _spoil(self, step: Step, _rng: random.Random) -> None:
        assert step.kind in NETWORK, step.kind
        rule = Rule(step.kind, step.size, step.by_lambda)
        self._world.proxy.begin(rule)
        if step.sure:
            _soon(lambda: self._world.proxy.struck[step.kind], _SURE_SECONDS)
        _pause(step.seconds)
        self._world.proxy.finish(rule)

    def _kill_server(self, _step: Step, rng: random.Random) -> None:
        pid = _soon(lambda: processes.server(self._world.home))
        with self._world.stream:
            if pid and processes.kill(pid):
                self._world.strike("kill server")
        _pause(rng.choice((0.0, 0.3, 1.5)))
        self._world.connect()

    def _kill_worker(self, _step: Step, rng: random.Random) -> None:
        pids = _soon(lambda: processes.workers(self._world.home)) or []
        for pid in pids if rng.random() < 0.3 else [rng.choice(pids)] if pids else []:
            if processes.kill(pid):
                self._world.strike("kill worker")

    def _kill_saver(self, _step: Step, rng: random.Random) -> None:
        server = _soon(lambda: processes.server(self._world.home)) or 0
        standing = processes.forks(server)
        asking = threading.Thread(target=self._ask_to_save, daemon=True)
        asking.start()
        deadline = time.monotonic() + _TRIES_SECONDS
        while server and time.monotonic() < deadline:
            if savers := processes.forks(server) - standing:
                _pause(rng.choice((0.0, 0.005, 0.02)))
                if processes.kill(savers.pop()):
                    self._world.strike("kill saver")
                    break
        asking.join()

    def _ask_to_save(self) -> None:
        with suppress(*_EXPECTED):
            engine.checkpoint(self._world.home)

    def _repeat_events(self, _step: Step, rng: random.Random) -> None:
        repeats.events(self._world, rng)

    def _repeat_records(self, _step: Step, rng: random.Random) -> None:
        with self._world.stream:
            repeats.records(self._world, rng)

    def _kill_dashboard(self, step: Step, _rng: random.Random) -> None:
        with _dashboard(self._world) as (process, address):
            _soon(lambda: _answers(address), 20)
            _pause(step.seconds)
            if processes.kill(process.pid):
                self._world.strike("kill dashboard")

    def _fill_disk(self, step: Step, _rng: random.Random) -> None:
        """No file can grow: every write fails, as on a full disk. A new process inherits it."""
        server = _soon(lambda: processes.server(self._world.home))
        if server is None:
            return
        _limit([server, *processes.children(server)], 0)
        try:
            engine.checkpoint(self._world.home)
        except engine.EngineError:
            if not marked.is_dead(server):
                self._world.strike("disk full")
        finally:
            _pause(step.seconds)
            _limit([server, *processes.children(server)], resource.RLIM_INFINITY)

    def _move_engine(self, step: Step, _rng: random.Random) -> None:
        self._world.clock.engine(step.size)
        if _soon(lambda: abs(_ahead(self._world) + 0.5 - step.size) < 0.6 or None):
            self._world.strike("engine's clock")
        _pause(step.seconds)

    def _move_people(self, step: Step, _rng: random.Random) -> None:
        before = time.time() - time.monotonic()
        self._world.clock.people(step.size)
        if _soon(lambda: abs(time.time() - time.monotonic() - before) > 0.5 or None):
            self._world.strike("people's clock")
        _pause(step.seconds)


def lift(home_processes: Iterable[int]) -> None:
    """Give every process its disk back: one that was started while it was full has inherited the limit."""
    _limit(home_processes, resource.RLIM_INFINITY)


def _limit(pids: Iterable[int], soft: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def _soon(ask: Callable[[], T | None], seconds: float = _TRIES_SECONDS) -> T | None:
    deadline = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer


def _pause(seconds: float) -> None:
    if seconds > 0:
        threading.Event().wait(seconds)


def _ahead(world: World) -> float:
    """How many seconds the engine's clock is ahead of the real one; up to one less, as it tells whole seconds.

    By when keys that it gives for an hour expire."""
    given = world.direct.client("sts").get_session_token(DurationSeconds=3600)["Credentials"]
    return float(given["Expiration"].timestamp()) - 3600 - world.clock.real()


@contextmanager
def _dashboard(world: World) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(world.clock.python), "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    environ = {"STOCKTRAIL_HOME": str(world.home), "PATH": "/usr/bin:/bin", "HOME": str(world.folder)}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        [*command, "--server.port", str(port)], cwd=world.tree, env=environ, stdin=quiet, stdout=quiet, stderr=quiet
    ) as process:
        try:
            yield process, f"http://127.0.0.1:{port}/_stcore/health"
        finally:
            process.kill()


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=2) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except OSError:
        return False

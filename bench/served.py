"""Dashboards to be looked at by many, and what they take: processor, memory, requests to the database.

Owns the processes and the counting proxy between dashboard and engine. Knows nothing of who looks. Of Linux alone.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.loading import ROOT
from bench.ways import file
from local import engine, processes
from services import stack as stacks
from services import uploads
from tests import dashboard
from tests.chaos.answers import Request, Response
from tests.chaos.proxy import Proxy

_CALM = {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false", "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}
_NO_COLLECTION = _CALM | {"STREAMLIT_RUNNER_POST_SCRIPT_GC": "false"}
BARE = {
    "bare script, as it comes": _CALM,
    "bare, no collection after runs": _NO_COLLECTION,
    "bare, nor are files watched": _NO_COLLECTION | {"STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none"},
}
"""The environments of the bare script, by how it is told of."""


class Asked(Proxy):
    """Counts the requests that pass through, by service and operation."""

    def __init__(self, upstream: Callable[[], int | None]) -> None:
        self.counts: Counter[str] = Counter()
        super().__init__(upstream, "", 0)

    def answer(self, request: Request, forward: Callable[[Request], Response]) -> Response:
        with self._lock:
            self.counts[request.operation] += 1
        return forward(request)


@dataclass(frozen=True)
class Served:
    """A dashboard: its address, its process and that of its engine, and of whoever else is at work by what they do."""

    address: str
    dashboard: int
    engine: int | None = None
    others: Mapping[str, int] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def spent(self) -> dict[str, float]:
        """The seconds of processor that each has taken so far; the engine's with its Lambdas that still live."""
        found = {"dashboard": _seconds([self.dashboard])}
        if self.engine:
            found["engine"] = _seconds(processes.group_members(os.getpgid(self.engine)))
        return found | {who: _seconds([pid]) for who, pid in self.others.items()}

    def memory(self) -> tuple[float, float]:
        """MB of the dashboard and of the engine's server."""
        return _resident(self.dashboard), _resident(self.engine) if self.engine else 0.0


@contextmanager
def ours(items: int, rate: float) -> Iterator[Served]:
    """The dashboard over some stock that was loaded through the chain, and of which ``rate`` items a second change."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "state"
        settings = {"STOCKTRAIL_HOME": str(home)}
        stack = stacks.connect(settings)
        list(uploads.follow(stack, uploads.send(stack, "stock.csv", file("Store", items)), timeout=600))
        server = engine.status(home)
        asked = Asked(lambda: urlsplit(server.endpoint or "").port)
        environ = {**stacks.attach(settings).environ, "AWS_ENDPOINT_URL": asked.endpoint}
        command = [sys.executable, "-m", "bench.changing", "--home", str(home), "--rate", str(rate)]
        changing = subprocess.Popen(command, cwd=ROOT)  # noqa: S603 (this project's own code)
        try:
            with dashboard.serving(Path(name), ROOT / "app.py", environ, folder=ROOT) as address:
                others = {"changes": changing.pid, "counting": os.getpid()}
                yield Served(address, _listening(address), server.pid, others, asked.counts)
        finally:
            changing.terminate()
            changing.wait(30)
            asked.close()
            engine.stop(home)
            engine.detach(home)


@contextmanager
def bare(environ: Mapping[str, str]) -> Iterator[Served]:
    """A small table in a fragment, as people write it."""
    script = ROOT / "bench" / "smalltable.py"
    with (
        tempfile.TemporaryDirectory() as name,
        dashboard.serving(Path(name), script, environ, folder=Path(name)) as address,
    ):
        yield Served(address, _listening(address))


def _listening(address: str) -> int:
    mark = f"--server.port={urlsplit(address).port}".encode()
    [pid] = [int(one.parent.name) for one in Path("/proc").glob("[0-9]*/cmdline") if mark in _read(one).split(b"\0")]
    return pid


def _seconds(pids: list[int]) -> float:
    stats = [_read(Path(f"/proc/{pid}/stat")).rpartition(b") ")[2].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats if stat) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    pages = _read(Path(f"/proc/{pid}/statm")).split()
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if pages else 0.0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""

"""What a file costs in time, memory and money: each way by itself, and ours through the whole chain.

The ways take turns within each run, each in a process of its own and with stores of its own, on an embedded engine on
which nothing follows the stream; then the same file goes through the whole chain on a second engine, with the real
Lambdas: from the PUT to the loaded receipt, and until the last stream record has been kept and checked.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.ways import file, files
from local import engine
from services import stack as stacks
from services import uploads
from services.outcome import Receipt
from services.stack import Stack

ROOT = Path(__file__).resolve().parent.parent
CHAIN, LAST = "chain, to the receipt", "chain, to the last record"
METERED_TO = 10_000
"""Rows, up to which the others are metered as well: each of theirs takes a unit, however many there are."""
Figures = dict[str, dict[str, Any]]
"""By way and file: `seconds`, a list of one a run; `units`, of reads and writes. And by way: `peak_mb`, the largest."""


@contextmanager
def running(*, followed: bool) -> Iterator[tuple[Stack, Path]]:
    """A fresh engine with the stack, and its home. Not ``followed``: without event sources, so that nothing else is at
    work."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        stack = stacks.connect({"STOCKTRAIL_HOME": str(home)})
        try:
            if not followed:
                functions = stack.client("lambda")
                for source in functions.list_event_source_mappings()["EventSourceMappings"]:
                    functions.delete_event_source_mapping(UUID=source["UUID"])
            yield stack, home
        finally:
            engine.stop(home)
            engine.detach(home)


def measure(rows: int, runs: int, ways: Iterable[str]) -> Figures:
    """The ways on files of so many rows, and the chain."""
    found: Figures = {}
    with running(followed=False) as (_, alone), running(followed=True) as (stack, home):
        _through(stack, file("warm", 6))
        for run in range(runs):
            for way in ways:
                _note(found, way, _client(way, alone, f"{way} {run}", rows))
            for name, one in _chain(stack, home, f"chain {run}", rows):
                _note(found, name, one)
        for way in (way for way in ways if rows <= METERED_TO or way == "ours"):
            metered = _client(way, alone, f"{way} in units", rows, units=True)["files"]
            for kept, one in zip(found[way]["files"], metered, strict=True):
                kept["units"] = one["units"]
    return found


def _client(way: str, home: Path, store: str, rows: int, *, units: bool = False) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.ways", way, "--home", str(home), "--store", store, "--rows", str(rows)]
    done = subprocess.run(  # noqa: S603 (this project's own code)
        [*command, *(["--units"] if units else [])], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _note(found: Figures, way: str, one: dict[str, Any]) -> None:
    kept = found.setdefault(way, {"files": [{"seconds": []} for _ in one["files"]], "peak_mb": 0})
    kept["peak_mb"] = max(kept["peak_mb"], one["peak_mb"])
    for before, fresh in zip(kept["files"], one["files"], strict=True):
        before["seconds"].append(fresh["seconds"])
        before.update({"units": fresh["units"]} if "units" in fresh else {})


def _chain(stack: Stack, home: Path, store: str, rows: int) -> Iterator[tuple[str, dict[str, Any]]]:
    to_receipt, to_last = [], []
    for data in files(store, rows).values():
        loaded, seen, receipt = _through(stack, data)
        units = float(receipt.reads), float(receipt.writes)
        to_receipt.append({"seconds": loaded})
        to_last.append({"seconds": seen, "units": units})
    peak = max(_peaks(home), default=0)
    yield CHAIN, {"files": to_receipt, "peak_mb": peak}
    yield LAST, {"files": to_last, "peak_mb": peak}


def _through(stack: Stack, data: bytes) -> tuple[float, float, Receipt]:
    """Seconds from the PUT until the receipt says loaded, and until every record has been kept and checked."""
    begin, loaded = time.monotonic(), 0.0
    for receipt in uploads.follow(stack, uploads.send(stack, "bench.csv", data), timeout=1800):
        if receipt.state == "loaded" and not loaded:
            loaded = time.monotonic() - begin
    return loaded, time.monotonic() - begin, receipt


def _peaks(home: Path) -> Iterator[int]:
    """The peak memory, in MB, of each process that has run the loader for this engine. Of Linux alone."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            command = (status.parent / "cmdline").read_text()
            if str(home) in command and "Loader" in command:
                [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
                yield int(line.split()[1]) // 1024
        except (OSError, ValueError):  # it has ended meanwhile
            continue

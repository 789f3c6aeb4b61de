"""What outlives the end of the engine: stock, changes, alerts, receipts, and the readers' places in the stream."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import engine
from services import alerts, changes, stock, uploads
from services import stack as stacks
from services.stack import ROOT, Stack
from tests import laws
from tests.conftest import SAMPLES, csv, sent, told


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Path]:
    """A state folder of the test's own, and no engine left behind."""
    yield tmp_path / "state"
    engine.detach(tmp_path / "state")


def connected(home: Path) -> Stack:
    return stacks.connect({"STOCKTRAIL_HOME": str(home)})


def test_after_a_clean_stop_and_a_start_all_is_there_and_the_stream_goes_on_where_it_was(own_home: Path):
    before = connected(own_home)
    first = sent(before, csv("Berlin", "Tea,3", "Rolls,0"))
    held = [stock.table(before), changes.newest(before), alerts.history(before), uploads.recent(before)]
    assert [len(one) for one in held] == [2, 2, 1, 1]
    assert engine.stop(own_home)
    engine.detach(own_home)
    after = connected(own_home)
    assert [stock.table(after), changes.newest(after), alerts.history(after), uploads.recent(after)] == held
    again = sent(after, csv("Berlin", "Tea,3", "Rolls,0"))
    empty = sent(after, csv("Berlin", "Tea,0", "Rolls,5"))
    assert [told(one) for one in (again, empty)] == [{"unchanged": 2}, {"changed": 2}]
    assert (empty.records_seen, empty.alerts) == (2, 1)
    assert [(one.item, one.state) for one in alerts.history(after)] == [("Tea", "open"), ("Rolls", "closed")]
    assert laws.broken(after, "Berlin", [first, again, empty]) == []


def test_a_command_starts_the_engine_for_itself_and_leaves_none_running(own_home: Path):
    def run(*arguments: str | Path) -> str:
        command = [sys.executable, "-m", "services", *map(str, arguments)]
        environ = {"STOCKTRAIL_HOME": str(own_home)}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
        return done.stdout

    assert "6 rows: 6 new. 6 stream records expected, 6 seen. 1 alert." in run("upload", SAMPLES / "berlin.csv")
    assert run("engine", "status") == "Not running.\n"
    assert "6 rows: 6 already up to date" in run("upload", SAMPLES / "berlin.csv")
    assert len(json.loads(run("stock", "--json"))) == 6

"""The Pipeline page: the picture with what is wrong at its place, the Lambdas, an upload's way first, the log."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from local import engine
from services import logs, uploads
from services import stack as stacks
from services.stack import Stack
from tests.conftest import csv, invoke, sent
from tests.test_pages import at_home, opened, said, table
from tests.waiting import until
from ui import reads, running

PAGE = "pages/pipeline.py"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Berlin's tea sells out; a run of the recorder has failed."""
    folder = tmp_path_factory.mktemp("pipeline")
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(folder)})
    sent(stack, csv("Berlin", "Tea,5", "Jam,3"), name="full.csv")
    sent(stack, csv("Berlin", "Tea,0"), name="out.csv")
    with pytest.raises(AssertionError, match="Records"):
        invoke(stack, stack.settings.recorder, {"no": "batch of a stream"})
    until(lambda: [one for one in logs.before(stack, 15) if one.level == "ERROR"])
    yield folder
    engine.detach(folder)


@pytest.fixture
def stack(home: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    at_home(home, monkeypatch)
    return stacks.connect(os.environ)


def picture(app: AppTest) -> dict[str, str]:
    """What the picture says of each stage, by its name."""
    [figure] = [one for one in app.get("plotly_chart") if "Bucket" in one.proto.spec]
    notes = [one["text"] for one in json.loads(figure.proto.spec)["layout"]["annotations"]]
    told = [note.replace("<b>", "").replace("</b>", "").split("<br>") for note in notes if note]
    return {name: ", ".join(lines) for name, *lines in told}


def runs(told: str) -> int:
    return int(told.split(" run")[0])


def test_the_picture_tells_the_live_numbers_of_every_stage(stack: Stack):
    shown = until(lambda: now if "up to date" in (now := picture(opened(PAGE)))["Checker"] else None, seconds=60)
    assert list(shown) == [
        "Bucket", "Queue", "Dead letters", "Loader", "Sweeper", "Table", "Stream", "Recorder", "Checker", "Changes",
        "Alerts", "Notifications",
    ]  # fmt: skip
    assert shown["Bucket"].startswith("2 files today, last ")
    assert shown["Queue"] == "0 waiting, 0 in flight"
    assert shown["Table"] == "2 items"
    assert shown["Stream"] == "3 records, in 15 minutes"
    assert shown["Alerts"] == "1 open"
    assert shown["Checker"].endswith("in 15 minutes, up to date")
    sent(stack, csv("Oslo", "Tea,5"))
    for stage, words in (("Bucket", "3 files"), ("Table", "3 items"), ("Stream", "4 records")):
        until(lambda stage=stage, words=words: words in picture(opened(PAGE))[stage])
    until(lambda: runs(picture(opened(PAGE))["Checker"]) > runs(shown["Checker"]))


@pytest.mark.usefixtures("stack")
def test_a_run_that_failed_is_marked_at_its_lambda_and_is_no_alarm():
    app = until(lambda: page if "up to date" in picture(page := opened(PAGE))["Recorder"] else None, seconds=60)
    assert picture(app)["Recorder"] == "up to date, ▲ 1 run failed"
    assert [one.value for one in app.warning] == [
        "Nothing needs you. In the last 15 minutes: Recorder: 1 run failed. The log says why."
    ]
    assert not app.error


def test_what_needs_help_is_marked_at_its_place_and_said_first(stack: Stack):
    upload_id = uploads.send(stack, "no-stock.csv", b"%PDF-1.4")
    list(uploads.follow(stack, upload_id))
    app = until(lambda: page if "What failed" in said(page := opened(PAGE)) else None)
    assert picture(app)["Dead letters"] == "✕ 1 failed"
    assert app.error[0].value.startswith("Needs a look: **Dead letters**: 1 failed")
    next(one for one in app.button if one.label == "Leave it").click().run()
    assert until(lambda: picture(opened(PAGE))["Dead letters"] == "none, nothing needs help")


@pytest.mark.usefixtures("stack")
def test_each_lambda_has_its_runs_percentiles_and_cold_starts():
    shown = said(opened(PAGE))
    for name in ("Loader", "Recorder", "Checker", "Sweeper"):
        assert f"**{name}** · " in shown
    assert shown.count(" · p95 ") == 4
    assert "cold start" in shown
    assert "its last batch had waited" in shown


def test_who_comes_for_one_upload_sees_its_way_first_with_every_line_of_its_runs(stack: Stack):
    [out] = [one for one in uploads.recent(stack) if one.file == "out.csv"]
    app = opened(PAGE, upload=str(out.upload_id))
    heads = [one.value for one in app.subheader]
    assert heads.index("The way of one upload") < heads.index("The Lambdas")
    lines = table(app, "after")
    assert set(lines["function"]) == {"loader", "recorder", "checker"}
    assert lines["message"][0] == "messages: 1"
    assert all(one.startswith("+") for one in lines["after"])
    assert "1 row: 1 changed. 1 stream record expected, 1 seen. 1 alert." in said(app)


@pytest.mark.usefixtures("stack")
def test_the_log_is_searched_from_the_address_and_a_traceback_is_readable():
    app = opened(PAGE, log="delivered again", level="Errors", of="recorder")
    found = app.dataframe[-1].value
    assert list(found["message"]) == ["✕ the batch failed and will be delivered again"]
    [trace] = app.code
    assert trace.value.startswith("Traceback (most recent call last):\n  File ")
    assert trace.value.endswith("KeyError: 'Records'")
    app.text_input(key="log").set_value("no such line").run()
    assert "No line of the last 15 minutes fits." in said(app)
    assert not app.code


@pytest.mark.usefixtures("stack")
def test_a_log_of_a_longer_while_is_asked_for_when_it_is_chosen(monkeypatch: pytest.MonkeyPatch):
    asked: list[float] = []
    real = logs.before
    monkeypatch.setattr(logs, "before", lambda of, minutes: asked.append(minutes) or real(of, minutes))
    app = opened(PAGE)
    assert not asked
    app.selectbox(key="back").set_value("1 day").run()
    assert asked == [1440.0]
    assert "of the last 1 day" in said(app)


@pytest.mark.usefixtures("stack")
def test_what_the_logs_are_asked_does_not_grow_with_the_viewers(monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []
    real = logs._events
    monkeypatch.setattr(logs, "_events", lambda *question: asked.append(1) or real(*question))
    held = reads.link()
    for _ in range(20):
        running.log(held)
        running.functions(held)
        running.readers(held)
    assert len(asked) == len(logs.FUNCTIONS)

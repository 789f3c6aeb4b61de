"""The five pages, each opened by itself over a real engine of its own: empty, filled, and with nothing to reach."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lambdas import times
from lambdas.fates import Mode
from lambdas.stockfile import StockFile
from local import engine
from services import stack as stacks
from services import uploads
from tests.conftest import SAMPLES, sent
from ui import parcels, plain, samples
from ui.parcels import Chosen

ROOT = SAMPLES.parent
PAGES = [
    "overview.py", "pages/upload.py", "pages/uploads.py", "pages/stock.py", "pages/changes.py", "pages/why.py",
    "pages/alerts.py", "pages/pipeline.py", "pages/lesson.py", "pages/audit.py", "pages/access.py",
]  # fmt: skip


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("empty")
    yield folder
    engine.detach(folder)


@pytest.fixture(scope="module")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Berlin's file twice, then the one without oat milk; an old one; one with mistakes; one that is no stock file."""
    folder = tmp_path_factory.mktemp("filled")
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(folder)})
    for name in ("berlin", "berlin", "berlin-sold-out", "berlin-last-month", "oslo-with-mistakes"):
        sent(stack, (SAMPLES / f"{name}.csv").read_bytes(), name=f"{name}.csv")
    sent(stack, (SAMPLES / "berlin-sold-out.csv").read_bytes(), Mode.STAMP, "again.csv")
    sent(stack, b"%PDF-1.4", name="no-stock.csv")
    yield folder
    engine.detach(folder)


def at_home(folder: Path, patch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "STOCKTRAIL_STACK", "AWS_PROFILE"):
        patch.delenv(name, raising=False)
    patch.setenv("STOCKTRAIL_HOME", str(folder))
    st.cache_resource.clear()


@pytest.fixture
def empty(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(empty_home, monkeypatch)


@pytest.fixture
def filled(filled_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(filled_home, monkeypatch)


def opened(page: str, **query: str) -> AppTest:
    """The page as it stands when it is the first one that a browser opens."""
    app = AppTest.from_file(str(ROOT / "overview.py"), default_timeout=60)
    app.switch_page(page)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    """Everything that the page says in words."""
    kinds = (
        app.title,
        app.subheader,
        app.info,
        app.success,
        app.error,
        app.warning,
        app.markdown,
        app.caption,
        app.text,
    )
    return "\n".join(str(one.value) for kind in kinds for one in kind).replace("\\", "").replace("\u2060", "")


def table(app: AppTest, column: str) -> pd.DataFrame:
    """The first table that has the column."""
    found: pd.DataFrame = next(one.value for one in app.dataframe if column in one.value.columns)
    return found


@pytest.mark.usefixtures("empty")
def test_an_empty_overview_says_what_to_do_and_offers_every_sample_that_asks_nothing():
    app = opened("overview.py")
    assert "There is no stock yet. Send a stock file" in said(app)
    for sample in SAMPLES.iterdir():
        offered = any(button.label.startswith(sample.name) for button in app.button)
        assert offered == (StockFile(sample.read_bytes()).understood.question is None), sample.name


@pytest.mark.usefixtures("empty")
def test_an_empty_upload_page_explains_the_three_modes_and_starts_with_newest():
    app = opened("pages/upload.py")
    assert app.radio(key="mode").options == ["Newest wins", "Plain", "Stamp"]
    assert app.radio(key="mode").value == Mode.NEWEST
    assert not any(button.label.startswith("Send") for button in app.button)


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("pages/stock.py", "There is no stock yet. Send a stock file"),
        ("pages/changes.py", "Nothing has changed yet. Send a stock file"),
        ("pages/alerts.py", "Nothing is out of stock."),
        ("pages/pipeline.py", "No file has been sent yet."),
    ],
)
def test_an_empty_page_says_that_there_is_nothing_yet(page: str, words: str):
    assert words in said(opened(page))


@pytest.mark.usefixtures("filled")
def test_the_overview_tells_first_what_is_out():
    app = opened("overview.py")
    figures = {one.label: one.value for one in app.metric}
    assert [(label, figures[label]) for label in list(figures)[:3]] == [
        ("Out of stock", "1"), ("Low", "–"), ("Stores", "2")
    ]  # fmt: skip
    out = app.dataframe[0].value
    assert list(out["item"]) == ["Oat milk 1 l"]
    assert list(out["upload"]) == ["berlin-sold-out.csv"]  # again.csv found it empty and only moved its time


@pytest.mark.usefixtures("filled")
def test_the_overview_shows_the_counts_that_just_changed_with_their_files_and_no_touched_ones():
    latest = table(opened("overview.py"), "change")
    files = ["oslo-with-mistakes.csv"] * 2 + ["berlin-sold-out.csv"] * 3 + ["berlin.csv"] * 3
    assert list(latest["upload"]) == files


@pytest.fixture
def gap(filled_home: Path) -> Iterator[None]:
    """An upload that was loaded a minute ago, and of which a stream record stays away."""
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(filled_home)})
    key = {"UploadId": {"S": upload_id("berlin-sold-out.csv")}}
    table = {"TableName": stack.settings.uploads_table, "Key": key}
    before = stack.dynamodb.get_item(**table)["Item"]
    minute_ago = times.later(times.now(), seconds=-60)
    stack.dynamodb.update_item(
        **table, UpdateExpression="SET Expected = :four, LoadedAt = :at",
        ExpressionAttributeValues={":four": {"N": "4"}, ":at": {"S": minute_ago}},
    )  # fmt: skip
    yield
    stack.dynamodb.put_item(TableName=stack.settings.uploads_table, Item=before)


@pytest.mark.usefixtures("filled", "gap")
def test_a_stream_record_that_stays_away_is_an_incident_on_the_pipeline_page():
    incident = "berlin-sold-out.csv: Incident: 1 stream record of 4 did not come through since 1 minute ago."
    assert incident in said(opened("pages/pipeline.py"))


@pytest.mark.usefixtures("filled")
def test_the_changes_are_told_newest_first_with_their_counts():
    feed = table(opened("pages/changes.py", upload=upload_id("berlin-sold-out.csv")), "event")
    assert dict(zip(feed["item"], feed["change"], strict=True)) == {
        "Oat milk 1 l": "36 -> 0", "Cinnamon rolls": "0 -> 24", "Paper cups 250 ml": "420 -> 385",
    }  # fmt: skip
    assert dict(zip(feed["item"], feed["what"], strict=True))["Oat milk 1 l"] == "✕ ran out"
    whole = table(opened("pages/changes.py"), "event")
    assert list(dict.fromkeys(whole["upload"])) == [
        "no-stock.csv", "again.csv", "oslo-with-mistakes.csv", "berlin-last-month.csv", "berlin-sold-out.csv",
        "berlin.csv",
    ]  # fmt: skip


@pytest.mark.usefixtures("filled")
def test_uploads_without_a_record_stand_between_the_changes_with_the_reason():
    feed = table(opened("pages/changes.py"), "event")
    silent = feed[feed["what"] == "· no record"]
    assert list(zip(silent["upload"], silent["item"], strict=True)) == [
        ("no-stock.csv", "could not be loaded"),
        ("berlin-last-month.csv", "6 older than what is known"),
        ("berlin.csv", "6 already up to date"),
    ]
    assert (feed["what"] == "◔ time only").sum() == 6  # again.csv, in `stamp` mode


@pytest.mark.usefixtures("filled")
def test_the_alerts_page_tells_open_ones_with_their_cause_and_how_long_past_ones_lasted():
    app = opened("pages/alerts.py")
    assert "Open: 1 item out of stock" in said(app)
    still, past = table(app, "notified"), table(app, "lasted")
    assert [tuple(row) for row in still[["item", "change", "opened by"]].values] == [
        ("Oat milk 1 l", "36 -> 0", "berlin-sold-out.csv")
    ]
    assert still["notified"].notna().all()
    assert list(past["change"]) == ["new: 0 -> 24"]
    assert past["closed by"][0].startswith("berlin-sold-out.csv")


def test_how_long_is_told_in_the_two_largest_units():
    assert plain.lasted("2026-11-23T10:00:00.000000Z", "2026-11-23T12:05:09.000000Z") == "2 hours 5 minutes"
    assert plain.lasted("2026-11-23T10:00:00.000000Z", "2026-11-23T10:00:00.400000Z") == "under a second"


@pytest.mark.usefixtures("filled")
def test_the_pipeline_shows_records_seen_of_expected_and_the_way_of_an_upload():
    app = opened("pages/pipeline.py", upload=upload_id("berlin.csv", earliest=True))
    seen = table(app, "records seen").set_index("upload")["records seen"]
    assert seen["berlin-sold-out.csv"] == "3 of 3"
    assert seen["no-stock.csv"] == "–"
    assert "6 rows: 6 new. 6 stream records expected, 6 seen. 1 alert." in said(app)
    assert set(table(app, "function")["function"]) == {"loader", "recorder", "checker"}


@pytest.mark.usefixtures("filled")
def test_a_sample_is_previewed_with_its_fates_before_it_is_sent():
    app = opened("pages/upload.py")
    next(one for one in app.button if one.label == "oslo-with-mistakes.csv").click().run()
    assert "3 not usable" in said(app)
    wrong = table(app, "Reason")
    assert list(zip(wrong["Row"], wrong["Column"], wrong["Value"], strict=True)) == [
        (3, "count", ""), (4, "count", "about 200"), (5, "item", ""),
    ]  # fmt: skip
    assert any(button.label == "Send" for button in app.button)


@pytest.mark.usefixtures("filled")
def test_a_choice_that_is_sent_twice_at_the_same_time_is_one_upload(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(st, "session_state", {})
    choice = [Chosen("one click", "berlin-last-month.csv", samples.read("berlin-last-month.csv"))]
    parcels.pack(choice, Mode.NEWEST)
    parcel = parcels.current()
    parcels.pack(choice, Mode.NEWEST)
    assert parcel is not None
    assert parcels.current() is parcel
    stack = stacks.connect(os.environ)
    with ThreadPoolExecutor() as pool:
        list(pool.map(parcel.send, [stack] * 4))
    assert len(parcel.ids) == 1
    list(uploads.follow(stack, parcel.ids[0]))


@pytest.mark.parametrize("page", PAGES)
def test_an_engine_that_cannot_be_reached_gives_a_banner(page: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    st.cache_resource.clear()
    app = opened(page)
    assert "The stock can't be reached right now." in said(app)
    assert not app.dataframe


def upload_id(file: str, *, earliest: bool = False) -> str:
    """The id of the latest upload of a file, or with ``earliest`` of the first."""
    found = [one.upload_id for one in uploads.recent(stacks.connect(os.environ)) if one.file == file]
    return str(found[-1 if earliest else 0])

"""The Overview over engines of their own: what is short, what will be, today, every store, the uploads, the unusual."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lambdas import store_uploads, times
from lambdas.alerts import Kind
from lambdas.fates import Mode
from lambdas.reorder import Points
from lambdas.upload import Address, Upload, new_id
from local import engine
from services import alerts, correcting, uploads
from services import stack as stacks
from services.errors import NotFound
from services.quiet_stores import Quiet
from services.stack import Stack
from services.standing import Figures, Sums
from services.stock import Stocked
from tests.conftest import csv, sent
from tests.test_lately import sold
from tests.test_pages import at_home, opened, said, table
from tests.waiting import until
from ui import charts, following, plain, reads
from ui.overview import latest, locked
from ui.overview import quiet as quiet_words

NAME = "50 % *off* <b>"
"""A store's name that Markdown and plotly would take for more than text."""


@pytest.fixture(scope="module")
def busy_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("busy")


@pytest.fixture(scope="module")
def busy(busy_home: Path) -> Iterator[Stack]:
    """Three stores. Berlin's tea sells out soon and its figs just did; Oslo's till is stuck; a third one is locked."""
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(busy_home)})
    sold(stack, "Berlin", "Tea")
    ahead = times.later(times.now(), hours=7)
    sent(stack, csv("Berlin", "Tea,6", "Figs,9", "Jam,4", "Rice,500"), name="first.csv")
    sent(stack, csv("Oslo", "Tea,0", "Jam,40"), name="oslo.csv")
    sent(stack, csv(NAME, f"Salt,12,{ahead}", header="store,item,count,updated_at"), name="locked.csv")
    stuck(stack, "Oslo")
    sent(stack, csv("Berlin", "Figs,-2", "Tea,6"), name="sold-out.csv")
    yield stack
    engine.detach(busy_home)


def stuck(stack: Stack, store: str) -> None:
    """The store's last uploads come a day after each other, and the newest changed nothing: one that is to come."""
    for days in (1, 2, 3):
        upload_id = new_id(times.moment(times.later(times.now(), days=days)))
        upload = Upload(upload_id, Address("", upload_id), "till.csv")
        store_uploads.register(stack.dynamodb, stack.settings.store_uploads_table, upload, [store], timed=False)


@pytest.fixture
def page(busy: Stack, busy_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert busy
    at_home(busy_home, monkeypatch)


def until_it_says(*texts: str) -> AppTest:
    """The Overview as soon as what is worked out beside it is there."""

    def ask() -> AppTest | None:
        app = opened("overview.py")
        return app if all(text in said(app) for text in texts) else None

    return until(ask, 30)


@pytest.mark.usefixtures("page")
def test_the_figures_come_first_and_each_is_a_way_to_its_list():
    app = until(lambda: (found := opened("overview.py")) and len(found.metric) == 5 and found, 30)
    figures = {one.label: (one.value, one.delta) for one in app.metric}
    assert re.fullmatch(r"\d\d:\d\d", figures.pop("Last upload")[0])
    assert figures == {
        "Out of stock": ("2", "in 2 stores"), "Low": ("–", "no point is set"),
        "Out in 7 days": ("1", "of 1 item judged"), "Stores": ("3", "with 7 items"),
    }  # fmt: skip
    ways = [(one.proto.page, one.proto.query_string) for one in app.get("page_link")]
    assert ("stock", "state=Out+of+stock") in ways
    assert ("stock", "") in ways
    assert any(page == "uploads" and query.startswith("upload=") for page, query in ways)
    assert "[↓ Which](#soon)" in [one.value for one in app.markdown]


@pytest.mark.usefixtures("page")
def test_what_is_out_is_told_with_since_when_and_by_which_upload_the_last_first():
    out = table(opened("overview.py"), "left")
    assert [tuple(row) for row in out[["item", "store", "upload", "left"]].values] == [
        ("Figs", "Berlin", "sold-out.csv", "-2"), ("Tea", "Oslo", "oslo.csv", "0"),
    ]  # fmt: skip
    assert out["ago"].notna().all()


@pytest.mark.usefixtures("page")
def test_what_is_low_is_drawn_against_its_reorder_point(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        reads, "points", lambda _: Points(items={("Berlin", "Tea"): Decimal(8), ("Berlin", "Jam"): Decimal(4)})
    )
    app = opened("overview.py")
    low = table(app, "share")
    assert [tuple(row) for row in low.values] == [("Tea", "Berlin", "6 of 8", 0.75), ("Jam", "Berlin", "4 of 4", 1.0)]
    assert {one.label: one.value for one in app.metric}["Low"] == "2"


@pytest.mark.usefixtures("page")
def test_what_will_be_out_soon_says_why():
    soon = table(until_it_says("Out soon"), "because it")
    (row,) = soon.to_dict("records")
    assert (row["item"], row["lasts"]) == ("Tea", "2 days")
    assert row["because it"] == "fell 42 in the last 15 days: about 2.8 a day; 6 left"


@pytest.mark.usefixtures("page")
def test_the_day_is_told_in_words_and_drawn():
    app = until_it_says("8 counts changed, 2 items ran out, between")
    assert "Today" in said(app)
    assert "Just changed" in said(app)


@pytest.mark.usefixtures("page")
def test_the_last_uploads_stand_there_with_their_fates_as_a_bar_and_in_words():
    last = table(opened("overview.py"), "fates")
    assert list(last["upload"]) == ["sold-out.csv", "locked.csv", "oslo.csv", "first.csv"]
    assert last["fates"][0] == "1 changed, 1 already up to date"
    assert all(bar.startswith("data:image/svg+xml,") for bar in last["rows"])
    assert list(last["alerts"]) == [1, 0, 1, 0]


def test_an_upload_of_which_records_stay_away_says_so_among_the_last_ones(busy: Stack):
    [of] = [one for one in uploads.recent(busy) if one.file == "sold-out.csv"]
    away = replace(of, records_seen=0, records_checked=0, loaded_at=times.later(times.now(), hours=-1))
    told = [latest._row(one)[3] for one in (of, away)]
    assert told == ["1 changed, 1 already up to date", "✕ records missing; 1 changed, 1 already up to date"]


@pytest.mark.usefixtures("page")
def test_a_till_whose_export_is_stuck_is_named():
    quiet = table(until_it_says("Stores that went quiet"), "what is unusual")
    assert [tuple(row) for row in quiet[["store", "what is unusual"]].values] == [
        ("Oslo", "the last 3 uploads changed nothing: is the till's export stuck?")
    ]


@pytest.mark.usefixtures("page")
def test_a_locked_count_is_named_released_by_a_click_and_then_the_next_file_counts(busy: Stack):
    app = opened("overview.py")
    assert f"{NAME} · **Salt**: 12, until" in said(app)
    next(one for one in app.button if one.label == "Release").click().run()
    assert not app.exception
    assert "1 row: 1 confirmed with a newer time. 1 stream record expected, 1 seen. 0 alerts." in said(app)
    until(lambda: "Locked by a time ahead" not in said(app.run()))
    assert sent(busy, csv(NAME, "Salt,11")).fates["changed"] == 1


def test_one_store_needs_no_picture_of_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(tmp_path)})
    try:
        sent(stack, csv("Berlin", "Tea,6", "Jam,3"))
        at_home(tmp_path, monkeypatch)
        app = opened("overview.py")
        figures = {one.label: one.value for one in app.metric if one.label != "Last upload"}
        assert figures == {"Out of stock": "0", "Low": "–", "Items": "2"}
        for part in ("Stock by store", "Stores that went quiet", "Locked by a time ahead", "Out soon"):
            assert part not in said(app)
        assert "Nothing is out of stock." in said(app)
    finally:
        engine.detach(tmp_path)


def test_when_an_item_ran_out_is_not_when_a_later_file_only_confirmed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):  # fmt: skip
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(tmp_path)})
    try:
        for name, item in (("tea.csv", "Tea,0"), ("figs.csv", "Figs,0")):
            sent(stack, csv("Berlin", item), name=name)
        sent(stack, csv("Berlin", "Tea,0"), Mode.STAMP, "confirmed.csv")
        at_home(tmp_path, monkeypatch)
        out = table(opened("overview.py"), "ago")
        assert list(out["upload"]) == ["figs.csv", "tea.csv"]
        by = {one.file: one.upload_id for one in uploads.recent(stack)}
        low = [replace(one, kind=Kind.LOW, opened_by=by["tea.csv"]) for one in alerts.open_now(stack)]
        monkeypatch.setattr(following, "latest_alerts", lambda *_: low)  # others have run out since
        st.cache_resource.clear()
        out = table(opened("overview.py"), "ago")
        assert list(out["item"]) == ["Figs", "Tea"]
        assert (out["upload"][0], out["upload"].notna()[1], out["ago"].notna()[1]) == ("figs.csv", False, False)
    finally:
        engine.detach(tmp_path)


def test_counts_that_are_locked_are_told_apart_and_released_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(tmp_path)})
    try:
        ahead, head = times.later(times.now(), hours=7), "store,item,count,updated_at"
        for store, item in (("a/b", "*c*"), ("a", "b/*c*")):
            sent(stack, csv(store, f"{item},3,{ahead}", header=head))
        at_home(tmp_path, monkeypatch)
        app = opened("overview.py")
        one, other = (one for one in app.button if one.label == "Release")
        assert sorted([one.help, other.help]) == sorted([plain.escaped("a/b · *c*"), plain.escaped("a · b/*c*")])
        monkeypatch.setattr(st, "session_state", {})
        [of, _] = following.figures(reads.link()).locked(times.now())
        for _ in range(2):
            locked.release(of)
        parcel = locked.released()
        assert parcel is not None
        parcel.send(stack)
        locked.release(of)
        assert locked.released() is parcel
        assert (len(parcel.ids), len(uploads.recent(stack))) == (1, 3)
    finally:
        engine.detach(tmp_path)


@pytest.mark.usefixtures("page")
def test_why_a_count_could_not_be_released_stays_to_be_read(monkeypatch: pytest.MonkeyPatch):
    def moved(*_: object) -> None:
        raise NotFound("There is no item “Salt”.")

    monkeypatch.setattr(correcting, "one", moved)
    ahead = Stocked("Berlin", "Salt", Decimal(2), times.later(times.now(), hours=9), None)
    others = [replace(ahead, item=f"Item {n}", updated_at=times.later(times.now(), hours=8 - n)) for n in range(6)]
    monkeypatch.setattr(Figures, "locked", lambda *_: [ahead, *others])
    app = opened("overview.py")
    assert f"And 2 other counts, until {plain.clock(others[4].updated_at)} at the latest." in said(app)
    next(one for one in app.button if one.label == "Release").click().run()
    for _ in range(2):
        assert "There is no item “Salt”." in said(app)
        app.run()


def many(count: int, out: int = 0) -> Figures:
    """So many stores of 50 items each; the first ones have 1, 2, 3, … of them out, up to ``out``."""
    sums = [Sums(f"Store {n}", 50, max(0, out - n), 0, "") for n in range(count)]
    return Figures(-count - 1000 * out, 50 * count, (), (), tuple(sums), ())


@pytest.mark.parametrize("count", [2, 14, 15, 300, 500])
def test_every_store_is_in_the_picture_once_and_can_be_clicked(count: int):
    picture = charts.stores(many(count, 12))
    drawn = [name for trace in picture.names for name in trace]
    assert set(drawn) == {f"Store {n}" for n in range(count)}
    assert count <= charts.BARS or len(drawn) == count  # a bar has a part for each trace
    for trace, names in zip(picture.figure.data, picture.names, strict=True):
        assert len(trace.text) == len(names)
    assert picture.rest == ""
    assert picture.figure.layout.height < 1000


def test_of_more_stores_than_can_be_drawn_a_sentence_tells():
    assert charts.stores(many(503, 3)).rest == "And 3 other stores, with 0 items out of stock between them."


def test_a_tile_tells_how_many_are_out_in_a_number_and_not_by_its_colour_alone():
    texts = [text for trace in charts.stores(many(20, 3)).figure.data for text in trace.text]
    assert sorted(texts) == sorted(["3", "2", "1"] + ["✓"] * 17)


def test_a_stores_name_is_text_in_a_chart():
    (trace, *_) = charts.stores(
        Figures(-1, 2, (), (), (Sums(NAME, 1, 1, 0, ""), Sums("B", 1, 0, 0, "")), ())
    ).figure.data
    assert trace.hovertext[0].startswith("50 % *off* &lt;b&gt;<br>1 of 1 item out")


NINE_DAYS_AGO = "2026-11-16T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("quiet", "told"),
    [
        (Quiet("A", "id", NINE_DAYS_AGO), "no upload for 9 days"),
        (Quiet("A", "id", NINE_DAYS_AGO, timedelta(hours=50)), "no upload for 9 days; usually one every 2 days"),
        (Quiet("A", "id", NINE_DAYS_AGO, timedelta(hours=1)), "no upload for 9 days; usually one every hour"),
        (
            Quiet("A", "id", NINE_DAYS_AGO, None, 11),
            "the last 10 uploads, or more, changed nothing: is the till's export stuck?",
        ),
    ],
)
def test_what_is_unusual_is_told_plainly(quiet: Quiet, told: str):
    assert quiet_words.in_words(quiet, "2026-11-25T12:00:00.000000Z") == told

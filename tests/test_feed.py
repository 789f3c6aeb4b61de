"""The Changes page: it stands still until it is asked, filters by its address, and tells of silent uploads."""

import csv as csvs
import io
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lambdas import times
from lambdas.fates import Mode
from local import engine
from services import changes, feedfile, uploads
from services import stack as stacks
from services.changes import Counted
from services.stack import Stack
from services.stock import Mirror
from services.trail import Trail
from services.wanted import Wanted
from services.watch import Watch
from tests.conftest import SAMPLES, csv, sent
from tests.test_lately import kept
from tests.test_pages import at_home, opened, said, table
from tests.waiting import until
from ui import following, found, reads, record
from ui.feed import Asked


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("feed")
    yield folder
    engine.detach(folder)


@pytest.fixture(scope="module")
def filled(home: Path) -> Stack:
    """Berlin's file twice, the sold out one, that one stamped; three rows of Oslo; a change of 40 days ago."""
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(home), "AWS_ENDPOINT_URL": "", "STOCKTRAIL_STACK": ""})
    kept(stack, "Bergen", "Sardines", 40, 9, 0)
    kept(stack, "Bergen", "Herring", 41, 8, 7)
    for name in ("berlin", "berlin", "berlin-sold-out"):
        sent(stack, (SAMPLES / f"{name}.csv").read_bytes(), name=f"{name}.csv")
    sent(stack, (SAMPLES / "berlin-sold-out.csv").read_bytes(), Mode.STAMP, "again.csv")
    sent(stack, csv("Oslo", "Tea,3", "Honey,0", "Rusks,5"), name="oslo.csv")
    return stack


@pytest.fixture
def stack(filled: Stack, home: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    at_home(home, monkeypatch)
    return filled


def feed(**query: str) -> AppTest:
    return opened("pages/changes.py", **query)


def items(app: AppTest) -> list[str]:
    return list(table(app, "event")["item"])


def button(app: AppTest, label: str) -> object:
    return next(one for one in app.button if label in one.label.replace("\\", ""))


def announced(app: AppTest) -> str:
    """What the line above the table says, once it has been drawn anew."""
    app.run()
    return str(app.button(key="show-new").label).strip("*").replace("\\", "").replace("\u2060", "")


def known(stack: Stack, upload_id: str | None) -> None:
    """Wait until the dashboard has heard of all that an upload changed."""
    there = {one.position for one in changes.of_upload(stack, upload_id or "")}
    trail = following.trail(reads.link())
    until(lambda: there <= {one.position for one in trail.page(Wanted(upload_id=upload_id), 1000).lines})


def test_new_ones_are_announced_and_move_nothing_until_they_are_asked_for(stack: Stack, store: str):
    app = feed(store="Berlin")
    before = items(app)
    receipt = sent(stack, csv(store, "Jam,3"), name="jam.csv")
    known(stack, receipt.upload_id)
    assert announced(app) == "Nothing new"  # it is of another store
    receipt = sent(stack, csv("Berlin", "Jam,3", "Oat milk 1 l,4"), name="new.csv")
    known(stack, receipt.upload_id)
    assert announced(app).startswith("2 new · Berlin · ")
    assert items(app) == before
    app.button(key="show-new").click().run()
    assert items(app) == [*reversed([one.item for one in changes.of_upload(stack, receipt.upload_id)]), *before]
    assert announced(app) == "Nothing new"


def test_an_upload_that_changed_nothing_is_announced_and_told_of_with_its_reason(stack: Stack, store: str):
    sent(stack, csv(store, "Jam,3"))
    app = feed()
    receipt = sent(stack, csv(store, "Jam,3"), name="jam-again.csv")
    until(lambda: receipt.upload_id in {one.upload_id for one in following.watch(reads.link()).silent})
    assert announced(app) == "1 upload that changed nothing"
    app.button(key="show-new").click().run()
    first = table(app, "event").iloc[0]
    assert (first["upload"], first["item"], first["what"]) == ("jam-again.csv", "1 already up to date", "· no record")
    of_store = table(feed(store=store), "event")
    assert list(of_store["upload"]) == ["jam-again.csv", "stock.csv"]
    assert "jam-again.csv" not in list(table(feed(store="Oslo"), "event")["upload"])


def test_a_pause_is_silent_and_going_on_shows_all_of_it_once(stack: Stack, store: str):
    sent(stack, csv(store, "Item 0,1"))
    app = feed(store=store)
    app.segmented_control(key="new").set_value("Pause").run()
    last = [sent(stack, csv(store, *(f"Item {n},{count}" for n in range(70)))) for count in (2, 3)]
    known(stack, last[-1].upload_id)
    assert announced(app).startswith("Paused")
    assert items(app) == ["Item 0"]
    app.segmented_control(key="new").set_value("Announce").run()
    shown = table(app, "event")
    want = changes.newest(stack, 141)
    assert [*zip(shown["item"], shown["change"], strict=True)] == [
        (one.item, f"new: {one.new_count}" if one.event == "INSERT" else f"{one.old_count} -> {one.new_count}")
        for one in want
    ]


def test_who_follows_sees_new_ones_by_themselves(stack: Stack, store: str):
    app = feed(store=store, new="Follow")
    receipt = sent(stack, csv(store, "Jam,3"))
    known(stack, receipt.upload_id)
    assert items(app.run()) == ["Jam"]
    receipt = sent(stack, csv(store, "Jam,4"))
    known(stack, receipt.upload_id)
    assert items(app.run()) == ["Jam", "Jam"]


def test_an_empty_feed_shows_the_first_ones_by_itself(stack: Stack, store: str):
    sent(stack, csv(store, "Jam,3"))
    app = feed(store=store, zero="true")
    assert "No change fits." in said(app)
    receipt = sent(stack, csv(store, "Jam,0"))
    known(stack, receipt.upload_id)
    assert items(app.run()) == ["Jam"]


@pytest.mark.parametrize(
    ("query", "want"),
    [
        ({"store": "Oslo"}, {"Tea", "Honey", "Rusks"}),
        ({"store": "Nowhere"}, set()),
        ({"store": "Oslo", "item": "hon"}, {"Honey"}),
        ({"store": "Oslo", "event": "MODIFY"}, set()),
        ({"store": "Oslo", "zero": "true"}, {"Honey"}),
    ],
)
@pytest.mark.usefixtures("stack")
def test_the_filters_stand_in_the_address(query: dict[str, str], want: set[str]):
    app = feed(**query)
    tables = [one.value for one in app.dataframe if "event" in one.value.columns]
    assert {item for one in tables for item in one["item"]} == want


def test_only_real_changes_leaves_out_those_that_moved_a_time_and_an_upload_shows_its_own(stack: Stack):
    stamped = next(one.upload_id for one in uploads.recent(stack, 100) if one.file == "again.csv")
    assert set(table(feed(upload=stamped), "event")["what"]) == {"◔ time only"}
    assert "No change fits." in said(feed(upload=stamped, real="true"))


def test_a_jump_to_a_time_turns_pages_both_ways_without_a_gap(
    stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(found, "PAGE", 4)
    for count in range(1, 12):
        kept(stack, store, "Rolls", count / 24 / 6, count, count + 1)
    st.cache_resource.clear()  # kept() speaks to nobody
    want = [f"{count} -> {count + 1}" for count in range(1, 12)]
    app = feed(store=store, before=times.later(times.now(), hours=-4.5 / 6))
    seen = list(table(app, "event")["change"])
    assert seen == want[4:8]
    button(app, "Older").click().run()
    assert list(table(app, "event")["change"]) == want[8:]
    button(app, "Newer").click().run()
    assert list(table(app, "event")["change"]) == want[4:8]
    button(app, "Newer").click().run()
    assert list(table(app, "event")["change"]) == want[:4]
    button(app, "Back to the newest").click().run()
    assert list(table(app, "event")["change"]) == want[:4]
    assert "before" not in app.query_params


def test_turning_pages_down_and_up_again_meets_each_line_once_silent_uploads_too(
    stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(found, "PAGE", 2)
    for n, count in enumerate((1, 1, 2, 2, 2, 3, 4, 4)):
        sent(stack, csv(store, f"Jam,{count}", f"Figs,{count}"), name=f"{n}.csv")
    app = feed(store=store)
    down, up = [shown(app)], []
    while older := [one for one in app.button if one.label == "Older"]:
        older[0].click().run()
        down.append(shown(app))
    want = ["7", "6", "6", "5", "5", "4", "3", "2", "2", "1", "0", "0"]
    assert [line for page in down for line in page] == [f"{n}.csv" for n in want]
    while newer := [one for one in app.button if one.label == "Newer"]:
        newer[0].click().run()
        up.append(shown(app))
    assert up == down[-2::-1]


def shown(app: AppTest) -> list[str]:
    """The files of the lines, from the top."""
    return list(table(app, "event")["upload"])


@pytest.mark.usefixtures("stack")
def test_what_is_older_than_memory_reaches_is_found_in_the_table(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(following, "_AT_HAND", 3)
    app = feed(store="Bergen")
    assert "older ones are being read" in said(app)
    until(lambda: following._lately(reads.link()).reached is None)
    while older := [one for one in app.button if one.label == "Older"]:
        older[0].click().run()
        if any("event" in one.value.columns for one in app.dataframe):
            break
    assert items(app) == ["Sardines", "Herring"]
    button(app, "Newer").click().run()
    assert "before" not in app.query_params


def test_an_upload_from_before_what_is_in_memory_is_asked_for_by_its_key(stack: Stack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(following, "_AT_HAND", 1)
    wanted = min(one.upload_id or "" for one in uploads.recent(stack, 100) if one.file == "berlin.csv")
    app = feed(upload=wanted)
    assert len(items(app)) == 6
    assert "Its first" not in said(app)
    monkeypatch.setattr(found, "WINDOW", 4)
    st.cache_resource.clear()
    app = feed(upload=wanted)
    assert len(items(app)) == 4
    assert "Its first 4 changes; its receipt tells of all its rows." in said(app)


@pytest.mark.usefixtures("stack")
def test_what_is_no_place_in_the_address_begins_with_the_newest():
    assert items(feed(store="Oslo", before="2026-02-31T00:00:00.000000Z")) == items(feed(store="Oslo", before="'"))


def test_old_and_new_image_are_told_attribute_by_attribute(stack: Stack):
    (one,) = (
        one for one in changes.newest(stack, 400) if one.item == "Oat milk 1 l" and one.new_count == 0 != one.old_count
    )
    told = record.diff(replace(one, new=(one.new or {}) | {"Note": "x"}))
    assert list(zip(told["what"], told["attribute"], strict=True)) == [
        ("≠ changed", "Count"), ("≠ changed", "UpdatedAt"), ("≠ changed", "UploadId"),
        ("✚ added", "Note"), ("✚ added", "Was"), ("· same", "Item"), ("· same", "Store"),
    ]  # fmt: skip
    count = told.set_index("attribute").loc["Count"]
    assert (count["before"], count["after"]) == ("36", "0")
    gone = record.diff(replace(one, new=None))
    assert set(gone["what"]) == {"− removed"}


def test_images_come_by_the_key_that_the_trail_keeps(stack: Stack):
    seen = changes.newest(stack, 40)
    trail = Trail()
    trail.add(map(Counted.of, seen))
    trail.reach("")
    lines = trail.page(Wanted(), 40).lines
    assert [*lines] == [Counted.of(one) for one in seen]
    assert sorted(changes.kept(stack, lines), key=lambda one: one.position, reverse=True) == seen


def test_the_export_holds_all_that_fits_and_no_formula(stack: Stack, store: str):
    receipt = sent(stack, csv(store, *(f"=Item {n},{n}" for n in range(60))), name="sums.csv")
    held = reads.refreshed()
    following.watch(held).look("a test")
    known(stack, receipt.upload_id)
    lines = found.export(held, Asked(Wanted(store=store)))
    files = reads.files(held, {receipt.upload_id})
    rows = list(csvs.DictReader(io.StringIO(feedfile.as_csv(lines, files).decode("utf-8-sig"))))
    assert {row["item"] for row in rows} == {f"'=Item {n}" for n in range(60)}
    assert (rows[0]["file"], rows[0]["event"], rows[0]["old count"]) == ("sums.csv", "INSERT", "")
    told = [json.loads(line) for line in feedfile.as_json_lines(lines, files).splitlines()]
    assert [one["item"] for one in told] == [one.item for one in changes.of_upload(stack, receipt.upload_id or "")][
        ::-1
    ]
    assert told[0]["new_count"] == int(rows[0]["new count"])


def test_a_line_is_exported_as_the_record_is(stack: Stack):
    (one,) = changes.newest(stack, 1)
    assert Counted.of(one).as_json() == {k: v for k, v in one.as_json().items() if k not in ("old", "new", "sequence")}


def test_the_more_look_the_longer_who_comes_is_asked_to_wait(stack: Stack):
    ahead = 0.0
    watch = Watch(Mirror(stack), lambda: [], lambda: time.monotonic() + ahead)
    assert watch.pace == 1.0
    for readers, pace in ((19, 1.0), (20, 2.0), (60, 4.0)):
        for n in range(readers):
            watch.look(f"reader {n}")
        assert watch.pace == pace
    ahead = 11.0  # nobody else looks any more
    until(lambda: watch.look("the last one") or watch.pace == 1.0)
    ahead = 22.0

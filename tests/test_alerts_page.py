"""The Alerts page: open episodes, acknowledging, history and reorder points, over an engine of its own."""

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lambdas import points, times
from lambdas.reorder import ALL, Scope
from local import engine
from services import alerts, reorder
from services import stack as stacks
from services.stack import Stack
from services.words import clock
from tests.conftest import csv, sent
from tests.test_pages import at_home, opened, said, table
from ui import episodes, plain, reads, reordering
from ui.reordering import POINT

PAGE = "pages/alerts.py"
MANY = 200


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Berlin: tea is out, jam low; Oslo: rye was low and is no longer. Ply: 200 items out at once."""
    folder = tmp_path_factory.mktemp("alerts")
    made = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(folder)})
    reorder.save(made, {Scope("Berlin"): Decimal(5), Scope("Oslo", "Rye"): Decimal(9)})
    sent(made, csv("Berlin", "Tea,9", "Jam,9", "Milk,9"), name="morning.csv")
    sent(made, csv("Berlin", "Tea,0", "Jam,4", "Milk,9"), name="noon.csv")
    sent(made, csv("Oslo", "Rye,8"), name="oslo.csv")
    sent(made, csv("Oslo", "Rye,12"), name="oslo-full.csv")
    yield folder
    engine.detach(folder)


@pytest.fixture
def stack(home: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    at_home(home, monkeypatch)
    return stacks.connect(os.environ)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at_home(tmp_path / "state", monkeypatch)
    yield
    engine.detach(tmp_path / "state")


def rows(app: AppTest, column: str, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in table(app, column)[list(columns)].values]


@pytest.mark.usefixtures("empty")
def test_with_nothing_yet_each_section_says_what_it_is_for():
    told = said(opened(PAGE))
    for words in ("Nothing is out of stock.", "No alert has ended yet.", "There is no stock yet.", "An alert opens"):
        assert words in told
    assert "q" not in {one.key for one in opened(PAGE).text_input}  # there is nothing to choose from


@pytest.mark.usefixtures("stack")
def test_what_is_out_comes_before_what_is_low_and_each_item_stands_once_with_its_cause():
    app = opened(PAGE)
    assert "Open: 1 item out of stock, 1 low" in said(app)
    assert rows(app, "notified", "what", "item", "change", "opened by") == [
        ("✕ Out of stock", "Tea", "9 -> 0", "noon.csv"), ("◐ Low", "Jam", "9 -> 4 (of 5)", "noon.csv"),
    ]  # fmt: skip
    assert rows(app, "lasted", "what", "item", "change") == [("◐ Low", "Rye", "new: 8 -> 12")]


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("query", "still", "past"),
    [
        ({"kind": "Low"}, ["Jam"], ["Rye"]),
        ({"kind": "Out of stock"}, ["Tea"], None),
        ({"store": "Oslo"}, None, ["Rye"]),
        ({"q": "JAM"}, ["Jam"], None),
        ({"q": "nothing"}, None, None),
        ({"seen": "Acknowledged"}, None, None),
    ],
)
def test_the_filters_stand_in_the_address(query: dict[str, str], still: list[str] | None, past: list[str] | None):
    app = opened(PAGE, **query)
    for column, items, words in (("notified", still, "No open alert fits"), ("lasted", past, "that ended fits")):
        if items is None:
            assert words in said(app)
        else:
            assert list(table(app, column)["item"]) == items


def picked(app: AppTest, item: str, key: str = "open") -> AppTest:
    """The page with the line of an item picked."""
    [one] = [name for name in app.session_state[f"{key}-shown"] if name[1] == item]
    app.session_state[f"{key}-picked"] = one
    return app.run()


def test_an_open_alert_is_acknowledged_with_a_note_and_then_stands_after_the_others(stack: Stack):
    app = picked(opened(PAGE), "Tea")
    assert "Out of stock since" in said(app)
    [note] = [one for one in app.text_input if one.label == "Note"]
    note.set_value("Kim has *ordered* it")
    next(one for one in app.button if one.label == "Acknowledge").click().run()
    shown = table(app, "notified").fillna({"seen": ""})
    assert list(zip(shown["item"], shown["seen"], strict=True)) == [("Jam", ""), ("Tea", "✓ Kim has *ordered* it")]
    assert "Acknowledged " in said(app)
    [seen] = [one for one in alerts.open_now(stack) if one.acknowledged_at]
    assert (seen.item, seen.note) == ("Tea", "Kim has *ordered* it")
    assert list(table(opened(PAGE, seen="Not acknowledged"), "notified")["item"]) == ["Jam"]


def links(app: AppTest) -> list[str]:
    return [one.proto.label.replace("\\", "").replace("\u2060", "") for one in app.get("page_link")]


@pytest.mark.usefixtures("stack")
def test_a_picked_alert_leads_to_its_item_and_to_the_uploads_of_both_its_ends():
    assert {"Open the item", "Open noon.csv"} <= set(links(picked(opened(PAGE), "Jam")))
    app = picked(opened(PAGE), "Rye", "past")
    assert {"Open the item", "It began with oslo.csv", "It ended with oslo-full.csv"} <= set(links(app))
    assert "then back to 12" in said(app)


def test_what_ended_is_told_however_many_alerts_have_opened_since(stack: Stack, monkeypatch: pytest.MonkeyPatch):
    sent(stack, csv("Since", *(f"Item {n},0" for n in range(5))))
    monkeypatch.setattr(episodes, "HISTORY", 3)
    app = opened(PAGE)
    assert "Rye" in list(table(app, "lasted")["item"])
    assert "latest" not in " ".join(one.value for one in app.caption)
    sent(stack, csv("Since", *(f"Item {n},9" for n in range(5))))
    st.cache_resource.clear()
    app = opened(PAGE)
    assert len(table(app, "lasted")) == 3
    assert "The latest 3 are shown; an item's own page tells of its earlier ones." in said(app)


def test_what_is_out_comes_before_what_fell_low_after_it(stack: Stack):
    reorder.save(stack, {Scope("Cellar"): Decimal(5)})
    for rows in (("Gin,9", "Rum,9"), ("Gin,0",), ("Rum,4",)):
        sent(stack, csv("Cellar", *rows))
    assert list(table(opened(PAGE, store="Cellar"), "notified")["item"]) == ["Gin", "Rum"]
    sent(stack, csv("Cellar", "Gin,9", "Rum,9"))


def test_a_note_of_another_person_is_not_lost_by_who_wrote_none(stack: Stack):
    sent(stack, csv("Both", "Tea,0"))
    app = picked(opened(PAGE, store="Both"), "Tea")
    [one] = [one for one in alerts.open_now(stack) if one.store == "Both"]
    alerts.acknowledge(stack, one, "Kim has ordered it")
    st.cache_resource.clear()
    next(one for one in app.run().button if one.label == "Change the note").click().run()
    [one] = [one for one in alerts.open_now(stack) if one.store == "Both"]
    assert one.note == "Kim has ordered it"
    [note] = [one for one in app.text_input if one.label == "Note"]
    note.set_value("Kim and Ali")
    next(one for one in app.button if one.label == "Change the note").click().run()
    [one] = [one for one in alerts.open_now(stack) if one.store == "Both"]
    assert one.note == "Kim and Ali"
    sent(stack, csv("Both", "Tea,9"))


def test_an_alert_that_ends_while_it_is_looked_at_is_said_to_have_ended(stack: Stack):
    app = picked(opened(PAGE), "Jam")
    sent(stack, csv("Berlin", "Jam,40"))
    st.cache_resource.clear()
    next(one for one in app.button if one.label == "Acknowledge").click().run()
    assert "Berlin · Jam: this alert has ended meanwhile." in said(app)
    sent(stack, csv("Berlin", "Jam,4"))


# --- reorder points ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stack")
def test_a_stores_items_stand_beside_their_counts_and_the_points_that_count():
    app = opened(PAGE, points_store="Berlin")
    assert rows(app, POINT, "item", "count", "state", "counts") == [
        ("Jam", 4, "◐ Low", 5), ("Milk", 9, "✓ In stock", 5), ("Tea", 0, "✕ Out of stock", 5),
    ]  # fmt: skip
    assert table(app, POINT)[POINT].isna().all()
    assert [one.value for one in app.number_input] == [None, 5]


@pytest.mark.usefixtures("stack")
def test_of_a_store_of_many_items_a_part_is_looked_for_in_whatever_case(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reordering, "_TABLE_ROWS", 1)
    assert list(table(opened(PAGE, points_store="Berlin", points_item="JA"), POINT)["item"]) == ["Jam"]
    assert not [one for one in opened(PAGE, points_store="Berlin").dataframe if POINT in one.value.columns]


def save(app: AppTest) -> AppTest:
    return next(one for one in app.button if one.label == "Save the reorder points").click().run()


def test_a_point_that_is_saved_says_what_it_made_low_and_what_it_no_longer_is(stack: Stack):
    app = opened(PAGE, points_store="Berlin")
    app.number_input[1].set_value(9.5)
    save(app)
    assert "Saved. 1 item is low now." in said(app)
    assert "◐ Low: Berlin · Milk." in said(app)
    assert reorder.read(stack).own(Scope("Berlin")) == Decimal("9.5")
    assert "Open: 1 item out of stock, 2 low" in said(app)
    app.number_input[1].set_value(5.0)
    save(app)
    assert "1 item is no longer low" in said(app)
    assert "Nothing was changed." in said(save(app))


def test_a_point_that_somebody_else_has_saved_meanwhile_is_not_put_back(stack: Stack):
    app = opened(PAGE, points_store="Berlin")
    reorder.save(stack, {Scope("Berlin"): Decimal(8)})
    st.cache_resource.clear()
    app.number_input[0].set_value(1.0)
    save(app)
    assert (reorder.read(stack).own(ALL), reorder.read(stack).own(Scope("Berlin"))) == (1, 8)
    reorder.save(stack, {Scope("Berlin"): Decimal(5), ALL: None})


def broken_off(stack: Stack, monkeypatch: pytest.MonkeyPatch, minutes: int) -> str:
    """A saving that began so long ago makes milk low, and never looks at it."""
    at = times.later(times.now(), minutes=-minutes)
    with monkeypatch.context() as patch:
        patch.setattr(points.times, "now", lambda: at)
        points.save(stack.world, {Scope("Berlin", "Milk"): Decimal(9)})
    reads.forget_points()
    return at


def test_a_saving_that_broke_off_is_said_so_and_one_click_finishes_it(stack: Stack, monkeypatch: pytest.MonkeyPatch):
    at = broken_off(stack, monkeypatch, minutes=2)
    app = opened(PAGE, points_store="Berlin")
    assert f"began at {clock(at)} UTC has not come to its end" in said(app)
    assert "Milk" not in {one.item for one in alerts.open_now(stack)}
    next(one for one in app.button if one.label == "Finish it").click().run()
    assert "◐ Low: Berlin · Milk." in said(app)
    assert "has not come to its end" not in said(app)
    reorder.save(stack, {Scope("Berlin", "Milk"): None})


def test_a_saving_that_may_still_be_at_it_is_not_called_broken_off_and_the_button_pressed_again_settles_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
):
    broken_off(stack, monkeypatch, minutes=0)
    app = opened(PAGE, points_store="Berlin")
    assert not any(one.label == "Finish it" for one in app.button)
    assert "◐ Low: Berlin · Milk." in said(save(app))
    reorder.save(stack, {Scope("Berlin", "Milk"): None})
    marker = points.marker(stack.world)
    points.settled(stack.world, marker.unsettled if marker else ())


def test_the_point_of_all_stores_counts_where_nothing_else_is_set(stack: Stack):
    sent(stack, csv("Bern", "Nuts,2"))
    app = opened(PAGE)
    app.number_input[0].set_value(3.0)
    save(app)
    assert "◐ Low: Bern · Nuts." in said(app)
    app.number_input[0].set_value(0.0)
    save(app)
    assert "No longer low: Bern · Nuts." in said(app)
    assert reorder.read(stack).own(ALL) is None


def test_a_file_of_points_is_looked_at_before_it_is_saved(stack: Stack):
    app = opened(PAGE)
    data = b"store,item,reorder point\nOslo,Rye,20\nOslo,Oats,1\nBerlin,,5\nBerlin,Tea,many\n"
    app.file_uploader[0].set_value(("points.csv", data, "text/csv")).run()
    assert "2 points new or changed, 1 set so already, 1 row not usable, 1 of what no store holds yet." in said(app)
    assert rows(app, "then", "store", "item", "now", "then", "note") == [
        ("Oslo", "Rye", "9", "20", ""), ("Oslo", "Oats", "none", "1", "no store holds it yet"),
    ]  # fmt: skip
    assert rows(app, "reason", "row", "value") == [("5", "many")]
    assert reorder.read(stack).own(Scope("Oslo", "Rye")) == 9
    next(one for one in app.button if one.label == "Save the points of the file").click().run()
    assert "◐ Low: Oslo · Rye." in said(app)
    assert reorder.read(stack).own(Scope("Oslo", "Rye")) == 20
    reorder.save(stack, {Scope("Oslo", "Rye"): Decimal(9), Scope("Oslo", "Oats"): None})


@pytest.mark.usefixtures("stack")
def test_a_file_that_is_none_of_points_says_why():
    app = opened(PAGE)
    app.file_uploader[0].set_value(("stock.csv", b"store,item,count\nOslo,Rye,20\n", "text/csv")).run()
    assert "No heading says “reorder point”" in said(app)
    assert not any(one.label == "Save the points of the file" for one in app.button)


def test_two_hundred_items_that_are_out_at_once_are_one_table_and_a_line_that_says_where(stack: Stack):
    everything = [f"Item {n},0" for n in range(MANY)]
    sent(stack, csv("Ply", *everything))
    app = opened(PAGE, kind="Out of stock")
    assert len(table(app, "notified")) == MANY + 1
    assert f"{MANY + 1} items in 2 stores: Ply {MANY}, Berlin 1." in said(app)
    sent(stack, csv("Ply", *(one.replace(",0", ",9") for one in everything)))
    st.cache_resource.clear()
    assert "Open: 1 item out of stock" in said(opened(PAGE))


def test_a_name_that_looks_like_markdown_is_shown_as_it_stands(stack: Stack):
    sent(stack, csv("Berlin", "**Loud** :fire:,0"))
    app = picked(opened(PAGE), "**Loud** :fire:")
    assert any(plain.escaped("**Loud** :fire:") in str(one.value) for one in app.markdown)
    sent(stack, csv("Berlin", "**Loud** :fire:,9"))

"""The Stock page: the table and its filters, an item's own page, the past, a correction, and what is taken away."""

import io
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hyp
from pyarrow import parquet
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from lambdas import times
from lambdas.reorder import Points
from lambdas.stockfile import read
from lambdas.stream import item_key
from lambdas.upload import new_id
from local import engine
from services import alerts, changes, exporting
from services import stack as stacks
from services.alerts import Episode
from services.changes import Seen
from services.stack import Stack
from services.stock import Stocked
from tests.conftest import SAMPLES, csv, sent
from tests.test_pages import at_home, opened, said, table
from tests.waiting import until
from ui import exports, itemchart, itempage, stockframe
from ui.itemchart import Window
from ui.stockframe import Asked

NOW = "2026-11-23T12:00:00.000000Z"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Berlin's stock and then less of it, Oslo's, and a store of long ago."""
    folder = tmp_path_factory.mktemp("stock")
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(folder)})
    for name in ("berlin", "berlin-sold-out", "oslo-with-mistakes"):
        sent(stack, (SAMPLES / f"{name}.csv").read_bytes(), name=f"{name}.csv")
    at = times.later(times.now(), days=-20)
    sent(stack, csv("Old/Town", f"100% Juice,4,{at}", header="store,item,count,updated_at"), name="old.csv")
    yield folder
    engine.detach(folder)


@pytest.fixture(autouse=True)
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home(home, monkeypatch)


@pytest.fixture
def stack(home: Path) -> Stack:
    return stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(home)})


PAGE = "pages/stock.py"


@pytest.mark.parametrize(
    ("query", "items"),
    [
        ({"store": "Oslo"}, {"Cardamom buns", "Espresso beans 1 kg"}),
        ({"state": "Out of stock"}, {"Oat milk 1 l"}),
        ({"q": "PAPER"}, {"Paper cups 250 ml", "Filter papers No. 4"}),
        ({"q": "beans oslo"}, {"Espresso beans 1 kg"}),
        ({"age": "a week"}, {"100% Juice"}),
    ],
)
def test_the_filters_stand_in_the_address(query: dict[str, str], items: set[str]):
    assert set(table(opened(PAGE, **query), "state")["item"]) == items


def test_the_count_comes_before_the_store_as_a_phone_has_room_for_little_more():
    [shown] = [one for one in opened(PAGE).dataframe if "state" in one.value.columns]
    assert list(shown.proto.column_order)[:4] == ["open", "item", "count", "store"]
    assert set(shown.value.columns) <= set(shown.proto.column_order)


def test_when_nothing_fits_it_says_so():
    app = opened(PAGE, q="oslo", state="Out of stock")
    assert "No item fits. Widen the search." in said(app)
    assert not app.dataframe


def test_a_row_says_the_count_what_it_means_and_which_upload_moved_it_when(stack: Stack):
    frame = table(opened(PAGE), "state").set_index("item")
    row = frame.loc["Oat milk 1 l"]
    change = changes.of_item(stack, item_key("Berlin", "Oat milk 1 l"), 1)[0]
    assert (row["store"], row["count"], row["state"]) == ("Berlin", 0, "✕ Out of stock")
    assert (row["upload"], row["id"]) == ("berlin-sold-out.csv", str(change.upload_id)[-8:])
    assert abs((row["last moved"] - pd.Timestamp(change.at)).total_seconds()) < 60
    assert row["as of"] == row["age"]


def test_an_item_is_opened_without_a_mouse_and_left_again_with_the_filters_as_they_were():
    app = opened(PAGE, store="Oslo")
    app.selectbox(key="open").select(("Oslo", "Cardamom buns")).run()
    assert [one.value for one in app.header] == ["Cardamom buns"]
    next(one for one in app.button if one.label == "All items").click().run()
    assert set(table(app, "state")["store"]) == {"Oslo"}


def test_an_item_s_page_tells_how_its_count_came_to_be(stack: Stack):
    app = opened(PAGE, item=item_key("Berlin", "Oat milk 1 l"))
    figures = {one.label: one.value for one in app.metric}
    assert (figures["Count"], figures["As of"], figures["Reorder at"]) == ("0", "just now", "–")
    steps = table(app, "change")
    assert list(steps["change"]) == ["36 -> 0", "new: 36"]
    assert list(steps["upload"]) == ["berlin-sold-out.csv", "berlin.csv"]
    ends = table(app, "lasted")
    assert (ends["opened by"][0][:19], ends["closed by"][0]) == ("berlin-sold-out.csv", "–")
    assert ends["lasted"][0].startswith("still, for ")
    [episode] = alerts.of_item(stack, item_key("Berlin", "Oat milk 1 l"))
    assert (episode.item, episode.closed_at) == ("Oat milk 1 l", None)


def test_the_chart_begins_where_its_item_did_or_where_its_changes_do(monkeypatch: pytest.MonkeyPatch):
    for newest in (itempage._NEWEST, 1):
        monkeypatch.setattr(itempage, "_NEWEST", newest)
        app = opened(PAGE, item=item_key("Berlin", "Oat milk 1 l"))
        [chart] = app.get("plotly_chart")
        begins = json.loads(chart.proto.spec)["layout"]["xaxis"]["range"][0]
        assert begins > times.later(times.now(), hours=-1)[:19]  # and not seven days ago
    assert "The newest 1 changes, since " in said(app)


@pytest.mark.parametrize("asked", ["Old%2FTown/100%25%20Juice", "Old/Town/100% Juice", "Berlin/Oat%20milk%201%20l"])
def test_an_address_may_spell_an_item_as_our_links_do_or_as_it_is(asked: str):
    assert opened(PAGE, item=asked).header[0].value.replace("\\", "") in ("100% Juice", "Oat milk 1 l")


def test_an_item_that_is_not_there_any_more_says_so_and_what_is_known_of_it(stack: Stack):
    sent(stack, csv("Gone", "Figs,3"))
    stack.dynamodb.delete_item(
        TableName=stack.settings.inventory_table, Key={"Store": {"S": "Gone"}, "Item": {"S": "Figs"}}
    )
    key = item_key("Gone", "Figs")
    until(lambda: changes.of_item(stack, key, 1)[0].event == "REMOVE")
    app = opened(PAGE, item=key)
    assert "This item is not in the stock any more" in said(app)
    assert "Its count had been 3." in said(app)
    assert list(table(app, "change")["change"]) == ["3 -> removed", "new: 3"]
    assert not app.number_input


def test_an_item_that_nobody_knows_says_so():
    assert "There is no item “Nectar” in “Berlin”, and of the last 90 days" in said(opened(PAGE, item="Berlin/Nectar"))
    assert "names no item" in said(opened(PAGE, item="Berlin"))


def submit(app: AppTest, label: str) -> AppTest:
    return next(one for one in app.button if one.label == label).click().run()


def test_a_count_is_corrected_on_its_page_and_the_receipt_says_what_it_did(stack: Stack):
    sent(stack, csv("Corrected", "Tea,5"))
    key = item_key("Corrected", "Tea")
    app = opened(PAGE, item=key)
    app.number_input(key="recount").set_value(7.5)
    app.text_input(key="recount-reason").set_value("counted $5 and $6 twice")
    submit(app, "Correct the count")
    assert "1 row: 1 changed. 1 stream record expected, 1 seen. 0 alerts." in said(app)
    assert (app.number_input(key="recount").value, app.text_input(key="recount-reason").value) == (None, "")
    newest = changes.of_item(stack, key, 1)[0]
    assert newest.new_count == Decimal("7.5")
    until(lambda: table(opened(PAGE, item=key), "change")["upload"][0] == "correction (counted $5 and $6 twice).csv")


def test_a_correction_without_a_count_says_what_is_wanted_and_keeps_what_was_typed():
    app = opened(PAGE, item=item_key("Oslo", "Cardamom buns"))
    app.text_input(key="recount-reason").set_value("two broken")
    submit(app, "Correct the count")
    assert "Say the count first" in said(app)
    assert app.text_input(key="recount-reason").value == "two broken"
    forms = [block.proto.form for block in blocks(app.main) if block.type == "form"]
    assert [form.clear_on_submit for form in forms] == [False]  # a browser would empty it then, whatever came of it


def blocks(of: Block) -> Iterator[Block]:
    """A block and all that are in it."""
    yield of
    for one in of.children.values():
        if isinstance(one, Block):
            yield from blocks(one)


def test_an_items_page_that_stays_open_is_drawn_anew_before_its_just_now_is_long_ago(monkeypatch: pytest.MonkeyPatch):
    begun: list[None] = []
    monkeypatch.setattr(itempage.st, "rerun", lambda: begun.append(None))
    opened(PAGE, item="Oslo/Cardamom buns")
    assert not begun
    monkeypatch.setattr(itempage, "_STANDS_SECONDS", 0)
    monkeypatch.setattr(itempage, "_SETTLES_SECONDS", 0)
    opened(PAGE, item="Oslo/Cardamom buns")
    assert begun


def test_an_item_that_has_just_moved_is_looked_at_again_soon_for_its_alert_opens_a_moment_later():
    just, long_ago = (new_id(times.moment(times.later(NOW, seconds=-ago))) for ago in (3, 300))
    moved, stays = (Stocked("Berlin", "Tea", Decimal(0), NOW, of) for of in (just, long_ago))
    assert itempage.stands_until(moved, NOW) < itempage.stands_until(stays, NOW) == times.later(NOW, seconds=60)
    assert itempage.stands_until(None, NOW) == times.later(NOW, seconds=60)


def test_a_count_of_a_time_ahead_is_released_before_it_is_corrected(stack: Stack):
    at = times.later(times.now(), hours=12)
    sent(stack, csv("Ahead", f"Tea,5,{at}", header="store,item,count,updated_at"))
    app = opened(PAGE, item=item_key("Ahead", "Tea"))
    assert "A correction would change nothing now" in said(app)
    assert next(one for one in app.button if one.label == "Correct the count").disabled
    submit(app, "Release")
    assert "1 row: 1 confirmed with a newer time." in said(app)
    key = item_key("Ahead", "Tea")
    until(lambda: "A correction would change nothing now" not in said(opened(PAGE, item=key)))


def test_the_past_is_marked_as_such_and_nothing_is_opened_or_corrected_there(stack: Stack):
    sent(stack, csv("Then", "Tea,5"))
    at = times.now()
    until(lambda: times.now()[:19] > at[:19])
    sent(stack, csv("Then", "Tea,3", "Jam,1"))
    app = opened(PAGE, at=f"{at[:19]}Z", store="Then")
    assert "The past." in said(app)
    then = table(app, "state")
    assert list(zip(then["item"], then["count"], strict=True)) == [("Tea", 5)]
    assert not [one for one in app.selectbox if one.key == "open"]
    submit(app, "Back to now")
    assert "The past." not in said(app)
    assert list(table(app, "state")["count"]) == [1, 3]


def test_a_moment_that_can_not_be_told_is_said_in_words_over_the_stock_of_now():
    old = opened(PAGE, at="2020-01-01T00:00Z")
    assert "Changes are kept for 90 days" in said(old)
    assert old.dataframe
    assert "names no moment" in said(opened(PAGE, at="yesterday"))


# The frame, without a page


names = hyp.sampled_from(["a", "b", "Tea", "Straße", "İ", "=1+1"])
items = hyp.builds(
    Stocked, names, names, hyp.none() | hyp.integers(-3, 9).map(Decimal), hyp.sampled_from([NOW, None, "never"]),
    hyp.sampled_from([None, "odd", "20261123T120000000000-0000000a", "20261122T120000000000-0000000b"]),
)  # fmt: skip
points = Points(Decimal(2), {"a": Decimal(5)}, {("b", "Tea"): Decimal(0)})
files = {"20261123T120000000000-0000000a": "a.csv", "20261122T120000000000-0000000b": "b.csv"}


@given(hyp.lists(items, unique_by=lambda one: (one.store, one.item)), hyp.data())
@settings(deadline=None)
def test_a_frame_that_is_mended_is_the_one_that_is_made_anew(before: list[Stocked], data: hyp.DataObject):
    moved = sorted(data.draw(hyp.sets(hyp.sampled_from(range(len(before)))))) if before else []
    after = [
        replace(data.draw(items), store=one.store, item=one.item) if row in moved else one
        for row, one in enumerate(before)
    ]
    old = stockframe.built(before, files, points)
    new = stockframe.mended(old, after, moved, files, points)
    pd.testing.assert_frame_equal(new.frame, stockframe.built(after, files, points).frame)
    pd.testing.assert_frame_equal(old.frame, stockframe.built(before, files, points).frame)


@given(hyp.lists(items, unique_by=lambda one: (one.store, one.item)), hyp.text(alphabet="aTESIßi ", max_size=3))
@settings(deadline=None)
def test_a_search_finds_what_holds_each_of_its_words_in_whatever_case(stocked: list[Stocked], text: str):
    found = stockframe.found(stockframe.built(stocked, files, points), Asked(text))
    wanted = [
        (one.store, one.item)
        for one in stocked
        if all(word in one.item.casefold() or word in one.store.casefold() for word in text.casefold().split())
    ]
    assert list(zip(found["store"], found["item"], strict=True)) == wanted


def test_what_is_as_of_no_known_time_is_as_of_long_ago():
    stocked = [Stocked("a", item, Decimal(1), at, None) for item, at in (("Jam", None), ("Rye", NOW), ("Tea", "never"))]
    found = stockframe.found(stockframe.built(stocked, files, points), Asked(before=NOW))
    assert list(found["item"]) == ["Jam", "Tea"]


def test_a_state_is_by_the_reorder_point_that_counts_for_the_item():
    stocked = [Stocked(store, item, Decimal(n), NOW, None) for store, item, n in STATES]
    frame = stockframe.built(stocked, files, points).frame
    assert list(frame["state"]) == ["◐ Low", "✓ In stock", "✕ Out of stock", "✓ In stock", "◐ Low"]
    assert list(frame["reorder at"].fillna(0)) == [5, 5, 5, 0, 2]


STATES = (("a", "Jam", 5), ("a", "Rye", 6), ("a", "Tea", 0), ("b", "Tea", 1), ("c", "Tea", 2))


def taken_away() -> list[exporting.Column]:
    upload_id = new_id(times.moment(NOW))
    stocked = [
        Stocked("Berlin", "=HYPERLINK(1)", Decimal("12"), NOW, upload_id),
        Stocked("Berlin", "-3", Decimal("-0.5"), None, None),
        Stocked("Berlin", "ol\x07é", Decimal("1000000"), NOW, upload_id),
    ]
    return exports.columns(stockframe.built(stocked, {upload_id: "@file.csv"}, Points(Decimal(20))).frame)


def test_an_export_as_csv_is_a_stock_file_that_holds_no_formula():
    data = exporting.as_csv(taken_away())
    assert b"'=HYPERLINK(1),Berlin,12," in data
    assert b"'@file.csv" in data
    rows = read(data.replace(b"-3,Berlin,-0.5,", f"-3,Berlin,-0.5,x,,{NOW}#".encode()), uploaded_at=NOW).rows
    assert [(one.item, one.count) for one in rows if one.item != "-3"] == [
        ("=HYPERLINK(1)", Decimal(12)), ("ol\x07é", Decimal(1000000)),
    ]  # fmt: skip
    assert {one.updated_at for one in rows} == {NOW}


def test_an_export_as_a_workbook_holds_numbers_times_in_utc_and_inert_text():
    sheet = openpyxl.load_workbook(io.BytesIO(exporting.as_xlsx(taken_away())))["Stock"]
    head, first, second, third = sheet.iter_rows()
    assert [one.value for one in head][:6] == ["item", "store", "count", "state", "reorder at", "as of (UTC)"]
    assert (first[0].value, first[0].data_type) == ("=HYPERLINK(1)", "s")
    assert (first[2].value, first[2].data_type, second[2].value) == (12, "n", -0.5)
    assert first[5].value == times.moment(NOW).replace(tzinfo=None)
    assert second[5].value is None
    assert third[0].value == "ol_x0007_é"  # the bell, as Excel reads it; XML can't hold it


def test_an_export_as_parquet_holds_numbers_and_times_with_their_zone():
    found = parquet.read_table(io.BytesIO(exporting.as_parquet(taken_away())))
    assert found["item"].to_pylist() == ["=HYPERLINK(1)", "-3", "ol\x07é"]
    assert found["count"].to_pylist() == [12.0, -0.5, 1000000.0]
    assert found["as of"].to_pylist() == [times.moment(NOW), None, times.moment(NOW)]
    assert found["state"].to_pylist() == ["◐ Low", "✕ Out of stock", "✓ In stock"]


# The chart, without a page


def step(hour: int, old: int | None, new: int | None) -> Seen:
    at = f"2026-11-23T{hour:02}:00:00.000000Z"
    counts = [None if one is None else Decimal(one) for one in (old, new)]
    event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    return Seen(f"{at}#", str(hour), "1", event, at, "Berlin", "Tea", *counts, f"upload-{hour}", None, None, None)


def at_hour(hour: int) -> str:
    return f"2026-11-23T{hour:02}:00:00.000000Z"


def test_the_chart_begins_with_the_count_of_then_and_steps_where_uploads_changed_it():
    found = [step(11, 0, 7), step(9, 12, 0), step(6, None, 12)]
    figure = itemchart.drawn(found, Decimal(7), [], Decimal(4), Window(at_hour(8), at_hour(12)))
    line, steps = figure.data
    assert list(line.y) == [12.0, 0.0, 7.0, 7.0]
    assert line.line.shape == "hv"
    assert [one[0] for one in steps.customdata] == ["upload-9", "upload-11"]
    assert list(steps.marker.symbol) == ["x", "circle"]
    assert "– – reorder at 4" in [one.text for one in figure.layout.annotations]


def test_without_a_change_in_the_window_the_chart_is_the_count_that_there_was():
    window = Window(at_hour(10), at_hour(12))
    assert list(itemchart.drawn([], Decimal(3), [], Decimal(0), window).data[0].y) == [3.0, 3.0]
    gone = [step(9, 12, None)]
    assert list(itemchart.drawn(gone, None, [], Decimal(0), window).data[0].y) == [None, None]
    assert list(itemchart.drawn([step(13, 5, 6)], Decimal(6), [], Decimal(0), window).data[0].y) == [5.0, 5.0]


def test_the_times_out_of_stock_are_bands_that_carry_a_mark():
    def out(start: int, end: int | None) -> Episode:
        closed = at_hour(end) if end is not None else None
        return Episode("Berlin", "Tea", at_hour(start), None, Decimal(1), Decimal(0), closed, None, None, None, None)

    window = Window(at_hour(2), at_hour(12))
    figure = itemchart.drawn([], Decimal(0), [out(9, None), out(1, 4), out(0, 1)], Decimal(0), window)
    assert [(one.x0.hour, one.x1.hour) for one in figure.layout.shapes] == [(9, 12), (2, 4)]
    assert [one.text for one in figure.layout.annotations] == ["✕ out", "✕ out"]

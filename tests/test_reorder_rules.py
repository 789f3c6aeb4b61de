"""When an item is low, which point counts for it, and how a file of reorder points is read: rules without any table."""

import io
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.alerts import Crossing, Kind, crossing, message, subject
from lambdas.reorder import ALL, Points, Scope
from services import pointfile, words
from services.alerts import Episode, once
from services.errors import BadFile
from services.exporting import csv_text
from services.stock import Stocked
from ui import reordering
from ui.reordering import POINT

STOCKED = [("Berlin", "Tea"), ("Berlin", "Oat milk"), ("Oslo", "Tea")]
NOTHING = Points()
Given = dict[Scope, Decimal | None]
counts = st.none() | st.integers(-5, 25).map(Decimal)


def of(text: str, now: Points = NOTHING) -> pointfile.Plan:
    return pointfile.plan(text.encode(), now, STOCKED)


# --- low -----------------------------------------------------------------------------------------------------------


@given(st.lists(counts, min_size=1, max_size=30), st.sampled_from([0, 1, 10]))
def test_episodes_of_either_kind_open_and_close_in_turn_and_are_open_just_while_the_count_is_at_the_point(
    history: list[Decimal | None], point: int
):
    still, opened = False, 0
    for old, new in zip([None, *history], history, strict=False):
        what = crossing(old, new, Decimal(point))
        assert what is not (Crossing.OPENS if still else Crossing.CLOSES)
        still = still if what is Crossing.NONE else what is Crossing.OPENS
        opened += what is Crossing.OPENS
        assert still == (new is not None and new <= point)
    falls = zip([None, *history], history, strict=False)
    assert opened == sum(n is not None and n <= point and (o is None or o > point) for o, n in falls)


def test_the_message_and_the_subject_of_a_low_item_name_its_reorder_point():
    said = message("Berlin", "Oat milk", Decimal(14), Decimal(6), "b.csv (2026-1)", point=Decimal(10))
    assert said == "Berlin: Oat milk is low (14 -> 6, reorder point 10). Caused by upload b.csv (2026-1)."
    assert "low (new item with a count of 6, reorder point 10)" in message(
        "Berlin", "Oat milk", None, Decimal(6), "", point=Decimal(10)
    )
    assert subject("Berlin", "Oat milk", Kind.LOW) == "Low: Oat milk (Berlin)"


points_of = st.integers(0, 50).map(Decimal)


@given(
    points_of,
    st.dictionaries(st.sampled_from(["Berlin", "Oslo"]), points_of),
    st.dictionaries(st.sampled_from(STOCKED), points_of),
    st.sampled_from(STOCKED),
)
def test_an_items_own_point_counts_before_its_stores_and_that_before_the_one_for_all(
    default: Decimal, stores: Mapping[str, Decimal], items: Mapping[tuple[str, str], Decimal], key: tuple[str, str]
):
    points = Points(default, stores, items)
    said = [points.own(Scope(*key)), points.own(Scope(key[0])), points.own(ALL), Decimal(0)]
    assert points.of(*key) == next(one for one in said if one is not None)


def episode(item: str, kind: Kind) -> Episode:
    at = "2026-11-25T00:00:00.000000Z"
    return Episode("Berlin", item, at, None, None, Decimal(0), None, None, None, None, None, at, kind, Decimal(10))


def test_an_item_that_is_out_and_low_is_listed_once_as_out():
    found = [episode("Tea", Kind.LOW), episode("Tea", Kind.OUT), episode("Jam", Kind.LOW)]
    assert [(one.item, one.kind) for one in once(found)] == [("Tea", Kind.OUT), ("Jam", Kind.LOW)]


# --- a file of points ----------------------------------------------------------------------------------------------


def test_a_row_is_for_an_item_a_whole_store_or_all_and_a_blank_point_removes_one():
    now = Points(items={("Berlin", "Tea"): Decimal(4)}, stores={"Oslo": Decimal(2)})
    plan = of("store,item,reorder point\nBerlin,Oat milk,10\nOslo,,5\n*,,3\nBerlin,Tea,\n", now)
    assert plan.given == {
        Scope("Berlin", "Oat milk"): 10, Scope("Oslo"): 5, ALL: 3, Scope("Berlin", "Tea"): None,
    }  # fmt: skip
    assert [line.was for line in plan.lines] == [None, 2, None, 4]
    assert (plan.errors, plan.same, plan.unknown) == ((), 0, ())


def test_an_item_for_all_stores_is_set_for_each_store_that_has_it():
    plan = of("item,min stock\nTea,7\nCoffee,2\n")
    assert plan.given == {Scope("Berlin", "Tea"): 7, Scope("Oslo", "Tea"): 7}
    assert [words.reject(one) for one in plan.errors] == [
        "row 3, column item “Coffee”: no store has this item; name the store"
    ]
    assert "Each row is for all stores." in plan.why


def test_every_row_that_can_not_be_used_is_named_with_the_reason_and_the_others_count():
    plan = of("store,item,reorder point\nBerlin,Tea,some\nBerlin,Oat milk,-1\n,,\nOslo,Tea,3\nOslo,Tea,4\n,,,\n")
    assert plan.given == {Scope("Oslo", "Tea"): 3}
    assert [(one["row"], one["value"], one["reason"]) for one in plan.errors] == [
        (2, "some", "not a number such as 12, 39.5 or -3"),
        (3, "-1", "a reorder point is not below 0; 0 says that it is never low, only out"),
        (6, "", "row 5 has said it of the same"),
    ]
    assert words.planned(plan) == "1 point new or changed, 0 set so already, 3 rows not usable."


def test_a_row_that_says_nothing_but_a_note_does_not_remove_the_point_of_all():
    plan = of("store,item,reorder point,note\n,,,checked by Kim\n", Points(Decimal(5)))
    assert (plan.given, [one["row"] for one in plan.errors]) == ({}, [2])


def test_what_is_so_already_is_counted_and_what_no_store_holds_is_named():
    now = Points(Decimal(5), items={("Berlin", "Tea"): Decimal(0)})
    plan = of("store,item,reorder point\n*,,5\nBerlin,Tea,0\nBern,Tea,1\nBern,,2\n", now)
    assert plan.same == 2
    assert plan.unknown == (Scope("Bern", "Tea"), Scope("Bern"))


def test_a_file_with_semicolons_and_decimal_commas_and_a_workbook_are_read_the_same():
    wanted = {Scope("Berlin", "Tea"): Decimal("2.5"), Scope("Oslo", "Tea"): Decimal(4)}
    assert of("Filiale;Artikel;Meldebestand\nBerlin;Tea;2,5\nOslo;Tea;4\n").given == wanted
    book = openpyxl.Workbook()
    for row in (["Points of the year"], ["Store", "Item", "Reorder point"], ["Berlin", "Tea", 2.5], ["Oslo", "Tea", 4]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    assert pointfile.plan(out.getvalue(), NOTHING, STOCKED).given == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("store,item,count\nBerlin,Tea,1\n", "No heading says “reorder point”. It begins with: “store”, “item”"),
        ("store,item,reorder point\n", "no rows under its headings"),
        ("store,item,reorder point\nBerlin,Tea,1.234\n", "Write 1234 and not 1.234"),
        ("", "empty"),
    ],
)
def test_a_file_that_can_not_be_used_says_why(text: str, words: str):
    with pytest.raises(BadFile, match=words):
        of(text)


names = st.builds(
    str.__add__, st.sampled_from(["", "'", "''", "=", "'=", "''=", "'-3"]),
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8),
)  # fmt: skip
scopes = st.builds(Scope, names, st.none() | names)
points = st.decimals(0, 10**6, places=2).map(lambda one: Decimal(format(one.normalize(), "f")))


@given(st.dictionaries(scopes, points, min_size=1, max_size=12))
def test_points_that_are_written_to_a_file_are_read_from_it_again(said: Given):
    rows = [(scope.store, scope.item or "", f"{point:f}") for scope, point in said.items()]
    text = csv_text([("store", "item", "reorder point"), *rows])
    plan = of(text)
    read = {(line.scope.store, line.scope.item): line.now for line in plan.lines}
    wanted = {(_plain(scope.store), _plain(scope.item)): point for scope, point in said.items()}
    assert read == wanted or plan.errors  # two names that differ only in how a letter is written


def test_in_a_workbook_an_apostrophe_is_a_part_of_the_name():
    book = openpyxl.Workbook()
    for row in (["store", "item", "reorder point"], ["Berlin", "'=x", 4]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    assert pointfile.plan(out.getvalue(), NOTHING, STOCKED).given == {Scope("Berlin", "'=x"): 4}


def _plain(name: str | None) -> str | None:
    return None if name is None or name == "*" else unicodedata.normalize("NFC", name)


# --- the table on the page -----------------------------------------------------------------------------------------


def test_of_what_was_edited_only_what_is_other_than_it_was_is_saved():
    now = Points(Decimal(5), {"Berlin": Decimal(2)}, {("Berlin", "Tea"): Decimal(4)})
    shown = [Stocked("Berlin", item, Decimal(1), None, None) for item in ("Tea", "Oat milk", "Jam")]
    edits = {0: {POINT: None}, 1: {POINT: 2.5}, 2: {POINT: None}}
    assert reordering.given(now, "Berlin", Decimal(5), Decimal(2), shown, edits) == {
        Scope("Berlin", "Tea"): None, Scope("Berlin", "Oat milk"): Decimal("2.5"),
    }  # fmt: skip
    assert reordering.given(now, None, None, None, [], {}) == {ALL: None}
    assert reordering.given(now, "Berlin", Decimal(5), Decimal(0), shown, {}) == {Scope("Berlin"): 0}


def test_a_number_of_a_widget_is_the_one_that_was_written():
    assert reordering.as_point(0.1) == Decimal("0.1")
    assert reordering.as_point(float("nan")) is None

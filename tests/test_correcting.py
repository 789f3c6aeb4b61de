"""Correcting one item by hand: the file says exactly this item, and what it does holds the laws."""

import uuid
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas import times
from lambdas.fates import Mode
from lambdas.stockfile import StockFile
from lambdas.stream import item_key, of_item_key
from services import changes, correcting, stock, uploads
from services.errors import BadFile, NotFound
from services.stack import Stack
from services.stock import Stocked
from services.uploads import Receipt
from tests import laws
from tests.conftest import csv, sent, told
from tests.test_cli import asked, run

NOW = "2026-11-23T12:53:44.123456Z"
ODD = (
    " Tea ", "Total", "'=1+1", "''@x", "=1+1", "-3", '"', 'a"b', "a,b", "a\nb", "a\r\nb", "\r", "\u00a0", "e\u0301",
    "\ufeff", "store", "'", "sep=;", "{", "\x1f", "\x00",
)  # fmt: skip
names = st.sampled_from(ODD) | st.text(min_size=1, max_size=40)
counts = st.builds(Decimal.scaleb, st.integers(-(10**30), 10**30).map(Decimal), st.integers(-8, 0))


@given(names, names, counts)
@settings(deadline=None)
def test_a_correction_is_read_as_exactly_this_item_whatever_its_name(store: str, item: str, count: Decimal):
    file = correcting.correction(Stocked(store, item, None, None, None), count, now=NOW)
    reading = StockFile(file.data, file.mapping).read(uploaded_at=NOW)
    assert reading.rejects == []
    [row] = reading.rows
    assert (row.store, row.item, row.count, row.updated_at) == (store, item, count, NOW)


@given(names, names)
def test_an_items_key_says_its_store_and_its_name(store: str, item: str):
    assert of_item_key(item_key(store, item)) == (store, item)


def of(stack: Stack, store: str, item: str = "Tea") -> Stocked:
    return next(one for one in stock.of_store(stack, store) if one.item == item)


def settled(stack: Stack, upload_id: str) -> Receipt:
    *_, last = uploads.follow(stack, upload_id)
    return last


def test_a_corrected_count_is_one_change_of_one_upload_with_a_step_in_the_history(stack: Stack, store: str):
    first = sent(stack, csv(store, "Tea,5", "Jam,2"))
    upload_id = correcting.correct(stack, of(stack, store), Decimal(3), "two broken / in transit")
    done = settled(stack, upload_id)
    assert told(done) == {"changed": 1}
    assert (done.records_expected, done.records_seen) == (1, 1)
    assert (
        done.file == "correction (two broken   in transit).csv" or done.file == "correction (two broken in transit).csv"
    )
    newest, before = changes.of_item(stack, item_key(store, "Tea"))
    assert (newest.old_count, newest.new_count, newest.upload_id) == (Decimal(5), Decimal(3), upload_id)
    assert before.upload_id == first.upload_id
    assert laws.broken(stack, store, [first, done]) == []


def test_a_file_of_an_earlier_time_does_not_undo_a_correction(stack: Stack, store: str):
    before = times.now()
    sent(stack, csv(store, "Tea,5"))
    settled(stack, correcting.correct(stack, of(stack, store), Decimal(3)))
    late = sent(stack, csv(store, f"Tea,5,{before}", header="store,item,count,updated_at"))
    assert told(late) == {"stale": 1}
    assert of(stack, store).count == Decimal(3)


def test_a_correction_to_the_same_count_confirms_it_as_of_now(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5"))
    was = of(stack, store)
    done = settled(stack, correcting.correct(stack, was, Decimal("5.0")))
    assert told(done) == {"touched": 1}
    assert (of(stack, store).updated_at or "") > (was.updated_at or "")


@pytest.mark.parametrize("item", [" Tea ", "=1+1", "'=1+1", "Total", "a\nb", 'a"b'])
def test_an_item_of_an_odd_name_is_corrected_and_no_other_one(stack: Stack, item: str):
    store = f" Store {uuid.uuid4().hex[:8]}"
    settled(stack, correcting.correct(stack, Stocked(store, item, None, None, None), Decimal(4)))
    settled(stack, correcting.correct(stack, of(stack, store, item), Decimal(7)))
    assert [(one.item, one.count) for one in stock.of_store(stack, store)] == [(item, Decimal(7))]


@pytest.fixture
def ahead(stack: Stack, store: str) -> Stocked:
    """An item as of half a day ahead."""
    at = times.later(times.now(), hours=12)
    sent(stack, csv(store, f"Tea,5,{at}", header="store,item,count,updated_at"))
    return of(stack, store)


def test_a_time_that_lies_ahead_locks_a_count_until_it_is_released(stack: Stack, ahead: Stocked):
    assert correcting.locked(ahead)
    assert told(settled(stack, correcting.correct(stack, ahead, Decimal(3)))) == {"stale": 1}
    released = settled(stack, correcting.release(stack, ahead))
    assert (released.mode, told(released)) == (Mode.STAMP, {"touched": 1})
    now = of(stack, ahead.store)
    assert (now.count, correcting.locked(now)) == (Decimal(5), False)
    assert told(settled(stack, correcting.correct(stack, now, Decimal(3)))) == {"changed": 1}


def test_a_count_that_has_moved_is_not_released_to_what_it_was(stack: Stack, ahead: Stocked):
    later = times.later(ahead.updated_at or "", hours=1)
    sent(stack, csv(ahead.store, f"Tea,9,{later}", header="store,item,count,updated_at"))
    with pytest.raises(BadFile, match="has just moved"):
        correcting.release(stack, ahead)
    assert of(stack, ahead.store).count == Decimal(9)


def test_a_count_of_too_many_digits_is_refused_before_anything_is_sent():
    with pytest.raises(BadFile, match="more than 38 digits"):
        correcting.correction(Stocked("Berlin", "Tea", None, None, None), Decimal("1." + "1" * 40))


def test_an_item_that_is_not_there_can_not_be_corrected(stack: Stack, store: str):
    with pytest.raises(NotFound, match="There is no item “Tea”"):
        correcting.one(stack, store, "Tea")


@pytest.mark.usefixtures("stack")
def test_the_command_line_corrects_a_count_and_tells_the_receipt(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5"))
    done = run("correct", f"{store}/Tea", "-2", "--reason", "counted twice")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("correction (counted twice).csv  ")
    assert "1 row: 1 changed. 1 stream record expected, 1 seen. 1 alert." in done.stdout
    assert asked("stock", "--store", store)[0]["count"] == -2


def test_the_command_line_says_that_an_item_is_locked_and_releases_it_when_told_to(ahead: Stocked):
    refused = run("correct", f"{ahead.store}/Tea", "3")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "lies ahead" in refused.stderr
    done = run("correct", f"{ahead.store}/Tea", "3", "--release")
    assert done.returncode == 0, done.stderr
    assert asked("stock", "--store", ahead.store)[0]["count"] == 3

"""The stock as it was: what is worked out of a past moment is what was there then."""

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas import times
from lambdas.fates import Mode
from lambdas.recording import record
from lambdas.stream import Change, item_key
from services import changes, past, stock, uploads
from services.errors import NotFound, Unavailable
from services.stack import Stack
from services.stock import Stocked
from tests.conftest import csv, sent
from tests.records import dynamo_change
from tests.test_cli import asked, run
from tests.waiting import until

MODES = (Mode.NEWEST, Mode.PLAIN, Mode.STAMP)
ITEMS = ("Tea", "Rye bread", "Jam, plum")
Table = list[tuple[Any, ...]]


def plainly(found: list[Stocked]) -> Table:
    return [(one.store, one.item, one.count, one.updated_at, one.upload_id) for one in found]


def recorded(stack: Stack, store: str) -> tuple[str, Table]:
    """The table of a store, and the moment; when this returns that second is over."""
    at, table = times.now(), plainly(stock.of_store(stack, store))
    until(lambda: times.now()[:19] > at[:19])
    return at, table


def remove(stack: Stack, store: str, item: str) -> None:
    """By hand, past any upload; when this returns the change is kept."""
    key = {"Store": {"S": store}, "Item": {"S": item}}
    stack.dynamodb.delete_item(TableName=stack.settings.inventory_table, Key=key)
    until(lambda: changes.of_item(stack, item_key(store, item), 1)[0].event == "REMOVE")


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[Mode, dict[str, int]]]:
    """Small uploads one after the other; an item of a count of -1 is removed by hand instead."""
    rows = st.dictionaries(st.sampled_from(ITEMS), st.integers(-1, 3), min_size=1)
    return [(draw(st.sampled_from(MODES)), draw(rows)) for _ in range(draw(st.integers(2, 4)))]


@given(runs())
@settings(max_examples=4, deadline=None)
def test_the_table_of_each_past_moment_is_the_one_recorded_then(stack: Stack, run: list[tuple[Mode, dict[str, int]]]):
    store = f"Past {times.now()}"
    known = [recorded(stack, store)]
    for mode, rows in run:
        counted = [f'"{item}",{count}' for item, count in rows.items() if count >= 0]
        if counted:
            sent(stack, csv(store, *counted), mode)
        for item in {one.item for one in stock.of_store(stack, store)} & {i for i, n in rows.items() if n < 0}:
            remove(stack, store, item)
        known.append(recorded(stack, store))
    assert [plainly(past.table(stack, at, store)) for at, _ in known] == [table for _, table in known]
    at, table = known[1]
    assert plainly([one for one in past.table(stack, at) if one.store == store]) == table


def test_a_past_table_stays_the_same_while_changes_come_in(stack: Stack, store: str):
    sent(stack, csv(store, *(f"Item {n},1" for n in range(40))))
    at, table = recorded(stack, store)
    done = threading.Event()

    def upload() -> None:
        for count in range(2, 12):
            uploads.send(stack, "more.csv", csv(store, *(f"Item {n},{count}" for n in range(0, 50, count))))
        done.set()

    thread = threading.Thread(target=upload)
    thread.start()
    found = [plainly(past.table(stack, at, store))]
    while not done.is_set() or len(found) < 5:
        found.append(plainly(past.table(stack, at, store)))
    thread.join()
    for one in uploads.recent(stack, 20):
        list(uploads.follow(stack, one.upload_id or ""))
    found.append(plainly(past.table(stack, at, store)))
    assert all(one == table for one in found)


@pytest.fixture
def torn(stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A moment, and a change after it that has not come through from the stream."""
    sent(stack, csv(store, "Tea,5"))
    at, _ = recorded(stack, store)
    sent(stack, csv(store, "Tea,3"))
    change = dynamo_change(stack, store, "Tea")
    table = stack.settings.changes_table
    stack.dynamodb.delete_item(TableName=table, Key={name: change[name] for name in ("Bucket", "Position")})
    monkeypatch.setattr(past, "_PATIENCE_SECONDS", 0)
    yield at
    stack.dynamodb.put_item(TableName=table, Item=change)


def test_what_can_not_be_told_for_certain_is_refused(stack: Stack, store: str, torn: str):
    with pytest.raises(Unavailable, match="have not come through yet"):
        past.table(stack, torn, store)


def test_of_an_item_s_changes_the_first_after_the_moment_counts_over_the_hours(stack: Stack, store: str):
    """Kept as they are after a long while: in other hours, and of uploads that nobody knows any more."""
    hours = {hour: times.later(times.now()[:19] + ".000000Z", hours=-hour) for hour in range(1, 6)}

    def image(count: int) -> dict[str, Any]:
        return {"Store": {"S": store}, "Item": {"S": "Tea"}, "Count": {"N": str(count)}}

    made = [
        Change(
            f"{store}-{hour}", "1", "MODIFY", at, store, "Tea", image(hour + 1) if hour < 5 else None, image(hour), None
        )
        for hour, at in hours.items()
    ]
    record(stack.world, made)
    for hour in range(1, 5):
        before = changes.images_before(stack, times.later(hours[hour], minutes=-1)[:19])[store, "Tea"]
        assert before is not None
        assert before["Count"] == Decimal(hour + 1)
    assert changes.images_before(stack, times.later(hours[5], minutes=-1)[:19])[store, "Tea"] is None
    assert (store, "Tea") not in changes.images_before(stack, hours[1][:19])


def test_what_a_hand_wrote_with_other_types_than_ours_is_read_as_without_them(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5"))
    item = {"Store": {"S": store}, "Item": {"S": "Jam"}, "Count": {"N": "2"}}
    stack.dynamodb.put_item(
        TableName=stack.settings.inventory_table, Item=item | {"UploadId": {"N": "7"}, "UpdatedAt": {"N": "2026"}}
    )
    at, table = recorded(stack, store)
    assert [row[1:] for row in table if row[1] == "Jam"] == [("Jam", Decimal(2), None, None)]
    assert plainly(past.table(stack, at, store)) == table


def test_a_moment_that_is_not_kept_any_more_or_lies_ahead_is_refused_in_words(stack: Stack):
    with pytest.raises(NotFound, match="Changes are kept for 90 days: the stock can be told as it was from 20"):
        past.table(stack, times.later(times.now(), days=-91))
    with pytest.raises(NotFound, match="lies ahead"):
        past.table(stack, times.later(times.now(), hours=1))
    assert past.earliest() > times.later(times.now(), days=-90)


def test_the_command_line_prints_the_stock_as_it_was(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5"))
    at, _ = recorded(stack, store)
    sent(stack, csv(store, "Tea,3", "Jam,1"))
    found = asked("stock", "--at", f"{at[:10]} {at[11:19]}", "--store", store)
    assert [(one["item"], one["count"]) for one in found] == [("Tea", 5)]
    wrong = run("stock", "--at", "yesterday")
    assert wrong.returncode == 2
    assert "is to be a time such as" in wrong.stderr

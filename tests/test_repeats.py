"""Safe to repeat at every line: killed before any of its requests and run again, a handler leaves what one run leaves.

The work is done in this process by the handlers' own code, with clients that end it before a chosen request. What came
before that request has happened, what comes after has not: as when the process is killed there.
"""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from botocore.hooks import BaseEventHooks

from lambdas import applying, checking, receipts, recording, tables, times
from lambdas.fates import OF_FILES, Mode
from lambdas.loading import load
from lambdas.stream import Change, item_key
from lambdas.upload import Address, Upload, metadata, new_id, object_key
from lambdas.world import World
from services import alerts, changes, stock, uploads
from services.stack import Stack
from services.uploads import Receipt
from tests import laws, messages
from tests.conftest import csv
from tests.topic import Listener


class Died(Exception):
    """The process is gone."""


@pytest.fixture(scope="module")
def other(stack: Stack) -> World:
    """A world with clients of its own, which `dying` listens to."""
    return World(stack.client("dynamodb"), stack.client("s3"), stack.settings)


@contextmanager
def dying(before: int, *clients: Any) -> Iterator[None]:
    """The process ends before these clients' request of that number; what is below goes on if it has fewer."""
    count = itertools.count(1)

    def hook(**_: Any) -> None:
        if next(count) == before:
            raise Died

    sources: list[BaseEventHooks] = [client.meta.events for client in clients]
    for events in sources:
        events.register("before-send", hook)
    try:
        yield
    finally:
        for events in sources:
            events.unregister("before-send", hook)


@contextmanager
def meeting(client: Any, before: int, work: Callable[[], object]) -> Iterator[None]:
    """Something else is done before this client's request of that number."""
    count = itertools.count(1)

    def hook(**_: Any) -> None:
        if next(count) == before:
            work()

    client.meta.events.register("before-send", hook)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send", hook)


def dies(work: Callable[[], object], before: int, *clients: Any) -> bool:
    """Whether the work died there; False when it came to its end before."""
    try:
        with dying(before, *clients):
            work()
    except Died:
        return True
    return False


def put_away(stack: Stack, data: bytes, mode: Mode = Mode.NEWEST) -> Upload:
    """An upload that no queue hears of."""
    upload_id = new_id()
    key = object_key(upload_id, "stock.csv").replace("uploads/", "trial/")
    made = stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=data, Metadata=metadata(mode, None))
    return Upload(upload_id, Address(stack.settings.bucket, key, made.get("VersionId")), "stock.csv")


def settled(stack: Stack, *sent: Upload) -> list[Receipt]:
    return [list(uploads.follow(stack, upload.id, 180))[-1] for upload in sent]


# --- the loader ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(OF_FILES))
def test_a_row_that_was_written_before_the_loader_died_keeps_its_fate_although_others_wrote_over_it(
    stack: Stack, other: World, mode: Mode
):
    for before in itertools.count(1):
        store = f"Store {uuid.uuid4().hex[:8]}"
        first = put_away(stack, csv(store, "Tea,5", "Jam,5", "Rye,5"))
        load(stack.world, first, "first")
        second = put_away(stack, csv(store, "Tea,3", "Jam,5", "Milk,1"), mode)
        third = put_away(stack, csv(store, "Tea,7", "Jam,6", "Milk,2"))
        died = dies(lambda second=second: load(other, second, "dying"), before, other.dynamodb, other.s3)
        load(stack.world, third, "third")
        load(stack.world, second, "again")
        assert laws.broken(stack, store, settled(stack, first, second, third)) == [], before
        if mode is Mode.NEWEST:
            assert {one.item: one.count for one in stock.of_store(stack, store)} == {
                "Tea": 7, "Jam": 6, "Milk": 2, "Rye": 5,
            }  # fmt: skip
        if not died:
            return


def test_a_newer_upload_that_was_crossed_has_its_word_although_the_loader_died_after_its_write(
    stack: Stack, other: World
):
    """The newer one agrees with the table as it finds it, in the middle of the older one, which dies further on."""
    for meets in range(6, 14):
        for before in range(meets + 1, 18):
            store = f"Store {uuid.uuid4().hex[:8]}"
            first, older, newer = (put_away(stack, csv(store, f"Tea,{count}")) for count in (5, 7, 5))
            load(stack.world, first, "first")
            with meeting(other.dynamodb, meets, lambda newer=newer: load(stack.world, newer, "newer")):
                died = dies(lambda older=older: load(other, older, "dying"), before, other.dynamodb)
            load(stack.world, older, "again")
            load(stack.world, newer, "again")
            assert [one.count for one in stock.of_store(stack, store)] == [Decimal(5)], (meets, before)
            assert laws.broken(stack, store, settled(stack, first, older, newer)) == [], (meets, before)
            if not died:
                break


@pytest.mark.parametrize("mode", [Mode.PLAIN, Mode.STAMP])
def test_an_upload_that_runs_in_the_middle_of_a_plain_one_is_neither_undone_nor_counted_for_it(
    stack: Stack, other: World, mode: Mode
):
    for meets in range(2, 14):
        store = f"Store {uuid.uuid4().hex[:8]}"
        first = put_away(stack, csv(store, "Tea,5", "Jam,5", "Rye,5"))
        plain = put_away(stack, csv(store, "Tea,5", "Jam,3"), mode)
        newer = put_away(stack, csv(store, "Tea,7", "Jam,6", "Rye,7"))
        load(stack.world, first, "first")
        with meeting(other.dynamodb, meets, lambda newer=newer: load(stack.world, newer, "newer")):
            load(other, plain, "plain")
        load(stack.world, newer, "newer")
        assert laws.broken(stack, store, settled(stack, first, plain, newer)) == [], meets


def test_a_newer_upload_is_asked_again_when_only_a_part_of_the_rows_was_written_before_the_loader_died(
    stack: Stack, other: World
):
    """More rows than a transaction takes: one of two transactions is made, the newer upload agreed with both before."""
    for meets in range(5, 13):
        store = f"Store {uuid.uuid4().hex[:8]}"
        items = [f"Item {n}" for n in range(101)]
        first, older, newer = (put_away(stack, csv(store, *(f"{item},{n}" for item in items))) for n in (5, 7, 5))
        load(stack.world, first, "first")
        with meeting(other.dynamodb, meets, lambda newer=newer: load(stack.world, newer, "newer")):
            dies(lambda older=older: load(other, older, "dying"), meets + 1, other.dynamodb)
        load(stack.world, older, "again")
        assert {one.count for one in stock.of_store(stack, store)} == {Decimal(5)}, meets
        assert laws.broken(stack, store, settled(stack, first, older, newer)) == [], meets


def test_a_message_that_comes_again_after_the_upload_is_loaded_touches_nothing(stack: Stack, store: str):
    upload = put_away(stack, csv(store, "Tea,5"))
    load(stack.world, upload, "first")
    settled(stack, upload)
    before = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload.id)
    assert load(stack.world, upload, "again") is None
    assert receipts.get(stack.dynamodb, stack.settings.uploads_table, upload.id) == before


def test_a_loader_whose_time_is_up_is_followed_by_one_that_goes_on_where_it_was(
    stack: Stack, other: World, store: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(applying, "PART", 500)
    rows = [f"Item {n},{n % 7 + 1}" for n in range(2 * applying.PART + 5)]
    upload = put_away(stack, csv(store, *rows))
    runs, asked = 0, []
    other.dynamodb.meta.events.register("before-send.dynamodb", lambda request, **_: asked.append(request))
    while load(other, upload, f"run {runs}", lambda: 1.0):
        runs += 1
        found = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload.id) or {}
        assert (found["Done"], found["Rows"], found["Waiting"]) == (runs, runs * applying.PART, receipts.LOADER)
    stretches = [between for request in asked if (between := stretch(request))]
    assert len(stretches) == 2  # of the table; the last five rows are asked for one by one
    assert stretches[0][1] < stretches[1][0]  # each row was looked up in one run alone
    [receipt] = settled(stack, upload)
    assert (runs, receipt.tries) == (2, 3)
    assert (receipt.rows, receipt.fates["inserted"], receipt.records_seen) == (len(rows), len(rows), len(rows))
    assert [line["row"] for line in uploads.rows(stack, receipt)] == list(range(2, len(rows) + 2))


def stretch(request: Any) -> tuple[str, str] | None:
    """From which item to which one a Query asks of the Inventory table, at its beginning."""
    asked = json.loads(request.body)
    if "KeyConditions" not in asked or "ExclusiveStartKey" in asked:
        return None
    low, high = asked["KeyConditions"]["Item"]["AttributeValueList"]
    return low["S"], high["S"]


# --- recorder and checker ------------------------------------------------------------------------------------------


def crossings(stack: Stack, store: str) -> tuple[Upload, list[Change]]:
    """Stream records of an upload that empties two items, one of which another upload fills again; never written."""
    upload, later = put_away(stack, b""), put_away(stack, b"")
    for one in (upload, later):
        receipts.received(stack.dynamodb, stack.settings.uploads_table, one, 0)

    return upload, [
        change(1, store, "Tea", upload.id, 12, 0), change(2, store, "Jam", upload.id, None, 0),
        change(3, store, "Rye", upload.id, 3, 4), change(4, store, "Tea", later.id, 0, 9),
    ]  # fmt: skip


def change(
    number: int, store: str, item: str, by: str, old: int | None, new: int, at: str | None = None
) -> Change:  # fmt: skip
    images = [
        None if count is None else tables.to_item({"Store": store, "Item": item, "Count": count, "UploadId": upload_id})
        for count, upload_id in ((old, "before"), (new, by))
    ]
    kind = "MODIFY" if old is not None else "INSERT"
    return Change(uuid.uuid4().hex, str(10**20 + number), kind, at or times.now(), store, item, *images, None)


def test_a_recorder_that_dies_anywhere_and_runs_again_keeps_and_counts_each_change_once(stack: Stack, other: World):
    for before in itertools.count(1):
        store = f"Store {uuid.uuid4().hex[:8]}"
        upload, batch = crossings(stack, store)
        died = dies(lambda batch=batch: recording.record(other, batch), before, other.dynamodb)
        recording.record(stack.world, batch)
        kept = [one.event_id for item in ("Tea", "Jam", "Rye") for one in changes.of_item(stack, item_key(store, item))]
        assert sorted(kept) == sorted(one.event_id for one in batch)
        recording.record(stack.world, batch[:1])  # a part of it alone, as when one record is run again
        assert uploads.receipt(stack, upload.id).records_seen == 3
        if not died:
            return


def test_a_checker_that_dies_anywhere_opens_one_episode_and_sends_one_message_or_says_that_it_may_be_a_repeat(
    stack: Stack, other: World
):
    sns = stack.client("sns")
    with Listener(stack) as listener:
        for before in itertools.count(1):
            store = f"Store {uuid.uuid4().hex[:8]}"
            upload, batch = crossings(stack, store)
            died = dies(lambda batch=batch: checking.check(other, sns, batch), before, other.dynamodb, other.s3, sns)
            checking.check(stack.world, stack.client("sns"), batch)
            found = {one.item: one for one in alerts.of_upload(stack, upload.id)}
            assert {item: one.state for item, one in found.items()} == {"Tea": "closed", "Jam": "open"}
            assert all(one.notified_at for one in found.values())
            receipt = uploads.receipt(stack, upload.id)
            assert (receipt.records_checked, receipt.alerts) == (3, 2)
            texts = [text for text in listener.received(of=store, at_least=1) if store in text]
            said = [one for text in texts if (one := messages.read(text))]
            plain = [item for one in said if not one.again for _, item, _ in one.of]
            marked = [item for one in said if one.again for _, item, _ in one.of]
            assert {*plain, *marked} == {"Tea", "Jam"}
            assert len(plain) == len(set(plain))
            assert len(plain) + len(marked) <= 4
            if not died:
                assert (sorted(plain), marked, len(said)) == (["Jam", "Tea"], [], 1)
                return


def test_the_streams_order_closes_episodes_whatever_the_clock_said_and_an_old_record_closes_no_newer_one(
    stack: Stack, store: str
):
    morning, noon, evening = (f"2026-11-24T{hour}:00:00.000000Z" for hour in ("09", "12", "18"))
    a, b, c = (f"{store} {letter}" for letter in "abc")
    opens, closes = change(1, store, "Tea", a, 5, 0, noon), change(2, store, "Tea", b, 0, 5, morning)
    reopens = change(3, store, "Tea", c, 5, 0, evening)
    checking.settle(stack.world, [opens, closes])  # the clock was set back in between
    assert [one.closed_by for one in alerts.of_upload(stack, a)] == [b]
    checking.settle(stack.world, [reopens, closes])  # delivered once more
    assert [one.closed_by for one in (*alerts.of_upload(stack, a), *alerts.of_upload(stack, c))] == [b, None]

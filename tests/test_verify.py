"""Verification on the real tables: what is right agrees, and each kind of damage, done by hand, is named in place."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas import failures, lines, receipts, recording, store_uploads, tables, times
from lambdas.fates import OF_FILES, Mode
from lambdas.loading import load
from lambdas.stockfile import Mapping
from lambdas.stream import KEPT_DAYS, Change, item_key
from lambdas.upload import Address, Upload, metadata, new_id
from lambdas.world import World
from services import changes, stock, uploads, verifying
from services.outcome import of_item
from services.stack import Stack
from services.uploads import Receipt
from services.verifying import Difference, Result, What, records, verification, verify
from services.verifying.facts import Facts, Ground, Known, Stated
from tests.conftest import csv, deployed, sent
from tests.test_newest_wins import REQUESTS, Said, Step, interrupting, play, store_away, stories
from tests.waiting import until

OLD, NEW, NEWEST = "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"
TIMED = "store,item,count,updated_at"
Raw = dict[str, Any]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An engine for these tests alone: whatever else lay in its tables would be read by each of them."""
    with deployed(tmp_path_factory.mktemp("verify")) as found:
        yield found


@pytest.fixture(scope="module")
def other(stack: Stack) -> World:
    """A world with a DynamoDB client of its own, which `interrupting` listens to."""
    return World(stack.client("dynamodb"), stack.s3, stack.settings)


def look(stack: Stack, store: str) -> Result:
    return verify(stack, store, again_after=0)


def named(stack: Stack, store: str) -> list[tuple[What, str]]:
    return [(one.what, one.where) for one in look(stack, store).differences]


# --- what is right agrees -------------------------------------------------------------------------------------------


def test_the_story_of_the_class_agrees_and_says_how_much_was_looked_at(stack: Stack, store: str):
    morning = csv(store, "Espresso,14", "Oat milk,36", "Rolls,0")
    sent(stack, morning), sent(stack, morning), sent(stack, morning, Mode.STAMP)
    sent(stack, csv(store, f"Espresso,99,{OLD}", f"Oat milk,99,{OLD}", header=TIMED))
    sent(stack, csv(store, "Espresso,14", "Oat milk,0", "Rolls,24"))
    found = look(stack, store)
    assert found.differences == ()
    assert (found.uploads, found.rows, found.items, found.changes, found.alerts) == (5, 14, 3, 8, 2)
    assert verifying.in_words(found) == "5 uploads, 14 rows, 3 items: everything agrees."


@pytest.mark.parametrize("mode", list(OF_FILES))
def test_every_mode_agrees_with_itself(stack: Stack, store: str, mode: Mode):
    for rows in (f"Tea,10,{OLD}", f"Tea,10,{OLD}", f"Tea,20,{NEW}", f"Tea,0,{OLD}", f"Tea,20,{NEWEST}"):
        sent(stack, csv(store, rows, "Bread,3,", header=TIMED), mode)
    assert named(stack, store) == []


def test_duplicates_rejects_and_rows_that_are_added_up_agree(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,1", "Tea,2", "Bread,", "Milk,some", "Jam,5", "Jam,5"))
    sent(stack, csv(store, f"Tea,3,{NEW}", f"Tea,4,{OLD}", header=TIMED))
    sums = Mapping(repeats="sum")
    *_, last = uploads.follow(
        stack, uploads.send(stack, "sums.csv", csv(store, "Jam,5", "Jam,7", "Tea,1"), mapping=sums)
    )
    assert last.fates["duplicate"] == 1
    assert named(stack, store) == []


def test_a_wide_file_agrees_also_where_a_row_can_not_be_used_for_one_of_its_stores(stack: Stack, store: str):
    other = f"{store} too"
    data = f"item,{store},{other}\nTea,1,0\nBread,2,many\nJam,,3\n".encode()
    mapping = Mapping(item=(("item",),), stores=(store, other))
    *_, last = uploads.follow(stack, uploads.send(stack, "wide.csv", data, mapping=mapping))
    assert last.rows == 5
    assert named(stack, store) == named(stack, other) == []
    sent(stack, csv(other, "Tea,4"))
    assert named(stack, store) == named(stack, other) == []


def test_a_file_dropped_into_the_bucket_and_one_that_failed_or_waits_agree(stack: Stack, store: str):
    name = f"{store} export.csv"
    for count in (1, 2):
        stack.s3.put_object(Bucket=stack.settings.bucket, Key=f"uploads/till/{name}", Body=csv(store, f"Tea,{count}"))
        until(lambda: stock.of_store(stack, store))
    until(lambda: sum(one.settled for one in uploads.recent(stack) if one.file == name) == 2)
    sent(stack, b"item,count\nTea,1\n")
    sent(stack, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    found = look(stack, store)
    assert (found.differences, found.uploads) == ((), 2)


def test_a_change_by_hand_and_an_item_that_is_deleted_agree_and_are_not_held_to_the_newest_file(
    stack: Stack, store: str
):
    sent(stack, csv(store, "Tea,5", "Bread,2"))
    by_hand(stack, store, "Tea", "0")
    key = {"Store": {"S": store}, "Item": {"S": "Bread"}}
    stack.dynamodb.delete_item(TableName=stack.settings.inventory_table, Key=key)
    until(lambda: len(kept(stack, store, "Tea")) == len(kept(stack, store, "Bread")) == 2)
    until(lambda: episodes(stack, store))
    assert named(stack, store) == []
    sent(stack, csv(store, "Bread,3", "Tea,1"))
    assert named(stack, store) == []


def by_hand(stack: Stack, store: str, item: str, count: str) -> None:
    stack.dynamodb.update_item(
        TableName=stack.settings.inventory_table, Key={"Store": {"S": store}, "Item": {"S": item}},
        UpdateExpression="SET #count = :count", ExpressionAttributeNames={"#count": "Count"},
        ExpressionAttributeValues={":count": {"N": count}},
    )  # fmt: skip


def test_a_late_file_that_a_newer_one_has_silently_overruled_agrees(stack: Stack, store: str):
    sunday, monday, tuesday = (put(stack, csv(store, f"Tea,{count}")) for count in (5, 7, 5))
    for upload in (sunday, tuesday, monday):
        load(stack.world, upload, "test")
    settle(stack, sunday, tuesday, monday)
    assert [one.count for one in stock.of_store(stack, store)] == [5]
    assert named(stack, store) == []


def test_an_upload_that_writes_an_item_twice_because_it_was_crossed_agrees(stack: Stack, store: str):
    """The newest file and a plain one come in the midst of an older one, which calls the newest one up again."""
    world = World(stack.client("dynamodb"), stack.s3, stack.settings)
    twice = []
    for after in range(1, REQUESTS + 1):
        place = f"{store} {after}"
        first, crossing, newest = (put(stack, csv(place, f"Tea,{count}")) for count in (1, 2, 3))
        plain = put(stack, csv(place, f"Tea,9,{OLD}", header=TIMED), Mode.PLAIN)
        load(stack.world, first, "test")

        def cut_in(*inner: Upload) -> None:
            for one in inner:
                load(stack.world, one, "inner")

        with interrupting(world, after, partial(cut_in, newest, plain)):
            load(world, crossing, "test")
        cut_in(newest, plain)  # where the load had fewer requests
        settle(stack, first, crossing, newest, plain)
        assert named(stack, place) == []
        if len(changes.of_upload(stack, newest.id)) == 2:
            twice.append(newest.id)
    assert twice
    for upload_id in twice:  # its receipt expects one record, and has seen two
        stack.dynamodb.delete_item(TableName=stack.settings.uploads_table, Key={"UploadId": {"S": upload_id}})


def put(stack: Stack, data: bytes, mode: Mode = Mode.NEWEST) -> Upload:
    """An upload that lies in the bucket where the queue does not hear of it, to be loaded when a test says so."""
    upload_id, key = new_id(), f"trial/{uuid.uuid4().hex}.csv"
    made = stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=data, Metadata=metadata(mode, None))
    return Upload(upload_id, Address(stack.settings.bucket, key, made.get("VersionId")), "trial.csv")


def settle(stack: Stack, *sent: Upload) -> list[Receipt]:
    return [list(uploads.follow(stack, upload.id))[-1] for upload in sent]


def kept(stack: Stack, store: str, item: str) -> list[Raw]:
    """An item's changes as they stand in the table, in the stream's order."""
    found = stack.dynamodb.query(
        TableName=stack.settings.changes_table, IndexName="ByItem", KeyConditionExpression="ItemKey = :key",
        ExpressionAttributeValues={":key": {"S": item_key(store, item)}},
    )["Items"]  # fmt: skip
    return sorted(found, key=lambda one: int(one["Sequence"]["S"]))


def episodes(stack: Stack, store: str) -> list[Raw]:
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=stack.settings.alerts_table)
    found = [one for page in pages for one in page["Items"] if one.get("Store") == {"S": store}]  # markers name none
    return sorted(found, key=lambda one: one["Position"]["S"])


# --- what is on its way, gone or too old is not taken for damage ------------------------------------------------------


class Died(Exception):
    """The process is gone."""


def die() -> None:
    raise Died


def half_done(stack: Stack, store: str) -> tuple[Upload, str]:
    """An upload whose loader died after it wrote, before its receipt knew; and an item that it made."""
    world = World(stack.client("dynamodb"), stack.s3, stack.settings)
    sent(stack, csv(store, "Tea,5", "Bread,1"))
    for after in range(1, REQUESTS + 1):
        made = f"Milk {after}"
        upload = put(stack, csv(store, f"Tea,{5 + after}", f"{made},0"))
        with suppress(Died), interrupting(world, after, die):
            load(world, upload, "dying")
        if "LoadedAt" in (receipts.get(stack.dynamodb, stack.settings.uploads_table, upload.id) or {}):
            break
        if any(one.count == 5 + after for one in stock.of_store(stack, store)):
            until(lambda: any(one["Item"]["S"] == made for one in episodes(stack, store)))  # noqa: B023
            until(lambda: kept(stack, store, made))  # noqa: B023
            return upload, made
        load(stack.world, upload, "again")
        settle(stack, upload)
    raise AssertionError("no request lies between the writes and the receipt")


def test_the_items_of_an_upload_that_is_under_way_are_not_judged_and_it_is_named(stack: Stack, store: str):
    upload, made = half_done(stack, store)
    found = look(stack, store)
    assert (found.differences, found.under_way) == ((), (upload.id,))
    assert "under way: the items of 1 upload" in verifying.in_words(found)
    [change] = kept(stack, store, made)
    with instead(stack, stack.settings.changes_table, change, None):  # its record is still on its way
        assert named(stack, store) == []
    load(stack.world, upload, "again")
    settle(stack, upload)
    found = look(stack, store)
    assert (found.differences, found.under_way) == ((), ())


def test_an_upload_that_failed_after_it_had_begun_is_named_as_unchecked(stack: Stack, store: str):
    upload, _ = half_done(stack, store)
    receipts.trouble(stack.dynamodb, stack.settings.uploads_table, upload.id, "Try 5 of 5 failed", last=True)
    found = look(stack, store)
    assert (found.differences, found.under_way) == ((), ())
    assert [upload.id in one and "begun to write" in one for one in found.unchecked] == [True]
    load(stack.world, upload, "again")
    settle(stack, upload)


def test_a_file_that_is_gone_is_named_and_its_items_are_judged_by_its_receipt(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,5", "Tea,6", "Bread,"))
    item = raw_receipt(stack, receipt)
    where = {"Bucket": item["Bucket"]["S"], "Key": item["Key"]["S"], "VersionId": item["Version"]["S"]}
    stack.s3.delete_object(**where)
    found = look(stack, store)
    assert found.differences == ()
    assert [f"{receipt.file} ({receipt.upload_id})" in one for one in found.unchecked] == [True]
    [change] = kept(stack, store, "Tea")
    with instead(stack, stack.settings.changes_table, change, None):
        assert named(stack, store) == [(What.MISSING, f"{receipt.upload_id}, {store} · Tea")]


def test_changes_that_may_have_expired_are_not_missing_and_it_is_said(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5", "Bread,1"))
    sent(stack, csv(store, "Tea,0"))
    expired = times.later(times.now(), days=KEPT_DAYS + 1)
    first, second = kept(stack, store, "Tea")
    with instead(stack, stack.settings.changes_table, first, None):
        assert [one.what for one in look(stack, store).differences] == [What.MISSING]
        found = verification.look(stack, store, expired)
        assert (found.differences, "before 90 days ago" in found.unchecked[0]) == ((), True)
        with instead(stack, stack.settings.changes_table, second, None):
            assert verification.look(stack, store, expired).differences == ()


def test_records_that_may_be_on_their_way_for_a_minute_are_waited_for_and_not_for_longer(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,5"))
    [kept_one, _] = tallied(stack, receipt)[::-1]
    with instead(stack, stack.settings.tallies_table, kept_one, None):
        soon = verification.look(stack, store, times.now())
        assert (soon.differences, soon.under_way) == ((), (receipt.upload_id,))
        late = verification.look(stack, store, times.later(times.now(), seconds=61))
        assert [(one.what, one.where) for one in late.differences] == [(What.RECEIPT, receipt.upload_id)]


def test_while_files_come_in_nothing_that_is_on_its_way_is_taken_for_damage(stack: Stack, store: str):
    def send() -> None:
        for n in range(12):
            uploads.send(
                stack, "stock.csv", csv(store, f"Tea,{n % 3}", f"Bread,{n % 2}", *(f"{n} {m},1" for m in range(50)))
            )

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)

        def through() -> bool:
            found = verify(stack, store)
            assert found.differences == ()
            return sending.done() and found.items == 602 and not found.under_way

        until(through, 60)


# --- each kind of damage is named ------------------------------------------------------------------------------------


@contextmanager
def instead(stack: Stack, table: str, item: Raw, other: Raw | None) -> Iterator[None]:
    """Another item, or none, stands in a table in the place of one of its own."""
    names = stack.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
    stack.dynamodb.delete_item(TableName=table, Key={one["AttributeName"]: item[one["AttributeName"]] for one in names})
    if other:
        stack.dynamodb.put_item(TableName=table, Item=other)
    try:
        yield
    finally:
        if other:
            key = {one["AttributeName"]: other[one["AttributeName"]] for one in names}
            stack.dynamodb.delete_item(TableName=table, Key=key)
        stack.dynamodb.put_item(TableName=table, Item=item)


@contextmanager
def besides(stack: Stack, table: str, item: Raw) -> Iterator[None]:
    """One more item stands in a table."""
    names = stack.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
    stack.dynamodb.put_item(TableName=table, Item=item)
    try:
        yield
    finally:
        key = {one["AttributeName"]: item[one["AttributeName"]] for one in names}
        stack.dynamodb.delete_item(TableName=table, Key=key)


def raw_receipt(stack: Stack, of: Receipt) -> Raw:
    key = {"UploadId": {"S": of.upload_id}}
    found: Raw = stack.dynamodb.get_item(TableName=stack.settings.uploads_table, Key=key, ConsistentRead=True)["Item"]
    return found


def tallied(stack: Stack, of: Receipt) -> list[Raw]:
    found: list[Raw] = stack.dynamodb.query(
        TableName=stack.settings.tallies_table, KeyConditionExpression="UploadId = :upload", ConsistentRead=True,
        ExpressionAttributeValues={":upload": {"S": of.upload_id}},
    )["Items"]  # fmt: skip
    return found


@pytest.fixture
def told(stack: Stack, store: str) -> list[Receipt]:
    """Three uploads: Tea runs out and comes back, Bread stays."""
    return [sent(stack, csv(store, f"Tea,{count}", "Bread,3", "Milk,")) for count in (5, 0, 7)]


def test_a_loaded_file_whose_receipt_is_gone_is_named_and_what_it_caused_is_not(
    stack: Stack, store: str, told: list[Receipt]
):
    for receipt in told:
        with instead(stack, stack.settings.uploads_table, raw_receipt(stack, receipt), None):
            assert named(stack, store) == [(What.NO_RECEIPT, receipt.upload_id)]


def test_a_file_that_nobody_has_opened_is_named_when_every_store_is_looked_at(stack: Stack, store: str):
    receipt = sent(stack, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", name=f"{store}.csv")
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=f"uploads/{store}/", Body=b"")
    with instead(stack, stack.settings.uploads_table, raw_receipt(stack, receipt), None):
        found = verify(stack, again_after=0)
        mine = [(one.what, one.where) for one in found.differences if store in one.said]
        assert mine == [(What.NO_RECEIPT, receipt.upload_id)]
        assert f"uploads/{store}/" not in found.under_way


def test_a_dropped_file_without_a_receipt_may_be_in_the_queue_for_a_minute_and_not_for_longer(stack: Stack, store: str):
    key = f"uploads/till/{store}.csv"
    for body in (b"PK not really", b"PK not at all"):
        stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=body)

    def failed() -> list[Receipt]:
        found = [one for one in uploads.recent(stack) if one.file == f"{store}.csv" and one.settled]
        return found if len(found) == 2 else []

    with instead(stack, stack.settings.uploads_table, raw_receipt(stack, until(failed)[0]), None):
        assert key in verification.look(stack, None, times.now()).under_way
        late = verification.look(stack, None, times.later(times.now(), seconds=61))
        assert [one.what for one in late.differences if one.where == key] == [What.NO_RECEIPT]
    assert key not in verification.look(stack, None, times.now()).under_way


Lines = list[dict[str, Any]]


def edited(of: Lines, row: int, **values: Any) -> Lines:
    return [line | values if line["row"] == row else line for line in of]


LINES: dict[str, tuple[Callable[[Lines], Lines], list[tuple[What, str]]]] = {
    "one is gone": (lambda of: of[1:], [(What.NO_FATE, "{id}")]),
    "the one of a reject is gone": (lambda of: of[:2], [(What.NO_FATE, "{id}")]),
    "one stands there twice": (lambda of: [*of, of[1]], [(What.NO_ROW, "{id}")]),
    "there is one of a row that the file has not": (lambda of: [*of, of[1] | {"row": 9}], [(What.NO_ROW, "{id}")]),
    "one has another count": (lambda of: edited(of, 2, count="6"), [(What.FATE, "{id}")]),
    "one has another item": (lambda of: edited(of, 3, item="Rolls"), [(What.FATE, "{id}")]),
    "one has another store": (lambda of: edited(of, 3, store="Rome"), [(What.FATE, "{id}")]),
    "a reject was used": (lambda of: edited(of, 4, fate="unchanged", item="Milk", count="0"), [(What.FATE, "{id}")]),
    "a good row was rejected": (lambda of: edited(of, 3, fate="rejected", column="count"), [(What.FATE, "{id}")]),
    "a row that counts was superseded": (lambda of: edited(of, 3, fate="duplicate"), [(What.FATE, "{id}")]),
    "a write is said to be none": (lambda of: edited(of, 2, fate="stale"), [(What.TOO_MANY, "{id}, {item}")]),
    "a write is said to be another one": (lambda of: edited(of, 2, fate="touched"), [(What.RECORD, "{id}, {item}")]),
    "it replaced another count": (lambda of: edited(of, 2, was="4"), [(What.RECORD, "{id}, {item}")]),
}  # fmt: skip


@pytest.mark.parametrize("damage", LINES)
def test_a_line_of_a_receipt_that_is_not_so_is_named(stack: Stack, store: str, told: list[Receipt], damage: str):
    edit, expected = LINES[damage]
    receipt = raw_receipt(stack, told[1])
    rows = edit(uploads.rows(stack, told[1]))
    word = lines.write(stack.world, told[1].upload_id or "", 0, rows)
    fates = lines.count(rows)
    figures = {"Parts": {"0": word}, "Fates": fates, "Rows": len(rows), "Expected": lines.expected(fates)}
    with instead(stack, stack.settings.uploads_table, receipt, receipt | tables.to_item(figures)):
        place = {"id": told[1].upload_id, "item": f"{store} · Tea"}
        assert named(stack, store) == [(what, where.format(**place)) for what, where in expected]


@pytest.mark.parametrize(
    "figures",
    [{"Rows": 4}, {"Expected": 2}, {"Fates": {"changed": 1, "unchanged": 2}}, {"Parts": {"0": "00000000 1 1 1"}}],
)
def test_a_figure_of_a_receipt_that_is_not_so_is_named(
    stack: Stack, store: str, told: list[Receipt], figures: dict[str, Any]
):
    receipt = raw_receipt(stack, told[1])
    with instead(stack, stack.settings.uploads_table, receipt, receipt | tables.to_item(figures)):
        [found] = verification.look(stack, store, times.later(times.now(), seconds=61)).differences
        assert (found.what, found.where) == (What.RECEIPT, told[1].upload_id)


@pytest.mark.parametrize(
    ("which", "counts", "again"),
    [(1, {"Records": 2}, True), (0, None, False), (0, {"Opened": 0}, False), (0, {"Records": 9}, True)],
)
def test_records_and_alerts_that_are_tallied_wrongly_are_named_unless_they_can_be_counted_again(
    stack: Stack, store: str, told: list[Receipt], which: int, counts: dict[str, Any] | None, again: bool
):
    tally = tallied(stack, told[1])[which]  # checked, kept
    other = counts and tally | tables.to_item(counts)
    with instead(stack, stack.settings.tallies_table, tally, other):
        found = verification.look(stack, store, times.later(times.now(), seconds=61)).differences
        assert [(one.what, one.where) for one in found] == ([] if again else [(What.RECEIPT, told[1].upload_id)])


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_change_that_is_not_kept_is_named_once_whichever_it_is(
    stack: Stack, store: str, told: list[Receipt], which: int
):
    change = kept(stack, store, "Tea")[which]
    with instead(stack, stack.settings.changes_table, change, None):
        assert named(stack, store) == [(What.MISSING, f"{told[which].upload_id}, {store} · Tea")]


def test_an_alert_that_may_have_been_closed_by_a_change_that_is_not_kept_is_not_named_as_well(
    stack: Stack, store: str, told: list[Receipt]
):
    for count in (0, 8):
        sent(stack, csv(store, f"Tea,{count}"))
    with instead(stack, stack.settings.changes_table, kept(stack, store, "Tea")[2], None):
        assert named(stack, store) == [(What.MISSING, f"{told[2].upload_id}, {store} · Tea")]


@pytest.mark.usefixtures("told")
def test_a_change_by_hand_that_is_not_kept_is_seen_by_what_it_leaves_open(stack: Stack, store: str):
    by_hand(stack, store, "Tea", "6")
    until(lambda: len(kept(stack, store, "Tea")) == 4)
    with instead(stack, stack.settings.changes_table, kept(stack, store, "Tea")[-1], None):
        assert named(stack, store) == [(What.STOCK, f"{store} · Tea")]
        [found] = look(stack, store).differences
        assert f"{store} · Tea holds 6" in found.said
    sent(stack, csv(store, "Tea,9"))
    with instead(stack, stack.settings.changes_table, kept(stack, store, "Tea")[-2], None):
        assert named(stack, store) == [(What.HISTORY, f"{store} · Tea")]


def test_an_item_of_which_no_change_is_kept_is_named(stack: Stack, store: str):
    item = {"Store": {"S": store}, "Item": {"S": "Tea"}, "Count": {"N": "3"}}
    stack.dynamodb.put_item(TableName=stack.settings.inventory_table, Item=item)
    [change] = until(lambda: kept(stack, store, "Tea"))
    assert named(stack, store) == []
    with instead(stack, stack.settings.changes_table, change, None):
        assert named(stack, store) == [(What.HISTORY, f"{store} · Tea")]


def test_a_change_that_nothing_calls_for_is_named_and_no_other(stack: Stack, store: str, told: list[Receipt]):
    last = recording.change_of(kept(stack, store, "Tea")[-1])
    bread = recording.change_of(kept(stack, store, "Bread")[0])
    later, table = str(int(last.sequence) + 1), stack.settings.changes_table
    twice = replace(last, sequence=later, event_id="f" * 32)
    with besides(stack, table, recording.item_of(twice)):
        assert named(stack, store) == [(What.TOO_MANY, f"{told[2].upload_id}, {store} · Tea")]
    moved = {**(bread.new or {}), "UploadId": {"S": told[1].upload_id}}
    unchanged = replace(bread, sequence=later, event_id="e" * 32, event_name="MODIFY", old=bread.new, new=moved)
    with besides(stack, table, recording.item_of(unchanged)):
        assert named(stack, store) == [(What.TOO_MANY, f"{told[1].upload_id}, {store} · Bread")]
    milk = {**(bread.new or {}), "Item": {"S": "Milk"}}
    with besides(stack, table, recording.item_of(replace(bread, sequence=later, item="Milk", new=milk))):
        assert named(stack, store) == [(What.TOO_MANY, f"{told[0].upload_id}, {store} · Milk")]
    idle = replace(last, sequence=later, event_id="d" * 32, old=last.new)
    with besides(stack, table, recording.item_of(idle)):
        assert named(stack, store) == [(What.HISTORY, f"{store} · Tea")]


def test_a_change_of_an_upload_that_never_was_is_named(stack: Stack, store: str):
    item = {"Store": {"S": store}, "Item": {"S": "Tea"}, "Count": {"N": "3"}, "UploadId": {"S": "nobody's"}}
    stack.dynamodb.put_item(TableName=stack.settings.inventory_table, Item=item)
    until(lambda: kept(stack, store, "Tea"))
    assert named(stack, store) == [(What.TOO_MANY, f"nobody's, {store} · Tea")]


IMAGES: dict[str, tuple[str, Raw, list[What]]] = {
    "another new count": ("New", {"Count": {"N": "8"}}, [What.RECORD, What.STOCK, What.ALERT]),
    "another old count": ("Old", {"Count": {"N": "1"}}, [What.RECORD, What.HISTORY]),
    "another time": ("New", {"UpdatedAt": {"S": "2026-01-01T00:00:00.000000Z"}}, [What.TIME, What.STOCK]),
    "one more attribute": ("New", {"Shelf": {"S": "A"}}, [What.STOCK]),
}


@pytest.mark.parametrize("damage", IMAGES)
@pytest.mark.usefixtures("told")
def test_an_image_that_is_not_so_is_named(stack: Stack, store: str, damage: str):
    name, values, expected = IMAGES[damage]
    item = kept(stack, store, "Tea")[-1]
    damaged = json.loads(item[name]["S"]) | values
    with instead(stack, stack.settings.changes_table, item, item | {name: {"S": json.dumps(damaged)}}):
        found = look(stack, store).differences
    assert [one.what for one in found] == expected
    assert damage != "one more attribute" or "with another Shelf" in found[0].said
    assert all(one.where.endswith(f"{store} · Tea") for one in found)


@pytest.mark.parametrize(("name", "wrong"), [("UploadPart", "x#0"), ("ItemKey", "{}x")])
@pytest.mark.usefixtures("told")
def test_a_change_that_would_not_be_found_is_named(stack: Stack, store: str, name: str, wrong: str):
    item = kept(stack, store, "Tea")[-1]
    misfiled = item | {name: {"S": wrong.format(item_key(store, ""))}}
    with instead(stack, stack.settings.changes_table, item, misfiled):
        assert named(stack, store) == [(What.RECORD, f"{store} · Tea")]


def test_a_change_that_lacks_what_every_change_has_is_named(stack: Stack, store: str, told: list[Receipt]):
    item = kept(stack, store, "Tea")[-1]
    with instead(stack, stack.settings.changes_table, item, {n: v for n, v in item.items() if n != "Sequence"}):
        place = f"{item['Bucket']['S']} {item['Position']['S']}"
        assert named(stack, store) == [
            (What.RECORD, place),
            (What.MISSING, f"{told[2].upload_id}, {store} · Tea"),
        ]


def test_an_older_file_that_won_is_named_with_the_one_that_should_have(stack: Stack, store: str):
    sunday, monday, tuesday = (put(stack, csv(store, f"Tea,{count}")) for count in (5, 7, 5))
    load(stack.world, sunday, "test")
    load(stack.world, tuesday, "test")
    spoke = tables.to_item({"Store": store, "UploadId": tuesday.id})
    stack.dynamodb.delete_item(TableName=stack.settings.store_uploads_table, Key=spoke)
    load(stack.world, monday, "test")
    store_uploads.register(stack.dynamodb, stack.settings.store_uploads_table, tuesday, [store], timed=False)
    settle(stack, sunday, monday, tuesday)
    [found] = look(stack, store).differences
    assert (found.what, found.where) == (What.NEWEST, f"{tuesday.id}, {store} · Tea")
    assert found.said == f"{store} · Tea holds 7; the newest file, trial.csv ({tuesday.id}), says 5"


def test_a_write_that_looks_like_one_of_an_older_upload_is_named(stack: Stack, store: str, told: list[Receipt]):
    first = recording.change_of(kept(stack, store, "Tea")[0])
    item = {**(first.new or {}), "Was": {"N": "7"}}
    stack.dynamodb.put_item(TableName=stack.settings.inventory_table, Item=item)
    until(lambda: len(kept(stack, store, "Tea")) == 4)
    until(lambda: (uploads.receipt(stack, told[0].upload_id or "").records_seen or 0) == 3)
    assert named(stack, store) == [
        (What.TOO_MANY, f"{told[0].upload_id}, {store} · Tea"),
        (What.NEWEST, f"{told[2].upload_id}, {store} · Tea"),
    ]
    stack.dynamodb.update_item(  # it has seen a record more than it expects, and that would stay so
        TableName=stack.settings.uploads_table, Key={"UploadId": {"S": told[0].upload_id}},
        UpdateExpression="SET Expected = :seen", ExpressionAttributeValues={":seen": {"N": "3"}},
    )  # fmt: skip


EPISODES: dict[str, Raw] = {
    "opened by another upload": {"OpenedBy": {"S": "x"}},
    "from another count": {"OldCount": {"N": "9"}},
    "to another count": {"NewCount": {"N": "-1"}},
    "closed by another upload": {"ClosedBy": {"S": "x"}},
    "closed at another count": {"ClosedCount": {"N": "1"}},
    "open once more": {"Open": {"S": "open"}},
}


@pytest.mark.parametrize("damage", EPISODES)
def test_an_alert_that_is_not_so_is_named(stack: Stack, store: str, told: list[Receipt], damage: str):
    [episode] = episodes(stack, store)
    with instead(stack, stack.settings.alerts_table, episode, episode | EPISODES[damage]):
        assert named(stack, store) == [(What.ALERT, f"{told[1].upload_id}, {store} · Tea")]


def test_an_alert_that_is_not_there_or_too_many_or_never_closed_is_named(stack: Stack, store: str, told: list[Receipt]):
    [episode] = episodes(stack, store)
    table, place = stack.settings.alerts_table, f"{told[1].upload_id}, {store} · Tea"
    with instead(stack, table, episode, None):
        assert named(stack, store) == [(What.ALERT_MISSING, place)]
    still_open = {name: value for name, value in episode.items() if not name.startswith("Closed")}
    with instead(stack, table, episode, still_open | {"Open": {"S": "open"}}):
        assert named(stack, store) == [(What.ALERT, place)]
    with besides(stack, table, episode | {"Position": {"S": episode["Position"]["S"] + "x"}}):
        assert named(stack, store) == [(What.ALERT_TOO_MANY, place)]


def test_an_alert_that_nobody_was_told_of_is_named_unless_a_failure_says_why(
    stack: Stack, store: str, told: list[Receipt]
):
    [episode] = episodes(stack, store)
    untold = {name: value for name, value in episode.items() if name not in ("NotifiedAt", "MessageId")}
    with instead(stack, stack.settings.alerts_table, episode, untold):
        assert named(stack, store) == [(What.NOT_NOTIFIED, f"{told[1].upload_id}, {store} · Tea")]
        name = f"{item_key(store, 'Tea')}#{episode['Position']['S']}"
        with besides(stack, stack.settings.failures_table, tables.to_item({"Kind": failures.NOTICE, "Id": name})):
            assert named(stack, store) == []


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ({"Held": "held", "Due": "2999-01-01T00:00:00.000000Z"}, []),
        ({"Held": "nobody sends it", "Due": "2026-01-01T00:00:00.000000Z"}, [What.NOT_NOTIFIED]),
        ({"DroppedAt": "2026-11-24T00:00:00.000000Z"}, []),
    ],
)
def test_an_alert_whose_message_is_held_or_was_dropped_is_not_lost_unless_it_is_long_overdue(
    stack: Stack, store: str, told: list[Receipt], says: dict[str, str], found: list[What]
):
    assert len(told) == 3
    [episode] = episodes(stack, store)
    untold = {name: value for name, value in episode.items() if name not in ("NotifiedAt", "MessageId")}
    with instead(stack, stack.settings.alerts_table, episode, untold | tables.to_item(says)):
        assert [what for what, _ in named(stack, store)] == found


def test_an_alert_that_was_dropped_and_is_open_is_named(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,0"))
    [episode] = episodes(stack, store)
    untold = {name: value for name, value in episode.items() if name not in ("NotifiedAt", "MessageId")}
    dropped = untold | tables.to_item({"DroppedAt": "2026-11-24T00:00:00.000000Z"})
    with instead(stack, stack.settings.alerts_table, episode, dropped):
        assert [what for what, _ in named(stack, store)] == [What.NOT_NOTIFIED]


DAY = "20261101T00000{}000000-00000000"
SECOND = "2026-11-01T00:00:0{}"


def image(second: int, count: int, upload: int | None = None) -> Raw:
    at, cause = f"{SECOND.format(second)}.000000Z", DAY.format(second if upload is None else upload)
    return tables.to_item({"Store": "Berlin", "Item": "Tea", "Count": count, "UpdatedAt": at, "UploadId": cause})


def chained(*images: Raw, at: int) -> list[Change]:
    """The changes that led from one image to the next, the last of them at a second."""
    pairs = enumerate(zip((None, *images), images, strict=False))
    moment = f"{SECOND.format(at)}.000000Z"
    return [Change(str(n), str(n), "MODIFY", moment, "Berlin", "Tea", old, new, None) for n, (old, new) in pairs]


def ground(loaded_at: dict[int, int]) -> Ground:
    """Uploads by the second of their ids, and when they were loaded."""
    known = {}
    for second, loaded in loaded_at.items():
        upload = Upload(DAY.format(second), Address("bucket", "uploads/x"), "x.csv")
        item = {"UploadId": upload.id, "Name": "x.csv", "LoadedAt": f"{SECOND.format(loaded)}.500000Z"}
        known[upload.id] = Known(upload, of_item(item), upload.time)
    return Ground(known, frozenset(), "2026-01-01T00:00:00.000000Z")


@pytest.mark.parametrize(
    ("loaded", "joined", "expected"),
    [(6, True, []), (5, True, []), (4, True, [What.TOO_MANY]), (6, False, [What.TOO_MANY])],
)
def test_a_second_record_of_a_row_is_right_only_over_what_stood_there_and_while_an_older_upload_was_applied(
    loaded: int, joined: bool, expected: list[What]
):
    """Uploads 2 and 3, an old count (1) by another, and 3 once more at second 5, when 2 had been loaded or not."""
    made = chained(image(2, 5), image(3, 7), image(1, 9), image(3, 7), at=5)
    if not joined:
        made[-1] = replace(made[-1], old=image(1, 8))
    rows = [Stated("Berlin", "Tea", DAY.format(3), 2, Decimal(7), None, "changed", Decimal(9))]
    facts = Facts("Berlin", "Tea", image(3, 7), rows, made)
    found = records.checked(facts, ground({1: 1, 2: loaded, 3: 4})).differences
    assert [one.what for one in found if one.where == facts.at(DAY.format(3))][:1] == expected


# --- any story of uploads agrees -------------------------------------------------------------------------------------


ROWS = st.lists(
    st.tuples(st.sampled_from(["Tea", "Bread"]), st.sampled_from(["0", "1", "2", "-1", "", "some"])),
    min_size=1, max_size=4,
)  # fmt: skip
FILES = st.tuples(st.sampled_from(list(OF_FILES)), ROWS, st.none() | st.integers(1, 9))


@given(
    st.lists(FILES, min_size=1, max_size=5).flatmap(lambda of: st.tuples(st.just(of), st.permutations(range(len(of)))))
)
@settings(max_examples=10, deadline=None)
def test_any_files_in_any_mode_and_order_agree(stack: Stack, story: tuple[list[Any], list[int]]):
    said, order = story
    store = f"Story {uuid.uuid4().hex[:10]}"
    made = [put(stack, written(store, rows, stated), mode) for mode, rows, stated in said]
    for n in order:
        load(stack.world, made[n], "test")
        load(stack.world, made[n], "and again")
    settle(stack, *made)
    assert look(stack, store).differences == ()


def written(store: str, rows: list[tuple[str, str]], stated: int | None) -> bytes:
    at = "" if stated is None else f",2026-11-0{stated}T00:00:00Z"
    return csv(store, *(f"{item},{count}{at}" for item, count in rows), header=TIMED if stated else "store,item,count")


@given(stories())
@settings(max_examples=10, deadline=None)
def test_any_interleaving_of_uploads_agrees(stack: Stack, other: World, story: tuple[list[Said], list[Step]]):
    said, steps = story
    store = f"Story {uuid.uuid4().hex[:10]}"
    made = [store_away(stack, store, n, one) for n, one in enumerate(said)]
    for step in steps:
        play(stack, other, step, made)
    settle(stack, *made)
    assert look(stack, store).differences == ()


# --- the result ------------------------------------------------------------------------------------------------------


ONE, TWO = (Difference(What.STOCK, f"Berlin · {item}", f"Berlin · {item} holds 36; …") for item in ("Tea", "Bread"))
FOUND = Result(
    "2026-11-24T00:00:00.000000Z", 1.5, "Berlin", 1204, 83112, 2400, 9000, 17, (ONE,), 3, ("20261124T1-a",), ("Gone.",)
)


def test_a_result_comes_back_from_json_as_it_was():
    assert verifying.of_json(json.loads(json.dumps(FOUND.as_json()))) == FOUND


def test_a_result_in_words_names_each_difference_and_what_was_not_looked_at():
    assert verifying.in_words(FOUND).splitlines() == [
        "1,204 uploads, 83,112 rows, 2,400 items: 4 differences.",
        "  stock: Berlin · Tea holds 36; ….",
        "  and 3 more.",
        "Not judged, as they are under way: the items of 1 upload: 20261124T1-a.",
        "Not checked: Gone.",
    ]


def test_what_only_one_of_two_looks_has_found_was_on_its_way():
    first, second = replace(FOUND, differences=(ONE,), more=0), replace(FOUND, differences=(ONE, TWO), more=0)
    assert verification.both(first, second).differences == (ONE,)
    assert verification.both(replace(first, more=1), second) == second


def test_so_many_differences_are_named_and_the_others_counted():
    judged = verification.Judged()
    judged.keep([ONE] * (verification.MOST + 2))
    assert (len(judged.differences), judged.more) == (verification.MOST, 2)

"""The whole way, for real: file -> S3 -> SQS -> loader -> DynamoDB -> stream -> recorder and checker -> SNS."""

import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from lambdas.fates import OF_FILES, Fate, Mode
from lambdas.stream import item_key
from services import alerts, changes, stock, uploads
from services.alerts import Episode
from services.follower import Follower
from services.stack import Stack
from tests import laws
from tests.conftest import csv, invoke, sent, told
from tests.records import record_of
from tests.topic import Listener
from tests.waiting import until

OLD, NEW = "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"
TIMED = "store,item,count,updated_at"


def episodes(stack: Stack, store: str) -> list[Episode]:
    return [one for one in alerts.history(stack) if one.store == store]


def test_the_story_of_the_class_and_each_upload_says_what_it_changed(stack: Stack, store: str):
    morning = csv(store, "Espresso,14", "Oat milk,36", "Rolls,0")
    first, again = sent(stack, morning), sent(stack, morning)
    stamped = sent(stack, morning, Mode.STAMP)
    older = sent(stack, csv(store, f"Espresso,99,{OLD}", f"Oat milk,99,{OLD}", header=TIMED))
    empty = csv(store, "Espresso,14", "Oat milk,0", "Rolls,24")
    out, out_again = sent(stack, empty), sent(stack, empty)
    story = [first, again, stamped, older, out, out_again]
    assert [told(one) for one in story] == [
        {"inserted": 3}, {"unchanged": 3}, {"touched": 3}, {"stale": 2},
        {"changed": 2, "unchanged": 1}, {"unchanged": 3},
    ]  # fmt: skip
    assert [one.records_seen for one in story] == [3, 0, 3, 0, 2, 0]
    assert [one.alerts for one in story] == [1, 0, 0, 0, 1, 0]
    assert {one.item: one.count for one in stock.of_store(stack, store)} == {
        "Espresso": Decimal(14), "Oat milk": Decimal(0), "Rolls": Decimal(24),
    }  # fmt: skip
    assert laws.broken(stack, store, story) == []


def test_four_uploads_in_three_modes_give_the_records_and_the_stock_that_the_lesson_tells(stack: Stack, store: str):
    items = ("Espresso", "Oat milk", "Rolls")
    first = [f"{item},10,{OLD}" for item in items]
    newer = [f"{item},20,{NEW}" for item in items]
    seen, final = {}, {}
    for mode in OF_FILES:
        place = f"{store} {mode}"
        files = [csv(place, *rows, header=TIMED) for rows in (first, first, newer, first)]
        told_by = [sent(stack, file, mode) for file in files]
        seen[mode] = sum(one.records_seen or 0 for one in told_by)
        final[mode] = {one.count for one in stock.of_store(stack, place)}
        assert laws.broken(stack, place, told_by) == []
    assert seen == {Mode.PLAIN: 9, Mode.STAMP: 12, Mode.NEWEST: 6}
    assert final == {Mode.PLAIN: {Decimal(10)}, Mode.STAMP: {Decimal(10)}, Mode.NEWEST: {Decimal(20)}}


def test_every_row_of_a_file_has_its_fate_and_the_rejected_say_why(stack: Stack, store: str):
    data = csv(store, "Tea,1", "Tea,2", "Bread,", "Milk,some", "Jam,5")
    receipt = sent(stack, data)
    assert told(receipt) == {"inserted": 2, "duplicate": 1, "rejected": 2}
    lines = uploads.rows(stack, receipt)
    assert [(line["row"], line["fate"]) for line in lines] == [
        (2, Fate.DUPLICATE), (3, Fate.INSERTED), (4, Fate.REJECTED), (5, Fate.REJECTED), (6, Fate.INSERTED),
    ]  # fmt: skip
    assert [(e["row"], e["column"], e["value"]) for e in uploads.errors(lines)] == [
        (4, "count", ""),
        (5, "count", "some"),
    ]


def test_a_blank_count_is_not_zero_and_a_missing_item_is_left_alone(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,1", "Bread,2"))
    sent(stack, csv(store, "Tea,"))
    assert [one.count for one in stock.of_store(stack, store)] == [Decimal(2), Decimal(1)]
    assert episodes(stack, store) == []


def test_bookkeeping_never_makes_an_unchanged_item_change(stack: Stack, store: str):
    first = sent(stack, csv(store, "Tea,1"))
    before = stock.of_store(stack, store)
    for mode in (Mode.NEWEST, Mode.PLAIN):
        sent(stack, csv(store, "Tea,1"), mode)
    assert stock.of_store(stack, store) == before
    assert before[0].upload_id == first.upload_id


@pytest.mark.parametrize("mode", list(OF_FILES))
def test_the_preview_tells_what_the_loader_then_does(stack: Stack, store: str, mode: Mode):
    sent(stack, csv(store, f"Tea,1,{NEW}", f"Bread,2,{NEW}", f"Jam,3,{NEW}", header=TIMED))
    data = csv(store, f"Tea,0,{OLD}", f"Bread,2,{NEW}", "Jam,4,2026-11-02", "Milk,0,2026-11-02", "Milk,", header=TIMED)
    foreseen, lines = uploads.preview(stack, "stock.csv", data, mode)
    receipt = sent(stack, data, mode)
    assert foreseen.fates == receipt.fates
    assert (foreseen.records_expected, foreseen.alerts) == (receipt.records_seen, receipt.alerts)
    assert [(one["row"], one["fate"]) for one in lines] == [
        (one["row"], one["fate"]) for one in uploads.rows(stack, receipt)
    ]


def test_a_file_dropped_into_the_bucket_is_an_upload_like_any_other(stack: Stack, store: str):
    key = f"uploads/till/{store} export.csv"
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=csv(store, "Tea,1"))
    [receipt] = dropped(stack, f"{store} export.csv", 1)
    assert told(receipt) == {"inserted": 1}
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=csv(store, "Tea,2"))
    both = dropped(stack, f"{store} export.csv", 2)
    assert [told(one) for one in both] == [{"changed": 1}, {"inserted": 1}]
    assert laws.broken(stack, store, both) == []


def dropped(stack: Stack, name: str, count: int) -> list[uploads.Receipt]:
    """The settled receipts of that file name, the latest first, once there are so many."""

    def found() -> list[uploads.Receipt]:
        named = [one for one in uploads.recent(stack) if one.file == name and one.settled]
        return named if len(named) == count else []

    return until(found)


def test_another_file_under_the_id_of_an_upload_does_not_get_into_its_receipt(stack: Stack, store: str):
    first = sent(stack, csv(store, "Tea,1"))
    key = f"uploads/{first.upload_id}/intruder of {store}.csv"
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=csv(store, "Tea,2"))
    [second] = dropped(stack, f"intruder of {store}.csv", 1)
    assert second.upload_id != first.upload_id
    assert uploads.receipt(stack, first.upload_id or "") == first


def test_a_file_that_can_not_be_used_ends_as_a_failed_receipt_with_the_reason(stack: Stack):
    receipt = sent(stack, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert (receipt.state, receipt.rows) == ("failed", 0)
    assert "Git LFS pointer" in (receipt.reason or "")


def test_one_alert_for_a_crossing_with_both_ends_and_one_message_in_plain_words(stack: Stack, store: str):
    with Listener(stack) as listener:
        full, empty = csv(store, "Tea,12"), csv(store, "Tea,0")
        sent(stack, full)
        ran_out = sent(stack, empty, name="evening.csv")
        sent(stack, empty)
        sent(stack, empty, Mode.STAMP)
        back = sent(stack, full)
        [episode] = episodes(stack, store)
        assert (episode.opened_by, episode.closed_by) == (ran_out.upload_id, back.upload_id)
        assert (episode.old_count, episode.new_count, episode.closed_count) == (12, 0, 12)
        sent(stack, empty)
        assert [one.state for one in episodes(stack, store)] == ["open", "closed"]
        messages = [text for text in listener.received(of=store, at_least=2) if store in text]
    assert messages[0] == (
        f"{store}: Tea is out of stock (12 -> 0). Caused by upload evening.csv ({ran_out.upload_id})."
    )
    assert len(messages) == 2


def test_a_stream_record_that_comes_again_is_one_change_one_count_and_one_alert(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,0", "Bread,1"))
    kept = changes.of_upload(stack, receipt.upload_id or "")
    event = {"Records": [record_of(stack, one.store, one.item, one.position) for one in kept]}
    for name in (stack.settings.recorder, stack.settings.checker):
        invoke(stack, name, event)
    assert changes.of_upload(stack, receipt.upload_id or "") == kept
    after = uploads.receipt(stack, receipt.upload_id or "")
    assert (after.records_seen, after.records_checked, after.alerts) == (2, 2, 1)
    assert len(episodes(stack, store)) == 1


def test_the_law_of_conservation_bites_when_a_write_that_changes_nothing_emits_a_record(stack: Stack, store: str):
    told_by = [sent(stack, csv(store, "Tea,5")), sent(stack, csv(store, "Tea,5"), Mode.PLAIN)]
    assert laws.broken(stack, store, told_by) == []
    [kept] = changes.of_item(stack, item_key(store, "Tea"))
    record = record_of(stack, kept.store, kept.item, kept.position) | {"eventID": "f" * 32, "eventName": "MODIFY"}
    record["dynamodb"]["OldImage"] = record["dynamodb"]["NewImage"]
    record["dynamodb"]["SequenceNumber"] = str(int(kept.sequence) + 1)
    invoke(stack, stack.settings.recorder, {"Records": [record]})
    assert laws.broken(stack, store, told_by) == ["2 stream records kept and 1 expected"]


def test_a_change_by_hand_is_kept_and_belongs_to_no_upload(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,5"))
    stack.dynamodb.update_item(
        TableName=stack.settings.inventory_table, Key={"Store": {"S": store}, "Item": {"S": "Tea"}},
        UpdateExpression="SET #count = :zero", ExpressionAttributeNames={"#count": "Count"},
        ExpressionAttributeValues={":zero": {"N": "0"}},
    )  # fmt: skip
    by_hand = until(lambda: changes.of_item(stack, item_key(store, "Tea"))[:-1])
    assert [(one.upload_id, one.old_count, one.new_count) for one in by_hand] == [(None, 5, 0)]
    [episode] = until(lambda: episodes(stack, store))
    assert episode.opened_by is None
    assert uploads.receipt(stack, receipt.upload_id or "").records_seen == 1


def test_the_mirror_follows_the_table_without_reading_it_again(stack: Stack, store: str):
    mirror = stock.Mirror(stack, every=0)
    sent(stack, csv(store, "Tea,5", "Bread,1"))
    mirror.refresh()
    sent(stack, csv(store, "Tea,6"))
    stack.dynamodb.delete_item(
        TableName=stack.settings.inventory_table, Key={"Store": {"S": store}, "Item": {"S": "Bread"}}
    )

    def mine() -> list[stock.Stocked]:
        mirror.refresh()
        return [one for one in mirror.items.values() if one.store == store]

    assert until(lambda: mine() if len(mine()) == 1 else None) == stock.of_store(stack, store)


def test_a_follower_gives_each_change_once_and_those_of_a_shard_that_lags_within_a_minute(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,5"))
    [kept] = changes.of_upload(stack, receipt.upload_id or "")
    moment = [0.0]
    follower = Follower(stack, lambda: moment[0])
    follower.start()
    assert follower.fresh() == []
    late = record_of(stack, kept.store, kept.item, kept.position) | {"eventID": uuid.uuid4().hex}
    late["dynamodb"]["ApproximateCreationDateTime"] -= 60
    invoke(stack, stack.settings.recorder, {"Records": [late]})
    sent(stack, csv(store, "Tea,6"))
    assert [one.new_count for one in follower.fresh()] == [6]
    moment[0] = 61.0
    assert [one.event_id for one in follower.fresh()] == [late["eventID"]]
    assert follower.fresh() == []


def test_a_follower_looks_back_the_rarer_the_longer_nothing_comes_in(stack: Stack, store: str):
    sent(stack, csv(store, *(f"Item {n},{n}" for n in range(30))))
    moment, read = [0.0], []
    own = replace(stack, dynamodb=stack.client("dynamodb"))
    own.dynamodb.meta.events.register("after-call.dynamodb.Query", lambda parsed, **_: read.extend(parsed["Items"]))

    def asked(at: float) -> int:
        """How many changes are read at a moment."""
        moment[0] = at
        read.clear()
        assert follower.fresh() == []
        return sum("ItemKey" in one for one in read)  # not markers

    follower = Follower(own, lambda: moment[0])
    follower.start()
    assert asked(1) >= 30
    assert asked(11) == 0
    far = [at for at in range(12, 1200, 12) if asked(at)]
    assert far == [72, 156, 324, 660]  # each twice as late as the one before, in steps of twelve seconds
    sent(stack, csv(store, "Item 7,0"))
    assert [one.new_count for one in follower.fresh()] == [0]
    assert asked(1201) > 0

"""What can not work holds nothing up and is not lost: it is kept, seen, and run again. What hangs is found."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest

from lambdas import answers, checking, mappings, notifying, receipts, times
from lambdas import failures as kept
from lambdas.loading import load
from lambdas.stream import item_key, of_record
from lambdas.sweeping import Sweeper
from lambdas.upload import PREFIX, Address, Upload, new_id, object_key, of_s3_record, s3_event
from services import alerts, changes, failures, stock, uploads
from services.errors import NotFound
from services.failures import Failure
from services.stack import Stack
from tests import laws
from tests.conftest import csv, forget_the_looks, invoke, sent, told
from tests.records import dynamo_change, record_of
from tests.topic import Listener
from tests.waiting import until


def about(stack: Stack, word: str) -> list[Failure]:
    return [one for one in failures.every(stack) if word in one.about or word in one.id]


# --- records that can not work -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("function", "kind"), [("recorder", kept.RECORD), ("checker", kept.CHECK)])
def test_a_record_that_can_never_work_is_kept_and_the_others_of_its_batch_go_on(
    stack: Stack, store: str, function: str, kind: str
):
    sent(stack, csv(store, "Tea,0", "Jam,0"))
    good = [record_of(stack, store, item) for item in ("Tea", "Jam")]
    bad = {"eventID": uuid.uuid4().hex, "eventName": "MODIFY", "dynamodb": {"Keys": {"Store": {"S": store}}}}
    for _ in range(2):  # it is delivered at least once
        invoke(stack, getattr(stack.settings, function), {"Records": [good[0], bad, good[1]]})
    [failure] = about(stack, bad["eventID"])
    assert (failure.kind, failures.payload(stack, failure.id)) == (kind, bad)
    assert "KeyError" in failure.reason
    assert "SequenceNumber" in failures.retry(stack, failure.id)
    [failure] = about(stack, bad["eventID"])
    assert failure.tries > 1
    assert failure.next_at
    assert failure.next_at > times.now()
    assert len([one for one in alerts.history(stack) if one.store == store]) == 2


def test_a_record_too_big_to_be_kept_blocks_nothing_and_can_be_read_again(stack: Stack, store: str):
    first = sent(stack, csv(store, "Tea,5"))
    for letter in "ab":  # old and new image together are more than an item of the Changes table holds
        stack.dynamodb.update_item(
            TableName=stack.settings.inventory_table, Key={"Store": {"S": store}, "Item": {"S": "Tea"}},
            UpdateExpression="SET Note = :note", ExpressionAttributeValues={":note": {"S": letter * 250_000}},
        )  # fmt: skip
    after = sent(stack, csv(store, "Jam,5"))
    assert (first.records_seen, after.records_seen) == (1, 1)
    [failure] = until(lambda: about(stack, store))
    assert (failure.about, failure.kind) == (f"{store} · Tea", kept.RECORD)
    record = failures.payload(stack, failure.id)
    assert record["dynamodb"]["NewImage"]["Note"]["S"][0] == "b"


def test_a_batch_that_the_stream_gave_up_becomes_its_records_and_each_can_be_run_again(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5", "Jam,0"))
    [tea] = changes.of_item(stack, item_key(store, "Tea"))
    [jam] = changes.of_item(stack, item_key(store, "Jam"))
    for one in (tea, jam):
        stack.dynamodb.delete_item(TableName=stack.settings.changes_table, Key=key_of(stack, store, one.item))
    arn = stack.dynamodb.describe_table(TableName=stack.settings.inventory_table)["Table"]["LatestStreamArn"]
    [shard] = stack.client("dynamodbstreams").describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    function = stack.client("lambda").get_function(FunctionName=stack.settings.recorder)["Configuration"]
    first, last = sorted((tea.sequence, jam.sequence), key=int)
    info = {"shardId": shard["ShardId"], "startSequenceNumber": first, "endSequenceNumber": last, "batchSize": 2}
    letter = {
        "requestContext": {"functionArn": function["FunctionArn"], "condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": info | {"streamArn": arn},
    }
    stack.client("sqs").send_message(QueueUrl=stack.settings.dead_letter_queue, MessageBody=json.dumps(letter))
    failed = until(lambda: found if len(found := about(stack, store)) == 2 else None)
    assert {one.kind for one in failed} == {kept.RECORD}
    assert [failures.retry(stack, one.id) for one in failed] == ["", ""]
    assert about(stack, store) == []
    assert changes.of_item(stack, item_key(store, "Tea")) == [tea]
    assert changes.of_item(stack, item_key(store, "Jam")) == [jam]


def key_of(stack: Stack, store: str, item: str) -> dict[str, Any]:
    found = dynamo_change(stack, store, item)
    return {name: found[name] for name in ("Bucket", "Position")}


def test_an_opening_that_is_checked_late_is_closed_by_what_came_after_it(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,0"))
    opening = record_of(stack, store, "Tea")
    [episode] = stack.dynamodb.query(
        TableName=stack.settings.alerts_table, KeyConditionExpression="ItemKey = :item",
        ExpressionAttributeValues={":item": {"S": item_key(store, "Tea")}},
    )["Items"]  # fmt: skip
    key = {name: episode[name] for name in ("ItemKey", "Position")}
    stack.dynamodb.delete_item(TableName=stack.settings.alerts_table, Key=key)  # as if it had never been checked
    kept.keep(stack.world, kept.CHECK, opening["eventID"], "on purpose", opening)
    closing = sent(stack, csv(store, "Tea,4"))
    assert failures.retry(stack, f"{kept.CHECK}/{opening['eventID']}") == ""
    [episode] = [one for one in alerts.history(stack) if one.store == store]
    assert (episode.opened_by, episode.closed_by) == (receipt.upload_id, closing.upload_id)


def test_an_unreadable_message_is_kept_and_can_be_sent_again(stack: Stack):
    word = uuid.uuid4().hex
    stack.client("sqs").send_message(QueueUrl=stack.settings.dead_letter_queue, MessageBody=f"no JSON {word}")
    failed = until(lambda: [one for one in failures.every(stack) if one.kind == kept.MESSAGE])
    [body] = [said["body"] for one in failed if word in (said := failures.payload(stack, one.id))["body"]]
    assert body == f"no JSON {word}"
    for one in failed:
        kept.mended(stack.world, one.kind, one.id.partition("/")[2])


def test_what_has_not_failed_can_not_be_run_again(stack: Stack, store: str):
    with pytest.raises(NotFound, match="list of failures"):
        failures.retry(stack, "nonsense")
    assert failures.retry(stack, f"file/{sent(stack, csv(store, 'Tea,1')).upload_id}") == "It has not failed."


# --- notifications -------------------------------------------------------------------------------------------------


def test_a_notification_that_is_refused_holds_up_no_alert_and_is_sent_later_once(stack: Stack, store: str):
    nowhere = replace(stack.world, settings=replace(stack.settings, topic=f"{stack.settings.topic}-gone"))
    receipt = sent(stack, csv(store, "Tea,5"))
    record = record_of(stack, store, "Tea") | {"eventID": uuid.uuid4().hex, "eventName": "MODIFY"}
    record["dynamodb"] |= {"OldImage": record["dynamodb"]["NewImage"], "SequenceNumber": str(10**29)}
    record["dynamodb"]["NewImage"] = record["dynamodb"]["OldImage"] | {
        "Count": {"N": "0"}, "UploadId": {"S": receipt.upload_id + "x"},
    }  # fmt: skip
    with Listener(stack) as listener:
        checking.check(nowhere, stack.client("sns"), [of_record(record)])
        [episode] = [one for one in alerts.open_now(stack) if one.store == store]
        assert episode.notified_at is None
        [failure] = about(stack, store)
        assert (failure.kind, "does not exist" in failure.reason or "NotFound" in failure.reason) == (kept.NOTICE, True)
        assert failures.retry(stack, failure.id) == ""
        assert failures.retry(stack, failure.id) == ""  # a second click
        said = [text for text in listener.received(of=store, at_least=1) if store in text]
    assert len(said) == 1
    assert "may repeat" not in said[0]
    [episode] = [one for one in alerts.open_now(stack) if one.store == store]
    assert episode.notified_at
    assert about(stack, store) == []


# --- files ---------------------------------------------------------------------------------------------------------


@contextmanager
def unheard(stack: Stack) -> Iterator[None]:
    """The bucket tells nobody of what is put into it."""
    names = {"Bucket": stack.settings.bucket}
    told = stack.s3.get_bucket_notification_configuration(**names)
    told.pop("ResponseMetadata")
    stack.s3.put_bucket_notification_configuration(**names, NotificationConfiguration={})
    try:
        yield
    finally:
        stack.s3.put_bucket_notification_configuration(**names, NotificationConfiguration=told)


def test_files_that_nobody_was_told_of_are_found_in_the_bucket_and_loaded_once_in_their_order(stack: Stack, store: str):
    with unheard(stack):
        ids = []
        for count in (5, 7, 9):
            upload_id = new_id()
            ids.append(upload_id)
            body, key = csv(store, f"Tea,{count}"), object_key(upload_id, "lost.csv")
            stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=body, Metadata={"mode": "plain"})
        second = csv(f"{store} second", "Tea,1")  # another version under an upload's own key is an upload of its own
        stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=second)
        for count in (1, 2):  # two versions of one name
            body = csv(f"{store} till", f"Tea,{count}")
            made = stack.s3.put_object(Bucket=stack.settings.bucket, Key=f"{PREFIX}till/{store}.csv", Body=body)
            version = made["VersionId"]
    forget_the_looks(stack)
    failures.sweep(stack)  # or that of the minute was here first
    assert until(lambda: [one.count for one in stock.of_store(stack, f"{store} second")]) == [1]
    for upload_id in ids:
        *_, receipt = uploads.follow(stack, upload_id)
        assert receipt.state == "loaded"
    assert [one.count for one in stock.of_store(stack, store)] == [9]
    dropped = [one for one in uploads.recent(stack, 1000) if one.file == f"{store}.csv"]
    dropped = [list(uploads.follow(stack, one.upload_id or ""))[-1] for one in dropped]
    assert [told(one) for one in dropped] == [{"changed": 1}, {"inserted": 1}]
    assert laws.broken(stack, f"{store} till", dropped) == []
    forget_the_looks(stack)
    assert failures.sweep(stack)["lost"] == 0
    late = {"key": f"{PREFIX}till/{quote_plus(store)}.csv", "versionId": version, "sequencer": "0055AED6DCD90281E5"}
    told_late = {"s3": {"bucket": {"name": stack.settings.bucket}, "object": late}, "eventTime": "2026-11-01T00:00:00Z"}
    load(stack.world, of_s3_record(told_late), "late")  # S3's own word of it, at last
    assert len([one for one in uploads.recent(stack, 1000) if one.file == f"{store}.csv"]) == 2


def hanging(stack: Stack, store: str) -> Upload:
    key = f"trial/{store}.csv"
    made = stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=csv(store, "Tea,5"))
    address = Address(stack.settings.bucket, key, made.get("VersionId"))
    upload = Upload(f"20261101T000000000000-{uuid.uuid4().hex[:8]}", address, "hangs.csv")
    receipts.received(stack.dynamodb, stack.settings.uploads_table, upload, 1)
    return upload


def test_an_upload_that_hangs_is_driven_again_and_in_the_end_visibly_failed(stack: Stack, store: str):
    for _ in range(3):  # the sweep of each minute may come first, and count it: but not time after time
        upload = hanging(stack, store)
        counted = failures.sweep(stack)["driven"]
        # The loader takes no file from elsewhere than uploads/: it will not end, and is tried with ever longer pauses.
        found = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload.id) or {}
        assert (found["Drives"], found["Waiting"]) == (1, receipts.LOADER)
        if counted:
            break
        receipts.trouble(stack.dynamodb, stack.settings.uploads_table, upload.id, "of a test", last=True)
    assert counted >= 1
    failures.sweep(stack)
    again = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload.id) or {}
    assert again["Drives"] == 1
    for seconds, drives in ((270, 1), (400, 2)):  # the second pause is twice as long
        driven(stack, upload.id, 1, times.later(times.now(), seconds=-seconds))
        failures.sweep(stack)
        again = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload.id) or {}
        assert again["Drives"] == drives
    driven(stack, upload.id, 6, "2026-11-01T00:00:00.000000Z")
    failures.sweep(stack)
    [failure] = about(stack, upload.id)
    assert (failure.kind, "It hung" in failure.reason) == ("file", True)
    assert uploads.receipt(stack, upload.id).state == "failed"


def test_an_upload_that_hangs_is_driven_again_although_a_message_that_was_held_can_not_be_told(
    stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: Any) -> int:
        raise ValueError("rubbish among what is held")

    monkeypatch.setattr(notifying, "send_held", fails)
    upload = Upload(f"20261101T000000000000-{uuid.uuid4().hex[:8]}", Address("elsewhere", store), "hangs.csv")
    receipts.received(stack.dynamodb, stack.settings.uploads_table, upload, 1)
    sweeper = Sweeper(stack.world, stack.client("sqs"), stack.client("sns"), lambda: 10.0)
    with pytest.raises(ValueError, match="rubbish"):
        sweeper.sweep(everything=False)
    found = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload.id) or {}
    assert found["Drives"] == 1
    receipts.trouble(stack.dynamodb, stack.settings.uploads_table, upload.id, "of a test", last=True)


def driven(stack: Stack, upload_id: str, times_over: int, at: str) -> None:
    """The receipt as it is when an upload was driven again so often, the last time then."""
    stack.dynamodb.update_item(
        TableName=stack.settings.uploads_table, Key={"UploadId": {"S": upload_id}},
        UpdateExpression="SET Drives = :count, DrivenAt = :then",
        ExpressionAttributeValues={":count": {"N": str(times_over)}, ":then": {"S": at}},
    )  # fmt: skip


def test_a_file_that_failed_is_run_again_under_its_own_id(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,5"))
    upload_id = receipt.upload_id or ""
    stack.dynamodb.update_item(
        TableName=stack.settings.uploads_table, Key={"UploadId": {"S": upload_id}},
        UpdateExpression="REMOVE LoadedAt, Parts, Done, Edition SET FailedAt = :now, Waiting = :help, Reason = :why",
        ExpressionAttributeValues={
            ":now": {"S": times.now()}, ":help": {"S": receipts.HELP}, ":why": {"S": "on purpose"},
        },
    )  # fmt: skip
    [failure] = about(stack, upload_id)
    assert (failure.kind, failure.reason, failure.about) == ("file", "on purpose", "stock.csv")
    assert failures.payload(stack, failure.id)["Key"].endswith("stock.csv")
    assert failures.retry(stack, failure.id) == ""
    *_, after = uploads.follow(stack, upload_id)
    assert (after.fates, after.records_seen) == (receipt.fates, 1)
    assert about(stack, upload_id) == []


def test_a_file_whose_loader_broke_off_every_time_has_visibly_failed(stack: Stack):
    upload_id = new_id()
    address = Address(stack.settings.bucket, object_key(upload_id, "breaks.csv"))
    upload = Upload(upload_id, address, "breaks.csv")
    receipts.start(stack.dynamodb, stack.settings.uploads_table, upload, "killed")
    body = json.dumps(s3_event(upload))
    stack.client("sqs").send_message(QueueUrl=stack.settings.dead_letter_queue, MessageBody=body)
    until(lambda: uploads.receipt(stack, upload_id).state == "failed")
    assert "broke off at every one of 5 tries" in (uploads.receipt(stack, upload_id).reason or "")


def test_what_was_answered_goes_on_although_the_answer_was_lost_on_the_way(stack: Stack, store: str):
    name = f"till {uuid.uuid4().hex[:8]}.csv"
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=f"uploads/till/{name}", Body=b"item,count\nTea,3\n")
    waits = until(lambda: next((one for one in uploads.waiting(stack) if one.file == name), None))
    answers.keep(stack.world, waits.upload_id or "", mappings.AUTO, store)
    failures.sweep(stack)
    receipt = until(lambda: one if (one := uploads.receipt(stack, waits.upload_id or "")).state == "loaded" else None)
    assert (told(receipt), receipt.store) == ({"inserted": 1}, store)

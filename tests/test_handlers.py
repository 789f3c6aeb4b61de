"""The deployed Lambdas, called with events as AWS documents them (tests/events)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lambdas import sweeper
from lambdas.stream import item_key
from lambdas.upload import of_s3_record
from services import alerts, changes, failures, stock, uploads
from services.stack import Stack
from tests.conftest import csv, invoke
from tests.waiting import until

EVENTS = Path(__file__).parent / "events"


MINUTE = f"{datetime.now(UTC):%Y-%m-%dT%H:%M}"


def event(name: str, stack: Stack, store: str) -> dict[str, Any]:
    """One of AWS's events, of this minute, with our bucket and a store of the test's own."""
    text = (EVENTS / f"{name}.json").read_text().replace("BUCKET", stack.settings.bucket).replace("STORE", store)
    text = text.replace("2026-11-23T09:00", MINUTE).replace("17638884", f"{datetime.now(UTC).timestamp():.0f}"[:8])
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
def store(store: str) -> str:
    return store.replace(" ", "")  # it stands in an object's key


def test_the_test_event_that_s3_sends_first_is_taken_and_makes_no_upload(stack: Stack, store: str):
    before = uploads.recent(stack, 1000)
    answer = invoke(stack, stack.settings.loader, event("s3_test_event", stack, store))
    assert answer == {"batchItemFailures": []}
    assert uploads.recent(stack, 1000) == before


def test_a_folder_made_in_the_s3_console_is_no_upload(stack: Stack, store: str):
    before = uploads.recent(stack, 1000)
    made = event("s3_two_files", stack, store)
    [message] = made["Records"]
    message["body"] = message["body"].replace("caf%C3%A9+stock+%26+more.csv", "").replace("gone.csv", "")
    assert invoke(stack, stack.settings.loader, made) == {"batchItemFailures": []}
    assert uploads.recent(stack, 1000) == before


def test_a_message_with_two_files_and_an_encoded_key_makes_two_uploads(stack: Stack, store: str):
    key = f"uploads/{store}/café stock & more.csv"
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=csv(store, "Tea,1"))
    made = event("s3_two_files", stack, store)
    answer = invoke(stack, stack.settings.loader, made)
    assert answer == {"batchItemFailures": []}
    both = [of_s3_record(one) for one in json.loads(made["Records"][0]["body"])["Records"]]
    found = {upload.name: uploads.receipt(stack, upload.id) for upload in both}
    assert found["café stock & more.csv"].state == "loaded"
    assert found["gone.csv"].state == "failed"
    assert "no longer in the bucket" in (found["gone.csv"].reason or "")
    assert [one.count for one in stock.of_store(stack, store)] == [1]


def test_a_batch_with_an_insert_a_modify_a_remove_and_a_ttl_delete(stack: Stack, store: str):
    batch = event("stream_batch", stack, store)
    for function in (stack.settings.recorder, stack.settings.checker, stack.settings.recorder, stack.settings.checker):
        invoke(stack, function, batch)
    tea = changes.of_item(stack, item_key(store, "Tea"))
    assert [(one.event, one.old_count, one.new_count) for one in tea] == [
        ("REMOVE", 0, None), ("MODIFY", 12, 0), ("INSERT", None, 12),
    ]  # fmt: skip
    [gone] = changes.of_item(stack, item_key(store, "Bread"))
    assert (gone.event, gone.user) == ("REMOVE", "dynamodb.amazonaws.com")
    [episode] = [one for one in alerts.history(stack) if one.store == store]
    assert (episode.old_count, episode.new_count, episode.state, episode.closed_count) == (12, 0, "closed", None)


@pytest.fixture
def handle(stack: Stack) -> Iterator[str]:
    """The receipt handle of a message that was taken from the queue, while the loader does not listen to it."""
    sqs, functions, queue = stack.client("sqs"), stack.client("lambda"), stack.settings.queue
    sources = functions.list_event_source_mappings(FunctionName=stack.settings.loader)["EventSourceMappings"]
    [source] = [one for one in sources if queue.endswith(one["EventSourceArn"].rpartition(":")[2])]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    [message] = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    yield message["ReceiptHandle"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)


@pytest.mark.parametrize(("tries", "states"), [("1", ["loading", "received"]), ("5", ["failed", "failed"])])
def test_what_goes_wrong_stands_on_the_receipt_and_after_the_last_try_the_upload_has_failed(
    stack: Stack, store: str, handle: str, tries: str, states: list[str]
):
    text = json.dumps(event("s3_two_files", stack, store)).replace(stack.settings.bucket, "a-bucket-that-is-not-there")
    trouble = json.loads(text)
    [message] = trouble["Records"]
    message["attributes"]["ApproximateReceiveCount"], message["receiptHandle"] = tries, handle
    answer = invoke(stack, stack.settings.loader, trouble)
    assert answer == {"batchItemFailures": [{"itemIdentifier": message["messageId"]}]}
    both = map(of_s3_record, json.loads(message["body"])["Records"])
    for upload, state in zip(both, states, strict=True):  # the run never got to the second one
        receipt = uploads.receipt(stack, upload.id)
        assert (receipt.state, receipt.file) == (state, upload.name)
        assert f"Try {tries} of 5 failed: An error occurred (NoSuchBucket)" in (receipt.reason or "")
    failed = {one.id for one in failures.every(stack)}
    assert (f"{failures.FILE}/{upload.id}" in failed) == (state == "failed")


@pytest.mark.parametrize("function", ["loader", "recorder", "checker"])
def test_a_call_without_records_only_warms_a_function_up(stack: Stack, function: str):
    answer = invoke(stack, getattr(stack.settings, function), {"Records": []})
    assert answer in (None, {"batchItemFailures": []})


def test_metrics_that_are_switched_off_are_never_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Powertools keeps what it does not print, and prints a hundred of it in spite of being switched off."""
    for off, lines in (("true", 0), ("false", 101)):
        monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", off)
        for _ in range(101):
            sweeper.measure({"Hanging": 1}, "a-sweeper")
        assert len(capsys.readouterr().out.splitlines()) == lines

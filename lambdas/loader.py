"""The loader: S3 says through the queue that a file has come; load it."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import BotoCoreError, ClientError

from lambdas import receipts, tables
from lambdas.handling import client, logger_of, world
from lambdas.heartbeat import beating
from lambdas.loading import load, load_part
from lambdas.receipts import Delivery
from lambdas.upload import PREFIX, Upload, of_s3_record, part_of, s3_event

RETRY_SECONDS = 20
_BEATS = 4  # while a message stays hidden: so many may go wrong
_TOGETHER = 10  # messages that SQS takes at once
logger = logger_of("loader")


class Processor(BatchProcessor):
    """Says on the receipt what went wrong, whatever it was, before the message goes back to the queue."""

    def failure_handler(self, record: Any, exception: Any) -> Any:
        _trouble(record, exception[1])
        return super().failure_handler(record, exception)


processor = Processor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> Any:
    logger.info("messages: %d", len(event["Records"]))
    if not event["Records"]:  # a call that only warms the function up: making the clients is the slow part
        world()
        return {"batchItemFailures": []}
    return process_partial_response(event, record_handler=_message, processor=processor, context=context)


def _message(record: SQSRecord, lambda_context: Any) -> None:
    """One message of the queue: an S3 notification, or the test event that S3 sends first."""
    seconds, delivery = int(world().settings.visible_seconds), Delivery(record.message_id, _tries(record))
    with beating(lambda: _hide(record, seconds), seconds / _BEATS):
        for upload, part in _uploads(record):
            what = upload.name if part is None else f"part {part} of {upload.name}"
            logger.info("loading %s", what, upload_id=upload.id)
            rest = None
            if part is not None:
                load_part(world(), upload, part)
            else:
                run, left = lambda_context.aws_request_id, lambda: _time_left(lambda_context)
                rest = load(world(), upload, run, left, delivery, _hand_out)
            if rest:
                _go_on(rest)
            logger.info("%s %s", "to go on with" if rest else "done with", what, upload_id=upload.id)


def _tries(record: SQSRecord) -> int:
    return int(record.attributes.approximate_receive_count or 1)


def _time_left(lambda_context: Any) -> float:
    return float(lambda_context.get_remaining_time_in_millis()) / 1000


def _go_on(upload: Upload) -> None:
    """The time of this run is up: another one takes the upload up where this one leaves it."""
    client("sqs").send_message(QueueUrl=world().settings.queue, MessageBody=json.dumps(s3_event(upload)))


def _hand_out(upload: Upload, numbers: Sequence[int]) -> None:
    """Parts of a big file: each may be loaded by another run. They have a queue of their own, so that no file waits for
    them."""
    logger.info("handing out %d parts of %s", len(numbers), upload.name, upload_id=upload.id)
    for some in tables.chunks(numbers, _TOGETHER):
        entries = [{"Id": str(number), "MessageBody": json.dumps(s3_event(upload, number))} for number in some]
        answer = client("sqs").send_message_batch(QueueUrl=world().settings.parts_queue, Entries=entries)
        if refused := answer.get("Failed"):
            raise tables.Busy(f"SQS refused {len(refused)} parts of {upload.name}: {refused[0].get('Message')}")


def _uploads(record: SQSRecord) -> Iterator[tuple[Upload, int | None]]:
    """The files of a message, or the number of a part of one; a key that ends in a slash is what the S3 console makes
    for a folder."""
    found = ((of_s3_record(one), part_of(one)) for one in json.loads(record.body).get("Records", []))
    return ((upload, part) for upload, part in found if upload.address.key.startswith(PREFIX) and upload.name)


def _trouble(record: SQSRecord, error: BaseException) -> None:
    """Say what went wrong, and let the message come back soon, not after the queue's whole timeout."""
    names, tries = world().settings, _tries(record)
    logger.error("try %d failed", tries, exc_info=error)
    _hide(record, RETRY_SECONDS * tries)
    reason = f"Try {tries} of {names.tries} failed: {error}"
    for upload in _named(record):
        # The run may have broken off before it could say whose receipt this is.
        own = receipts.received(world().dynamodb, names.uploads_table, upload)
        receipts.trouble(world().dynamodb, names.uploads_table, own, reason, last=tries >= int(names.tries))


def _named(record: SQSRecord) -> list[Upload]:
    try:
        return [upload for upload, _ in _uploads(record)]
    except (ValueError, KeyError, TypeError, AttributeError):  # no S3 notification: that is what is wrong with it
        return []


def _hide(record: SQSRecord, seconds: int) -> None:
    """Let the message come back in so many seconds. It matters only to how soon: what goes wrong is only logged."""
    try:
        client("sqs").change_message_visibility(
            QueueUrl=_queue(record), ReceiptHandle=record.receipt_handle, VisibilityTimeout=seconds
        )
    except (BotoCoreError, ClientError) as error:
        logger.warning("the message could not be kept hidden: %s", error)


def _queue(record: SQSRecord) -> str:
    """The address of the queue that the message came from."""
    name, parts = record.event_source_arn.rpartition(":")[2], world().settings.parts_queue
    return parts if parts.endswith(f"/{name}") else world().settings.queue

"""The loader: S3 says through the queue that a file has come; load it."""

import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas import receipts, settings
from lambdas.loading import World, load
from lambdas.upload import PREFIX, Upload, of_s3_record

RETRY_SECONDS = 20
logger = Logger(service="loader")


@cache
def world() -> World:
    """Made at the first event, not at import, and kept for the life of the process."""
    return World(boto3.client("dynamodb"), boto3.client("s3"), settings.from_env(os.environ))


class Processor(BatchProcessor):
    """Says on the receipt what went wrong, whatever it was, before the message goes back to the queue."""

    def failure_handler(self, record: Any, exception: Any) -> Any:
        for upload in _uploads(record):
            _trouble(record, upload, exception[1])
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
    for upload in _uploads(record):
        logger.info("loading %s", upload.name, upload_id=upload.id)
        upload_id = load(world(), upload, lambda_context.aws_request_id)
        logger.info("done with %s", upload.name, upload_id=upload_id)


def _uploads(record: SQSRecord) -> Iterator[Upload]:
    """The files of a message; a key that ends in a slash is what the S3 console makes for a folder."""
    found = map(of_s3_record, json.loads(record.body).get("Records", []))
    return (upload for upload in found if upload.address.key.startswith(PREFIX) and upload.name)


def _trouble(record: SQSRecord, upload: Upload, error: BaseException) -> None:
    """Say what went wrong, and let the message come back soon, not after the queue's whole timeout."""
    names, tries = world().settings, int(record.attributes.approximate_receive_count or 1)
    logger.error("try %d failed", tries, upload_id=upload.id, exc_info=error)
    reason = f"Try {tries} of {names.tries} failed: {error}"
    receipts.trouble(world().dynamodb, names.uploads_table, upload.id, reason, last=tries >= int(names.tries))
    boto3.client("sqs").change_message_visibility(
        QueueUrl=names.queue, ReceiptHandle=record.receipt_handle, VisibilityTimeout=RETRY_SECONDS * tries
    )

"""The loader: S3 says through the queue that a file has come; load it."""

import json
import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import BotoCoreError, ClientError

from lambdas import receipts, settings, tables
from lambdas.loading import World, load
from lambdas.upload import PREFIX, Upload, of_s3_record

logger = Logger(service="loader")
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@cache
def world() -> World:
    """Made at the first event, not at import, and kept for the life of the process."""
    return World(boto3.client("dynamodb"), boto3.client("s3"), settings.from_env(os.environ))


def handler(event: dict[str, Any], context: Any) -> Any:
    logger.info("%d messages", len(event["Records"]))
    if not event["Records"]:  # a call that only warms the function up
        return {"batchItemFailures": []}
    return process_partial_response(event, record_handler=_message, processor=processor, context=context)


def _message(record: SQSRecord, lambda_context: Any) -> None:
    """One message of the queue: an S3 notification, or the test event that S3 sends first."""
    tries = int(record.attributes.approximate_receive_count or 1)
    for s3_record in json.loads(record.body).get("Records", []):
        upload = of_s3_record(s3_record)
        if upload.address.key.startswith(PREFIX):
            _load(upload, lambda_context.aws_request_id, tries)


def _load(upload: Upload, request_id: str, tries: int) -> None:
    logger.info("loading %s", upload.name, upload_id=upload.id)
    try:
        upload_id = load(world(), upload, request_id)
    except (ClientError, BotoCoreError, tables.Busy) as error:
        names = world().settings
        last = tries >= int(names.tries)
        logger.exception("try %d failed", tries, upload_id=upload.id)
        receipts.trouble(world().dynamodb, names.uploads_table, upload.id, f"Try {tries}: {error}", last=last)
        raise
    logger.info("done with %s", upload.name, upload_id=upload_id)

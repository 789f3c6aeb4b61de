"""The recorder: each stream record becomes a change, once."""

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from lambdas import recording, settings
from lambdas.stream import of_record

logger = Logger(service="recorder")


@cache
def dynamodb() -> Any:
    return boto3.client("dynamodb")


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    """An error is raised for the whole batch, which is then delivered again: everything here is safe to repeat."""
    logger.info("stream records: %d", len(event["Records"]))
    try:
        counts = recording.record(dynamodb(), settings.from_env(os.environ), map(of_record, event["Records"]))
    except Exception:  # whatever it is, the run is to show as failed, with its request's id
        logger.exception("the batch failed and will be delivered again")
        raise
    for upload_id, count in counts.items():
        logger.info("changes kept: %d", count, upload_id=upload_id)

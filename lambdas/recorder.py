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


def handler(event: dict[str, Any], _context: Any) -> None:
    """An error is raised for the whole batch, which is then delivered again: everything here is safe to repeat."""
    logger.info("%d stream records", len(event["Records"]))
    changes = map(of_record, event["Records"])
    counts = recording.record(dynamodb(), settings.from_env(os.environ), changes)
    for upload_id, count in counts.items():
        logger.info("kept %d changes", count, upload_id=upload_id)

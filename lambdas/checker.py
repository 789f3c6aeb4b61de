"""The checker: the stream tells which items ran out or came back; open and close their alerts."""

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from lambdas import checking, settings
from lambdas.stream import of_record

logger = Logger(service="checker")


@cache
def clients() -> tuple[Any, Any]:
    return boto3.client("dynamodb"), boto3.client("sns")


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    """An error is raised for the whole batch, which is then delivered again: everything here is safe to repeat."""
    logger.info("stream records: %d", len(event["Records"]))
    try:
        opened = checking.check(*clients(), settings.from_env(os.environ), map(of_record, event["Records"]))
    except Exception:  # whatever it is, the run is to show as failed, with its request's id
        logger.exception("the batch failed and will be delivered again")
        raise
    for upload_id, count in opened.items():
        logger.info("alerts opened: %d", count, upload_id=upload_id)

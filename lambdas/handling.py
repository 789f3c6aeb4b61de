"""What the Lambdas' handlers share: the world of a process, and the two stream handlers' way with a batch."""

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from lambdas import batch, failures, settings
from lambdas.isolation import Record, each_half
from lambdas.world import World, dynamodb


@cache
def world() -> World:
    """Made at the first event, not at import, and kept for the life of the process."""
    return World(dynamodb(boto3.client("dynamodb")), boto3.client("s3"), settings.from_env(os.environ))


@cache
def client(service: Any) -> Any:
    return boto3.client(service)


@cache
def sns() -> Any:
    """Without boto3's own retries: a message that is sent again is to say so."""
    return boto3.client("sns", config=Config(retries={"total_max_attempts": 1}))


def logger_of(service: str) -> Logger:
    """A Lambda's logger: a line of JSON for each thing that it says, whatever name from a file is in there."""
    return Logger(service=service, json_serializer=as_line)


def as_line(said: Any) -> str:
    """JSON without what ends a line. JSON leaves three of these as they are, and the embedded engine parts a log there:
    a name could end our line and begin one of its own."""
    text = json.dumps(said, default=str, ensure_ascii=False, separators=(",", ":"))
    return text.translate({0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"})


def in_order(
    event: dict[str, Any], kind: str, work: Callable[[Sequence[Record]], dict[str | None, int]], logger: Logger
) -> Counter[str | None]:
    """``work`` on a batch of stream records; how many of each upload it counts.

    What may work later is raised for the whole batch, which is then delivered again; a record that can never work is
    kept as a failure of this kind, and the others go on.
    """
    counts: Counter[str | None] = Counter()

    def keep(record: Record, error: Exception) -> None:
        logger.error("a record can't be worked on", exc_info=error)
        failures.keep(world(), kind, failures.name_of(record), f"{type(error).__name__}: {error}", record)

    try:
        records = event["Records"]
        logger.info("stream records: %d", len(records), **batch.told(records))  # the Pipeline page reads how far behind
        for result in each_half(records, work, keep):
            counts.update(result)
    except Exception:  # whatever it is, the run is to show as failed, with its request's id
        logger.exception("the batch failed and will be delivered again")
        raise
    return counts

"""What the work is done on: boto3 clients, and the names of the stack's resources. Knows nothing of what is done."""

from dataclasses import dataclass
from typing import Any

from lambdas import spending, wire
from lambdas.settings import Settings


@dataclass(frozen=True, slots=True)
class World:
    """DynamoDB and S3, as boto3 clients, and the names."""

    dynamodb: Any
    s3: Any
    settings: Settings


def dynamodb(client: Any) -> Any:
    """A DynamoDB client as a World has it: quick with batches, and metered."""
    return spending.watched(wire.plain(client))

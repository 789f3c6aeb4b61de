"""Batches of DynamoDB items, until every one has been taken: what the tables' own modules share.

Owns the retrying of what DynamoDB leaves undone under load. Knows nothing of what the items mean.
Items are attribute values, as boto3's client gives and takes them.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

T = TypeVar("T")
R = TypeVar("R")
Item = Mapping[str, Any]

THREADS = 4
_ATTEMPTS = 12
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class Busy(Exception):
    """DynamoDB kept refusing a part of the work for about half a minute; what called may be run again."""


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attribute values of plain Python ones; a None is left out."""
    return {name: _serialize(value) for name, value in values.items() if value is not None}


def from_item(item: Item) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in item.items()}


def chunks(things: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(things)
    while chunk := list(islice(rest, size)):
        yield chunk


def each(work: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """``work`` on every thing, a few at a time; results in order; the first error is raised."""
    context = copy_context()  # so that a meter counts what is done here as well
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda thing: context.copy().run(work, thing), things))


def wait(attempt: int) -> None:
    """Pause before the next attempt: exponential, with jitter, at most 5 s. Raises Busy after the last one."""
    if attempt >= _ATTEMPTS:
        raise Busy(f"DynamoDB refused a part of the work {attempt} times in a row")
    time.sleep(random.uniform(0.5, 1) * min(5.0, 0.02 * 2**attempt))  # noqa: S311 (jitter, no secret)


def batch_get(client: Any, table: str, keys: Sequence[Item]) -> list[Item]:
    """The items of these keys that exist, read consistently, in no order."""
    return [item for found in each(lambda part: _get_all(client, table, part), chunks(keys, 100)) for item in found]


def _get_all(client: Any, table: str, keys: Sequence[Item]) -> list[Item]:
    found: list[Item] = []
    attempt = 0
    while keys:
        answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        found += answer["Responses"].get(table, [])
        keys = answer["UnprocessedKeys"].get(table, {}).get("Keys", [])
        if keys:
            attempt += 1
            wait(attempt)
    return found


def batch_put(client: Any, table: str, items: Iterable[Item]) -> None:
    """Put every item, without a condition. Two items of one batch must not have one key."""
    each(lambda part: _put_all(client, table, part), chunks(items, 25))


def _put_all(client: Any, table: str, items: Sequence[Item]) -> None:
    requests: Any = [{"PutRequest": {"Item": item}} for item in items]
    attempt = 0
    while requests:
        requests = client.batch_write_item(RequestItems={table: requests})["UnprocessedItems"].get(table, [])
        if requests:
            attempt += 1
            wait(attempt)


def count(client: Any, table: str, **question: Any) -> int:
    """How many items a Query would answer with."""
    pages = client.get_paginator("query").paginate(TableName=table, Select="COUNT", **question)
    return sum(page["Count"] for page in pages)


def query(client: Any, table: str, *, limit: int | None = None, **question: Any) -> Iterator[Item]:
    """Every item that a Query answers with, page after page, at most ``limit``."""
    pages = client.get_paginator("query").paginate(
        TableName=table, PaginationConfig={"MaxItems": limit, "PageSize": limit}, **question
    )
    for page in pages:
        yield from page["Items"]

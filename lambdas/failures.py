"""The Failures table: what could not be done and is not lost, with the reason, to be seen and run again.

Owns the shape of a failure. A file that fails stands on its own receipt. Knows nothing of how a failure is run again.

A failure: Kind and Id are the key, so that the same one again is the same item; About (`Berlin · Tea`), Reason,
FailedAt (first), TriedAt (last), Tries, NextAt (when it is tried by itself; none after the last time), and its Payload
as JSON, or where that is big, the key of an object of the bucket: PayloadKey.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from lambdas import objects, tables, times
from lambdas.world import World

RECORD, CHECK, NOTICE, MESSAGE = "record", "check", "notice", "message"
"""A stream record that was not kept, one that was not checked for alerts, a notification, a message of a queue."""
KINDS = (RECORD, CHECK, NOTICE, MESSAGE)
_BIG = 200_000  # an item holds 400 KB
_TRIES = 8  # by itself, after 1, 2, 4, … minutes: about four hours
Failure = dict[str, Any]


def keep(world: World, kind: str, failure_id: str, reason: str, payload: Any) -> None:
    """Keep a failure, or that it failed once more."""
    text = json.dumps(payload)
    held: dict[str, Any] = {"Payload": text}
    if len(text) > _BIG:
        held = {"PayloadKey": f"{objects.FAILURES}{kind}/{hashlib.sha256(failure_id.encode()).hexdigest()}.json"}
        objects.put(world, held["PayloadKey"], payload)
    before, now = get(world, kind, failure_id) or {}, times.now()
    tries = int(before.get("Tries", -1)) + 1
    held |= {"Kind": kind, "Id": failure_id, "Reason": reason[:1000], "Tries": tries}
    held |= {"About": _about(payload)}
    held |= {"FailedAt": before.get("FailedAt", now), "TriedAt": now}
    held |= {"NextAt": times.later(now, minutes=2**tries)} if tries < _TRIES else {}
    world.dynamodb.put_item(TableName=world.settings.failures_table, Item=tables.to_item(held))


def get(world: World, kind: str, failure_id: str) -> Failure | None:
    key = tables.to_item({"Kind": kind, "Id": failure_id})
    answer = world.dynamodb.get_item(TableName=world.settings.failures_table, Key=key, ConsistentRead=True)
    return tables.from_item(answer["Item"]) if "Item" in answer else None


def payload(world: World, failure: Failure) -> Any:
    """What failed, as JSON has it."""
    return objects.get(world, failure["PayloadKey"]) if "PayloadKey" in failure else json.loads(failure["Payload"])


def mended(world: World, kind: str, failure_id: str) -> None:
    """It went well at last."""
    key = tables.to_item({"Kind": kind, "Id": failure_id})
    world.dynamodb.delete_item(TableName=world.settings.failures_table, Key=key)


def every(world: World, limit: int | None = None) -> Iterator[Failure]:
    """The failures, kind by kind: a Query each, of a table that is empty while all goes well."""
    for kind in KINDS:
        yield from of_kind(world, kind, limit)


def of_kind(world: World, kind: str, limit: int | None = None) -> Iterator[Failure]:
    found = tables.query(
        world.dynamodb, world.settings.failures_table, limit=limit, ConsistentRead=True,
        KeyConditionExpression="Kind = :kind", ExpressionAttributeValues=tables.to_item({":kind": kind}),
    )  # fmt: skip
    return map(tables.from_item, found)


def _about(payload: Any) -> str | None:
    """Whose stream record it is, where that can be read."""
    try:
        keys = payload.get("record", payload)["dynamodb"]["Keys"]
        return f"{keys['Store']['S']} · {keys['Item']['S']}"
    except (KeyError, TypeError, AttributeError):
        return None


def name_of(record: Any) -> str:
    """The id under which a stream record fails: its event's, or what it consists of where it has none."""
    said = record.get("eventID") if isinstance(record, dict) else None
    return said if isinstance(said, str) and said else hashlib.sha256(json.dumps(record).encode()).hexdigest()

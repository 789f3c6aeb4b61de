"""The Alerts table: an episode for each time an item ran out, and its notification.

Owns the shape of an episode and the writes that keep it to one a crossing. Knows nothing of receipts.

An episode: ItemKey and Position (of the stream record that opened it) are the key, so the same record again is the same
episode; Store, Item, Month, OpenedAt, OpenedBy (upload), OldCount, NewCount; NotifiedAt and MessageId once SNS took it;
ClosedAt, ClosedBy, ClosedCount, ClosedPosition once it ended; and, while it is open, Open (of the index of open ones).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambdas import alerts, tables, times
from lambdas.stream import Change, item_key

Episode = dict[str, Any]
OPEN = "open"
_AT_ONCE = 10  # SNS takes ten messages a call


class NotSent(Exception):
    """SNS did not take a notification; the batch is to be delivered again."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The Alerts table and the topic."""

    dynamodb: Any
    sns: Any
    table: str
    topic: str


def open_one(ledger: Ledger, change: Change) -> bool:
    """Open the episode of this crossing. Whether its notification is still to be sent."""
    key = {"ItemKey": item_key(change.store, change.item), "Position": change.position}
    episode = key | {
        "Store": change.store, "Item": change.item, "Month": change.at[:7], "OpenedAt": change.at,
        "OpenedBy": change.upload_id, "OldCount": change.old_count, "NewCount": change.new_count, "Open": OPEN,
    }  # fmt: skip
    try:
        ledger.dynamodb.put_item(
            TableName=ledger.table, Item=tables.to_item(episode), ConditionExpression="attribute_not_exists(ItemKey)"
        )
    except ledger.dynamodb.exceptions.ConditionalCheckFailedException:
        found = ledger.dynamodb.get_item(TableName=ledger.table, Key=tables.to_item(key), ConsistentRead=True)
        return "NotifiedAt" not in found["Item"]
    return True


def close_one(ledger: Ledger, change: Change) -> None:
    """End the episode that was open before this change, if it has not ended yet."""
    before = tables.query(
        ledger.dynamodb, ledger.table, limit=1, ConsistentRead=True, ScanIndexForward=False,
        KeyConditionExpression="ItemKey = :item AND #position < :now",
        ExpressionAttributeNames={"#position": "Position"},
        ExpressionAttributeValues=tables.to_item(
            {":item": item_key(change.store, change.item), ":now": change.position}
        ),
    )  # fmt: skip
    for episode in before:
        _end(ledger, {name: episode[name] for name in ("ItemKey", "Position")}, change)


def _end(ledger: Ledger, key: dict[str, Any], change: Change) -> None:
    ends = {"ClosedAt": change.at, "ClosedBy": change.upload_id, "ClosedCount": change.new_count}
    ends = {name: value for name, value in (ends | {"ClosedPosition": change.position}).items() if value is not None}
    try:
        ledger.dynamodb.update_item(
            TableName=ledger.table, Key=key,
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in ends) + " REMOVE #open",
            ConditionExpression="attribute_not_exists(ClosedAt)", ExpressionAttributeNames={"#open": "Open"},
            ExpressionAttributeValues=tables.to_item({f":{name}": value for name, value in ends.items()}),
        )  # fmt: skip
    except ledger.dynamodb.exceptions.ConditionalCheckFailedException:
        return  # this same record, delivered again


def notify(ledger: Ledger, changes: Sequence[Change], names: dict[str | None, str]) -> None:
    """Send each opened episode's message and mark it as sent. NotSent when SNS refused any.

    ``names``: what to call each upload.
    """
    refused = []
    for part in tables.chunks(changes, _AT_ONCE):
        entries = [_entry(str(n), change, names) for n, change in enumerate(part)]
        answer = ledger.sns.publish_batch(TopicArn=ledger.topic, PublishBatchRequestEntries=entries)
        for sent in answer["Successful"]:
            _mark(ledger, part[int(sent["Id"])], sent["MessageId"])
        refused += answer.get("Failed", [])
    if refused:
        raise NotSent(f"SNS refused {len(refused)} of {len(changes)} notifications, the first: {refused[0]}")


def _entry(number: str, change: Change, names: dict[str | None, str]) -> dict[str, Any]:
    words = alerts.message(change.store, change.item, change.old_count, change.new_count, names.get(change.upload_id))
    store = {"DataType": "String", "StringValue": change.store}
    subject = alerts.subject(change.store, change.item)
    return {"Id": number, "Subject": subject, "Message": words, "MessageAttributes": {"store": store}}


def _mark(ledger: Ledger, change: Change, message_id: str) -> None:
    ledger.dynamodb.update_item(
        TableName=ledger.table,
        Key=tables.to_item({"ItemKey": item_key(change.store, change.item), "Position": change.position}),
        UpdateExpression="SET NotifiedAt = :now, MessageId = :id",
        ExpressionAttributeValues=tables.to_item({":now": times.now(), ":id": message_id}),
    )

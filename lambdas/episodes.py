"""The Alerts table: an episode for each time an item ran out.

Owns the shape of an episode and the writes that keep it to one a crossing. Knows nothing of receipts or of SNS.

An episode: ItemKey and Position (of the stream record that opened it) are the key, so the same record again is the same
episode; Sequence (of that record), Store, Item, Month, OpenedAt, OpenedBy (upload), OldCount, NewCount; NotifiedAt and
MessageId once SNS took it; ClosedAt, ClosedBy, ClosedCount, ClosedPosition once it ended; and, while it is open, Open
(of the index of open ones).
"""

from typing import Any

from lambdas import tables, times
from lambdas.stream import Change, item_key
from lambdas.world import World

OPEN = "open"
_LATEST = 25  # episodes of an item that are looked through for the open one


def open_one(world: World, change: Change) -> bool:
    """Open the episode of this crossing. Whether its notification is still to be sent."""
    episode = _key(change) | {
        "Sequence": change.sequence, "Store": change.store, "Item": change.item, "Month": change.at[:7],
        "OpenedAt": change.at, "OpenedBy": change.upload_id, "OldCount": change.old_count,
        "NewCount": change.new_count, "Open": OPEN,
    }  # fmt: skip
    try:
        world.dynamodb.put_item(
            TableName=world.settings.alerts_table, Item=tables.to_item(episode),
            ConditionExpression="attribute_not_exists(ItemKey)",
        )  # fmt: skip
    except world.dynamodb.exceptions.ConditionalCheckFailedException:
        return to_notify(world, change)
    return True


def to_notify(world: World, change: Change) -> bool:
    """Whether there is an episode of this crossing whose notification has not been sent."""
    key = tables.to_item(_key(change))
    found = world.dynamodb.get_item(TableName=world.settings.alerts_table, Key=key, ConsistentRead=True)
    return "Item" in found and "NotifiedAt" not in found["Item"]


def close_one(world: World, change: Change) -> None:
    """End the episode that was open before this change, if it has not ended yet."""
    latest = tables.query(
        world.dynamodb, world.settings.alerts_table, limit=_LATEST, ConsistentRead=True, ScanIndexForward=False,
        KeyConditionExpression="ItemKey = :item",
        ExpressionAttributeValues=tables.to_item({":item": item_key(change.store, change.item)}),
    )  # fmt: skip
    for episode in map(tables.from_item, latest):
        if int(episode["Sequence"]) < int(change.sequence):  # the stream's order, whatever a clock said
            _end(world, {name: episode[name] for name in ("ItemKey", "Position")}, change)
            return


def _end(world: World, key: dict[str, Any], change: Change) -> None:
    ends = {"ClosedAt": change.at, "ClosedBy": change.upload_id, "ClosedCount": change.new_count}
    ends = {name: value for name, value in (ends | {"ClosedPosition": change.position}).items() if value is not None}
    try:
        world.dynamodb.update_item(
            TableName=world.settings.alerts_table, Key=tables.to_item(key),
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in ends) + " REMOVE #open",
            ConditionExpression="attribute_not_exists(ClosedAt)", ExpressionAttributeNames={"#open": "Open"},
            ExpressionAttributeValues=tables.to_item({f":{name}": value for name, value in ends.items()}),
        )  # fmt: skip
    except world.dynamodb.exceptions.ConditionalCheckFailedException:
        return  # this same record, delivered again


def notified(world: World, change: Change, message_id: str) -> None:
    """SNS took the notification."""
    world.dynamodb.update_item(
        TableName=world.settings.alerts_table,
        Key=tables.to_item(_key(change)),
        UpdateExpression="SET NotifiedAt = :now, MessageId = :id",
        ExpressionAttributeValues=tables.to_item({":now": times.now(), ":id": message_id}),
    )


def _key(change: Change) -> dict[str, Any]:
    return {"ItemKey": item_key(change.store, change.item), "Position": change.position}

"""The Alerts table: an episode for each time an item ran out, or was low.

Owns the shape of an episode and the writes that keep it to one a crossing. Knows nothing of receipts or of SNS. What is
besides with those of items that are low is in `lambdas.lows`.

An episode: ItemKey and Position (of the stream record that opened it; a low one's ends in #low) are the key, so the
same record again is the same episode; Kind; Sequence (of that record), Store, Item, Month, OpenedAt, OpenedBy (upload),
OldCount, NewCount; NotifiedAt and MessageId once SNS took it; ClosedAt, ClosedBy, ClosedCount, ClosedPosition once it
ended; while it is open, Open (of the index of open ones); and once a person said so, AcknowledgedAt and Note. While
its notification waits: Held and Due (of the index of held ones), until when; HeldFor (`quiet` or `flapping`) stays.
DroppedAt: it had ended when its message could have gone, and none was sent. ToldCount: see `tell_low`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lambdas import tables, times
from lambdas.alerts import THRESHOLD, Kind
from lambdas.stream import Change, item_key
from lambdas.world import World

OPEN, HELD = "open", "held"
LOW_ENDS = "#low"
BY_OUT, BY_POINT = "out", "point"
"""Quiet, of a low one: the message that the item is out tells of it; not the stock moved, but its reorder point."""
_LATEST = 100  # episodes of an item that are looked through for the open one


@dataclass(frozen=True, slots=True)
class Opening:
    """What an episode begins with: a change, and the reorder point that its item is low by; without one it is out."""

    change: Change
    point: Decimal | None = None

    @property
    def kind(self) -> Kind:
        return Kind.OUT if self.point is None else Kind.LOW

    @property
    def position(self) -> str:
        """Of the episode. One change may begin two, and theirs differ."""
        return position(self.change, self.kind)

    @property
    def name(self) -> str:
        """The episode's, among all: its item and its position."""
        return f"{item_key(self.change.store, self.change.item)}#{self.position}"


def open_one(world: World, change: Change) -> bool:
    """Open the episode of this item that ran out. Whether its notification is still to be sent."""
    try:
        world.dynamodb.put_item(
            TableName=world.settings.alerts_table, Item=tables.to_item(of_change(change, Kind.OUT)),
            ConditionExpression="attribute_not_exists(ItemKey)",
        )  # fmt: skip
    except world.dynamodb.exceptions.ConditionalCheckFailedException:
        return to_notify(world, Opening(change))
    return True


def of_change(change: Change, kind: Kind) -> dict[str, Any]:
    """The open episode that begins with a change."""
    return _key(change, kind) | {
        "Kind": kind.value, "Sequence": change.sequence, "Store": change.store, "Item": change.item,
        "Month": change.at[:7], "OpenedAt": change.at, "OpenedBy": change.upload_id, "OldCount": change.old_count,
        "NewCount": change.new_count, "Open": OPEN,
    }  # fmt: skip


def to_notify(world: World, opening: Opening) -> bool:
    """Whether there is an episode of this whose notification is to be sent, and not sent, held or dropped."""
    return untold(world, opening) is not None


def untold(world: World, opening: Opening) -> dict[str, Any] | None:
    """The same episode, or None."""
    found = get(world, item_key(opening.change.store, opening.change.item), opening.position)
    return (
        found if found is not None and found.keys().isdisjoint({"NotifiedAt", "Quiet", "Held", "DroppedAt"}) else None
    )


def get(world: World, of_item: str, position: str) -> dict[str, Any] | None:
    """An episode by its key, read consistently."""
    key = tables.to_item({"ItemKey": of_item, "Position": position})
    found = world.dynamodb.get_item(TableName=world.settings.alerts_table, Key=key, ConsistentRead=True)
    return tables.from_item(found["Item"]) if "Item" in found else None


def latest(world: World, store: str, item: str, kind: Kind) -> Iterator[dict[str, Any]]:
    """An item's episodes of a kind, newest first, read consistently. Those that say no kind are of an item that is
    out."""
    found = tables.query(
        world.dynamodb, world.settings.alerts_table, limit=_LATEST, ConsistentRead=True, ScanIndexForward=False,
        KeyConditionExpression="ItemKey = :item",
        ExpressionAttributeValues=tables.to_item({":item": item_key(store, item)}),
    )  # fmt: skip
    return (one for one in map(tables.from_item, found) if one.get("Kind", Kind.OUT) == kind)


def close_one(world: World, change: Change) -> None:
    """End the episode of an item that is out that was open before this change, if it has not ended yet."""
    for episode in latest(world, change.store, change.item, Kind.OUT):
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


def notified(world: World, opening: Opening, message_id: str) -> None:
    """SNS took the notification."""
    world.dynamodb.update_item(
        TableName=world.settings.alerts_table,
        Key=tables.to_item(_key(opening.change, opening.kind)),
        UpdateExpression="SET NotifiedAt = :now, MessageId = :id REMOVE Held, Due",
        ExpressionAttributeValues=tables.to_item({":now": times.now(), ":id": message_id}),
    )


def openings(world: World, opening: Opening, since: str) -> int:
    """How many episodes of its item, and of its kind, opened from a time on until this one, with it. One that a reorder
    point opened does not count: the stock did not move."""
    change, low = opening.change, opening.kind is Kind.LOW
    asked = {":item": item_key(change.store, change.item), ":since": since, ":until": opening.position}
    asked |= {":low": Kind.LOW.value} | ({":point": BY_POINT} if low else {})
    of_low = "Kind = :low AND (attribute_not_exists(Quiet) OR Quiet <> :point)"
    return tables.count(
        world.dynamodb, world.settings.alerts_table, ConsistentRead=True,
        KeyConditionExpression="ItemKey = :item AND #position BETWEEN :since AND :until",
        FilterExpression=of_low if low else "attribute_not_exists(Kind) OR Kind <> :low",
        ExpressionAttributeNames={"#position": "Position"}, ExpressionAttributeValues=tables.to_item(asked),
    )  # fmt: skip


def hold(world: World, opening: Opening, due: str, reason: str) -> None:
    """Its notification waits. One that was sent or dropped meanwhile stays so."""
    _told(
        world, opening, "SET Held = :held, Due = :due, HeldFor = :for", {":held": HELD, ":due": due, ":for": reason},
        "attribute_exists(ItemKey) AND attribute_not_exists(NotifiedAt) AND attribute_not_exists(DroppedAt)",
    )  # fmt: skip


def held(world: World, until: str = "~") -> Iterator[dict[str, Any]]:
    """The episodes whose notifications wait, and until that time at most; the first due first."""
    found = tables.query(
        world.dynamodb, world.settings.alerts_table, IndexName="ByHeld",
        KeyConditionExpression="Held = :held AND Due <= :until",
        ExpressionAttributeValues=tables.to_item({":held": HELD, ":until": until}),
    )  # fmt: skip
    return map(tables.from_item, found)


def take(world: World, episode: Mapping[str, Any], until: str) -> dict[str, Any] | None:
    """Take on a held one: nobody else does until then. The episode as it is now; None: it is no longer to be had."""
    return _told(
        world, opening_of(episode), "SET Due = :until", {":until": until, ":due": episode["Due"]},
        "attribute_exists(Held) AND Due = :due",
    )  # fmt: skip


def drop(world: World, opening: Opening) -> None:
    """It has ended, and nobody is to be told of it any more."""
    _told(world, opening, "SET DroppedAt = :now REMOVE Held, Due", {":now": times.now()}, "attribute_exists(Held)")


def tell_low(world: World, episode: Mapping[str, Any]) -> None:
    """Nobody was told that this item was out, and it no longer is. The low episode that the same change opened counted
    on that message: if it is still open, it is held for one of its own, which is due, and tells of the count that the
    item came back to."""
    if "ClosedCount" not in episode:  # it was taken away
        return
    low = Opening(opening_of(episode).change, THRESHOLD)  # whatever its point: it is only looked for
    values = {":held": HELD, ":now": times.now(), ":for": episode["HeldFor"], ":count": episode["ClosedCount"]}
    _told(
        world, low, "SET Held = :held, Due = :now, HeldFor = :for, ToldCount = :count REMOVE Quiet",
        values | {":out": BY_OUT}, "Quiet = :out AND attribute_not_exists(ClosedAt)",
    )  # fmt: skip


def release(world: World, opening: Opening) -> None:
    """It waits no longer here: SNS refused it, and it is kept as a failure."""
    _told(world, opening, "REMOVE Held, Due", {}, "attribute_exists(Held)")


def release_unread(world: World, episode: Mapping[str, Any]) -> None:
    """The same of one that ``opening_of`` can't read."""
    key = {name: episode[name] for name in ("ItemKey", "Position")}
    _set(world, key, "REMOVE Held, Due", {}, "attribute_exists(Held)")


def _told(
    world: World, opening: Opening, update: str, values: Mapping[str, Any], condition: str
) -> dict[str, Any] | None:  # fmt: skip
    return _set(world, _key(opening.change, opening.kind), update, values, condition)


def _set(
    world: World, key: Mapping[str, Any], update: str, values: Mapping[str, Any], condition: str
) -> dict[str, Any] | None:  # fmt: skip
    """The episode after this; None when the condition did not hold."""
    more = {"ExpressionAttributeValues": tables.to_item(values)} if values else {}
    try:
        after = world.dynamodb.update_item(
            TableName=world.settings.alerts_table, Key=tables.to_item(key),
            UpdateExpression=update, ConditionExpression=condition, ReturnValues="ALL_NEW", **more,
        )  # fmt: skip
    except world.dynamodb.exceptions.ConditionalCheckFailedException:
        return None
    return tables.from_item(after["Attributes"])


def opening_of(episode: Mapping[str, Any]) -> Opening:
    """What an episode began with, as far as its notification needs the images.

    An error when it is of another shape than this module writes: then a hand wrote it.
    """
    at, _, event_id = episode["Position"].removesuffix(LOW_ENDS).split("#", 2)
    old = {"Count": episode["OldCount"]} if "OldCount" in episode else None
    new = {"Count": episode.get("ToldCount", episode.get("NewCount")), "UploadId": episode.get("OpenedBy")}
    change = Change(
        event_id, episode["Sequence"], "INSERT" if old is None else "MODIFY", at, episode["Store"], episode["Item"],
        old and tables.to_item(old), tables.to_item(new), None,
    )  # fmt: skip
    opening = Opening(change, episode.get("Point"))
    if opening.name != f"{episode['ItemKey']}#{episode['Position']}":
        raise ValueError(f"{episode['ItemKey']} has no episode that begins with {episode['Position']}")
    return opening


def position(change: Change, kind: Kind) -> str:
    """The place of the episode that begins with a change."""
    return change.position if kind is Kind.OUT else f"{change.position}{LOW_ENDS}"


def _key(change: Change, kind: Kind) -> dict[str, Any]:
    return {"ItemKey": item_key(change.store, change.item), "Position": position(change, kind)}

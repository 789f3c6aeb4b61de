"""Alerts: the episodes, open and past, and that somebody has seen one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import islice
from typing import Any

from lambdas import episodes, lows, tables, times
from lambdas.alerts import Kind
from lambdas.episodes import OPEN
from lambdas.stream import item_key, of_item_key
from services import audit
from services.access import Right, needs
from services.changes import number
from services.errors import NotFound, mapped
from services.stack import Stack

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Episode:
    """A time that an item was out of stock (``kind`` `out`), or low (`low`). Closed when ``closed_at`` is there.

    ``point``: the reorder point that it was low by. ``quiet``: why it has no message of its own: `out`, the message
    that the item is out tells of it; `point`, not the stock moved, but its reorder point. ``closed_how`` `point`: the
    reorder point ended it. ``acknowledged_at``: somebody has seen it, and perhaps left a ``note``.
    """

    store: str
    item: str
    opened_at: str
    opened_by: str | None  # upload id; None: no upload caused it
    old_count: Decimal | None
    new_count: Decimal | None
    closed_at: str | None
    closed_by: str | None
    closed_count: Decimal | None
    notified_at: str | None
    message_id: str | None
    position: str = ""
    kind: Kind = Kind.OUT
    point: Decimal | None = None
    quiet: str | None = None
    closed_how: str | None = None
    acknowledged_at: str | None = None
    note: str | None = None
    held_for: str | None = None  # what its message waits for, or waited for: quiet, flapping
    due: str | None = None  # until when it waits; None: it does not
    dropped_at: str | None = None  # it had ended by then, and no message was sent

    @property
    def state(self) -> str:
        return "closed" if self.closed_at else "open"

    @property
    def is_low(self) -> bool:
        return self.kind is Kind.LOW

    @property
    def by_point(self) -> bool:
        """Whether not the stock moved, but its reorder point."""
        return self.quiet == lows.POINT

    @property
    def unsent(self) -> bool:
        """Whether its message is still to be sent, at once or, if ``due`` says so, later."""
        return not (self.notified_at or self.quiet or self.dropped_at)

    def as_json(self) -> dict[str, Any]:
        shown = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("position", "quiet")}
        counts = {name: number(shown[name]) for name in ("old_count", "new_count", "closed_count", "point")}
        return {"state": self.state} | shown | counts | {"kind": self.kind.value, "by_point": self.by_point}


def of_values(item: dict[str, Any]) -> Episode:
    """The episode that an item of the Alerts table is."""
    return Episode(
        item["Store"], item["Item"], item["OpenedAt"], item.get("OpenedBy"), item.get("OldCount"),
        item.get("NewCount"), item.get("ClosedAt"), item.get("ClosedBy"), item.get("ClosedCount"),
        item.get("NotifiedAt"), item.get("MessageId"), item["Position"], Kind(item.get("Kind", Kind.OUT)),
        item.get("Point"), item.get("Quiet"), item.get("ClosedHow"), item.get("AcknowledgedAt"), item.get("Note"),
        item.get("HeldFor"), item.get("Due"), item.get("DroppedAt"),
    )  # fmt: skip


@mapped
@needs(Right.SEE)
def open_now(stack: Stack, limit: int | None = None) -> list[Episode]:
    """The open episodes of both kinds, newest first."""
    return list(islice(_seen(stack, "ByOpen", "Open", OPEN, limit), limit))


@mapped
@needs(Right.SEE)
def held(stack: Stack) -> list[Episode]:
    """The episodes whose messages wait, the first due first."""
    return stack.person.only(of_values(item) for item in episodes.held(stack.world))


@mapped
@needs(Right.SEE)
def history(stack: Stack, limit: int = 200) -> list[Episode]:
    """Open and closed episodes of both kinds of the last 13 months, by when they opened, newest first."""
    found: list[Episode] = []
    for month in times.months_back(times.now(), 13):
        found += islice(_seen(stack, "ByMonth", "Month", month, limit - len(found)), limit - len(found))
        if len(found) >= limit:
            break
    return found


@mapped
@needs(Right.SEE)
def of_upload(stack: Stack, upload_id: str) -> list[Episode]:
    """The episodes of both kinds that an upload opened, newest first."""
    return list(_seen(stack, "ByUpload", "OpenedBy", upload_id, None))


@mapped
@needs(Right.MANAGE)
def acknowledge(stack: Stack, episode: Episode, note: str = "") -> None:
    """Somebody has seen an open episode, which stays open. Said again it takes the new note.

    Raises NotFound when it has ended meanwhile.
    """
    stack.person.must(Right.MANAGE, [episode.store])
    said = {":now": times.now(), ":note": note.strip()[:LONGEST_NOTE]}
    audit.note(stack, audit.Did.ACKNOWLEDGED, store=episode.store, item=episode.item, note=note.strip())
    try:
        stack.dynamodb.update_item(
            TableName=stack.settings.alerts_table,
            Key=tables.to_item({"ItemKey": item_key(episode.store, episode.item), "Position": episode.position}),
            UpdateExpression="SET AcknowledgedAt = :now, Note = :note", ConditionExpression="attribute_exists(#open)",
            ExpressionAttributeNames={"#open": "Open"}, ExpressionAttributeValues=tables.to_item(said),
        )  # fmt: skip
    except stack.dynamodb.exceptions.ConditionalCheckFailedException as error:
        raise NotFound(f"The alert of {episode.store} · {episode.item} has ended meanwhile.") from error


def once(found: Iterable[Episode]) -> list[Episode]:
    """Open episodes with each item once, in their order: one that is out is low as well, and out is what is told."""
    found = list(found)
    out = {(one.store, one.item) for one in found if not one.is_low}
    return [one for one in found if not one.is_low or (one.store, one.item) not in out]


def _seen(stack: Stack, index: str, key: str, value: str, limit: int | None) -> Iterator[Episode]:
    """Those of the person's stores. Of all stores no more is asked for than the limit; of some, until it is reached."""
    found = _of(stack, index, key, value, limit if stack.person.stores is None else None)
    return (one for one in found if stack.person.sees(one.store))


def _of(stack: Stack, index: str, key: str, value: str, limit: int | None) -> Iterator[Episode]:
    found = tables.query(
        stack.dynamodb, stack.settings.alerts_table, limit=limit, IndexName=index, ScanIndexForward=False,
        KeyConditionExpression="#key = :key", ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues=tables.to_item({":key": value}),
    )  # fmt: skip
    return (of_values(tables.from_item(item)) for item in found)


@mapped
@needs(Right.SEE)
def around(stack: Stack, item_key: str, position: str, limit: int = 10) -> tuple[list[Episode], list[Episode]]:
    """An item's episodes of before a change, the latest first, and those from it on, the first one first."""
    stack.person.must(Right.SEE, [of_item_key(item_key)[0]])
    before = _by_position(stack, item_key, "<", position, limit)
    return before, _by_position(stack, item_key, ">=", position, limit)


def _by_position(stack: Stack, item_key: str, which: str, position: str, limit: int) -> list[Episode]:
    found = tables.query(
        stack.dynamodb, stack.settings.alerts_table, limit=limit, ConsistentRead=True, ScanIndexForward=which != "<",
        KeyConditionExpression=f"ItemKey = :item AND #position {which} :position",
        ExpressionAttributeNames={"#position": "Position"},
        ExpressionAttributeValues=tables.to_item({":item": item_key, ":position": position}),
    )  # fmt: skip
    return [of_values(tables.from_item(item)) for item in found]


@mapped
@needs(Right.SEE)
def of_item(stack: Stack, item_key: str, limit: int = 100) -> list[Episode]:
    """An item's episodes, newest first. ``item_key``: `Berlin/Echo%20Dot`."""
    stack.person.must(Right.SEE, [of_item_key(item_key)[0]])
    found = tables.query(
        stack.dynamodb, stack.settings.alerts_table, limit=limit, ScanIndexForward=False,
        KeyConditionExpression="ItemKey = :item", ExpressionAttributeValues=tables.to_item({":item": item_key}),
    )  # fmt: skip
    return [of_values(tables.from_item(item)) for item in found]

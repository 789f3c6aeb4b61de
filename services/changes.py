"""Changes: the stream records that were kept, asked by time, by item and by upload.

Every question is a Query on a key. The dashboard never reads the stream itself: its two readers are the Lambdas.
"""

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, islice
from typing import Any, NamedTuple

from lambdas import tables, times
from lambdas.recording import MARKERS, change_of
from lambdas.stream import SHARDS, Change, of_item_key, shard_of
from services.access import Right, needs
from services.errors import mapped
from services.stack import Stack

_MARKERS_AT_ONCE = 64
_LOOKED_THROUGH = 1_000
"""So many changes at a time, for those of some stores."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A change. Counts are None where there was, or is, no item; ``upload_id`` None: no upload caused it."""

    position: str
    event_id: str
    sequence: str
    event: str  # INSERT, MODIFY, REMOVE
    at: str
    store: str
    item: str
    old_count: Decimal | None
    new_count: Decimal | None
    upload_id: str | None
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    user: str | None

    def as_json(self) -> dict[str, Any]:
        names = ("event_id", "sequence", "event", "at", "store", "item")
        shown = {name: getattr(self, name) for name in names} | {"upload_id": self.upload_id}
        shown |= {"old_count": number(self.old_count), "new_count": number(self.new_count)}
        return shown | {"old": plain(self.old), "new": plain(self.new)}


class Counted(NamedTuple):
    """What a change did to a count, and no more: there may be millions. None as in ``Seen``."""

    event_id: str
    position: str
    store: str
    item: str
    old_count: Decimal | None
    new_count: Decimal | None
    upload_id: str | None
    event: str = "MODIFY"

    @property
    def at(self) -> str:
        return self.position.split("#", 1)[0]

    @classmethod
    def of(cls, one: "Seen | Change") -> "Counted":
        event = one.event if isinstance(one, Seen) else one.event_name
        counts = one.old_count, one.new_count
        return cls(one.event_id, one.position, one.store, one.item, *counts, one.upload_id, event)

    def as_json(self) -> dict[str, Any]:
        """As `Seen.as_json`, without the images and the sequence number."""
        names = ("event_id", "event", "at", "store", "item", "upload_id")
        shown = {name: getattr(self, name) for name in names}
        return shown | {"old_count": number(self.old_count), "new_count": number(self.new_count)}


def number(count: Decimal | None) -> int | float | None:
    """A count as JSON has it: a whole number where it is one."""
    return None if count is None else int(count) if count == count.to_integral_value() else float(count)


def plain(image: dict[str, Any] | None) -> dict[str, Any] | None:
    """An image with numbers that JSON can carry."""
    return image and {n: number(v) if isinstance(v, Decimal) else v for n, v in image.items()}


def _seen(item: tables.Item) -> Seen:
    kept = change_of(item)
    old, new = (tables.from_item(image) if image else None for image in (kept.old, kept.new))
    return Seen(
        kept.position, kept.event_id, kept.sequence, kept.event_name, kept.at, kept.store, kept.item,
        kept.old_count, kept.new_count, kept.upload_id, old, new, kept.user,
    )  # fmt: skip


@mapped
@needs(Right.SEE)
def newest(stack: Stack, limit: int = 100, before: str | None = None) -> list[Seen]:
    """The latest changes, newest first; with ``before``, a position, only older ones."""
    found: list[Seen] = []
    for hour in _hours_back(stack, before):
        found += _of_hour(stack, hour, limit - len(found), before=before, newest_first=True)
        if len(found) >= limit:
            break
    return found


@mapped
@needs(Right.SEE)
def next_after(stack: Stack, position: str, limit: int) -> list[Seen]:
    """The first changes after a position, newest first: how a reader of the past comes nearer."""
    found: list[Seen] = []
    for hour in sorted({marker[:13] for marker in _markers(stack, position[:13])}):
        found += _of_hour(stack, hour, limit - len(found), after=position)
        if len(found) >= limit:
            break
    return found[::-1]


@mapped
@needs(Right.SEE)
def kept(stack: Stack, these: Iterable[Counted]) -> list[Seen]:
    """These changes with their images, in no order. One that is not kept any more is left out."""
    keys = [
        tables.to_item({"Bucket": f"{one.at[:13]}#{shard_of(one.store, one.item)}", "Position": one.position})
        for one in these
    ]
    found = tables.batch_get(stack.dynamodb, stack.settings.changes_table, keys)
    return stack.person.only(map(_seen, found))


@mapped
@needs(Right.SEE)
def since(stack: Stack, place: str) -> list[Seen]:
    """Every change behind a position, or a bare time, oldest first."""
    return sorted(stack.person.only(map(_seen, _kept_since(stack, place))), key=lambda change: change.position)


@mapped
@needs(Right.SEE)
def positions_since(stack: Stack, place: str) -> list[str]:
    """Theirs alone, in no order: after a big load the rest would take seconds to read. Of all stores together."""
    stack.person.must_for_all(Right.SEE)
    return [item["Position"]["S"] for item in _kept_since(stack, place)]


def _kept_since(stack: Stack, place: str) -> Iterator[tables.Item]:
    buckets = [bucket for bucket in _markers(stack, place[:13]) if bucket[:13] >= place[:13]]
    return chain.from_iterable(
        tables.each(lambda bucket: list(_kept(stack, "Bucket", bucket, None, after=place)), buckets)
    )


@mapped
@needs(Right.SEE)
def hours(stack: Stack, start: str) -> list[str]:
    """The hours that hold changes, `2026-11-23T12`, the latest first, from ``start`` on."""
    return sorted({bucket[:13] for bucket in _markers(stack, start)}, reverse=True)


@mapped
@needs(Right.SEE)
def counted(stack: Stack, hour: str, shard: int) -> list[Counted]:
    """What one shard of an hour's changes did to the counts, oldest first. Cheaper than `since`, for a long past."""
    found = tables.query(
        stack.dynamodb, stack.settings.changes_table, KeyConditionExpression="#bucket = :bucket",
        ExpressionAttributeNames={"#bucket": "Bucket"},
        ExpressionAttributeValues=tables.to_item({":bucket": f"{hour}#{shard}"}), ConsistentRead=True,
    )  # fmt: skip
    return stack.person.only(Counted.of(change_of(item)) for item in found)


@mapped
@needs(Right.SEE)
def images_before(stack: Stack, second: str) -> dict[tuple[str, str], dict[str, Any] | None]:
    """What each item was, by store and item, before its first change after a second (`2026-11-23T12:53:44`).

    None: it was not there. Hour after hour, and only the first old image of an item is kept: what it takes of memory
    goes with the items that have changed, not with their changes.
    """
    hours = sorted({bucket[:13] for bucket in _markers(stack, second[:13])})
    asked = tables.each(lambda shard: _first_images(stack, hours, shard, f"{second}.~"), range(SHARDS))
    return {
        of_item_key(key): tables.from_item(json.loads(image)) if image else None
        for part in asked
        for key, image in part.items()
        if stack.person.sees(of_item_key(key)[0])
    }


def _first_images(stack: Stack, hours: Iterable[str], shard: int, after: str) -> dict[str, str | None]:
    """Of one shard, as they are kept: an item is in the same one for ever."""
    found: dict[str, str | None] = {}
    for hour in hours:
        for kept in _kept(stack, "Bucket", f"{hour}#{shard}", None, after=after):
            key = kept["ItemKey"]["S"]
            if key not in found:
                found[key] = kept["Old"]["S"] if "Old" in kept else None
    return found


@mapped
@needs(Right.SEE)
def of_item(stack: Stack, item_key: str, limit: int = 100) -> list[Seen]:
    """An item's changes, newest first. ``item_key``: `Berlin/Echo%20Dot`."""
    _must_see(stack, item_key)
    return list(_of(stack, "ItemKey", item_key, limit, index="ByItem", newest_first=True))


@mapped
@needs(Right.SEE)
def before(stack: Stack, item_key: str, at: str, limit: int) -> list[Seen]:
    """An item's latest changes up to a time, newest first."""
    _must_see(stack, item_key)
    return list(_of(stack, "ItemKey", item_key, limit, index="ByItem", newest_first=True, before=f"{at}~"))


@mapped
@needs(Right.SEE)
def of_upload_to_item(stack: Stack, upload_id: str, item_key: str, since: str) -> list[Seen]:
    """What an upload has done to one item, oldest first: mostly one change, or none. ``since``: when it was received.

    The clocks of who sends and of the stream may differ by some minutes. After a thousand of the item's changes it is
    not looked further.
    """
    _must_see(stack, item_key)
    found = _of(stack, "ItemKey", item_key, 1_000, index="ByItem", after=times.later(since, minutes=-5))
    return [one for one in found if one.upload_id == upload_id]


@mapped
@needs(Right.SEE)
def of_upload(stack: Stack, upload_id: str, limit: int | None = None) -> list[Seen]:
    """The changes that an upload caused, oldest first."""
    parts = [f"{upload_id}#{shard}" for shard in range(SHARDS)]
    most = limit if stack.person.stores is None else None  # of some stores it is not known how many are to be asked for
    asked = tables.each(lambda part: list(_of(stack, "UploadPart", part, most, index="ByUpload")), parts)
    return list(islice(_those_of(stack, heapq.merge(*asked, key=lambda change: change.position)), limit))


@mapped
@needs(Right.SEE)
def count_of_upload(stack: Stack, upload_id: str) -> int:
    """How many changes an upload caused, counted one by one."""
    parts = [f"{upload_id}#{shard}" for shard in range(SHARDS)]
    question = {"IndexName": "ByUpload", "KeyConditionExpression": "UploadPart = :part"}
    return sum(
        tables.each(
            lambda part: tables.count(
                stack.dynamodb, stack.settings.changes_table,
                ExpressionAttributeValues=tables.to_item({":part": part}), **question,
            ),
            parts,
        )
    )  # fmt: skip


def _must_see(stack: Stack, item_key: str) -> None:
    stack.person.must(Right.SEE, [of_item_key(item_key)[0]])


def _those_of(stack: Stack, found: Iterable[Seen]) -> Iterator[Seen]:
    return (one for one in found if stack.person.sees(one.store))


def _of_hour(
    stack: Stack, hour: str, limit: int, *, newest_first: bool = False, before: str | None = None,
    after: str | None = None,
) -> list[Seen]:  # fmt: skip
    """The first of an hour's changes that the person sees. Of some stores, it is looked through a part at a time."""
    found: list[Seen] = []
    size = limit if stack.person.stores is None else _LOOKED_THROUGH
    while len(found) < limit:
        part = _hour(stack, hour, size, newest_first=newest_first, before=before, after=after)
        found += _those_of(stack, part)
        if len(part) < size:
            break
        before, after = (part[-1].position, None) if newest_first else (None, part[-1].position)
    return found[:limit]


def _hour(stack: Stack, hour: str, limit: int, *, newest_first: bool = False, **how: Any) -> list[Seen]:
    parts = [f"{hour}#{shard}" for shard in range(SHARDS)]
    asked = tables.each(
        lambda part: list(_of(stack, "Bucket", part, limit, newest_first=newest_first, **how)), parts
    )  # fmt: skip
    return list(islice(heapq.merge(*asked, key=lambda change: change.position, reverse=newest_first), limit))


def _hours_back(stack: Stack, before: str | None) -> Iterator[str]:
    """The hours that hold changes, the latest first. A few at a time: of 90 days there are thousands of markers."""
    upper = f"{before[:13]}~" if before else "~"
    while upper:
        buckets = [
            item["Position"]["S"]
            for item in _markers_asked(stack, "<", upper, ScanIndexForward=False, limit=_MARKERS_AT_ONCE)
        ]
        yield from dict.fromkeys(bucket[:13] for bucket in buckets)
        upper = buckets[-1][:13] if len(buckets) == _MARKERS_AT_ONCE else ""


def _markers(stack: Stack, start: str = "") -> list[str]:
    """The buckets that hold changes, from the hour ``start`` on."""
    return [item["Position"]["S"] for item in _markers_asked(stack, ">=", start or "0")]


def _markers_asked(stack: Stack, how: str, bound: str, **more: Any) -> Iterable[tables.Item]:
    return tables.query(
        stack.dynamodb, stack.settings.changes_table, ConsistentRead=True,
        KeyConditionExpression=f"#bucket = :markers AND #position {how} :bound",
        ExpressionAttributeNames={"#bucket": "Bucket", "#position": "Position"},
        ExpressionAttributeValues=tables.to_item({":markers": MARKERS, ":bound": bound}), **more,
    )  # fmt: skip


def _of(stack: Stack, key: str, value: str, limit: int | None, **how: Any) -> Iterator[Seen]:
    return map(_seen, _kept(stack, key, value, limit, **how))


def _kept(
    stack: Stack, key: str, value: str, limit: int | None, *, index: str | None = None,
    after: str | None = None, before: str | None = None, newest_first: bool = False,
) -> Iterable[tables.Item]:  # fmt: skip
    condition, values = "#key = :key", {":key": value}
    if after:
        condition, values = f"{condition} AND #position > :after", values | {":after": after}
    if before:
        condition, values = f"{condition} AND #position < :before", values | {":before": before}
    names = {"#key": key} | ({"#position": "Position"} if after or before else {})
    place = {"IndexName": index} if index else {"ConsistentRead": True}
    return tables.query(
        stack.dynamodb, stack.settings.changes_table, limit=limit, ScanIndexForward=not newest_first,
        KeyConditionExpression=condition, ExpressionAttributeNames=names,
        ExpressionAttributeValues=tables.to_item(values), **place,
    )  # fmt: skip

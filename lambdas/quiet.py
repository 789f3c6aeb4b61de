"""Quiet hours: when nothing is to be sent, for all stores or for one.

Owns their shape in the Settings table, and the reckoning in a time zone. Knows nothing of messages.

Quiet hours there: Kind `quiet`; Id `all`, or `store/` and a store's name (its hash, if it is too long for a key), with
Store; From and To (`22:00`, on the clock of Zone, an IANA name). A store's item without them says that it has none,
whatever is said for all.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lambdas import tables, times
from lambdas.world import World

KIND = "quiet"
_ALL, _STORE = "all", "store/"
_LONGEST = 900  # bytes of a name; a key holds 1,024
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class Hours:
    """From ``start`` to ``end`` (`22:00`, `07:00`: over midnight then) on the clock of ``zone``."""

    start: str
    end: str
    zone: str

    def wrong(self) -> str | None:
        """Why these can't be quiet hours; None: they can."""
        for said in (self.start, self.end):
            if not _CLOCK.fullmatch(said):
                return f"“{said}” is no time of the day, such as 22:00."
        if self.start == self.end:
            return "They would begin and end at the same time."
        return None if _zone(self.zone) else f"There is no time zone “{self.zone}”; one is called Europe/Berlin."

    def until(self, at: str) -> str | None:
        """When they end, if they last at a time (both fixed-width UTC text). What is wrong keeps nothing quiet."""
        if self.wrong() or not (zone := _zone(self.zone)):
            return None
        local = times.moment(at).astimezone(zone)
        clock, over_midnight = f"{local:%H:%M}", self.end < self.start
        begun, ended = clock >= self.start, clock >= self.end
        if not (begun or not ended if over_midnight else begun and not ended):
            return None
        day = local + timedelta(days=1) if ended else local
        return times.text(day.replace(hour=int(self.end[:2]), minute=int(self.end[3:]), second=0, microsecond=0))


@dataclass(frozen=True, slots=True)
class Quiet:
    """All quiet hours that somebody set. A store with None has none, whatever ``default`` says."""

    default: Hours | None = None
    stores: Mapping[str, Hours | None] = field(default_factory=dict)

    def of(self, store: str) -> Hours | None:
        return self.stores.get(store, self.default)

    def until(self, store: str, at: str) -> str | None:
        """When a store's quiet hours end, if they last at a time."""
        hours = self.of(store)
        return hours.until(at) if hours else None


def read(world: World) -> Quiet:
    """The quiet hours: one Query."""
    found = tables.query(
        world.dynamodb, world.settings.settings_table, ConsistentRead=True, KeyConditionExpression="Kind = :kind",
        ExpressionAttributeValues=tables.to_item({":kind": KIND}),
    )  # fmt: skip
    said = {one.get("Store"): _hours(one) for one in map(tables.from_item, found)}
    return Quiet(said.get(None), {store: hours for store, hours in said.items() if store is not None})


def put(world: World, store: str | None, hours: Hours | None) -> None:
    """Say a store's quiet hours, or with None for a store, those of all. No hours: it has none."""
    item: dict[str, Any] = _key(store) | {"Store": store}
    item |= {"From": hours.start, "To": hours.end, "Zone": hours.zone} if hours else {}
    world.dynamodb.put_item(TableName=world.settings.settings_table, Item=tables.to_item(item))


def forget(world: World, store: str | None) -> None:
    """Nothing is said of this store any more, or of all."""
    world.dynamodb.delete_item(TableName=world.settings.settings_table, Key=tables.to_item(_key(store)))


def _key(store: str | None) -> dict[str, Any]:
    if store is None:
        return {"Kind": KIND, "Id": _ALL}
    fits = len(store.encode()) <= _LONGEST
    return {"Kind": KIND, "Id": _STORE + (store if fits else hashlib.sha256(store.encode()).hexdigest())}


def _hours(item: Mapping[str, Any]) -> Hours | None:
    start, end, zone = item.get("From"), item.get("To"), item.get("Zone", "UTC")
    if isinstance(start, str) and isinstance(end, str) and isinstance(zone, str):
        return Hours(start, end, zone)
    return None  # none are said, or a hand wrote them as another type


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None

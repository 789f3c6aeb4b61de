"""Reorder points: read, followed, set; and what is low, or no longer, because of it.

Owns which items a new point concerns, and their episodes as the point alone makes them. A dashboard keeps a `Followed`:
it asks for one item, and for the points of the stores whose points have moved.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lambdas import inventory, lows, points, tables, times
from lambdas.alerts import Crossing, Kind
from lambdas.episodes import LOW_ENDS, OPEN
from lambdas.inventory import Key
from lambdas.lows import Stale
from lambdas.points import Marker
from lambdas.recording import change_of
from lambdas.reorder import ALL, Points, Scope
from lambdas.stockfile.counts import Unusable, exact
from lambdas.stream import count_in, item_key
from services import alerts, audit, stock
from services.access import MACHINE, Person, Right, needs
from services.errors import Unavailable, mapped
from services.stack import Stack

Given = Mapping[Scope, Decimal | None]
"""The points that are to be set; None removes one."""
_SURELY = 100
"""Of so many items their episodes are read one by one, and not only from the index of open ones, which comes later."""
_TRIES = 20
_BROKE_OFF_SECONDS = 60
"""A saving that has not come to its end by then has broken off, or has much to do: that another one settles it as
well harms nobody."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a saving did: the items that are low since then, and those that no longer are; by store and item. What is
    out is told of as out, and not here."""

    low: tuple[Key, ...] = ()
    ended: tuple[Key, ...] = ()


@dataclass
class Followed:
    """The reorder points in memory, shared by every session of one dashboard."""

    stack: Stack
    points: Points = field(default_factory=Points)
    unsettled: frozenset[str] = frozenset()
    _stores: dict[str, tuple[str, Points]] = field(default_factory=dict)  # when a store's own last moved, and these
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @mapped
    def refresh(self) -> Points:
        """The points as they stand, of all stores: one question while none has moved."""
        self.stack.person.must_for_all(Right.SEE)
        with self._lock:
            marker = points.marker(self.stack.world)
            self.unsettled = marker.unsettled if marker else frozenset()
            if marker is None:
                self.points, self._stores = Points(), {}
            elif marker.moved != self.points.moved:
                self._read(marker)
            return self.points

    @property
    def broke_off(self) -> str | None:
        """When the first saving began that has not come to its end, and seems to have broken off."""
        return min(map(_begun, _broken_off(self.unsettled)), default=None)

    def _read(self, marker: Marker) -> None:
        world = self.stack.world
        moved = points.stores(world) if marker.own else {}
        fresh = [store for store, at in moved.items() if self._stores.get(store, ("",))[0] != at]
        read = tables.each(lambda store: points.of_store(world, store), fresh)
        known = self._stores | {store: (moved[store], own) for store, own in zip(fresh, read, strict=True)}
        self._stores = {store: known[store] for store in moved}
        own = [one for _, one in self._stores.values()]
        self.points = Points(
            marker.default,
            {store: point for one in own for store, point in one.stores.items()},
            {key: point for one in own for key, point in one.items.items()},
            marker.moved,
        )


@needs(Right.SEE)
def read(stack: Stack) -> Points:
    """All reorder points that concern the person's stores. A Query for each store that has any."""
    return seen(Followed(stack.acting(MACHINE)).refresh(), stack.person)


def seen(of: Points, person: Person) -> Points:
    """What a person sees of them: those of the own stores, and what counts for all."""
    if person.role and person.stores is None:
        return of
    stores = {store: point for store, point in of.stores.items() if person.sees(store)}
    return Points(of.default, stores, {key: point for key, point in of.items.items() if person.sees(key[0])}, of.moved)


@mapped
@needs(Right.MANAGE)
def save(stack: Stack, given: Given) -> Outcome:
    """Set these points, and open and end the episodes of the items that they concern. Safe to repeat.

    What another saving has not settled, or not yet, is settled as well: nobody knows what that one moved, so it is
    every item. Nothing given does just that. One that may still be at it is left to take its name away by itself:
    it may have points to move that nobody has looked at.

    ValueError for a point that is negative, or no number that DynamoDB can keep.
    """
    person, stack = stack.person, stack.acting(MACHINE)  # what an earlier saving left may concern other stores
    person.must(Right.MANAGE, (scope.store for scope in given if scope.store is not None))
    if ALL in given:
        person.must(Right.ADMINISTER)
    kept = {scope: None if point is None else checked(point) for scope, point in given.items()}
    audit.note(stack.acting(person), audit.Did.POINTS_SET, **_told(stack, kept))
    saving = points.save(stack.world, kept)
    done = _settled(stack, kept | {ALL: None} if saving.found else kept)
    points.settled(stack.world, {saving.name, *_broken_off(saving.found)})
    low, ended = ([key for key in keys if person.sees(key[0])] for keys in (done.low, done.ended))
    return Outcome(tuple(low), tuple(ended))


def _told(stack: Stack, given: Given) -> dict[str, Any]:
    """What a saving is about to set, as the audit has it: of one its old and new value, of many the first of them."""
    first = list(given)[: audit.MOST]
    was = points.of_keys(stack.world, [(scope.store or "", scope.item or "") for scope in first])
    lines = [{"store": of.store, "item": of.item, "was": was.own(of), "now": given[of]} for of in first]
    only = lines[0] if len(given) == 1 else {"points": lines, "store": _only({scope.store for scope in given})}
    return {"count": len(given), **only}


def _only(stores: set[str | None]) -> str | None:
    return next(iter(stores)) if len(stores) == 1 else None


def _broken_off(savings: Iterable[str]) -> list[str]:
    """Those that began long ago. One that lies ahead was begun before a clock was set back."""
    now = times.moment(times.now())
    return [one for one in savings if abs((now - times.moment(_begun(one))).total_seconds()) > _BROKE_OFF_SECONDS]


def _begun(saving: str) -> str:
    return saving.split("#")[0]


def checked(point: Decimal) -> Decimal:
    """A point as it is kept; ValueError when it can't be one."""
    if not point.is_finite() or point < 0:
        raise ValueError(f"a reorder point is a number from 0 up, not {point}")
    try:
        return exact(point)
    except Unusable as error:
        raise ValueError(f"{point} can't be kept: {error}") from error


def _settled(stack: Stack, given: Given) -> Outcome:
    """Every item that the points concern is low by them, or not, and so are its episodes."""
    counts = _counts(stack, given)
    still = {(one.store, one.item) for one in alerts.open_now(stack) if one.is_low}
    counts |= {key: None for key in still if key not in counts and _concerned(given, key)}
    now = points.of_keys(stack.world, counts)
    explicit = [(scope.store, scope.item) for scope in given if scope.store is not None and scope.item is not None]
    surely = set(explicit) if len(explicit) <= _SURELY else set()
    doubtful = [key for key, count in counts.items() if key in surely or is_low(now, key, count) != (key in still)]
    done = tables.each(lambda key: _settle(stack, key, now, counts[key]), doubtful)
    told = [(key, what) for key, what in zip(doubtful, done, strict=True) if (counts[key] or 0) > 0]
    low, ended = (sorted(key for key, what in told if what is one) for one in _ENDS)
    return Outcome(tuple(low), tuple(ended))


_ENDS = (Crossing.OPENS, Crossing.CLOSES)


def is_low(by: Points, key: Key, count: Decimal | None) -> bool:
    """Whether an item is at its reorder point or below; one that is out is low as well."""
    point = by.of(*key)
    return count is not None and point > 0 and count <= point


def _counts(stack: Stack, given: Given) -> dict[Key, Decimal | None]:
    """The counts of the items that the points concern."""
    if ALL in given:
        return {(one.store, one.item): one.count for one in stock.table(stack)}
    whole = [scope.store for scope in given if scope.store is not None and scope.item is None]
    found = {(s.store, s.item): s.count for part in tables.each(lambda store: stock.of_store(stack, store), whole)
             for s in part}  # fmt: skip
    keys = [(s.store, s.item) for s in given if s.store is not None and s.item is not None and s.store not in whole]
    held = inventory.read(stack.dynamodb, stack.settings.inventory_table, keys)
    return found | {key: count_in(item) for key, item in held.items()}


def _concerned(given: Given, key: Key) -> bool:
    return not given.keys().isdisjoint({ALL, Scope(key[0]), Scope(*key)})


def _settle(stack: Stack, key: Key, now: Points, count: Decimal | None) -> Crossing:
    """Open or end an item's low episode, if it is not as its count and its point have it. What is judged by is read
    again where it has moved."""
    for _ in range(_TRIES):
        still = lows.open_of(stack.world, *key)
        if is_low(now, key, count) == bool(still):
            return Crossing.NONE
        try:
            return _ended(stack, key, still, now, count) if still else _opened(stack, key, now, count)
        except Stale:
            now = points.of_keys(stack.world, [key])
            count = count_in(inventory.read(stack.dynamodb, stack.settings.inventory_table, [key]).get(key))
    raise Unavailable(f"{' · '.join(key)} moves too often to judge it by its reorder point. Save it once more.")


def _opened(stack: Stack, key: Key, now: Points, count: Decimal | None) -> Crossing:
    at, (store, item), last = times.now(), key, _last(stack, key)
    episode = {
        "ItemKey": item_key(store, item), "Position": f"{_place(at, last)}{LOW_ENDS}",
        "Kind": Kind.LOW.value, "Sequence": last, "Store": store, "Item": item, "Month": at[:7],
        "OpenedAt": at, "NewCount": count, "Open": OPEN, "Point": now.of(store, item), "Quiet": lows.POINT,
    }  # fmt: skip
    done = lows.put_open(stack.world, episode, _as_judged(stack, key, now, count))
    return Crossing.OPENS if done else Crossing.NONE


def _ended(stack: Stack, key: Key, still: Iterable[lows.Episode], now: Points, count: Decimal | None) -> Crossing:
    at = times.now()
    ends = {"ClosedAt": at, "ClosedCount": count, "ClosedHow": lows.POINT}
    ends |= {"ClosedPosition": _place(at, _last(stack, key))}
    done = [lows.end(stack.world, one, ends, _as_judged(stack, key, now, count)) for one in still]
    return Crossing.CLOSES if any(done) else Crossing.NONE


def _as_judged(stack: Stack, key: Key, now: Points, count: Decimal | None) -> list[lows.Part]:
    """The conditions that neither the points nor the count have moved."""
    held: dict[str, Any] = {
        "TableName": stack.settings.inventory_table, "Key": tables.to_item({"Store": key[0], "Item": key[1]}),
        "ExpressionAttributeNames": {"#count": "Count"}, "ConditionExpression": "attribute_not_exists(#count)",
    }  # fmt: skip
    if count is not None:
        held |= {"ConditionExpression": "#count = :count"}
        held |= {"ExpressionAttributeValues": tables.to_item({":count": count})}
    return [points.still(stack.world, now.moved), held]


def _last(stack: Stack, key: Key) -> str:
    """The sequence number of the last of an item's changes that is kept: what the stream brings after that may end
    what begins now."""
    found = tables.query(
        stack.dynamodb, stack.settings.changes_table, limit=1, IndexName="ByItem", ScanIndexForward=False,
        KeyConditionExpression="ItemKey = :item",
        ExpressionAttributeValues=tables.to_item({":item": item_key(*key)}),
    )  # fmt: skip
    return next((change_of(item).sequence for item in found), "0")


def _place(at: str, sequence: str) -> str:
    return f"{at}#{sequence:0>40}#point"

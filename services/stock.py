"""Stock: what the Inventory table holds.

`table` and `of_store` ask the table. A dashboard keeps a `Mirror`: it reads the table once and then follows the
changes, so that what DynamoDB is asked does not grow with the number of viewers.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lambdas import inventory, tables
from lambdas.inventory import Key
from lambdas.stream import item_key
from services.access import Person, Right, needs
from services.changes import Seen, number
from services.errors import mapped
from services.follower import Follower
from services.stack import Stack


@dataclass(frozen=True, slots=True)
class Stocked:
    """An item of a store. ``was``: the count before its last write."""

    store: str
    item: str
    count: Decimal | None
    updated_at: str | None
    upload_id: str | None
    was: Decimal | None = None

    def as_json(self) -> dict[str, Any]:
        names = ("store", "item", "count", "updated_at", "upload_id")
        return {name: getattr(self, name) for name in names} | {"count": number(self.count)}


def key(of: Stocked) -> str:
    """How an item is asked for elsewhere: `Berlin/Echo%20Dot`."""
    return item_key(of.store, of.item)


def is_gone(values: Mapping[str, Any]) -> bool:
    """Whether this is what an undo leaves of an item that it takes away: see `lambdas.inventory`."""
    return "UploadId" in values and not values.keys() & {"Count", "UpdatedAt"}


_TYPES = {"Count": Decimal, "UpdatedAt": str, "UploadId": str, "Was": Decimal}


def stocked(values: Mapping[str, Any]) -> Stocked:
    """An item as the table, or an image, has it. What a hand wrote there as another type than ours is not there."""
    kept: list[Any] = [value if isinstance(value := values.get(name), of) else None for name, of in _TYPES.items()]
    return Stocked(values["Store"], values["Item"], *kept)


@mapped
@needs(Right.SEE)
def table(stack: Stack) -> list[Stocked]:
    """Every item of every store, by store and item: a Scan. Once, never on a timer."""
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=stack.settings.inventory_table, ConsistentRead=True)
    return stack.person.only(_sorted(item for page in pages for item in page["Items"]))


@mapped
@needs(Right.SEE)
def of_store(stack: Stack, store: str) -> list[Stocked]:
    """A store's items, by item."""
    stack.person.must(Right.SEE, [store])
    found = tables.query(
        stack.dynamodb, stack.settings.inventory_table, ConsistentRead=True, KeyConditionExpression="#store = :store",
        ExpressionAttributeNames={"#store": "Store"}, ExpressionAttributeValues=tables.to_item({":store": store}),
    )  # fmt: skip
    return _sorted(found)


def _sorted(items: Iterable[tables.Item]) -> list[Stocked]:
    there = (tables.from_item(item) for item in items if not inventory.is_gone(item))
    return sorted(map(stocked, there), key=lambda one: (one.store, one.item))


@dataclass
class Mirror:
    """The stock in memory, shared by every session of one dashboard.

    ``refresh`` asks DynamoDB at most once in ``every`` seconds, whoever calls. ``version`` moves when an item did.
    """

    stack: Stack
    every: float = 1.0
    clock: Callable[[], float] = time.monotonic
    version: int = 0
    items: dict[Key, Stocked] = field(default_factory=dict)
    _follower: Follower = field(init=False)
    _latest: dict[Key, str] = field(default_factory=dict)  # position of the last change, of the items that had one
    _asked: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _listeners: list[Callable[[Sequence[Seen]], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stack.person.must_for_all(Right.SEE)
        self._follower = Follower(self.stack, self.clock)

    def refresh(self) -> None:
        """Bring the mirror up to date. A StocktrailError leaves it as it was."""
        with self._lock:
            if self._asked is None:
                self._read()
            elif self.clock() - self._asked >= self.every:
                self._follow(self._follower.fresh())
            else:
                return
            self._asked = self.clock()

    def listen(self, heard: Callable[[Sequence[Seen]], None]) -> str:
        """From now on ``heard`` is told of what changes, after the mirror itself. The position of the last change
        before: what others want to know of the time until then, they have to read."""
        with self._lock:
            self._listeners.append(heard)
            return self._follower.position

    @property
    def position(self) -> str:
        """Of the last change."""
        return self._follower.position

    def _read(self) -> None:
        self._follower.start()  # first: a change that comes in during the scan is then followed as well
        self.items = {(one.store, one.item): one for one in table(self.stack)}
        self.version += 1

    def _follow(self, fresh: Sequence[Seen]) -> None:
        for change in fresh:
            self._apply(change)
        self.version += bool(fresh)
        for heard in self._listeners if fresh else ():
            heard(fresh)

    def view(self, person: Person) -> "View":
        """The stock as a person sees it, kept as this one moves."""
        with self._lock:
            return View(self, person)

    def _apply(self, change: Seen) -> None:
        key = (change.store, change.item)
        if change.position < self._latest.get(key, ""):
            return
        self._latest[key] = change.position
        if change.new is None or is_gone(change.new):
            self.items.pop(key, None)
        else:
            self.items[key] = stocked(change.new)


class View:
    """What one person sees of a mirror: it is followed in memory, and asks nothing of its own.

    As a Mirror, with the items and changes of some stores. To be made by ``Mirror.view``.
    """

    def __init__(self, mirror: Mirror, person: Person) -> None:
        self._mirror, self._person = mirror, person
        self._listeners: list[Callable[[Sequence[Seen]], None]] = []
        self.version = 1
        self.items = {key: one for key, one in mirror.items.items() if person.sees(key[0])}
        mirror._listeners.append(self._hear)

    def refresh(self) -> None:
        """Bring the mirror up to date."""
        self._mirror.refresh()

    def listen(self, heard: Callable[[Sequence[Seen]], None]) -> str:
        """As of the mirror."""
        self._listeners.append(heard)
        return self._mirror.position

    def _hear(self, fresh: Sequence[Seen]) -> None:
        own = self._person.only(fresh)
        for key in {(one.store, one.item) for one in own}:
            if key in self._mirror.items:
                self.items[key] = self._mirror.items[key]
            else:
                self.items.pop(key, None)
        self.version += bool(own)
        for heard in self._listeners if own else ():
            heard(own)

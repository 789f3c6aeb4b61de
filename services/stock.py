"""Stock: what the Inventory table holds.

`table` and `of_store` ask the table. A dashboard keeps a `Mirror`: it reads the table once and then follows the
changes, so that what DynamoDB is asked does not grow with the number of viewers.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lambdas import tables
from lambdas.inventory import Key
from lambdas.stream import item_key
from services.changes import Follower, Seen, number
from services.errors import mapped
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


def _stocked(values: dict[str, Any]) -> Stocked:
    names = ("Count", "UpdatedAt", "UploadId", "Was")
    return Stocked(values["Store"], values["Item"], *(values.get(name) for name in names))


@mapped
def table(stack: Stack) -> list[Stocked]:
    """Every item of every store, by store and item: a Scan. Once, never on a timer."""
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=stack.settings.inventory_table, ConsistentRead=True)
    return _sorted(item for page in pages for item in page["Items"])


@mapped
def of_store(stack: Stack, store: str) -> list[Stocked]:
    """A store's items, by item."""
    found = tables.query(
        stack.dynamodb, stack.settings.inventory_table, ConsistentRead=True, KeyConditionExpression="#store = :store",
        ExpressionAttributeNames={"#store": "Store"}, ExpressionAttributeValues=tables.to_item({":store": store}),
    )  # fmt: skip
    return _sorted(found)


def _sorted(items: Iterable[tables.Item]) -> list[Stocked]:
    return sorted((_stocked(tables.from_item(item)) for item in items), key=lambda one: (one.store, one.item))


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

    def __post_init__(self) -> None:
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

    def _read(self) -> None:
        self._follower.start()  # first: a change that comes in during the scan is then followed as well
        self.items = {(one.store, one.item): one for one in table(self.stack)}
        self.version += 1

    def _follow(self, fresh: Sequence[Seen]) -> None:
        for change in fresh:
            self._apply(change)
        self.version += bool(fresh)

    def _apply(self, change: Seen) -> None:
        key = (change.store, change.item)
        if change.position < self._latest.get(key, ""):
            return
        self._latest[key] = change.position
        if change.new is None:
            self.items.pop(key, None)
        else:
            self.items[key] = _stocked(change.new)

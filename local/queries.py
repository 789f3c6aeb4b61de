"""Queries that cost what they answer with, as on AWS, and not what their partition holds.

MiniStack sorts the whole partition for each Query and evaluates the key condition for every item of it. Here each
partition that is asked keeps its items' keys in order; the stretch that the condition, the place to go on from and
the page's size leave of them is handed to MiniStack's own Query, which does all the rest. A question that is not
understood goes to it as it was.

Touches MiniStack's internals like `snapshot`. Must not know what the tables are for.
"""

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from local.conditions import Where, of_keys
from local.modules import module

Table = dict[str, Any]
Place = tuple[str | None, Any]
"""An index, or None for the table itself, and a partition of it."""
Entry = tuple[Any, ...]
"""An item's place: what it is sorted by, then the keys under which the table holds it."""
_TABLES = 64
_SMALL = 50
"""Items of a partition: fewer are as quickly gone through."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a Query has left to look at: of an index, or of the table (None)."""

    index: str | None
    partition: Any
    items: dict[Any, dict[Any, Any]]  # as a table holds them
    more: bool  # whether the page ends before the partition does
    start: Any  # where the page before ended; MiniStack looks whether that fits the condition


@dataclass(slots=True)
class _Kept:
    """A table's partitions in order, as far as they have been asked for. ``items`` tells when all were replaced."""

    table: Table
    items: Any
    orders: dict[Place, list[Entry]] = field(default_factory=dict)


_stretch: ContextVar[Stretch | None] = ContextVar("stretch", default=None)
_kept: OrderedDict[int, _Kept] = OrderedDict()


def install() -> None:
    """Put our Query in place of MiniStack's. Fails loudly when one of the names is gone."""
    dynamodb = module("services.dynamodb")
    dynamodb._query = _queried(dynamodb, dynamodb._query)
    for name in ("_set_item", "_remove_item"):
        setattr(dynamodb, name, _noted(dynamodb, getattr(dynamodb, name)))


def _queried(dynamodb: Any, query: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack's Query, which within itself alone sees no more than the stretch."""
    inside = dict(vars(dynamodb))
    inside |= {"_tables": _Tables(dynamodb), "_index_members": _members(dynamodb._index_members)}
    inside["_paginate_evaluated_items"] = _paged(dynamodb._paginate_evaluated_items)
    for name in ("_evaluate_condition", "_evaluate_key_conditions_item"):
        inside[name] = _fitting(inside[name])
    own = FunctionType(query.__code__, inside, query.__name__, query.__defaults__, query.__closure__)

    def narrowed(data: Any) -> Any:
        token = _stretch.set(_narrow(dynamodb, data))
        try:
            return own(data)
        finally:
            _stretch.reset(token)

    return narrowed


class _Tables:
    """In place of MiniStack's tables: the one that is asked holds the stretch alone."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb

    def get(self, name: str) -> Table | None:
        found: Table | None = self._dynamodb._tables.get(name)
        stretch = _stretch.get()
        if found is None or stretch is None or stretch.index is not None:
            return found
        return found | {"items": stretch.items}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb._tables, name)


def _members(original: Callable[[Table], Any]) -> Callable[[Table], Any]:
    def members(table: Table) -> Any:
        stretch = _stretch.get()
        if stretch is None or stretch.index is None:
            return original(table)
        keys = {(pk, sk): None for pk, sort_keys in stretch.items.items() for sk in sort_keys}
        return {stretch.index: {stretch.partition: keys}}

    return members


def _paged(original: Callable[..., Any]) -> Callable[..., Any]:
    """The stretch is one page: what its items take of it has been added up."""

    def paged(items: Any, *how: Any) -> Any:
        stretch = _stretch.get()
        return original(items, *how) if stretch is None else (items, stretch.more)

    return paged


def _fitting(original: Callable[..., bool]) -> Callable[..., bool]:
    """The key condition holds for everything in the stretch, and need not be evaluated for each item."""

    def fits(condition: Any, item: Any, *more: Any, **named: Any) -> bool:
        stretch, of_keys = _stretch.get(), named.get("slot", "KeyConditionExpression") == "KeyConditionExpression"
        if stretch is not None and of_keys and item is not stretch.start:
            return True
        return original(condition, item, *more, **named)

    return fits


def _noted(dynamodb: Any, write: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the orders as a write leaves them."""

    def noted(table: Table, pk: Any, sk: Any, *item: Any) -> Any:
        old = write(table, pk, sk, *item)
        kept = _kept.get(id(table))
        if kept is not None and kept.orders and kept.items is table["items"]:
            for one, note in ((old, _forget), (item[0] if item else None, _add)):
                for place, keys in _places(dynamodb, table, pk, one) if one is not None else ():
                    if (order := kept.orders.get(place)) is not None:
                        note(order, _entry(dynamodb, keys, pk, sk, one))
        return old

    return noted


def _add(order: list[Entry], entry: Entry) -> None:
    insort(order, entry)


def _forget(order: list[Entry], entry: Entry) -> None:
    at = bisect_left(order, entry)
    if at < len(order) and order[at] == entry:
        del order[at]


def _places(dynamodb: Any, table: Table, pk: Any, item: Any) -> Iterator[tuple[Place, Any]]:
    """Where an item stands, and what it is sorted by there: in the table, and in each index that holds it."""
    yield (None, pk), dynamodb._index_order_keys(table, table["sk_name"])
    for index, hashes, ranges in dynamodb._index_key_schemas(table):
        partition = dynamodb._index_partition(item, hashes, ranges)
        if partition is not None:
            yield (index, partition), dynamodb._index_order_keys(table, ranges)


def _entry(dynamodb: Any, keys: Any, pk: Any, sk: Any, item: Any) -> Entry:
    return (*(dynamodb._index_order_value(item, name, kind) for name, kind in keys), pk, sk)


def _narrow(dynamodb: Any, data: Any) -> Stretch | None:
    """What a Query has to look at, or None: it is to be left to MiniStack as it is."""
    table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))
    conditions = of_keys(data)
    limit = data.get("Limit")
    if not table or conditions is None or not (limit is None or (isinstance(limit, int) and limit > 0)):
        return None
    index = data.get("IndexName")
    hashes, ranges = [table["pk_name"]], [name for name in [table["sk_name"]] if name]
    if index is not None:
        if (defined := dynamodb._index_def(table, index)) is None:
            return None
        hashes, ranges = dynamodb._index_key_lists(defined)
    if len(hashes) != 1 or len(ranges) != 1 or not conditions.keys() <= {hashes[0], ranges[0]}:
        return None
    equal = conditions.get(hashes[0])
    if equal is None or equal.op != "=":
        return None
    partition = dynamodb._extract_key_val(equal.values[0])
    keys = dynamodb._index_order_keys(table, ranges)
    order = _order(dynamodb, table, index, partition, keys)
    if order is None:
        return None
    found = _between(dynamodb, order, conditions.get(ranges[0]), keys[0][1])
    found = found and _behind(dynamodb, order, found, data, keys)
    if found is None:
        return None
    items, more = _page(dynamodb, table, index, _in_turn(order, found, data), limit)
    return Stretch(index, partition, items, more, data.get("ExclusiveStartKey"))


def _order(dynamodb: Any, table: Table, index: str | None, partition: Any, keys: Any) -> list[Entry] | None:
    """A partition's items in order, made when it is asked for first; None of a small one."""
    kept = _kept.get(id(table))
    if kept is None or kept.items is not table["items"]:
        kept = _kept[id(table)] = _Kept(table, table["items"])
    _kept.move_to_end(id(table))
    while len(_kept) > _TABLES:
        _kept.popitem(last=False)
    if (order := kept.orders.get((index, partition))) is None:
        if index is None:
            places = [(partition, sk) for sk in table["items"].get(partition, ())]
        else:
            places = list(dynamodb._index_members(table).get(index, {}).get(partition, ()))
        if len(places) < _SMALL:
            return None
        items = table["items"]
        order = sorted(_entry(dynamodb, keys, pk, sk, items[pk][sk]) for pk, sk in places)
        kept.orders[index, partition] = order
    return order


def _between(dynamodb: Any, order: list[Entry], where: Where | None, kind: str) -> tuple[int, int] | None:
    """From where to where a condition on the sort key holds."""
    if where is None:
        return 0, len(order)
    if any(kind not in one for one in where.values):
        return None  # of another type: MiniStack says what is wrong with it
    bounds = [dynamodb._sort_key_value(one, kind) for one in where.values]

    def below(value: Any) -> int:
        return bisect_left(order, value, key=_sorted_by)

    def through(value: Any) -> int:
        return bisect_right(order, value, key=_sorted_by)

    first = bounds[0]
    if where.op == "begins":
        if not isinstance(first, str):
            return None
        start = below(first)
        return start, bisect_left(order, True, lo=start, key=lambda entry: not entry[0].startswith(first))
    if where.op == "between":
        return below(first), max(below(first), through(bounds[1]))
    start = 0 if where.op.startswith("<") else through(first) if where.op == ">" else below(first)
    end = len(order) if where.op.startswith(">") else below(first) if where.op == "<" else through(first)
    return start, end


def _sorted_by(entry: Entry) -> Any:
    return entry[0]


def _behind(
    dynamodb: Any, order: list[Entry], found: tuple[int, int], data: Any, keys: Any
) -> tuple[int, int] | None:  # fmt: skip
    """The same, of what comes after the item that the last page ended with."""
    start = data.get("ExclusiveStartKey")
    if not start:
        return found
    if not isinstance(start, Mapping) or any(name not in start for name, _ in keys):
        return None
    cursor = tuple(dynamodb._index_order_value(start, name, kind) for name, kind in keys)
    first, end = found
    if data.get("ScanIndexForward", True):
        return max(first, bisect_right(order, cursor, key=lambda entry: entry[: len(cursor)])), end
    return first, min(end, bisect_left(order, cursor, key=lambda entry: entry[: len(cursor)]))


def _in_turn(order: list[Entry], found: tuple[int, int], data: Any) -> Iterator[Entry]:
    first, end = found
    forward = data.get("ScanIndexForward", True)
    return (order[at] for at in (range(first, end) if forward else range(end - 1, first - 1, -1)))


def _page(
    dynamodb: Any, table: Table, index: str | None, entries: Iterator[Entry], limit: int | None
) -> tuple[dict[Any, dict[Any, Any]], bool]:
    """The items of one page, which ends as MiniStack's does; and whether anything stopped it."""
    items: dict[Any, dict[Any, Any]] = {}
    count = size = 0
    for *_, pk, sk in entries:
        if (item := table["items"].get(pk, {}).get(sk)) is None:
            continue  # its time to live is over: MiniStack takes such items away from a thread of its own
        read = dynamodb._apply_index_projection(item, table, index) if index else item
        more = dynamodb._item_size_bytes(read)
        if count and size + more > dynamodb._DDB_PAGE_SIZE_BYTES:
            return items, True
        items.setdefault(pk, {})[sk] = item
        count, size = count + 1, size + more
        if count == limit or size >= dynamodb._DDB_PAGE_SIZE_BYTES:
            return items, True
    return items, False

"""Spending: what a stretch of work takes of DynamoDB, in read and write units.

Owns the counting: by DynamoDB's own reports (ReturnConsumedCapacity), asked for with every request that is made while a
meter runs. DynamoDB reports nothing for a request that it refused, though it charges for it. The embedded engine
reports writes as AWS does, but too little for reads, so for these the published rule counts when it comes to more.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import math
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

READ_DOLLARS, WRITE_DOLLARS = 0.125e-6, 0.625e-6
"""The list price of an on-demand unit in us-east-1, https://aws.amazon.com/dynamodb/pricing/on-demand/"""
_READ_BYTES = 4096
_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan"})
_ASKED = "stocktrail-asked"


class Units(NamedTuple):
    """Read and write request units; one may be a half."""

    reads: float = 0.0
    writes: float = 0.0

    def part(self, own: int, of: int) -> "Units":
        """The share of ``own`` things among so many."""
        return Units(self.reads * own / of, self.writes * own / of)


NOTHING = Units()


def price(units: Units) -> float:
    """In US dollars."""
    return units.reads * READ_DOLLARS + units.writes * WRITE_DOLLARS


@dataclass
class Meter:
    """What has been spent since it was last asked. Threads of `tables.each` count on the meter of who started them."""

    def __post_init__(self) -> None:
        self._lock, self._reads, self._writes = threading.Lock(), 0.0, 0.0

    def add(self, reads: float, writes: float) -> None:
        with self._lock:
            self._reads, self._writes = self._reads + reads, self._writes + writes

    def take(self) -> Units:
        with self._lock:
            units = Units(self._reads, self._writes)
            self._reads, self._writes = 0.0, 0.0
        return units


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what is asked of DynamoDB within the block."""
    meter = Meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)


def watched(client: Any) -> Any:
    """The DynamoDB client, whose requests are counted while a meter runs."""
    client.meta.events.register("provide-client-params.dynamodb", _ask)
    client.meta.events.register("after-call.dynamodb", _count)
    return client


def _ask(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    if _meter.get() is not None and "ReturnConsumedCapacity" in model.input_shape.members:
        params["ReturnConsumedCapacity"] = "TOTAL"
        context[_ASKED] = params


def _count(parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    meter, asked = _meter.get(), context.get(_ASKED)
    if meter is None or asked is None:
        return
    said = parsed.get("ConsumedCapacity", [])
    units = sum(one["CapacityUnits"] for one in ([said] if isinstance(said, dict) else said))
    if model.name in _READS:
        meter.add(max(units, _by_rule(model.name, asked, parsed)), 0.0)
    else:
        meter.add(0.0, units)


def _by_rule(operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """The units of a read: one for every 4 KB of what was read consistently, else a half; items got by their keys are
    rounded up one by one, those of a Query all together, and a key without an item counts as one of 4 KB."""
    if operation == "BatchGetItem":
        return sum(_of_keys(table, request, answer) for table, request in asked["RequestItems"].items())
    items = [answer["Item"]] if "Item" in answer else answer.get("Items", [])
    return _units(sum(map(size, items)), consistent=asked.get("ConsistentRead", False))


def _of_keys(table: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    if "Responses" not in answer:  # refused
        return 0.0
    found: Iterable[Any] = answer["Responses"].get(table, [])
    left = len(answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", []))
    consistent = request.get("ConsistentRead", False)
    units = [_units(size(item), consistent=consistent) for item in found]
    return sum(units) + (len(request["Keys"]) - left - len(units)) * _units(0, consistent=consistent)


def _units(size: int, *, consistent: bool) -> float:
    return max(1, math.ceil(size / _READ_BYTES)) * (1.0 if consistent else 0.5)


def size(item: Mapping[str, Any]) -> int:
    """The bytes of an item, or of a map in one, as DynamoDB counts them; a number's may be one less than they are."""
    total = 0
    for name, value in item.items():
        [(kind, content)] = value.items()
        total += len(name)  # ours are ASCII
        if kind == "S":
            total += len(content) if content.isascii() else len(content.encode())
        elif kind == "N":
            total += (len(content) + 1) // 2 + 1
        elif kind == "M":
            total += 3 + len(content) + size(content)
        else:
            total += 1 if isinstance(content, bool) else 3 + sum(len(str(one)) for one in content)
    return total

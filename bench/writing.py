"""How to write under a condition: a hundred rows a transaction, as we do, or one row a request.

New items, and then a new count for each, on an engine on which nothing follows the stream. Rows a second, and the write
units of a row as DynamoDB reports them.
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from decimal import Decimal
from typing import Any

from bench.loading import running
from lambdas import inventory
from lambdas.fates import Applied, Held, Mode, Verdict, judge
from lambdas.spending import metered
from lambdas.stockfile import Row
from services.stack import Stack

Write = Callable[[Stack, list[Verdict]], None]
_AT = ("2026-11-24T06:00:00.000000Z", "2026-11-25T06:00:00.000000Z")


def _verdicts(store: str, rows: int, held: list[Held] | None, at: str) -> list[Verdict]:
    applied = Applied(f"20261125T060000000000-{len(held or ()):08x}", Mode.NEWEST, at)
    wanted = (Row(n, store, f"Item {n:05}", Decimal(n % 97 + (2 if held else 1)), at) for n in range(rows))
    return [judge(row, held[n] if held else None, applied) for n, row in enumerate(wanted)]


def transactions(stack: Stack, verdicts: list[Verdict]) -> None:
    puts = [(one, inventory.item_of(one)) for one in verdicts]
    if inventory.put_as_read(stack.dynamodb, stack.settings.inventory_table, puts, newest=True):
        raise AssertionError("nobody else writes here")


def singly(threads: int) -> Write:
    """The same condition, a PutItem for each row."""

    def put(stack: Stack, verdict: Verdict) -> None:
        held = verdict.held
        asked: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(UploadId)"}
        if held:
            values = {":by": {"S": held.upload_id}, ":count": {"N": str(held.count)}}
            values[":at"] = {"S": verdict.new.updated_at if verdict.new else ""}
            asked = {"ConditionExpression": "UploadId = :by AND #count = :count AND UpdatedAt <= :at"}
            asked |= {"ExpressionAttributeNames": {"#count": "Count"}, "ExpressionAttributeValues": values}
        stack.dynamodb.put_item(
            TableName=stack.settings.inventory_table, Item=inventory.item_of(verdict),
            ReturnValuesOnConditionCheckFailure="ALL_OLD", **asked,
        )  # fmt: skip

    def write(stack: Stack, verdicts: list[Verdict]) -> None:
        context = copy_context()  # so that a meter counts what is done here
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda one: context.copy().run(put, stack, one), verdicts))

    return write


WAYS: dict[str, Write] = {
    "transactions of 100, 4 threads": transactions,
    "single puts, 4 threads": singly(4),
    "single puts, 16 threads": singly(16),
}


def measure(rows: int, runs: int) -> dict[str, dict[str, float]]:
    """By way: rows a second of new items and of new counts (medians), and write units of a row."""
    rates: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    with running(followed=False) as (stack, _):
        for run in range(runs):
            for way, write in WAYS.items():
                rates[way].append(_timed(stack, write, f"{way} {run}", rows))
        found = {
            way: {"new": statistics.median(new for new, _ in both), "changed": statistics.median(c for _, c in both)}
            for way, both in rates.items()
        }
        for way, write in WAYS.items():
            with metered() as meter:
                write(stack, _verdicts(f"{way} in units", 100, None, _AT[0]))
            found[way]["units"] = meter.take().writes / 100
    return found


def _timed(stack: Stack, write: Write, store: str, rows: int) -> tuple[float, float]:
    first = _verdicts(store, rows, None, _AT[0])
    second = _verdicts(store, rows, [one.new for one in first if one.new], _AT[1])
    rates = []
    for verdicts in (first, second):
        begin = time.monotonic()
        write(stack, verdicts)
        rates.append(rows / (time.monotonic() - begin))
    return rates[0], rates[1]

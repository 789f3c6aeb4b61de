"""Changes at a steady pace: one item after the other gets another count, for real, until this process is ended.

    python -m bench.changing --home FOLDER [--rate 10]

Written into the table as somebody's own program would, with no upload, so that only what follows the stream is at work.
"""

import argparse
import itertools
import time
from decimal import Decimal
from pathlib import Path

from lambdas import tables, times
from services import stack as stacks
from services import stock
from services.stack import Stack
from services.stock import Stocked


def change(stack: Stack, one: Stocked, count: int) -> None:
    """Never 0: alerts are not what is measured."""
    stack.dynamodb.update_item(
        TableName=stack.settings.inventory_table,
        Key=tables.to_item({"Store": one.store, "Item": one.item}),
        UpdateExpression="SET #was = #count, #count = :count, UpdatedAt = :now",
        ExpressionAttributeNames={"#was": "Was", "#count": "Count"},
        ExpressionAttributeValues=tables.to_item({":count": Decimal(count), ":now": times.now()}),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.changing", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=10)
    given = parser.parse_args()
    stack = stacks.connect({"STOCKTRAIL_HOME": str(given.home)})
    items, begin = stock.table(stack), time.monotonic()
    for n, one in enumerate(itertools.cycle(items)):
        change(stack, one, 1 + (n // len(items) + n) % 97)
        time.sleep(max(0.0, begin + (n + 1) / given.rate - time.monotonic()))


if __name__ == "__main__":
    main()

"""What a file costs in time, beside the ways in which people load one today.

    python -m bench.loading [--rows 6 1000 10000] [--runs 5]

Every way loads the same file three times: into a table that does not know its stores, the same file again, and the file
with one row in a hundred changed (count and UpdatedAt). The ways take turns within each run, each with stores of its
own, on one embedded engine on which nothing follows the stream: the writing alone. Ours does all that the Lambda does,
from fetching the object to the receipt. Then, on a second engine, ours through the whole chain: from the PUT to
the loaded receipt, and until the last stream record has been seen and checked. All figures are medians.
"""

import argparse
import csv
import io
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lambdas.fates import Mode
from lambdas.loading import load
from lambdas.upload import Address, Upload, metadata, new_id, object_key
from local import engine
from services import stack as stacks
from services import uploads
from services.stack import Stack

ITEMS = 1000
"""Items of a store."""
FILES = ("first load", "same again", "1 % changed")
EARLY, LATE = "2026-11-24T06:00:00Z", "2026-11-25T06:00:00Z"
Way = Callable[[Stack, bytes], None]
Figures = dict[tuple[str, str], list[float]]
"""Seconds by way and file."""


def file(prefix: str, rows: int, changed: bool = False) -> bytes:
    """Some stores, a thousand items each."""
    lines = ["Store,Item,Count,UpdatedAt"]
    for n in range(rows):
        new = changed and n % 100 == 0
        lines.append(f"{prefix} {n // ITEMS:04},Item {n % ITEMS:04},{n % 97 + 1 + new},{LATE if new else EARLY}")
    return ("\n".join(lines) + "\n").encode()


def row_by_row(stack: Stack, data: bytes) -> None:
    """The class's loader: csv.DictReader, and a PutItem for each row."""
    for row in csv.DictReader(io.StringIO(data.decode())):
        stack.dynamodb.put_item(TableName=stack.settings.inventory_table, Item=_item(row))


def _item(row: dict[str, str]) -> dict[str, Any]:
    names = {"Store": "S", "Item": "S", "Count": "N", "UpdatedAt": "S"}
    return {name: {kind: row[name]} for name, kind in names.items()}


def batch_writer(stack: Stack, data: bytes) -> None:
    """boto3's batch_writer: 25 rows a request, without a condition."""
    resource = stack.session.resource("dynamodb", endpoint_url=stack.endpoint)
    with resource.Table(stack.settings.inventory_table).batch_writer() as batch:
        for row in csv.DictReader(io.StringIO(data.decode())):
            batch.put_item(Item={**row, "Count": int(row["Count"])})


def ours(stack: Stack, data: bytes) -> None:
    """The loader's own code, in this process."""
    upload_id = new_id()
    key = object_key(upload_id, "bench.csv")
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=data, Metadata=metadata(Mode.NEWEST, None))
    load(stack.world, Upload(upload_id, Address(stack.settings.bucket, key, None), "bench.csv"), "bench")


ALONE: dict[str, Way] = {"row by row": row_by_row, "batch_writer": batch_writer, "ours": ours}


@contextmanager
def running(*, followed: bool) -> Iterator[Stack]:
    """A fresh engine with the stack. Not ``followed``: without event sources, so that nothing else is at work."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        stack = stacks.connect({"STOCKTRAIL_HOME": str(home)})
        try:
            if not followed:
                functions = stack.client("lambda")
                for source in functions.list_event_source_mappings()["EventSourceMappings"]:
                    functions.delete_event_source_mapping(UUID=source["UUID"])
            yield stack
        finally:
            engine.stop(home)
            engine.detach(home)


def alone(rows: int, runs: int) -> Figures:
    found: Figures = defaultdict(list)
    with running(followed=False) as stack:
        for way in ALONE.values():  # what is made once, such as connections, is made before
            way(stack, file(f"warm {way.__name__}", 6))
        for run in range(runs):
            for name, way in ALONE.items():
                store = f"{name} {run}"
                files = file(store, rows), file(store, rows), file(store, rows, changed=True)
                for which, data in zip(FILES, files, strict=True):
                    begin = time.monotonic()
                    way(stack, data)
                    found[name, which].append(time.monotonic() - begin)
    return found


def chain(rows: int, runs: int) -> Figures:
    found: Figures = defaultdict(list)
    with running(followed=True) as stack:
        _through(stack, file("warm", 6))
        for run in range(runs):
            store = f"chain {run}"
            files = file(store, rows), file(store, rows), file(store, rows, changed=True)
            for which, data in zip(FILES, files, strict=True):
                loaded, seen = _through(stack, data)
                found["chain, to the receipt", which].append(loaded)
                found["chain, to the last record", which].append(seen)
    return found


def _through(stack: Stack, data: bytes) -> tuple[float, float]:
    """Seconds from the PUT until the receipt says loaded, and until every record has been seen and checked."""
    begin, loaded = time.monotonic(), 0.0
    for receipt in uploads.follow(stack, uploads.send(stack, "bench.csv", data), timeout=600):
        if receipt.state == "loaded" and not loaded:
            loaded = time.monotonic() - begin
    return loaded, time.monotonic() - begin


def table(rows: int, figures: Figures) -> Iterator[str]:
    yield f"\n{rows:,} rows: seconds (rows/s)\n"
    yield "| | " + " | ".join(FILES) + " |"
    yield "|---|" + "---|" * len(FILES)
    for way in dict.fromkeys(way for way, _ in figures):
        medians = [statistics.median(figures[way, which]) for which in FILES]
        yield f"| {way} | " + " | ".join(f"{s:.3f} ({rows / s:,.0f})" for s in medians) + " |"
    for rival in ("row by row", "batch_writer"):
        times = [
            f"{statistics.median(figures[rival, which]) / statistics.median(figures['ours', which]):.1f}"
            for which in FILES
        ]
        yield f"| ours is … times as fast as {rival} | " + " | ".join(times) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.loading", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[6, 1000, 10_000])
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    for rows in arguments.rows:
        figures = alone(rows, arguments.runs) | chain(rows, arguments.runs)
        print("\n".join(table(rows, figures)), flush=True)


if __name__ == "__main__":
    main()

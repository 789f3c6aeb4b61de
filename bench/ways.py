"""The ways in which a file gets into the table: ours, and those in which people do it today.

    python -m bench.ways WAY --home FOLDER --store PREFIX --rows N [--units]

One process loads the same file three times (into a table that does not know its stores, the same file again, and the
file with one row in a hundred changed) and prints as JSON the seconds of each, the process's peak memory, and with
``--units``, which takes time, the units of DynamoDB that each took. Ours does all that the Lambda does, from fetching
the object to the receipt; the others only read the file and write.
"""

import argparse
import csv
import io
import json
import os
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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


def file(prefix: str, rows: int, changed: bool = False) -> bytes:
    """Some stores, a thousand items each."""
    lines = ["Store,Item,Count,UpdatedAt"]
    for n in range(rows):
        new = changed and n % 100 == 0
        lines.append(f"{prefix} {n // ITEMS:04},Item {n % ITEMS:04},{n % 97 + 1 + new},{LATE if new else EARLY}")
    return ("\n".join(lines) + "\n").encode()


def files(prefix: str, rows: int) -> dict[str, bytes]:
    """The three files, by what they are."""
    return dict(zip(FILES, (file(prefix, rows), file(prefix, rows), file(prefix, rows, changed=True)), strict=True))


def row_by_row(stack: Stack, data: bytes) -> None:
    """The class's loader: csv.DictReader, and a PutItem for each row."""
    for row in csv.DictReader(io.StringIO(data.decode())):
        stack.dynamodb.put_item(TableName=stack.settings.inventory_table, Item=_item(row))


def conditional(stack: Stack, data: bytes) -> None:
    """A conditional PutItem for each row, in eight threads: the newer UpdatedAt wins."""
    refused = stack.dynamodb.exceptions.ConditionalCheckFailedException

    def put(row: dict[str, str]) -> None:
        try:
            stack.dynamodb.put_item(
                TableName=stack.settings.inventory_table, Item=_item(row),
                ConditionExpression="attribute_not_exists(UpdatedAt) OR UpdatedAt < :at",
                ExpressionAttributeValues={":at": {"S": row["UpdatedAt"]}},
            )  # fmt: skip
        except refused:
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, csv.DictReader(io.StringIO(data.decode()))))


def _item(row: dict[str, str]) -> dict[str, Any]:
    names = {"Store": "S", "Item": "S", "Count": "N", "UpdatedAt": "S"}
    return {name: {kind: row[name]} for name, kind in names.items()}


def batch_writer(stack: Stack, data: bytes) -> None:
    """boto3's batch_writer: 25 rows a request, without a condition."""
    resource = stack.session.resource("dynamodb", endpoint_url=stack.endpoint)
    with resource.Table(stack.settings.inventory_table).batch_writer() as batch:
        for row in csv.DictReader(io.StringIO(data.decode())):
            batch.put_item(Item={**row, "Count": int(row["Count"])})


def wrangler(stack: Stack, data: bytes) -> None:
    """awswrangler: pandas reads, put_df writes, without a condition."""
    import awswrangler
    import pandas as pd

    awswrangler.config.dynamodb_endpoint_url = stack.endpoint
    frame = pd.read_csv(io.BytesIO(data))
    awswrangler.dynamodb.put_df(frame, stack.settings.inventory_table, boto3_session=stack.session)


def ours(stack: Stack, data: bytes) -> None:
    """The loader's own code, in this process."""
    upload_id = new_id()
    key = object_key(upload_id, "bench.csv")
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=data, Metadata=metadata(Mode.NEWEST, None))
    load(stack.world, Upload(upload_id, Address(stack.settings.bucket, key, None), "bench.csv"), "bench")


WAYS: dict[str, Callable[[Stack, bytes], None]] = {
    "row by row": row_by_row,
    "conditional put in 8 threads": conditional,
    "batch_writer": batch_writer,
    "awswrangler": wrangler,
    "ours": ours,
}
SLOW = frozenset({"row by row", "conditional put in 8 threads"})
"""A request for each row."""


class Reported:
    """The write units that DynamoDB reports to whoever is asked through a session, in whichever thread."""

    def __init__(self, stack: Stack):
        self._lock, self._units = threading.Lock(), 0.0
        for events in (stack.session.events, stack.dynamodb.meta.events):
            events.register("provide-client-params.dynamodb", self._ask)
            events.register("after-call.dynamodb", self._count)

    def take(self) -> float:
        with self._lock:
            units, self._units = self._units, 0.0
        return units

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _count(self, parsed: dict[str, Any], **_: Any) -> None:
        said = parsed.get("ConsumedCapacity", [])
        # A refused write is charged as one of the item's size, and not reported: ours here are below 1 KB.
        refused = parsed.get("Error", {}).get("Code") == "ConditionalCheckFailedException"
        units = refused + sum(one["CapacityUnits"] for one in ([said] if isinstance(said, dict) else said))
        with self._lock:
            self._units += units


def units_of(stack: Stack, name: str, reported: Reported) -> tuple[float, float]:
    """The read and write units of what was just loaded: of ours, as its receipt says."""
    if name != "ours":
        return 0.0, reported.take()
    latest = uploads.recent(stack, 1)[0]
    return float(latest.reads), float(latest.writes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ways", description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--home", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--units", action="store_true")
    given = parser.parse_args()
    stack = stacks.connect({"STOCKTRAIL_HOME": given.home})
    os.environ["AWS_ENDPOINT_URL"] = stack.endpoint or ""
    way, found = WAYS[given.way], []
    reported = Reported(stack) if given.units else None
    way(stack, file(f"warm {given.store}", 6))  # what is made once, such as connections, is made before
    for data in files(given.store, given.rows).values():
        if reported:
            reported.take()
        begin = time.monotonic()
        way(stack, data)
        one: dict[str, Any] = {"seconds": time.monotonic() - begin}
        found.append(one | ({"units": units_of(stack, given.way, reported)} if reported else {}))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"files": found, "peak_mb": peak}))
    engine.detach(stacks.home({"STOCKTRAIL_HOME": given.home}))


if __name__ == "__main__":
    main()

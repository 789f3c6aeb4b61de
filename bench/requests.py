"""What a file asks of each service, counted: the three Lambdas' own code, in this process, on an engine where nothing
else follows the stream.

Owns the counting, by botocore's own events. DynamoDB's units are counted elsewhere, by `lambdas.spending`.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.ways import file
from lambdas import spending
from lambdas.checking import check
from lambdas.fates import Mode
from lambdas.loading import load
from lambdas.recording import record
from lambdas.spending import metered
from lambdas.stream import Change, of_record
from lambdas.sweeping import Sweeper
from lambdas.upload import Address, Upload, metadata, new_id, object_key
from lambdas.world import World
from services.stack import Stack

Asked = dict[str, dict[str, int]]
"""By step, and by service and operation (with DynamoDB's also the table): how many requests."""


@contextmanager
def counted(*clients: Any) -> Iterator[Counter[str]]:
    """Count what is asked through these clients within the block."""
    found: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        found[f"{model.service_model.endpoint_prefix} {model.name}"] += 1

    for client in clients:
        client.meta.events.register("before-call", count, unique_id="bench-requests")
    try:
        yield found
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", unique_id="bench-requests")


def requests_of_a_file(stack: Stack, rows: int = 200) -> Asked:
    """The requests of the first file of a store, of the same one again, and of one in which an item runs out."""
    dynamodb, s3, sns = stack.client("dynamodb"), stack.client("s3"), stack.client("sns")
    world, found = World(dynamodb, s3, stack.settings), {}
    full = file("counted", rows)
    ends = full.replace(b",2,2026-11-24T06:00:00Z", b",0,2026-11-25T06:00:00Z", 1)
    seen = 0
    for name, data in (("new", full), ("same again", full), ("an item runs out", ends)):
        with counted(dynamodb, s3) as loader:
            upload_id = new_id()
            key = object_key(upload_id, "bench.csv")
            stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=data, Metadata=metadata(Mode.NEWEST, None))
            load(world, Upload(upload_id, Address(stack.settings.bucket, key, None), "bench.csv"), "bench")
        changes = streamed(stack)[seen:]
        seen += len(changes)
        with counted(dynamodb, s3) as recorder:
            record(world, changes)
        with counted(dynamodb, s3, sns) as checker:
            check(world, sns, changes)
        found[name] = {"records": len(changes)}
        for step, asked in (("loader", loader), ("recorder", recorder), ("checker", checker)):
            found[name] |= {f"{step}: {what}": count for what, count in sorted(asked.items())}
    return found


def streamed(stack: Stack) -> list[Change]:
    """All that the table's stream holds, in its order."""
    arn = stack.dynamodb.describe_table(TableName=stack.settings.inventory_table)["Table"]["LatestStreamArn"]
    streams, found = stack.client("dynamodbstreams"), []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        place = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]  # fmt: skip
        while place:
            answer = streams.get_records(ShardIterator=place)
            if not answer["Records"]:
                break
            found += map(_change, answer["Records"])
            place = answer.get("NextShardIterator")
    return found


def _change(record: dict[str, Any]) -> Change:
    """Lambda hands the time on as a number, boto3 as a datetime."""
    body = record["dynamodb"]
    at = body["ApproximateCreationDateTime"].timestamp()
    return of_record(record | {"dynamodb": body | {"ApproximateCreationDateTime": at}})


def sizes(stack: Stack) -> dict[str, float]:
    """The mean bytes of what each table keeps, with its indexes; of `uploads`, `tallies` and `store_uploads` for each
    upload; and of the lines that an upload has in the bucket. Of what lies in the stack now."""
    names, found = stack.settings, {}
    projected = {"changes": 3, "uploads": 2}  # whole copies: of changes by item and by upload, of receipts by month
    uploads = _scanned(stack, names.uploads_table)
    receipts = [one for one in uploads if "Rows" in one]
    for table in ("inventory", "changes", "tallies", "store_uploads"):
        items = _scanned(stack, getattr(names, f"{table}_table"))
        kept = [one for one in items if "ItemKey" in one] if table == "changes" else items
        of = len(receipts) if table in ("tallies", "store_uploads") else len(kept)
        found[table] = sum(spending.size(one) + 100 for one in kept) * projected.get(table, 1) / of
    found["uploads"] = sum(spending.size(one) + 100 for one in receipts) * projected["uploads"] / len(receipts)
    pages = stack.s3.get_paginator("list_objects_v2").paginate(Bucket=names.bucket, Prefix="receipts/")
    found["lines"] = sum(one["Size"] for page in pages for one in page.get("Contents", [])) / len(receipts)
    return found


def _scanned(stack: Stack, table: str) -> list[dict[str, Any]]:
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def sweep(stack: Stack) -> dict[str, float]:
    """The units and seconds of a look of the sweeper that finds nothing to do."""
    sweeper = Sweeper(stack.world, stack.client("sqs"), stack.client("sns"), lambda: 60.0)
    sweeper.sweep(everything=False)
    with metered() as meter:
        begin = time.monotonic()
        sweeper.sweep(everything=False)
        seconds = time.monotonic() - begin
    return {"reads": (spent := meter.take()).reads, "writes": spent.writes, "seconds": seconds}

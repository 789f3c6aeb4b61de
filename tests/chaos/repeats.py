"""What arrives more than once, late or out of order: S3's notifications and the stream's batches.

Owns how one is made again from what is kept. The order of an item's records within one call stays, as on AWS; calls
come in any order, and the batches are cut anew.
"""

import json
import random
import time
from collections.abc import Iterable
from typing import Any

from lambdas import receipts
from local import engine
from services import changes, uploads
from services.errors import FOREIGN
from services.stack import Stack
from tests.chaos import processes
from tests.chaos.world import World
from tests.records import record_of

_UPLOADS = 5
_CHANGES = 80
_DELIVERED_SECONDS = 60.0


def events(world: World, rng: random.Random) -> None:
    """S3 says again, and more than once, that some files have come."""
    stack = world.direct
    found = [_notification(stack, one.upload_id or "") for one in uploads.recent(stack, 30)]
    known = [event for event in found if event]
    again = [rng.choice(known) for _ in range(_UPLOADS)] if known else []
    sqs = stack.client("sqs")
    for event in again + again[:2]:
        sqs.send_message(QueueUrl=stack.settings.queue, MessageBody=json.dumps(event))
        world.strike("events again")


def _notification(stack: Stack, upload_id: str) -> dict[str, Any] | None:
    """The event that S3 sent for an upload of ours. One of a dropped file can't be told from what is kept."""
    receipt = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload_id) or {}
    if upload_id not in receipt.get("Key", ""):
        return None
    thing = {"key": receipt["Key"]} | ({"versionId": receipt["Version"]} if receipt.get("Version") else {})
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": receipt["ReceivedAt"]}
    return {"Records": [{**record, "s3": {"bucket": {"name": receipt["Bucket"]}, "object": thing}}]}


def records(world: World, rng: random.Random) -> None:
    """The recorder and the checker get records once more that they have had. As from a stream that is read again: up to
    the newest, each batch until it is taken; and only of uploads that no kill takes away (`kept`)."""
    stack = world.direct
    found = [one for one in changes.newest(stack, _CHANGES) if one.upload_id in world.kept]
    in_order = sorted(found, key=lambda change: change.sequence)
    batches = list(_cut([record_of(stack, one.store, one.item, one.position) for one in in_order], rng))
    rng.shuffle(batches)
    deadline = time.monotonic() + _DELIVERED_SECONDS
    while not _delivered(world, batches):
        if time.monotonic() > deadline:
            raise TimeoutError("the records could not be delivered again")
        time.sleep(0.2)


def _delivered(world: World, batches: list[list[dict[str, Any]]]) -> bool:
    """Whether both have had all, and no kill can take a part of it away: a stream would begin once more, too."""
    server = processes.server(world.home)
    for batch in batches:
        for function in (world.direct.settings.recorder, world.direct.settings.checker):
            if not _invoked(world, function, batch):
                return False
            world.strike("records again")
    try:
        engine.checkpoint(world.home)
    except engine.EngineError:
        return False
    return processes.server(world.home) == server


def _cut(whole: list[dict[str, Any]], rng: random.Random) -> Iterable[list[dict[str, Any]]]:
    while whole:
        size = rng.choice((1, 2, 7, 30))
        yield whole[:size]
        whole = whole[size:]


def _invoked(world: World, function: str, batch: list[dict[str, Any]]) -> bool:
    try:
        answer = world.direct.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"Records": batch}))
    except FOREIGN:  # the engine is gone, or busy with another fault
        return False
    return "FunctionError" not in answer

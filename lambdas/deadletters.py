"""Dead letters: what Lambda and SQS gave up, with hardly more than where it was. Each is made a failure that says what.

Owns the two shapes of a dead letter: a message of the queue, and a batch of the stream, whose records are fetched.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lambdas import failures, receipts
from lambdas.receipts import HELP
from lambdas.upload import Upload, of_s3_record, part_of
from lambdas.world import World


def take(world: World, streams: Any, message_id: str, body: str) -> None:
    """Make a dead letter a failure; once this returns it may be deleted. ``streams``: a DynamoDB Streams client."""
    try:
        said = json.loads(body)
        batch = said.get("DDBStreamBatchInfo")
        uploads = [(of_s3_record(record), part_of(record)) for record in said.get("Records", [])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return failures.keep(world, failures.MESSAGE, message_id, f"It can't be read: {error!r}", {"body": body})
    for upload, part in uploads:
        _given_up(world, upload, part)
    if batch:
        _batch(world, streams, said, message_id)
    return None


def _given_up(world: World, upload: Upload, part: int | None) -> None:
    """A file, or a part of one, whose every try ended without a word on its receipt: the loader broke off."""
    client, table = world.dynamodb, world.settings.uploads_table
    upload_id = receipts.claim(client, table, upload)
    receipt = receipts.get(client, table, upload_id)
    if receipt is None:
        receipts.received(client, table, upload)
    elif part is not None and part in receipt.get("Through", ()):
        return  # another delivery of it came through
    elif receipt.get("Waiting") != HELP and receipt.get("DrivenAt", "") <= receipt.get("RunAt", ""):
        reason = f"The loader broke off at every one of {world.settings.tries} tries."
        receipts.trouble(client, table, upload_id, reason, last=True)


def _batch(world: World, streams: Any, said: dict[str, Any], message_id: str) -> None:
    """Each record of a batch that a stream handler did not get through."""
    kind = failures.CHECK if world.settings.checker in said["requestContext"]["functionArn"] else failures.RECORD
    reason = f"Given up by the stream: {said['requestContext']['condition']}"
    info = said["DDBStreamBatchInfo"]
    records = list(_records(streams, info))
    for record in records:
        failures.keep(world, kind, failures.name_of(record), reason, record)
    if len(records) < int(info["batchSize"]):
        lost = f"{reason}; {int(info['batchSize']) - len(records)} of its records are no longer in the stream"
        failures.keep(world, failures.MESSAGE, message_id, lost, {"body": json.dumps(said)})


def _records(streams: Any, info: dict[str, Any]) -> Iterator[dict[str, Any]]:
    first, last = info["startSequenceNumber"], info["endSequenceNumber"]
    try:
        place = streams.get_shard_iterator(
            StreamArn=info["streamArn"], ShardId=info["shardId"], ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=first,
        )["ShardIterator"]  # fmt: skip
    except (streams.exceptions.TrimmedDataAccessException, streams.exceptions.ResourceNotFoundException):
        return
    while place:
        answer = streams.get_records(ShardIterator=place)
        for record in answer["Records"]:
            if int(record["dynamodb"]["SequenceNumber"]) > int(last):
                return
            yield json.loads(json.dumps(record, default=_plain))
        place = answer.get("NextShardIterator") if answer["Records"] else None


def _plain(value: Any) -> Any:
    """A time as Lambda's event has it, in seconds; the rest, sets and bytes that no item of ours holds, as text."""
    return value.timestamp() if isinstance(value, datetime) else str(value)

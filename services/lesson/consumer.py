"""A consumer of one table's stream, as a class would write it: shards, iterators, records.

Owns how far it is. What a record says is the product's own reading (`lambdas.stream`). Two readers per shard is
DynamoDB's limit, and the Inventory table has both: this one is for the lesson's tables alone.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lambdas.stream import Change, of_record

_LOOK_SECONDS = 2.0
"""Shards are asked for at most so often: AWS takes ten such questions a second, from all who ask."""


class Consumer:
    """Reads a stream from its first record on. ``streams``: a DynamoDB Streams client."""

    def __init__(self, streams: Any, arn: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._streams, self._arn, self._clock = streams, arn, clock
        self._last: dict[str, str] = {}  # by shard, the sequence number that was read last
        self._places: dict[str, str] = {}  # by shard, the iterator
        self._over: set[str] = set()
        self._looked = float("-inf")

    def resume(self) -> None:
        """Begin after a pause: an iterator is good for 15 minutes, and a class may think longer."""
        self._places.clear()
        self._looked = float("-inf")

    def fresh(self) -> list[Change]:
        """The next records, in each shard's order; none is no sign that there will be none."""
        if self._clock() - self._looked >= _LOOK_SECONDS:
            self._looked = self._clock()
            self._find()
        return [change for shard in list(self._places) for change in self._read(shard)]

    def _find(self) -> None:
        """Begin with the shards that are new. One that follows on another waits until that has been read."""
        shards = {shard["ShardId"]: shard.get("ParentShardId") for shard in self._shards()}
        for shard, parent in shards.items():
            if shard not in self._places and shard not in self._over and (parent not in shards or parent in self._over):
                self._places[shard] = self._place(shard)

    def _shards(self) -> Iterator[Mapping[str, Any]]:
        more: dict[str, str] = {}
        while True:
            said = self._streams.describe_stream(StreamArn=self._arn, **more)["StreamDescription"]
            yield from said["Shards"]
            if "LastEvaluatedShardId" not in said:
                return
            more = {"ExclusiveStartShardId": said["LastEvaluatedShardId"]}

    def _place(self, shard: str) -> str:
        last = self._last.get(shard)
        where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": last} if last else _BEGINNING
        place: str = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard, **where)["ShardIterator"]
        return place

    def _read(self, shard: str) -> list[Change]:
        answer = self._streams.get_records(ShardIterator=self._places.pop(shard))
        if place := answer.get("NextShardIterator"):
            self._places[shard] = place
        else:  # it was split, say: others follow on it
            self._over.add(shard)
            self._looked = float("-inf")
        changes = [of_record(_as_lambda_has_it(record)) for record in answer["Records"]]
        if changes:
            self._last[shard] = changes[-1].sequence
        return changes


_BEGINNING = {"ShardIteratorType": "TRIM_HORIZON"}


def _as_lambda_has_it(record: Mapping[str, Any]) -> dict[str, Any]:
    """boto3 makes the time a datetime; in Lambda's event it is seconds."""
    body = record["dynamodb"]
    return {
        **record,
        "dynamodb": body | {"ApproximateCreationDateTime": body["ApproximateCreationDateTime"].timestamp()},
    }

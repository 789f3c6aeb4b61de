"""What a stream record says: the change that we keep of it, and which upload caused it.

Pure. Owns the reading of DynamoDB stream records as Lambda delivers them and the keys under which a change is kept.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from lambdas import times

SHARDS = 4
"""Into how many partitions one hour's changes, or one upload's, are spread: DynamoDB takes 1,000 writes/s on each."""
KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Change:
    """One stream record. ``position`` sorts by time, then by sequence number; counts are None where an image is."""

    event_id: str
    sequence: str
    event_name: str
    at: str
    store: str
    item: str
    old: Mapping[str, Any] | None  # images as DynamoDB attribute values
    new: Mapping[str, Any] | None
    user: str | None  # who deleted, for a TTL delete: dynamodb.amazonaws.com

    @property
    def position(self) -> str:
        return f"{self.at}#{self.sequence:0>40}#{self.event_id}"

    @property
    def old_count(self) -> Decimal | None:
        return count_in(self.old)

    @property
    def new_count(self) -> Decimal | None:
        return count_in(self.new)

    @property
    def upload_id(self) -> str | None:
        """The upload that caused it, or None: its id came into the item with this very write."""
        after = _text(self.new, "UploadId")
        return after if after != _text(self.old, "UploadId") else None

    @property
    def shard(self) -> int:
        return shard_of(self.store, self.item)

    @property
    def bucket(self) -> str:
        """The partition of its hour: `2026-11-23T12#3`."""
        return f"{self.at[:13]}#{self.shard}"

    @property
    def expires(self) -> int:
        """Epoch seconds after which it is no longer kept."""
        return int(times.moment(self.at).timestamp()) + KEPT_DAYS * 86400


def of_record(record: Mapping[str, Any]) -> Change:
    """The change in a record of a Lambda event. KeyError, or ArithmeticError, when it is not one of our table's."""
    body = record["dynamodb"]
    return Change(
        record["eventID"],
        body["SequenceNumber"],
        record["eventName"],
        times.of_epoch(float(body["ApproximateCreationDateTime"])),
        body["Keys"]["Store"]["S"],
        body["Keys"]["Item"]["S"],
        body.get("OldImage"),
        body.get("NewImage"),
        (record.get("userIdentity") or {}).get("principalId"),
    )


def as_record(change: Change) -> dict[str, Any]:
    """The record of a Lambda event that ``of_record`` reads as this change."""
    body: dict[str, Any] = {
        "ApproximateCreationDateTime": times.moment(change.at).timestamp(), "SequenceNumber": change.sequence,
        "Keys": {"Store": {"S": change.store}, "Item": {"S": change.item}},
    }  # fmt: skip
    images = {"OldImage": change.old, "NewImage": change.new}
    user = {"userIdentity": {"principalId": change.user}} if change.user else {}
    body |= {name: image for name, image in images.items() if image is not None}
    return {"eventID": change.event_id, "eventName": change.event_name, "dynamodb": body} | user


@lru_cache(1000)  # it is asked for again and again of one change
def item_key(store: str, item: str) -> str:
    """A store's item as one text, `Berlin/Echo%20Dot`: a key of tables, and how the command line names it."""
    return f"{quote(store, safe='')}/{quote(item, safe='')}"


def shard_of(store: str, item: str) -> int:
    """An item is in the same shard for ever."""
    return zlib.crc32(item_key(store, item).encode()) % SHARDS


def of_item_key(text: str) -> tuple[str, str]:
    """The store and the item of such a text. ValueError when it is none."""
    store, item = text.split("/")
    return unquote(store), unquote(item)


def count_in(image: Mapping[str, Any] | None) -> Decimal | None:
    value = (image or {}).get("Count", {}).get("N")
    return Decimal(value) if value is not None else None


def _text(image: Mapping[str, Any] | None, name: str) -> str | None:
    value: str | None = (image or {}).get(name, {}).get("S")
    return value

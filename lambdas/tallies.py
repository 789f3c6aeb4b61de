"""The Tallies table: how many stream records of an upload each batch of the stream held, and what that cost.

Owns the shape of a tally, and their sums. Counted by batch, and not by adding, so that a batch that comes again is
counted once. Only a replay that cuts the stream into other batches can make an entry too many: a sum that is too high
is counted again, from the changes and episodes themselves, by who reads it. Items of their own, and not a part of the
receipt: a file of a million rows has thousands of them, and every one would cost a write of the whole receipt.

A tally: UploadId and Batch (`kept#…` or `checked#…`, with the sequence number of the upload's first record in it) are
the key; Records, Opened (alerts), At, Reads and Writes (units of DynamoDB).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from lambdas import tables, times
from lambdas.spending import Units

KEPT, CHECKED = "kept", "checked"
"""What was done with the records of a batch."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one upload: stream records kept and checked, alerts opened, when the last of each, and the units spent."""

    seen: int = 0
    checked: int = 0
    opened: int = 0
    seen_at: str | None = None
    checked_at: str | None = None
    reads: Decimal = Decimal(0)
    writes: Decimal = Decimal(0)

    def as_values(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


NONE = Totals()


def of_values(values: Mapping[str, Any]) -> Totals:
    """The totals that ``as_values`` gave, back from a table."""
    counts = {name: int(values[name]) for name in ("seen", "checked", "opened")}
    return Totals(**{**values, **counts})


def put(
    client: Any, table: str, upload_id: str, what: str, batch: str, records: int, spent: Units, opened: int = 0
) -> None:  # fmt: skip
    """Count what one batch of the stream held of this upload.

    ``batch`` is the sequence number of the upload's first record in it: the same batch again is counted once, and a
    shorter one that begins the same takes nothing away.
    """
    tally = {"UploadId": upload_id, "Batch": f"{what}#{batch}", "Records": records, "Opened": opened or None}
    tally |= {"At": times.now(), "Reads": rounded(spent.reads), "Writes": rounded(spent.writes)}
    try:
        client.put_item(
            TableName=table, Item=tables.to_item(tally), ExpressionAttributeValues=tables.to_item({":n": records}),
            ConditionExpression="attribute_not_exists(UploadId) OR Records < :n",
        )  # fmt: skip
    except client.exceptions.ConditionalCheckFailedException:
        return  # counted before


def rounded(units: float) -> Decimal:
    """Units as a table keeps them."""
    return Decimal(f"{units:.1f}")


def of_upload(client: Any, table: str, upload_id: str) -> Totals:
    """The sums of an upload's tallies, read consistently."""
    found = tables.query(
        client, table, ConsistentRead=True, KeyConditionExpression="UploadId = :upload",
        ExpressionAttributeValues=tables.to_item({":upload": upload_id}),
    )  # fmt: skip
    return total(map(tables.from_item, found))


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch of the stream held of an upload: the sequence number of the first of its records, how many they
    were, and when they were through."""

    first: str
    records: int
    at: str


def batches(client: Any, table: str, upload_id: str, what: str) -> list[Batch]:
    """The batches in which an upload's records were kept, or checked, by their sequence numbers."""
    found = tables.query(
        client, table, KeyConditionExpression="UploadId = :upload AND begins_with(#batch, :what)",
        ExpressionAttributeNames={"#batch": "Batch"},
        ExpressionAttributeValues=tables.to_item({":upload": upload_id, ":what": f"{what}#"}),
    )  # fmt: skip
    each = (Batch(one["Batch"].split("#")[1], int(one["Records"]), one["At"]) for one in map(tables.from_item, found))
    return sorted(each, key=lambda one: int(one.first))


def total(tallies: Iterable[Mapping[str, Any]]) -> Totals:
    """The sums of tallies of one upload."""
    every = list(tallies)
    kept, checked = ([one for one in every if one["Batch"].startswith(f"{what}#")] for what in (KEPT, CHECKED))
    return Totals(
        sum(int(one["Records"]) for one in kept),
        sum(int(one["Records"]) for one in checked),
        sum(int(one.get("Opened", 0)) for one in checked),
        max((one["At"] for one in kept), default=None),
        max((one["At"] for one in checked), default=None),
        sum((one["Reads"] for one in every), Decimal(0)),
        sum((one["Writes"] for one in every), Decimal(0)),
    )

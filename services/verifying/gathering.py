"""What the tables and the bucket hold, read from end to end; of one store by its key, where a table has it.

Owns the Scans. Knows nothing of what is right.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from lambdas import recording, tables, tallies, times
from lambdas.failures import NOTICE
from lambdas.fates import Mode
from lambdas.stream import Change, item_key
from lambdas.tables import Item
from lambdas.tallies import Totals
from lambdas.upload import PREFIX, Address, Upload, claim_of, of_s3_record
from services.outcome import of_item
from services.stack import Stack
from services.verifying.facts import Known


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one object below `uploads/`. ``upload_id`` None: its key does not say it. ``at``: when it came."""

    key: str
    version: str | None
    upload_id: str | None
    at: str


def scan(stack: Stack, table: str, store: str | None = None) -> Iterator[Item]:
    """Every item of a table, or those whose Store it is, though that is not their key; read consistently."""
    only: dict[str, Any] = {"FilterExpression": "#store = :store", "ExpressionAttributeNames": {"#store": "Store"}}
    only |= {"ExpressionAttributeValues": tables.to_item({":store": store})}
    return _scan(stack, table, only if store is not None else {})


def of_store(stack: Stack, table: str, store: str | None) -> Iterator[Item]:
    """The same of a table whose partitions are the stores."""
    if store is None:
        return scan(stack, table)
    return tables.query(
        stack.dynamodb, table, ConsistentRead=True, KeyConditionExpression="#store = :store",
        ExpressionAttributeNames={"#store": "Store"}, ExpressionAttributeValues=tables.to_item({":store": store}),
    )  # fmt: skip


def _scan(stack: Stack, table: str, only: dict[str, Any]) -> Iterator[Item]:
    pages = stack.dynamodb.get_paginator("scan").paginate(
        TableName=table, ConsistentRead=True, **only
    )  # fmt: skip
    for page in pages:
        yield from page["Items"]


def receipts(stack: Stack) -> dict[str, Known]:
    """Every upload that has a receipt, by id."""
    found = list(map(tables.from_item, scan(stack, stack.settings.uploads_table)))
    counted: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in map(tables.from_item, scan(stack, stack.settings.tallies_table)):  # later: nothing is missing in them
        counted[one["UploadId"]].append(one)
    known = (one for one in found if "Name" in one and "Month" in one)
    return {one["UploadId"]: _known(one, tallies.total(counted[one["UploadId"]])) for one in known}


def _known(item: dict[str, Any], totals: Totals) -> Known:
    upload = _upload(item, item.get("Store"))
    begun = item.get("StartedAt") or item.get("ReceivedAt") or upload.time
    return Known(upload, of_item(item, totals), begun, item.get("Parts", {}), "Applying" in item)


def _upload(item: dict[str, Any], store: str | None) -> Upload:
    address = Address(item["Bucket"], item["Key"], item.get("Version"))
    mode = Mode(item.get("Mode", Mode.NEWEST))
    return Upload(item["UploadId"], address, item["Name"], mode, store, item.get("Mapping"))


def spoke(stack: Stack, store: str | None = None) -> dict[str, Known]:
    """The uploads that have said that they speak of a store, or of this one, by id; without their receipts."""
    found = map(tables.from_item, of_store(stack, stack.settings.store_uploads_table, store))
    uploads = (_upload(item, item.get("Default")) for item in found)
    return {one.id: Known(one, None, one.time, applying=True) for one in uploads}


def versions(stack: Stack) -> Iterator[Version]:
    """Every file that is in the bucket, those that newer ones of the same name have hidden as well."""
    pages = stack.s3.get_paginator("list_object_versions").paginate(Bucket=stack.settings.bucket, Prefix=PREFIX)
    for page in pages:
        for found in page.get("Versions", []):
            if not found["Key"].endswith("/"):  # what the S3 console makes for a folder
                yield _version(stack.settings.bucket, found)


def _version(bucket: str, found: dict[str, Any]) -> Version:
    version = None if found["VersionId"] == "null" else found["VersionId"]
    at = times.text(found["LastModified"])
    thing = {"key": quote_plus(found["Key"])} | ({"versionId": version} if version else {})
    upload = of_s3_record({"eventTime": at, "s3": {"bucket": {"name": bucket}, "object": thing}})
    return Version(found["Key"], version, None if claim_of(upload) else upload.id, at)


def changes(stack: Stack, store: str | None = None) -> Iterator[tuple[Item, Change | None]]:
    """Every change that is kept, as it stands in the table and as it is understood; None: it can't be."""
    only: dict[str, Any] = {}
    if store is not None:
        of_store = tables.to_item({":store": item_key(store, "")})
        only = {"FilterExpression": "begins_with(ItemKey, :store)", "ExpressionAttributeValues": of_store}
    for item in _scan(stack, stack.settings.changes_table, only):
        if item["Bucket"]["S"] != recording.MARKERS:
            yield item, _change(item)


def _change(item: Item) -> Change | None:
    try:
        return recording.change_of(item)
    except (KeyError, ValueError):
        return None


def misfiled(item: Item, change: Change) -> list[str]:
    """What an item of the Changes table says beside its images and is not so: there it would not be found."""
    expected = recording.item_of(change)
    return [n for n in ("Bucket", "Position", "ItemKey", "UploadPart") if item.get(n) != expected.get(n)]


def notices(stack: Stack) -> frozenset[str]:
    """The notifications that could not be sent, as `ItemKey#Position`."""
    found = tables.query(
        stack.dynamodb, stack.settings.failures_table, ConsistentRead=True, KeyConditionExpression="Kind = :kind",
        ExpressionAttributeValues=tables.to_item({":kind": NOTICE}),
    )  # fmt: skip
    return frozenset(item["Id"]["S"] for item in found)

"""The StoreUploads table: which uploads spoke of a store, written down before any of their rows is judged.

Owns the search for silent agreement: a newer upload whose count equalled the table's wrote nothing, and yet it is
the newest word on that item. An upload that has been undone has no word any more. Knows nothing of receipts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from lambdas import tables
from lambdas.fates import Mode
from lambdas.upload import Address, Upload, lowest_id


@dataclass(frozen=True, slots=True)
class Spoke:
    """An upload that spoke of a store. ``timed``: its file states times of its own."""

    upload: Upload
    timed: bool


def register(client: Any, table: str, upload: Upload, stores: Iterable[str], *, timed: bool) -> None:
    """Write down that this upload speaks of these stores; again is harmless."""
    address = upload.address
    said: dict[str, Any] = {"UploadId": upload.id, "Mode": upload.mode.value, "Timed": timed, "Name": upload.name}
    said |= {"Bucket": address.bucket, "Key": address.key, "Version": address.version, "Default": upload.store}
    said |= {"Mapping": upload.mapping, "Undoes": upload.undoes, "Parted": upload.parted or None}
    tables.batch_put(client, table, (tables.to_item(said | {"Store": store}) for store in sorted(stores)))


def since(client: Any, table: str, store: str, at: str, upload_id: str) -> list[Spoke]:
    """The uploads, other than ``upload_id``, that may hold a newer word on this store than ``at`` without a trace.

    A file that states its times leaves a trace unless the times are equal, and then the later upload counts.
    """
    found = tables.query(
        client, table, ConsistentRead=True,
        KeyConditionExpression="#store = :store AND UploadId >= :low", ExpressionAttributeNames={"#store": "Store"},
        ExpressionAttributeValues=tables.to_item({":store": store, ":low": lowest_id(at)}),
    )  # fmt: skip
    others = [_spoke(tables.from_item(item)) for item in found]
    undone = _undone(one.upload for one in others)
    return [
        one
        for one in others
        if one.upload.mode is Mode.NEWEST
        and one.upload.id not in {upload_id, *undone}
        and (one.upload.id > upload_id or not one.timed)
    ]


def _undone(uploads: Iterable[Upload]) -> set[str]:
    """The ids of the uploads that others of these undo. Where that was undone in turn, the first one counts again."""
    found: set[str] = set()
    for one in sorted(uploads, key=lambda upload: upload.id, reverse=True):
        if one.undoes and one.id not in found:
            found.add(one.undoes)
    return found


def _spoke(said: dict[str, Any]) -> Spoke:
    address = Address(said["Bucket"], said["Key"], said.get("Version"))
    names = (said["UploadId"], address, said["Name"], Mode(said["Mode"]), said.get("Default"), said.get("Mapping"))
    return Spoke(replace(Upload(*names), undoes=said.get("Undoes"), parted="Parted" in said), said["Timed"])

"""The bucket, looked through for files that nobody loads: their notification was lost, or what was known of them.

Owns the comparison of what lies below `uploads/` with the receipts. Changes nothing but how far it has looked.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

from lambdas import receipts, tables, times
from lambdas.upload import PREFIX, Upload, claim_of, dropped, lowest_id, of_s3_record
from lambdas.world import World

_BACK_HOURS = 24  # how far a look goes back behind the one before: clocks may have been set back meanwhile
_MARK = "looked through"


def missing(world: World) -> list[Upload]:
    """The files without a receipt, in no order. What lay there well before the last look is not asked again."""
    client, table = world.dynamodb, world.settings.uploads_table
    began = times.now()
    looked = receipts.get(client, table, _MARK) or {}
    since = times.later(min(began, looked["At"]), hours=-_BACK_HOURS) if looked else ""
    found = [one for part in tables.chunks(_files(world, since), 1000) for one in _unknown(world, part)]
    client.put_item(TableName=table, Item=tables.to_item({"UploadId": _MARK, "At": began}))
    return found


def _unknown(world: World, uploads: list[Upload]) -> Iterator[Upload]:
    """Those without a receipt, under the id that their receipt is to have."""
    claims = {item["UploadId"]: item["Of"] for item in _items(world, filter(None, map(claim_of, uploads)))}
    named = [replace(upload, id=claims.get(claim_of(upload), upload.id)) for upload in uploads]
    known = {receipt["UploadId"]: receipt for receipt in _items(world, (upload.id for upload in named))}
    first = {
        upload.id: upload for upload in named if upload.id not in known
    }  # of a key's versions the oldest, listed last
    others = [one for one in named if first.get(one.id) is not one and not _is_of(known.get(one.id), one)]
    taken = [dropped(one.address, one.time, "") for one in others]  # the id that their key names is another file's
    there = {receipt["UploadId"] for receipt in _items(world, (upload.id for upload in taken))}
    yield from first.values()
    yield from (upload for upload in taken if upload.id not in there)


def _is_of(receipt: dict[str, Any] | None, upload: Upload) -> bool:
    place = upload.address.key, upload.address.version
    return receipt is not None and (receipt["Key"], receipt.get("Version")) == place


def _items(world: World, names: Iterable[str]) -> Iterator[dict[str, Any]]:
    keys = [tables.to_item({"UploadId": name}) for name in dict.fromkeys(names)]
    return map(tables.from_item, tables.batch_get(world.dynamodb, world.settings.uploads_table, keys))


def _files(world: World, since: str) -> Iterator[Upload]:
    """Every version of every file that was put since then. Keys with ids sort by time: the older ones are skipped."""
    asked: dict[str, Any] = {"Bucket": world.settings.bucket, "Prefix": PREFIX}
    skip = f"{PREFIX}{lowest_id(since)}" if since else ""
    while True:
        answer = world.s3.list_object_versions(**asked)
        for version in answer.get("Versions", []):
            if times.text(version["LastModified"]) >= since and not version["Key"].endswith("/"):
                yield _upload(world, version)
        if not answer["IsTruncated"]:
            return
        asked |= {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer.get("NextVersionIdMarker", "")}
        if PREFIX + "0" < asked["KeyMarker"] < skip:
            asked = {name: asked[name] for name in ("Bucket", "Prefix")} | {"KeyMarker": skip}


def _upload(world: World, version: dict[str, Any]) -> Upload:
    number = {} if version["VersionId"] == "null" else {"versionId": version["VersionId"]}
    thing = {"key": quote_plus(version["Key"])} | number
    return of_s3_record(
        {"s3": {"bucket": {"name": world.settings.bucket}, "object": thing},
         "eventTime": times.text(version["LastModified"])}
    )  # fmt: skip

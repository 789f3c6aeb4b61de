"""The Changes table: every stream record, kept as a change.

Owns the shape of a change. Knows nothing of alerts or of who asks.

A change: Bucket (its hour and shard) and Position (its place in time) are the key, so that the same record again is
the same item; EventId, Sequence, EventName, At, Store, Item, ItemKey, OldCount, NewCount, Old and New (the images),
UploadId and UploadPart (the index of an upload's changes), User (who deleted), Expires. Beside the changes stand
markers, one for each bucket that holds any: Bucket `hours`, Position the bucket's name.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from lambdas import receipts, tables
from lambdas.stream import Change, item_key
from lambdas.world import World

MARKERS = "hours"


def record(world: World, changes: Iterable[Change]) -> dict[str | None, int]:
    """Keep every change, once, and count them on their uploads' receipts. How many of each upload there were."""
    client, table = world.dynamodb, world.settings.changes_table
    kept = {change.position: change for change in changes}
    tables.batch_put(client, table, map(item_of, kept.values()))
    hours = {change.bucket: change.expires for change in kept.values()}
    tables.batch_put(client, table, (_marker(*hour) for hour in hours.items()))
    uploads = by_upload(kept.values())
    for upload_id, own in uploads.items():
        if upload_id:
            receipts.tally(client, world.settings.uploads_table, upload_id, own[0].sequence, Seen=len(own))
    return {upload_id: len(own) for upload_id, own in uploads.items()}


def by_upload(changes: Iterable[Change]) -> Mapping[str | None, list[Change]]:
    """The changes by the upload that caused them, each list in the stream's order; None: no upload did."""
    groups: defaultdict[str | None, list[Change]] = defaultdict(list)
    for change in changes:
        groups[change.upload_id].append(change)
    return groups


def item_of(change: Change) -> dict[str, Any]:
    """The item that keeps a change."""
    key, upload_id = item_key(change.store, change.item), change.upload_id
    values = {
        "Bucket": change.bucket, "Position": change.position, "EventId": change.event_id, "Sequence": change.sequence,
        "EventName": change.event_name, "At": change.at, "Store": change.store, "Item": change.item, "ItemKey": key,
        "OldCount": change.old_count, "NewCount": change.new_count, "UploadId": upload_id,
        "UploadPart": f"{upload_id}#{change.shard}" if upload_id else None, "User": change.user,
        "Expires": change.expires,
    }  # fmt: skip
    images = {"Old": change.old, "New": change.new}
    return tables.to_item(values) | {name: {"M": image} for name, image in images.items() if image is not None}


def change_of(item: tables.Item) -> Change:
    """The change that an item keeps."""
    said = tables.from_item({name: value for name, value in item.items() if name not in ("Old", "New")})
    old, new = (item[name]["M"] if name in item else None for name in ("Old", "New"))
    return Change(
        said["EventId"], said["Sequence"], said["EventName"], said["At"], said["Store"], said["Item"],
        old, new, said.get("User"),
    )  # fmt: skip


def later(world: World, change: Change) -> list[Change]:
    """What is kept of the same item's changes after this one, in the stream's order."""
    found = tables.query(
        world.dynamodb, world.settings.changes_table, IndexName="ByItem", KeyConditionExpression="ItemKey = :item",
        ExpressionAttributeValues=tables.to_item({":item": item_key(change.store, change.item)}),
    )  # fmt: skip
    after = [one for one in map(change_of, found) if int(one.sequence) > int(change.sequence)]
    return sorted(after, key=lambda one: int(one.sequence))


def _marker(bucket: str, expires: int) -> dict[str, Any]:
    # Rounded up to the hour's end plus a day: the marker must not go before the last of its changes.
    return tables.to_item({"Bucket": MARKERS, "Position": bucket, "Expires": expires + 86400})

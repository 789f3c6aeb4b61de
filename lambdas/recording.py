"""The Changes table: every stream record, kept as a change.

Owns the shape of a change. Knows nothing of alerts or of who asks.

A change: Bucket (its hour and shard) and Position (its place in time) are the key, so that the same record again is
the same item; Sequence; Old and New (the images, as JSON); ItemKey and UploadPart (of the indexes by item and by
upload), User (who deleted), Expires. Each thing is said once, and an image is one text, because DynamoDB looks at every
attribute of an item, and the embedded engine takes its time for it. Beside the changes stand markers, one for each
bucket that holds any: Bucket `hours`, Position the bucket's name.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from lambdas import tables, tallies
from lambdas.spending import metered
from lambdas.stream import Change, item_key
from lambdas.world import World

MARKERS = "hours"


def record(world: World, changes: Iterable[Change]) -> dict[str | None, int]:
    """Keep every change, once, and count them on their uploads' receipts. How many of each upload there were."""
    client, table = world.dynamodb, world.settings.changes_table
    kept = {change.position: change for change in changes}
    with metered() as meter:
        tables.batch_put(client, table, map(item_of, kept.values()))
        hours = {change.bucket: change.expires for change in kept.values()}
        tables.batch_put(client, table, (_marker(*hour) for hour in hours.items()))
    uploads, spent, tally = by_upload(kept.values()), meter.take(), world.settings.tallies_table
    for upload_id, own in uploads.items():
        if upload_id:
            share = spent.part(len(own), len(kept))
            tallies.put(client, tally, upload_id, tallies.KEPT, own[0].sequence, len(own), share)
    return {upload_id: len(own) for upload_id, own in uploads.items()}


def by_upload(changes: Iterable[Change]) -> Mapping[str | None, list[Change]]:
    """The changes by the upload that caused them, each list in the stream's order; None: no upload did."""
    groups: defaultdict[str | None, list[Change]] = defaultdict(list)
    for change in changes:
        groups[change.upload_id].append(change)
    return groups


def item_of(change: Change) -> dict[str, Any]:
    """The item that keeps a change."""
    item = {"Bucket": {"S": change.bucket}, "Position": {"S": change.position}, "Sequence": {"S": change.sequence}}
    item |= {"ItemKey": {"S": item_key(change.store, change.item)}, "Expires": {"N": str(change.expires)}}
    if upload_id := change.upload_id:
        item["UploadPart"] = {"S": f"{upload_id}#{change.shard}"}
    if change.user:
        item["User"] = {"S": change.user}
    images = {"Old": change.old, "New": change.new}
    return item | {n: {"S": json.dumps(i, separators=(",", ":"))} for n, i in images.items() if i is not None}


def change_of(item: tables.Item) -> Change:
    """The change that an item keeps. KeyError, or ValueError, when it lacks what every change has."""
    old, new = (json.loads(item[name]["S"]) if name in item else None for name in ("Old", "New"))
    at, _, event_id = item["Position"]["S"].split("#", 2)
    event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    key = new or old or {}
    return Change(
        event_id, item["Sequence"]["S"], event, at, key["Store"]["S"], key["Item"]["S"], old, new,
        item.get("User", {}).get("S"),
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

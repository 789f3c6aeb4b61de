"""A run after one that broke off: which rows that one had written, although the table has moved on since.

An item that still holds this upload's write says so itself. One that another upload wrote over says nothing any more;
the stream does. So that the row's fate is what became of it, and nothing is written twice, the changes are asked,
once it is certain that they tell of everything up to that other write.
"""

from collections.abc import Iterable

from lambdas import inventory, tables, tallies
from lambdas.fates import Held, Key, Verdict, written
from lambdas.recording import change_of
from lambdas.stream import SHARDS, Change, item_key
from lambdas.world import World

_LATEST = 50  # changes of an item that are looked through


def remembered(
    world: World, upload_id: str, verdicts: list[Verdict], *, one_by_one: bool = False
) -> list[Verdict]:  # fmt: skip
    """The verdicts, with those replaced that an earlier run of this upload carried out. ``one_by_one``: the upload has
    made far more changes than these rows, so those of their items are asked for.

    Raises tables.Busy when the changes do not come through within half a minute: then it may be tried again.
    """
    doubtful = {
        (verdict.row.store, verdict.row.item): verdict.held
        for verdict in verdicts
        if verdict.held and not verdict.done and verdict.held.upload_id not in ("", upload_id)
    }
    if not doubtful:
        return verdicts
    told_of = _through(world, {held.upload_id for held in doubtful.values()})  # before the changes are asked
    made = _made_of_each(world, upload_id, list(doubtful)) if one_by_one else _made(world, upload_id)
    unsure = {key: held for key, held in doubtful.items() if key not in made and held.upload_id not in told_of}
    found = tables.each(lambda key: _made_of(world, upload_id, key, unsure[key]), unsure)
    made |= {key: one for key, one in zip(unsure, found, strict=True) if one}
    return [
        written(verdict.row, made[key]) if (key := (verdict.row.store, verdict.row.item)) in doubtful and key in made
        else verdict
        for verdict in verdicts
    ]  # fmt: skip


def _through(world: World, upload_ids: Iterable[str]) -> set[str]:
    """Of these uploads the loaded ones whose every stream record is kept: what came before theirs is kept as well."""
    keys = [tables.to_item({"UploadId": upload_id}) for upload_id in upload_ids]
    found = map(tables.from_item, tables.batch_get(world.dynamodb, world.settings.uploads_table, keys))
    expected = {one["UploadId"]: one["Expected"] for one in found if "LoadedAt" in one}
    client, table = world.dynamodb, world.settings.tallies_table
    seen = tables.each(lambda upload_id: tallies.of_upload(client, table, upload_id).seen, expected)
    return {upload_id for upload_id, count in zip(expected, seen, strict=True) if count >= expected[upload_id]}


def _made(world: World, upload_id: str) -> dict[Key, Held]:
    """What this upload's changes made of their items."""
    parts = [f"{upload_id}#{shard}" for shard in range(SHARDS)]
    asked = tables.each(lambda part: list(_changes(world, "ByUpload", "UploadPart", part, None)), parts)
    return {(one.store, one.item): _new(one) for part in asked for one in part}


def _made_of_each(world: World, upload_id: str, keys: list[Key]) -> dict[Key, Held]:
    """The same of these items alone: a Query for each."""
    latest = tables.each(lambda key: _latest(world, key), keys)
    own = (next((one for one in of if one.upload_id == upload_id), None) for of in latest)
    return {key: one for key, one in zip(keys, own, strict=True) if one}


def _latest(world: World, key: Key) -> list[Held]:
    """What the latest changes that are kept of an item made of it, the latest first."""
    return [_new(item) for item in _changes(world, "ByItem", "ItemKey", item_key(*key), _LATEST)]


def _made_of(world: World, upload_id: str, key: Key, held: Held) -> Held | None:
    """What this upload made of one item, once the latest change that is kept of it is what the table held."""
    attempt = 0
    while True:
        latest = _latest(world, key)
        if latest and latest[0] == held:
            return next((one for one in latest if one.upload_id == upload_id), None)
        attempt += 1
        tables.wait(attempt)


def _changes(world: World, index: str, key: str, value: str, limit: int | None) -> Iterable[Change]:
    found = tables.query(
        world.dynamodb, world.settings.changes_table, limit=limit, IndexName=index, ScanIndexForward=False,
        KeyConditionExpression="#key = :key", ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues=tables.to_item({":key": value}),
    )  # fmt: skip
    return map(change_of, found)


def _new(change: Change) -> Held:
    return inventory.held(change.new) or Held(None)

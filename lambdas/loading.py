"""Loading: an uploaded file is read, judged against the Inventory table, and applied.

Owns the order of the steps. The preview on a page and the loader in the cloud are this same code: ``plan`` reads
and judges, ``load`` plans, writes and keeps the receipt. Knows nothing of events or of pages.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from lambdas import inventory, mappings, receipts, store_uploads, tables
from lambdas.fates import Applied, Fate, Mode, Verdict, judge, overrule, split_duplicates
from lambdas.inventory import Key
from lambdas.opening import open_file
from lambdas.settings import Settings
from lambdas.stockfile import Reading, Row, StockFile, Unclear, Unreadable, shape_of
from lambdas.store_uploads import Spoke
from lambdas.tables import Item
from lambdas.upload import Upload, dropped, with_metadata


@dataclass(frozen=True, slots=True)
class World:
    """What a load works on: boto3 clients, and the names of the stack's resources."""

    dynamodb: Any
    s3: Any
    settings: Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would do: a verdict for every usable row, the items that were read, the uploads looked at."""

    reading: Reading
    applied: Applied
    verdicts: list[Verdict]
    items: dict[Key, Item]
    looked_at: frozenset[str] = frozenset()


def load(world: World, upload: Upload, request_id: str, *, again: bool = False) -> str:
    """Apply an upload and keep its receipt; returns its id. Safe to repeat.

    A file that can't be used ends as a failed receipt with the reason, one that leaves a question open waits for its
    answer; only what may work later raises.
    ``again`` goes over an upload that has been loaded, because another one crossed it.
    """
    uploads = world.settings.uploads_table
    receipt = receipts.start(world.dynamodb, uploads, upload, request_id)
    if receipt is None:  # somebody dropped another file under an upload's id: it is an upload of its own
        upload = dropped(upload.address, upload.time, "")
        receipt = receipts.start(world.dynamodb, uploads, upload, request_id)
    if receipt is None or ("LoadedAt" in receipt and not again):
        return upload.id
    upload = replace(
        upload, mapping=receipt.get("Mapping") or upload.mapping, store=receipt.get("Store") or upload.store
    )
    data = None
    try:
        data, upload = fetch(world, upload)
        reading, upload = _read_pinned(world, data, upload, again=again)
        register(world, upload, reading)
        planned = plan(world, upload, reading, receipt["StartedAt"] if upload.mode is Mode.STAMP else upload.time)
    except Unclear as unclear:
        shape = shape_of(data) if data else None
        receipts.wait(world.dynamodb, uploads, upload, unclear.question, shape, receipt)
        return upload.id
    except Unreadable as unreadable:
        receipts.fail(world.dynamodb, uploads, upload, str(unreadable))
        return upload.id
    verdicts = _write(world, upload, planned)
    receipts.finish((world.dynamodb, world.s3), uploads, upload, verdicts, reading.rejects)
    for crossed in _crossed(world, upload, verdicts, planned.looked_at):
        load(world, crossed, request_id, again=True)
    return upload.id


def _read_pinned(world: World, data: bytes, upload: Upload, *, again: bool) -> tuple[Reading, Upload]:
    """What the file holds, and the upload with the mapping and store that this and every later run reads it with.

    Not said, it is what is saved for such files now; from then on it stands on the receipt. ``again``: an upload from
    before there were mappings was read automatically, and is so again.
    """
    if upload.mapping is None and not again:
        opened = open_file(world.dynamodb, world.settings.mappings_table, data)
        upload = replace(upload, mapping=mappings.id_of(opened.mapping))  # what is saved is kept under its id as well
        file, always = opened.file, opened.mapping.always
    else:
        file, always = _file(world, data, upload)
    while True:
        reading = file.read(uploaded_at=upload.time, store=upload.store)
        ours = replace(upload, mapping=upload.mapping or mappings.AUTO, store=upload.store or always)
        pinned = receipts.pin(world.dynamodb, world.settings.uploads_table, ours)
        if pinned == (ours.mapping, ours.store):
            return reading, ours
        upload = replace(upload, mapping=pinned[0], store=pinned[1])  # another run was first: read as it does
        file, always = _file(world, data, upload)


def _file(world: World, data: bytes, upload: Upload) -> tuple[StockFile, str | None]:
    """The file as its upload's mapping has it, and the store that the mapping says for every file."""
    mapping = mappings.get(world.dynamodb, world.settings.mappings_table, upload.mapping or mappings.AUTO)
    return StockFile(data, mapping), mapping.always


def register(world: World, upload: Upload, reading: Reading) -> None:
    """Say which stores this upload speaks of."""
    stores = {row.store for row in reading.rows}
    table = world.settings.store_uploads_table
    store_uploads.register(world.dynamodb, table, upload, stores, timed=reading.timed)


def fetch(world: World, upload: Upload) -> tuple[bytes, Upload]:
    """The file's bytes, and the upload with what its metadata says. Unreadable when there is nothing to read."""
    address = upload.address
    version = {"VersionId": address.version} if address.version else {}
    try:
        answer = world.s3.get_object(Bucket=address.bucket, Key=address.key, **version)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchVersion"):
            raise
        raise Unreadable("The file is no longer in the bucket. Send it again.") from error
    try:
        return answer["Body"].read(), with_metadata(upload, answer["Metadata"])
    except ValueError as error:
        raise Unreadable(f"The object's metadata names a mode that does not exist: {error}.") from error


def plan(world: World, upload: Upload, reading: Reading, at: str) -> Plan:
    """Judge every row against what the table holds now. Writes nothing."""
    applied = Applied(upload.id, upload.mode, at)
    rows, verdicts = split_duplicates(reading.rows, upload.mode, adds=reading.adds)
    table = world.settings.inventory_table
    items = inventory.read(world.dynamodb, table, [(row.store, row.item) for row in rows])
    verdicts += [judge(row, inventory.held(items.get((row.store, row.item))), applied) for row in rows]
    verdicts, looked_at = _overruled(world, upload, verdicts, applied)
    return Plan(reading, applied, verdicts, items, looked_at)


def _write(world: World, upload: Upload, planned: Plan) -> list[Verdict]:
    """Apply the verdicts; the ones that were really carried out. A lost race is judged again."""
    table = world.settings.inventory_table
    if upload.mode is not Mode.NEWEST:
        inventory.put(world.dynamodb, table, _plain_items(planned))
        return planned.verdicts
    final = {_place(verdict): verdict for verdict in planned.verdicts}
    todo = [verdict for verdict in planned.verdicts if verdict.new]
    while todo:
        lost = inventory.put_if_newer(world.dynamodb, table, todo)
        judged = [judge(verdict.row, now, planned.applied) for verdict, now in lost]
        judged, _ = _overruled(world, upload, judged, planned.applied)
        final |= {_place(verdict): verdict for verdict in judged}
        todo = [verdict for verdict in judged if verdict.new]
    return list(final.values())


def _place(verdict: Verdict) -> tuple[int, str]:
    return verdict.row.number, verdict.row.column


def _plain_items(planned: Plan) -> Iterator[Item]:
    """What the simpler modes put: what the file states, and an unchanged item exactly as it stands."""
    for verdict in planned.verdicts:
        if verdict.new:
            yield inventory.item_of(verdict)
        elif verdict.fate is not Fate.DUPLICATE:
            yield planned.items[(verdict.row.store, verdict.row.item)]


def _overruled(
    world: World, upload: Upload, verdicts: list[Verdict], applied: Applied
) -> tuple[list[Verdict], frozenset[str]]:
    """The verdicts after asking the newer files that agreed with the table and so left no trace in it."""
    looked_at: set[str] = set()
    if upload.mode is not Mode.NEWEST:
        return verdicts, frozenset()
    for spoke in _newer(world, upload, verdicts):
        looked_at.add(spoke.upload.id)
        said = _statements(world, spoke)
        verdicts = [
            overrule(verdict, row.count, row.updated_at or spoke.upload.time, spoke.upload.id, applied)
            if (row := said.get((verdict.row.store, verdict.row.item)))
            else verdict
            for verdict in verdicts
        ]
    return verdicts, frozenset(looked_at)


def _newer(world: World, upload: Upload, verdicts: Iterable[Verdict]) -> list[Spoke]:
    """The uploads that may hold a newer word on a row that is about to change an item, or has."""
    lowest: dict[str, str] = {}
    for verdict in verdicts:
        if verdict.fate is Fate.CHANGED and verdict.new:
            store = verdict.row.store
            lowest[store] = min(lowest.get(store, upload.time), verdict.new.updated_at)
    table = world.settings.store_uploads_table
    asked = tables.each(
        lambda store: store_uploads.since(world.dynamodb, table, store, lowest[store], upload.id), lowest
    )
    return list({spoke.upload.id: spoke for part in asked for spoke in part}.values())


def _statements(world: World, spoke: Spoke) -> dict[Key, Row]:
    """What another upload's file says of each item. Nothing when the file is gone: then it can't be asked."""
    try:
        data, upload = fetch(world, spoke.upload)
        reading = _file(world, data, upload)[0].read(uploaded_at=upload.time, store=upload.store)
        rows, _ = split_duplicates(reading.rows, Mode.NEWEST, adds=reading.adds)
    except Unreadable:
        return {}
    return {(row.store, row.item): row for row in rows}


def _crossed(world: World, upload: Upload, verdicts: list[Verdict], looked_at: frozenset[str]) -> list[Upload]:
    """Newer uploads that came in while this one was writing, and may have found the table as it was before.

    What they stated and this one overwrote has to be applied once more.
    """
    if upload.mode is not Mode.NEWEST:
        return []
    changed = {(v.row.store, v.row.item): v for v in verdicts if v.fate is Fate.CHANGED and v.new}
    crossed = []
    for spoke in _newer(world, upload, changed.values()):
        if spoke.upload.id in looked_at:
            continue
        said = _statements(world, spoke)
        if any(_beats(said[key], spoke.upload, verdict) for key, verdict in changed.items() if key in said):
            crossed.append(spoke.upload)
    return crossed


def _beats(row: Row, upload: Upload, verdict: Verdict) -> bool:
    new = verdict.new
    if new is None or row.count == new.count:
        return False
    return (row.updated_at or upload.time, upload.id) > (new.updated_at, new.upload_id)

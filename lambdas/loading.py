"""Loading: an uploaded file is read, judged against the Inventory table, and applied.

Owns the order of the steps. The preview on a page and the loader in the cloud are this same code: ``foresee`` reads
and judges, ``load`` judges, writes and keeps the receipt. Knows nothing of events or of pages.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from lambdas import files, lines, mappings, receipts, store_uploads
from lambdas.answers import answered
from lambdas.applying import Application, parts
from lambdas.fates import Mode, Verdict
from lambdas.opening import open_file
from lambdas.receipts import Delivery, Receipt
from lambdas.spending import Meter, metered
from lambdas.stockfile import Reading, Unclear, Unreadable, shape_of
from lambdas.upload import Upload, digest_of, dropped
from lambdas.world import World

TimeLeft = Callable[[], float]
_ENOUGH = 120.0
"""Seconds: with less time left another part is not begun. Many times of what one takes."""


def load(
    world: World, upload: Upload, request_id: str, time_left: TimeLeft = lambda: math.inf,
    delivery: Delivery | None = None,
) -> Upload | None:  # fmt: skip
    """Apply an upload and keep its receipt. Safe to repeat.

    None when there is nothing more to do; the upload when its time was up, and another run is to go on with it.
    A file that can't be used ends as a failed receipt with the reason, one that leaves a question open waits for its
    answer; only what may work later raises. ``delivery``: of the message that began this run.
    """
    with metered() as meter:
        upload, receipt = _begin(world, upload, request_id, delivery)
        return None if "LoadedAt" in receipt else _load(world, upload, receipt, time_left, meter)


def _load(world: World, upload: Upload, receipt: Receipt, time_left: TimeLeft, meter: Meter) -> Upload | None:
    client, uploads, data = world.dynamodb, world.settings.uploads_table, None
    try:
        data, upload = files.fetch(world, _as_said(upload, receipt))
        upload = replace(upload, digest=digest_of(data))
        reading, upload = _read(world, data, upload)
        data = None  # a big file's bytes are not kept beside its rows
        return _apply(world, upload, receipt, reading, time_left, meter)
    except Unclear as unclear:
        shape = shape_of(data) if data else None
        receipts.wait(client, uploads, upload, unclear.question, shape, receipt)
    except Unreadable as unreadable:
        receipts.fail(client, uploads, upload, str(unreadable))
    return None


def foresee(
    world: World, upload: Upload, reading: Reading, modes: Sequence[Mode] = ()
) -> Iterator[dict[Mode, list[Verdict]]]:  # fmt: skip
    """A verdict for every usable row, as ``load`` would give it now, some at a time. Writes nothing.

    ``modes``: as it would give it if the file were applied so; the upload's own is always among them. The table is
    read once for all: which row of an item counts differs by mode, but not of which items there are rows.
    """
    asked = list(dict.fromkeys((upload.mode, *modes)))
    by_mode = {mode: files.rows(reading, mode) for mode in asked}
    yield {mode: superseded for mode, (_, superseded) in by_mode.items()}
    ways = [Application.of(world, replace(upload, mode=mode), upload.time) for mode in asked]
    for together in zip(*(parts(by_mode[mode][0]) for mode in asked), strict=True):
        items = ways[0].read(together[0])
        plans = [way.judged(rows, items) for way, rows in zip(ways, together, strict=True)]
        yield {mode: plan.verdicts for mode, plan in zip(asked, plans, strict=True)}


def _begin(world: World, upload: Upload, request_id: str, delivery: Delivery | None) -> tuple[Upload, Receipt]:
    client, uploads = world.dynamodb, world.settings.uploads_table
    upload = replace(upload, id=receipts.claim(client, uploads, upload))
    receipt = receipts.start(client, uploads, upload, request_id, delivery)
    if receipt is None:  # somebody dropped another file under an upload's id: it is an upload of its own
        upload = dropped(upload.address, upload.time, "")
        receipt = receipts.start(client, uploads, upload, request_id, delivery)
    if receipt is None:
        raise ValueError(f"{upload.address} and another file have one upload id: {upload.id}")
    return upload, receipt


def _as_said(upload: Upload, receipt: Receipt) -> Upload:
    """The upload with the mapping and the store that stand on its receipt."""
    mapping, store = receipt.get("Mapping"), receipt.get("Store")
    return replace(upload, mapping=mapping or upload.mapping, store=store or upload.store)


def _read(world: World, data: bytes, upload: Upload) -> tuple[Reading, Upload]:
    """What the file holds, and the upload with the mapping and store that this and every later run reads it with.

    What an answer says counts, if one was given that the receipt does not know of.
    """
    try:
        return _read_pinned(world, data, upload)
    except Unclear:
        said = answered(world, upload)
        if said is None or (said.mapping, said.store) == (upload.mapping, upload.store):
            raise
        return _read_pinned(world, data, said)


def _read_pinned(world: World, data: bytes, upload: Upload) -> tuple[Reading, Upload]:
    """Not said, the mapping is what is saved for such files now; from then on it stands on the receipt."""
    if upload.mapping is None:
        undoes = upload.mode is Mode.UNDO  # a file of ours, that is never mapped
        mapping = mappings.AUTO if undoes else mappings.keep(world, open_file(world, data).mapping)
        upload = replace(upload, mapping=mapping)
    while True:
        reading, always = files.read(world, data, upload)
        ours = replace(upload, store=upload.store or always)
        pinned = receipts.pin(world.dynamodb, world.settings.uploads_table, ours, reading)
        if pinned == (ours.mapping, ours.store):
            return reading, ours
        upload = replace(upload, mapping=pinned[0], store=pinned[1])  # another run was first: read as it does


def _apply(
    world: World, upload: Upload, receipt: Receipt, reading: Reading, time_left: TimeLeft, meter: Meter
) -> Upload | None:  # fmt: skip
    rows, duplicates = files.rows(reading, upload.mode)
    _register(world, upload, reading)
    at = receipt["StartedAt"] if upload.mode is Mode.STAMP else upload.time
    done = int(receipt.get("Done", 0))
    rerun = "Applying" in receipt and receipt.get("HandedOver", -1) != done
    application, todo = Application.of(world, upload, at, rerun=rerun), parts(rows)
    for number in range(done, len(todo)):
        if number > done and time_left() < _ENOUGH:
            receipts.hand_over(world.dynamodb, world.settings.uploads_table, upload.id, number)
            return upload
        verdicts = application.apply(todo[number])
        told = lines.of(verdicts) if number else lines.of(verdicts + duplicates, reading.rejects)
        last = number == len(todo) - 1
        receipts.part(world, upload, number, told, through=True, last=last, spent=meter.take())
    return None


def _register(world: World, upload: Upload, reading: Reading) -> None:
    """Say which stores this upload speaks of."""
    stores = {row.store for row in reading.rows}
    table = world.settings.store_uploads_table
    store_uploads.register(world.dynamodb, table, upload, stores, timed=reading.timed)

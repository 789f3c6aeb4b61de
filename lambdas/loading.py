"""Loading: an uploaded file is read, judged against the Inventory table, and applied.

Owns the order of the steps. The preview on a page and the loader in the cloud are this same code: ``foresee`` reads
and judges, ``load`` judges, writes and keeps the receipt. Knows nothing of events or of pages.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from lambdas import applying, files, lines, mappings, parting, receipts, store_uploads
from lambdas.answers import answered
from lambdas.applying import Application, parts
from lambdas.fates import Mode, Verdict
from lambdas.files import Statement
from lambdas.opening import mapping_of
from lambdas.receipts import Delivery, Receipt
from lambdas.spending import Meter, metered
from lambdas.stockfile import Reading, Source, Unclear, Unreadable, shape_of
from lambdas.upload import Upload, dropped
from lambdas.world import World

TimeLeft = Callable[[], float]
HandOut = Callable[[Upload, Sequence[int]], None]
"""Takes an upload and the numbers of its parts, which are to be loaded by ``load_part``, at once and in any order."""
_APART = 16
_ENOUGH = 120.0
"""Seconds: with less time left another part is not begun. Many times of what one takes."""


def load(
    world: World, upload: Upload, request_id: str, time_left: TimeLeft = lambda: math.inf,
    delivery: Delivery | None = None, hand_out: HandOut | None = None,
) -> Upload | None:  # fmt: skip
    """Apply an upload and keep its receipt. Safe to repeat.

    None when there is nothing more to do; the upload when its time was up, and another run is to go on with it.
    A file that can't be used ends as a failed receipt with the reason, one that leaves a question open waits for its
    answer; only what may work later raises. ``delivery``: of the message that began this run. ``hand_out`` takes the
    parts of a file of more rows than are held in memory; without it they are loaded here, one after the other.
    """
    with metered() as meter:
        upload, receipt = _begin(world, upload, request_id, delivery)
        if "LoadedAt" in receipt:
            return None
        if "Parted" not in receipt:
            return _load(world, upload, receipt, time_left, meter, hand_out)
    _hand_out(world, upload, hand_out)
    return None


def _load(
    world: World, upload: Upload, receipt: Receipt, time_left: TimeLeft, meter: Meter, hand_out: HandOut | None
) -> Upload | None:  # fmt: skip
    client, uploads, source = world.dynamodb, world.settings.uploads_table, None
    try:
        source, upload = files.fetch(world, _as_said(upload, receipt))
        upload = replace(upload, digest=files.digest(source))
        most = None if "Applying" in receipt else int(world.settings.part_rows)  # as an earlier run has gone about it
        said, reading, upload = _read(world, source, upload, most)
        if reading is None:
            _part(world, upload, said, meter)
            _hand_out(world, upload, hand_out)
            return None
        del said  # a file's bytes are not kept beside its rows
        source = None
        return _apply(world, upload, receipt, reading, time_left, meter)
    except Unclear as unclear:
        shape = shape_of(source) if source else None
        receipts.wait(client, uploads, upload, unclear.question, shape, receipt)
    except Unreadable as unreadable:
        receipts.fail(client, uploads, upload, str(unreadable))
    return None


def load_part(world: World, upload: Upload, number: int) -> None:
    """Apply one part of a file that has been parted. Safe to repeat, and to do beside all others.

    Nothing is done when it is through, nor when the receipt knows of no parts: then its state was lost, and whoever
    finds it hanging parts it anew.
    """
    with metered() as meter:
        upload = replace(upload, id=receipts.claim(world.dynamodb, world.settings.uploads_table, upload))
        receipt = receipts.get(world.dynamodb, world.settings.uploads_table, upload.id) or {}
        if "Parted" not in receipt or "LoadedAt" in receipt or number in receipt.get("Through", ()):
            return
        try:
            _apply_part(world, _as_pinned(upload, receipt), receipt, number, meter)
        except Unreadable as unreadable:
            receipts.fail(world.dynamodb, world.settings.uploads_table, upload, str(unreadable))


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


def _hand_out(world: World, upload: Upload, hand_out: HandOut | None) -> None:
    """The parts that are not through go to their loaders. Neighbours far apart: they are of one store, and each store
    is a partition that takes so many writes a second."""
    receipt = receipts.get(world.dynamodb, world.settings.uploads_table, upload.id) or {}
    apart = sorted(range(int(receipt["Parted"])), key=lambda number: (number % _APART, number))
    todo = [number for number in apart if number not in receipt.get("Through", ())]
    if hand_out:
        hand_out(upload, todo)
    for number in () if hand_out else todo:
        load_part(world, upload, number)


def _as_said(upload: Upload, receipt: Receipt) -> Upload:
    """The upload with the mapping and the store that stand on its receipt."""
    mapping, store = receipt.get("Mapping"), receipt.get("Store")
    return replace(upload, mapping=mapping or upload.mapping, store=store or upload.store)


def _as_pinned(upload: Upload, receipt: Receipt) -> Upload:
    """The upload as it was parted."""
    mode, undoes = Mode(receipt["Mode"]), receipt.get("Undoes")
    return replace(_as_said(upload, receipt), mode=mode, undoes=undoes, parted=True)


Read = tuple[Statement, Reading | None, Upload]
"""What the file states; all of it at once, unless that is too much; and the upload with what it is read with."""


def _read(world: World, source: Source, upload: Upload, most: int | None) -> Read:
    """What the file holds, and the upload with the mapping and store that this and every later run reads it with.

    What an answer says counts, if one was given that the receipt does not know of.
    """
    try:
        return _read_pinned(world, source, upload, most)
    except Unclear:
        said = answered(world, upload)
        if said is None or (said.mapping, said.store) == (upload.mapping, upload.store):
            raise
        return _read_pinned(world, source, said, most)


def _read_pinned(world: World, source: Source, upload: Upload, most: int | None) -> Read:
    """Not said, the mapping is what is saved for such files now; from then on it stands on the receipt."""
    if upload.mapping is None:
        undoes = upload.mode is Mode.UNDO  # a file of ours, that is never mapped
        mapping = mappings.AUTO if undoes else mappings.keep(world, mapping_of(world, source))
        upload = replace(upload, mapping=mapping)
    while True:
        said = files.stating(world, source, upload)
        reading = said.read(most)
        ours = replace(upload, store=upload.store or said.always)
        pinned = receipts.pin(world.dynamodb, world.settings.uploads_table, ours, reading)
        if pinned == (ours.mapping, ours.store):
            return said, reading, ours
        upload = replace(upload, mapping=pinned[0], store=pinned[1])  # another run was first: read as it does


def _apply(
    world: World, upload: Upload, receipt: Receipt, reading: Reading, time_left: TimeLeft, meter: Meter
) -> Upload | None:  # fmt: skip
    rows, duplicates = files.rows(reading, upload.mode)
    _register(world, upload, {row.store for row in reading.rows}, timed=reading.timed)
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


def _part(world: World, upload: Upload, said: Statement, meter: Meter) -> None:
    """Lay the rows of a big file down in parts."""
    upload = replace(upload, parted=True)

    def tell(stores: set[str]) -> None:
        _register(world, upload, stores, timed=said.timed)

    run = int(world.settings.part_rows)
    done = parting.write(world, upload.id, said, run=run, part=min(run, applying.PART), tell=tell)
    receipts.parted(world, upload, len(done.index.parts), done.rows, done.stores, meter.take())


def _apply_part(world: World, upload: Upload, receipt: Receipt, number: int, meter: Meter) -> None:
    index = parting.index(world, upload.id)
    if index is None:
        raise Unreadable("The parts that its rows were laid down in are no longer in the bucket. Send the file again.")
    reading = parting.read(world, upload.id, index, number)
    rows, duplicates = files.rows(reading, upload.mode)
    at = receipt["StartedAt"] if upload.mode is Mode.STAMP else upload.time
    application = Application.of(world, upload, at, rerun=not parting.begin(world, upload.id, number))
    verdicts = [verdict for some in parts(rows) for verdict in application.apply(some)]
    told = lines.of(verdicts + duplicates, reading.rejects)
    receipts.part(world, upload, number, told, through=True, spent=meter.take())


def _register(world: World, upload: Upload, stores: Iterable[str], *, timed: bool) -> None:
    """Say which stores this upload speaks of."""
    store_uploads.register(world.dynamodb, world.settings.store_uploads_table, upload, stores, timed=timed)

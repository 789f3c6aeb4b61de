"""Uploads: sending a file, previewing it, and the receipts; the one door for what has to do with an upload.

Owns the questions about receipts. How a file is understood, what it would do, what waits to be answered and what has
to be mended are modules of their own, given on from here. The rules of reading and applying are `lambdas`' own.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from lambdas import grants, lines, mappings, receipts, tables, tallies, times
from lambdas.fates import Fate, Mode
from lambdas.stockfile import Mapping
from lambdas.tallies import Totals
from lambdas.upload import Address, Upload, digest_of, is_id, metadata, new_id, object_key, time_of
from services import alerts, audit, changes, quiet_stores, quota, sight
from services.access import MACHINE, Right, needs
from services.answers import answer, contents, waiting
from services.audit import Did
from services.errors import NotFound, Unavailable, mapped
from services.mending import mend, mend_data, to_mend
from services.opening import Opened, forget, opened, remember, saved
from services.outcome import Line, Receipt, of_item
from services.previewing import Preview, foreseen, preview
from services.stack import Stack

__all__ = [
    "MOST_ROWS", "Line", "Opened", "Preview", "Receipt", "answer", "contents", "errors", "follow", "foreseen", "forget",
    "mend", "mend_data", "names", "opened", "preview", "receipt", "recent", "refused", "rejected", "remember", "rows",
    "same_content", "saved", "send", "to_mend", "waiting",
]  # fmt: skip
MOST_ROWS = 500_000
"""So many rows of an upload are held at a time for somebody who looks at it."""


@mapped
@needs(Right.SEND)
def send(
    stack: Stack, name: str, data: bytes, mode: Mode = Mode.NEWEST, store: str | None = None,
    mapping: Mapping | None = None, undoes: str | None = None, *, by_hand: bool = False, did: Did = Did.SENT,
    about: audit.About = audit.NOTHING,
) -> str:  # fmt: skip
    """Put a file into the bucket. When this returns it is received, and the rest happens by itself; its upload id.

    ``mapping``: the loader reads the file with exactly this one. None: with what is then saved for its shape, or as
    it understands the file by itself. ``undoes``: see `services.undoing`. ``by_hand``: one count that a person states,
    in whatever mode that takes. ``did`` and ``about``: what the audit is told of a file that nobody sent as such.

    Refused when the sender may not; what of the file is not the sender's to load, the loader leaves out, row by row.
    """
    upload_id, store, grant = (
        new_id(),
        (store or "").strip() or None,
        sight.granted(stack.person, mode, by_hand=by_hand),
    )
    quota.take(stack, name, len(data))
    said_of = {"upload": upload_id, "file": name, "bytes": len(data), "mode": mode.value, "store": store}
    audit.note(stack, did, **(said_of | {"undoes": undoes} | dict(about)))
    may, by = grants.keep(stack.world, grant) if grant else None, None if stack.person.of_machine else stack.person.name
    said = None if mapping is None else mappings.keep(stack.world, mapping)
    key = object_key(upload_id, name)
    address = Address(
        stack.settings.bucket, key, _put_once(stack, key, data, metadata(mode, store, said, undoes, by, may))
    )
    upload = Upload(upload_id, address, key.rsplit("/", 1)[-1], mode, store, said, undoes, digest_of(data), by, may)
    receipts.received(stack.dynamodb, stack.settings.uploads_table, upload, len(data))
    return upload_id


def _put_once(stack: Stack, key: str, data: bytes, said: dict[str, str]) -> str | None:
    """Put a file into the bucket; its version. When the answer to a first PUT is lost and boto3 repeats it, the file
    is there already: it must not become a second one."""
    place = {"Bucket": stack.settings.bucket, "Key": key}
    try:
        done = stack.s3.put_object(**place, Body=data, Metadata=said, IfNoneMatch="*")
    except stack.s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        done = stack.s3.head_object(**place)
    version: str | None = done.get("VersionId")
    return version


def refused(name: str, mode: Mode, store: str | None, reason: str, question: str | None = None) -> Receipt:
    """The receipt that a file which can't be used would get; with a ``question``, one that would wait."""
    item: dict[str, Any] = {"UploadId": None, "Name": name, "Mode": mode.value, "Store": store, "Reason": reason}
    item |= {"WaitingAt": times.now(), "Question": {"about": question}} if question else {"FailedAt": times.now()}
    return of_item(item)


@mapped
@needs(Right.SEE)
def receipt(stack: Stack, upload_id: str) -> Receipt:
    """The receipt as it stands. NotFound when no upload has that id."""
    found = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload_id) if is_id(upload_id) else None
    seen = sight.seen(stack, [of_item(found, _totals(stack, found))]) if found else []
    if not seen:
        raise NotFound(f"There is no upload “{upload_id}”. The list of uploads has the ids.")
    return _exact(stack.acting(MACHINE), seen[0])


def _totals(stack: Stack, item: dict[str, Any]) -> Totals:
    """What the stream's batches held of an upload."""
    return tallies.of_upload(stack.dynamodb, stack.settings.tallies_table, item["UploadId"])


def _listed(stack: Stack, item: dict[str, Any]) -> Receipt:
    """The same for a list, where what has settled is counted once and then kept with the receipt."""
    if "Settled" in item:
        found = of_item(item, tallies.of_values(item["Settled"]))
        if _all_through(found):  # else it has been applied to some items once more since then
            return found
    totals = _totals(stack, item)
    found = of_item(item, totals)
    if found.state == "loaded" and _all_through(found):
        receipts.settle(stack.dynamodb, stack.settings.uploads_table, item["UploadId"], totals)
    return _exact(stack, found)


def _all_through(of: Receipt) -> bool:
    return of.records_seen == of.records_checked == of.records_expected


def _exact(stack: Stack, of: Receipt) -> Receipt:
    """The receipt, with what came out too high counted one by one: see `lambdas.receipts`."""
    if of.state == "loaded" and of.upload_id and (of.records_seen or 0) > of.records_expected:
        of = replace(of, records_seen=changes.count_of_upload(stack, of.upload_id))
    if of.state == "loaded" and of.upload_id and of.records_checked > of.records_expected:
        opened = sum(not one.is_low for one in alerts.of_upload(stack, of.upload_id))
        of = replace(of, records_checked=of.records_seen or 0, alerts=opened)
    return of


@needs(Right.SEE)
def follow(stack: Stack, upload_id: str, timeout: float = 60) -> Iterator[Receipt]:
    """The receipt each time that it has moved, until it is settled. Unavailable after ``timeout`` seconds."""
    start = time.monotonic()
    last = None
    while last is None or not last.settled:
        if time.monotonic() > start + timeout:
            raise Unavailable(
                f"{last.file if last else upload_id} was received and is still {last.state if last else 'waiting'} "
                f"after {timeout:.0f} s. It goes on by itself: look at its receipt, {upload_id}, later."
            )
        now = receipt(stack, upload_id)
        if now != last:
            yield now
            last = now
        else:  # often at first, when a manager waits for six rows; seldom for a file that takes minutes
            time.sleep(min(1.0, max(0.05, (time.monotonic() - start) / 20)))


@mapped
@needs(Right.SEE)
def rows(stack: Stack, of: Receipt) -> list[Line]:
    """The fate of every row that is through, by row number. Of the rows that the person sees; of a file of more than
    MOST_ROWS, those of its first parts: what can't be used, and then by store and item."""
    return _lines(stack, of, lines.first(of.parts, MOST_ROWS))


@mapped
@needs(Right.SEE)
def rejected(stack: Stack, of: Receipt) -> list[Line]:
    """An upload's rejected rows; nothing is asked when it has none."""
    return errors(_lines(stack, of, lines.those_with(of.parts, Fate.REJECTED)))


def _lines(stack: Stack, of: Receipt, parts: lines.Parts) -> list[Line]:
    return sight.lines(of, lines.read(stack.world, of.upload_id, parts), stack.person) if of.upload_id else []


def errors(told: Iterable[Line]) -> list[Line]:
    """The rejected rows: row, column, value, reason."""
    return [line for line in told if line["fate"] == Fate.REJECTED]


@mapped
@needs(Right.SEE)
def recent(stack: Stack, limit: int = 50, before: str | None = None) -> list[Receipt]:
    """The latest uploads, newest first; with ``before``, an upload's id, only those that were sent before that one.

    Of the 13 months up to then: a Query for each until there are enough. Of some stores: a Query for each, and one for
    what the person sent, which may speak of none.
    """
    if stack.person.stores is not None:
        return _recent_of(stack, stack.person.stores, limit, before)
    found: list[Receipt] = []
    latest = min(times.now(), time_of(before)) if before else times.now()
    for month in times.months_back(latest, 13):
        found += tables.each(lambda item: _listed(stack, item), _of_month(stack, month, limit - len(found), before))
        if len(found) >= limit:
            break
    return found


def _recent_of(stack: Stack, stores: Iterable[str], limit: int, before: str | None) -> list[Receipt]:
    asked = tables.each(lambda store: _spoke(stack, store, limit, before), sorted(stores))
    own = receipts.sent_by(stack.dynamodb, stack.settings.uploads_table, stack.person.name, limit, before)
    ids = sorted({*own, *(one for part in asked for one in part)}, reverse=True)[:limit]
    keys = [tables.to_item({"UploadId": upload_id}) for upload_id in ids]
    found = tables.batch_get(stack.dynamodb, stack.settings.uploads_table, keys) if keys else []
    listed = tables.each(lambda item: _listed(stack.acting(MACHINE), item), map(tables.from_item, found))
    return sorted(sight.seen(stack, listed), key=lambda one: one.upload_id or "", reverse=True)


def _spoke(stack: Stack, store: str, limit: int, before: str | None) -> list[str]:
    return quiet_stores.uploads_of(stack, store, limit=limit, before=before or "", newest_first=True)


def _of_month(stack: Stack, month: str, limit: int, before: str | None) -> Iterator[dict[str, Any]]:
    older = " AND UploadId < :before" if before else ""
    found = tables.query(
        stack.dynamodb, stack.settings.uploads_table, limit=limit, IndexName="ByMonth", ScanIndexForward=False,
        KeyConditionExpression=f"#month = :month{older}", ExpressionAttributeNames={"#month": "Month"},
        ExpressionAttributeValues=tables.to_item({":month": month, ":before": before}),
    )  # fmt: skip
    return map(tables.from_item, found)


@mapped
@needs(Right.SEE)
def same_content(stack: Stack, data: bytes, besides: str | None = None) -> list[str]:
    """The ids of the latest uploads whose file holds exactly this, the latest first: one Query. ``besides``: not this
    one."""
    found = receipts.same(stack.dynamodb, stack.settings.uploads_table, digest_of(data), 4)
    found = [upload_id for upload_id in found if upload_id != besides]
    if stack.person.stores is None or not found:
        return found
    keys = [tables.to_item({"UploadId": upload_id}) for upload_id in found]
    items = map(tables.from_item, tables.batch_get(stack.dynamodb, stack.settings.uploads_table, keys))
    there = {one.upload_id for one in sight.seen(stack, list(map(of_item, items)))}
    return [upload_id for upload_id in found if upload_id in there]


@needs(Right.SEE)
def names(stack: Stack, upload_ids: Iterable[str]) -> dict[str, str]:
    """The file names of those of these uploads that there are, a hundred to a request."""
    keys = [tables.to_item({"UploadId": upload_id}) for upload_id in upload_ids]
    found = map(tables.from_item, tables.batch_get(stack.dynamodb, stack.settings.uploads_table, keys))
    return {one.upload_id or "": one.file for one in sight.seen(stack, list(map(of_item, found)))}

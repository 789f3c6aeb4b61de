"""Uploads: sending a file, previewing it, and the receipts.

Owns the receipt as people read it. The rules of reading and applying are `lambdas`' own.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lambdas import loading, receipts, stockfile, tables, times
from lambdas.alerts import Crossing, crossing
from lambdas.fates import Fate, Mode
from lambdas.loading import Plan
from lambdas.upload import Address, Upload, metadata, new_id, object_key
from services import alerts, changes
from services.errors import NotFound, Unavailable, mapped
from services.stack import Stack

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """An upload's outcome. Counts are of rows; times are fixed-width UTC text or None."""

    upload_id: str | None  # None: a preview
    file: str
    mode: str
    state: str  # received, loading, loaded or failed; preview
    store: str | None
    rows: int
    fates: Mapping[str, int]
    records_expected: int
    records_seen: int | None  # None: a preview, nothing was sent
    records_checked: int
    alerts: int
    reason: str | None
    received_at: str | None
    started_at: str | None
    loaded_at: str | None
    seen_at: str | None
    checked_at: str | None
    rows_key: str | None
    tries: int

    @property
    def settled(self) -> bool:
        """Nothing more is to come: it failed, or every record that was expected has been kept and checked."""
        if self.state != "loaded":
            return self.state in ("failed", "preview")
        return min(self.records_seen or 0, self.records_checked) >= self.records_expected

    @property
    def usable(self) -> int:
        """How many rows could be used."""
        return self.rows - self.fates[Fate.REJECTED]

    def as_json(self, errors: Iterable[Line]) -> dict[str, Any]:
        shown: dict[str, Any] = {"upload_id": self.upload_id, "file": self.file, "mode": self.mode, "state": self.state}
        shown |= {"rows": self.rows, **self.fates, "records_expected": self.records_expected}
        shown |= {"records_seen": self.records_seen, "alerts": self.alerts, "reason": self.reason}
        return shown | {"errors": [{name: e[name] for name in ("row", "column", "value", "reason")} for e in errors]}


@mapped
def send(stack: Stack, name: str, data: bytes, mode: Mode = Mode.NEWEST, store: str | None = None) -> str:
    """Put a file into the bucket. When this returns it is received, and the rest happens by itself; its upload id."""
    upload_id = new_id()
    key = object_key(upload_id, name)
    answer = stack.s3.put_object(
        Bucket=stack.settings.bucket, Key=key, Body=data, Metadata=metadata(mode, (store or "").strip() or None)
    )
    address = Address(stack.settings.bucket, key, answer.get("VersionId"))
    upload = Upload(upload_id, address, key.rsplit("/", 1)[-1], mode, (store or "").strip() or None)
    receipts.received(stack.dynamodb, stack.settings.uploads_table, upload, len(data))
    return upload_id


@mapped
def preview(
    stack: Stack, name: str, data: bytes, mode: Mode = Mode.NEWEST, store: str | None = None
) -> tuple[Receipt, list[Line]]:
    """What the file would do if it were sent now, by the loader's own code, and every row's fate. Writes nothing."""
    upload = Upload(new_id(), Address("", ""), name, mode, (store or "").strip() or None)
    reading = stockfile.read(data, uploaded_at=upload.time, store=upload.store)
    planned = loading.plan(stack.world, upload, reading, upload.time)
    lines = receipts.lines(planned.verdicts, reading.rejects)
    return _previewed(upload, planned, lines), lines


def _previewed(upload: Upload, planned: Plan, lines: list[Line]) -> Receipt:
    fates = receipts.count(lines)
    opening = [v for v in planned.verdicts if v.new and crossing(v.new.was, v.row.count) is Crossing.OPENS]
    return Receipt(
        None, upload.name, upload.mode.value, "preview", upload.store, len(lines), fates,
        receipts.expected(fates), None, 0, len(opening), None, None, None, None, None, None, None, 0,
    )  # fmt: skip


def refused(name: str, mode: Mode, store: str | None, reason: str) -> Receipt:
    """The receipt that a file which can't be used would get."""
    at = times.now()
    return _receipt(
        {"UploadId": None, "Name": name, "Mode": mode.value, "Store": store, "FailedAt": at, "Reason": reason}
    )


@mapped
def receipt(stack: Stack, upload_id: str) -> Receipt:
    """The receipt as it stands. NotFound when no upload has that id."""
    found = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload_id)
    if found is None:
        raise NotFound(f"There is no upload “{upload_id}”. The list of uploads has the ids.")
    return _exact(stack, _receipt(found))


def _exact(stack: Stack, of: Receipt) -> Receipt:
    """The receipt, with what came out too high counted one by one: see `lambdas.receipts`."""
    if of.state == "loaded" and of.upload_id and (of.records_seen or 0) > of.records_expected:
        of = replace(of, records_seen=changes.count_of_upload(stack, of.upload_id))
    if of.state == "loaded" and of.upload_id and of.records_checked > of.records_expected:
        opened = len(alerts.of_upload(stack, of.upload_id))
        of = replace(of, records_checked=of.records_seen or 0, alerts=opened)
    return of


def _receipt(item: Mapping[str, Any]) -> Receipt:
    fates = {fate.value: int(item.get("Fates", {}).get(fate.value, 0)) for fate in Fate}
    totals = {name: int(sum(item.get(name, {}).values(), Decimal(0))) for name in ("Seen", "Checked", "Opened")}
    return Receipt(
        item["UploadId"], item["Name"], item.get("Mode", Mode.NEWEST.value), _state(item), item.get("Store"),
        int(item.get("Rows", 0)), fates, int(item.get("Expected", 0)), totals["Seen"], totals["Checked"],
        totals["Opened"], item.get("Reason"), item.get("ReceivedAt"), item.get("StartedAt"), item.get("LoadedAt"),
        item.get("SeenAt"), item.get("CheckedAt"), item.get("RowsKey"), int(item.get("Runs", 0)),
    )  # fmt: skip


def _state(item: Mapping[str, Any]) -> str:
    """Read off the times that are there, so that no two attributes can disagree about it."""
    for state, mark in (("loaded", "LoadedAt"), ("failed", "FailedAt"), ("loading", "StartedAt")):
        if mark in item:
            return state
    return "received"


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
def rows(stack: Stack, of: Receipt) -> list[Line]:
    """Every row's fate, by row number; nothing while it is not loaded."""
    return receipts.rows(stack.s3, stack.settings.bucket, of.rows_key) if of.rows_key else []


@mapped
def rejected(stack: Stack, of: Receipt) -> list[Line]:
    """An upload's rejected rows; nothing is asked when it has none."""
    return errors(rows(stack, of)) if of.fates[Fate.REJECTED] else []


def errors(lines: Iterable[Line]) -> list[Line]:
    """The rejected rows: row, column, value, reason."""
    return [line for line in lines if line["fate"] == Fate.REJECTED]


@mapped
def recent(stack: Stack, limit: int = 50) -> list[Receipt]:
    """The latest uploads, newest first."""
    found: list[Receipt] = []
    for month in times.months_back(times.now(), 13):
        found += [_exact(stack, _receipt(item)) for item in _of_month(stack, month, limit - len(found))]
        if len(found) >= limit:
            break
    return found


def _of_month(stack: Stack, month: str, limit: int) -> Iterator[dict[str, Any]]:
    found = tables.query(
        stack.dynamodb, stack.settings.uploads_table, limit=limit, IndexName="ByMonth", ScanIndexForward=False,
        KeyConditionExpression="#month = :month", ExpressionAttributeNames={"#month": "Month"},
        ExpressionAttributeValues=tables.to_item({":month": month}),
    )  # fmt: skip
    return map(tables.from_item, found)

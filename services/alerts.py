"""Alerts: the episodes, open and past."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lambdas import tables, times
from lambdas.episodes import OPEN
from services.changes import number
from services.errors import mapped
from services.stack import Stack


@dataclass(frozen=True, slots=True)
class Episode:
    """A time that an item was out of stock. Closed when ``closed_at`` is there."""

    store: str
    item: str
    opened_at: str
    opened_by: str | None  # upload id; None: no upload caused it
    old_count: Decimal | None
    new_count: Decimal | None
    closed_at: str | None
    closed_by: str | None
    closed_count: Decimal | None
    notified_at: str | None
    message_id: str | None

    @property
    def state(self) -> str:
        return "closed" if self.closed_at else "open"

    def as_json(self) -> dict[str, Any]:
        shown = {name: getattr(self, name) for name in Episode.__slots__}
        counts = {name: number(shown[name]) for name in ("old_count", "new_count", "closed_count")}
        return {"state": self.state} | shown | counts


def _episode(item: dict[str, Any]) -> Episode:
    names = ("OpenedBy", "OldCount", "NewCount", "ClosedAt", "ClosedBy", "ClosedCount", "NotifiedAt", "MessageId")
    return Episode(item["Store"], item["Item"], item["OpenedAt"], *(item.get(name) for name in names))


@mapped
def open_now(stack: Stack, limit: int | None = None) -> list[Episode]:
    """The open episodes, newest first."""
    return list(_of(stack, "ByOpen", "Open", OPEN, limit))


@mapped
def history(stack: Stack, limit: int = 200) -> list[Episode]:
    """Open and closed episodes of the last 13 months, by when they opened, newest first."""
    found: list[Episode] = []
    for month in times.months_back(times.now(), 13):
        found += _of(stack, "ByMonth", "Month", month, limit - len(found))
        if len(found) >= limit:
            break
    return found


@mapped
def of_upload(stack: Stack, upload_id: str) -> list[Episode]:
    """The episodes that an upload opened, newest first."""
    return list(_of(stack, "ByUpload", "OpenedBy", upload_id, None))


def _of(stack: Stack, index: str, key: str, value: str, limit: int | None) -> Iterator[Episode]:
    found = tables.query(
        stack.dynamodb, stack.settings.alerts_table, limit=limit, IndexName=index, ScanIndexForward=False,
        KeyConditionExpression="#key = :key", ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues=tables.to_item({":key": value}),
    )  # fmt: skip
    return (_episode(tables.from_item(item)) for item in found)

"""An upload's outcome, as people read it.

Owns what a receipt says and when it is settled. Asks nothing: see `services.uploads`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lambdas.fates import Fate, Mode
from lambdas.tallies import NONE, Totals

Line = dict[str, Any]
GAP_SECONDS = 30
"""A record that is not seen for this long is an incident: the stream brings them within a second or two."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An upload's outcome. Counts are of rows; times are fixed-width UTC text or None."""

    upload_id: str | None  # None: a preview
    file: str
    mode: str
    state: str  # received, loading, waiting, loaded or failed; preview
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
    parts: Mapping[str, str]  # of its lines, see `lambdas.lines`
    tries: int
    question: str | None = None  # what it waits to be told: a part of the mapping
    mapping: str | None = None  # the id of the one that it is read with, or “auto”; None: not known yet
    reads: Decimal = Decimal(0)  # units of DynamoDB that it has taken so far, its stream records' included
    writes: Decimal = Decimal(0)
    whole: int | None = None  # how many rows the file has; None: not known yet
    undoes: str | None = None  # the id of the upload that this one undoes
    undone_by: str | None = None
    shape: str | None = None  # of its file, when it has waited for an answer
    by: str | None = None  # who sent it; None: it was dropped into the bucket, or sent by this machine
    stores: frozenset[str] | None = None  # those that it speaks of; None: not known yet, or many

    @property
    def settled(self) -> bool:
        """Nothing more comes by itself: it failed, waits to be answered, or every record that was expected has been
        kept and checked."""
        if self.state != "loaded":
            return self.state in ("failed", "waiting", "preview")
        return min(self.records_seen or 0, self.records_checked) >= self.records_expected

    @property
    def usable(self) -> int:
        """How many rows could be used."""
        return self.rows - self.fates[Fate.REJECTED]

    def as_json(self, errors: Iterable[Line]) -> dict[str, Any]:
        shown: dict[str, Any] = {"upload_id": self.upload_id, "file": self.file, "mode": self.mode, "state": self.state}
        shown |= {"rows": self.rows, **self.fates, "records_expected": self.records_expected}
        shown |= {"records_seen": self.records_seen, "alerts": self.alerts, "reason": self.reason}
        spent = (float(self.reads), float(self.writes)) if self.upload_id else (None, None)
        shown |= {"question": self.question, "read_units": spent[0], "write_units": spent[1]}
        shown |= {"undoes": self.undoes, "undone_by": self.undone_by, "by": self.by}
        return shown | {"errors": [{name: e[name] for name in ("row", "column", "value", "reason")} for e in errors]}


def of_item(item: Mapping[str, Any], totals: Totals = NONE) -> Receipt:
    """The receipt that an item of the Uploads table holds. ``totals``: what the stream's batches held of it."""
    fates = {fate.value: int(item.get("Fates", {}).get(fate.value, 0)) for fate in Fate}
    return Receipt(
        item["UploadId"], item["Name"], item.get("Mode", Mode.NEWEST.value), _state(item), item.get("Store"),
        int(item.get("Rows", 0)), fates, int(item.get("Expected", 0)), totals.seen, totals.checked,
        totals.opened, item.get("Reason"), item.get("ReceivedAt"), item.get("StartedAt"), item.get("LoadedAt"),
        totals.seen_at, totals.checked_at, item.get("Parts", {}), int(item.get("Runs", 0)),
        item.get("Question", {}).get("about"), item.get("Mapping"),
        item.get("Reads", Decimal(0)) + totals.reads, item.get("Writes", Decimal(0)) + totals.writes,
        int(item["Whole"]) if "Whole" in item else None, item.get("Undoes"), item.get("UndoneBy"),
        item.get("Shape"), item.get("By"), frozenset(item["Stores"]) if "Stores" in item else None,
    )  # fmt: skip


def _state(item: Mapping[str, Any]) -> str:
    """Read off the times that are there, so that no two attributes can disagree about it."""
    for state, mark in (
        ("loaded", "LoadedAt"),
        ("failed", "FailedAt"),
        ("waiting", "WaitingAt"),
        ("loading", "StartedAt"),
    ):
        if mark in item:
            return state
    return "received"

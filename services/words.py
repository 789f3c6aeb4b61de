"""The plain words for receipts, changes, stock and alerts, the same on pages and on the command line."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdas import spending, times
from lambdas.alerts import plain
from lambdas.fates import Fate
from lambdas.mappings import Saved
from lambdas.spending import Units
from services.alerts import Episode
from services.changes import Seen
from services.failures import Failure
from services.mending import REASON
from services.stock import Stocked
from services.uploads import Receipt

FATES = {
    Fate.CHANGED: "changed",
    Fate.INSERTED: "new",
    Fate.TOUCHED: "confirmed with a newer time",
    Fate.UNCHANGED: "already up to date",
    Fate.STALE: "older than what is known",
    Fate.DUPLICATE: "repeated in the file",
    Fate.REJECTED: "not usable",
}
"""Each fate as a manager reads it, in the order in which a receipt tells them."""


def fates(counts: Mapping[str, int]) -> str:
    """`3 changed, 1 new, 38 already up to date`."""
    return ", ".join(f"{counts[fate]:,} {word}" for fate, word in FATES.items() if counts[fate])


def some(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def receipt(of: Receipt) -> str:
    """A receipt in words."""
    if of.state == "failed":
        return f"Could not be loaded. {of.reason}"
    if of.state == "waiting":
        return f"{'Waits for' if of.upload_id else 'Would wait for'} an answer. {of.reason}"
    if of.state in ("received", "loading"):
        return {"received": "Received; waiting for the loader.", "loading": "Received; loading."}[of.state]
    rows = f"{some(of.rows, 'row')}: {fates(of.fates)}."
    if of.state == "preview":
        return f"{rows} {expected(of)} {some(of.alerts, 'alert')} would be raised."
    seen = f"{expected(of)[:-1]}, {of.records_seen:,} seen." if of.records_expected else expected(of)
    return f"{rows} {seen} {some(of.alerts, 'alert')}."


def cost(of: Receipt) -> str:
    """What an upload has taken of DynamoDB, beside what a write for each row would have taken."""
    plain_way = spending.price(Units(0, of.usable))
    spent = spending.price(Units(float(of.reads), float(of.writes)))
    return (
        f"It took {some(math.ceil(of.writes), 'write unit')} and {some(math.ceil(of.reads), 'read unit')} of DynamoDB, "
        f"{dollars(spent)}. A write for each usable row would have taken {some(of.usable, 'write unit')}, "
        f"{dollars(plain_way)}."
    )


def dollars(amount: float) -> str:
    """A price with its first two figures: `$0.062`, `$0.000037`."""
    if not amount:
        return "$0"
    places = max(2, 1 - math.floor(math.log10(amount)))
    return f"${amount:.{places}f}"


def expected(of: Receipt) -> str:
    if not of.records_expected:
        return "No stream record is expected: nothing changed in the table."
    return f"{some(of.records_expected, 'stream record')} expected."


def reject(line: Mapping[str, Any]) -> str:
    """Why a row can't be used: row number as in a spreadsheet, column, value, reason."""
    column = f", column {line['column']}" if line["column"] else ""
    value = f" “{line['value']}”" if line["value"] else ""
    return f"row {line['row']}{column}{value}: {line['reason']}"


def saved(of: Saved) -> str:
    """What is remembered for a shape of file: the headings that it is known by, and the mapping."""
    return f"{of.shape}  {', '.join(known_as(of))[:200]}\n  since {clock(of.saved_at)}: {of.mapping.as_json()}"


def known_as(of: Saved) -> tuple[str, ...]:
    """The headings of a shape of file. Of a file of rows to mend nobody said anything: it is read as its original."""
    if of.columns[-1:] == (REASON,):
        return (f"rows to mend, read as their original: {of.columns[0]}", *of.columns[1:-1])
    return of.columns


def moved(of: Seen) -> str:
    """`12 -> 0`."""
    if of.event == "INSERT":
        return f"new: {plain(of.new_count)}"
    if of.event == "REMOVE":
        return f"{plain(of.old_count)} -> removed"
    if of.old_count == of.new_count:
        return f"{plain(of.new_count)}, only the time moved"
    return f"{plain(of.old_count)} -> {plain(of.new_count)}"


def change(of: Seen) -> str:
    cause = of.upload_id or "no upload"
    return f"{clock(of.at)}  {of.event:6}  {of.store} · {of.item}  {moved(of)}  ({cause})"


def stocked(of: Stocked) -> str:
    return f"{of.store} · {of.item}  {plain(of.count)}  as of {clock(of.updated_at)}  ({of.upload_id or 'no upload'})"


def failure(of: Failure) -> str:
    """What failed, why, and how it is run again."""
    after = f"; tried again {some(of.tries, 'time')}" if of.tries else ""
    return f"{of.id}\n  {clock(of.failed_at)}  {of.about}: {of.what}{after}. {of.reason}"


def episode(of: Episode) -> str:
    ran = f"{plain(of.old_count)} -> {plain(of.new_count)}" if of.old_count is not None else "new and empty"
    opened = f"{clock(of.opened_at)}  {of.store} · {of.item}  out of stock ({ran}) by {of.opened_by or 'no upload'}"
    if not of.closed_at:
        return f"{opened}; still out"
    count = "removed" if of.closed_count is None else f"back to {plain(of.closed_count)}"
    return f"{opened}; {count} at {clock(of.closed_at)} by {of.closed_by or 'no upload'}"


def clock(at: str | None) -> str:
    """A time to the second, UTC: `2026-11-23 12:53:44`."""
    return f"{at[:10]} {at[11:19]}" if at else "no time"


def ago(at: str | None, now: datetime | None = None) -> str:
    """`3 minutes ago`; for what lies ahead, the time itself."""
    if not at:
        return "never"
    seconds = ((now or datetime.now(UTC)) - times.moment(at)).total_seconds()
    if seconds < -60:
        return clock(at)
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{some(int(seconds // size), unit)} ago"
    return "just now"

"""The plain words for receipts, changes, stock and alerts, the same on pages and on the command line."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sized
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from lambdas import spending, times
from lambdas.alerts import plain
from lambdas.fates import Fate, Mode
from lambdas.holding import FLAPPING, QUIET
from lambdas.mappings import Saved
from lambdas.oneline import oneline
from lambdas.quiet import Hours
from lambdas.reorder import Scope
from lambdas.spending import Units
from services.access import OF_STORES, Role
from services.alerts import Episode
from services.changes import Counted, Seen
from services.failures import Failure
from services.loglines import LogLine
from services.mending import REASON
from services.pointfile import Plan
from services.reorder import Outcome
from services.stock import Stocked
from services.subscriptions import CONFIRMED, PROTOCOLS, WAITING, Subscription, Trial
from services.uploads import Receipt

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

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

UNDONE = FATES | {
    Fate.CHANGED: "put back",
    Fate.INSERTED: "brought back",
    Fate.TOUCHED: "put back to an earlier time",
    Fate.STALE: "changed since, and left alone",
}
"""The same, of an upload that undoes another one."""


def fates(counts: Mapping[str, int], mode: str = Mode.NEWEST) -> str:
    """`3 changed, 1 new, 38 already up to date`."""
    names = UNDONE if mode == Mode.UNDO else FATES
    return ", ".join(f"{counts[fate]:,} {word}" for fate, word in names.items() if counts[fate])


def some(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def receipt(of: Receipt) -> str:
    """A receipt in words."""
    if of.state == "failed":
        return f"Could not be loaded. {oneline(of.reason or '')}"
    if of.state == "waiting":
        return f"{'Waits for' if of.upload_id else 'Would wait for'} an answer. {oneline(of.reason or '')}"
    if of.state in ("received", "loading"):
        return {"received": "Received; waiting for the loader.", "loading": "Received; loading."}[of.state]
    rows = f"{some(of.rows, 'item' if of.undoes else 'row')}: {fates(of.fates, of.mode)}."
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


class _Named(Protocol):
    @property
    def store(self) -> str: ...
    @property
    def item(self) -> str: ...


def item(of: _Named) -> str:
    """`Berlin · Oat milk`."""
    return oneline(f"{of.store} · {of.item}")


def reject(line: Mapping[str, Any]) -> str:
    """Why a row can't be used: row number as in a spreadsheet, column, value, reason."""
    column = f", column {oneline(line['column'])}" if line["column"] else ""
    value = f" “{oneline(line['value'])}”" if line["value"] else ""
    return f"row {line['row']}{column}{value}: {oneline(line['reason'])}"


def saved(of: Saved) -> str:
    """What is remembered for a shape of file: the headings that it is known by, and the mapping."""
    return f"{of.shape}  {oneline(', '.join(known_as(of)))[:200]}\n  since {clock(of.saved_at)}: {of.mapping.as_json()}"


def known_as(of: Saved) -> tuple[str, ...]:
    """The headings of a shape of file. Of a file of rows to mend nobody said anything: it is read as its original."""
    if of.columns[-1:] == (REASON,):
        return (f"rows to mend, read as their original: {of.columns[0]}", *of.columns[1:-1])
    return of.columns


def moved(of: Seen | Counted) -> str:
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
    return f"{clock(of.at)}  {of.event:6}  {item(of)}  {moved(of)}  ({cause})"


def stocked(of: Stocked) -> str:
    return f"{item(of)}  {plain(of.count)}  as of {clock(of.updated_at)}  ({of.upload_id or 'no upload'})"


def failure(of: Failure) -> str:
    """What failed, why, and how it is run again."""
    after = f"; tried again {some(of.tries, 'time')}" if of.tries else ""
    return f"{of.id}\n  {clock(of.failed_at)}  {oneline(of.about)}: {of.what}{after}. {oneline(of.reason)}"


def episode(of: Episode) -> str:
    opened = f"{clock(of.opened_at)}  {item(of)}  {_began(of)}"
    if of.closed_at:
        by = "its reorder point" if of.closed_how else of.closed_by or "no upload"
        return f"{opened}; {ended(of)} at {clock(of.closed_at)} by {by}{_held(of)}"
    note = f": {oneline(of.note)}" if of.note else ""
    seen = f"; acknowledged at {clock(of.acknowledged_at)}{note}" if of.acknowledged_at else ""
    return f"{opened}; still {'low' if of.is_low else 'out'}{seen}{_held(of)}"


def _began(of: Episode) -> str:
    by = "its reorder point" if of.by_point else of.opened_by or "no upload"
    if of.is_low:
        return f"low ({fell(of)}, reorder point {plain(of.point)}) by {by}"
    return f"out of stock ({fell(of) if of.old_count is not None else 'new and empty'}) by {by}"


def fell(of: Episode) -> str:
    """What opened an episode: `12 -> 0`, `new: 0`; by its reorder point alone, the count: `6`."""
    if of.by_point:
        return plain(of.new_count)
    new = plain(of.new_count)
    return f"{plain(of.old_count)} -> {new}" if of.old_count is not None else f"new: {new}"


def scope(of: Scope) -> str:
    """What a reorder point is set for: `Berlin · Oat milk`, `Berlin, each item`, `All stores, each item`."""
    if of.store is None:
        return "All stores, each item"
    return oneline(f"{of.store} · {of.item}" if of.item is not None else f"{of.store}, each item")


def point(of: Decimal | None) -> str:
    return "none" if of is None else plain(of)


def planned(of: Plan) -> str:
    """What a file of reorder points would do: `3 points new or changed, 12 set so already, 1 row not usable.`"""
    parts = [f"{some(len(of.lines), 'point')} new or changed", f"{of.same:,} set so already"]
    parts += [f"{some(len(of.errors), 'row')} not usable"] if of.errors else []
    parts += [f"{len(of.unknown):,} of what no store holds yet"] if of.unknown else []
    return f"{', '.join(parts)}."


def outcome(of: Outcome) -> str:
    """What the saving of reorder points did."""
    if not of.low and not of.ended:
        return "Saved. Nothing is low that was not before."
    low = [f"{some(len(of.low), 'item')} {_is(of.low)} low now"] if of.low else []
    ended = [f"{some(len(of.ended), 'item')} {_is(of.ended)} no longer low"] if of.ended else []
    return f"Saved. {', '.join(low + ended)}."


def broke_off(at: str) -> str:
    """A saving of reorder points that began then has not come to its end."""
    return (
        f"A saving of reorder points that began at {clock(at)} UTC has not come to its end: it broke off, or has much "
        "to do. Some of its points may not be set, and some items may be low, or no longer, and no alert says so."
    )


def _is(these: Sized) -> str:
    return "is" if len(these) == 1 else "are"


def ended(of: Episode) -> str:
    """What closed an episode: `back to 12`."""
    if of.closed_how:
        return f"no longer low with {plain(of.closed_count)}"
    return "removed" if of.closed_count is None else f"back to {plain(of.closed_count)}"


def _held(of: Episode) -> str:
    return f"; {said}" if (said := held(of)) else ""


def held(of: Episode, at: Callable[[str | None], str] | None = None) -> str:
    """What became of a message that does not go at once; blank of one that did. ``at``: how to write a time."""
    why = HELD.get(of.held_for or "", "")
    if of.due:
        return f"its message waits until {(at or clock)(of.due)}: {why}"
    return f"no message was sent: it came back before its time ({why})" if of.dropped_at else ""


HELD = {QUIET: "quiet hours", FLAPPING: "it runs out or low again and again"}
"""Why a message waits."""


def subscription(of: Subscription) -> str:
    """`e-mail anna@example.org: Berlin, Oslo; confirmed`, and below it the name by which it is removed."""
    what = PROTOCOLS.get(of.protocol, of.protocol)
    return f"{what} {of.endpoint}: {whose(of)}; {STATES[of.state]}\n  {of.arn or 'no ARN before that'}"


def whose(of: Subscription) -> str:
    """The stores whose alerts a subscription gets."""
    if of.rule:
        return f"by a rule of its own, {of.rule}"
    if of.stores is None:
        return "all stores" if of.arn else "its stores are told once it is confirmed"
    return ", ".join(of.stores)


STATES = {CONFIRMED: "confirmed", WAITING: "waits to be confirmed there"}


def trial(of: Trial) -> str:
    """Where a test message went. Whether it arrived SNS does not tell."""
    to = [f"{PROTOCOLS.get(one.protocol, one.protocol)} {one.endpoint}" for one in of.to]
    sent = (
        f"Sent to {some(len(to), 'subscriber')}: {', '.join(to)}."
        if to
        else "Sent, but nobody is subscribed to get it."
    )
    waits = f" {some(len(of.waiting), 'subscription')} not confirmed yet: nothing goes there." if of.waiting else ""
    return sent + waits


def quiet(of: Hours) -> str:
    """`22:00 to 07:00, Europe/Berlin`."""
    return f"{of.start} to {of.end}, {of.zone}"


UP_TO_DATE_SECONDS = 3


def behind(seconds: float) -> str:
    """How far a reader of the stream is behind it. A record's time is told in whole seconds, rounded down, and the
    stream takes one or two by itself."""
    if seconds < UP_TO_DATE_SECONDS:
        return "up to date"
    return f"{seconds:,.0f} s behind" if seconds < 120 else f"{seconds / 60:,.0f} minutes behind"


def took(milliseconds: float) -> str:
    """`85 ms`, `4.2 s`."""
    return f"{milliseconds:,.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.1f} s"


def logged(of: LogLine) -> str:
    """A line of a Lambda's log, its traceback below it."""
    below = "".join(f"\n    {line}" for line in of.detail.split("\n")) if of.detail else ""
    return f"{of.at[:10]} {of.at[11:23]}  {of.function:8}  {of.level:7}  {oneline(of.message)}{below}"


def clock(at: str | None) -> str:
    """A time to the second, UTC: `2026-11-23 12:53:44`."""
    return f"{at[:10]} {at[11:19]}" if at else "no time"


def timed(text: str, at: Callable[[str], str] = clock) -> str:
    """A text with its times as people read them. ``at``: how to write a time."""
    return _TIME.sub(lambda found: at(found[0]), text)


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


def access(role: Role | None, stores: Iterable[str] | None) -> str:
    """What somebody may: `manager of Berlin, Oslo`, `viewer of all stores`, `admin`, `no access`."""
    if role is None:
        return "no access"
    if role not in OF_STORES:
        return role.value
    return f"{role} of {'all stores' if stores is None else ', '.join(sorted(stores))}"

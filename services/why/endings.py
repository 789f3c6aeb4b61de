"""The endings: every way in which a row's way can end, and which one the facts come to.

Owns the judgement, and which reasons of the code lead to which ending. Knows no words.
"""

from enum import StrEnum

from lambdas import episodes, failures, holding, receipts, times
from lambdas.alerts import Crossing, Kind, crossing
from lambdas.fates import WRITES, Fate
from lambdas.stream import KEPT_DAYS
from lambdas.sweeping import FILE
from services.alerts import Episode
from services.outcome import GAP_SECONDS
from services.why.facts import Facts


class Ending(StrEnum):
    """Where a row's way ends, or is for now."""

    RECEIVED = "received"
    LOADING = "loading"
    RETRYING = "tried again"
    ASKED = "asked"
    UNREADABLE = "unreadable"
    GIVEN_UP = "given up"
    ASIDE = "put aside"
    NO_OBJECT = "no object"
    NO_LINES = "rows not kept"
    NOT_MENTIONED = "not mentioned"
    NO_ROW = "no such row"

    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    UNCHANGED = "unchanged"
    STALE = "stale"

    RECORD_AWAITED = "stream record awaited"
    RECORD_MISSING = "stream record missing"
    RECORD_LOST = "stream record given up"
    RECORD_FAILED = "stream record not kept"
    EXPIRED = "change kept no longer"
    CHECK_AWAITED = "check awaited"
    CHECK_MISSING = "check missing"
    CHECK_LOST = "check given up"
    CHECK_FAILED = "check failed"

    TOUCHED = "touched"
    ROSE = "rose"
    STAYED = "no crossing"
    STILL_OUT = "still out"
    STILL_LOW = "still low"
    TAKEN_AWAY = "taken away"
    CAME_BACK = "came back"
    NO_LONGER_LOW = "no longer low"
    LOW_BY_POINT = "low by its reorder point"
    ALERT_MISSING = "alert missing"

    SENT = "sent"
    SENT_LOW = "sent: low"
    SENT_FOR_BOTH = "sent: out and low"
    MESSAGE_AWAITED = "message awaited"
    MESSAGE_MISSING = "message missing"
    MESSAGE_REFUSED = "message refused"
    HELD_QUIET = "held: quiet hours"
    HELD_FLAPPING = "held: flapping"
    DROPPED = "dropped"


OF_FATES = {
    Fate.REJECTED: Ending.REJECTED, Fate.DUPLICATE: Ending.DUPLICATE, Fate.UNCHANGED: Ending.UNCHANGED,
    Fate.STALE: Ending.STALE,
}  # fmt: skip
"""The fates that write nothing end a row's way; behind the others comes the stream."""

OF_WAITING = {
    receipts.LOADER: (Ending.RECEIVED, Ending.LOADING, Ending.RETRYING), receipts.ANSWER: (Ending.ASKED,),
    receipts.HELP: (Ending.UNREADABLE, Ending.GIVEN_UP, Ending.NO_OBJECT),
}  # fmt: skip
"""What an upload waits for."""

OF_FAILURES = {
    FILE: OF_WAITING[receipts.HELP], failures.RECORD: (Ending.RECORD_FAILED,), failures.CHECK: (Ending.CHECK_FAILED,),
    failures.NOTICE: (Ending.MESSAGE_REFUSED,), failures.MESSAGE: (Ending.RECORD_LOST, Ending.CHECK_LOST),
}  # fmt: skip
"""What can fail."""

OF_HELD = {holding.QUIET: Ending.HELD_QUIET, holding.FLAPPING: Ending.HELD_FLAPPING}
"""What a message waits for."""

OF_QUIET = {episodes.BY_OUT: Ending.SENT_FOR_BOTH, episodes.BY_POINT: Ending.LOW_BY_POINT}
"""Why a low episode has no message of its own."""


def of(facts: Facts) -> Ending:
    """The ending that the facts come to."""
    if facts.fate is None:
        return _without_line(facts)
    if facts.fate not in WRITES:
        return OF_FATES[facts.fate]
    if facts.change is None:
        return _without_change(facts)
    if facts.failure and facts.failure["Kind"] == failures.CHECK:
        return Ending.CHECK_FAILED
    if facts.checked_at is None:
        return _overdue(facts, Ending.CHECK_AWAITED, Ending.CHECK_LOST if facts.lost else Ending.CHECK_MISSING)
    told = tells(facts)
    return _told(facts, told) if told else _without_alert(facts)


def tells(facts: Facts) -> Episode | None:
    """Of the episodes that the change opened the one whose message tells of it: that it is out, unless nobody was told
    of that and it was still low."""
    out, low = facts.opened.get(Kind.OUT), facts.opened.get(Kind.LOW)
    return low if low and (out is None or (out.dropped_at and not low.quiet)) else out


def _without_line(facts: Facts) -> Ending:
    state = facts.of.state
    if facts.found.gone:
        return Ending.NO_LINES
    if state == "loaded":
        return Ending.NOT_MENTIONED if facts.asked.row is None else Ending.NO_ROW
    if state == "waiting":
        return Ending.ASKED
    if state == "failed" and "AsideAt" in facts.kept:
        return Ending.ASIDE
    if facts.lies is None:
        return Ending.NO_OBJECT
    if state == "failed":
        return Ending.UNREADABLE if "Unreadable" in facts.kept else Ending.GIVEN_UP
    if facts.of.reason:
        return Ending.RETRYING
    return Ending.RECEIVED if state == "received" else Ending.LOADING


def _without_change(facts: Facts) -> Ending:
    if facts.failure:
        return Ending.RECORD_FAILED
    if facts.applied_at and times.later(facts.applied_at, hours=24 * KEPT_DAYS) < facts.now:
        return Ending.EXPIRED
    return _overdue(facts, Ending.RECORD_AWAITED, Ending.RECORD_LOST if facts.lost else Ending.RECORD_MISSING)


def _overdue(facts: Facts, awaited: Ending, missing: Ending) -> Ending:
    last = max(facts.applied_at or facts.now, facts.kept_at or "")
    return awaited if facts.now < times.later(last, seconds=GAP_SECONDS) else missing


def _without_alert(facts: Facts) -> Ending:
    of, closed = facts.change, facts.closed
    old, new = (of.old_count, of.new_count) if of else (None, None)
    what = crossing(old, new)
    if what is Crossing.OPENS:
        return Ending.ALERT_MISSING
    if closed or what is Crossing.CLOSES:
        return Ending.NO_LONGER_LOW if closed and closed.is_low else Ending.CAME_BACK
    if crossing(None, new) is Crossing.OPENS:
        return Ending.STILL_OUT
    if facts.by_point:
        return OF_QUIET[episodes.BY_POINT]
    if facts.fate is Fate.TOUCHED or new is None:
        return Ending.TAKEN_AWAY if new is None else Ending.TOUCHED
    if facts.covering(low=True):
        return Ending.STILL_LOW
    return Ending.ROSE if old is not None and new > old else Ending.STAYED


def _told(facts: Facts, one: Episode) -> Ending:
    low = facts.opened.get(Kind.LOW)
    if one.notified_at:
        if one.is_low:
            return Ending.SENT_LOW
        return OF_QUIET[episodes.BY_OUT] if low and low.quiet == episodes.BY_OUT else Ending.SENT
    if one.dropped_at:
        return Ending.DROPPED
    if one.due:
        return OF_HELD[one.held_for or holding.QUIET]
    if facts.failure:
        return Ending.MESSAGE_REFUSED
    return _overdue(facts, Ending.MESSAGE_AWAITED, Ending.MESSAGE_MISSING)

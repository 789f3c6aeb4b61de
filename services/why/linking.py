"""The ten links: when each was reached, and what it saw.

Owns what is told of each. Which one the chain stops at is given.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from lambdas import times
from lambdas.alerts import Kind, crossing
from lambdas.fates import WRITES, Fate
from lambdas.stream import KEPT_DAYS
from services import words
from services.why.chain import Link, Name, Step
from services.why.endings import tells
from services.why.facts import Facts
from services.why.ways import Way


class _Told(NamedTuple):
    """Of one link. ``known`` False: that it was reached follows from those behind it, and nothing else is kept."""

    at: str | None = None
    saw: str = ""
    ids: tuple[tuple[str, Any], ...] = ()
    known: bool = True


def links(of: Facts, way: Way) -> tuple[Link, ...]:
    """All ten; those behind the one at which it stops were not reached, but the last one that was may know more."""
    names = list(Name)
    stops = names.index(way.stops) if way.stops else len(names)
    return tuple(_link(name, _LINKS[name](of), place - stops, way) for place, name in enumerate(names))


def _link(name: Name, told: _Told, behind: int, way: Way) -> Link:
    step: Step = "done" if told.known else "unknown"
    if behind >= 0:
        step = "next" if behind else "now" if way.moves == "now" else "stopped"
    if behind > 0:
        told = _Told()
    ids = tuple((label, str(value)) for label, value in told.ids if value)
    return Link(name, step, told.at, told.saw, ids)


def _row(of: Facts) -> _Told:
    line, loaded = of.line, of.of.state == "loaded"
    if line is None:
        return _Told(saw="the file has no such row" if loaded else "not read yet", known=loaded)
    if of.fate is Fate.REJECTED:
        return _Told(of.of.received_at, words.reject(line))
    count = "to be gone" if line.get("count") is None else f"count {line['count']}"
    stated = f", as of {line['updated_at']}" if line.get("updated_at") else ""
    column = f", column {line['column']}" if line.get("column") else ""
    others = f"; also in row {', '.join(map(str, of.found.others))}" if of.found.others else ""
    said = f"row {line['row']:,}{column}: {line['store']} · {line['item']}, {count}{stated}{others}"
    return _Told(of.of.received_at, said)


def _object(of: Facts) -> _Told:
    kept = of.kept
    ids = (("bucket", kept.get("Bucket")), ("key", kept.get("Key")), ("version", kept.get("Version")))
    if of.lies is None:
        return _Told(of.of.received_at, f"{of.of.file} is no longer in the bucket", ids)
    return _Told(of.lies.at, f"{of.of.file}, {words.some(of.lies.size, 'byte')} in the bucket", ids)


def _message(of: Facts) -> _Told:
    kept = of.kept
    ids = (("message", kept.get("Message")),)
    if "RunAt" not in kept:
        return _Told(kept.get("DrivenAt"), "the queue has told the loader nothing of it yet", ids)
    if "Message" not in kept:
        return _Told(kept["RunAt"], "delivered; which message it was is not kept")
    count = int(kept["Receives"])
    said = "delivered to the loader" if count == 1 else f"delivered to the loader, the {_nth(count)} time that it came"
    return _Told(kept["RunAt"], said, ids)


def _nth(count: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(count % 10 if count % 100 not in (11, 12, 13) else 0, "th")
    return f"{count}{ending}"


def _run(of: Facts) -> _Told:
    runs = of.of.tries
    last = f", the last from {of.kept['RunAt']} on" if runs > 1 else ""
    rows = f"; {of.of.rows:,} of {words.some(of.of.whole, 'row')} through" if of.of.whole else ""
    reason = f"; {of.of.reason}" if of.of.reason else ""
    ids = (("run" if runs == 1 else "runs", ", ".join(sorted(of.kept.get("RequestIds", ())))),)
    return _Told(of.of.started_at, f"{words.some(runs, 'run')}{last}{rows}{reason}", ids)


def _fate(of: Facts) -> _Told:
    if of.fate is None:
        return _Told(of.applied_at, "what became of each row is no longer kept" if of.found.gone else "")
    line = of.line or {}
    names = words.UNDONE if of.of.mode == "undo" else words.FATES
    reason = f": {line['reason']}" if line.get("reason") else ""
    return _Told(of.applied_at, f"{names[of.fate]}{reason}", (("mode", of.of.mode), ("fate", of.fate.value)))


def _record(of: Facts) -> _Told:
    change = of.change
    if change is None:
        if of.failure:
            return _Told(of.failure["FailedAt"], "seen, and not kept")
        return _Told(None, "one is expected, and not known" if of.fate in WRITES else _NOTHING, known=False)
    more = f"; the last of {of.written} that this upload made of the item" if of.written > 1 else ""
    ids = (("kind", change.event), ("event", change.event_id), ("sequence number", change.sequence))
    return _Told(change.at, f"{words.moved(change)}{more}", ids)


_NOTHING = "none: what changes nothing makes no stream record"


def _failed(of: Facts) -> str:
    return f"kept as a failure since {of.failure['FailedAt']}: {of.failure['Reason']}" if of.failure else ""


def _change(of: Facts) -> _Told:
    if of.change is None:
        return _Told(None, _failed(of) or f"kept for {KEPT_DAYS} days, and gone since")
    until = times.later(of.change.at, hours=24 * KEPT_DAYS)
    return _Told(of.kept_at, f"kept until {until}", (("position", of.change.position),))


def _check(of: Facts) -> _Told:
    if of.checked_at is None or of.change is None:
        return _Told(None, _failed(of) or "not checked yet")
    old, new = of.change.old_count, of.change.new_count
    said = {"opens": "runs out", "closes": "is back", "none": "does not cross zero"}[crossing(old, new).value]
    point = f"; its reorder point is {of.point:f} now" if of.point else ""
    return _Told(of.checked_at, f"{words.moved(of.change)}: {said}{point}")


def _alert(of: Facts) -> _Told:
    told = list(of.opened.values())
    if not told:
        return _Told(None, "none was opened")
    kinds = " and ".join("low" if one.is_low else "out of stock" for one in told)
    ended = [f"; ended at {one.closed_at}" for one in told if one.closed_at and one.kind is told[0].kind]
    ids = tuple(("low alert" if one.kind is Kind.LOW else "alert", one.position) for one in told)
    return _Told(told[0].opened_at, f"{kinds}{''.join(ended)}", ids)


def _notification(of: Facts) -> _Told:
    one = tells(of)
    if one is None:
        return _Told()
    if one.notified_at:
        return _Told(one.notified_at, "sent to whoever is subscribed", (("SNS message", one.message_id),))
    return _Told(one.dropped_at, words.held(one, str) or _failed(of) or "not sent yet")


_LINKS: dict[Name, Callable[[Facts], _Told]] = {
    Name.ROW: _row, Name.OBJECT: _object, Name.MESSAGE: _message, Name.RUN: _run, Name.FATE: _fate,
    Name.RECORD: _record, Name.CHANGE: _change, Name.CHECK: _check, Name.ALERT: _alert,
    Name.NOTIFICATION: _notification,
}  # fmt: skip

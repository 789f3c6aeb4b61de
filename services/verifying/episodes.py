"""The alerts of an item: each crossing of its changes has opened one episode, closed by the next that rises again.

Pure. Owns what the Alerts table is to hold of an item, given its changes. That is certain where an item is out. When an
item is low depends on its reorder point, which people move, and of which only the present one is kept; so of low
episodes this much is checked: one that a change opened says what that change says, and crosses the point that it names;
and no more than one is open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lambdas.alerts import Crossing, Kind, crossing
from lambdas.episodes import position
from lambdas.stream import Change, count_in, item_key
from services.verifying.facts import Facts, Ground, counted
from services.verifying.history import Chain
from services.verifying.result import Difference, What

Stored = dict[str, Any]


@dataclass(slots=True)
class Expected:
    """An episode that there is to be. ``closed`` None: it is open. ``sure``: nothing is missing of its changes."""

    opened: Change
    closed: Change | None = None
    sure: bool = True


def checked(facts: Facts, ground: Ground, chain: Chain) -> Iterator[Difference]:
    yield from _low(facts, chain)
    stored = {one["Position"]: one for one in facts.episodes if not _is_low(one)}
    for one in expected(chain):
        found, by = stored.pop(one.opened.position, None), one.opened.upload_id
        if found is None:
            moved = f"{counted(one.opened.old_count)} -> {counted(one.opened.new_count)}"
            said = f"it ran out at {one.opened.at} by {ground.named(by)}, {moved}, and there is no alert of it"
            yield facts.differs(What.ALERT_MISSING, said, by)
        elif wrong := "; ".join(_wrong(one, found)):
            yield facts.differs(What.ALERT, f"the alert of {found['OpenedAt']}: {wrong}", by)
    for found in stored.values():
        yield from _unexpected(facts, ground, chain, found)
    yield from _notified(facts, ground)


def _is_low(found: Stored) -> bool:
    return found.get("Kind") == Kind.LOW


def _low(facts: Facts, chain: Chain) -> Iterator[Difference]:
    lows = [one for one in facts.episodes if _is_low(one)]
    changes = {position(change, Kind.LOW): change for change in chain.changes}
    for found in lows:
        its = f"the alert of {found['OpenedAt']}, when it was low"
        change = changes.get(found["Position"])
        if change and (wrong := "; ".join(_wrong(Expected(change, sure=False), found))):
            yield facts.differs(What.ALERT, f"{its}: {wrong}", change.upload_id)
        elif change and crossing(change.old_count, change.new_count, found["Point"]) is not Crossing.OPENS:
            moved = f"{counted(change.old_count)} -> {counted(change.new_count)}"
            said = f"there is {its} by its reorder point {counted(found['Point'])}, and {moved} does not cross that"
            yield facts.differs(What.ALERT_TOO_MANY, said, change.upload_id)
    still = [one["OpenedAt"] for one in lows if "Open" in one]
    if len(still) > 1:
        yield facts.differs(What.ALERT_TOO_MANY, f"it is low more than once: since {' and '.join(sorted(still))}")


def expected(chain: Chain) -> list[Expected]:
    found: list[Expected] = []
    still_open: Expected | None = None
    for n, change in enumerate(chain.changes):
        if n in chain.gaps and still_open:  # something is missing, and it may have closed there
            still_open.sure, still_open = False, None
        what = crossing(change.old_count, change.new_count)
        if what is Crossing.OPENS:
            still_open = Expected(change)
            found.append(still_open)
        elif what is Crossing.CLOSES and still_open:
            still_open.closed, still_open = change, None
    if still_open and len(chain.changes) in chain.gaps:
        still_open.sure = False
    return found


def _wrong(one: Expected, found: Stored) -> Iterator[str]:
    opened = {"OpenedBy": one.opened.upload_id, "OldCount": one.opened.old_count, "NewCount": one.opened.new_count}
    closed: Stored = {"ClosedAt": None, "ClosedBy": None, "ClosedCount": None}
    if last := one.closed:
        closed = {"ClosedAt": last.at, "ClosedBy": last.upload_id, "ClosedCount": last.new_count}
    is_open = {"Open": None if one.closed else "open"}
    for name, value in (opened | (closed | is_open if one.sure else {})).items():
        if found.get(name) != value:
            yield f"{name} is to be {value} and is {found.get(name)}"


def _unexpected(facts: Facts, ground: Ground, chain: Chain, found: Stored) -> Iterator[Difference]:
    """An episode that no change that is kept has opened."""
    by, its = found.get("OpenedBy"), f"the alert of {found['OpenedAt']}"
    if found["OpenedAt"] >= ground.cutoff and not _in_a_gap(found, chain):
        said = f"there is {its}, and at none of its changes it ran out then"
        yield facts.differs(What.ALERT_TOO_MANY, said, by)
    elif "Open" in found and crossing(None, count_in(facts.held)) is not Crossing.OPENS:
        yield facts.differs(What.ALERT, f"{its} is open, and the table holds {counted(count_in(facts.held))}", by)


def _in_a_gap(found: Stored, chain: Chain) -> bool:
    """Whether the change at which it opened may be one of those that are missing, which is named already."""
    return bool(chain.gaps) and found["Position"] not in {change.position for change in chain.changes}


def _notified(facts: Facts, ground: Ground) -> Iterator[Difference]:
    """Each was told, or is held until its time; or it had ended by then; or a failure says why not."""
    for found in facts.episodes:
        if "Quiet" in found:  # low, and not to be told by itself
            continue
        name, by = f"{item_key(facts.store, facts.item)}#{found['Position']}", found.get("OpenedBy")
        its = f"the alert of {found['OpenedAt']}{', when it was low' if _is_low(found) else ''}"
        if "NotifiedAt" in found or name in ground.notices:
            continue
        if "Held" in found:
            if found["Due"] < ground.overdue:
                said = f"the message of {its} was held until {found['Due']}, and still is"
                yield facts.differs(What.NOT_NOTIFIED, said, by)
        elif "DroppedAt" not in found:
            said = f"nobody was notified of {its}, and no failure says why"
            yield facts.differs(What.NOT_NOTIFIED, said, by)
        elif "ClosedAt" not in found:
            said = f"nobody was notified of {its}, as if it had ended, and it is open"
            yield facts.differs(What.NOT_NOTIFIED, said, by)

"""What a verification found, and its words.

Owns the shape of a difference and of a result, also as JSON. Knows nothing of how anything is checked.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from lambdas.oneline import oneline


class What(StrEnum):
    """The kinds of difference."""

    NO_RECEIPT = "file without receipt"
    UNREADABLE = "file unreadable"  # it was loaded, and can't be read again
    NO_FATE = "row without fate"
    NO_ROW = "fate without row"
    FATE = "fate wrong"
    RECEIPT = "receipt"
    MISSING = "record missing"
    TOO_MANY = "record too many"
    RECORD = "record wrong"
    TIME = "time wrong"
    HISTORY = "history broken"
    STOCK = "stock"
    NEWEST = "newest"
    ALERT_MISSING = "alert missing"
    ALERT_TOO_MANY = "alert too many"
    ALERT = "alert wrong"
    NOT_NOTIFIED = "not notified"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two things that should agree do not.

    ``where``: an upload's id, `Store · Item`, or both; ``said``: the same and more in a sentence for people, with what
    was expected and what was found.
    """

    what: What
    where: str
    said: str


@dataclass(frozen=True, slots=True)
class Result:
    """A verification: when (fixed-width UTC text), how long, how much was looked at, and what does not agree.

    ``more``: how many further differences there are, beyond those that are named. ``under_way``: the uploads (ids, or
    keys of files that have none yet) whose items were not judged. ``unchecked``: sentences.
    """

    at: str
    seconds: float
    store: str | None  # None: every store
    uploads: int
    rows: int
    items: int
    changes: int
    alerts: int
    differences: tuple[Difference, ...] = ()
    more: int = 0
    under_way: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """Plain values, as `of_json` takes them."""
        return asdict(self) | {
            "differences": [asdict(one) for one in self.differences],
            "under_way": list(self.under_way), "unchecked": list(self.unchecked),
        }  # fmt: skip


def of_json(said: Mapping[str, Any]) -> Result:
    """The result that ``as_json`` made, also after its way through JSON."""
    differences = tuple(Difference(What(one["what"]), one["where"], one["said"]) for one in said["differences"])
    lists = {name: tuple(said[name]) for name in ("under_way", "unchecked")}
    return Result(**{**said, **lists, "differences": differences})


def in_words(of: Result) -> str:
    """`1,204 uploads, 83,112 rows, 2,400 items: everything agrees.`, or each difference on a line of its own."""
    looked = f"{_some(of.uploads, 'upload')}, {_some(of.rows, 'row')}, {_some(of.items, 'item')}"
    found = len(of.differences) + of.more
    verdict = "everything agrees." if of.agrees else f"{_some(found, 'difference')}."
    lines = [f"{looked}: {verdict}", *(f"  {one.what}: {oneline(one.said)}." for one in of.differences)]
    if of.more:
        lines.append(f"  and {of.more:,} more.")
    if of.under_way:
        shown = ", ".join(of.under_way[:3]) + (", …" if len(of.under_way) > 3 else "")
        lines.append(f"Not judged, as they are under way: the items of {_some(len(of.under_way), 'upload')}: {shown}.")
    return "\n".join([*lines, *(f"Not checked: {oneline(one)}" for one in of.unchecked)])


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

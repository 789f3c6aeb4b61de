"""The alert rules: when an episode opens and closes, and its words.

Pure. Owns what “runs out” means. Knows nothing of tables or of SNS.
"""

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lambdas.oneline import oneline

THRESHOLD = Decimal(0)
NAMED = 20
"""How many items a digest names; the others are counted. Who gets 200 lines reads none."""
_NAMED_BYTES = 16_000  # in JSON: ten digests go in one call, which takes 256 KB
_NAMED_SHORT, _NAME_SHORT = 3, 40
TEST = "This is a test from Stocktrail"


class Kind(StrEnum):
    """What an episode is of: an item that is out, at zero or below, or one that is at its reorder point or below."""

    OUT = "out"
    LOW = "low"


class Crossing(StrEnum):
    """What a change of an item's count means for its alert episode."""

    OPENS = "opens"
    CLOSES = "closes"
    NONE = "none"


def crossing(old: Decimal | None, new: Decimal | None, threshold: Decimal = THRESHOLD) -> Crossing:
    """An episode opens when the count crosses to the threshold or below, and closes when it rises above it again.

    Both images decide, so that a record that only repeats an empty shelf opens nothing. An item that is new and
    empty opens one; one that is removed closes its own.
    """
    was_out = old is not None and old <= threshold
    is_out = new is not None and new <= threshold
    if is_out and not was_out:
        return Crossing.OPENS
    if was_out and not is_out:
        return Crossing.CLOSES
    return Crossing.NONE


def subject(store: str, item: str, kind: Kind = Kind.OUT) -> str:
    """A line for e-mail: printable ASCII, at most 100 characters, as SNS demands."""
    return heading(f"{'Out of stock' if kind is Kind.OUT else 'Low'}: {item} ({store})")


def heading(line: str) -> str:
    """Any line as SNS takes it for a subject."""
    ascii_only = line.encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else " " for c in ascii_only)[:99]


def message(
    store: str, item: str, old: Decimal | None, new: Decimal | None, upload: str | None, *, again: bool = False,
    point: Decimal | None = None,
) -> str:  # fmt: skip
    """The notification in plain words. ``again``: it may have been sent before, and says so. ``point``: the item is
    low, by this reorder point; without one it is out."""
    return alone(store, Told(item, old, new, upload or "", point=point), again=again)


@dataclass(frozen=True, slots=True)
class Told:
    """What a notification tells of one item. ``upload``: the one that caused it, as people know it, blank if none did;
    ``times``: how often it happened within a day; ``point``: it is low, by this reorder point, and not out."""

    item: str
    old: Decimal | None
    new: Decimal | None
    upload: str
    times: int = 1
    point: Decimal | None = None

    @property
    def kind(self) -> Kind:
        return Kind.OUT if self.point is None else Kind.LOW

    @property
    def moved(self) -> str:
        new = plain(self.new)
        moved = f"{plain(self.old)} -> {new}" if self.old is not None else f"new item with a count of {new}"
        return moved if self.point is None else f"{moved}, reorder point {plain(self.point)}"

    @property
    def cause(self) -> str:
        return f"upload {self.upload}" if self.upload else "a change made outside of any upload"

    @property
    def often(self) -> str:
        what = "ran out" if self.kind is Kind.OUT else "ran low"
        return f"{what} {self.times} times since yesterday" if self.times > 1 else ""


def alone(store: str, of: Told, *, again: bool = False) -> str:
    """The notification of one item in plain words. ``again``: it may have been sent before, and says so."""
    often = f" It {of.often}." if of.often else ""
    state = "out of stock" if of.kind is Kind.OUT else "low"
    return oneline(f"{store}: {of.item} is {state} ({of.moved}).{often} Caused by {of.cause}.{_repeat(again)}")


def digest(store: str, of: Sequence[Told], *, again: bool = False) -> str:
    """The notification of several items of a store: a line that says it all, one for each item, and the causes."""
    causes = {one.cause for one in of}
    named = _named(of, told_once=len(causes) == 1)
    more = [f"and {len(of) - len(named):,} more"] if len(of) > len(named) else []
    by = [oneline(f"Caused by {one}.") for one in causes] if len(causes) == 1 else []
    repeat = [_repeat(again).strip()] if again else []
    return "\n".join([oneline(f"{store}: {_states(of)}."), *named, *more, *by, *repeat])


def digest_subject(store: str, of: Sequence[Told]) -> str:
    what = "Out of stock" if any(one.kind is Kind.OUT for one in of) else "Low"
    return heading(f"{what}: {_items({one.item for one in of})} ({store})")


def digest_in_short(store: str, of: Sequence[Told], *, again: bool = False) -> str:
    """The same in one line, for a telephone: each 140 bytes of a text message cost."""
    names = [oneline(one.item)[:_NAME_SHORT] for one in sorted(of, key=lambda one: one.item)[:_NAMED_SHORT]]
    more = f" and {len(of) - len(names):,} more" if len(of) > len(names) else ""
    return oneline(f"{store}: {_states(of)}: {', '.join(names)}{more}.{_repeat(again)}")


def test_message(store: str | None) -> str:
    """A message that can't be taken for an alert."""
    whose = f"When an item of {store} runs out" if store else "When an item runs out"
    return oneline(f"{TEST}. {whose}, a message comes the way that this one came. Nothing has run out now.")


def by_protocol(text: str, short: str) -> str:
    """A text as SNS takes it with MessageStructure `json`: text messages get the short one, all others the long one.
    https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
    return json.dumps({"default": text, "sms": short}, ensure_ascii=False)


def _named(of: Sequence[Told], *, told_once: bool) -> list[str]:
    """A line for each of the first items by name. ``told_once``: their cause is said below."""
    lines: list[str] = []
    left = _NAMED_BYTES
    for one in sorted(of, key=lambda one: one.item)[:NAMED]:
        said = [f"- {one.item} ({one.moved})", one.often, "" if told_once else one.cause]
        line = oneline(", ".join(part for part in said if part))
        left -= len(json.dumps(line, ensure_ascii=False).encode())
        if left < 0:
            break
        lines.append(line)
    return lines


def _states(of: Sequence[Told]) -> str:
    """`200 items are out of stock`, `1 item is out of stock, 3 items are low`."""
    out, low = ({one.item for one in of if one.kind is kind} for kind in (Kind.OUT, Kind.LOW))
    said = [
        f"{_items(some)} {'is' if len(some) == 1 else 'are'} {what}"
        for some, what in ((out, "out of stock"), (low - out, "low"))
        if some
    ]
    return ", ".join(said)


def _items(some: Set[str]) -> str:
    return "1 item" if len(some) == 1 else f"{len(some):,} items"


def _repeat(again: bool) -> str:
    return " This may repeat an earlier message." if again else ""


def plain(count: Decimal | None) -> str:
    """A count as people write it: 12, 39.5, -3."""
    return "none" if count is None else f"{count:f}"

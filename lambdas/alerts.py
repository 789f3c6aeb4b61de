"""The alert rules: when an episode opens and closes, and its words.

Pure. Owns what “runs out” means. Knows nothing of tables or of SNS.
"""

from decimal import Decimal
from enum import StrEnum

THRESHOLD = Decimal(0)


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


def subject(store: str, item: str) -> str:
    """A line for e-mail: printable ASCII, at most 100 characters, as SNS demands."""
    line = f"Out of stock: {item} ({store})".encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else " " for c in line)[:99]


def message(
    store: str, item: str, old: Decimal | None, new: Decimal | None, upload: str | None, *, again: bool = False
) -> str:  # fmt: skip
    """The notification in plain words. ``again``: it may have been sent before, and says so."""
    moved = f"{plain(old)} -> {plain(new)}" if old is not None else f"new item with a count of {plain(new)}"
    cause = f"upload {upload}" if upload else "a change made outside of any upload"
    repeat = " This may repeat an earlier message." if again else ""
    return f"{store}: {item} is out of stock ({moved}). Caused by {cause}.{repeat}"


def plain(count: Decimal | None) -> str:
    """A count as people write it: 12, 39.5, -3."""
    return "none" if count is None else f"{count:f}"

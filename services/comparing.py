"""Two uploads side by side: what their files say of each item, and what became of their rows.

Pure: over the lines of both. Knows nothing of where they are kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from lambdas import lines as kept
from lambdas.fates import Fate
from lambdas.inventory import Key
from services.outcome import Line

_UNSAID = frozenset({Fate.REJECTED, Fate.DUPLICATE})
"""Rows that say nothing of their item: they could not be used, or another row of the file counts."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An item of which two files do not say the same. A count is None where a file says that there is none."""

    store: str
    item: str
    then: Decimal | None
    now: Decimal | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, by store and item. ``same``: how many items both files give the same count; ``fates``: how many
    rows of each had each of the seven fates, then and now."""

    differing: list[Difference]
    only_then: list[Difference]
    only_now: list[Difference]
    same: int
    fates: Mapping[str, tuple[int, int]]


def compare(then: Iterable[Line], now: Iterable[Line]) -> Comparison:
    """The lines of an earlier upload beside those of a later one."""
    then, now = list(then), list(now)
    before, after = _said(then), _said(now)
    both = sorted(before.keys() & after.keys())
    differing = [Difference(*key, before[key], after[key]) for key in both if before[key] != after[key]]
    counted = kept.count(then), kept.count(now)
    return Comparison(
        differing,
        [Difference(*key, before[key], None) for key in sorted(before.keys() - after.keys())],
        [Difference(*key, None, after[key]) for key in sorted(after.keys() - before.keys())],
        len(both) - len(differing),
        {fate: (count, counted[1][fate]) for fate, count in counted[0].items()},
    )


def _said(lines: Iterable[Line]) -> dict[Key, Decimal | None]:
    """What a file says of each item."""
    return {
        (line["store"], line["item"]): Decimal(line["count"]) if line.get("count") else None
        for line in lines
        if line["fate"] not in _UNSAID
    }

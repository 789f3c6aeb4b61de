"""The pulse: how many counts changed in each quarter of an hour, and how many of them ran out or came back.

Pure. Quarters, because every time zone's hours and days begin with one. Knows nothing of where changes come from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from lambdas import times
from lambdas.alerts import Crossing, crossing

_QUARTER = 900  # seconds
KEPT = timedelta(hours=60)
"""Longer than any reader's day, whatever the zone."""
_AT_MOST = 2 * KEPT // timedelta(seconds=_QUARTER)


@dataclass(slots=True)
class Beat:
    """So many counts changed; of these so many items ran out, and so many came back."""

    changed: int = 0
    out: int = 0
    back: int = 0

    def __add__(self, other: "Beat") -> "Beat":
        return Beat(self.changed + other.changed, self.out + other.out, self.back + other.back)


class Pulse:
    """The beats of the last days. Changes may be added in any order, each once."""

    def __init__(self) -> None:
        self._quarters: dict[int, Beat] = {}

    def add(self, at: str, old: Decimal | None, new: Decimal | None) -> None:
        """A change of an item's count; one that only moved its time is none."""
        if old == new:
            return
        beat = self._quarters.setdefault(_quarter(times.moment(at)), Beat())
        beat.changed += 1
        crossed = crossing(old, new)
        beat.out += crossed is Crossing.OPENS
        beat.back += crossed is Crossing.CLOSES and new is not None
        if len(self._quarters) > _AT_MOST:
            self._forget()

    def between(self, start: datetime, end: datetime) -> Beat:
        """What was from a moment to another, both at a quarter of an hour."""
        found: Iterable[Beat] = (
            self._quarters[quarter] for quarter in range(_quarter(start), _quarter(end)) if quarter in self._quarters
        )
        return sum(found, Beat())

    def _forget(self) -> None:
        first = max(self._quarters) - KEPT // timedelta(seconds=_QUARTER)
        self._quarters = {quarter: beat for quarter, beat in self._quarters.items() if quarter >= first}


def _quarter(moment: datetime) -> int:
    return int(moment.timestamp()) // _QUARTER

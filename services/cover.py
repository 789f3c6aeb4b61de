"""Cover: how long what is left of an item lasts, from what it fell by in the last four weeks.

Pure. Owns the rule, and what of the changes it needs: for each item what it fell by on each day. A rise is a delivery
and no fall; an item that goes out of the table has not fallen either. Days are UTC's. Knows nothing of where changes
come from.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from lambdas import alerts, times
from lambdas.inventory import Key
from services import words

DAYS = 28
"""Four weeks: every day of the week counts four times, and last season does not."""
FALLS = 3
"""On so many different days it must have fallen: two days would be an accident as likely as a habit."""
KNOWN_DAYS = 7
"""It must have been known for so long: less than a week has no Saturday, or nothing else."""
SOON_DAYS = 7
"""What lasts for a shorter time is “soon”: a delivery can still be ordered."""
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Cover:
    """How long an item lasts, and what that is worked out from: it fell by ``fallen`` in the last ``days`` days."""

    store: str
    item: str
    count: float
    fallen: float
    days: float

    @property
    def a_day(self) -> float:
        return self.fallen / self.days

    @property
    def lasts(self) -> float:
        """In days."""
        return self.count / self.a_day


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of each item what it fell by, in how many days, and whether that is enough to tell."""

    keys: Sequence[Key]
    fallen: npt.NDArray[np.float64]
    days: npt.NDArray[np.float64]
    enough: npt.NDArray[np.bool_]

    @property
    def many(self) -> int:
        """How many items have a history that allows to tell."""
        return int(self.enough.sum())

    @property
    def of_stores(self) -> Counter[str]:
        """How many of them in each store."""
        return Counter(self.keys[row][0] for row in np.flatnonzero(self.enough).tolist())

    def soon(self, count: Callable[[Key], Decimal | None], within: float = SOON_DAYS) -> list[Cover]:
        """What is there still and will be out within so many days, the soonest first. ``count``: what is left now."""
        with np.errstate(invalid="ignore"):  # of a new item no day may have passed
            most = np.where(self.enough, within * self.fallen / self.days, 0.0)
        found = []
        for row in np.flatnonzero(most).tolist():
            left = count(self.keys[row])
            if left is not None and left > alerts.THRESHOLD and float(left) <= most[row]:
                found.append(Cover(*self.keys[row], float(left), float(self.fallen[row]), float(self.days[row])))
        return sorted(found, key=lambda one: (one.lasts, one.store, one.item))


class Falls:
    """What items fell by, day by day, for the last DAYS days: 120 bytes an item, and its name.

    Changes may be added in any order, each once.
    """

    def __init__(self) -> None:
        self._rows: dict[Key, int] = {}
        self._fallen: npt.NDArray[np.float32] = np.zeros(
            (1024, DAYS), np.float32
        )  # a day's column is its number modulo
        self._first: npt.NDArray[np.float64] = np.full(1024, np.inf)  # when its first change was, in days since 1970
        self._born: npt.NDArray[np.bool_] = np.zeros(1024, np.bool_)  # whether it came into being with that one
        self._today = 0

    def add(self, at: str, key: Key, old: Decimal | None, new: Decimal | None) -> None:
        """A change of an item's count. ``at``: fixed-width UTC text."""
        moment = _days(at)
        day = int(moment)
        self._turn(day)
        row = self._row(key)
        if moment < self._first[row]:
            self._first[row], self._born[row] = moment, old is None
        elif moment == self._first[row]:
            self._born[row] |= old is None  # of two in one second
        if day > self._today - DAYS and old is not None and new is not None and new < old:
            self._fallen[row, day % DAYS] += float(old - new)

    def judged(self, now: str) -> "Judgement":
        """What can be told now; a copy, which does not move any more."""
        moment, rows = _days(now), len(self._rows)
        self._turn(int(moment))
        begin = float(self._today - DAYS + 1)
        since = np.where(self._born[:rows], np.maximum(self._first[:rows], begin), begin)
        days = np.maximum(moment, self._today) - since
        fell = np.count_nonzero(self._fallen[:rows] > 0, axis=1)
        fallen = self._fallen[:rows].sum(axis=1, dtype=np.float64)
        return Judgement(list(self._rows), fallen, days, (fell >= FALLS) & (days >= KNOWN_DAYS))

    def _turn(self, day: int) -> None:
        """Go on to a day: its column held the one DAYS before it."""
        for new in range(max(self._today + 1, day - DAYS + 1), day + 1):
            self._fallen[:, new % DAYS] = 0
        self._today = max(self._today, day)

    def _row(self, key: Key) -> int:
        row = self._rows.setdefault(key, len(self._rows))
        if row == len(self._first):
            self._fallen = np.concatenate([self._fallen, np.zeros_like(self._fallen)])
            self._first = np.concatenate([self._first, np.full_like(self._first, np.inf)])
            self._born = np.concatenate([self._born, np.zeros_like(self._born)])
        return row


def lasting(of: Cover) -> str:
    """`2 days`, `less than a day`."""
    return words.some(round(of.lasts), "day") if of.lasts >= 1 else "less than a day"


def basis(of: Cover) -> str:
    """`fell 42 in the last 14 days: about 3 a day; 6 left`."""
    pace = f"{_amount(of.a_day, 1)} a day" if of.a_day >= 1 else f"{_amount(7 * of.a_day, 1)} a week"
    days = words.some(round(of.days), "day")
    return f"fell {_amount(of.fallen, 2)} in the last {days}: about {pace}; {_amount(of.count, 2)} left"


def _amount(number: float, places: int) -> str:
    """A number with at most so many places: `1,234.5`, `3`."""
    told = f"{number:,.{places}f}"
    return told.rstrip("0").rstrip(".") if "." in told else told


def _days(at: str) -> float:
    """Days since 1970."""
    return times.moment(at).timestamp() / _DAY

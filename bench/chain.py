"""A chain of stores and the files that their tills send in a year. Pure and seeded; any day of any store by itself is
cheap, so that ten thousand of them need no memory.

Every item has one time and count at a time: a store's shelf. Before dawn some items are supplied, and the whole shelf
is sent (`full`); in each of the twelve hours that it is open some are sold, and what moved is sent (`partial`). Now and
then a partial one is stuck and comes hours after newer ones (`late`), or a file comes once more (`again`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

FULL, PARTIAL, LATE, AGAIN = "full", "partial", "late", "again"
KINDS = (FULL, PARTIAL, LATE, AGAIN)
DAWN, OPENS, CLOSES = 3, 8, 20
"""Hours: when the shelf is sent, and between which there is a file each hour."""
SENT_WITHIN_SECONDS = {FULL: 7_200, PARTIAL: 300}
"""So far apart are the stores' files of one dawn, or of one hour: tills send by the clock, not all at the second."""
_LATE, _AGAIN = 0.02, 0.03
_SUPPLIED = 0.12
"""The share of the items that a night's supply brings."""


class Stated(NamedTuple):
    item: str
    count: int
    at: str


@dataclass(frozen=True, slots=True)
class File:
    """What a till sends: when (`sent`), and what it states."""

    sent: datetime
    store: str
    kind: str
    rows: tuple[Stated, ...]

    @property
    def data(self) -> bytes:
        lines = (f"{self.store},{item},{count},{at}" for item, count, at in self.rows)
        return "\n".join(["store,item,count,updated_at", *lines, ""]).encode()


@dataclass
class Till:
    """One store. ``shelf``: what is true of each item after the files that have been asked for."""

    name: str
    items: int
    rng: Random
    shelf: dict[str, Stated] = field(default_factory=dict)
    _pars: dict[str, int] = field(default_factory=dict)

    def day(self, midnight: datetime) -> list[File]:
        """The files of a day, as they are sent; late ones may come on the day after. Days are to be asked in order."""
        files = [self._file(midnight, DAWN, FULL, self._supplied(midnight))]
        for hour in range(OPENS, CLOSES):
            moved = self._sold(midnight + timedelta(hours=hour))
            kind = LATE if self.rng.random() < _LATE else PARTIAL
            files.append(self._file(midnight, hour + 1, kind, moved))
        twice = [one for one in files if self.rng.random() < _AGAIN]
        files += [File(one.sent + timedelta(minutes=7), self.name, AGAIN, one.rows) for one in twice]
        return sorted(files, key=lambda one: one.sent)

    def _file(self, midnight: datetime, hour: int, kind: str, rows: tuple[Stated, ...]) -> File:
        within = SENT_WITHIN_SECONDS[FULL if kind == FULL else PARTIAL]
        sent = midnight + timedelta(hours=hour, seconds=self.rng.random() * within)
        late = timedelta(hours=self.rng.uniform(1, 30)) if kind == LATE else timedelta()
        return File(sent + late, self.name, kind, rows)

    def _supplied(self, midnight: datetime) -> tuple[Stated, ...]:
        for n in range(self.items):
            item = f"Item {n:04}"
            first = item not in self.shelf
            if first:
                self._pars[item] = self.rng.choice((6, 12, 24, 48, 96, 240))
            if first or self.shelf[item].count <= self._pars[item] // 4 or self.rng.random() < _SUPPLIED / 2:
                self._state(item, self._pars[item], midnight + timedelta(hours=2, seconds=n))
        return tuple(self.shelf.values())

    def _sold(self, hour: datetime) -> tuple[Stated, ...]:
        names = list(self.shelf)
        wanted = names[::4] or names
        draws = self.rng.randint(3, 12)
        sold = {self.rng.choice(wanted if self.rng.random() < 0.6 else names) for _ in range(draws)}
        for item in sorted(sold):
            count = max(0, self.shelf[item].count - self.rng.randint(1, max(1, self._pars[item] // 6)))
            self._state(item, count, hour + timedelta(seconds=self.rng.randrange(3_500)))
        return tuple(self.shelf[item] for item in sorted(sold))

    def _state(self, item: str, count: int, at: datetime) -> None:
        self.shelf[item] = Stated(item, count, f"{at:%Y-%m-%dT%H:%M:%SZ}")


@dataclass(frozen=True)
class Chain:
    """So many stores, each with so many items. ``first``: the first midnight."""

    stores: int
    items: int
    first: datetime
    seed: int = 1

    def till(self, number: int) -> Till:
        name = f"Store {number:05}"
        return Till(name, self.items, Random(f"{self.seed} {name}"))  # noqa: S311

    def days(self, tills: list[Till], days: int) -> Iterator[list[File]]:
        """Of each day all files that come on it, in their order; a last one with what is still late."""
        waiting: list[File] = []
        for day in range(days):
            midnight = self.first + timedelta(days=day)
            waiting += [file for till in tills for file in till.day(midnight)]
            ready = [file for file in waiting if file.sent < midnight + timedelta(days=1)]
            waiting = [file for file in waiting if file.sent >= midnight + timedelta(days=1)]
            yield sorted(ready, key=lambda file: file.sent)
        yield sorted(waiting, key=lambda file: file.sent)

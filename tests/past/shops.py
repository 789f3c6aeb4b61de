"""Who sends which file when: stores that sell and are supplied, and the tills that tell of it. Pure, and seeded.

Most stores send all that they hold once a day. Some send every two hours what has moved; one repeats itself because its
export is stuck, one fell silent, and now and then a file comes twice, or late, or with rows that can't be used.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from random import Random

from lambdas import times
from lambdas.fates import Key, Mode
from lambdas.stockfile import Reading, Row
from tests.past import names

CHANGES_AT_MOST = 250_000
"""Of the last 90 days, of all stores."""
_FILES_A_STORE = 4_500  # for each day of the last weeks, divided among the stores; before them a file a week or a month
_QUICK_DAYS, _SLOW_DAYS = 14, 91
_PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


class Habit(Enum):
    DAILY = auto()
    HOURLY = auto()  # what has moved, beside the daily file
    STUCK = auto()  # the same file again and again, for two weeks now
    SILENT = auto()  # nothing, for three weeks now
    NEW = auto()  # opened a few weeks ago


@dataclass(frozen=True, slots=True)
class Sent:
    """A file and when it was sent. ``reading`` None: an odd one, and the product's own reader says what is in it."""

    at: datetime
    name: str
    data: bytes
    reading: Reading | None
    mode: Mode = Mode.NEWEST


@dataclass
class Chain:
    """All stores. ``now``: when the past ends; ``days``: how long it is."""

    now: datetime
    stores: int
    items: int
    days: int
    seed: int = 1

    def shops(self) -> Iterator["Shop"]:
        for number, store in enumerate(names.stores(self.stores)):
            rng = Random(f"{self.seed} {store}")  # noqa: S311
            yield Shop(self, store, number, _habit(number, rng), number % 2 == 0, rng)

    @property
    def daily(self) -> int:
        """For how many days back there is a file a day."""
        return max(_QUICK_DAYS, min(self.days, _FILES_A_STORE // self.stores))

    @property
    def movers(self) -> int:
        """How many items of a store move from one file to the next."""
        files = min(self.daily, 90) + max(0, min(self.days, 90) - self.daily) // 7 + 1
        return max(1, min(round(0.15 * self.items), CHANGES_AT_MOST // (self.stores * files)))


def _habit(number: int, rng: Random) -> Habit:
    first = (Habit.DAILY, Habit.HOURLY, Habit.DAILY, Habit.STUCK, Habit.SILENT, Habit.NEW)
    if number < len(first):
        return first[number]
    others = (Habit.HOURLY, Habit.STUCK, Habit.SILENT, Habit.NEW)
    return rng.choices((Habit.DAILY, *others), (92, 2, 1, 2, 3))[0]


@dataclass
class Shop:
    """One store: what lies on its shelves as its files tell of it. ``timed``: they state when each item last moved."""

    chain: Chain
    store: str
    number: int
    habit: Habit
    timed: bool
    rng: Random
    shelf: dict[Key, tuple[Decimal, str]] = field(default_factory=dict)
    _pars: dict[Key, int] = field(default_factory=dict)
    _dropped: set[Key] = field(default_factory=set)  # no longer supplied: out once they are sold
    _earlier: list[Sent] = field(default_factory=list)

    @property
    def _file_name(self) -> str:
        return self.store.replace("/", "-")

    def sent(self) -> Iterator[Sent]:
        """All that it sends, the oldest first."""
        since = None
        for at, whole in self._moments():
            if since is None:
                self._open(at)
            else:
                self._trade(since, at, self.chain.movers if whole else self.rng.randint(2, 6))
            yield from self._tell(since, at, whole=whole)
            since = at
        yield from self._last(since)

    def _moments(self) -> list[tuple[datetime, bool]]:
        """When it sends, and whether all that it holds."""
        now, days = self.chain.now, self.chain.days
        first = min(days, 40) if self.habit is Habit.NEW else days
        dawn = now.replace(hour=4, minute=30, second=0, microsecond=0)
        dawn += timedelta(seconds=self.number * 37 % 7_200, microseconds=self.rng.randrange(1_000_000))
        found = [(dawn - timedelta(days=back), True) for back in range(first, -1, -1) if self._sends(back, first)]
        if self.habit is Habit.HOURLY:
            hours = [timedelta(hours=4 + hour) for hour in range(0, 12, 2)]
            lately = range(min(first, self.chain.daily, 30 if self.chain.stores < 50 else 7))
            found += [(dawn - timedelta(days=back) + hour, False) for back in lately for hour in hours]
        silent = timedelta(days=23) if self.habit is Habit.SILENT else timedelta(minutes=5)
        return sorted(one for one in found if one[0] < now - silent or one[0] == found[0][0])

    def _sends(self, back: int, first: int) -> bool:
        every = 1 if back <= self.chain.daily else 7 if back <= _SLOW_DAYS else 30
        return back == first or (back + self.number) % every == 0

    def _open(self, at: datetime) -> None:
        for name in names.items(self.chain.items):
            key, par = (self.store, name), self.rng.choice((6, 8, 12, 20, 24, 40, 60, 96, 150, 400, 1_200))
            self._pars[key] = par
            by_weight = name.endswith("(kg)")
            count = Decimal(self.rng.randint(0 if self.rng.random() < 0.03 else par // 3, par))
            self.shelf[key] = (count + Decimal("0.5") if by_weight else count, _stated(at - timedelta(hours=9)))
        self._dropped = {self.rng.choice(list(self.shelf)), *(key for key in self.shelf if self.rng.random() < 0.01)}

    def _trade(self, since: datetime, at: datetime, movers: int) -> None:
        """Some items are sold or supplied between two moments; a quarter of them are what most people want."""
        keys = list(self.shelf)
        wanted = keys[::4]
        chosen = {*self.rng.choices(wanted, k=movers // 2), *self.rng.choices(keys, k=movers - movers // 2)}
        gap = int((at - since).total_seconds())
        for key in sorted(chosen):
            count, _ = self.shelf[key]
            if (moved := self._moved(key, count)) != count:
                self.shelf[key] = (moved, _stated(since + timedelta(seconds=self.rng.randint(1, max(1, gap - 60)))))

    def _moved(self, key: Key, count: Decimal) -> Decimal:
        par = self._pars[key]
        if key not in self._dropped and count <= par / 4 and self.rng.random() < 0.9:
            return count + par
        return max(Decimal(0), count - self.rng.randint(1, max(1, par // 4)))

    def _tell(self, since: datetime | None, at: datetime, *, whole: bool) -> Iterator[Sent]:
        """The file of this moment; seldom something is the matter with it."""
        stuck = self.habit is Habit.STUCK and at > self.chain.now - timedelta(days=13) and self._earlier
        sent = self._again(self._earlier[-1], at) if stuck else self._file(since, at, whole=whole)
        yield sent
        if whole and not stuck:
            self._earlier = [*self._earlier[-25:], sent]
        chance = self.rng.random()
        if chance < 0.03:  # somebody was not sure that it had been sent
            yield self._again(sent, at + timedelta(minutes=4))
        elif chance < 0.04 and self.timed and len(self._earlier) > 20:
            yield self._again(self._earlier[0], at + timedelta(minutes=9))  # the wrong file
        elif chance < 0.045:
            yield Sent(at + timedelta(minutes=2), f"Inventur {self._file_name}.pdf", _PDF, None)

    def _file(self, since: datetime | None, at: datetime, *, whole: bool) -> Sent:
        keys = list(self.shelf)
        if not whole and since:
            keys = [key for key in keys if self.shelf[key][1] >= _stated(since)] or keys[:2]
        rows = [(name, count, stated) for (_, name), (count, stated) in ((key, self.shelf[key]) for key in keys)]
        what = f"{at:%Y-%m-%d}" if whole else f"{at:%Y-%m-%d %H%M}"
        chance = self.rng.random()
        spoilt = chance < 0.03
        if 0.03 < chance < 0.05:  # an item twice: the last one counts
            rows.insert(0, (rows[-1][0], rows[-1][1] + 1, rows[-1][2]))
        if 0.05 < chance < 0.07 and self.timed and whole:  # counted again, and found as it was
            for key in self.rng.sample(keys, max(1, len(keys) // 25)):
                self.shelf[key] = (self.shelf[key][0], _stated(at - timedelta(minutes=3)))
            rows = [(name, *self.shelf[(self.store, name)]) for name, _, _ in rows]
        mode = Mode.NEWEST if self.timed or chance < 0.98 else self.rng.choice((Mode.STAMP, Mode.PLAIN))
        name = f"{'stock' if whole else 'till'} {self._file_name} {what}.csv"
        return self._written(at, name, rows, mode, spoilt=spoilt)

    def _written(
        self, at: datetime, name: str, rows: list[tuple[str, Decimal, str]], mode: Mode, *, spoilt: bool = False
    ) -> Sent:  # fmt: skip
        lines = [(self.store, item, f"{count:f}", stated[:19] + "Z") for item, count, stated in rows]
        if spoilt:  # through the product's own reader
            for n in self.rng.sample(range(len(lines)), min(3, len(lines) - 1)):
                lines[n] = (*lines[n][:2], self.rng.choice(("", "about 20", "n/a")), lines[n][3])
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        wide = 4 if self.timed else 3
        writer.writerow(("store", "item", "count", "updated_at")[:wide])
        writer.writerows(line[:wide] for line in lines)
        reading = Reading(
            [Row(n, self.store, item, count, stated if self.timed else None) for n, (item, count, stated)
             in enumerate(rows, 2)], timed=self.timed
        )  # fmt: skip
        return Sent(at, name, out.getvalue().encode(), None if spoilt else reading, mode)

    def _again(self, sent: Sent, at: datetime) -> Sent:
        return Sent(at, sent.name, sent.data, sent.reading, sent.mode)

    def _last(self, since: datetime | None) -> Iterator[Sent]:
        """What is still to be done today: a time that lies ahead, a file that can't be used, one that is not clear."""
        lately = max(since or self.chain.now, self.chain.now - timedelta(hours=3))
        if self.number == 2:
            key = list(self.shelf)[9 % len(self.shelf)]
            ahead = _stated(self.chain.now + timedelta(hours=20))
            row = (key[1], Decimal(7), ahead)
            yield self._written(lately + timedelta(seconds=50), "clock ahead.csv", [row], Mode.NEWEST)
        if self.number == 0:
            yield self._again(self._earlier[0], lately + timedelta(seconds=30))  # the wrong file
            told = f"SKU,Location,On hand,Available\nOat milk,{self.store},14,11\nHoney,{self.store},3,3\n".encode()
            yield Sent(lately + timedelta(seconds=90), "two counts.csv", told, None)
        if self.number == 1:
            yield Sent(lately + timedelta(seconds=70), "leer.csv", b"", None)


def _stated(at: datetime) -> str:
    """A time as a file states it, to the second, in the tables' spelling."""
    return times.text(at.replace(microsecond=0))

"""How the stock stands: what is out, what is low, what is locked by a time ahead, and each store's sums.

Owns that this costs what has changed and not what there is: the items are gone through once, and again only when
somebody moves a reorder point. Follows a mirror; asks DynamoDB nothing.
"""

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from lambdas import times
from lambdas.alerts import THRESHOLD
from lambdas.inventory import Key
from lambdas.reorder import Points
from services.changes import Seen
from services.stock import Mirror, Stocked, View

_serials = itertools.count(1)  # of all standings together: a reader's own must not be taken for another's
AHEAD_SECONDS = 60
"""A time so little ahead is a clock that is a little fast, and over when somebody has read of it."""


@dataclass(frozen=True, slots=True)
class Sums:
    """A store's items: all, and of these the ones that are out and low. ``moved_by``: the latest upload that changed
    any of them; empty when none has."""

    store: str
    items: int
    out: int
    low: int
    moved_by: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The stock at one moment. ``serial`` tells it from any other; items and stores are in no order."""

    serial: int
    items: int
    out: tuple[Stocked, ...]
    low: tuple[Stocked, ...]
    stores: tuple[Sums, ...]
    ahead: tuple[Stocked, ...]

    def locked(self, now: str) -> list[Stocked]:
        """The items whose time lies ahead, the farthest first: what is older than that can't change them."""
        limit = times.later(now, seconds=AHEAD_SECONDS)
        found = [one for one in self.ahead if (one.updated_at or "") > limit]
        return sorted(found, key=lambda one: (one.updated_at or "", one.store, one.item), reverse=True)


@dataclass(slots=True)
class _Store:
    items: set[Key] = field(default_factory=set)
    out: int = 0
    low: int = 0
    moved_by: str = ""


class Standing:
    """Follows the mirror from here on."""

    def __init__(self, mirror: Mirror | View) -> None:
        self._mirror = mirror
        self._moved: set[Key] = set()
        self._points: Points | None = None
        self._lock = threading.Lock()
        self._figures = Figures(0, 0, (), (), (), ())
        self._begin()
        mirror.listen(self._hear)

    def figures(self, points: Points) -> Figures:
        """How the mirror's stock stands now, by these reorder points."""
        with self._lock:
            if points != self._points:
                self._begin()
                self._points = points
                self._moved = {*list(self._mirror.items)}  # at once: the mirror may move meanwhile
            moved, self._moved = self._moved, set()
            if moved or not self._figures.serial:
                now = times.now()
                for key in moved:
                    self._place(key, self._mirror.items.get(key), points, now)
                self._figures = self._told()
            return self._figures

    @property
    def latest(self) -> Figures:
        """What was told last."""
        return self._figures

    def _hear(self, fresh: Sequence[Seen]) -> None:
        with self._lock:
            self._moved |= {(one.store, one.item) for one in fresh}

    def _begin(self) -> None:
        self._stores: dict[str, _Store] = {}
        self._out: dict[Key, Stocked] = {}
        self._low: dict[Key, Stocked] = {}
        self._ahead: dict[Key, Stocked] = {}

    def _place(self, key: Key, one: Stocked | None, points: Points, now: str) -> None:
        sums = self._stores.setdefault(key[0], _Store())
        sums.items.discard(key)
        sums.out -= self._out.pop(key, None) is not None
        sums.low -= self._low.pop(key, None) is not None
        self._ahead.pop(key, None)
        if one is None or one.count is None:  # it is there no more, or an upload that brought it was undone
            return
        sums.items.add(key)
        sums.moved_by = max(sums.moved_by, one.upload_id or "")
        if one.count <= THRESHOLD:
            sums.out += 1
            self._out[key] = one
        elif one.count <= points.of(*key):
            sums.low += 1
            self._low[key] = one
        if (one.updated_at or "") > now:  # what is over when it is told of is left out then
            self._ahead[key] = one

    def _told(self) -> Figures:
        stores = tuple(
            Sums(name, len(of.items), of.out, of.low, of.moved_by) for name, of in self._stores.items() if of.items
        )
        out, low, ahead = (tuple(kept.values()) for kept in (self._out, self._low, self._ahead))
        return Figures(next(_serials), sum(one.items for one in stores), out, low, stores, ahead)

"""The last four weeks, as the changes tell them: read once for each dashboard, and followed from then on.

Owns the reading: newest hour first, beside the pages and no more than half of the time, so that today is known within
a moment and a long past neither holds a page up nor takes the engine for itself. What the changes come to is
`services.cover` and `services.pulse`.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from lambdas import times
from lambdas.inventory import Key
from lambdas.stream import SHARDS
from services import changes
from services.aside import beside
from services.changes import Counted, Seen
from services.cover import DAYS, Cover, Falls
from services.follower import LONG_OVERLAP_SECONDS, back
from services.pulse import Beat, Pulse
from services.stack import Stack
from services.stock import Mirror
from services.trail import Trail

_PAUSE_SECONDS = 1.0
"""The longest rest between two parts; else as long as the part took."""


@dataclass(frozen=True, slots=True)
class Soon:
    """What will be out soon, the soonest first. ``judged``: of how many items the history allows to tell.

    ``reached``: how far back has been read so far (fixed-width UTC text); None when all has.
    """

    covers: tuple[Cover, ...]
    judged: int
    reached: str | None
    of_stores: Mapping[str, int] = field(default_factory=dict)  # so many of each store's items are judged

    def of(self, stores: frozenset[str]) -> "Soon":
        """Of these stores alone."""
        covers = tuple(one for one in self.covers if one.store in stores)
        own = {store: many for store, many in self.of_stores.items() if store in stores}
        return Soon(covers, sum(own.values()), self.reached, own)


class Lately:
    """Follows the mirror; ``begin`` reads what was before."""

    def __init__(
        self, stack: Stack, mirror: Mirror, rest: Callable[[float], None] = time.sleep, trail: Trail | None = None
    ) -> None:  # fmt: skip
        self._stack, self._mirror, self._rest, self._trail = stack, mirror, rest, trail
        self._falls, self._pulse = Falls(), Pulse()
        self._lock = threading.Lock()
        self._read: set[tuple[str, int]] = set()
        self._reached: str | None = times.now()
        self._thread: threading.Thread | None = None
        # What is read and what is heard overlap: of that time each change's id is kept, so that it counts once.
        self._once: set[str] = set()
        position = mirror.listen(self._hear)
        self._overlap = back(position, LONG_OVERLAP_SECONDS)

    def begin(self) -> None:
        """Read what was before, beside what calls; go on with it when it broke off. Harmless when it is through."""
        with self._lock:
            if self._reached is None or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = beside(self._read_all, "lately")

    @property
    def reached(self) -> str | None:
        """How far back has been read so far; None when all has."""
        return self._reached

    def soon(self) -> Soon:
        """What will be out soon; nothing before all has been read: half of a past is another pace. Takes its time, of
        many items: some 0.1 s."""
        with self._lock:
            if self._reached is not None:
                return Soon((), 0, self._reached)
            judged = self._falls.judged(times.now())
        return Soon(tuple(judged.soon(self._left)), judged.many, None, judged.of_stores)

    def between(self, moments: Sequence[datetime]) -> list[Beat]:
        """What changed from each of these moments to the next."""
        with self._lock:
            return [self._pulse.between(*pair) for pair in pairwise(moments)]

    def _left(self, key: Key) -> Decimal | None:
        found = self._mirror.items.get(key)
        return found.count if found else None

    def _hear(self, fresh: Sequence[Seen]) -> None:
        self._take(Counted.of(one) for one in fresh)

    def _read_all(self) -> None:
        self._rest(_PAUSE_SECONDS)  # the page that asked first is drawn first
        start = times.later(times.now(), days=-DAYS)
        for hour in changes.hours(self._stack, start[:13]):
            for part in [(hour, shard) for shard in range(SHARDS) if (hour, shard) not in self._read]:
                began = time.monotonic()
                found = changes.counted(self._stack, *part)
                self._take(found)
                if self._trail is not None:
                    self._trail.add(found)
                self._read.add(part)
                self._rest(min(time.monotonic() - began, _PAUSE_SECONDS))
            self._reach(times.parse(f"{hour}:00Z"))
        self._reach(start)
        self._reached = None

    def _reach(self, at: str) -> None:
        self._reached = at
        if self._trail is not None:
            self._trail.reach(at)

    def _take(self, found: Iterable[Counted]) -> None:
        for one in found:
            with self._lock:
                if self._is_new(one):
                    self._falls.add(one.at, (one.store, one.item), one.old_count, one.new_count)
                    self._pulse.add(one.at, one.old_count, one.new_count)

    def _is_new(self, one: Counted) -> bool:
        if one.event_id in self._once:
            return False
        if one.position >= self._overlap and self._reached is not None:
            self._once.add(one.event_id)
        return True

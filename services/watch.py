"""What all who look at the changes live share: it is asked for beside them, as often for one as for three hundred.

Owns the thread that does it, and ends it when nobody has looked for a while. What it asks: the changes since the last
time (`services.stock.Mirror`), and the latest uploads, for those that changed nothing.
"""

import threading
import time
from collections.abc import Callable, Sequence

from lambdas import times
from services.changes import Seen
from services.errors import StocktrailError
from services.stock import Mirror
from services.uploads import Receipt

EVERY_SECONDS = 0.5
_UPLOADS_SECONDS = 2.0
_ALONE_SECONDS = 5.0
"""It ends when nobody has looked for so long."""
_PACES = ((20, 1.0), (60, 2.0))
_SLOWEST = 4.0
"""Who comes while fewer than so many look is to look every so many seconds: a refresh costs Streamlit some 6 ms of one
processor, and a hundred a second leave it room. Counted are those who look, and not their looks, which become fewer
just when it is too much."""
_HERE_SECONDS = 10.0


class Watch:
    """``look`` keeps it going. What it found last is at hand without waiting, but for the first time."""

    def __init__(
        self, mirror: Mirror, uploads: Callable[[], Sequence[Receipt]], clock: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self._mirror, self._ask, self._clock = mirror, uploads, clock
        self._lock, self._asleep = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._looked, self._followed, self._uploads_asked = -_ALONE_SECONDS, -_ALONE_SECONDS, -_UPLOADS_SECONDS
        self._here: dict[str, float] = {}  # when each reader looked last
        self._error: StocktrailError | None = None
        self._silent: Sequence[Receipt] | None = None
        self.lag: float | None = None
        mirror.listen(self._hear)

    def look(self, who: str) -> None:
        """A reader looks. Raises what kept it from asking, until that is over."""
        self._looked = self._here[who] = self._clock()
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._follow, name="watch", daemon=True)
                    self._thread.start()
        if self._error:
            raise self._error

    @property
    def silent(self) -> Sequence[Receipt]:
        """Of the latest uploads those that made no stream record and make none any more, newest first."""
        if self._silent is None:
            self._hear_of_uploads()
        return self._silent or ()

    @property
    def pace(self) -> float:
        """The seconds after which who comes now is to look again: the more look, the more."""
        return next((seconds for many, seconds in _PACES if len(self._here) < many), _SLOWEST)

    def _follow(self) -> None:
        while (began := self._clock()) - self._looked < _ALONE_SECONDS:
            try:
                self._mirror.refresh()
                self._followed = self._clock()
                if began - self._uploads_asked >= _UPLOADS_SECONDS:
                    self._hear_of_uploads()
                self._error = None
            except StocktrailError as error:
                self._error = error
            self._asleep.wait(max(0.05, EVERY_SECONDS - (self._clock() - began)))
            for who, at in list(self._here.items()):
                if at < began - _HERE_SECONDS:
                    self._here.pop(who, None)

    def _hear_of_uploads(self) -> None:
        self._uploads_asked = self._clock()
        found = self._ask()
        self._silent = tuple(one for one in found if is_silent(one))

    def _hear(self, fresh: Sequence[Seen]) -> None:
        """How long the latest of them was on its way, if it was looked for all the time."""
        if self._clock() - self._followed < 4 * EVERY_SECONDS:
            latest = max(one.at for one in fresh)
            self.lag = max(0.0, (times.moment(times.now()) - times.moment(latest)).total_seconds())


def is_silent(one: Receipt) -> bool:
    """An upload of which no stream record tells: it could not be loaded, or changed nothing."""
    return one.state == "failed" or (one.state == "loaded" and not one.records_expected)

"""What somebody with named stores sees of the latest uploads, kept in memory.

Owns that it costs the database one look when it begins: from then on it is taken from what is read for all readers
together, as long as that is looked through often enough to miss nothing. Knows nothing of pages.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from services import sight, uploads
from services.outcome import Receipt
from services.stack import Stack

_AT_ONCE = 5
_GAP_SECONDS = 20.0
"""After a longer pause others may have sent more uploads than are looked through."""


class Mine:
    """The uploads that ``stack.person`` sees. One for each such person."""

    def __init__(self, stack: Stack, clock: Callable[[], float] = time.monotonic) -> None:
        self._stack, self._clock = stack, clock
        self._lock = threading.Lock()
        self._found: dict[str, Receipt] = {}
        self._looked: float | None = None
        self._limit = 0

    def latest(self, shared: Sequence[Receipt], limit: int) -> list[Receipt]:
        """The newest first. ``shared``: the latest uploads of everybody, as they are now."""
        with self._lock:
            now = self._clock()
            if self._looked is None or now - self._looked > _GAP_SECONDS or limit > self._limit:
                self._found = _by_id(uploads.recent(self._stack, limit))
                self._limit = limit
            self._looked = now
            self._found |= _by_id(sight.seen(self._stack, shared))
            moving = [one for one in self._found.values() if not one.settled and one not in shared]
            self._found |= _by_id(uploads.receipt(self._stack, one.upload_id or "") for one in moving[:_AT_ONCE])
            newest = sorted(self._found, reverse=True)[: self._limit]
            self._found = {upload_id: self._found[upload_id] for upload_id in newest}
            return [self._found[upload_id] for upload_id in newest[:limit]]


def _by_id(found: Iterable[Receipt]) -> dict[str, Receipt]:
    return {one.upload_id: one for one in found if one.upload_id}

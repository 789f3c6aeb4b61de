"""Work that no page waits for: it is done beside, now and again, as long as somebody asks for what it found.

Owns the threads of the dashboard. Knows nothing of what is found.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from services.errors import StocktrailError

T = TypeVar("T")
_AGAIN_SECONDS = 30
"""After what could not be reached."""


def beside(work: Callable[[], None], name: str) -> threading.Thread:
    """Begin a piece of work in a thread that ends with the process. What can't be reached ends it quietly."""

    def quietly() -> None:
        try:
            work()
        except StocktrailError:
            return  # whoever needs it begins it again

    thread = threading.Thread(target=quietly, name=name, daemon=True)
    thread.start()
    return thread


class Aside(Generic[T]):
    """What a piece of work found last. ``every``: so many seconds later, and asked for, it is done again."""

    def __init__(self, work: Callable[[], T], every: Callable[[], float], name: str) -> None:
        self._work, self._every, self._name = work, every, name
        self._found: T | None = None
        self._due = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def latest(self) -> T | None:
        """What is known, at once; None before the first time is through."""
        with self._lock:
            at_work = self._thread is not None and self._thread.is_alive()
            if not at_work and time.monotonic() >= self._due:
                self._due = time.monotonic() + _AGAIN_SECONDS
                self._thread = beside(self._do, self._name)
        return self._found

    def _do(self) -> None:
        found = self._work()
        with self._lock:
            self._found, self._due = found, time.monotonic() + self._every()

"""What is asked again and again, and may be long: the longer an answer takes, the more seldom it is asked for."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
_SHARE = 10
"""Asking takes a tenth of the time at most."""


@dataclass
class Paced(Generic[T]):
    """An answer that is shared, and asked for anew after ``every`` seconds, or after ten times as long as it took.

    ``version`` moves when the answer does; an equal answer leaves the one that there is.
    """

    ask: Callable[[], T]
    every: float = 1.0
    clock: Callable[[], float] = time.monotonic
    version: int = 0
    _answer: list[T] = field(default_factory=list)  # one, once there is one
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self) -> T:
        """The answer. An error leaves what there was."""
        with self._lock:
            if not self._answer or self.clock() >= self._next:
                began = self.clock()
                found = self.ask()
                self._next = self.clock() + max(self.every, _SHARE * (self.clock() - began))
                if self._answer != [found]:
                    self._answer, self.version = [found], self.version + 1
            return self._answer[0]

    def forget(self) -> None:
        """Ask anew the next time: it was changed from here."""
        with self._lock:
            self._next = 0.0

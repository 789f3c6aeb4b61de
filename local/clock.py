"""A clock that never goes back, for the parts of MiniStack that hang or run backwards when the computer's does.

What hangs for the length of a jump with time.time(): a message that is visible again "at" a moment, an event source
that waits after a failure, a scheduled rule, the reading of a function's log. What runs backwards: the numbers of
stream records. Touches MiniStack's internals like `snapshot`. Must not know states or files.
"""

import os
import threading
import time
from typing import Any

from local.modules import module

MODULES = ("services.dynamodb", "services.sqs", "services.lambda_svc", "services.eventbridge", "core.lambda_runtime")


class Clock:
    """Stands in for the module `time`. Follows the computer's clock forward; goes on by itself when that goes back."""

    def __init__(self) -> None:
        self._unlocked()
        os.register_at_fork(after_in_child=self._unlocked)  # the thread that held it is not there
        self._now = time.time()
        self._at = time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        with self._lock:
            at = time.monotonic()
            self._now, self._at = max(time.time(), self._now + at - self._at), at
            return self._now

    def not_before(self, moment: float) -> None:
        """Start from `moment`, what another process's clock said last, if that is later."""
        with self._lock:
            self._now = max(self._now, moment)

    def _unlocked(self) -> None:
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


CLOCK = Clock()


def install() -> None:
    """Let MiniStack read the time from CLOCK. Fails loudly when a module does not read it from `time` any more."""
    for name in MODULES:
        found = module(name)
        if found.time is not time:
            raise AttributeError(f"ministack.{name}.time is {found.time!r} and not the module time")
        found.time = CLOCK

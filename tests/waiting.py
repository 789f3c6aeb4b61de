"""Waiting for what comes by itself: ask again until it is there, with a deadline."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_BETWEEN = 0.02
"""Seconds. Without a breath between two questions they would take the processor that the answer has to be made on."""


def until(ask: Callable[[], T], seconds: float = 15) -> T:
    """The first answer that is not empty. AssertionError when the deadline passes."""
    deadline, never = time.monotonic() + seconds, threading.Event()
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        never.wait(_BETWEEN)
    return answer

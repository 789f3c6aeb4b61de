"""Waiting for what comes by itself: ask again until it is there, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(ask: Callable[[], T], seconds: float = 15) -> T:
    """The first answer that is not empty. AssertionError when the deadline passes."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
    return answer

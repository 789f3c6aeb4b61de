"""An object of the bucket as a file that is read a stretch at a time: however large it is, no more lies in memory.

Knows nothing of what is in it.
"""

import io
from collections.abc import Callable

STRETCH = 8 * 2**20
"""Bytes of a request. Large enough that asking takes hardly any of the time, and small enough for ten at once."""
Fetch = Callable[[int, int], bytes]
"""Takes the places of the first and of the last byte."""


class Stretches(io.RawIOBase):
    """A stream over ``size`` bytes, in which places can be sought, as a .zip wants it."""

    def __init__(self, fetch: Fetch, size: int):
        self._fetch, self._size = fetch, size
        self._at, self._begins, self._held = 0, 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size:
            return 0
        if not self._begins <= self._at < self._begins + len(self._held):
            self._held = b""  # let go before the next one is there
            self._held = self._fetch(self._at, min(self._at + STRETCH, self._size) - 1)
            self._begins = self._at
        start = self._at - self._begins
        part = self._held[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

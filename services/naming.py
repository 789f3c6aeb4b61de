"""Things by small numbers, so that columns of numbers can stand for them; and which names fit what is asked for.

Owns that a number once given never changes. Many threads may read while one gives numbers.
"""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from services.wanted import Wanted

T = TypeVar("T")
_ASKED = 64  # different questions about names whose answers are kept


class Numbers(Generic[T]):
    """Each thing that was ever named, under the number that it got then."""

    def __init__(self) -> None:
        self._things: list[T] = []
        self._numbers: dict[T, int] = {}

    def of(self, thing: T) -> int:
        """Its number, given now if it has none. For one thread at a time."""
        number = self._numbers.get(thing)
        if number is None:
            number = self._numbers[thing] = len(self._things)
            self._things.append(thing)
        return number

    def get(self, thing: T) -> int:
        """Its number; -1 when it has none."""
        return self._numbers.get(thing, -1)

    def __getitem__(self, number: int) -> T:
        return self._things[number]

    def __len__(self) -> int:
        return len(self._things)


class Matching:
    """Of each item, by its number, whether its name fits. Worked out once, and gone on with when items come."""

    def __init__(self, items: Numbers[tuple[str, str]]) -> None:
        self._items = items
        self._kept: OrderedDict[tuple[str | None, str, frozenset[str] | None], npt.NDArray[np.bool_]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, wanted: Wanted) -> npt.NDArray[np.bool_]:
        asked = wanted.store, wanted.text.casefold(), wanted.stores
        with self._lock:
            known = self._kept.pop(asked, np.empty(0, np.bool_))
            if len(known) < (many := len(self._items)):
                fits = wanted.named(self._items[number] for number in range(len(known), many))
                known = np.concatenate([known, np.array(fits, np.bool_)])
            self._kept[asked] = known
            if len(self._kept) > _ASKED:
                self._kept.popitem(last=False)
        return known

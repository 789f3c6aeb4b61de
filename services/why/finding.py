"""Finding a row in what is kept of an upload's rows.

Owns how few parts are read for one row: the parts lie by store and item, but for the rejected and the superseded rows.
These are all in the first one; of a file that was loaded by many, the rejected rows are in the first ones, and the
superseded ones where their item is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lambdas import lines
from lambdas.fates import Fate
from lambdas.lines import Line
from services.stack import Stack
from services.why.chain import Asked

Key = tuple[str, str]  # store, item


@dataclass(frozen=True, slots=True)
class Found:
    """The ``line`` of the row that is asked for, and how many ``others`` of the file are of the same item. ``gone``:
    what became of the rows is no longer kept."""

    line: Line | None = None
    others: tuple[int, ...] = ()
    gone: bool = False


def find(stack: Stack, upload_id: str, parts: Mapping[str, str], asked: Asked) -> Found:
    """Look for it; nothing is found while its part is not through."""
    numbers = sorted(map(int, parts))
    if not numbers:
        return Found()

    def read(number: int) -> list[Line]:
        return lines.read(stack.world, upload_id, {str(number): parts[str(number)]})

    try:
        if asked.row is not None:
            return next((found for number in numbers if (found := _of_row(read(number), asked)).line), Found())
        key = (asked.store or "", asked.item or "")
        own = [line for line in read(numbers[0]) if _key(line) == key]
        line = _counting(own)
        if line is None:
            own += _halving(numbers[1:], read, key)
            line = _counting(own)
        others = tuple(one["row"] for one in own if one["fate"] == Fate.DUPLICATE)
    except stack.s3.exceptions.NoSuchKey:
        return Found(gone=True)
    return Found(line, others)


def _of_row(part: list[Line], asked: Asked) -> Found:
    """Without a column one that is not usable comes first: of these nothing but their row is known."""
    own = [one for one in part if one["row"] == asked.row and asked.column in (None, one.get("column", ""))]
    own.sort(key=lambda one: one["fate"] != Fate.REJECTED)
    return Found(own[0] if own else None)


def _counting(own: list[Line]) -> Line | None:
    return next((one for one in own if one["fate"] != Fate.DUPLICATE), None)


def _halving(numbers: list[int], read: Callable[[int], list[Line]], key: Key) -> list[Line]:
    """The lines of an item in parts of which each is a stretch of what is sorted by store and item."""
    low, high = 0, len(numbers)
    while low < high:
        middle = (low + high) // 2
        part = read(numbers[middle])
        if own := [line for line in part if _key(line) == key]:
            return own
        low, high = (low, middle) if part and key < min(map(_key, part)) else (middle + 1, high)
    return []


def _key(line: Line) -> Key:
    return line.get("store", ""), line.get("item", "")

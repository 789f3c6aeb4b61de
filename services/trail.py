"""The trail: the kept changes in memory, one for each dashboard process, shared by all who look.

Owns the index: some 80 bytes a change, in the order of their positions, each change once however often it comes, and
what it answers within milliseconds of a million of them. It asks DynamoDB nothing: what it holds is read by
`services.lately` and heard from the mirror. Images are not in it.

Readers take no lock: what they look at is a moment's rows (`_Rows`), below whose ``many`` nothing ever changes.
"""

import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from lambdas import times
from services.changes import Counted, Seen
from services.naming import Matching, Numbers
from services.wanted import EVENTS, Wanted, is_touched, ran_out

AT_MOST = 2_000_000
"""More than so many changes are not kept in memory: then the oldest quarter goes. They are in the table still."""
_UNKNOWN = "~"  # sorts behind every position
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_SEQUENCE_BYTES = 17  # of the 40 digits that a sequence number may have
_TOUCHED, _OUT = 4, 8  # beside the event's number
_ROW = np.dtype([("item", "<i4"), ("upload", "<i4"), ("old", "<i4"), ("new", "<i4"), ("flags", "u1")])
Bytes = npt.NDArray[np.bytes_]
Places = npt.NDArray[np.int64]
_FIRST_STEP = 4096
_PLACE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z(#\d{1,40}#.+)?")


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the trail: what arrives later is new. ``floor``: down to there all was known; ``top``: the position
    of the latest."""

    life: int
    many: int
    floor: str
    top: str


@dataclass(frozen=True, slots=True)
class News:
    """How many fitting changes have arrived between a mark and ``mark``, and the latest of them by its position."""

    mark: Mark
    count: int = 0
    latest: Counted | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Fitting changes, newest first. ``more``: further ones are known in the direction that was asked for; ``floor``:
    what is older than that position is not known, empty when nothing is."""

    lines: Sequence[Counted]
    more: bool
    floor: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class _Rows:
    """What there is at a moment. ``keys`` and ``table`` by arrival, and perhaps longer than ``many``; ``order``: their
    rows by position. ``life`` is another one when rows have been forgotten."""

    life: int
    many: int
    keys: Bytes
    table: npt.NDArray[np.void]
    order: Places
    floor: str

    def place(self, bound: str, side: Any = "left") -> int:
        """Where a position, or a bare time, would stand in the order."""
        keys = self.keys[: self.many]
        return int(np.searchsorted(keys, np.array([_bound(bound)]), side=side, sorter=self.order)[0])


class Trail:
    """Empty, and knowing nothing, until it is told: see ``add`` and ``reach``."""

    def __init__(self, at_most: int = AT_MOST) -> None:
        self._at_most = at_most
        self._lock = threading.Lock()
        self._items, self._uploads = Numbers[tuple[str, str]](), Numbers[str | None]()
        self._counts = Numbers[Decimal | None]()
        self._matching = Matching(self._items)
        self._lost = ""  # nothing below it is kept any more
        none = np.empty(0, np.int64)
        self._rows = _Rows(0, 0, np.empty(1024, "S57"), np.empty(1024, _ROW), none, _UNKNOWN)

    @property
    def knows(self) -> bool:
        """Whether it has been told of anything: before that it can't answer."""
        return self._rows.floor != _UNKNOWN

    def __len__(self) -> int:
        return self._rows.many

    @property
    def floor(self) -> str:
        """Down to this position, or time, all changes are known; empty: all that there are."""
        return self._rows.floor

    def mark(self) -> Mark:
        return self._mark(self._rows)

    def hear(self, fresh: Sequence[Seen]) -> None:
        """For `Mirror.listen`."""
        self.add(map(Counted.of, fresh))

    def reach(self, floor: str) -> None:
        """All changes down to this position, or time, have been added; empty: all that there are."""
        with self._lock:
            lower = max(min(self._rows.floor, floor), self._lost)
            self._rows = replace(self._rows, floor=lower)

    def add(self, found: Iterable[Counted]) -> None:
        """Changes, in any order; what is there already is left out."""
        batch = {_key(one.position): one for one in found if one.position >= self._lost}
        if not batch:
            return
        with self._lock:
            rows, keys = self._rows, np.array(sorted(batch))
            places = np.searchsorted(rows.keys[: rows.many], keys, sorter=rows.order)
            fresh = np.ones(len(keys), np.bool_)
            inside = places < rows.many
            fresh[inside] = rows.keys[rows.order[places[inside]]] != keys[inside]
            if fresh.any():
                values = [self._row(batch[key]) for key in keys[fresh].tolist()]
                self._rows = _with(rows, keys[fresh], values, places[fresh])
                if self._rows.many > self._at_most:
                    self._forget()

    def page(self, wanted: Wanted, size: int, below: str | None = None, above: str | None = None) -> Page:
        """The newest that fit, at most ``size``; with ``below``, a position or a time, only older ones; with ``above``
        the first ones behind it."""
        rows = self._rows
        low, high = rows.place(rows.floor), rows.many
        if above:
            low = max(low, rows.place(above, "right"))
        if below:
            high = rows.place(below)
        found = self._search(rows, wanted, low, high, size + 1, upward=bool(above))
        picked = found[:size]
        lines = [self._line(rows, row) for row in (picked[::-1] if above else picked).tolist()]
        return Page(lines, len(found) > size, rows.floor, self._mark(rows))

    def line(self, position: str) -> Counted | None:
        """The change at a position; None when there is none."""
        rows = self._rows
        place = rows.place(position)
        found = self._line(rows, int(rows.order[place])) if place < rows.many else None
        return found if found and found.position == position else None

    def news(self, wanted: Wanted, before: News) -> News:
        """What has arrived since, added to what had. Costs what has arrived, and no more."""
        rows, mark = self._rows, before.mark
        if (rows.life, rows.many) == (mark.life, mark.many):
            return before
        if rows.life == mark.life:
            arrived = np.arange(mark.many, rows.many)
            arrived = arrived[rows.keys[arrived] >= _bound(mark.floor)] if mark.floor else arrived
        else:  # rows have other numbers now
            arrived = rows.order[rows.place(mark.top, "right") :]
        fits = arrived[self._fit(rows, wanted, arrived)]
        now = replace(self._mark(rows), floor=mark.floor)
        if not len(fits):
            return replace(before, mark=now)
        found = self._line(rows, int(fits[np.argsort(rows.keys[fits])[-1]]))
        latest = found if before.latest is None or found.position > before.latest.position else before.latest
        return News(now, before.count + len(fits), latest)

    def _search(self, rows: _Rows, wanted: Wanted, low: int, high: int, size: int, *, upward: bool) -> Places:
        """Of the places from ``low`` to ``high`` the first rows that fit, going down, or ``upward``."""
        found, missing, step = [np.empty(0, np.int64)], size, _FIRST_STEP
        while low < high and missing > 0:
            if upward:
                part, low = rows.order[low : min(low + step, high)], low + step
            else:
                part, high = rows.order[max(high - step, low) : high][::-1], high - step
            found.append(part[self._fit(rows, wanted, part)][:missing])
            missing -= len(found[-1])
            step *= 4
        return np.concatenate(found)

    def _fit(self, rows: _Rows, wanted: Wanted, which: Places) -> npt.NDArray[np.bool_]:
        table = rows.table[which]
        fits = np.ones(len(which), np.bool_)
        if wanted.store or wanted.text or wanted.stores is not None:
            fits &= self._matching.of(wanted)[table["item"]]
        if wanted.upload_id:
            fits &= table["upload"] == self._uploads.get(wanted.upload_id)
        if wanted.event:
            fits &= table["flags"] & 3 == EVENTS.index(wanted.event)
        if wanted.real:
            fits &= table["flags"] & _TOUCHED == 0
        if wanted.zero:
            fits &= table["flags"] & _OUT != 0
        return fits

    def _row(self, one: Counted) -> tuple[int, ...]:
        item, upload = self._items.of((one.store, one.item)), self._uploads.of(one.upload_id)
        flags = EVENTS.index(one.event) | _TOUCHED * is_touched(one) | _OUT * ran_out(one)
        return item, upload, self._counts.of(one.old_count), self._counts.of(one.new_count), flags

    def _line(self, rows: _Rows, row: int) -> Counted:
        item, upload, old, new, flags = rows.table[row].tolist()
        position = _position(rows.keys[row])
        return Counted(
            position.split("#", 2)[2], position, *self._items[item], self._counts[old], self._counts[new],
            self._uploads[upload], EVENTS[flags & 3],
        )  # fmt: skip

    def _mark(self, rows: _Rows) -> Mark:
        top = _position(rows.keys[rows.order[rows.many - 1]]) if rows.many else "0"
        return Mark(rows.life, rows.many, rows.floor, top)

    def _forget(self) -> None:
        """Let the oldest quarter go."""
        rows = self._rows
        left = rows.order[rows.many // 4 :]
        by_arrival = np.sort(left)
        order = np.searchsorted(by_arrival, left)
        self._lost = _position(rows.keys[left[0]])
        floor = max(rows.floor, self._lost)
        self._rows = _Rows(rows.life + 1, len(left), rows.keys[by_arrival], rows.table[by_arrival], order, floor)


def _with(rows: _Rows, keys: Bytes, values: Sequence[tuple[int, ...]], places: Places) -> _Rows:
    """The rows and new ones, which are sorted. Those that come in live stand at the end, and cost only themselves."""
    many = rows.many + len(keys)
    widest = max(rows.keys.dtype, keys.dtype, key=lambda one: one.itemsize)
    held, table = _room(rows.keys.astype(widest, copy=False), many), _room(rows.table, many)
    held[rows.many : many], table[rows.many : many] = keys, values
    order = np.insert(rows.order, places, np.arange(rows.many, many))
    return replace(rows, many=many, keys=held, table=table, order=order)


def _room(array: npt.NDArray[Any], needed: int) -> npt.NDArray[Any]:
    """The array, or a copy of twice the length when it is too short. Readers of the shorter one have all they need."""
    if needed <= len(array):
        return array
    made = np.empty(max(needed, 2 * len(array)), array.dtype)
    made[: len(array)] = array
    return made


def is_place(text: str) -> bool:
    """Whether a text, as it may stand in an address, is a position or a bare time."""
    try:
        return bool(_PLACE.fullmatch(text)) and bool(_bound(text))
    except (ValueError, OverflowError):  # a 31 February, or before 1970
        return False


def _key(position: str) -> bytes:
    """A position in bytes that sort as it does: 8 of the time, 17 of the sequence number, and the event's id."""
    at, sequence, event_id = position.split("#", 2)
    return _time(at) + int(sequence).to_bytes(_SEQUENCE_BYTES, "big") + event_id.encode()


def _time(at: str) -> bytes:
    return ((times.moment(at) - _EPOCH) // _TICK).to_bytes(8, "big")


def _bound(text: str) -> bytes:
    """Of a position or a bare time; of what sorts before, or behind, every one."""
    if text in ("", "0"):
        return b""
    if text == _UNKNOWN:
        return b"\xff"
    return _key(text) if "#" in text else _time(text)


def _position(key: bytes) -> str:
    at = times.text(_EPOCH + int.from_bytes(key[:8], "big") * _TICK)
    sequence = int.from_bytes(key[8 : 8 + _SEQUENCE_BYTES], "big")
    return f"{at}#{sequence:0>40}#{key[8 + _SEQUENCE_BYTES :].decode()}"

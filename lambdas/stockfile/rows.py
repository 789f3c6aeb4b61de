"""Rows: what a line of a file means, and why it can't be used.

Owns every reason for which a row is rejected. Pure.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import dropwhile
from operator import itemgetter
from typing import Any

from lambdas import times
from lambdas.stockfile import counts, moments
from lambdas.stockfile.counts import Cell, Unusable, text_of
from lambdas.stockfile.formulas import unmarked
from lambdas.stockfile.headings import TOTALS
from lambdas.stockfile.layout import Layout
from lambdas.stockfile.parts import Reject, Row, Understanding, Unreadable
from lambdas.stockfile.table import Record, holds
from lambdas.stockfile.text import Broken
from lambdas.stream import item_key

AHEAD_HOURS = 24
"""A time further ahead of the upload than this is rejected: in `newest` mode it would lock the item."""

_KEY_BYTES = {"store": 2048, "item": 1024}  # DynamoDB's limits for a partition key and a sort key
_SHOWN = 60
_QUICK_LENGTH, _QUICK_STORE, _REMEMBERED = 256, 100, 50_000
_SURE = 2048 // 12  # letters that no key is too long with: one takes twelve bytes at most, as `%F0%9F%8D%B5`
_NO_VARIANT = "Default Title"  # what Shopify writes for a product without variants


class _Wrong(Exception):
    """A cell can't be used: column, value, reason."""


Key = tuple[str, str]  # store, item


class Rows:
    """Makes rows and rejects of records."""

    def __init__(self, understood: Understanding, layout: Layout, store: str, uploaded_at: str, kind: str):
        said = understood.mapping
        self._layout, self._names, self._store = layout, understood.columns, store
        self._first = understood.header[1] + 1 if understood.header else 0
        self._latest = times.later(uploaded_at, hours=AHEAD_HOURS)
        self._mark, self._order = said.decimal or ".", said.dates or "dmy"
        self._words = {word.strip().casefold(): number for word, number in said.words}
        self._is_csv, self._exact = kind == "CSV", bool(said.exact)
        self._delimiter = understood.delimiter or ","
        self._known_time: tuple[Cell, str] = ("", "")
        self._lost: dict[Key, int] | None = None  # for sums: the items of which a row can't be used, and which row

    def whole_sums(self, records: Callable[[], Iterator[Record]]) -> Iterator[Row | Reject]:
        """The rows of the items of which every row can be used; the others are rejects.

        Raises Unreadable for a row whose cells can't be told apart: it may be a part of any sum.
        """
        for number, cells in self._data(records()):
            if isinstance(cells, Broken):
                raise Unreadable(
                    f"Row {number:,} can't be read: {cells}. It may belong to any of the sums. Mend it first."
                )
        lost = self._lost = {}
        for _ in self.of(records()):
            pass
        for one in self.of(records()):
            if isinstance(one, Row) and (bad := lost.get((one.store, one.item))):
                column = one.column or self._names[self._layout.counts[0]]
                reason = f"row {bad:,} of the same item can't be used, so their sum is not known"
                yield Reject(one.number, column, f"{one.count:f}", reason)
            else:
                yield one

    def _data(self, records: Iterator[Record]) -> Iterator[Record]:
        return dropwhile(lambda record: record[0] < self._first, records)

    def of(self, records: Iterator[Record]) -> Iterator[Row | Reject]:
        """The rows and rejects of all records below the headings."""
        records = self._data(records)
        quick = self._is_csv and not self._layout.stores and len(self._layout.item[0]) == 1
        return self._quickly(records) if quick else self._each(records)

    def _each(self, records: Iterable[Record]) -> Iterator[Row | Reject]:
        for number, cells in records:
            if isinstance(cells, Broken):
                yield Reject(number, "", "", str(cells))
            elif self._layout.stores:
                yield from self._wide(number, cells)
            elif one := self._long(number, cells):
                yield one

    def _quickly(self, records: Iterator[Record]) -> Iterator[Row | Reject]:
        """The same, with what is the same in most rows of a big file done in line, and remembered.

        A row goes this way only when there is nothing to tidy in it; every other one goes the whole way.
        """
        layout, row_of = self._layout, tuple.__new__
        width, item_at, count_at = layout.width, layout.item[0][0], layout.counts[0]
        store_at, time_at = layout.store, layout.updated_at
        named, timed = store_at is not None, time_at is not None
        where = (item_at, count_at, item_at if store_at is None else store_at, item_at if time_at is None else time_at)
        parts = itemgetter(*where)
        numbers: dict[Cell, Decimal] = {}
        stores: dict[Cell, str] = {}
        of_all = self._store if len(self._store) <= _QUICK_STORE else ""
        moments_known: dict[Cell, str | None] = {}
        for number, cells in records:
            if type(cells) is list and len(cells) == width:
                item, number_text, store_text, time_text = parts(cells)
                count = numbers.get(number_text)
                if count is None and (count := self._usable_count(cells, count_at)) is not None:
                    _remember(numbers, number_text, count)
                store = stores.get(store_text) if named else of_all
                at = moments_known.get(time_text) if timed else None
                if (
                    count is not None
                    and store
                    and (at or not timed)
                    and 0 < len(item) < _QUICK_LENGTH
                    and item.isascii()
                    and "'" not in item
                    and item.strip() == item
                    and item.lower() not in TOTALS
                ):
                    yield row_of(Row, (number, store, item, count, at, "", ""))
                    continue
            for one in self._each(((number, cells),)):
                yield one
                if type(one) is Row and len(cells) == width:  # its cells have been found good
                    _, _, store_text, time_text = parts(cells)
                    if named and len(one.store) <= _QUICK_STORE:
                        _remember(stores, store_text, one.store)
                    if timed:
                        _remember(moments_known, time_text, one.updated_at)

    def _long(self, number: int, cells: list[Cell]) -> Row | Reject | None:
        """The row of a file that has one store a row; None for a blank one."""
        layout = self._layout
        key = None
        try:
            item = self._item(cells)
            if not item and not holds(cells):
                return None
            key = self._both(self._stored(cells), self._checked_item(item))
            self._check_width(cells)
            return Row(number, *key, self._filled(cells, layout.count), self._time(cells))
        except _Wrong as wrong:
            if key and self._lost is not None:
                self._lost[key] = number
            return Reject(number, *wrong.args)

    def _wide(self, number: int, cells: list[Cell]) -> Iterator[Row | Reject]:
        """The rows of a line with a column for each store. A blank cell is none: the store does not keep the item."""
        for index, store, heading in self._layout.stores:
            if not holds(cells[index : index + 1]):
                continue
            key = None
            try:
                key = self._both(_key("store", heading, store), self._checked_item(self._item(cells)))
                self._check_width(cells)
                yield Row(number, *key, self._filled(cells, index), self._time(cells), heading)
            except _Wrong as wrong:
                if key and self._lost is not None:
                    self._lost[key] = number
                column, value, reason = wrong.args
                yield Reject(number, heading, value, reason if column in ("", heading) else f"{column}: {reason}")

    def _filled(self, cells: list[Cell], index: int | None) -> Decimal:
        count = self._count(cells, index)
        if count is None:
            raise _Wrong(self._name(index, "count"), "", "the count is blank; blank is not zero")
        return count

    def _check_width(self, cells: list[Cell]) -> None:
        width = self._layout.width
        if self._is_csv and len(cells) > width and holds(cells[width:]):
            # An unquoted 1,000 makes two cells; reading on would load a 1.
            said = ",".join(map(text_of, cells))[:200]
            raise _Wrong("", said, f"the row has {len(cells)} cells and the header {width}")

    def _name(self, index: int | None, otherwise: str) -> str:
        return otherwise if index is None else self._names[index]

    def _text(self, cells: list[Cell], index: int) -> str:
        """A cell as a key: without spaces around it, one letter always written in one way."""
        if index >= len(cells):
            return ""
        cell = cells[index]
        if self._exact:
            return unmarked(text_of(cell), self._delimiter)
        text: str = (cell if type(cell) is str else text_of(cell)).strip()
        if self._is_csv and "'" in text:
            text = unmarked(text, self._delimiter).strip()
        if text.isascii() or len(text) > _KEY_BYTES["store"]:  # too long for any key; and a long one takes minutes
            return text
        return unicodedata.normalize("NFC", text)

    def _item(self, cells: list[Cell]) -> str:
        """The first alternative that is not blank; blank when all are."""
        for alternative in self._layout.item:
            if len(alternative) == 1:
                text = self._text(cells, alternative[0])
            else:
                parts = (self._text(cells, index) for index in alternative)
                text = " / ".join(part for part in parts if part and part != _NO_VARIANT)
            if text:
                return text
        return ""

    def _checked_item(self, item: str) -> str:
        heading = self._name(self._layout.item[0][0], "item")
        if item.casefold() in TOTALS and not self._exact:
            raise _Wrong(heading, item, "the row is a total, not an item")
        return _key("item", heading, item)

    def _both(self, store: str, item: str) -> Key:
        """Both, if changes and alerts can be kept under them too: these are, as `Berlin/Oat%20milk`."""
        most = _KEY_BYTES["store"]
        if len(store) + len(item) > _SURE and len(item_key(store, item)) > most:
            heading = self._name(self._layout.item[0][0], "item")
            raise _Wrong(heading, f"{item[:_SHOWN]}…", f"over {most:,} bytes with its store, as an address writes them")
        return store, item

    def _stored(self, cells: list[Cell]) -> str:
        index = self._layout.store
        return _key(
            "store", self._name(index, "store"), (self._text(cells, index) if index is not None else "") or self._store
        )

    def _count(self, cells: list[Cell], index: int | None) -> Decimal | None:
        """None for a blank cell."""
        cell = cells[index] if index is not None and index < len(cells) else ""
        if type(cell) is str:
            if cell.isdigit() and cell.isascii() and len(cell) <= counts.PRECISION:
                return Decimal(cell)
            cell = cell.strip()
            if not cell:
                return None
            cell = self._words.get(cell.casefold(), cell) if self._words else cell
        elif cell is None:
            return None
        try:
            return counts.number(cell, self._mark)
        except Unusable as unusable:
            raise _Wrong(self._name(index, "count"), text_of(cell)[:_SHOWN], str(unusable)) from unusable

    def _usable_count(self, cells: list[Cell], index: int) -> Decimal | None:
        try:
            return self._count(cells, index)
        except _Wrong:
            return None

    def _time(self, cells: list[Cell]) -> str | None:
        index = self._layout.updated_at
        if index is None:
            return None
        cell = cells[index] if index < len(cells) else ""
        if cell == self._known_time[0] and cell:  # a file often states one time in all its rows
            return self._known_time[1]
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            raise _Wrong(self._names[index], "", "the time is blank, and the file has a column for it")
        try:
            stated = moments.moment(cell, self._order)
        except Unusable as unusable:
            raise _Wrong(self._names[index], text_of(cell)[:_SHOWN], str(unusable)) from unusable
        if stated > self._latest:
            reason = f"more than {AHEAD_HOURS} hours ahead; it would lock the item"
            raise _Wrong(self._names[index], text_of(cell)[:_SHOWN], reason)
        self._known_time = cell, stated
        return stated


def _remember(known: dict[Cell, Any], cell: Cell, means: Any) -> None:
    if len(known) < _REMEMBERED:
        known[cell] = means


def _key(part: str, heading: str, value: str) -> str:
    if not value:
        raise _Wrong(heading, "", f"the {part} is blank")
    if len(value) * 4 > _KEY_BYTES[part] and len(value.encode()) > _KEY_BYTES[part]:
        raise _Wrong(heading, value[:_SHOWN] + "…", f"longer than {_KEY_BYTES[part]:,} bytes")
    return value

"""A file of reorder points: read by the stock files' own reader, and what saving it would do.

Owns which columns are meant, and every reason for which a row can't be used. Writes nothing.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lambdas.inventory import Key
from lambdas.reorder import ALL, Points, Scope
from lambdas.stockfile import AUTOMATIC, Unreadable, counts
from lambdas.stockfile.counts import Cell, Mark, Unusable, text_of
from lambdas.stockfile.formulas import unmarked
from lambdas.stockfile.header import Header, data, heading
from lambdas.stockfile.headings import plain, roles
from lambdas.stockfile.layout import listed, names_of
from lambdas.stockfile.table import Table, first, holds, table
from lambdas.stockfile.text import Broken
from services.errors import mapped

HEADINGS = (
    "reorder point", "reorder level", "reorder at", "reorder", "point", "minimum", "min", "minimum stock", "min stock",
    "minimum quantity", "min quantity", "minimum qty", "min qty", "minimum level", "par", "par level", "low stock",
    "low stock level", "low stock threshold", "meldebestand", "mindestbestand", "stock minimo", "stock mínimo",
    "seuil de commande", "stock minimum", "minimal quantity",
)  # fmt: skip
"""What programs write over the column of the points; the first of these that a file has counts."""
EVERY = "*"
_RANKS = {plain(word): rank for rank, word in enumerate(HEADINGS)}
_LONGEST = {"store": 2048, "item": 1024}  # bytes, of the keys of the table
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A point that would be another one: what is set for just this now, and what would be. None: nothing."""

    scope: Scope
    was: Decimal | None
    now: Decimal | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What saving a file would do. ``errors``: as a receipt has them, with row, column, value and reason; ``same``: how
    many points are so already; ``unknown``: the items and stores that hold nothing yet; ``why``: how it was read."""

    lines: tuple[Line, ...]
    same: int
    errors: tuple[dict[str, Any], ...]
    unknown: tuple[Scope, ...]
    why: tuple[str, ...]

    @property
    def given(self) -> dict[Scope, Decimal | None]:
        return {line.scope: line.now for line in self.lines}


class _Wrong(Exception):
    """A cell can't be used: column, value, reason."""


@dataclass
class _Columns:
    """Where the columns stand, None where there is none; how numbers are written; and what parts the cells of a CSV."""

    point: int
    store: int | None
    item: int | None
    names: tuple[str, ...]
    mark: Mark = "."
    delimiter: str | None = None


@mapped
def plan(contents: bytes, now: Points, stocked: Iterable[Key]) -> Plan:
    """What a file would set, where ``now`` is set and ``stocked`` are the items that there are.

    A row without a store, or with *, is for all stores; one without an item for the whole store; a blank point removes
    one. An item for all stores is set for each store that has it. Raises BadFile.
    """
    of = table(contents, AUTOMATIC)
    if of.question:
        raise Unreadable(f"{of.question.text} Send a workbook with one sheet, or CSV.")
    header, columns = _found(of)
    columns.mark, columns.delimiter = _mark(of, header, columns), of.delimiter
    rows = _Rows(columns, frozenset(stocked))
    for number, cells in data(of, header):
        if isinstance(cells, Broken) or holds(cells):
            rows.take(number, cells)
    if not rows.given and not rows.errors:
        raise Unreadable("The file has no rows under its headings.")
    lines = tuple(Line(scope, now.own(scope), point) for scope, point in rows.given.items() if now.own(scope) != point)
    return Plan(
        lines, len(rows.given) - len(lines), tuple(rows.errors),
        tuple(one.scope for one in lines if one.now is not None and not rows.holds(one.scope)), tuple(_why(columns)),
    )  # fmt: skip


def _found(of: Table) -> tuple[Header, _Columns]:
    """The first row that has a heading for the points."""
    rows = (
        [(None, of.headings)]
        if of.headings
        else [(n, tuple(heading(of, one) for one in cells)) for n, cells in first(of)]
    )
    for number, found in rows:
        texts = tuple(" ".join(text.split()) for text in found)
        points = [i for i, text in enumerate(texts) if plain(text) in _RANKS]
        if points:
            names, known = names_of(texts), roles(texts)
            best = min(points, key=lambda i: _RANKS[plain(texts[i])])
            items = [i for i in (*known.own, *known.codes, *known.names) if i != best]
            header = Header(None if number is None else (number, number), texts)
            return header, _Columns(best, next(iter(known.stores), None), next(iter(items), None), names)
    seen = f" It begins with: {listed(filter(None, rows[0][1]))}." if rows else ""
    raise Unreadable(f"No heading says “reorder point”.{seen} Call the columns store, item and reorder point.")


def _mark(of: Table, header: Header, columns: _Columns) -> Mark:
    at = columns.point
    cells = (cells[at] for _, cells in data(of, header) if not isinstance(cells, Broken) and at < len(cells))
    mark = counts.mark_of(counts.survey(cells), of.delimiter)
    if mark is None:
        raise Unreadable(
            f"In “{columns.names[at]}” a point or a comma may stand before the decimals or between the thousands. "
            "Write 1234 and not 1.234."
        )
    return mark


class _Rows:
    """The points that the rows of a file say, and what is wrong with the others."""

    def __init__(self, columns: _Columns, stocked: frozenset[Key]):
        self.given: dict[Scope, Decimal | None] = {}
        self.errors: list[dict[str, Any]] = []
        self._columns, self._stocked = columns, stocked
        self._stores = {store for store, _ in stocked}
        self._holders: dict[str, list[str]] = {}
        self._said: dict[Scope, int] = {}  # in which row
        for store, item in stocked:
            self._holders.setdefault(item, []).append(store)

    def holds(self, scope: Scope) -> bool:
        """Whether there is any item that a point would be for."""
        if scope.store is None or scope.item is None:
            return scope.store is None or scope.store in self._stores
        return (scope.store, scope.item) in self._stocked

    def take(self, number: int, cells: list[Cell] | Broken) -> None:
        try:
            self._take(number, cells)
        except _Wrong as wrong:
            self.errors.append({"row": number} | dict(zip(("column", "value", "reason"), wrong.args, strict=True)))

    def _take(self, number: int, cells: list[Cell] | Broken) -> None:
        if isinstance(cells, Broken):
            raise _Wrong("", "", str(cells))
        store, item = self._name(cells, "store"), self._name(cells, "item")
        point = self._point(cells)
        if store is None and item is None and point is None:
            raise _Wrong("", "", "it names no store, no item and no point")
        scopes = self._scopes(store, item)
        if before := [self._said[scope] for scope in scopes if scope in self._said]:
            raise _Wrong("", "", f"row {before[0]:,} has said it of the same")
        self._said |= dict.fromkeys(scopes, number)
        self.given |= {scope: point or None if scope == ALL else point for scope in scopes}

    def _scopes(self, store: str | None, item: str | None) -> list[Scope]:
        if item is None or store is not None:
            return [Scope(store, item)]
        holders = sorted(self._holders.get(item, ()))
        if not holders:
            raise _Wrong(self._heading("item"), item[:_SHOWN], "no store has this item; name the store")
        return [Scope(one, item) for one in holders]

    def _name(self, cells: list[Cell], part: str) -> str | None:
        """A cell as a key, as `lambdas.stockfile` has it; None where it is blank, or stands for all."""
        index = self._columns.store if part == "store" else self._columns.item
        text = text_of(cells[index]).strip() if index is not None and index < len(cells) else ""
        if len(text.encode()) > _LONGEST[part]:
            raise _Wrong(self._heading(part), f"{text[:_SHOWN]}…", f"longer than {_LONGEST[part]:,} bytes")
        text = unmarked(text, self._columns.delimiter).strip() if self._columns.delimiter else text
        return unicodedata.normalize("NFC", text) if text not in ("", EVERY) else None

    def _point(self, cells: list[Cell]) -> Decimal | None:
        at = self._columns.point
        cell = cells[at] if at < len(cells) else None
        if not holds([cell]):
            return None
        heading, shown = self._columns.names[at], text_of(cell)[:_SHOWN]
        try:
            point = counts.number(cell, self._columns.mark)
        except Unusable as unusable:
            raise _Wrong(heading, shown, str(unusable)) from unusable
        if point < 0:
            raise _Wrong(heading, shown, "a reorder point is not below 0; 0 says that it is never low, only out")
        return point

    def _heading(self, part: str) -> str:
        index = self._columns.store if part == "store" else self._columns.item
        return part if index is None else self._columns.names[index]


def _why(columns: _Columns) -> Iterator[str]:
    yield f"“{columns.names[columns.point]}” is the reorder point."
    for part, index in (("store", columns.store), ("item", columns.item)):
        whole = "all stores" if part == "store" else "a whole store"
        yield f"“{columns.names[index]}” is the {part}." if index is not None else f"Each row is for {whole}."

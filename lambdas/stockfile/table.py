"""A file as a table, whatever its format: rows of cells that can be read again and again.

Owns which reader a file goes to, and which sheet of a workbook is meant. Pure.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from python_calamine import CalamineSheet

from lambdas.stockfile import container, sheet, text, tree
from lambdas.stockfile.container import MAX_COLUMNS, Content, Source
from lambdas.stockfile.counts import Cell, text_of
from lambdas.stockfile.encoding import encoding
from lambdas.stockfile.headings import roles
from lambdas.stockfile.mapping import Mapping
from lambdas.stockfile.parts import Question, Unreadable
from lambdas.stockfile.text import Broken

Record = tuple[int, list[Cell] | Broken]
FIRST = 50
"""In so many rows the headings are looked for."""


@dataclass(frozen=True, slots=True)
class Table:
    """``records``: row number and cells, from the start each time. ``headings``: those of JSON; elsewhere a row's."""

    kind: str
    records: Callable[[], Iterator[Record]]
    headings: tuple[str, ...] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheets: tuple[str, ...] = ()
    sheet: str | None = None
    question: Question | None = None


def table(data: bytes | Source, mapping: Mapping) -> Table:
    """The table in a file's bytes. Raises Unreadable when there is none."""
    content = container.content(data)
    return _text(content, mapping) if content.kind == "text" else _workbook(content, mapping)


def first(of: Table) -> list[tuple[int, list[Cell]]]:
    """The first rows that hold anything. Raises Unreadable when they have too many columns."""
    filled = ((n, cells) for n, cells in islice(of.records(), 1000) if not isinstance(cells, Broken) and holds(cells))
    found = list(islice(filled, FIRST))
    for number, cells in found:
        if len(cells) > MAX_COLUMNS:
            raise Unreadable(f"Row {number:,} has {len(cells):,} cells, and {MAX_COLUMNS:,} at most are read.")
    return found


def holds(cells: Iterable[Cell]) -> bool:
    """Whether any of the cells is not blank."""
    return any(cell is not None and (not isinstance(cell, str) or cell.strip()) for cell in cells)


def _text(content: Content, mapping: Mapping) -> Table:
    name = encoding(content.open, mapping.encoding)
    sample = text.sample(content.open, name)
    if not "".join(sample).strip():
        raise Unreadable("The file is empty. Export it again and send the new one.")
    if kind := tree.kind(sample):
        return _json(kind, content, name)
    mark = mapping.delimiter or text.delimiter(sample)
    return Table("CSV", lambda: text.records(content.open, name, mark), encoding=name, delimiter=mark)


def _json(kind: str, content: Content, name: str) -> Table:
    records = tree.records(kind, content.open, name)
    names = tree.columns(records())

    def rows() -> Iterator[Record]:
        for number, found in records():
            yield number, found if isinstance(found, Broken) else [found.get(key) for key in names]

    return Table(kind, rows, tuple(names), name)


def _workbook(content: Content, mapping: Mapping) -> Table:
    sheets = sheet.sheets(content.kind, container.whole(content.open))
    named = tuple(sheets)
    known = mapping.sheet in sheets
    stock = [name for name in named if _score(sheets[name]) >= 4]
    chosen = mapping.sheet if known and mapping.sheet else (stock or named)[0]
    asked = None
    if mapping.sheet is not None and not known:
        asked = Question("sheet", f"The workbook has no sheet “{mapping.sheet[:40]}”. It has {_listed(named)}.")
    elif mapping.sheet is None and len(stock) != 1 and len(named) > 1:
        asked = Question("sheet", f"Which sheet is it? The workbook has {_listed(stock or named)}.")
    records = sheets[chosen]
    return Table(content.kind.upper(), lambda: sheet.records(records), sheets=named, sheet=chosen, question=asked)


def _score(of: CalamineSheet) -> int:
    return max((roles(map(text_of, cells)).score for _, cells in islice(sheet.records(of), FIRST)), default=0)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"“{name[:40]}”" for name in islice(names, 8))

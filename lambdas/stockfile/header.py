"""The headings of a table: in which row, or rows, they stand, under whatever stands above them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import dropwhile

from lambdas.stockfile import counts
from lambdas.stockfile.counts import Cell, text_of
from lambdas.stockfile.formulas import unmarked
from lambdas.stockfile.headings import plain, roles
from lambdas.stockfile.layout import listed, names_of
from lambdas.stockfile.mapping import Mapping
from lambdas.stockfile.parts import Question
from lambdas.stockfile.table import Record, Table, first


@dataclass(frozen=True, slots=True)
class Header:
    """The headings: their rows (None: there are none), their texts, and what is to be asked about them."""

    rows: tuple[int, int] | None
    texts: tuple[str, ...]
    question: Question | None = None


def data(of: Table, header: Header) -> Iterator[Record]:
    """The records below the headings, blank rows included."""
    last = header.rows[1] if header.rows else 0
    return dropwhile(lambda record: record[0] <= last, of.records())


def find_header(of: Table, said: Mapping) -> Header:
    """The row, or two rows, of headings."""
    if of.headings is not None:
        return Header(None, of.headings)
    rows = [(number, [heading(of, cell) for cell in cells]) for number, cells in first(of)]
    width = max((len(cells) for _, cells in rows), default=0)
    if said.header is False or not rows:
        return Header(None, ("",) * width)
    wanted = {plain(name) for name in _named(said) if not name.startswith("#")}
    found = list(_headers(rows))
    if wanted:
        for header in found:
            if wanted <= {plain(name) for name in names_of(header.texts)}:
                return replace(header, question=None)
    # The first that names an item and a count: rows under it are rows, even when better headings follow.
    whole = next((header for header in found if roles(header.texts).score >= 4), None)
    best = whole or max(found, key=lambda header: roles(header.texts).score, default=None)
    if best and (
        roles(best.texts).score >= 4 or (roles(best.texts).score and not any(map(counts.looks_numeric, best.texts)))
    ):
        return replace(best, question=None) if _answered(said) else best
    return _guessed(rows, width)


def heading(of: Table, cell: Cell) -> str:
    """A cell as a heading, in one line."""
    text = text_of(cell)
    return " ".join((unmarked(text, of.delimiter or ",") if of.kind == "CSV" else text).split())


def _named(said: Mapping) -> Iterator[str]:
    yield from (name for alternative in said.item for name in alternative)
    yield from (name for name in (said.count, said.store, said.updated_at, *said.stores) if name)


def _answered(said: Mapping) -> bool:
    return bool(said.item and (said.count or said.stores))


def _headers(rows: list[tuple[int, list[str]]]) -> Iterator[Header]:
    """Each row that may be the headings, alone or with the next."""
    for (number, cells), (below, more) in zip(rows, [*rows[1:], (0, [])], strict=True):
        if sum(map(bool, cells)) < 2:
            continue
        if below == number + 1 and _goes_on(cells, more):
            both = _joined(cells, more)
            read = f"They read: {listed(filter(None, both))}."
            text = f"The headings stand in two rows ({number} and {below}). Which column is what? {read}"
            yield Header((number, below), both, Question("header", text))
        else:
            yield Header((number, number), _trimmed(cells))


def _goes_on(top: list[str], below: list[str]) -> bool:
    """Whether a second row of headings follows: words under a blank or a merged cell, none of them under the item's."""
    if any(map(counts.looks_numeric, below)) or not any(below):
        return False
    known = roles(top)
    keys = known.own or known.codes or known.names
    if any(index < len(below) and below[index] for index in keys):
        return False
    beside = [i for i, text in enumerate(below) if text and (i >= len(top) or not top[i])]
    filled = [text for text in below if text]
    return bool(beside) and (len(set(filled)) < len(filled) or bool(roles(below).score))


def _joined(top: list[str], below: list[str]) -> tuple[str, ...]:
    """`Opening stock / Count`: what stands above a merged cell is meant for all the columns under it."""
    joined, over = [], ""
    for index in range(max(len(top), len(below))):
        above = top[index] if index < len(top) else ""
        under = below[index] if index < len(below) else ""
        over = above or (over if under else "")
        joined.append(" / ".join(filter(None, (over, under))))
    return _trimmed(joined)


def _trimmed(cells: list[str]) -> tuple[str, ...]:
    """Without the blank cells at the end: a delimiter too many, or formatted columns."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    return tuple(cells)


def _guessed(rows: list[tuple[int, list[str]]], width: int) -> Header:
    """No heading is known: a first row without numbers, over rows with some, may be headings all the same."""
    for at, (number, cells) in enumerate(rows):
        if sum(map(bool, cells)) < 2:
            continue
        if not any(map(counts.looks_numeric, cells)) and any(
            counts.looks_numeric(c) for _, r in rows[at + 1 :] for c in r
        ):
            return Header((number, number), _trimmed(cells))
        break
    shown = listed(filter(None, rows[0][1]))
    text = f"No row of headings was found. The file begins with: {shown}. Which column is what?"
    return Header(None, ("",) * width, Question("header", text))

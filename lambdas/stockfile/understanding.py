"""Understanding a table: its headings, its columns, its conventions, what has to be asked, and why all of it. Pure."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from lambdas.stockfile import counts, moments
from lambdas.stockfile.choice import Choice
from lambdas.stockfile.conventions import Late, conventions
from lambdas.stockfile.counts import Cell, text_of
from lambdas.stockfile.header import Header, data, find_header
from lambdas.stockfile.headings import plain
from lambdas.stockfile.layout import Layout, layout, names_of
from lambdas.stockfile.mapping import AUTOMATIC, Mapping
from lambdas.stockfile.parts import Unclear, Understanding, Unreadable
from lambdas.stockfile.table import Table, holds
from lambdas.stockfile.text import Broken

SAMPLE = 1000
"""From so many rows it is seen what a column holds."""


def shape(of: Table) -> str:
    """The shape of a table before anything is said about it: see Understanding."""
    header = find_header(of, AUTOMATIC)
    return _shape(of, header, _sample(of, header))


def _sample(of: Table, header: Header) -> list[tuple[int, list[Cell]]]:
    """The first rows that hold anything."""
    records = islice(data(of, header), SAMPLE)
    return [(number, cells) for number, cells in records if not isinstance(cells, Broken) and holds(cells)]


def understand(of: Table, said: Mapping) -> tuple[Understanding, Layout | None]:
    """How a table is understood; and where its columns are, unless there is a question."""
    header = find_header(of, said)
    names = names_of(header.texts)
    rows = _sample(of, header)
    if header.rows and not rows and not any(isinstance(cells, Broken) for _, cells in data(of, header)):
        raise Unreadable("The file has a header and no rows under it. Nothing was loaded.")
    looked_at = [cells for _, cells in rows]
    while True:
        why: list[str] = []
        choice = Choice(header.texts, names, looked_at, why)
        mapping, asked = choice.complete(replace(said, sheet=said.sheet or of.sheet))
        question, places = of.question or header.question or asked, None
        try:
            if not question:
                places = layout(mapping, names, header.texts)
                mapping = conventions(of, header, places, mapping, choice.blank(), why)
        except Late as late:
            looked_at.append(late.cells)
            continue
        except Unclear as unclear:
            question = unclear.question
        break
    understood = Understanding(
        of.kind, of.encoding, of.delimiter, of.sheets, header.rows, names,
        tuple((number, tuple(map(text_of, cells))) for number, cells in rows[:10]),
        mapping, (*_about_file(of, header), *why), question, _shape(of, header, rows),
    )  # fmt: skip
    return understood, None if question else places


def _about_file(of: Table, header: Header) -> Iterator[str]:
    if of.encoding and of.encoding not in ("utf-8", "utf-8-sig"):
        yield f"The text is read as {of.encoding}."
    if len(of.sheets) > 1:
        yield f"The sheet “{of.sheet}” is read, one of {len(of.sheets)}."
    if header.rows and header.rows[0] > 1:
        last = header.rows[0] - 1
        above = "Row 1 stands" if last == 1 else f"Rows 1 to {last:,} stand"
        yield f"{above} above the headings, and nothing of it is read."


def _shape(of: Table, header: Header, rows: list[tuple[int, list[Cell]]]) -> str:
    """What next week's file has in common with this one: its headings, else what each column holds.

    Without headings a column that holds one text in all rows, a store's name say, counts with that text: a mapping
    that was said for one file must not be taken for just any other of as many columns.
    """
    if header.rows or of.headings:
        words = [plain(text) for text in header.texts]
        basis = ["headings", *(sorted(words) if of.headings else words)]
    else:
        columns = zip(*(cells for _, cells in rows), strict=False)
        basis = ["no headings", of.kind, str(of.delimiter), *(_held(list(column)) for column in columns)]
    return hashlib.sha256(json.dumps(basis).encode()).hexdigest()[:16]


def _held(column: list[Cell]) -> str:
    """What a column without a heading holds: numbers, times, one text or several."""
    texts = {text_of(cell).strip() for cell in column} - {""}
    if texts and all(map(moments.is_time, texts)):
        return "times"
    if all(map(counts.looks_numeric, texts)):
        return "digits" if all(text.isdigit() for text in texts) else "numbers"
    return f"text {next(iter(texts))}" if len(texts) == 1 and len(column) > 1 else "texts"

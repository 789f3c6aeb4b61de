"""Text files: their lines, what parts their cells, and their rows.

Owns what a row of a delimited file is. Pure.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import IO

from lambdas.stockfile import headings
from lambdas.stockfile.parts import Unreadable

MAX_LINE = 2**20
MAX_CELL = 2**17
DELIMITERS = ",;\t|"
_SAMPLE = 2**16
_HINT = re.compile(r'"?sep=(.)"?\r?\n')

csv.field_size_limit(MAX_CELL)  # one for the whole process; the standard one has the same size


class Broken(str):
    """Stands for a row whose cells can't be told apart; says why."""

    __slots__ = ()


def lines(opener: Callable[[], IO[bytes]], name: str) -> Iterator[str]:
    """The lines with their ends. Raises Unreadable where the bytes are not of that encoding, or a line has no end."""
    with opener() as stream, io.TextIOWrapper(stream, name, newline="") as text:
        try:
            for line in iter(partial(text.readline, MAX_LINE), ""):
                if len(line) == MAX_LINE:
                    raise Unreadable(f"The file has a line of over {MAX_LINE:,} characters: it is no list of rows.")
                yield line
        except UnicodeError as error:
            said = f"{error.object[error.start]:#04x}" if isinstance(error, UnicodeDecodeError) else "the end"
            raise Unreadable(
                f"The file is not all {name} text ({said} does not fit). Say its encoding, or save it as CSV UTF-8."
            ) from error


def sample(opener: Callable[[], IO[bytes]], name: str) -> list[str]:
    """The first lines, 200 at most."""
    found, size = [], 0
    for line in lines(opener, name):
        found.append(line)
        size += len(line)
        if len(found) == 200 or size > _SAMPLE:
            break
    return found


def delimiter(first: list[str]) -> str:
    """What parts the cells: what finds most of a stock file's headings; else what clevercsv says."""
    if first and (hint := _HINT.fullmatch(first[0])):
        return hint[1]
    scores = {mark: _score(first, mark) for mark in DELIMITERS}
    best = max(scores, key=lambda mark: scores[mark])
    return best if scores[best][0] >= 2 else _sniffed(first) or best


def _score(first: list[str], mark: str) -> tuple[int, int]:
    """How good a header the best of the first rows is with this mark, and how many cells it has."""
    try:
        rows = list(csv.reader(first[:50], delimiter=mark, skipinitialspace=True))
    except csv.Error:
        return 0, 0
    return max(((headings.roles(row).score, len(row)) for row in rows), default=(0, 0))


def _sniffed(first: list[str]) -> str | None:
    import clevercsv  # here, because it takes 0.15 s, and only a file of unknown headings needs it

    try:
        found = clevercsv.Sniffer().sniff("".join(first[:50])[:8192])
    except clevercsv.Error:
        return None
    return found.delimiter if found and found.delimiter and found.delimiter not in "\r\n\"'" else None


def records(opener: Callable[[], IO[bytes]], name: str, mark: str) -> Iterator[tuple[int, list[str] | Broken]]:
    """Row number and cells of each row, blank ones included. Raises Unreadable where the rest can't be told apart."""
    if len(mark) != 1 or mark in '\r\n"':
        raise Unreadable(f"“{mark[:10]}” can't part the cells of a row. Say one character, such as ; or a tab.")
    reader = csv.reader(lines(opener, name), delimiter=mark, skipinitialspace=mark != " ", strict=True)
    numbers = count(1)
    while True:
        try:
            yield from zip(numbers, reader, strict=False)  # nothing of ours runs between two rows
        except csv.Error as error:
            number = next(numbers) - 1
            if "unexpected end" in str(error):
                begun = _ends(opener, name, mark, number - 1) + 1
                raise Unreadable(
                    f"Row {number:,} opens a quote (line {begun:,}) that never closes, so where it ends can't be told."
                ) from error
            if "field larger" in str(error):
                upto = f"up to line {reader.line_num:,}"
                raise Unreadable(f"Row {number:,} has a cell of over {MAX_CELL:,} characters ({upto}).") from error
            yield number, Broken(f"its quotes do not end where its cells do (up to line {reader.line_num:,})")
            numbers = count(number + 1)
        else:
            return


def _ends(opener: Callable[[], IO[bytes]], name: str, mark: str, number: int) -> int:
    """In which line a row ends."""
    reader = csv.reader(lines(opener, name), delimiter=mark, skipinitialspace=mark != " ", strict=True)
    while number:
        with suppress(csv.Error):
            next(reader)
        number -= 1
    return reader.line_num

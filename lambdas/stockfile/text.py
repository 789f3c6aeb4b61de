"""Text files: in which encoding, parted by what, and their rows.

Owns what a row of a delimited file is. Pure.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO

import chardet

from lambdas.stockfile import headings
from lambdas.stockfile.container import MAX_COLUMNS
from lambdas.stockfile.parts import Unreadable

MAX_LINE = 2**20
MAX_CELL = 2**17
DELIMITERS = ",;\t|"
ENCODINGS = (
    "utf-8", "utf-16", "cp1252", "mac-roman", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
    "cp437", "cp850", "cp852", "cp866", "koi8-r", "iso8859-2", "iso8859-15", "mac-latin2", "mac-cyrillic", "cp932",
    "gb18030", "big5", "cp949", "utf-16-le", "utf-16-be",
)  # fmt: skip
"""What may be said of a file; Python's names."""
_LEGACY = (
    "cp1252", "mac-roman", "cp1251", "cp1250", "cp1253", "cp1254", "cp932", "gb18030", "big5", "euc-kr", "cp850"
)  # fmt: skip
"""What is looked for in a file without a mark that is no UTF-8: few, since a short file fits many."""
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 2**16
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1b\ud800-\uf8ff]")
_HINT = re.compile(r'"?sep=(.)"?\r?\n')

csv.field_size_limit(MAX_CELL)  # one for the whole process; the standard one has the same size


class Broken(str):
    """Stands for a row whose cells can't be told apart; says why."""

    __slots__ = ()


def encoding(opener: Callable[[], IO[bytes]], said: str | None) -> str:
    """The encoding's Python name: what was ``said``, or what the bytes tell."""
    with opener() as stream:
        head = stream.read(_SAMPLE)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if said is not None:
        return _checked(said, marked)
    if marked:
        return marked
    if b"\0" in head:
        return _wide(head)
    return "utf-8" if (odd := _not_utf8(opener)) is None else _legacy(odd)


def _checked(said: str, marked: str | None) -> str:
    try:
        name = codecs.lookup(said).name
    except LookupError:
        name = ""
    if name not in {codecs.lookup(one).name for one in ENCODINGS} | {"utf-8-sig", "utf-32"}:
        raise Unreadable(f"The encoding “{said[:40]}” is not one of these: {', '.join(ENCODINGS)}.")
    return marked if marked and marked.startswith(name) else name  # a mark that is there is no part of the text


def _wide(head: bytes) -> str:
    """UTF-16 without its mark has a zero in every other byte where the text is Latin; else it is no text."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    name = "utf-16-be" if even > odd else "utf-16-le"
    if min(even, odd) * 50 < len(head) and not _CONTROL.search(head.decode(name, "ignore")):
        return name
    raise Unreadable("This is not a text file, and no workbook either. Export the list as CSV or XLSX.")


def _not_utf8(opener: Callable[[], IO[bytes]]) -> bytes | None:
    """Bytes around the first that is no UTF-8; None when all of it is."""
    decoder, last = codecs.getincrementaldecoder("utf-8")(), b""
    with opener() as stream:
        while True:
            part = stream.read(2**20)
            try:
                decoder.decode(part, final=not part)
            except UnicodeDecodeError as error:
                at = max(0, error.start - _SAMPLE // 2)
                return last[-100:] + part[at : at + _SAMPLE] + stream.read(0 if part else 1)
            if not part:
                return None
            last = part


def _legacy(sample: bytes) -> str:
    lines = [line for line in sample.splitlines() if not line.isascii()]
    found = chardet.detect(b"\n".join(lines)[:_SAMPLE], include_encodings=_LEGACY, compat_names=False)["encoding"]
    return codecs.lookup(found or "cp1252").name


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
    number = 0
    while True:
        begun = reader.line_num + 1
        try:
            for cells in reader:
                number += 1
                if len(cells) > MAX_COLUMNS:
                    raise Unreadable(f"Row {number:,} has {len(cells):,} cells, and {MAX_COLUMNS:,} at most are read.")
                begun = reader.line_num + 1
                yield number, cells
        except csv.Error as error:
            number += 1
            if "unexpected end" in str(error):
                raise Unreadable(
                    f"Row {number:,} opens a quote (line {begun:,}) that never closes, so where it ends can't be told."
                ) from error
            if "field larger" in str(error):
                raise Unreadable(
                    f"Row {number:,} has a cell of over {MAX_CELL:,} characters (line {begun:,})."
                ) from error
            upto = f"lines {begun:,} to {reader.line_num:,}" if reader.line_num > begun else f"line {begun:,}"
            yield number, Broken(f"its quotes do not end where its cells do ({upto})")
        else:
            return

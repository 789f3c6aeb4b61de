"""How large a workbook is, looked at before it is opened.

calamine makes room for the whole rectangle that a sheet spans, and follows whatever a container says: two cells in far
corners, or sectors in a circle, would take all memory and end the process, which no `except` catches. Pure.
"""

import io
import re
import struct
import xml.parsers.expat
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import olefile

from lambdas.stockfile.container import MAX_COLUMNS, Kind, check_members
from lambdas.stockfile.parts import Unreadable

MAX_CELLS = 15_000_000
MAX_SHEETS = 50
_ADDRESS = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{0,4})(\d{1,9})["']""")
_CELL = re.compile(rb"<(?:[\w.\-]+:)?c[\s>/]")
_ROW = re.compile(rb"<(?:[\w.\-]+:)?row[\s>/]")


def check(kind: Kind, data: bytes) -> None:
    """Raises Unreadable when the workbook is larger than what is read, or not what it says it is."""
    if kind == "xls":
        _check_xls(data)
    else:
        check_members(data)
        (_check_xlsx if kind == "xlsx" else _check_ods)(data)


def check_size(name: str, columns: int, rows: int) -> None:
    if columns > MAX_COLUMNS:
        raise Unreadable(f"The sheet {name} has {columns:,} columns, and {MAX_COLUMNS:,} at most are read.")
    if columns * rows > MAX_CELLS:
        raise Unreadable(
            f"The sheet {name} has {rows:,} rows of {columns:,} columns; send it as CSV, which may be that large."
        )


def damaged(error: BaseException) -> str:
    if type(error).__name__ == "PasswordError":
        return "The workbook asks for a password. Save it without one and send that."
    said = str(error).strip().partition("\n")[0][:120]
    return f"The workbook can't be read ({said}). Save it as XLSX or CSV in a spreadsheet program and send that."


def _check_xlsx(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():  # all of them: any name may be a sheet's
            check_size("of the workbook", *_spans(archive.read(name)))


def _spans(sheet: bytes) -> tuple[int, int]:
    """Columns and rows that a sheet's cells reach, at least: what is not addressed stands one after the other."""
    if b"\0" in sheet[:4]:
        raise Unreadable("The workbook is written in a way that is not read. Save it as XLSX in a spreadsheet program.")
    letters, last, addressed = set(), 0, 0
    for column, row in _ADDRESS.findall(sheet):
        if column:
            letters.add(column)
            addressed += 1
        last = max(last, int(row))
    columns = max((_index(column) for column in letters), default=0)
    if addressed < len(_CELL.findall(sheet)):
        columns += max(len(_CELL.findall(row)) for row in _ROW.split(sheet))
        last += len(_ROW.findall(sheet))
    return columns, last


def _index(letters: bytes) -> int:
    """27 of AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _check_ods(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = archive.read("content.xml")
    span = _OdsSpan()
    parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = span.start, span.end
    parser.CharacterDataHandler = span.text
    try:
        parser.Parse(content, True)
    except xml.parsers.expat.ExpatError as error:
        raise Unreadable(damaged(error)) from error


class _OdsSpan:
    """Counts what repeated cells and rows come to: one element may stand for a million."""

    def __init__(self) -> None:
        self.rows = self.row_repeats = self.reach = self.filled = self.widest = 0

    def start(self, name: str, attributes: dict[str, Any]) -> None:
        kind = name.rpartition(" ")[2]
        repeats = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if kind == "table":
            self.rows = self.widest = 0
        elif kind == "table-row":
            self.row_repeats, self.reach, self.filled = _times(repeats.get("number-rows-repeated")), 0, 0
        elif kind in ("table-cell", "covered-table-cell"):
            self.reach += _times(repeats.get("number-columns-repeated"))
            if "value-type" in repeats:
                self.filled = self.reach

    def text(self, said: str) -> None:
        if said.strip():
            self.filled = self.reach

    def end(self, name: str) -> None:
        if name.rpartition(" ")[2] == "table-row":
            self.rows += self.row_repeats
            if self.filled:
                self.widest = max(self.widest, self.filled)
                check_size("of the workbook", self.widest, self.rows)


def _times(repeats: str | None) -> int:
    return int(repeats) if repeats and repeats.isdecimal() else 1


_EOF, _BOUNDSHEET = 0x0A, 0x85
_CELLS = frozenset((0x06, 0xBD, 0xBE, 0xD6, 0xFD, 0x201, 0x203, 0x204, 0x205, 0x27E))
"""The records of an XLS that begin with row and column. https://learn.microsoft.com/openspecs/office_file_formats/ms-xls"""
_SEVERAL = frozenset((0xBD, 0xBE))  # they end with their last column


def _check_xls(data: bytes) -> None:
    """Follow the records of the workbook's head, and of each sheet from where the head says that it begins."""
    book = _xls_stream(data)
    begins = {
        struct.unpack_from("<I", payload)[0]
        for record, payload in _xls_records(book, 0)
        if record == _BOUNDSHEET and len(payload) >= 4
    }
    if len(begins) > MAX_SHEETS:
        raise Unreadable(f"The workbook has {len(begins)} sheets, and {MAX_SHEETS} at most are read. Send one alone.")
    for begin in begins:
        rows = columns = 0
        for record, payload in _xls_records(book, begin):
            if record in _CELLS and len(payload) >= 4:
                row, column = struct.unpack_from("<HH", payload)
                last = struct.unpack_from("<H", payload, len(payload) - 2)[0] if record in _SEVERAL else column
                rows, columns = max(rows, row + 1), max(columns, column + 1, last + 1)
                check_size("of the workbook", columns, rows)


def _xls_records(book: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Number and payload of each record from a place on, up to the end of that part of the workbook."""
    while at + 4 <= len(book):
        record, size = struct.unpack_from("<HH", book, at)
        yield record, book[at + 4 : at + 4 + size]
        if record == _EOF:
            return
        at += 4 + size


def _xls_stream(data: bytes) -> bytes:
    """The workbook in the container of an XLS, whose chains of sectors are looked at first: calamine follows them."""
    try:
        with olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_INCORRECT) as ole:
            ole.loadminifat()
            if _turns(ole.fat) or _turns(ole.minifat):
                raise Unreadable(damaged(ValueError("its parts follow each other in a circle")))
            if any(entry is not None and entry.size > len(data) for entry in ole.direntries):
                raise Unreadable(damaged(ValueError("a part is said to be larger than the whole")))
            if ole.exists("EncryptedPackage"):
                raise Unreadable("The workbook asks for a password. Save it without one and send that.")
            name = next((name for name in ("Workbook", "Book") if ole.exists(name)), None)
            if name is None:
                raise Unreadable("This is an Office document, but no workbook. Export the list as CSV or XLSX.")
            return bytes(ole.openstream(name).read())
    except (OSError, ValueError, IndexError, TypeError, struct.error) as error:
        raise Unreadable(damaged(error)) from error


def _turns(following: Sequence[int]) -> bool:
    """Whether a chain of sectors, each of which names the next, comes back to itself."""
    met_by = [-1] * len(following)
    for start in range(len(following)):
        if met_by[start] >= 0:
            continue
        at = start
        while at < len(following) and met_by[at] < 0:
            met_by[at] = start
            at = following[at]
        if at < len(following) and met_by[at] == start:
            return True
    return False

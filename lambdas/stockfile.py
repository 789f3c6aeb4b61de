"""Reading a stock file: bytes in, rows and rejects out.

Owns what a row of a file means and why a row can't be used. Pure: knows nothing of AWS, of tables or of
modes. The seam for other formats is ``read``: whatever the format, a Reading comes out.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Context, Decimal

from lambdas import times

HEADINGS = {"store": "store", "item": "item", "count": "count", "updatedat": "updated_at"}
DELIMITERS = ",;\t"
AHEAD_HOURS = 24
"""A time further ahead of the upload than this is rejected: in `newest` mode it would lock the item."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_EXACT = Context(prec=38)  # the precision of a DynamoDB number
_KEY_BYTES = {"store": 2048, "item": 1024}  # DynamoDB's limits for a partition key and a sort key


class Unreadable(Exception):
    """The file as a whole can't be used; the message says what was seen and what to do."""


class _Unusable(Exception):
    """A cell can't be used: column, value, reason."""


@dataclass(frozen=True, slots=True)
class Row:
    """One usable row. ``number`` counts as a spreadsheet does: the header is row 1."""

    number: int
    store: str
    item: str
    count: Decimal
    updated_at: str | None


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that can't be used, with the first cell that is wrong."""

    number: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: every data row is in ``rows`` or in ``rejects``. ``timed``: it has an updated_at column."""

    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    timed: bool = False


def read(data: bytes, *, uploaded_at: str, store: str | None = None) -> Reading:
    """Read a CSV with the columns store, item, count and, if it has one, updated_at.

    Commas, semicolons or tabs; UTF-8, or UTF-16 with its mark. ``store`` is for files, or cells, that name none.
    ``uploaded_at`` is fixed-width UTC text. Raises Unreadable when no row could be read.
    """
    lines = _records(_decode(data))
    number, header = next(lines, (0, []))
    columns = _columns(header, store)
    reading = Reading(timed="updated_at" in columns)
    latest = times.later(uploaded_at, hours=AHEAD_HOURS)
    for number, cells in lines:
        try:
            reading.rows.append(_row(number, cells, columns, len(header), store, latest))
        except _Unusable as unusable:
            reading.rejects.append(Reject(number, *unusable.args))
    if not reading.rows and not reading.rejects:
        raise Unreadable("The file has a header and no rows under it. Nothing was loaded.")
    return reading


def _decode(data: bytes) -> str:
    if not data.strip():
        raise Unreadable("The file is empty. Export it again and send the new one.")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # Excel's “Unicode text”
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"The file is not UTF-8 text (byte {error.start + 1:,} is {data[error.start]:#04x}). "
            "Save it as “CSV UTF-8” and send it again."
        ) from error


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each row that is not blank. Blank rows are counted, as a spreadsheet does."""
    number = 0
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
        for number, cells in enumerate(rows, 1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise Unreadable(f"Row {number + 1} can't be read as CSV: {error}.") from error


def _delimiter(text: str) -> str:
    """The one of comma, semicolon and tab that finds most of our columns in the first line that is not blank."""
    first = text.lstrip().partition("\n")[0]
    return max(DELIMITERS, key=lambda mark: sum(_name(heading) is not None for heading in first.split(mark)))


def _name(heading: str) -> str | None:
    """What we call the column of a heading."""
    return HEADINGS.get(re.sub(r"[\s_\"]", "", heading).lower())


def _columns(header: list[str], store: str | None) -> dict[str, int]:
    """Where each known column stands. Raises Unreadable when a needed one is missing or stands twice."""
    columns: dict[str, int] = {}
    for index, heading in enumerate(header):
        name = _name(heading)
        if name is None:
            continue
        if name in columns:
            raise Unreadable(f"The column “{name}” stands twice in the first row. Remove one of them.")
        columns[name] = index
    missing = [name for name in ("store", "item", "count") if name not in columns and not (name == "store" and store)]
    if missing == ["store"]:
        raise Unreadable("The file has no column “store”. Say which store it is for, and send it again.")
    if missing:
        seen = ", ".join(f"“{heading.strip()[:40]}”" for heading in header[:8])
        wanted = " and no column ".join(f"“{name}”" for name in missing)
        raise Unreadable(f"The first row has no column {wanted}. It holds: {seen}.")
    return columns


def _row(number: int, cells: list[str], columns: dict[str, int], width: int, store: str | None, latest: str) -> Row:
    if any(cell.strip() for cell in cells[width:]):
        # An unquoted 1,000 makes two cells; reading on would load a 1.
        raise _Unusable("", ",".join(cells)[:200], f"the row has {len(cells)} cells and the header {width}")

    def cell(name: str) -> str:
        index = columns.get(name)
        return unicodedata.normalize("NFC", cells[index].strip()) if index is not None and index < len(cells) else ""

    return Row(
        number,
        _key("store", cell("store") or (store or "").strip()),
        _key("item", cell("item")),
        _count(cell("count")),
        _updated_at(cell("updated_at"), latest) if "updated_at" in columns else None,
    )


def _key(column: str, value: str) -> str:
    if not value:
        raise _Unusable(column, "", f"the {column} is blank")
    if len(value.encode()) > _KEY_BYTES[column]:
        raise _Unusable(column, value[:60] + "…", f"longer than {_KEY_BYTES[column]:,} bytes")
    return value


def _count(value: str) -> Decimal:
    if not value:
        raise _Unusable("count", "", "the count is blank; blank is not zero")
    if not _NUMBER.fullmatch(value) or not value.isascii():
        raise _Unusable("count", value[:60], "not a number such as 12, 39.5 or -3")
    count = Decimal(value)
    if len(count.as_tuple().digits) > _EXACT.prec or abs(count.adjusted()) > 125:
        raise _Unusable("count", value[:60], f"more than {_EXACT.prec} digits")
    # 8.00 and 8 are one count; normalize alone would print 800 as 8E+2, and keep the sign of -0.
    return _EXACT.add(_EXACT.normalize(count), Decimal(0)) if count else Decimal(0)


def _updated_at(value: str, latest: str) -> str:
    if not value:
        raise _Unusable("updated_at", "", "the time is blank, and the file has a column for it")
    try:
        stated = times.parse(value)
    except ValueError as error:
        raise _Unusable(
            "updated_at", value[:60], "not a time such as 2026-11-23 09:12 or 2026-11-23T09:12:00Z"
        ) from error
    if stated > latest:
        raise _Unusable("updated_at", value[:60], f"more than {AHEAD_HOURS} hours ahead; it would lock the item")
    return stated

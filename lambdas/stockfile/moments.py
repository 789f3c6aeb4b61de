"""Times as files state them: ISO, day or month first, English month names, a workbook's serial days, epoch seconds.

Pure. Whether the day or the month comes first is decided for a whole column. A time without a zone is UTC.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Flag, auto
from typing import Literal, get_args

from lambdas import times
from lambdas.stockfile.counts import Cell, Unusable

Order = Literal["dmy", "mdy"]

_CLOCK = r"(?:(?:,? +|T)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: ?([AaPp])\.?[Mm]\.?)?)?"
_NUMERIC = re.compile(rf"(\d{{1,2}})([./-])(\d{{1,2}})\2(\d{{4}}){_CLOCK}", re.ASCII)
_YEAR_FIRST = re.compile(rf"(\d{{4}})[/.](\d{{1,2}})[/.](\d{{1,2}}){_CLOCK}", re.ASCII)
_NAMED = re.compile(rf"(\d{{1,2}})[ .-]+([A-Za-z]{{3,9}})\.?[ ,.-]+(\d{{4}}){_CLOCK}", re.ASCII)
_NAME_FIRST = re.compile(rf"([A-Za-z]{{3,9}})\.? (\d{{1,2}}),? (\d{{4}}){_CLOCK}", re.ASCII)
_PLAIN = re.compile(r"\d{5}(?:\.\d+)?|\d{10}(?:\.\d+)?|\d{13}", re.ASCII)
_FULL = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTHS = {name[:3]: number for number, name in enumerate(_FULL, 1)}
_SERIAL_ZERO = datetime(1899, 12, 30, tzinfo=UTC)  # Excel counts days from here, from March 1900 on


class Seen(Flag):
    """What the cells of a column say about its order."""

    NOTHING = 0
    DAY_FIRST = auto()
    MONTH_FIRST = auto()
    OPEN = auto()  # 03/04/2026


def seen(cell: Cell) -> Seen:
    """What one cell says about the order of day and month in its column."""
    if not isinstance(cell, str) or cell[4:5] == "-":
        return Seen.NOTHING
    found = _NUMERIC.fullmatch(cell.strip())
    return _order(found) if found else Seen.NOTHING


def survey(cells: Iterable[Cell]) -> Seen:
    """What many cells say together."""
    found = Seen.NOTHING
    for cell in cells:
        found |= seen(cell)
    return found


def is_time(cell: Cell) -> bool:
    """Whether a cell states a time, in either order."""
    return any(_is_time(cell, order) for order in get_args(Order))


def _is_time(cell: Cell, order: Order) -> bool:
    try:
        moment(cell, order)
    except Unusable:
        return False
    return True


def _order(found: re.Match[str]) -> Seen:
    first, second = int(found[1]), int(found[3])
    if found[2] == ".":
        return Seen.DAY_FIRST  # nobody writes a month first with points
    if first > 12 or second > 12:
        return Seen.DAY_FIRST if first > 12 else Seen.MONTH_FIRST
    return Seen.OPEN if first != second else Seen.NOTHING


def order_of(all_seen: Seen) -> Order | None:
    """Which comes first in this column; None when it can't be told."""
    if Seen.DAY_FIRST in all_seen and Seen.MONTH_FIRST in all_seen:
        return None
    if Seen.MONTH_FIRST in all_seen:
        return "mdy"
    return None if Seen.OPEN in all_seen and Seen.DAY_FIRST not in all_seen else "dmy"


def moment(cell: Cell, order: Order) -> str:
    """The time that a cell states, as fixed-width UTC text. Unusable when it is none."""
    try:
        return _typed(cell) if not isinstance(cell, str) else _written(cell.strip(), order)
    except (ValueError, OverflowError) as error:
        raise Unusable("not a time such as 2026-11-23 09:12 or 2026-11-23T09:12:00Z") from error


def _typed(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return times.text(cell if cell.tzinfo else cell.replace(tzinfo=UTC))
    if isinstance(cell, date):
        return times.text(datetime(cell.year, cell.month, cell.day, tzinfo=UTC))
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        return _counted(Decimal(str(cell)))
    raise ValueError(cell)


def _written(text: str, order: Order) -> str:
    if text[4:5] == "-":  # most files
        return times.parse(text)
    if found := _NUMERIC.fullmatch(text):
        first, second = int(found[1]), int(found[3])
        day, month = (first, second) if order == "dmy" or found[2] == "." else (second, first)
        return _built(int(found[4]), month, day, found.groups()[4:])
    if found := _YEAR_FIRST.fullmatch(text):
        return _built(int(found[1]), int(found[2]), int(found[3]), found.groups()[3:])
    if found := _NAMED.fullmatch(text):
        return _built(int(found[3]), _month(found[2]), int(found[1]), found.groups()[3:])
    if found := _NAME_FIRST.fullmatch(text):
        return _built(int(found[3]), _month(found[1]), int(found[2]), found.groups()[3:])
    if _PLAIN.fullmatch(text):
        return _counted(Decimal(text))
    raise ValueError(text)


def _month(name: str) -> int:
    """The month of an English name or of its first three letters. ValueError when it is none."""
    return _MONTHS[name.lower()[:3]] if name.lower() in {*_MONTHS, *_FULL} else int(name)


def _built(year: int, month: int, day: int, clock: tuple[str | None, ...]) -> str:
    hour, minute, second, half = clock
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError(hour)
        hours = hours % 12 + (12 if half in "Pp" else 0)
    return times.text(datetime(year, month, day, hours, int(minute or 0), int(second or 0), tzinfo=UTC))


def _counted(value: Decimal) -> str:
    """Days of a workbook, or seconds or milliseconds since 1970; their ranges do not meet."""
    if 20_000 <= value < 80_000:
        return times.text(_SERIAL_ZERO + timedelta(milliseconds=round(value * 86_400_000)))
    if 10**9 <= value < 10**10:
        return times.of_epoch(float(value))
    if 10**12 <= value < 10**13:
        return times.of_epoch(float(value) / 1000)
    raise ValueError(value)

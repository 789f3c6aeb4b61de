"""Numbers as people write them: which mark is the decimal one, decided for a whole column, and what a cell then says.

Pure. Nothing is guessed into a number: a cell that does not fit the column's convention is no number.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Context, Decimal
from enum import Flag, auto
from typing import Any, Literal

Mark = Literal[".", ","]
Cell = Any
"""A text, or what a workbook or JSON holds: int, float, Decimal, bool, date, datetime, time, None."""

PRECISION = 38
"""The digits of a DynamoDB number."""
_EXACT = Context(prec=PRECISION)
_GROUP = "[\u00a0\u202f'’]"  # between thousands, whatever the decimal mark; a plain space may part two numbers
_NUMBER = {
    ".": re.compile(
        rf"[+-]?(?:(?:\d+|\d{{1,3}}(?:,\d{{3}})+|\d{{1,3}}(?:{_GROUP}\d{{3}})+)(?:\.\d*)?|\.\d+)", re.ASCII
    ),
    ",": re.compile(rf"[+-]?(?:(?:\d+|\d{{1,3}}(?:\.\d{{3}})+|\d{{1,3}}(?:{_GROUP}\d{{3}})+)(?:,\d*)?|,\d+)", re.ASCII),
}
_NO_DIGIT = re.compile(r"[^\d.,+-]")


class Unusable(Exception):
    """A cell can't be used; the message says why."""


class Seen(Flag):
    """What the cells of a column say about its marks."""

    NOTHING = 0
    POINT = auto()  # only a decimal point explains it: 8.5, 0.125, 1,234.5
    COMMA = auto()  # only a decimal comma: 8,5, 1.234,5, 1.234.567
    POINT_ZEROS = auto()  # 11.000: eleven, or eleven thousand
    POINT_OPEN = auto()  # 1.234
    COMMA_OPEN = auto()  # 1,234 or 11,000


_SHAPES = (
    (re.compile(r"\d{1,3}(?:,\d{3})+\.\d*|\d{1,3}(?:,\d{3}){2,}", re.ASCII), Seen.POINT),
    (re.compile(r"\d{1,3}(?:\.\d{3})+,\d*|\d{1,3}(?:\.\d{3}){2,}", re.ASCII), Seen.COMMA),
    (re.compile(r"[1-9]\d{0,2}\.000", re.ASCII), Seen.POINT_ZEROS),
    (re.compile(r"[1-9]\d{0,2}\.\d{3}", re.ASCII), Seen.POINT_OPEN),
    (re.compile(r"[1-9]\d{0,2},\d{3}", re.ASCII), Seen.COMMA_OPEN),
    (re.compile(r"(?:\d+\.\d*|\.\d+)", re.ASCII), Seen.POINT),
    (re.compile(r"(?:\d+,\d*|,\d+)", re.ASCII), Seen.COMMA),
)


def tidy(text: str) -> str:
    """The text without spaces around it, and with an ASCII minus."""
    return text.strip().replace("\N{MINUS SIGN}", "-")


def seen(text: str) -> Seen:
    """What one cell says about the marks of its column."""
    text = re.sub(_GROUP, "", tidy(text)).lstrip("+-")
    return next((says for shape, says in _SHAPES if shape.fullmatch(text)), Seen.NOTHING)


def mark_of(all_seen: Seen, delimiter: str | None) -> Mark | None:
    """The column's decimal mark; None when it can't be told.

    11.000 alone is eleven (Loyverse writes it so), but not where a semicolon parts the cells: those files come from
    where the comma is the decimal mark.
    """
    if Seen.POINT in all_seen and Seen.COMMA in all_seen:
        return None
    if Seen.POINT in all_seen or Seen.COMMA in all_seen:
        return "." if Seen.POINT in all_seen else ","
    if all_seen == Seen.NOTHING or (all_seen == Seen.POINT_ZEROS and delimiter != ";"):
        return "."
    return None


def number(cell: Cell, mark: Mark) -> Decimal:
    """The number that a cell states, in the one form that equal numbers share. Unusable when it is none."""
    if isinstance(cell, str):
        text = tidy(cell)
        if not _NUMBER[mark].fullmatch(text):
            raise Unusable(f"not a number such as 12, 39{mark}5 or -3")
        thousands = "," if mark == "." else "."
        value = Decimal(re.sub(_GROUP, "", text).replace(thousands, "").replace(",", "."))
    elif isinstance(cell, bool) or not isinstance(cell, int | float | Decimal):
        raise Unusable("not a number")
    else:
        value = _stored(cell)
    return exact(value)


def _stored(cell: int | float | Decimal) -> Decimal:
    """A workbook's float as the workbook shows it: with 15 digits, not as 0.30000000000000004."""
    value = Decimal(format(cell, ".15g")) if isinstance(cell, float) else Decimal(cell)
    if not value.is_finite():
        raise Unusable("not a number")
    return value


def exact(value: Decimal) -> Decimal:
    """8.00 and 8 are one count. Unusable when DynamoDB could not keep it."""
    if not value:
        return Decimal(0)
    if len(value.as_tuple().digits) > PRECISION or abs(value.adjusted()) > PRECISION:
        raise Unusable(f"more than {PRECISION} digits")
    # normalize alone would print 800 as 8E+2
    return _EXACT.add(_EXACT.normalize(value), Decimal(0))


def looks_numeric(cell: Cell) -> bool:
    """Whether a cell is a number by any convention."""
    if isinstance(cell, str):
        text = tidy(cell)
        return any(pattern.fullmatch(text) for pattern in _NUMBER.values())
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)


def survey(cells: Iterable[Cell]) -> Seen:
    """What many cells say together."""
    found = Seen.NOTHING
    for cell in cells:
        if isinstance(cell, str) and not cell.isdigit():
            found |= seen(cell)
    return found


def text_of(cell: Cell) -> str:
    """A cell as a person sees it in its program: the text of keys, of rejects and of first rows."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float | Decimal):
        return _numeral(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    return str(cell)


def _numeral(cell: int | float | Decimal) -> str:
    value = Decimal(format(cell, ".15g")) if isinstance(cell, float) else Decimal(cell)
    if not value.is_finite() or abs(value.adjusted()) > PRECISION:
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if isinstance(cell, float) and "." in text else text

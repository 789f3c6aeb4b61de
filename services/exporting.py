"""What we write for a spreadsheet program to open: text that can't be taken for a formula.

Owns the escaping of every export of ours. https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,'\u00a0\u202f ]\d+)*[.,]?|[.,]\d+)(?:[eE][+-]?\d+)?")


def escaped(text: str) -> str:
    """The text of a cell, with an apostrophe before what a spreadsheet program would take for a formula.

    Plain numbers stay as they are: `-3`, `+1,5`. The reader takes such an apostrophe off again.
    """
    return f"'{text}" if text.startswith(_STARTS) and not _NUMBER.fullmatch(text) else text


def csv_text(rows: Iterable[Sequence[Any]], delimiter: str = ",") -> str:
    """Rows as CSV, lines ended by CR LF as RFC 4180 has it. Text is escaped; None is blank."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([["" if cell is None else escaped(str(cell)) for cell in row] for row in rows])
    return out.getvalue()

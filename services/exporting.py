"""What we write for other programs to open: CSV, workbooks and Parquet, with text that can't be taken for a formula.

Owns the escaping of every export of ours. https://owasp.org/www-community/attacks/CSV_Injection
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Literal

from lambdas import times
from lambdas.stockfile import formulas

UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What can't stand in XML, and so not in a workbook."""
_IN_XLSX = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|\r|" + UNWRITABLE.pattern)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,'\u00a0\u202f ]\d+)*[.,]?|[.,]\d+)(?:[eE][+-]?\d+)?")
Escape = Callable[[str, str], str]


def escaped(text: str, delimiter: str = ",") -> str:
    """A cell as it stood in a file, with an apostrophe before what a spreadsheet program would take for a formula.

    Plain numbers stay as they are: `-3`, `+1,5`. The reader takes such an apostrophe off again.
    """
    return text if _NUMBER.fullmatch(text.strip()) else formulas.inert(text, delimiter)


def named(text: str, delimiter: str = ",") -> str:
    """The same of a name as the tables have it: one that begins as if it were escaped gets an apostrophe more, because
    the reader takes one off."""
    return text if _NUMBER.fullmatch(text) else formulas.marked(text, delimiter)


def csv_text(rows: Iterable[Sequence[Any]], delimiter: str = ",", escape: Escape = named) -> str:
    """Rows as CSV, lines ended by CR LF as RFC 4180 has it. Text is escaped; None is blank.

    ``escape``: `named`, or `escaped` for cells as they stood in a file, which are to be read again as they were.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([["" if cell is None else escape(str(cell), delimiter) for cell in row] for row in rows])
    return out.getvalue()


def xlsx_cell(sheet: Any, value: str) -> Any:
    """Text as openpyxl is to be given it: never a formula, nor one when it is edited, nor an error such as #N/A.

    What XML can't hold, and what looks like it, is written as `_x0007_`, which Excel reads as the character itself.
    https://learn.microsoft.com/openspecs/office_standards/ms-oi29500 (ST_Xstring)
    """
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]

    text = _IN_XLSX.sub(lambda found: f"_x{ord(found[0]):04X}_", value)
    if not (formulas.begins(value) or value.startswith("#")):
        return text
    made = WriteOnlyCell(sheet, value=text)
    made.data_type = "s"
    made.quotePrefix = True
    return made


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export: texts, numbers (int or float), or aware datetimes; None where a cell is blank."""

    name: str
    kind: Literal["text", "number", "time"]
    values: Sequence[Any]


def as_csv(columns: Sequence[Column]) -> bytes:
    """UTF-8 with its mark; times as ISO 8601 in UTC. Sent back as a stock file it is read as it was written."""
    cells = [[_time(cell) for cell in one.values] if one.kind == "time" else one.values for one in columns]
    return codecs.BOM_UTF8 + csv_text([[one.name for one in columns], *zip(*cells, strict=True)]).encode()


def _time(moment: Any) -> str | None:
    return None if moment is None else times.text(moment)


def as_xlsx(columns: Sequence[Column]) -> bytes:
    """A workbook of one sheet. A workbook knows no time zones: its times are UTC, and their headings say so."""
    import openpyxl  # type: ignore[import-untyped]

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Stock")
    sheet.freeze_panes = "A2"

    def text(value: str) -> Any:
        return xlsx_cell(sheet, value)

    def time(value: Any) -> Any:
        return value.astimezone(UTC).replace(tzinfo=None)

    kinds: Mapping[str, Callable[[Any], Any]] = {"text": text, "time": time, "number": lambda value: value}
    sheet.append([text(one.name + (" (UTC)" if one.kind == "time" else "")) for one in columns])
    for row in zip(*(one.values for one in columns), strict=True):
        sheet.append([None if cell is None else kinds[one.kind](cell) for one, cell in zip(columns, row, strict=True)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_parquet(columns: Sequence[Column]) -> bytes:
    """A Parquet file: text, double, and microseconds in UTC."""
    import pyarrow as pa
    from pyarrow import parquet

    types = {"text": pa.string(), "number": pa.float64(), "time": pa.timestamp("us", "UTC")}
    arrays = [pa.array(one.values, types[one.kind]) for one in columns]
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, [one.name for one in columns]), out)
    return out.getvalue()

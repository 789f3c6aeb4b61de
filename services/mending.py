"""The file of the rows that could not be used: as they stood, in the format they came in, with a column `reason`.

Owns what is written for mending. Mended, the file can be sent as it is: what was good has been loaded already.
"""

import codecs
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from lambdas import lines as kept
from lambdas import mappings
from lambdas.fates import Fate
from lambdas.opening import Opened, open_file
from lambdas.stockfile import StockFile
from lambdas.stockfile.container import content
from lambdas.stockfile.table import holds
from lambdas.upload import file_name
from services.access import Right, needs
from services.answers import contents
from services.errors import mapped
from services.exporting import UNWRITABLE, csv_text, escaped, xlsx_cell
from services.opening import whose
from services.outcome import Line, Receipt
from services.stack import Stack

REASON = "reason"
_UNTITLED, _TITLE = re.compile(r"[\\*?:/\[\]]"), 31
"""What the name of a sheet can't have, though a file may say so, and how long it may be."""
_BOMS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_SUFFIXES = {"xlsx": (".xlsx",), "ods": (".ods",), "json": (".json", ".jsonl", ".ndjson", ".txt")}
_SUFFIXES["text"] = (".csv", ".tsv", ".txt", ".tab")
Cells = list[Any]


@mapped
@needs(Right.SEND)
def mend(stack: Stack, of: Receipt) -> tuple[str, bytes] | None:
    """The name and the bytes of an upload's file to mend; None when it has no rejected rows.

    Raises NotFound when the file that was sent is no longer in the bucket.
    """
    if not of.upload_id or not of.fates[Fate.REJECTED]:
        return None
    data = contents(stack, of)
    told = kept.read(stack.world, of.upload_id, kept.those_with(of.parts, Fate.REJECTED))
    mapping = mappings.get(stack.world, of.mapping or mappings.AUTO)
    return to_mend(stack, of.file, open_file(stack.world, data, mapping), told)


@mapped
@needs(Right.SEND)
def to_mend(stack: Stack, name: str, opened: Opened, lines: Iterable[Line]) -> tuple[str, bytes]:
    """The same for a file that is only looked at; ``lines`` are its preview's.

    It is remembered how the original was read, for files of the mended one's shape: a few of its rows may say less
    than all of them (`11.000` is eleven, or eleven thousand), and have to be read the same way.
    """
    made = mend_data(opened, lines)
    was, said = opened.understood.mapping, opened.mapping
    known = replace(was, encoding=said.encoding, delimiter=said.delimiter, sheet=said.sheet)
    alone = StockFile(made).understood
    if alone.question or replace(alone.mapping, encoding=None, delimiter=None, sheet=None) != known:
        mappings.save(stack.world, alone.shape, known, alone.columns, whose=whose(stack.person))
    return mend_name(name, opened), made


def mend_name(name: str, opened: Opened) -> str:
    """`berlin-to-mend.csv` of `berlin.csv`, and `.xlsx` of an `.xls`; what was packed no longer is."""
    path = PurePath(re.sub(r"\.(gz|zip)$", "", file_name(name), flags=re.IGNORECASE))
    allowed = _SUFFIXES[_kind(opened)]
    suffix = path.suffix if path.suffix.lower() in allowed else allowed[0]
    return f"{path.stem.removesuffix('-to-mend')}-to-mend{suffix}"


def mend_data(opened: Opened, lines: Iterable[Line]) -> bytes:
    """The file to mend. ``lines``: of a receipt or a preview; the rejected among them count.

    Where rows of one item are added up it holds every row of the file: only some of them would make a smaller sum.
    """
    reasons = _reasons(lines)
    everything = opened.understood.mapping.repeats == "sum"
    kind = _kind(opened)
    if kind == "json":
        return _json(opened, reasons, everything)
    rows = _rows(opened, reasons, everything)
    return {"text": _text, "xlsx": _xlsx, "ods": _ods}[kind](opened, rows)


def _reasons(lines: Iterable[Line]) -> dict[int, str]:
    """What is wrong with each row of the file, once: in a wide one several of its cells may be."""
    found: dict[int, list[str]] = {}
    for line in lines:
        if line["fate"] == Fate.REJECTED:
            said = f"{line['column']}: {line['reason']}" if line["column"] else line["reason"]
            found.setdefault(line["row"], []).append(said)
    return {number: "; ".join(dict.fromkeys(said)) for number, said in found.items()}


def _kind(opened: Opened) -> str:
    """What is written for it: text, xlsx, ods or json."""
    if opened.understood.kind.startswith("JSON"):
        return "json"
    kind = content(opened.data).kind
    return "xlsx" if kind == "xls" else kind


def _rows(opened: Opened, reasons: Mapping[int, str], everything: bool) -> list[Cells]:
    """The headings and the rows to mend, all of one width, with the reason at the end of each."""
    first, last = opened.understood.header or (0, -1)
    marked: list[tuple[Cells, str]] = []
    for number, cells in opened.file.records():
        if first <= number <= last:
            marked.append((_cells(cells), REASON if number == last else ""))
        elif number > last and number in reasons:
            where = f"row {number:,} of the original: " if isinstance(cells, str) else ""
            marked.append((_cells(cells), where + reasons[number]))
        elif number > last and everything and holds(cells):
            marked.append((_cells(cells), ""))
    old = _old_reasons(marked) if last >= 0 else None
    width = max((len(cells) for cells, _ in marked), default=0) if old is None else old
    return [[*cells[:width], *[None] * (width - len(cells)), reason] for cells, reason in marked]


def _cells(record: list[Any] | str) -> Cells:
    """A record's cells; none of one whose cells can't be told apart."""
    return [] if isinstance(record, str) else list(record)


def _old_reasons(marked: list[tuple[Cells, str]]) -> int | None:
    """Where the reasons stand of a file that has been mended before, if they are in its last column."""
    headings = next((cells for cells, reason in marked if reason == REASON), [])
    while headings and headings[-1] in ("", None):
        headings = headings[:-1]
    return len(headings) - 1 if headings and headings[-1] == REASON else None


def _text(opened: Opened, rows: list[Cells]) -> bytes:
    with content(opened.data).open() as stream:
        mark = stream.read(3)
    text = csv_text(rows, opened.understood.delimiter or ",", escaped)
    encoding = codecs.lookup(opened.understood.encoding or "utf-8").name.replace("utf-8-sig", "utf-8")
    if encoding == "utf-16":
        encoding = "utf-16-be" if mark.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
    bom = _BOMS.get(encoding, b"") if encoding != "utf-8" or mark == codecs.BOM_UTF8 else b""
    try:
        return bom + text.encode(encoding)
    except UnicodeEncodeError:  # our own reasons have quotation marks that an old encoding may lack
        return codecs.BOM_UTF8 + text.encode(errors="replace")


def _xlsx(opened: Opened, rows: list[Cells]) -> bytes:
    import openpyxl  # type: ignore[import-untyped]

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(_UNTITLED.sub("_", _sheet(opened))[:_TITLE])
    for row in rows:
        sheet.append([xlsx_cell(sheet, value) if isinstance(value, str) else value for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _ods(opened: Opened, rows: list[Cells]) -> bytes:
    import pandas as pd

    tidy = [[UNWRITABLE.sub("", cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    out = io.BytesIO()
    frame = pd.DataFrame(tidy, dtype=object)
    frame.to_excel(out, engine="odf", sheet_name=_sheet(opened), index=False, header=False)  # type: ignore[arg-type]
    return out.getvalue()


def _sheet(opened: Opened) -> str:
    return opened.understood.mapping.sheet or "Sheet1"


def _json(opened: Opened, reasons: Mapping[int, str], everything: bool) -> bytes:
    """An array of objects, or an object a line where they came so; what was nested has a name such as `stock.on hand`,
    which is read the same."""
    wanted = []
    for number, cells in opened.file.records():
        if everything or number in reasons:
            named = zip(opened.understood.columns, _cells(cells), strict=False)
            thing = {name: cell for name, cell in named if cell is not None and name != REASON}
            wanted.append(thing | {REASON: reasons.get(number, "")})
    if opened.understood.kind == "JSON lines":
        return "".join(json.dumps(one, ensure_ascii=False, default=_number) + "\n" for one in wanted).encode()
    return (json.dumps(wanted, ensure_ascii=False, indent=2, default=_number) + "\n").encode()


def _number(value: Any) -> Any:
    """A JSON number where that keeps every digit, else its text, which is read the same."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and abs(value) < 10**18:
            return int(value)
        if Decimal(repr(float(value))) == value:
            return float(value)
    return str(value)

"""Workbooks: XLSX, XLS and ODS, read by python-calamine. Pure."""

import io
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from lambdas.stockfile.bounds import MAX_SHEETS, check, check_size, damaged
from lambdas.stockfile.container import Kind
from lambdas.stockfile.counts import Cell
from lambdas.stockfile.parts import Unreadable


def sheets(kind: Kind, data: bytes) -> dict[str, CalamineSheet]:
    """The visible sheets that hold anything, by name. Raises Unreadable when the workbook can't be read."""
    check(kind, data)
    try:
        return _opened(data)
    except (CalamineError, OSError, ValueError, TypeError) as error:
        raise Unreadable(damaged(error)) from error
    except BaseException as error:  # a panic of calamine's derives from BaseException alone
        if type(error).__name__ != "PanicException":
            raise
        raise Unreadable(damaged(error)) from error


def _opened(data: bytes) -> dict[str, CalamineSheet]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    shown = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible
    ]
    if len(shown) > MAX_SHEETS:
        raise Unreadable(f"The workbook has {len(shown)} sheets, and {MAX_SHEETS} at most are read. Send one alone.")
    found = {name: book.get_sheet_by_name(name) for name in shown}
    held = {name: sheet for name, sheet in found.items() if sheet.height and sheet.width}
    if not held:
        raise Unreadable("The workbook's sheets are empty. Export it again and send the new one.")
    for name, sheet in held.items():
        check_size(f"“{name[:40]}”", sheet.width + (sheet.start or (0, 0))[1], sheet.height)
    return held


def records(sheet: CalamineSheet) -> Iterator[tuple[int, list[Cell]]]:
    """Row number and cells of each row, the first column being the first that holds anything."""
    yield from enumerate(sheet.iter_rows(), 1)

"""The file of an upload that undoes another one: what each item that it changed held before.

Pure. Owns the shape of such a file, which is CSV: store, item, count, updated_at, upload_id. A blank count says that
the item was not there, or had none; upload_id is the upload whose statement is put back. What becomes of its rows is
`lambdas.fates`' own.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import IO

from lambdas.stockfile import Reading, Row, Unreadable

COLUMNS = ("store", "item", "count", "updated_at", "upload_id")


def write(told: Iterable[Row]) -> bytes:
    """The file of these rows: UTF-8, lines ended by CR LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in told:
        count = "" if row.count is None else str(row.count)
        writer.writerow((row.store, row.item, count, row.updated_at or "", row.by))
    return out.getvalue().encode()


def read(data: bytes) -> Reading:
    """The rows of such a file, numbered as a spreadsheet does. Unreadable when it is none: it is never understood by
    half."""
    return Reading(list(rows(io.BytesIO(data))), timed=True)


def rows(stream: IO[bytes]) -> Iterator[Row]:
    """The same as they come: one that is wrong may be the last."""
    try:
        lines = csv.reader(io.TextIOWrapper(stream, "utf-8", newline=""), strict=True)
        if tuple(next(lines, ())) != COLUMNS:
            raise Unreadable(f"The file is not one that undoes an upload: its columns are not {', '.join(COLUMNS)}.")
        yield from (_row(number, cells) for number, cells in enumerate(lines, 2))
    except (ValueError, InvalidOperation, csv.Error) as error:
        raise Unreadable(f"The file is not one that undoes an upload: {error}.") from error


def _row(number: int, cells: list[str]) -> Row:
    store, item, count, at, by = cells
    return Row(number, store, item, Decimal(count) if count else None, at or None, by=by)  # type: ignore[arg-type]

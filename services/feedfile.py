"""Changes as a file to take away: CSV for a spreadsheet program, or a JSON text a line.

Times are fixed-width UTC text. The old and new images are not in it: they are on the page, and in `services changes`.
"""

import codecs
import json
from collections.abc import Iterable, Mapping

from lambdas import alerts
from services.changes import Counted
from services.exporting import csv_text

AT_MOST = 100_000
"""So many changes at most: what a spreadsheet program still opens at ease."""
COLUMNS = ("time", "store", "item", "event", "old count", "new count", "upload id", "file", "event id")


def as_csv(lines: Iterable[Counted], files: Mapping[str, str]) -> bytes:
    """UTF-8 with its mark; text that could be taken for a formula is escaped. ``files``: names, by upload id."""
    rows = ((one.at, one.store, one.item, one.event, *_counts(one), *_cause(one, files), one.event_id) for one in lines)
    return codecs.BOM_UTF8 + csv_text([COLUMNS, *rows]).encode()


def as_json_lines(lines: Iterable[Counted], files: Mapping[str, str]) -> bytes:
    told = (one.as_json() | {"file": _cause(one, files)[1]} for one in lines)
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in told).encode()


def _counts(one: Counted) -> tuple[str | None, ...]:
    return tuple(None if count is None else alerts.plain(count) for count in (one.old_count, one.new_count))


def _cause(one: Counted, files: Mapping[str, str]) -> tuple[str | None, str | None]:
    return one.upload_id, files.get(one.upload_id) if one.upload_id else None

"""The four files of the lesson: a file, the same file, a newer one, and the first one again.

Owns what they say, and which files of a reader's own will do. Knows nothing of how they are applied.
"""

from dataclasses import dataclass

from lambdas import times
from lambdas.stockfile import Reading, Row, StockFile
from services.errors import BadFile, mapped

STORE = "Corner shop"
"""Also the store of a reader's file that names none."""
MOST = 12
"""Rows of a reader's own file: more are not seen at a glance, and a class is to see each."""
# At ten in UTC it is the same day nearly everywhere: pages tell times in the reader's zone.
_HEAD = "store,item,count,updated_at"
_MONDAY = "Milk,8,2025-03-03 10:00", "Rolls,0,2025-03-03 10:00", "Tea,5,2025-03-03 10:00"
_TUESDAY = "Milk,0,2025-03-04 10:00", "Rolls,9,2025-03-04 10:00", "Tea,3,2025-03-04 10:00"


@dataclass(frozen=True, slots=True)
class File:
    """A file that is sent. ``rows``: what the product's reader finds in it."""

    title: str
    data: bytes
    rows: tuple[Row, ...]


def read(data: bytes, at: str) -> Reading:
    """The file as the product reads it. ``at``: when it is uploaded."""
    return StockFile(data).read(uploaded_at=at, store=STORE)


def story() -> tuple[File, ...]:
    """Each count of Tuesday's file is another one than Monday's; one item runs out, and one comes back."""
    monday, tuesday = _csv(_MONDAY), _csv(_TUESDAY)
    titles = "Monday's file", "The same file", "Tuesday's file", "Monday's again"
    return _files(titles, monday, tuesday)


@mapped
def own(name: str, data: bytes, newer_name: str, newer: bytes) -> tuple[File, ...]:
    """The same with files of the reader's own. Raises BadFile when one can't be read, has too many rows, or when they
    speak of several stores."""
    files = _files((name, "The same file", newer_name, f"{name} again"), data, newer)
    stores = sorted({row.store for file in files for row in file.rows})
    if len(stores) > 1:
        raise BadFile(f"The lesson takes files of one store. These speak of {', '.join(stores)}.")
    return files


def _files(titles: tuple[str, ...], first: bytes, newer: bytes) -> tuple[File, ...]:
    datas = first, first, newer, first
    return tuple(File(title, data, _rows(title, data)) for title, data in zip(titles, datas, strict=True))


def _rows(title: str, data: bytes) -> tuple[Row, ...]:
    rows = read(data, times.now()).rows
    if not rows or len(rows) > MOST:
        raise BadFile(f"{title} has {len(rows):,} usable rows: the lesson takes 1 to {MOST}, so that each is seen.")
    return tuple(rows)


def _csv(rows: tuple[str, ...]) -> bytes:
    return "\n".join([_HEAD, *(f"{STORE},{row}" for row in rows), ""]).encode()

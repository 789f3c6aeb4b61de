"""Points in time as fixed-width UTC text, which compares as text: ``2026-11-23T12:53:44.123456Z``.

Owns the one spelling of a time in every table and receipt. Knows nothing of files or of AWS.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)?",
    re.IGNORECASE,
)


def text(moment: datetime) -> str:
    """The fixed-width UTC text of an aware datetime (27 characters, microseconds)."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def moment(fixed: str) -> datetime:
    """The aware datetime of a fixed-width text as made by ``text``."""
    return datetime.fromisoformat(fixed)


def now() -> str:
    return text(datetime.now(UTC))


def parse(value: str) -> str:
    """A time as a file states it (ISO 8601; without a zone it is UTC) as fixed-width text. ValueError if it is none."""
    if not _ISO.fullmatch(value):
        raise ValueError(value)
    stated = datetime.fromisoformat(value.upper().replace(" ", "T", 1).replace(" ", ""))
    try:
        return text(stated if stated.tzinfo else stated.replace(tzinfo=UTC))
    except OverflowError as error:  # a zone that moves the first or last year out of the calendar
        raise ValueError(value) from error


def later(fixed: str, **by: float) -> str:
    """``fixed`` moved by a timedelta's keywords (``hours=24``)."""
    return text(moment(fixed) + timedelta(**by))


def months_back(now: str, count: int) -> Iterator[str]:
    """The months `2026-11`, `2026-10`, … from a fixed-width time on: the keys of what is listed by month."""
    months = int(now[:4]) * 12 + int(now[5:7]) - 1
    for month in range(months, months - count, -1):
        yield f"{month // 12:04}-{month % 12 + 1:02}"


def of_epoch(seconds: float) -> str:
    return text(datetime.fromtimestamp(seconds, UTC))

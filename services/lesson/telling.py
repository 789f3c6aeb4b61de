"""What a run has shown, in words and as a table: the same on the page and on the command line.

Pure: over what was measured. Owns the sentences; every figure in them is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.alerts import THRESHOLD, plain
from lambdas.fates import Fate, Mode
from lambdas.inventory import Key
from lambdas.stream import Change
from services import words
from services.lesson.run import MODES, Lesson, Sent

CALLS = {
    Mode.PLAIN: ("Put", "Every row is written as the file states it."),
    Mode.STAMP: ("Put, UpdatedAt = now", "Every row is written with the time of now."),
    Mode.NEWEST: ("Put if UpdatedAt <= :file", "A row is written only when it is newer."),
}
"""What each mode asks of DynamoDB for a row (a hundred of them go in one transaction), and what that means."""

LEARNT = {
    Mode.PLAIN: "Silent when nothing changes; an old file wins.",
    Mode.STAMP: "Every row is a record, news or not; an old file wins.",
    Mode.NEWEST: "Only news is a record, and the newest count stands.",
}

_WRITTEN = {
    Fate.INSERTED: ("{} new: an INSERT record each.", "{} new: one INSERT record."),
    Fate.CHANGED: (
        "{} counts differ: a MODIFY record each.",
        "{} count differs: one MODIFY record.",
    ),
    Fate.TOUCHED: (
        "The same {} counts, but UpdatedAt moves: a MODIFY record each.",
        "The same {} count, but UpdatedAt moves: one MODIFY record.",
    ),
    Fate.UNCHANGED: (
        "The same {} rows: nothing differs, so DynamoDB wrote no stream record, so nobody was told.",
        "The same {} row: nothing differs, so DynamoDB wrote no stream record, so nobody was told.",
    ),
    Fate.STALE: (
        "{} rows are older than what the table holds: not written, so no stream record.",
        "{} row is older than what the table holds: not written, so no stream record.",
    ),
    Fate.DUPLICATE: ("{} rows repeated in the file.", "{} row repeated in the file."),
    Fate.REJECTED: ("{} rows not usable.", "{} row not usable."),
}
"""Of many rows, and of one."""


@dataclass(frozen=True, slots=True)
class Line:
    """A mode's figures. ``records``: seen in its stream, after each file; ``stock``: what its table holds then."""

    mode: Mode
    records: tuple[int, ...]
    expected: tuple[int, ...]
    alerts: int
    stock: tuple[tuple[Key, str], ...]
    right: bool


def summary(of: Lesson) -> list[Line]:
    """The measured table, of the files so far."""
    return [_line(mode, of.sent[mode]) for mode in MODES if of.sent[mode]]


def _line(mode: Mode, sent: Sequence[Sent]) -> Line:
    counts = tuple((key, plain(count)) for key, count in sent[-1].stock.items())
    records, expected = tuple(len(one.records) for one in sent), tuple(one.expected for one in sent)
    return Line(mode, records, expected, sum(len(one.opened) for one in sent), counts, sent[-1].right)


def why(sent: Sequence[Sent]) -> str:
    """Why the last one of these files had the records, alerts and stock that it had."""
    last = sent[-1]
    told = [
        many.format(n) if n > 1 else one.format(n) for fate, (many, one) in _WRITTEN.items() if (n := last.fates[fate])
    ]
    if any(map(_stays_out, last.records)):
        told.append("What was out stays out, so no second alert.")
    if not last.right and (len(sent) == 1 or sent[-2].right):
        told.append("But an older file has won: the stock is wrong.")
    if last.quiet is False and last.expected != len(last.records):
        told.append(f"{last.expected:,} expected, {len(last.records):,} seen so far.")
    return " ".join(told)


def _stays_out(record: Change) -> bool:
    """A checker that looks at the new image alone would send its message again."""
    return all(count is not None and count <= THRESHOLD for count in (record.old_count, record.new_count))


def as_json(of: Lesson) -> list[dict[str, Any]]:
    """The measured table; counts as text, as a file has them."""
    return [
        {
            "mode": line.mode.value, "records": list(line.records), "records_expected": list(line.expected),
            "records_in_all": sum(line.records), "alerts": line.alerts, "final_stock_right": line.right,
            "stock": [{"store": key[0], "item": key[1], "count": count} for key, count in line.stock],
        }
        for line in summary(of)
    ]  # fmt: skip


def in_words(of: Lesson) -> str:
    """The measured table, and what is to be learnt, for a terminal."""
    titles = [file.title for file in of.files]
    head = ["stream records after", *titles, "in all", "alerts", "final stock"]
    rows = [
        [line.mode.value, *(_seen(*pair) for pair in zip(line.records, line.expected, strict=True)),
         f"{sum(line.records):,}", f"{line.alerts:,}", "right" if line.right else "wrong"]
        for line in summary(of)
    ]  # fmt: skip
    wide = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    table = [
        "  ".join(cell.ljust(size) for cell, size in zip(row, wide, strict=True)).rstrip() for row in (head, *rows)
    ]
    return "\n".join([*table, *(f"{mode.value}: {said}" for mode, said in LEARNT.items())])


def _seen(records: int, expected: int) -> str:
    return f"{records:,}" if records == expected else f"{records:,} of {words.some(expected, 'record')} expected"

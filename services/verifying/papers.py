"""An upload's file against its receipt: each row has a fate, each fate a row, and the counts are those of the rows.

Owns the reading of a file once more, exactly as its loader did. Knows nothing of what is in the tables.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from botocore.exceptions import ClientError

from lambdas import files, lines
from lambdas.fates import Fate
from lambdas.lines import Line
from lambdas.stockfile import Reject, Row, Unreadable
from lambdas.world import World
from services.verifying.facts import Known, Stated, counted
from services.verifying.result import Difference, What

Place = int | tuple[int, str]
Rows = dict[Place, tuple[Row | Reject, bool]]
"""The rows and rejects of a file by their places; and of each whether it gives way to another row of the file."""


@dataclass(slots=True)
class Paper:
    """One loaded upload. ``gone``: its file is no longer in the bucket. ``stores``: those that it speaks of."""

    world: World
    known: Known
    rows: int = 0
    gone: bool = False
    stores: set[str] = field(default_factory=set)
    differences: list[Difference] = field(default_factory=list)

    def stated(self) -> Iterator[Stated]:
        """What the file states, in no order; where it can't be read, what the receipt says of it.

        The other attributes are right when this is through.
        """
        expected, fates, whole = self._expected(), Counter[str](), True
        for number in sorted(self.known.parts, key=int):
            part = self._part(number)
            whole = whole and part is not None
            for line in part or ():
                fates[line["fate"]] += 1
                one = self._against(expected, line) if expected is not None else of_line(self.known.id, line)
                if one:
                    yield self._noted(one)
        self.rows = fates.total()
        if whole:
            self._figures(fates)
        for row, gives_way in (expected or {}).values():
            if whole:
                self._differ(
                    What.NO_FATE, f"{_row(row)} of {self.known.named} has no fate on its receipt: {_says(row)}"
                )
            if isinstance(row, Row) and not gives_way:
                yield self._noted(_stated(self.known.id, row, None))

    def _noted(self, one: Stated) -> Stated:
        self.stores.add(one.store)
        return one

    def _expected(self) -> Rows | None:
        try:
            source, sent = files.fetch(self.world, self.known.upload)
        except Unreadable:
            self.gone = True
            return None
        try:
            reading = files.read(self.world, source, replace(self.known.upload, grant=sent.grant))
            counting, superseded = files.rows(reading, self.known.upload.mode)
        except Unreadable as error:
            self._differ(What.UNREADABLE, f"{self.known.named} was loaded, and can't be read again: {error}")
            return None
        found: Rows = {_place(row.number, row.column): (row, False) for row in counting}
        found |= {_place(one.row.number, one.row.column): (one.row, True) for one in superseded}
        return found | {_place(one.number, one.column): (one, False) for one in reading.rejects}

    def _part(self, number: str) -> list[Line] | None:
        """The lines of a part of the receipt; None when they can't be read."""
        try:
            return lines.read(self.world, self.known.id, {number: self.known.parts[number]})
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            reason = "it is no longer in the bucket"
        except (OSError, EOFError, ValueError) as error:  # of gzip, and of JSON
            reason = str(error)
        self._differ(What.RECEIPT, f"part {number} of the fates of {self.known.named} can't be read: {reason}")
        return None

    def _against(self, expected: Rows, line: Line) -> Stated | None:
        """What a line's row states. What it says of another row, or of none, is a difference."""
        place = _place(line["row"], line.get("column", ""))
        if place not in expected and place != line["row"] and line["row"] in expected:
            place = line["row"]  # a reject is told by its column as well, a row of a long file is not
        row, gives_way = expected.pop(place, (None, False))
        if row is None:
            self._differ(What.NO_ROW, f"{self._told(line)}; there is no such row in the file, or it was told before")
            return None
        if isinstance(row, Reject) or gives_way:
            right = Fate.DUPLICATE if gives_way else Fate.REJECTED
            agrees = line["fate"] == right and (isinstance(row, Reject) or _same(row, line))
        else:
            agrees = line["fate"] not in (Fate.DUPLICATE, Fate.REJECTED) and _same(row, line)
        if not agrees:
            self._differ(
                What.FATE, f"{self._told(line)}; the file's {_row(row)}{_given_up(row, gives_way)} {_says(row)}"
            )
        return None if isinstance(row, Reject) or gives_way else _stated(self.known.id, row, line)

    def _told(self, line: Line) -> str:
        of = f"{line.get('store')} · {line.get('item')} {line.get('count')}" if line.get("item") else "it"
        return f"the receipt of {self.known.named} says of row {line['row']:,} that {of} was {line['fate']}"

    def _figures(self, fates: Counter[str]) -> None:
        """The receipt's counts are those of its lines."""
        receipt = self.known.receipt
        assert receipt  # noqa: S101 (it is loaded)
        expected = {fate.value: fates[fate] for fate in Fate}
        expected |= {"rows": self.rows, "records expected": lines.expected(expected)}
        found = dict(receipt.fates) | {"rows": receipt.rows, "records expected": receipt.records_expected}
        wrong = [f"{name} {found[name]} for {number}" for name, number in expected.items() if found[name] != number]
        if wrong:
            self._differ(What.RECEIPT, f"the receipt of {self.known.named} counts {', '.join(wrong)}")

    def _differ(self, what: What, said: str) -> None:
        self.differences.append(Difference(what, self.known.id, said))


def of_line(upload_id: str, line: Line) -> Stated | None:
    """What a line of a receipt says that its file states."""
    if line["fate"] in (Fate.DUPLICATE, Fate.REJECTED):
        return None
    count, was = _number(line, "count"), _number(line, "was")
    return Stated(
        line["store"], line["item"], upload_id, line["row"], count, line["updated_at"], line["fate"], was
    )  # fmt: skip


def _stated(upload_id: str, row: Row, line: Line | None) -> Stated:
    """``line`` None: the row's fate is not known."""
    fate, was = (line["fate"], _number(line, "was")) if line else (None, None)
    return Stated(row.store, row.item, upload_id, row.number, row.count, row.updated_at, fate, was)


def _number(line: Line, name: str) -> Decimal | None:
    return None if line.get(name) is None else Decimal(line[name])


def _place(number: int, column: str) -> Place:
    return (number, column) if column else number


def _same(row: Row, line: Line) -> bool:
    told = (line.get("store"), line.get("item"), line.get("count"), line.get("column", ""))
    return told == (row.store, row.item, lines.spelled(row.count), row.column)


def _row(row: Row | Reject) -> str:
    return f"row {row.number:,}" + (f", column {row.column}," if row.column else "")


def _given_up(row: Row | Reject, gives_way: bool) -> str:
    return ", which gives way to another one," if gives_way and isinstance(row, Row) else ""


def _says(row: Row | Reject) -> str:
    if isinstance(row, Reject):
        return f"can't be used: {row.reason}"
    return f"says {row.store} · {row.item} {counted(row.count)}"

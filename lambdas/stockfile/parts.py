"""What comes out of a stock file: rows and rejects, or the reason why nothing does. Pure values."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple

from lambdas.stockfile.mapping import Mapping

Asked = Literal["sheet", "header", "item", "count", "store", "decimal", "dates"]


@dataclass(frozen=True, slots=True)
class Question:
    """What has to be said before a file can be read. ``about`` names the part of the mapping that answers it."""

    about: Asked
    text: str


@dataclass(frozen=True, slots=True)
class Understanding:
    """How a file is understood.

    ``kind``: “CSV”, “XLSX”, … ``encoding`` and ``delimiter`` are of text files, ``sheets`` of workbooks.
    ``header``: first and last row of the headings, None when there are none. ``columns``: each column's name as a
    mapping may use it. ``first_rows``: row number and cells, as text, of the first data rows. ``mapping``: what was
    given and what was found, complete unless there is a ``question``. ``why``: a sentence for each thing found.
    ``shape``: what next week's file has in common with this one.
    """

    kind: str
    encoding: str | None
    delimiter: str | None
    sheets: tuple[str, ...]
    header: tuple[int, int] | None
    columns: tuple[str, ...]
    first_rows: tuple[tuple[int, tuple[str, ...]], ...]
    mapping: Mapping
    why: tuple[str, ...]
    question: Question | None
    shape: str


class Unreadable(Exception):
    """The file as a whole can't be used; the message says what was seen and what to do."""


class Unclear(Unreadable):
    """The file can be used once ``question`` is answered; the message is the question's text."""

    def __init__(self, about: Asked, text: str):
        super().__init__(text)
        self.question = Question(about, text)


class Row(NamedTuple):
    """One usable row. ``number`` counts as a spreadsheet does: the first line is row 1.

    ``column`` is blank, but in a wide file, where each store has a column of its own, its heading: there a line of the
    file is a row for each of them, and only number and column together say which.
    No file of stock makes a row without a count; one that undoes an upload does (see `lambdas.undoing`): the item was
    not there, and is to be gone again. ``by``: the upload whose statement such a file puts back.
    """

    number: int
    store: str
    item: str
    count: Decimal  # type: ignore[assignment]  # a tuple's own `count` is not meant; None: see above
    updated_at: str | None
    column: str = ""
    by: str = ""


class Reject(NamedTuple):
    """One row that can't be used, with the first cell that is wrong: the heading of its column, as in the file."""

    number: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: every data row is in ``rows`` or in ``rejects``.

    ``timed``: it states when its counts were taken. ``adds``: rows of one item are to be added up.
    """

    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    timed: bool = False
    adds: bool = False

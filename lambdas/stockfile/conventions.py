"""How one file writes its numbers and its times, decided over every row of it. Pure."""

from dataclasses import replace
from itertools import islice
from operator import itemgetter

from lambdas.stockfile import counts, moments
from lambdas.stockfile.counts import Cell
from lambdas.stockfile.header import Header, data
from lambdas.stockfile.layout import Layout
from lambdas.stockfile.mapping import Mapping
from lambdas.stockfile.parts import Unclear
from lambdas.stockfile.table import Table, holds

_BATCH = 200  # few enough that what they hold does not call the garbage collector


class Late(Exception):
    """A column that seemed blank is not: ``cells`` are of the first row that shows it."""

    def __init__(self, cells: list[Cell]):
        super().__init__()
        self.cells = cells


def conventions(
    of: Table, header: Header, places: Layout, said: Mapping, blank: tuple[int, ...], why: list[str]
) -> Mapping:
    """How numbers and times are written, decided over every row of the file. Raises Unclear where that can't be told,
    and Late when one of the columns that seemed ``blank`` is not."""
    numbers, times = _survey(of, header, places, said, blank)
    decimal = said.decimal or counts.mark_of(numbers, of.delimiter)
    if decimal is None:
        both = counts.Seen.POINT in numbers and counts.Seen.COMMA in numbers
        seen = "Both 8.5 and 8,5 are written in it." if both else "A number such as 1.234 may be 1234 or 1.234."
        if not both and counts.Seen.COMMA_OPEN in numbers:
            seen = "A number such as 1,234 may be 1234 or 1.234."
        raise Unclear("decimal", f"Which is the decimal mark of the counts, a point or a comma? {seen}")
    dates = said.dates or moments.order_of(times)
    if dates is None:
        raise Unclear(
            "dates", f"Does the day come first in “{said.updated_at}”, or the month? 03/04/2026 may be either."
        )
    if counts.Seen.COMMA in numbers or (numbers and decimal == ","):
        why.append("A comma is the decimal mark: 8,50 is eight and a half.")
    if moments.Seen.MONTH_FIRST in times or said.dates:
        why.append("The day comes first in its dates." if dates == "dmy" else "The month comes first in its dates.")
    return replace(said, decimal=decimal, dates=dates)


def _survey(
    of: Table, header: Header, places: Layout, said: Mapping, blank: tuple[int, ...]
) -> tuple[counts.Seen, moments.Seen]:
    """What all cells of the counts and of the times say; what stands in a million rows is asked once."""
    numbers, times = counts.Seen.NOTHING, moments.Seen.NOTHING
    known_numbers: set[Cell] = set()
    known_times: set[Cell] = set()
    records = data(of, header)
    while batch := list(islice(records, _BATCH)):
        rows = [cells for _, cells in batch if type(cells) is list]
        for index in places.counts if said.decimal is None else ():
            numbers |= counts.survey(_fresh(rows, index, known_numbers))
        if places.updated_at is not None and said.dates is None:
            times |= moments.survey(_fresh(rows, places.updated_at, known_times))
        for index in blank:
            late = next((cells for cells in rows if holds(cells[index : index + 1])), None)
            if late is not None:
                raise Late(late)
    return numbers, times


def _fresh(rows: list[list[Cell]], index: int, known: set[Cell]) -> set[Cell]:
    """The cells of a column that are not known yet; from now on they are."""
    try:
        fresh = set(map(itemgetter(index), rows)) - known
    except IndexError:  # rows that end early
        fresh = {cells[index] for cells in rows if index < len(cells)} - known
    if len(known) < 10_000:
        known |= fresh
    return fresh

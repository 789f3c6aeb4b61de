"""How one file writes its numbers and its times, decided over every row of it. Pure."""

from dataclasses import replace

from lambdas.stockfile import counts, moments
from lambdas.stockfile.choice import Open
from lambdas.stockfile.header import Header, data
from lambdas.stockfile.layout import Layout
from lambdas.stockfile.mapping import Mapping
from lambdas.stockfile.table import Table
from lambdas.stockfile.text import Broken


def conventions(of: Table, header: Header, places: Layout, said: Mapping, why: list[str]) -> Mapping:
    """How numbers and times are written, decided over every row of the file. Raises Open where that can't be told."""
    numbers, times = _survey(of, header, places, said)
    decimal = said.decimal or counts.mark_of(numbers, of.delimiter)
    if decimal is None:
        both = counts.Seen.POINT in numbers and counts.Seen.COMMA in numbers
        seen = "Both 8.5 and 8,5 are written in it." if both else "A number such as 1.234 may be 1234 or 1.234."
        if not both and counts.Seen.COMMA_OPEN in numbers:
            seen = "A number such as 1,234 may be 1234 or 1.234."
        raise Open("decimal", f"Which is the decimal mark of the counts, a point or a comma? {seen}")
    dates = said.dates or moments.order_of(times)
    if dates is None:
        raise Open("dates", f"Does the day come first in “{said.updated_at}”, or the month? 03/04/2026 may be either.")
    if counts.Seen.COMMA in numbers or (numbers and decimal == ","):
        why.append("A comma is the decimal mark: 8,50 is eight and a half.")
    if moments.Seen.MONTH_FIRST in times or said.dates:
        why.append("The day comes first in its dates." if dates == "dmy" else "The month comes first in its dates.")
    return replace(said, decimal=decimal, dates=dates)


def _survey(of: Table, header: Header, places: Layout, said: Mapping) -> tuple[counts.Seen, moments.Seen]:
    """What all cells of the counts and of the times say. Cells that are plainly digits, most of them, say nothing."""
    numbers, times = counts.Seen.NOTHING, moments.Seen.NOTHING
    known: set[str] = set()  # asking once what stands in a million rows
    columns = places.counts if said.decimal is None else ()
    at = places.updated_at if said.dates is None else None
    for _, cells in data(of, header):
        if isinstance(cells, Broken):
            continue
        for index in columns:
            if index < len(cells) and type(cell := cells[index]) is str and not cell.isdigit() and cell not in known:
                numbers |= counts.seen(cell)
                if len(known) < 10_000:
                    known.add(cell)
        if at is not None and at < len(cells):
            times |= moments.seen(cells[at])
    return numbers, times

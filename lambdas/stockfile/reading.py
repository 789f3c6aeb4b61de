"""Reading a stock file: bytes in, rows and rejects out.

Owns the file as a whole: opened, understood, read. Pure: knows nothing of AWS, of tables or of modes.
"""

from collections.abc import Iterable, Iterator

from lambdas.stockfile.container import Source
from lambdas.stockfile.mapping import AUTOMATIC, Mapping
from lambdas.stockfile.parts import Reading, Reject, Row, Unclear, Unreadable
from lambdas.stockfile.rows import Rows
from lambdas.stockfile.table import Record, table
from lambdas.stockfile.understanding import shape, understand


def read(data: bytes, *, uploaded_at: str, store: str | None = None, mapping: Mapping = AUTOMATIC) -> Reading:
    """The whole file at once. ``store`` is for files, or cells, that name none; ``uploaded_at`` fixed-width UTC text.

    Raises Unreadable when no row could be read, and Unclear when something has to be said first.
    """
    return StockFile(data, mapping).read(uploaded_at=uploaded_at, store=store)


def shape_of(data: bytes | Source) -> str | None:
    """The shape by which a file like this is known; None when it can't be read before something is said."""
    try:
        return shape(table(data, AUTOMATIC))
    except Unreadable:
        return None


def gathered(rows: Iterable[Row | Reject], *, timed: bool, adds: bool) -> Reading:
    """Every row and reject. Raises Unreadable when there are none."""
    reading = Reading(timed=timed, adds=adds)
    for one in rows:
        if isinstance(one, Row):
            reading.rows.append(one)
        else:
            reading.rejects.append(one)
    if not reading.rows and not reading.rejects:
        raise Unreadable("The file has no rows that hold anything under its headings. Nothing was loaded.")
    return reading


class StockFile:
    """A stock file, opened and understood; its rows are read as a stream, from the start each time."""

    def __init__(self, data: bytes | Source, mapping: Mapping = AUTOMATIC):
        """Raises Unreadable for what is no stock file. What has to be asked stands in ``understood.question``."""
        self._table = table(data, mapping)
        self.understood, self._layout = understand(self._table, mapping)

    @property
    def names_no_store(self) -> bool:
        """Whether somebody has to say which store it is for."""
        said = self.understood.mapping
        return self._layout is not None and not (said.store or said.stores or said.always)

    @property
    def timed(self) -> bool:
        """As of a Reading."""
        return bool(self.understood.mapping.updated_at)

    @property
    def adds(self) -> bool:
        """As of a Reading."""
        return self.understood.mapping.repeats == "sum"

    def records(self) -> Iterator[Record]:
        """Row number and cells of every record, headings and what stands above them included."""
        return self._table.records()

    def read(self, *, uploaded_at: str, store: str | None = None) -> Reading:
        """Every row and reject. Raises as ``rows`` does, and Unreadable when there are none."""
        rows = self.rows(uploaded_at=uploaded_at, store=store)
        return gathered(rows, timed=self.timed, adds=self.adds)

    def rows(self, *, uploaded_at: str, store: str | None = None) -> Iterator[Row | Reject]:
        """Every row, or why it can't be used. Raises Unclear when something has to be said first."""
        said, layout = self.understood.mapping, self._layout
        if layout is None:
            asked = self.understood.question
            assert asked  # noqa: S101 (whoever finds no layout asks)
            raise Unclear(asked.about, asked.text)
        if self.names_no_store and not (store or "").strip():
            raise Unclear("store", "The file does not say which store it is for. Say which, and send it again.")
        reader = Rows(self.understood, layout, (store or said.always or "").strip(), uploaded_at, self._table.kind)
        if said.repeats == "sum":
            # A sum without one of its parts would be a wrong number, so none of its rows counts.
            return reader.whole_sums(self._table.records)
        return reader.of(self._table.records())

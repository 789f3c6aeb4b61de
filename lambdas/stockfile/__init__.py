"""Reading a stock file, whatever program wrote it: bytes in, rows and rejects out.

Pure: knows nothing of AWS, of tables or of modes. What a file holds is found, and where that is not certain it is
asked; a mapping holds the answers.
"""

from lambdas.stockfile.container import Source
from lambdas.stockfile.mapping import AUTOMATIC, Mapping
from lambdas.stockfile.parts import Question, Reading, Reject, Row, Unclear, Understanding, Unreadable
from lambdas.stockfile.reading import StockFile, gathered, read, shape_of
from lambdas.stockfile.rows import AHEAD_HOURS

__all__ = [
    "AHEAD_HOURS", "AUTOMATIC", "Mapping", "Question", "Reading", "Reject", "Row", "Source", "StockFile", "Unclear",
    "Understanding", "Unreadable", "gathered", "read", "shape_of",
]  # fmt: skip

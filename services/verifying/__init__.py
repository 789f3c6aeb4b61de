"""Verification: what the tables should hold, worked out once more from the files, against what they do hold.

It answers whether a number can be trusted: every file has a receipt, every row a fate, every write a stream record,
every item a history that ends at what the table holds, every crossing an alert. It reads only.
"""

from services.verifying.result import Difference, Result, What, in_words, of_json
from services.verifying.verification import verify

__all__ = ["Difference", "Result", "What", "in_words", "of_json", "verify"]

"""What can never work is taken out of a batch, so that it holds nothing up; what may work later is raised.

Owns which errors are which. A record that is taken out is given to the caller, to be kept where people see it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from lambdas.tables import Busy

R = TypeVar("R")
Record = dict[str, Any]
_NEVER = frozenset({"ValidationException", "SerializationException", "InvalidParameter", "InvalidParameterValue"})


def may_work_later(error: Exception) -> bool:
    """Whether the same work, done again, may go well: a fault of the network, of a service, or of its permissions."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] not in _NEVER
    return isinstance(error, (BotoCoreError, ResponseParserError, Busy)) and not isinstance(error, ParamValidationError)


def each_half(
    records: Sequence[Record], work: Callable[[Sequence[Record]], R], keep: Callable[[Record, Exception], None]
) -> Iterator[R]:
    """The results of ``work`` on the records, in order: on all at once, or on ever smaller halves of what fails.

    A record that fails by itself is given to ``keep`` with its error. ``work`` has to be safe to repeat.
    """
    try:
        result = work(records)
    except Exception as error:  # whatever it is: it may go away, or it is one record's own fault
        if may_work_later(error):
            raise
        if len(records) == 1:
            keep(records[0], error)
            return
    else:
        yield result
        return
    half = len(records) // 2
    yield from each_half(records[:half], work, keep)
    yield from each_half(records[half:], work, keep)

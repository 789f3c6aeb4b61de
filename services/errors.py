"""The errors that a page or the command line may meet, and the one place where botocore's become ours.

    StocktrailError
    ├── NotFound      there is no such upload, stack, ...
    ├── NotPossible   what was said can't be done so; says why
    ├── Refused       whoever asks may not; says what is not allowed
    ├── BadFile       the file can't be used; says what was seen and what to do
    │   └── Unclear   it can, once a question is answered; ``about`` is the part of the mapping that answers it
    └── Unavailable   the engine or AWS can't be reached, refuses, or is too busy; what was said may be tried again

A page catches StocktrailError and nothing else: anything more is a bug, and its traceback belongs in the log.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import (
    ResponseParserError,
)  # an answer that is not AWS's, from a proxy on the way; no BotoCoreError

from lambdas import stockfile
from lambdas.stockfile import Unreadable
from lambdas.tables import Busy
from local.engine import EngineError

P = ParamSpec("P")
R = TypeVar("R")


class StocktrailError(Exception):
    """What went wrong, where, and what to do, in plain words."""


class NotFound(StocktrailError):
    """There is no such thing."""


class NotPossible(StocktrailError):
    """What was said can't be done so."""


class Refused(StocktrailError):
    """Whoever asks may not."""


class BadFile(StocktrailError):
    """The file can't be used."""


class Unclear(BadFile):
    """The file can be used once a question is answered. ``about``: sheet, header, item, count, store, …"""

    def __init__(self, text: str, about: str):
        super().__init__(text)
        self.about = about


class Unavailable(StocktrailError):
    """The engine or AWS can't do it now."""


FOREIGN = (ClientError, BotoCoreError, ResponseParserError, EngineError, Unreadable, Busy)


def of(error: Exception) -> StocktrailError:
    """Ours for one of the foreign errors."""
    if isinstance(error, stockfile.Unclear):
        return Unclear(error.question.text, error.question.about)
    if isinstance(error, Unreadable):
        return BadFile(str(error))
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        return Unavailable(f"{error.operation_name} was refused: {said.get('Message') or said.get('Code')}")
    return Unavailable(str(error))


def mapped(function: Callable[P, R]) -> Callable[P, R]:
    """A service whose foreign errors become ours."""

    @wraps(function)
    def service(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except FOREIGN as error:
            raise of(error) from error

    return service

"""The chain from a file's row to the notification: ten links, and one sentence on where it ends.

Owns the links' names and order, and what a chain looks like as JSON. Asks nothing, and knows no ending.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal


class Name(StrEnum):
    """The links, in their order."""

    ROW = "file row"
    OBJECT = "object"
    MESSAGE = "message"
    RUN = "loader run"
    FATE = "fate"
    RECORD = "stream record"
    CHANGE = "change"
    CHECK = "checker run"
    ALERT = "alert"
    NOTIFICATION = "notification"


Step = Literal["done", "now", "stopped", "next", "unknown"]
STEPS: dict[Step, str] = {
    "done": "done", "now": "under way", "stopped": "stopped here", "next": "not reached", "unknown": "not known",
}  # fmt: skip

Moves = Literal["now", "later", "never"]
"""Whether more may come by itself: within seconds; in minutes, hours, or when somebody helps; not any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an upload: an item of a store, or a row of its file. In a wide file a row number stands more
    than once, and ``column`` tells which."""

    upload_id: str
    store: str | None = None
    item: str | None = None
    row: int | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """``at``: fixed-width UTC text, None where no time is known. ``saw`` is for everybody, ``ids`` for engineers: names
    and their values."""

    name: Name
    step: Step
    at: str | None = None
    saw: str = ""
    ids: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """The answer. Times in the ``sentence`` and in what the links saw are fixed-width UTC text."""

    upload_id: str
    file: str
    store: str | None
    item: str | None
    row: int | None
    ending: str
    sentence: str
    links: tuple[Link, ...]
    moves: Moves

    def as_json(self) -> dict[str, Any]:
        shown = asdict(self)
        return shown | {"links": [one | {"ids": dict(one["ids"])} for one in shown["links"]]}

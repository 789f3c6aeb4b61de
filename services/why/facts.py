"""The facts about one row's way, as the tables and the bucket hold them.

Owns how they are told from each other: which of an item's episodes a change opened, ended, or lies in. Asks nothing:
see `services.why.gathering`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lambdas import failures
from lambdas.alerts import Kind
from lambdas.episodes import LOW_ENDS
from lambdas.fates import Fate
from lambdas.lines import Line
from services.alerts import Episode
from services.changes import Seen
from services.outcome import Receipt
from services.why.chain import Asked
from services.why.finding import Found


@dataclass(frozen=True, slots=True)
class Lies:
    """The file in the bucket: its bytes, and when it was put there."""

    size: int
    at: str


@dataclass(frozen=True, slots=True)
class Held:
    """What the table held when the row was judged: as of when, and by which upload's file."""

    at: str
    file: str


@dataclass(frozen=True, slots=True)
class Facts:
    """``kept``: the receipt as its table has it. ``lies`` None: the file is gone. ``written``: how often this upload
    wrote the item. ``failure``: what stopped it behind its fate. ``lost``: the stream has given up records since
    then that are gone. ``before``, ``since``: the item's episodes around its change. ``besides``: those that this
    upload opened although its change is not to be had."""

    asked: Asked
    now: str
    of: Receipt
    kept: Mapping[str, Any]
    lies: Lies | None
    found: Found
    held: Held | None = None
    change: Seen | None = None
    written: int = 0
    kept_at: str | None = None
    checked_at: str | None = None
    failure: failures.Failure | None = None
    lost: bool = False
    before: tuple[Episode, ...] = ()
    since: tuple[Episode, ...] = ()
    besides: tuple[Episode, ...] = ()
    point: Decimal = field(default=Decimal(0))

    @property
    def line(self) -> Line | None:
        return self.found.line

    @property
    def fate(self) -> Fate | None:
        return Fate(self.line["fate"]) if self.line else None

    @property
    def item(self) -> str:
        """What it is called: a row that is not usable names nothing."""
        named = (self.line or {}).get("item") or self.asked.item
        return named or f"row {self.asked.row:,}"

    @property
    def applied_at(self) -> str | None:
        """When the row was applied, at the latest; a big file is applied in parts."""
        return self.of.loaded_at or self.kept.get("PartAt")

    @property
    def opened(self) -> dict[Kind, Episode]:
        """The episodes that the change opened."""
        place = self.change.position if self.change else ""
        return {one.kind: one for one in self.since if one.position.removesuffix(LOW_ENDS) == place}

    @property
    def closed(self) -> Episode | None:
        """The episode that the change ended; of two the one that the item was out."""
        of = self.change
        own = [one for one in self.before if of and not one.closed_how and one.closed_at == of.at]
        own = [one for one in own if of and (one.closed_by, one.closed_count) == (of.upload_id, of.new_count)]
        return min(own, key=lambda one: one.is_low, default=None)

    def covering(self, *, low: bool) -> Episode | None:
        """The episode of that kind in which the change lies."""
        at = self.change.at if self.change else ""
        own = [one for one in self.before if one.is_low == low and (one.closed_at is None or one.closed_at > at)]
        return next(iter(own), None)

    @property
    def by_point(self) -> Episode | None:
        """The episode that a reorder point opened while the item stood at what the change had made of it."""
        last = int(self.change.sequence) if self.change else -1
        own = [one for one in self.since if one.by_point and int(one.position.split("#")[1]) == last]
        return next(iter(own), None)

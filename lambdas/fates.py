"""The fates: what becomes of a row, given what the table holds and how the file is applied.

Pure. Owns the seven fates, the three modes and the order of two statements about one item. Knows nothing of
files, of tables or of AWS. The laws behind it are in docs/decisions.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from enum import StrEnum
from functools import reduce
from itertools import groupby
from operator import itemgetter

from lambdas.stockfile import Row, Unreadable
from lambdas.stockfile.counts import Unusable, exact

Key = tuple[str, str]  # store, item
_STORE, _ITEM = Row._fields.index("store"), Row._fields.index("item")
_WIDE = Context(
    prec=200
)  # two numbers that DynamoDB can hold add up exactly; whether their sum can be held is seen then


class Mode(StrEnum):
    """How a file is applied."""

    NEWEST = "newest"  # the newer UpdatedAt wins, by a conditional write
    PLAIN = "plain"  # PutItem of what the file states
    STAMP = "stamp"  # PutItem with UpdatedAt = the time of the load
    UNDO = "undo"  # what one upload changed is put back, where nothing has changed it since


OF_FILES = (Mode.NEWEST, Mode.PLAIN, Mode.STAMP)
"""The modes that a file of stock is sent in. `undo` is for the files that we make ourselves."""


class Fate(StrEnum):
    """What became of a row; every row of a file has exactly one."""

    INSERTED = "inserted"
    CHANGED = "changed"
    TOUCHED = "touched"
    UNCHANGED = "unchanged"
    STALE = "stale"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


WRITES = frozenset({Fate.INSERTED, Fate.CHANGED, Fate.TOUCHED})
"""The fates that make DynamoDB emit a stream record: records expected = how many rows have one of these."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the table holds of an item. ``was`` is the count that the last write replaced, None for an insert.

    ``was`` lets a loader that runs again tell what its own earlier write did. ``restored``: an undo has put it back,
    and this is the upload whose statement it was.
    """

    count: Decimal | None
    updated_at: str = ""
    upload_id: str = ""
    was: Decimal | None = None
    restored: str = ""

    @property
    def is_gone(self) -> bool:
        """Whether an undo has taken the item away: what it leaves says nothing but which upload that was."""
        return self.count is None and not self.updated_at


@dataclass(frozen=True, slots=True)
class Applied:
    """How one upload is applied. ``at`` is the time its rows count as of when they state none (in `stamp` mode,
    the time of the load), as fixed-width UTC text. ``undoes``: in `undo` mode, the upload that is undone."""

    upload_id: str
    mode: Mode
    at: str
    undoes: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row's fate: what the table held before (None: nothing) and what it holds then (None: as before).

    ``done``: an earlier run of the same upload has written it.
    """

    row: Row
    fate: Fate
    held: Held | None = None
    new: Held | None = None
    reason: str = ""
    done: bool = False

    @property
    def to_write(self) -> bool:
        return self.new is not None and not self.done


def split_duplicates(rows: Iterable[Row], mode: Mode, *, adds: bool = False) -> tuple[list[Row], list[Verdict]]:
    """The row that counts of each key, by store and item, and the superseded others: the newest wins, else the last.

    With ``adds`` the last one of each key stands for all of them: their sum, and the newest of their times. Raises
    Unreadable when DynamoDB can't hold a sum.
    """
    winners: list[Row] = []
    losers: list[Verdict] = []
    reason = "added up in row {}" if adds else "row {} of the same file counts"
    # Sorted, and not kept by key: a table of keys would take half as much memory again as the rows. Both sorts leave
    # what is equal in the file's order.
    in_order = sorted(sorted(rows, key=itemgetter(_ITEM)), key=itemgetter(_STORE))
    for _, of_key in groupby(in_order, itemgetter(_STORE, _ITEM)):
        row, *others = of_key
        if others:
            row, beaten = _winner(row, others, newest=mode is Mode.NEWEST and not adds)
            losers += [Verdict(one, Fate.DUPLICATE, reason=reason.format(row.number)) for one in beaten]
            row = reduce(_added, (*beaten, row)) if adds else row
        winners.append(row)
    return winners, losers


def _winner(row: Row, others: Iterable[Row], *, newest: bool) -> tuple[Row, list[Row]]:
    """The row that counts of some with one key, in the file's order; and those that do not."""
    beaten = []
    for other in others:
        older = newest and (other.updated_at or "") < (row.updated_at or "")
        beaten.append(other if older else row)
        row = row if older else other
    return row, beaten


def _added(so_far: Row, row: Row) -> Row:
    newest = max(so_far.updated_at or "", row.updated_at or "") or None
    try:
        return row._replace(count=exact(_WIDE.add(so_far.count, row.count)), updated_at=newest)
    except Unusable as error:
        said = f"The rows of “{row.item}” up to row {row.number} add up to {error}."
        raise Unreadable(said) from error


def judge(row: Row, held: Held | None, applied: Applied) -> Verdict:
    """The fate of a row against what the table holds now, and what to write for it."""
    if held is not None and held.upload_id == applied.upload_id:
        return written(row, held)
    if applied.mode is Mode.UNDO:
        return _judge_undo(row, held, applied)
    if held is None or held.is_gone:
        return Verdict(row, Fate.INSERTED, held, _statement(row, held, applied))
    if applied.mode is Mode.NEWEST:
        return _judge_newest(row, held, applied)
    new = _statement(row, held, applied)
    if row.count != held.count:
        return Verdict(row, Fate.CHANGED, held, new)
    if new.updated_at != held.updated_at and (applied.mode is Mode.STAMP or row.updated_at):
        return Verdict(row, Fate.TOUCHED, held, new)
    return Verdict(row, Fate.UNCHANGED, held)


def _judge_newest(row: Row, held: Held, applied: Applied) -> Verdict:
    stated = row.updated_at or applied.at
    if row.count == held.count and (row.updated_at is None or stated == held.updated_at):
        return Verdict(row, Fate.UNCHANGED, held)
    if (stated, applied.upload_id) < (held.updated_at, held.upload_id):
        return Verdict(row, Fate.STALE, held, reason=f"the table holds a count as of {held.updated_at}")
    fate = Fate.TOUCHED if row.count == held.count else Fate.CHANGED
    return Verdict(row, fate, held, _statement(row, held, applied))


def _judge_undo(row: Row, held: Held | None, applied: Applied) -> Verdict:
    """Back to what was before, where the item still is what the upload that is undone has made of it."""
    if held is None:
        return Verdict(row, Fate.STALE, None, reason="it has been removed since")
    if applied.undoes not in (held.upload_id, held.restored):
        return Verdict(row, Fate.STALE, held, reason=f"it has been changed since, by {held.upload_id or 'no upload'}")
    new = Held(row.count, row.updated_at or "", applied.upload_id, held.count, row.by)
    if (new.count, new.updated_at) == (held.count, held.updated_at):
        return Verdict(row, Fate.UNCHANGED, held)
    fate = Fate.INSERTED if held.is_gone else Fate.CHANGED if row.count != held.count else Fate.TOUCHED
    return Verdict(row, fate, held, new)


def _statement(row: Row, held: Held | None, applied: Applied) -> Held:
    at = applied.at if applied.mode is Mode.STAMP else row.updated_at or applied.at
    return Held(row.count, at, applied.upload_id, held.count if held else None)


def written(row: Row, made: Held) -> Verdict:
    """The verdict on a row that an earlier run of this same upload has written, read off what it ``made``."""
    if made.was is None:
        return Verdict(row, Fate.INSERTED, None, made, done=True)
    fate = Fate.CHANGED if made.was != made.count else Fate.TOUCHED
    return Verdict(row, fate, Held(made.was), made, done=True)


def overrule(verdict: Verdict, later_count: Decimal, later_at: str, later_id: str, applied: Applied) -> Verdict:
    """The verdict, or `stale` when a later statement agreed with the table and so left no trace in it.

    A file without UpdatedAt whose count equals the table's is `unchanged`: nothing is written, so the table
    keeps the older UpdatedAt. An upload that arrives after it, with something between the two, would win against
    the table and yet be older than what the store last said. See docs/decisions.md, “Silent agreement”.
    """
    if verdict.fate is not Fate.CHANGED or verdict.held is None or verdict.new is None or verdict.done:
        return verdict
    newer = (later_at, later_id) > (verdict.new.updated_at, applied.upload_id)
    if newer and later_count == verdict.held.count:
        return replace(verdict, fate=Fate.STALE, new=None, reason=f"a newer file confirmed the count as of {later_at}")
    return verdict

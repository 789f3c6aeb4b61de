"""What of the changes is found for a reader: out of memory, and where that does not reach, out of the table; and
between them the uploads that left no record.

Owns where an answer comes from. What is found once for a moment is shared by all who ask the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from lambdas import times
from lambdas.upload import lowest_id, time_of
from services import changes, feedfile, quiet_stores
from services.changes import Counted, Seen
from services.trail import News, Page, Trail
from services.uploads import Receipt
from services.wanted import Wanted
from services.watch import is_silent
from ui import following, plain, reads
from ui.feed import Asked
from ui.reads import BY_THE_CLOCK, Hashes, Link

PAGE = 50
MOST = 1_000
"""The longest page: what came in during a long pause. What does not fit is a click away."""
WINDOW = 400
"""So many changes of the table are looked through at a time, where memory does not reach."""
_UPLOADS = 100

Entry = Counted | Receipt
_Place = tuple[str, str]  # a second, and an upload's id: see `_between`
_LOWEST, _HIGHEST = ("", ""), ("~", "")


@dataclass(frozen=True, slots=True)
class Found:
    """What stands on the page, newest first. ``older``, ``newer``: the places from which the pages beside it begin;
    None where there is none. ``told``: what is not on it though it was asked for. ``filling``: what is missing comes
    by itself. ``news``: nothing yet; what arrives from here on is new, but for the uploads in ``silent``."""

    serial: int
    asked: Asked
    entries: Sequence[Entry]
    older: str | None
    newer: str | None
    told: str
    filling: bool
    news: News
    silent: frozenset[str | None]


@dataclass(frozen=True, slots=True)
class _Part:
    """Changes, and the places from which it goes on, as in `Found`."""

    lines: Sequence[Counted]
    older: str | None
    newer: str | None
    told: str = ""
    filling: bool = False


def gather(held: Link, asked: Asked, size: int = PAGE) -> Found:
    trail, silent = following.trail(held), following.silent(held)
    news = News(trail.mark())  # before anything is looked for: what comes in meanwhile is new, and not lost
    part = _part(held, trail, asked, size)
    within = _bottom(part), _top(trail, asked, part)
    notes = [] if asked.wanted.of_changes else _notes(held, asked.wanted, silent, *within)
    entries = _between(part.lines, notes)
    ids = frozenset(one.upload_id for one in silent)
    return Found(held.serial, asked, entries, part.older, part.newer, part.told, part.filling, news, ids)


def _bottom(part: _Part) -> _Place:
    """Behind which the uploads without a record stand on this page: each is on that of the change right below it."""
    if not part.older:
        return _LOWEST
    is_last = part.lines and part.lines[-1].position == part.older
    return _place(part.lines[-1]) if is_last else (part.older[:19], "")


def _top(trail: Trail, asked: Asked, part: _Part) -> _Place:
    """Where the page above this one ends."""
    if asked.above and part.newer:
        above = trail.page(asked.wanted, 1, above=part.newer).lines if part.newer >= trail.floor else ()
        return _place(above[0]) if above else (part.newer[:19], "")
    if asked.below:
        one = trail.line(asked.below)
        return _place(one) if one else (asked.below[:19], "")
    return _HIGHEST


def can_grow(held: Link, now: Found) -> bool:
    """Whether there is more of the past to be put below what stands there, or no more to come."""
    trail = following.trail(held)
    below = replace(now.asked, below=now.older, above=None)
    return following.reached(held) is None or bool(_page(held, trail, below, PAGE).lines)


def fuller(held: Link, now: Found) -> Found:
    """The same, and behind it what has become known of the past since: nothing that is there moves."""
    missing = PAGE - sum(isinstance(one, Counted) for one in now.entries)
    more = gather(held, replace(now.asked, below=now.older, above=None), max(1, missing))
    entries = [*now.entries, *more.entries]
    return replace(more, asked=now.asked, entries=entries, newer=now.newer, news=now.news, silent=now.silent)


def export(held: Link, asked: Asked) -> list[Counted]:
    """All that fits, the newest first, as far as it may be taken away at once."""
    trail = following.trail(held)
    if _is_old(asked.wanted, trail):
        found = changes.of_upload(held.stack, asked.wanted.upload_id or "", feedfile.AT_MOST)
        return [Counted.of(one) for one in reversed(found) if asked.wanted.fits(one)]
    if asked.below and asked.below <= trail.floor:
        return _window(lambda: changes.newest(held.stack, feedfile.AT_MOST, asked.below), asked.wanted)[0]
    return list(trail.page(asked.wanted, feedfile.AT_MOST, asked.below).lines)


def _part(held: Link, trail: Trail, asked: Asked, size: int) -> _Part:
    if _is_old(asked.wanted, trail):
        return _of_old_upload(held, asked.wanted)
    if asked.below and asked.below <= trail.floor:
        return _below_the_trail(held, asked.below, asked.wanted)
    if asked.above and asked.above < trail.floor:
        return _behind(held, asked.above, asked.wanted)
    page = _page(held, trail, asked, size)
    first, last = (page.lines[0].position, page.lines[-1].position) if page.lines else (None, None)
    if asked.above:
        return _Part(page.lines, last or asked.above, first if page.more else None)
    newer = (first or asked.below) if asked.below else None
    if page.more or not page.floor:
        return _Part(page.lines, last if page.more else None, newer)
    if following.reached(held) is not None:
        return _Part(page.lines, page.floor, newer, filling=True)
    return _Part(page.lines, page.floor, newer, f"Looked back to {plain.clock(page.floor[:27])}.")


_ASKED: Hashes = BY_THE_CLOCK | {Trail: lambda trail: repr(trail.mark()), Asked: repr}


@st.cache_resource(show_spinner=False, max_entries=100, hash_funcs=_ASKED)
def _page(held: Link, trail: Trail, asked: Asked, size: int) -> Page:  # noqa: ARG001 (`held` tells its engine)
    return trail.page(asked.wanted, size, asked.below, asked.above)


def _is_old(wanted: Wanted, trail: Trail) -> bool:
    """Whether it asks for an upload that was sent before what is in memory."""
    return bool(wanted.upload_id) and times.later(time_of(wanted.upload_id or ""), seconds=-60) < trail.floor


def _of_old_upload(held: Link, wanted: Wanted) -> _Part:
    found = reads.changes_of(held, wanted.upload_id or "", WINDOW)
    told = f"Its first {WINDOW:,} changes; its receipt tells of all its rows." if len(found) == WINDOW else ""
    return _Part([Counted.of(one) for one in found if wanted.fits(one)], None, None, told)


def _below_the_trail(held: Link, below: str, wanted: Wanted) -> _Part:
    lines, last = _window(lambda: below_it(held, WINDOW, below), wanted)
    told = f"Of the {WINDOW:,} changes that were looked through; what is older is a click away." if last else ""
    return _Part(lines, last, lines[0].position if lines else below, told)


def _behind(held: Link, above: str, wanted: Wanted) -> _Part:
    found = behind_it(held, PAGE, above)
    lines = [Counted.of(one) for one in found if wanted.fits(one)]
    return _Part(lines, found[-1].position if found else above, found[0].position if len(found) == PAGE else None)


def _window(ask: Callable[[], Sequence[Seen]], wanted: Wanted) -> tuple[list[Counted], str | None]:
    """What fits of what is asked for, and below which position it goes on."""
    found = ask()
    fits = [Counted.of(one) for one in found if wanted.fits(one)]
    return fits, found[-1].position if len(found) >= WINDOW else None


@st.cache_resource(show_spinner=False, ttl=20, max_entries=50, hash_funcs=BY_THE_CLOCK)
def below_it(held: Link, limit: int, below: str) -> list[Seen]:
    """The latest changes below a position, newest first: what changes now is not among them."""
    return changes.newest(held.stack, limit, below)


@st.cache_resource(show_spinner=False, ttl=20, max_entries=50, hash_funcs=BY_THE_CLOCK)
def behind_it(held: Link, limit: int, above: str) -> list[Seen]:
    return changes.next_after(held.stack, above, limit)


@st.cache_resource(show_spinner=False, max_entries=500, hash_funcs=BY_THE_CLOCK | {Counted: lambda one: one.position})
def record(held: Link, one: Counted) -> Seen | None:
    """A change with its images; None when it is not kept any more."""
    return next(iter(changes.kept(held.stack, [one])), None)


@st.cache_resource(show_spinner=False, ttl=5, max_entries=300, hash_funcs=BY_THE_CLOCK)
def _spoke(held: Link, store: str) -> frozenset[str]:
    """The ids of the latest uploads that spoke of a store."""
    return frozenset(quiet_stores.uploads_of(held.stack, store, limit=_UPLOADS, newest_first=True))


def _notes(held: Link, wanted: Wanted, silent: Sequence[Receipt], low: _Place, high: _Place) -> list[Receipt]:
    """The uploads without a record from one place to another. Of the latest ones that were sent by then."""
    if high != _HIGHEST:
        earlier = reads.older(held, lowest_id(times.later(f"{high[0]}.000000Z", seconds=1)), _UPLOADS)
        silent = [one for one in earlier if is_silent(one)]
    of_store = _spoke(held, wanted.store) if wanted.store else None
    return [
        one
        for one in silent
        if low < _place(one) < high
        and wanted.upload_id in (None, one.upload_id)
        and (of_store is None or one.upload_id in of_store)
    ]


def _between(lines: Sequence[Counted], notes: Sequence[Receipt]) -> list[Entry]:
    """The uploads at their places between the changes. A change's time is told in whole seconds: within one, uploads
    stand in the order they were sent."""
    found: list[Entry] = []
    rest = sorted(notes, key=_place, reverse=True)
    for one in lines:
        while rest and _place(rest[0]) > _place(one):
            found.append(rest.pop(0))
        found.append(one)
    return found + rest


def _place(one: Entry) -> _Place:
    return at(one)[:19], one.upload_id or ""


def at(one: Entry) -> str:
    return one.at if isinstance(one, Counted) else one.loaded_at or one.received_at or ""


def name(one: Entry) -> str:
    return one.event_id if isinstance(one, Counted) else one.upload_id or ""

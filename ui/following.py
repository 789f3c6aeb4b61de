"""What is followed all day, once for all sessions: how the stock stands, the last four weeks, quiet stores, the feed.

Owns these and how long what they say is kept. What they say is shared: read it, never change it.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import streamlit as st

from lambdas import times
from services import alerts, changes, quiet_stores, sight, uploads
from services.alerts import Episode
from services.aside import Aside
from services.changes import Counted, Seen
from services.lately import Lately, Soon
from services.pulse import Beat, Pulse
from services.quiet_stores import Quiet
from services.standing import Figures, Standing
from services.stock import Mirror
from services.trail import Trail
from services.uploads import Receipt
from services.wanted import Wanted
from services.watch import Watch
from ui import reads
from ui.reads import BY_THE_CLOCK, Hashes, Link

WITH_THE_FIGURES: Hashes = {Link: lambda held: held.serial, Figures: lambda figures: figures.serial}

_SOON_SECONDS, _READING_SECONDS = 10.0, 3.0
_UPLOADS = 100  # that are looked through for such as made no record
_A_DAY = 100_000  # changes of some stores: more are not counted
_AT_HAND = 400  # changes, the latest: so many are asked for when nothing is known yet, and the others come beside


@dataclass(frozen=True)
class _Followed:
    standing: Standing
    lately: Lately
    soon: Aside[Soon]
    quiet: Aside[list[Quiet]]
    trail: Trail
    watch: Watch
    turn: threading.Lock = field(default_factory=threading.Lock)


@st.cache_resource(show_spinner=False, max_entries=1, hash_funcs=BY_THE_CLOCK)
def _followed(held: Link) -> _Followed:
    assert isinstance(held.mirror, Mirror)  # noqa: S101 (the dashboard's own)
    standing = Standing(held.mirror)

    def find() -> list[Quiet]:
        return quiet_stores.find(held.stack, standing.latest.stores, times.now())

    quiet = Aside(find, lambda: quiet_stores.every_seconds(len(standing.latest.stores)), "quiet stores")
    trail = Trail()
    held.mirror.listen(trail.hear)
    weeks = Lately(held.stack, held.mirror, trail=trail)
    soon = Aside(weeks.soon, lambda: _SOON_SECONDS if weeks.reached is None else _READING_SECONDS, "soon")
    watch = Watch(held.mirror, lambda: uploads.recent(held.stack, _UPLOADS))
    return _Followed(standing, weeks, soon, quiet, trail, watch)


def figures(held: Link) -> Figures:
    """How the stock stands."""
    standing = _standing(held) if held.base else _followed(held).standing
    return standing.figures(reads.points(held))


@st.cache_resource(show_spinner=False, max_entries=reads.SEATS, hash_funcs=BY_THE_CLOCK)
def _standing(held: Link) -> Standing:
    """Of some stores."""
    return Standing(held.mirror)


def _lately(held: Link) -> Lately:
    """The last four weeks; what was before is read from the first time on that somebody asks."""
    found = _followed(held.whole).lately
    found.begin()
    return found


def reached(held: Link) -> str | None:
    """How far back the last four weeks have been read so far; None when all has."""
    return _lately(held).reached


def between(held: Link, moments: Sequence[datetime]) -> list[Beat]:
    """What changed from each of these moments to the next."""
    if not held.base:
        return _lately(held).between(moments)
    # The changes of some stores in a day are few: they are counted out of the trail.
    since, pulse = times.text(moments[0]), Pulse()
    for one in trail(held).page(Wanted(stores=held.person.stores), _A_DAY, above=since).lines:
        pulse.add(one.at, one.old_count, one.new_count)
    return [pulse.between(*pair) for pair in pairwise(moments)]


def trail(held: Link) -> Trail:
    """The changes in memory, of all stores: what is asked of it has to say whose. The latest are there at once; older
    ones are read from now on."""
    found = _followed(held.whole)
    if not found.trail.knows:
        with found.turn:
            if not found.trail.knows:
                first = changes.newest(held.whole.stack, _AT_HAND)
                found.trail.add(map(Counted.of, first))
                found.trail.reach(first[-1].position if len(first) == _AT_HAND else "")
    found.lately.begin()
    return found.trail


def latest(held: Link, limit: int) -> Sequence[Seen | Counted]:
    """The latest changes, newest first."""
    if not held.base:
        return reads.feed(held, limit)
    return trail(held).page(Wanted(stores=held.person.stores), limit).lines


def watch(held: Link) -> Watch:
    """Who brings what is new to all that look at the changes."""
    return _followed(held.whole).watch


def silent(held: Link) -> Sequence[Receipt]:
    """Of the latest uploads those that made no stream record and make none any more, newest first."""
    found = watch(held).silent
    return sight.seen(held.stack, found) if held.base else found


def soon(held: Link) -> Soon:
    """What will be out soon, as it was worked out last."""
    weeks = _lately(held)
    found = _followed(held.whole).soon.latest() or Soon((), 0, weeks.reached)
    return found if held.person.stores is None else found.of(held.person.stores)


def quiet(held: Link) -> list[Quiet]:
    """The stores that went quiet; none before they have been asked about for the first time."""
    figures(held.whole)  # by which the stores are asked about
    stores = figures(held).stores
    return quiet_stores.still(held.person.only(_followed(held.whole).quiet.latest() or []), stores)


def latest_alerts(held: Link, limit: int) -> list[Episode]:
    """The latest open episodes, newest first."""
    return reads.open_alerts(held)[:limit] if held.base else _latest_alerts(held, limit)


@st.cache_resource(show_spinner=False, ttl=2, hash_funcs=BY_THE_CLOCK)
def _latest_alerts(held: Link, limit: int) -> list[Episode]:
    return alerts.open_now(held.stack, limit)

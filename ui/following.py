"""What is followed all day, once for all sessions: how the stock stands, the last four weeks, quiet stores, the feed.

Owns these and how long what they say is kept. What they say is shared: read it, never change it.
"""

import threading
from dataclasses import dataclass, field

import streamlit as st

from lambdas import times
from services import alerts, changes, quiet_stores, uploads
from services.alerts import Episode
from services.aside import Aside
from services.changes import Counted
from services.lately import Lately, Soon
from services.quiet_stores import Quiet
from services.standing import Figures, Standing
from services.trail import Trail
from services.watch import Watch
from ui import reads
from ui.reads import BY_THE_CLOCK, Hashes, Link

WITH_THE_FIGURES: Hashes = {Link: lambda held: held.serial, Figures: lambda figures: figures.serial}

_SOON_SECONDS, _READING_SECONDS = 10.0, 3.0
_UPLOADS = 100  # that are looked through for such as made no record
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
    return _followed(held).standing.figures(reads.points(held))


def lately(held: Link) -> Lately:
    """The last four weeks; what was before is read from the first time on that somebody asks."""
    found = _followed(held).lately
    found.begin()
    return found


def trail(held: Link) -> Trail:
    """The changes in memory. The latest are there at once; older ones are read from now on."""
    found = _followed(held)
    if not found.trail.knows:
        with found.turn:
            if not found.trail.knows:
                first = changes.newest(held.stack, _AT_HAND)
                found.trail.add(map(Counted.of, first))
                found.trail.reach(first[-1].position if len(first) == _AT_HAND else "")
    found.lately.begin()
    return found.trail


def watch(held: Link) -> Watch:
    """Who brings what is new to all that look at the changes."""
    return _followed(held).watch


def soon(held: Link) -> Soon:
    """What will be out soon, as it was worked out last."""
    weeks = lately(held)
    return _followed(held).soon.latest() or Soon((), 0, weeks.reached)


def quiet(held: Link) -> list[Quiet]:
    """The stores that went quiet; none before they have been asked about for the first time."""
    stores = figures(held).stores
    return quiet_stores.still(_followed(held).quiet.latest() or [], stores)


@st.cache_resource(show_spinner=False, ttl=2, hash_funcs=BY_THE_CLOCK)
def latest_alerts(held: Link, limit: int) -> list[Episode]:
    """The latest open episodes, newest first."""
    return alerts.open_now(held.stack, limit)

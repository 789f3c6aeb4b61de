"""What the Overview follows all day, once for all sessions: how the stock stands, the last four weeks, quiet stores.

Owns these three and how long what they say is kept. What they say is shared: read it, never change it.
"""

from dataclasses import dataclass

import streamlit as st

from lambdas import times
from services import alerts, quiet_stores
from services.alerts import Episode
from services.aside import Aside
from services.lately import Lately, Soon
from services.quiet_stores import Quiet
from services.standing import Figures, Standing
from ui import reads
from ui.reads import BY_THE_CLOCK, Hashes, Link

WITH_THE_FIGURES: Hashes = {Link: lambda held: held.serial, Figures: lambda figures: figures.serial}

_SOON_SECONDS, _READING_SECONDS = 10.0, 3.0


@dataclass(frozen=True)
class _Followed:
    standing: Standing
    lately: Lately
    soon: Aside[Soon]
    quiet: Aside[list[Quiet]]


@st.cache_resource(show_spinner=False, max_entries=1, hash_funcs=BY_THE_CLOCK)
def _followed(held: Link) -> _Followed:
    standing = Standing(held.mirror)

    def find() -> list[Quiet]:
        return quiet_stores.find(held.stack, standing.latest.stores, times.now())

    quiet = Aside(find, lambda: quiet_stores.every_seconds(len(standing.latest.stores)), "quiet stores")
    weeks = Lately(held.stack, held.mirror)
    soon = Aside(weeks.soon, lambda: _SOON_SECONDS if weeks.reached is None else _READING_SECONDS, "soon")
    return _Followed(standing, weeks, soon, quiet)


def figures(held: Link) -> Figures:
    """How the stock stands."""
    return _followed(held).standing.figures(reads.points(held))


def lately(held: Link) -> Lately:
    """The last four weeks; what was before is read from the first time on that somebody asks."""
    found = _followed(held).lately
    found.begin()
    return found


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

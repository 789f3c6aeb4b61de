"""The one connection of the dashboard, which all its readers share: the stack, the stock and the open alerts in memory.

Owns when it is looked for anew. It is the dashboard's own and sees everything: what one reader gets of it is
`ui.reads`' matter, and pages never come here.
"""

import itertools
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from services import alerts, stack, stock
from services.access import Person
from services.alerts import Episode
from services.pacing import Paced
from services.stack import Recovery, Stack
from services.watch import EVERY_SECONDS

serials = itertools.count()
_doubted = threading.Event()


@dataclass(frozen=True)
class Link:
    """A connection, the stock and the open alerts in memory. ``serial`` tells it, and who sees the same by it, from any
    other. ``base``: the dashboard's own, when this one is of some stores; None: it is of all."""

    serial: int
    stack: Stack
    mirror: stock.Mirror | stock.View
    still: Paced[list[Episode]]
    turn: threading.Lock = field(default_factory=threading.Lock)
    names: dict[str, str] = field(default_factory=dict)  # of files, by upload id: these never change
    kept: dict[Any, Any] = field(default_factory=dict)  # what is worked out once for each version
    base: "Link | None" = None

    @property
    def version(self) -> tuple[int, int]:
        """Moves when the stock did."""
        return self.serial, self.mirror.version

    @property
    def person(self) -> Person:
        return self.stack.person

    @property
    def whole(self) -> "Link":
        """The connection that is of all stores: for what is read once for everybody, and then given to each in part."""
        return self.base or self


@st.cache_resource(show_spinner="Starting the engine…")
def _made() -> Link:
    made = stack.connect(os.environ)
    return Link(next(serials), made, stock.Mirror(made, EVERY_SECONDS), Paced(lambda: alerts.open_now(made)))


def base() -> Link:
    """The connection. In doubt it is looked for anew: an engine that was started again may have another past."""
    held = _made()
    if _doubted.is_set():
        fresh = stack.connect(os.environ)
        _doubted.clear()
        if _which(fresh) != _which(held.stack):
            _made.clear()
            held = _made()
    return held


def _which(of: Stack) -> tuple[Any, ...]:
    return of.endpoint, of.begun, of.settings


def doubt() -> None:
    """Something could not be reached: the next read looks for the stack anew."""
    _doubted.set()


@st.cache_resource(show_spinner=False, ttl=2)
def recovery() -> Recovery | None:
    """How the embedded engine came back, if it was ended hard."""
    return stack.recovery(os.environ)


def refresh(held: Link) -> Link:
    """The connection, with the stock brought up to date. While another session is at it, with the stock as it is."""
    whole = held.whole
    if whole.turn.acquire(blocking=not whole.mirror.version):
        try:
            whole.mirror.refresh()
        finally:
            whole.turn.release()
    return held


Hashes = dict[str | type[Any], Callable[[Any], Any]]

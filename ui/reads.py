"""What the pages read, cached for all browsers together: what DynamoDB is asked does not grow with the viewers.

Owns the one connection and the one Mirror of the dashboard. What only moves when an item does is cached by the
mirror's version, the rest for about a second. What is cached is shared: read it, never change it.
"""

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from lambdas.quiet import Quiet
from lambdas.reorder import Points
from services import alerts, changes, failures, mending, stack, stock, trust, uploads
from services import past as services_past
from services import quiet as quiet_hours
from services import subscriptions as who
from services.alerts import Episode
from services.changes import Seen
from services.errors import BadFile, NotFound
from services.failures import Failure
from services.opening import Saved
from services.pacing import Paced
from services.reorder import Followed
from services.stack import Recovery, Stack
from services.stock import Stocked
from services.subscriptions import Subscription
from services.uploads import Receipt
from services.verifying import Result
from services.watch import EVERY_SECONDS

_serials = itertools.count()
_doubted = threading.Event()


@dataclass(frozen=True)
class Link:
    """The connection, the stock and the open alerts in memory. ``serial`` tells it from one before it."""

    serial: int
    stack: Stack
    mirror: stock.Mirror
    still: Paced[list[Episode]]
    turn: threading.Lock = field(default_factory=threading.Lock)
    names: dict[str, str] = field(default_factory=dict)  # of files, by upload id: these never change

    @property
    def version(self) -> tuple[int, int]:
        """Moves when the stock did."""
        return self.serial, self.mirror.version


Hashes = dict[str | type[Any], Callable[[Any], Any]]
WITH_THE_STOCK: Hashes = {Link: lambda held: held.version}
BY_THE_CLOCK: Hashes = {Link: lambda held: held.serial}
ITS_HISTORY: Hashes = BY_THE_CLOCK | {Stocked: repr}


@st.cache_resource(show_spinner="Starting the engine…")
def _link() -> Link:
    made = stack.connect(os.environ)
    return Link(next(_serials), made, stock.Mirror(made, EVERY_SECONDS), Paced(lambda: alerts.open_now(made)))


def link() -> Link:
    """The connection. In doubt it is looked for anew: an engine that was started again may have another past."""
    held = _link()
    if _doubted.is_set():
        fresh = stack.connect(os.environ)
        _doubted.clear()
        if _which(fresh) != _which(held.stack):
            _link.clear()
            held = _link()
    return held


def _which(of: Stack) -> tuple[Any, ...]:
    return of.endpoint, of.begun, of.settings


def refreshed() -> Link:
    """The connection, with the stock brought up to date. While another session is at it, with the stock as it is."""
    held = link()
    if held.turn.acquire(blocking=not held.mirror.version):
        try:
            held.mirror.refresh()
        finally:
            held.turn.release()
    return held


@st.cache_resource(show_spinner=False, ttl=2)
def recovery() -> Recovery | None:
    """How the embedded engine came back, if it was ended hard."""
    return stack.recovery(os.environ)


def doubt() -> None:
    """Something could not be reached: the next read looks for the stack anew."""
    _doubted.set()


@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs=WITH_THE_STOCK)
def items(held: Link) -> list[Stocked]:
    """Every item, by store and item."""
    at_once = list(held.mirror.items.values())  # another session's refresh may move the mirror meanwhile
    return sorted(at_once, key=lambda one: (one.store, one.item))


@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs=WITH_THE_STOCK)
def stores(held: Link) -> list[str]:
    """The names of all stores, sorted: gone through 100,000 items for once, and not for each who chooses one."""
    return sorted({one.store for one in items(held)})


@st.cache_resource(show_spinner=False, max_entries=8, hash_funcs=WITH_THE_STOCK)
def feed(held: Link, limit: int) -> list[Seen]:
    """The latest changes, newest first. Every change moves the stock's version."""
    return changes.newest(held.stack, limit)


@st.cache_resource(show_spinner=False, max_entries=50, hash_funcs=WITH_THE_STOCK)
def changes_of(held: Link, upload_id: str, limit: int) -> list[Seen]:
    """An upload's first changes, newest first."""
    return changes.of_upload(held.stack, upload_id, limit)[::-1]


@st.cache_resource(show_spinner=False, ttl=1, hash_funcs=BY_THE_CLOCK)
def receipts(held: Link, limit: int = 100) -> list[Receipt]:
    """The latest uploads, newest first."""
    found = uploads.recent(held.stack, limit)
    held.names.update({one.upload_id: one.file for one in found if one.upload_id})
    return found


@st.cache_resource(show_spinner=False, ttl=20, max_entries=50, hash_funcs=BY_THE_CLOCK)
def older(held: Link, before: str, limit: int = 100) -> list[Receipt]:
    """The latest uploads that were sent before one, newest first: most of them have settled."""
    found = uploads.recent(held.stack, limit, before)
    held.names.update({one.upload_id: one.file for one in found if one.upload_id})
    return found


@st.cache_resource(show_spinner=False, ttl=1, hash_funcs=BY_THE_CLOCK)
def waiting(held: Link) -> list[Receipt]:
    """The uploads that wait for an answer, the latest first."""
    return uploads.waiting(held.stack)


@st.cache_resource(show_spinner=False, ttl=1, hash_funcs=BY_THE_CLOCK)
def saved(held: Link) -> list[Saved]:
    """What is saved for shapes of files, the latest first."""
    return uploads.saved(held.stack)


@st.cache_resource(show_spinner="Fetching the file…", max_entries=4, hash_funcs=BY_THE_CLOCK)
def contents(held: Link, upload_id: str) -> bytes:
    """An upload's file, as it was sent: it never changes."""
    return uploads.contents(held.stack, uploads.receipt(held.stack, upload_id))


@st.cache_resource(show_spinner=False, ttl=1, max_entries=100, hash_funcs=BY_THE_CLOCK)
def receipt(held: Link, upload_id: str) -> Receipt | None:
    """One upload's receipt as it stands; None when there is no such upload."""
    try:
        return uploads.receipt(held.stack, upload_id)
    except NotFound:
        return None


@st.cache_resource(show_spinner=False, max_entries=200, hash_funcs=BY_THE_CLOCK)
def mend_name(held: Link, upload_id: str, file: str) -> str | None:
    """What the file of an upload's rows to mend is called; None when what was sent is gone. Reads the file, once."""
    try:
        data = uploads.contents(held.stack, uploads.receipt(held.stack, upload_id))
        return mending.mend_name(file, uploads.opened(held.stack, data))
    except (NotFound, BadFile):
        return None


def files(held: Link, upload_ids: Iterable[str | None]) -> Mapping[str, str]:
    """The uploads' file names. Asked once each: a name never changes."""
    missing = {upload_id for upload_id in upload_ids if upload_id and upload_id not in held.names}
    if missing:
        receipts(held)
    if older := [upload_id for upload_id in missing if upload_id not in held.names]:
        found = uploads.names(held.stack, older)
        held.names.update({upload_id: found.get(upload_id, "unknown") for upload_id in older})
    return held.names


@st.cache_resource(show_spinner=False, ttl=2, hash_funcs=BY_THE_CLOCK)
def points(held: Link) -> Points:
    """The reorder points. Their ``moved`` tells one state of them from another."""
    return _followed(held).refresh()


def unsettled(held: Link) -> Followed:
    """Who says which savings of points have not come to their end, as of when ``points`` was asked."""
    points(held)
    return _followed(held)


@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs=BY_THE_CLOCK)
def _followed(held: Link) -> Followed:
    return Followed(held.stack)


@st.cache_resource(show_spinner=False, ttl=30, max_entries=50, hash_funcs=ITS_HISTORY)
def changes_of_item(held: Link, one: Stocked, limit: int) -> list[Seen]:
    """An item's changes, newest first. Asked again when the item moves."""
    return changes.of_item(held.stack, stock.key(one), limit)


@st.cache_resource(show_spinner=False, ttl=2, max_entries=50, hash_funcs=ITS_HISTORY)
def episodes_of_item(held: Link, one: Stocked, limit: int) -> list[Episode]:
    """An item's episodes, newest first; an episode opens a moment after its item moved."""
    return alerts.of_item(held.stack, stock.key(one), limit)


@st.cache_resource(show_spinner="Working out how the stock was then…", max_entries=3, hash_funcs=BY_THE_CLOCK)
def past(held: Link, at: str) -> list[Stocked]:
    """Every item as it was at a moment. Said once for all who ask of it: it does not change any more."""
    return services_past.table(held.stack, at)


@st.cache_resource(show_spinner=False, ttl=1, hash_funcs=BY_THE_CLOCK)
def open_alerts(held: Link) -> list[Episode]:
    """The open episodes of both kinds, newest first: thousands, where a reorder point is high."""
    return held.still.get()


WITH_THE_ALERTS: Hashes = {Link: lambda held: (held.serial, held.still.version)}
"""For what moves only when the open episodes do."""


def forget_alerts(held: Link) -> None:
    """They were changed from here: they are asked for anew."""
    held.still.forget()
    open_alerts.clear()
    _past_alerts.clear()
    points.clear()


def past_alerts(held: Link, limit: int) -> list[Episode]:
    """The closed episodes, the latest opened first."""
    return _past_alerts(held, limit).get()


@st.cache_resource(show_spinner=False, max_entries=4, hash_funcs=BY_THE_CLOCK)
def _past_alerts(held: Link, limit: int) -> Paced[list[Episode]]:
    def ask() -> list[Episode]:
        # As many as are open may have opened since the last that ended.
        found = alerts.history(held.stack, limit + len(open_alerts(held)))
        return [one for one in found if one.closed_at][:limit]

    return Paced(ask)


@st.cache_resource(show_spinner=False, ttl=2, max_entries=50, hash_funcs=BY_THE_CLOCK)
def alerts_of(held: Link, upload_id: str) -> list[Episode]:
    """The episodes that an upload opened, newest first."""
    return alerts.of_upload(held.stack, upload_id)


@st.cache_resource(show_spinner=False, ttl=2, hash_funcs=BY_THE_CLOCK)
def held_alerts(held: Link) -> list[Episode]:
    """The episodes whose messages wait, the first due first."""
    return alerts.held(held.stack)


@st.cache_resource(show_spinner=False, ttl=5, hash_funcs=BY_THE_CLOCK)
def quiet(held: Link) -> Quiet:
    """All quiet hours that are set."""
    return quiet_hours.hours(held.stack)


@st.cache_resource(show_spinner=False, ttl=60, hash_funcs=BY_THE_CLOCK)
def subscriptions(held: Link) -> list[Subscription]:
    """Who gets which alerts. SNS lists them 30 times a second at most, to everybody in the account together."""
    return who.every(held.stack)


@st.cache_resource(show_spinner=False, ttl=2, hash_funcs=BY_THE_CLOCK)
def failed(held: Link) -> list[Failure]:
    """What failed and still needs help, the latest first."""
    return failures.every(held.stack)


@st.cache_resource(show_spinner=False, ttl=60, max_entries=50, hash_funcs=BY_THE_CLOCK)
def payload(held: Link, failure_id: str) -> Any:
    """What failed, as JSON has it; what is gone has been mended meanwhile."""
    try:
        return failures.payload(held.stack, failure_id)
    except NotFound as error:
        return {"gone": str(error)}


@st.cache_resource(show_spinner=False, ttl=5, hash_funcs=BY_THE_CLOCK)
def verified(held: Link) -> Result | None:
    """The last verification of all stores."""
    return trust.latest(held.stack)

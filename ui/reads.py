"""What the pages read, cached for all browsers together: what DynamoDB is asked does not grow with the viewers.

Owns what each reader gets of the one connection. What only moves when an item does is kept by the stock's version, the
rest for about a second. What is cached is shared: read it, never change it. Readers who see all stores share it all;
those with named stores get their part of what was read for all, and ask for themselves only what nobody else sees.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import streamlit as st

from lambdas.quiet import Quiet
from lambdas.reorder import Points
from services import alerts, changes, failures, mending, reorder, sight, stock, trust, uploads
from services import past as services_past
from services import quiet as quiet_hours
from services import subscriptions as who
from services.access import MACHINE, Person, Right
from services.alerts import Episode
from services.changes import Seen
from services.errors import BadFile, NotFound
from services.failures import Failure
from services.mine import Mine
from services.opening import Saved
from services.pacing import Paced
from services.reorder import Followed
from services.stock import Stocked
from services.subscriptions import Subscription
from services.uploads import Receipt
from services.verifying import Result
from ui import connection, door
from ui.connection import Hashes, Link, doubt, recovery

__all__ = ["Hashes", "Link", "doubt", "recovery"]

P = ParamSpec("P")
R = TypeVar("R")
SEATS = 300
"""So many readers who each see other stores are kept in memory at once. What is kept of one is small."""
WITH_THE_STOCK: Hashes = {Link: lambda held: held.version}
BY_THE_CLOCK: Hashes = {Link: lambda held: held.serial}
ITS_HISTORY: Hashes = BY_THE_CLOCK | {Stocked: repr}


def link() -> Link:
    """The connection, as the person sees it whose session this is. Who has not signed in gets none."""
    return of(door.person())


def later() -> Callable[[], Link]:
    """The same, for what is made when somebody takes it away: as the person sees it then."""
    ask = door.asker()
    return lambda: of(ask())


def of(person: Person) -> Link:
    """The connection as somebody sees it."""
    base = connection.base()
    held = base if person.stores is None else _of_some(base, person.seat)
    return replace(held, stack=held.stack.acting(person))


@st.cache_resource(show_spinner=False, max_entries=SEATS, hash_funcs=BY_THE_CLOCK | {Person: repr})
def _of_some(base: Link, person: Person) -> Link:
    """For who sees some stores: with a serial of its own, so that nothing cached for one goes to another."""
    made = base.stack.acting(person)
    if not base.mirror.version:
        connection.refresh(base)
    assert isinstance(base.mirror, stock.Mirror)  # noqa: S101 (the dashboard's own)
    return Link(next(connection.serials), made, base.mirror.view(person), base.still, base=base)


def refreshed() -> Link:
    """The same, with the stock brought up to date."""
    return connection.refresh(link())


def with_the_stock(read: Callable[[Link], R]) -> Callable[[Link], R]:
    """Worked out once for each version of a link's stock, of which the latest is kept."""

    @wraps(read)
    def kept(held: Link) -> R:
        version, found = held.kept.get(read, (None, None))
        if version != held.version:
            version, found = held.version, read(held)
            held.kept[read] = version, found
        return cast(R, found)

    return kept


@with_the_stock
def items(held: Link) -> list[Stocked]:
    """Every item, by store and item."""
    at_once = list(held.mirror.items.values())  # another session's refresh may move the mirror meanwhile
    return sorted(at_once, key=lambda one: (one.store, one.item))


@with_the_stock
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


def receipts(held: Link, limit: int = 100) -> list[Receipt]:
    """The latest uploads, newest first."""
    found = _receipts(held.whole, limit)
    if held.base:
        found = _mine(held).latest(found, limit)
        held.names.update({one.upload_id: one.file for one in found if one.upload_id})
    return found


@st.cache_resource(show_spinner=False, ttl=1, hash_funcs=BY_THE_CLOCK)
def _receipts(held: Link, limit: int) -> list[Receipt]:
    found = uploads.recent(held.stack, limit)
    held.names.update({one.upload_id: one.file for one in found if one.upload_id})
    return found


@st.cache_resource(show_spinner=False, max_entries=SEATS, hash_funcs=BY_THE_CLOCK)
def _mine(held: Link) -> Mine:
    return Mine(held.stack)


@st.cache_resource(show_spinner=False, ttl=20, max_entries=50, hash_funcs=BY_THE_CLOCK)
def older(held: Link, before: str, limit: int = 100) -> list[Receipt]:
    """The latest uploads that were sent before one, newest first: most of them have settled."""
    found = uploads.recent(held.stack, limit, before)
    held.names.update({one.upload_id: one.file for one in found if one.upload_id})
    return found


def waiting(held: Link) -> list[Receipt]:
    """The uploads that wait for an answer, the latest first."""
    found = _waiting(held.whole)
    return sight.seen(held.stack, found) if held.base else found


@st.cache_resource(show_spinner=False, ttl=1, hash_funcs=BY_THE_CLOCK)
def _waiting(held: Link) -> list[Receipt]:
    return uploads.waiting(held.stack)


def forget_waiting() -> None:
    """Something was answered from here."""
    _waiting.clear()


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


def points(held: Link) -> Points:
    """The reorder points. Their ``moved`` tells one state of them from another."""
    found = _points(held.whole)
    if not held.base:
        return found
    moved, own = held.kept.get(points, (None, found))
    if moved != found.moved:
        own = reorder.seen(found, held.person)
        held.kept[points] = found.moved, own
    return own  # type: ignore[no-any-return]


@st.cache_resource(show_spinner=False, ttl=2, hash_funcs=BY_THE_CLOCK)
def _points(held: Link) -> Points:
    return _followed(held).refresh()


def forget_points() -> None:
    """Some were saved from here."""
    _points.clear()


def unsettled(held: Link) -> Followed:
    """Who says which savings of points have not come to their end, as of when ``points`` was asked."""
    points(held)
    return _followed(held.whole)


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


def open_alerts(held: Link) -> list[Episode]:
    """The open episodes of both kinds, newest first: thousands, where a reorder point is high."""
    return held.person.only(_open_alerts(held.whole)) if held.base else _open_alerts(held)


@st.cache_resource(show_spinner=False, ttl=1, hash_funcs=BY_THE_CLOCK)
def _open_alerts(held: Link) -> list[Episode]:
    return held.still.get()


WITH_THE_ALERTS: Hashes = {Link: lambda held: (held.serial, held.still.version)}
"""For what moves only when the open episodes do."""


def forget_alerts(held: Link) -> None:
    """They were changed from here: they are asked for anew."""
    held.still.forget()
    _open_alerts.clear()
    _past_alerts.clear()
    _points.clear()


def past_alerts(held: Link, limit: int) -> list[Episode]:
    """The closed episodes, the latest opened first."""
    if not held.base:
        return _past_alerts(held, limit).get()
    return held.person.only(_past_alerts(held.whole, _LOOKED_THROUGH).get())[:limit]


_LOOKED_THROUGH = 5_000
"""So many of everybody's alerts are looked through for those of some stores: once for all such readers."""


@st.cache_resource(show_spinner=False, max_entries=4, hash_funcs=BY_THE_CLOCK)
def _past_alerts(held: Link, limit: int) -> Paced[list[Episode]]:
    def ask() -> list[Episode]:
        # As many as are open may have opened since the last that ended.
        found = alerts.history(held.stack, limit + len(_open_alerts(held)))
        return [one for one in found if one.closed_at][:limit]

    return Paced(ask)


@st.cache_resource(show_spinner=False, ttl=2, max_entries=50, hash_funcs=BY_THE_CLOCK)
def alerts_of(held: Link, upload_id: str) -> list[Episode]:
    """The episodes that an upload opened, newest first."""
    return alerts.of_upload(held.stack, upload_id)


def held_alerts(held: Link) -> list[Episode]:
    """The episodes whose messages wait, the first due first."""
    return held.person.only(_held_alerts(held.whole))


@st.cache_resource(show_spinner=False, ttl=2, hash_funcs=BY_THE_CLOCK)
def _held_alerts(held: Link) -> list[Episode]:
    return alerts.held(held.stack)


def quiet(held: Link) -> Quiet:
    """All quiet hours that are set."""
    return quiet_hours.seen(_quiet(held.whole), held.person)


@st.cache_resource(show_spinner=False, ttl=5, hash_funcs=BY_THE_CLOCK)
def _quiet(held: Link) -> Quiet:
    return quiet_hours.hours(held.stack)


def forget_quiet() -> None:
    """They were changed from here."""
    _quiet.clear()
    _held_alerts.clear()


def subscriptions(held: Link) -> list[Subscription]:
    """Who gets which alerts. SNS lists them 30 times a second at most, to everybody in the account together."""
    return who.seen(_subscriptions(held.whole), held.person)


@st.cache_resource(show_spinner=False, ttl=60, hash_funcs=BY_THE_CLOCK)
def _subscriptions(held: Link) -> list[Subscription]:
    return who.every(held.stack.acting(MACHINE))


def forget_subscriptions() -> None:
    """They were changed from here."""
    _subscriptions.clear()


def for_operators(read: Callable[P, R]) -> Callable[P, R]:
    """What is cached for all operators is refused to all others, who share the connection with them."""

    @wraps(read)
    def refused(*args: P.args, **kwargs: P.kwargs) -> R:
        cast(Link, args[0]).person.must(Right.OPERATE)
        return read(*args, **kwargs)

    return refused


@for_operators
def failed(held: Link) -> list[Failure]:
    """What failed and still needs help, the latest first."""
    return _failed(held)


@st.cache_resource(show_spinner=False, ttl=2, hash_funcs=BY_THE_CLOCK)
def _failed(held: Link) -> list[Failure]:
    return failures.every(held.stack)


def forget_failed() -> None:
    """Something was run again from here."""
    _failed.clear()


@for_operators
def payload(held: Link, failure_id: str) -> Any:
    """What failed, as JSON has it; what is gone has been mended meanwhile."""
    return _payload(held, failure_id)


@st.cache_resource(show_spinner=False, ttl=60, max_entries=50, hash_funcs=BY_THE_CLOCK)
def _payload(held: Link, failure_id: str) -> Any:
    try:
        return failures.payload(held.stack, failure_id)
    except NotFound as error:
        return {"gone": str(error)}


@for_operators
def verified(held: Link) -> Result | None:
    """The last verification of all stores."""
    return _verified(held)


@st.cache_resource(show_spinner=False, ttl=5, hash_funcs=BY_THE_CLOCK)
def _verified(held: Link) -> Result | None:
    return trust.latest(held.stack)


def forget_verified() -> None:
    """It was verified from here."""
    _verified.clear()

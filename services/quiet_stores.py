"""Stores that went quiet: no upload for longer than they are used to, or uploads that never change anything, as of a
till whose export is stuck.

Owns the rule, and the one question for each store that it takes: its last uploads, by key. What an upload changed is
known from the stock itself, where every item names the upload that changed it last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from lambdas import tables, times
from lambdas.upload import time_of
from services.access import Right, needs
from services.errors import mapped
from services.stack import Stack
from services.standing import Sums

LOOKED_AT = 10
"""So many of a store's uploads are looked at, the latest: 3 KB, half a read unit."""
PAUSES = 3
"""So many pauses between uploads make a rhythm, and a silence of so many usual pauses is long."""
AT_LEAST = timedelta(days=2)
"""No silence shorter than that is one: a store may be closed on a Sunday."""
WITHOUT_RHYTHM = timedelta(days=7)
STUCK = 3
"""So many uploads in a row that changed nothing are a stuck export…"""
STUCK_FOR = timedelta(days=2)
"""…when there is so much time between the first and the last of them: neither a night nor a Sunday sells anything."""
_A_SECOND = 4
_EVERY_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Quiet:
    """A store that went quiet. ``last`` is its last upload; ``usual`` the pause that it is used to, where it has one.

    ``unmoved``: how many uploads in a row changed nothing, since ``since``; 0: it is silent, since its last upload.
    There may be more than LOOKED_AT.
    """

    store: str
    last: str
    since: str
    usual: timedelta | None = None
    unmoved: int = 0


def every_seconds(stores: int) -> float:
    """How often all stores are asked about: every five minutes, of many stores so that it is four a second."""
    return max(_EVERY_SECONDS, stores / _A_SECOND)


@mapped
@needs(Right.SEE)
def find(stack: Stack, stores: Sequence[Sums], now: str) -> list[Quiet]:
    """The stores that went quiet, by how long. A Query for each store, and one more for the few that send often and
    change nothing. Of all stores together: see ``still``."""
    stack.person.must_for_all(Right.SEE)
    found = tables.each(lambda of: _judged(stack, of, now), stores)
    return sorted((one for one in found if one), key=lambda one: (one.since, one.store))


def _judged(stack: Stack, of: Sums, now: str) -> Quiet | None:
    sent = uploads_of(stack, of.store, limit=LOOKED_AT, newest_first=True)
    if of.moved_by and len(sent) == LOOKED_AT and sent[-1] > of.moved_by:
        sent += [one for one in uploads_of(stack, of.store, limit=1, after=of.moved_by) if one < sent[-1]]
    return judge(of.store, sent, of.moved_by, now)


def judge(store: str, sent: Sequence[str], moved_by: str, now: str) -> Quiet | None:
    """Whether a store went quiet. ``sent``: the ids of its last uploads, the latest first; of more than LOOKED_AT, the
    one behind is the first after ``moved_by``, the latest upload that changed anything."""
    if not sent:
        return None
    last, usual = time_of(sent[0]), _usual(sent[:LOOKED_AT])
    silence = times.moment(now) - times.moment(last)
    if silence > (WITHOUT_RHYTHM if usual is None else max(AT_LEAST, PAUSES * usual)):
        return Quiet(store, sent[0], last, usual)
    unmoved = [one for one in sent if one > moved_by]
    if len(unmoved) >= STUCK and _between(unmoved[-1], unmoved[0]) >= STUCK_FOR:
        return Quiet(store, sent[0], time_of(unmoved[-1]), usual, len(unmoved))
    return None


def still(found: Iterable[Quiet], stores: Iterable[Sums]) -> list[Quiet]:
    """Those that have not moved since they were found."""
    moved_by = {of.store: of.moved_by for of in stores}
    return [one for one in found if moved_by.get(one.store, "") <= one.last]


def _usual(sent: Sequence[str]) -> timedelta | None:
    """The pause between two uploads, in the middle; None of too few to say."""
    pauses = sorted(_between(earlier, later) for later, earlier in pairwise(sent))
    return pauses[len(pauses) // 2] if len(pauses) >= PAUSES else None


def _between(earlier: str, later: str) -> timedelta:
    return times.moment(time_of(later)) - times.moment(time_of(earlier))


@mapped
@needs(Right.SEE)
def uploads_of(
    stack: Stack, store: str, *, limit: int, after: str = "", before: str = "", newest_first: bool = False
) -> list[str]:
    """The ids of uploads that spoke of a store, at most ``limit``."""
    stack.person.must(Right.SEE, [store])
    condition, values = "#store = :store", {":store": store}
    if after:
        condition, values = f"{condition} AND UploadId > :after", values | {":after": after}
    if before:
        condition, values = f"{condition} AND UploadId < :before", values | {":before": before}
    found = tables.query(
        stack.dynamodb, stack.settings.store_uploads_table, limit=limit, ScanIndexForward=not newest_first,
        KeyConditionExpression=condition, ExpressionAttributeNames={"#store": "Store"},
        ExpressionAttributeValues=tables.to_item(values), ProjectionExpression="UploadId",
    )  # fmt: skip
    return [item["UploadId"]["S"] for item in found]

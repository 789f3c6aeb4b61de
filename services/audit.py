"""The audit: who did what, from where and when, kept where the dashboard can only add to it.

Owns the entries: their shape, their place in the bucket, and finding them again. Knows nothing of what the deeds do;
how they are told is `services.deeds`'.

An entry is an object of its own, `audit/<day>/<time>-<random>-<who>-<store>-<deed>.json`. It is written *before* the
deed, once all is checked that can be: a deed that can't be written down is not done, and one that breaks off half-way
has its entry as well. It is never written again, nor may it be: see the bucket's policy in template.yaml. Who and which
store stand in the key as the beginning of a hash, and the deed as it is, so what is looked for is picked by keys alone.

What it costs: a deed one PUT. A page of 100 entries one request for the days, one for each 1,000 keys that it looks
through, and a GET for each entry that nobody has read here before: of 30,000 a day the last hour is two requests, and
the day in which one person is looked for 41. A page looks through some LOOKED_AT keys at most, says so, and can go on.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from lambdas import objects, times
from lambdas.upload import new_id, time_of
from services.access import Right, needs
from services.errors import mapped
from services.stack import Stack

LOOKED_AT = 10_000
"""So many keys a page looks through at most."""
AT_MOST = 30_000
"""So many entries an export holds at most."""
LONGEST, MOST = 2_000, 20
"""So long a text in an entry is at most, and so long a list: the rest is left out, and a sign says so."""
_THREADS = 12
_A_REQUEST = 300
"""So many keys looked through a request for some of them counts for: of quiet days there may be thousands."""
_BIGGEST = 1_000_000  # bytes; ours are a few hundred
_KEPT = 5_000
_FEW = 1_000
_TIME = r"T(?:[01]\d|2[0-3])[0-5]\d[0-5]\d\d{6}-"
_ID = rf"\d{{8}}{_TIME}[0-9a-f]{{8}}"
_PLACE = re.compile(rf"{_ID}(?:-[0-9a-f]{{8}}){{2}}-[a-z-]+")
_BELOW = re.compile(rf"\d{{8}}{_TIME}[0-9a-z-]*")
_DAY = re.compile(r"2\d{3}-\d\d-\d\d")
_LAST = "~"


class Did(StrEnum):
    """What was done, as people read it."""

    SENT = "sent"
    ANSWERED = "answered"
    UNDONE = "undone"
    CORRECTED = "corrected"
    RELEASED = "released"
    ACKNOWLEDGED = "acknowledged"
    PUT_ASIDE = "put aside"
    RUN_AGAIN = "run again"
    VERIFIED = "verified"
    POINTS_SET = "reorder points set"
    QUIET_SET = "quiet hours set"
    SUBSCRIBED = "subscription added"
    RESUBSCRIBED = "subscription changed"
    UNSUBSCRIBED = "subscription removed"
    CONFIRMED = "subscription confirmed"
    TESTED = "test message sent"
    REMEMBERED = "mapping remembered"
    FORGOTTEN = "mapping forgotten"
    GIVEN = "access given"
    CHANGED = "access changed"
    TAKEN = "access taken away"
    USER_MADE = "user made"
    USER_DELETED = "user deleted"
    ADDRESS_SET = "sign-in address set"
    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """``at``: fixed-width UTC text. ``via``: the network address, blank on the command line. ``did``: a `Did`, or what
    a later version has written. ``about``: small JSON. ``place``: tells it from all others, and sorts by time."""

    at: str
    by: str
    role: str
    via: str
    did: str
    about: Mapping[str, Any]
    place: str

    @property
    def store(self) -> str | None:
        store = self.about.get("store")
        return store if isinstance(store, str) else None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("at", "by", "role", "via", "did", "about")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are looked for; None: any. ``store``: what names one, as a correction does; the stores that stand
    in a file are not known when it is sent."""

    by: str | None = None
    did: str | None = None
    store: str | None = None

    def places(self) -> re.Pattern[str]:
        """The places that entries which fit may have: a mark may stand for two names."""
        any_mark = "[0-9a-f]{8}"
        by, store = (any_mark if name is None else _mark(_short(name)) for name in (self.by, self.store))
        return re.compile(f"{_ID}-{by}-{store}-{'[a-z-]+' if self.did is None else re.escape(_slug(self.did))}")

    def fits(self, one: Entry) -> bool:
        """The same, surely."""
        by = self.by is None or _short(self.by).casefold() == one.by.casefold()
        return by and (self.store is None or _short(self.store) == one.store)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, the newest first. ``before``: where older ones begin that were not looked at; None: there are none."""

    entries: list[Entry]
    before: str | None


ANY = Wanted()
About = Mapping[str, Any]
NOTHING: About = {}


@mapped
def note(stack: Stack, did: Did, **about: Any) -> None:
    """Write down that this person is about to do so. Unavailable when it can't be written: then it must not be done.

    ``about``: what it is done to, without anything secret and without files' contents. None is left out.
    """
    said = {name: _short(value) for name, value in about.items() if value is not None}
    who, name = stack.person, new_id()
    at = time_of(name)
    entry = {"at": at, "by": _short(who.name), "role": who.role or "none", "via": _short(who.via), "did": did}
    key = _key(place_of(name, who.name, said.get("store"), did))
    objects.put(stack.world, key, entry | {"about": said}, once=True)


@needs(Right.ADMINISTER)
@mapped
def latest(
    stack: Stack, limit: int = 100, before: str | None = None, since: str | None = None, wanted: Wanted = ANY
) -> Page:  # fmt: skip
    """The newest entries that fit. ``before`` and ``since``: a place of an entry, or a fixed-width time."""
    found: list[str] = []
    looked, may_fit = 0, wanted.places().fullmatch
    for floor, places in _back(stack, _bound(since) if since else "", _bound(before) if before else _LAST):
        found += filter(may_fit, places)
        if len(found) > limit:
            return Page(_read(stack, found[:limit], wanted), found[limit - 1])
        looked += len(places) + _A_REQUEST
        if looked >= LOOKED_AT:
            return Page(_read(stack, found, wanted), floor)
    return Page(_read(stack, found, wanted), None)


@needs(Right.ADMINISTER)
def export(stack: Stack, start: str, end: str, wanted: Wanted = ANY) -> Page:
    """The entries from a time up to another one, the newest first; AT_MOST, and then ``before`` says that more are."""
    found: list[Entry] = []
    before: str | None = end
    while before and len(found) < AT_MOST:
        page = latest(stack, AT_MOST - len(found), before, start, wanted)
        found, before = found + page.entries, page.before
    return Page(found, before)


def place_of(name: str, by: str, store: Any, did: str) -> str:
    """The place of an entry. ``name``: its time and eight random hex digits, as an upload's id."""
    return f"{name}-{_mark(_short(by))}-{_mark(store)}-{_slug(did)}"


def is_place(text: str) -> bool:
    """Whether entries can be asked for before it."""
    try:
        return _BELOW.fullmatch(text) is not None and bool(time_of(text))
    except ValueError:
        return False


def _back(stack: Stack, since: str, before: str) -> Iterator[tuple[str, list[str]]]:
    """The places of entries, from ``before`` back to ``since``, the newest first, some hours at a time; each time with
    the place that has been reached. The bucket lists forwards only, so each step asks from an earlier time on."""
    hours = 1
    for day in _days(stack):
        begin, end = _bound(times.parse(day)), _bound(times.later(times.parse(day), hours=24))
        if end <= since or begin >= before:
            continue
        top = min(before, end)
        now = _bound(times.now())
        reached = now if begin < now < top else top  # what lies ahead was written before a clock was set back
        while top > max(begin, since):
            reached = max(_bound(times.later(time_of(reached), hours=-hours)), begin, since)
            places = _listed(stack, day, reached, top)
            yield reached, places[::-1]
            top, hours = reached, max(1, hours // 2) if len(places) > _FEW else min(24, hours * 2)


def _days(stack: Stack) -> list[str]:
    """The days that have entries, the latest first."""
    asked = stack.s3.get_paginator("list_objects_v2").paginate(
        Bucket=stack.settings.bucket, Prefix=objects.AUDIT, Delimiter="/"
    )
    found = [one["Prefix"].split("/")[-2] for page in asked for one in page.get("CommonPrefixes", [])]
    return sorted(filter(_is_day, found), reverse=True)


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and bool(times.parse(text))
    except ValueError:
        return False


def _listed(stack: Stack, day: str, start: str, end: str) -> list[str]:
    """The places of a day from ``start`` on and below ``end``, in order. What is none of ours is left out."""
    found: list[str] = []
    prefix = f"{objects.AUDIT}{day}/"
    asked = stack.s3.get_paginator("list_objects_v2").paginate(
        Bucket=stack.settings.bucket, Prefix=prefix, StartAfter=prefix + start
    )
    for page in asked:
        for one in page.get("Contents", []):
            place = one["Key"].removeprefix(prefix).removesuffix(".json")
            if place >= end:
                return found
            found += [place] if _PLACE.fullmatch(place) else []
    return found


def _read(stack: Stack, places: Iterable[str], wanted: Wanted) -> list[Entry]:
    with ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(lambda place: _entry(stack.s3, stack.settings.bucket, place), places)
        return [one for one in found if wanted.fits(one)]


@lru_cache(_KEPT)
def _entry(s3: Any, bucket: str, place: str) -> Entry:
    """An entry, asked for once: it never changes. What is not as we write it is shown as far as it can be read."""
    body = s3.get_object(Bucket=bucket, Key=_key(place))["Body"].read(_BIGGEST)
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = {}
    said = said if isinstance(said, dict) else {}
    by, role, via, did = (str(_short(said.get(name, "?"))) for name in ("by", "role", "via", "did"))
    about = _short(said.get("about"), MOST + 1)  # our own lists, with the sign that there are more
    return Entry(time_of(place), by, role, via, did, about if isinstance(about, dict) else {}, place)


def _key(place: str) -> str:
    return f"{objects.AUDIT}{time_of(place)[:10]}/{place}.json"


def _bound(text: str) -> str:
    """A place below which the entries of before a time stand; what is a place already stays."""
    return text if _BELOW.fullmatch(text) else f"{re.sub('[-:.Z]', '', text)}-"


def _mark(name: Any) -> str:
    return hashlib.sha256(str(name or "").casefold().encode(errors="replace")).hexdigest()[:8]


def _slug(did: str) -> str:
    return did.replace(" ", "-")


def _short(value: Any, most: int = MOST) -> Any:
    """A value as an entry has it: JSON, and no longer than it need be."""
    if isinstance(value, str):
        whole = value.encode(errors="replace").decode()  # half a surrogate pair can be written, and not be shown
        return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - 1]}…"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return {_short(name): _short(one, most) for name, one in value.items()}
    if isinstance(value, list | tuple):
        rest = [f"… and {len(value) - most:,} more"] if len(value) > most else []
        return [*(_short(one, most) for one in value[:most]), *rest]
    return value

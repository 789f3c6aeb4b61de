"""The Lambdas' logs in CloudWatch: followed while somebody looks, looked back into, and those of one upload's runs.

Owns what is asked and how much of it. A question always has a start, and an answer an end: the embedded engine gives
the oldest 10,000 events and no token, AWS page after page. What a line says is `services.loglines`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lambdas import tables, times
from services.access import Right, needs
from services.errors import mapped
from services.loglines import Event, LogLine, event, lines
from services.stack import Stack

FUNCTIONS = ("loader", "recorder", "checker", "sweeper")
MINUTES = 15.0
"""So much of the past is followed."""
_AT_MOST = 8_000
"""Events of one function: of more, the latest."""
_STREAMS = 100  # FilterLogEvents takes so many by name
_SHORT_SECONDS, _LONG_SECONDS = 5, 60
"""How far back a follower asks again: events come in late on AWS. The long way only once in so many seconds."""

Ask = Callable[[int, int | None], list[Event]]
"""Events from a moment on, and to another one or to the latest: epoch milliseconds."""


@dataclass
class Tail:
    """The log lines of the last minutes. What is asked for is what has come since the last time."""

    stack: Stack
    clock: Callable[[], float] = time.monotonic
    _logs: Any = None
    _events: dict[str, list[Event]] = field(default_factory=dict)
    _looked_far: float | None = None

    @mapped
    def refresh(self) -> list[LogLine]:
        """Every line of the last minutes, in order; of a busy function those of a shorter while."""
        self.stack.person.must(Right.OPERATE)
        self._logs = self._logs or self.stack.client("logs")
        far = self._looked_far is None or self.clock() - self._looked_far > _LONG_SECONDS
        back = 1000 * (_LONG_SECONDS + _SHORT_SECONDS if far else _SHORT_SECONDS)
        found = tables.each(lambda name: self._followed(name, back), FUNCTIONS)
        self._events = dict(zip(FUNCTIONS, found, strict=True))
        if far:
            self._looked_far = self.clock()
        return lines(one for name in FUNCTIONS for one in self._events[name])

    def _followed(self, name: str, back: int) -> list[Event]:
        """What was known from the window's start to where it is asked again, and the answer."""
        held, window = self._events.get(name, []), _ago(MINUTES)
        start = max(window, held[-1].at - back) if held else window
        kept = [one for one in held if window <= one.at < start]
        return (kept + _newest(_asking(self._logs, _group(self.stack, name)), start))[-_AT_MOST:]


@mapped
@needs(Right.OPERATE)
def before(stack: Stack, minutes: float) -> list[LogLine]:
    """The log lines of so many minutes, in order; the latest of each function."""
    logs, start = stack.client("logs"), _ago(minutes)
    found = tables.each(lambda name: _newest(_asking(logs, _group(stack, name)), start), FUNCTIONS)
    return lines(one for part in found for one in part)


@dataclass(frozen=True, slots=True)
class Trace:
    """What the Lambdas logged in one upload's runs, in order. ``shared``: of the runs (by request id) that did other
    uploads' work too, how many uploads; ``cut``: there is more than was looked at."""

    lines: list[LogLine]
    shared: dict[str, int]
    cut: bool


@mapped
@needs(Right.OPERATE)
def of_upload(stack: Stack, upload_id: str, since: str) -> Trace:
    """Every line of every run that names the upload. ``since``: when it was received."""
    logs, start = stack.client("logs"), int(times.moment(since).timestamp() * 1000) - 1000
    found = tables.each(lambda name: _traced(logs, _group(stack, name), upload_id, start), FUNCTIONS)
    told = lines(one for part, _ in found for one in part)
    runs = {one.request_id for one in told if upload_id in one.uploads}
    own = [one for one in told if one.request_id in runs]
    others: dict[str, set[str]] = {}
    for one in own:
        others.setdefault(one.request_id, set()).update(set(one.uploads) - {upload_id})
    return Trace(own, {run: len(ids) for run, ids in others.items() if ids}, any(cut for _, cut in found))


def _traced(logs: Any, of: "_Group", upload_id: str, start: int) -> tuple[list[Event], bool]:
    """All events of the log streams in which the upload is named, from then until a minute after."""
    named = _asking(logs, of, f'"{upload_id}"')(start, None)
    if not named:
        return [], False
    found: list[Event] = []
    for part in tables.chunks(sorted({one.stream for one in named}), _STREAMS):
        found += _asking(logs, of, streams=part)(start, named[-1].at + 60_000)
    return sorted(found, key=lambda one: one.at), len(named) > _AT_MOST


def _newest(ask: Ask, start: int, end: int | None = None) -> list[Event]:
    """The latest of the events between. An answer that is cut off lacks them: then the later half is asked first."""
    found = ask(start, end)
    if len(found) <= _AT_MOST:
        return found
    last = end if end is not None else max(_ago(0), found[-1].at + 1)
    half = (start + last) // 2
    if half <= start:
        return found[-_AT_MOST:]
    late = _newest(ask, half, end)
    return late if len(late) >= _AT_MOST else (_newest(ask, start, half - 1) + late)[-_AT_MOST:]


class _Group(NamedTuple):
    """A function, and the name of its log group."""

    function: str
    name: str


def _group(stack: Stack, function: str) -> _Group:
    return _Group(function, f"{stack.settings.logs}/{function}")


def _asking(logs: Any, of: _Group, pattern: str = "", streams: Sequence[str] = ()) -> Ask:
    return lambda start, end: list(_events(logs, of, start, end, pattern, streams))


def _events(
    logs: Any, of: _Group, start: int, end: int | None, pattern: str, streams: Sequence[str]
) -> Iterator[Event]:  # fmt: skip
    """The oldest events, and one more than at most, by which it is seen that there are more. A function that never ran
    has no log group."""
    more = {"filterPattern": pattern, "endTime": end, "logStreamNames": list(streams)}
    question: dict[str, Any] = {key: value for key, value in more.items() if value}
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=of.name, startTime=start, **question,
        PaginationConfig={"MaxItems": _AT_MOST + 1, "PageSize": _AT_MOST + 1},
    )  # fmt: skip
    try:
        for page in pages:
            yield from (event(of.function, one) for one in page["events"])
    except logs.exceptions.ResourceNotFoundException:
        return


def _ago(minutes: float) -> int:
    return int((time.time() - 60 * minutes) * 1000)

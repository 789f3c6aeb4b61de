"""The Lambdas' runs, as their log lines tell them: how long, how many failed, how many began cold; and how far behind
the stream its two readers are.

Pure. AWS has a metric of the readers' age, the embedded engine has none: so each batch's first line says when its
oldest record was made, and the receipts say what was expected and has not come.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lambdas import times
from services.loglines import ERROR, LogLine
from services.logs import FUNCTIONS
from services.outcome import Receipt

READERS = ("recorder", "checker")
_FRESH_SECONDS = 10
"""How old the records of a batch were says how far behind its reader is, for so long."""
_GIVEN_UP_MINUTES = (
    30  # the template's MaximumRecordAgeInSeconds: what stays away longer is an incident, not on its way
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a Lambda that is over since ``at``; durations in milliseconds. ``init``: what a cold start took, where
    that is told."""

    request_id: str
    at: str
    duration: float
    failed: bool
    cold: bool = False
    init: float | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda's latest runs, newest first."""

    name: str
    runs: list[Run]

    @property
    def errors(self) -> int:
        return sum(run.failed for run in self.runs)

    @property
    def cold_starts(self) -> int:
        return sum(run.cold for run in self.runs)

    def percentile(self, share: float) -> float | None:
        """The duration (ms) that this share of the runs (0.95) did not take longer than: one of them took it."""
        took = sorted(run.duration for run in self.runs)
        return took[max(0, math.ceil(share * len(took)) - 1)] if took else None


@dataclass(frozen=True, slots=True)
class Reader:
    """One of the stream's two readers. ``behind``: seconds; 0 when it is up to date. ``stuck``: its last batch failed,
    and is delivered again. ``waited``: how old the oldest record of its last batch was when that was taken up."""

    name: str
    behind: float
    stuck: bool
    waited: float | None
    records: int  # that its latest batches held


def functions(found: Iterable[LogLine]) -> list[Function]:
    """Each Lambda with its runs."""
    found = list(found)
    failed = {one.request_id for one in found if one.level == ERROR}
    cold = {one.request_id for one in found if one.cold}
    runs: dict[str, list[Run]] = {name: [] for name in FUNCTIONS}
    for one in reversed(found):
        if one.took is not None:
            run = one.request_id
            runs[one.function].append(Run(run, one.at, one.took, run in failed, run in cold, one.init))
    return [Function(*each) for each in runs.items()]


def readers(found: Iterable[LogLine], sent: Iterable[Receipt], now: str) -> list[Reader]:
    """The recorder and the checker, as of ``now``."""
    found, sent = list(found), list(sent)
    failed = {one.request_id for one in found if one.level == ERROR}
    return [_reader(name, [one for one in found if one.function == name], failed, sent, now) for name in READERS]


def _reader(name: str, own: Sequence[LogLine], failed: set[str], sent: Sequence[Receipt], now: str) -> Reader:
    batches = [one for one in own if one.oldest]
    records = sum(one.records or 0 for one in batches if one.request_id not in failed)
    if not batches:
        return Reader(name, _missed(name, sent, now), False, None, records)
    last = batches[-1]
    waited = _seconds(last.oldest, last.at)
    done = [one.oldest or "" for one in batches if one.request_id not in failed]
    open_since = [one.oldest for one in batches if one.request_id in failed and not _repeated(one, batches, failed)]
    behind = max(
        max((_seconds(since, now) for since in open_since), default=0.0),
        waited if done and _seconds(last.at, now) < _FRESH_SECONDS else 0.0,
        _missed(name, sent, now),
    )
    return Reader(name, behind, bool(open_since), waited, records)


def _repeated(failing: LogLine, batches: Sequence[LogLine], failed: set[str]) -> bool:
    """Whether a batch that failed went well when it was delivered again: one that reaches as far back."""
    return any(
        one.at > failing.at and (one.oldest or "") <= (failing.oldest or "")
        for one in batches
        if one.request_id not in failed
    )


def _missed(name: str, sent: Sequence[Receipt], now: str) -> float:
    """For how long records have been expected that the reader has not told of yet."""
    earliest = times.later(now, minutes=-_GIVEN_UP_MINUTES)
    since = [
        one.loaded_at
        for one in sent
        if one.state == "loaded" and one.loaded_at and one.loaded_at > earliest and _lacks(name, one)
    ]
    return max((_seconds(one, now) for one in since), default=0.0)


def _lacks(name: str, of: Receipt) -> bool:
    seen = of.records_checked if name == "checker" else of.records_seen or 0
    return seen < of.records_expected


def _seconds(start: str | None, end: str) -> float:
    return max(0.0, (times.moment(end) - times.moment(start)).total_seconds()) if start else 0.0

"""What a Lambda's log says, line by line: whose run each line belongs to, and what a run's last line tells of it.

Pure. Owns the reading of CloudWatch's events: our own lines are JSON, Lambda's are START, END and REPORT, and what is
neither (a traceback of Python's own, a timeout) belongs to the run that its log stream is in.
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lambdas import times

ERROR, WARNING, INFO, REPORT = "ERROR", "WARNING", "INFO", "REPORT"
_RAW = "RAW"
_START = re.compile(r"START RequestId: (\S+)")
_SILENT = re.compile(r'(END RequestId|INIT_START|INIT_REPORT|EXTENSION)\b|\{"_aws":')  # the last are metrics
_REPORT = re.compile(r"REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms")
_INIT = re.compile(r"\bInit Duration: ([\d.]+) ms")
_STATUS = re.compile(r"\bStatus: (\S+)")
_WRONG = re.compile(r"\[(ERROR|CRITICAL)\]|Traceback \(most recent call last\)|Task timed out|Runtime exited")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a Lambda logged. ``level``: ERROR, WARNING, INFO; REPORT: the run is over, and ``took`` so long.

    Durations are in milliseconds. ``init``: what a cold start took; only AWS tells it. ``oldest``: when the oldest of
    a batch's stream records was made. ``detail``: a traceback.
    """

    at: str
    function: str
    level: str
    message: str
    request_id: str
    uploads: tuple[str, ...] = ()
    detail: str = ""
    cold: bool = False
    records: int | None = None
    oldest: str | None = None
    took: float | None = None
    init: float | None = None

    def as_json(self) -> dict[str, Any]:
        names = ("at", "function", "level", "message", "request_id", "detail")
        return {name: getattr(self, name) for name in names} | {"uploads": list(self.uploads)}


@dataclass(frozen=True, slots=True)
class Event:
    """An event of CloudWatch: a line, the beginning of a run, or nothing to tell. ``at``: its milliseconds."""

    at: int
    stream: str
    line: LogLine | None
    begins: str = ""


def event(function: str, found: Mapping[str, Any]) -> Event:
    """An event as FilterLogEvents gives it."""
    at, text = int(found["timestamp"]), str(found["message"]).rstrip("\n")
    stream = str(found["logStreamName"])
    if begun := _START.match(text):
        return Event(at, stream, None, begun[1])
    if _SILENT.match(text) or not text.strip():
        return Event(at, stream, None)
    moment = times.of_epoch(at / 1000)
    line = _reported(function, moment, text) or _ours(function, moment, text)
    return Event(at, stream, line or LogLine(moment, function, _RAW, text, ""))


def _reported(function: str, at: str, text: str) -> LogLine | None:
    found = _REPORT.match(text)
    if not found:
        return None
    took, init, status = float(found[2]), _INIT.search(text), _STATUS.search(text)
    level = ERROR if status and status[1] in ("error", "timeout") else REPORT
    began = float(init[1]) if init else None
    told = f"ran {took:,.0f} ms" + (f", after {began:,.0f} ms to start" if began else "")
    told += f": {status[1]}" if status and level == ERROR else ""
    return LogLine(at, function, level, told, found[1], cold=init is not None, took=took, init=began)


def _ours(function: str, at: str, text: str) -> LogLine | None:
    """A line of ours, as aws-lambda-powertools writes them."""
    try:
        said = json.loads(text)
        # The line's own time, to the millisecond: CloudWatch may take in a whole run's lines at one moment.
        at = times.text(datetime.strptime(said["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z"))
        level, message = str(said["level"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        return None
    own, level = said.get("upload_id"), ERROR if level == "CRITICAL" else level
    return LogLine(
        at, function, level, message, said.get("function_request_id", ""),
        (own,) if own else tuple(said.get("uploads", ())),
        said.get("exception", ""), bool(said.get("cold_start")), said.get("records"), said.get("oldest"),
    )  # fmt: skip


def lines(events: Iterable[Event]) -> list[LogLine]:
    """The lines, in the order of their times; within a run in the order in which they were written."""
    run: dict[str, str] = {}
    raw: dict[str, int] = {}  # by stream, where the text stands that the next line of it may go on with
    last: dict[str, str] = {}
    found: list[LogLine] = []
    for one in events:
        if one.begins:
            run[one.stream] = one.begins
            raw.pop(one.stream, None)
            last.pop(one.stream, None)
        if one.line is None:
            continue
        if one.line.level != _RAW:
            raw.pop(one.stream, None)
            last[one.stream] = one.line.at
            found.append(one.line)
        elif one.stream in raw:
            before = found[raw[one.stream]]
            found[raw[one.stream]] = replace(before, message=f"{before.message}\n{one.line.message}")
        else:  # it has no time of its own: on the embedded engine all of a run's events bear the time of its end
            raw[one.stream] = len(found)
            at = last.get(one.stream, one.line.at)
            found.append(replace(one.line, at=at, request_id=run.get(one.stream, "")))
    return sorted((_told(one) if one.level == _RAW else one for one in found), key=lambda one: one.at)


def _told(raw: LogLine) -> LogLine:
    """Text of several lines: the one that says what it is, and the whole of it."""
    parts = [part for part in raw.message.split("\n") if part.strip()]
    says = parts[-1] if parts[0].startswith("Traceback") else parts[0]
    wrong = _WRONG.search(raw.message)
    return replace(
        raw, level=ERROR if wrong else INFO, message=says.strip(), detail=raw.message if len(parts) > 1 else ""
    )


def fitting(found: Sequence[LogLine], text: str = "", levels: Iterable[str] = (), function: str = "") -> list[LogLine]:
    """The lines that hold the text, in any case, in what they say or in a traceback or id; the latest first."""
    wanted, of = text.casefold().strip(), set(levels)
    return [
        one
        for one in reversed(found)
        if (not of or one.level in of) and (not function or one.function == function) and _holds(one, wanted)
    ]


def _holds(one: LogLine, wanted: str) -> bool:
    told = (one.message, one.function, one.level, one.request_id, *one.uploads, one.detail)
    return not wanted or any(wanted in part.casefold() for part in told)

"""The pipeline at work: the Lambdas' runs and their log lines, and the queues.

Runs are read off the REPORT lines that Lambda writes to CloudWatch Logs after each one, here as on AWS.
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from lambdas import times
from services.errors import mapped
from services.stack import Stack

FUNCTIONS = ("loader", "recorder", "checker", "sweeper")
_REPORT = re.compile(r"REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms")
_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a Lambda; its duration in milliseconds."""

    request_id: str
    at: str
    duration: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda's latest runs, newest first."""

    name: str
    runs: list[Run]

    @property
    def errors(self) -> int:
        return sum(run.failed for run in self.runs)

    @property
    def typical(self) -> float | None:
        """The median duration in milliseconds."""
        return median(run.duration for run in self.runs) if self.runs else None


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a Lambda logged."""

    at: str
    function: str
    level: str
    message: str
    request_id: str


@mapped
def functions(stack: Stack, minutes: float = 15) -> list[Function]:
    """The Lambdas and their runs of the last minutes; of a busy one, of a shorter while."""
    return [Function(name, _runs(stack, name, minutes)) for name in FUNCTIONS]


@mapped
def waiting(stack: Stack) -> dict[str, int]:
    """How many messages wait in the queue, are at the loader, and are on their way from there to the sweeper."""
    visible, hidden = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
    sqs = stack.client("sqs")
    queue, dead = (_depth(sqs, url) for url in (stack.settings.queue, stack.settings.dead_letter_queue))
    return {"waiting": queue[visible], "loading": queue[hidden], "given up": dead[visible] + dead[hidden]}


@mapped
def log(stack: Stack, upload_id: str, since: str) -> list[LogLine]:
    """What the Lambdas logged of one upload, in order. ``since``: when it was received."""
    lines = [line for name in FUNCTIONS for line in _said(stack, name, upload_id, since)]
    return sorted(lines, key=lambda line: line.at)


def _depth(sqs: Any, url: str) -> dict[str, int]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return {name: int(found[name]) for name in names}


def _runs(stack: Stack, name: str, minutes: float) -> list[Run]:
    while True:
        start = times.later(times.now(), minutes=-minutes)
        reports = list(_lines(stack, name, '"REPORT RequestId"', start))
        if len(reports) < _AT_MOST:
            break
        minutes /= 4  # what is cut off is the latest: of so many the last stretch is read
    failed = {_request(line["message"]) for line in _lines(stack, name, "ERROR", start)}
    runs = [_run(line, failed) for line in reports]
    return sorted((run for run in runs if run), key=lambda run: run.at, reverse=True)


def _run(line: dict[str, Any], failed: set[str]) -> Run | None:
    found = _REPORT.search(line["message"])
    if not found:
        return None
    error = found[1] in failed or "Status: error" in line["message"] or "Status: timeout" in line["message"]
    return Run(found[1], times.of_epoch(line["timestamp"] / 1000), float(found[2]), error)


def _request(message: str) -> str:
    try:
        return str(json.loads(message).get("function_request_id", ""))
    except (ValueError, AttributeError):
        return ""


def _said(stack: Stack, name: str, upload_id: str, since: str) -> Iterator[LogLine]:
    for line in _lines(stack, name, f'"{upload_id}"', since):
        try:
            said = json.loads(line["message"])
        except ValueError:
            continue  # not one of our lines
        # The line's own time, to the millisecond: CloudWatch may take in a whole run's lines at one moment.
        at = times.text(datetime.strptime(said["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z"))
        yield LogLine(at, name, said["level"], said["message"], said.get("function_request_id", ""))


def _lines(stack: Stack, name: str, pattern: str, since: str) -> Iterator[dict[str, Any]]:
    """The log lines of a Lambda that hold the pattern. A function that never ran has no log group."""
    logs = stack.client("logs")
    group = f"/aws/lambda/{getattr(stack.settings, name)}"
    start = int(times.moment(since).timestamp() * 1000)
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern=pattern, startTime=start, PaginationConfig={"MaxItems": _AT_MOST}
    )
    try:
        for page in pages:
            yield from page["events"]
    except logs.exceptions.ResourceNotFoundException:
        return

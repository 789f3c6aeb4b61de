"""Failures: what could not be done and is not lost, and running it again.

A failed upload stands on its receipt, all else in the Failures table; here they are one list.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas import failures, receipts
from lambdas.sweeping import FILE
from services import audit
from services.access import Right, needs
from services.errors import NotFound, mapped
from services.stack import Stack

_AT_MOST = 200
_WHAT = {
    FILE: "a file could not be loaded",
    failures.RECORD: "a stream record could not be kept",
    failures.CHECK: "a stream record could not be checked for alerts",
    failures.NOTICE: "a notification could not be sent",
    failures.MESSAGE: "a message could not be used",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed. ``tries``: how often it was tried again; ``next_at``: when it is tried again by itself."""

    kind: str
    id: str  # unique among all kinds
    about: str  # the file's name, or `Berlin · Tea`
    reason: str
    failed_at: str
    tries: int
    next_at: str | None

    @property
    def what(self) -> str:
        return _WHAT[self.kind]

    @property
    def is_file(self) -> bool:
        return self.kind == FILE

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Failure.__slots__}


@mapped
@needs(Right.OPERATE)
def every(stack: Stack) -> list[Failure]:
    """What failed and still needs help, the latest first: a Query for each kind, of what is mostly empty."""
    files = receipts.waiting(stack.dynamodb, stack.settings.uploads_table, receipts.HELP, _AT_MOST)
    found = [*map(_file, files), *map(_other, failures.every(stack.world, _AT_MOST))]
    return sorted(found, key=lambda one: one.failed_at, reverse=True)


@mapped
@needs(Right.OPERATE)
def payload(stack: Stack, failure_id: str) -> Any:
    """What failed, as JSON has it. NotFound when nothing of that id needs help any more."""
    kind, name = _split(failure_id)
    if kind == FILE:
        found = receipts.get(stack.dynamodb, stack.settings.uploads_table, name) or {}
        return {attribute: found[attribute] for attribute in ("Bucket", "Key", "Version") if attribute in found}
    if (failure := failures.get(stack.world, kind, name)) is None:
        raise NotFound(f"Nothing of the id “{failure_id}” has failed, or it has been mended.")
    return failures.payload(stack.world, failure)


@mapped
@needs(Right.OPERATE)
def retry(stack: Stack, failure_id: str) -> str:
    """Run it again, now. Empty when that went well, else the reason why not. A file goes to the loader again."""
    kind, name = _split(failure_id)
    audit.note(stack, audit.Did.RUN_AGAIN, failure=failure_id, upload=name if kind == FILE else None)
    said = _sweeper(stack, {"retry": {"kind": kind, "failure_id": name}})
    return "" if said["done"] else str(said["reason"])


@mapped
@needs(Right.OPERATE)
def put_aside(stack: Stack, failure_id: str) -> None:
    """A failed file is not to be loaded: it leaves the list, its receipt stays. Nothing else can be put aside."""
    kind, name = _split(failure_id)
    if kind != FILE:
        raise NotFound(f"{failure_id} is no file: it has to be run again.")
    audit.note(stack, audit.Did.PUT_ASIDE, upload=name)
    receipts.put_aside(stack.dynamodb, stack.settings.uploads_table, name)


@mapped
@needs(Right.OPERATE)
def sweep(stack: Stack) -> Mapping[str, int]:
    """Look for what hangs or failed at once, as it is done every minute: how many were lost, driven and retried."""
    return {name: int(count) for name, count in _sweeper(stack, {}).items()}


def _sweeper(stack: Stack, event: Mapping[str, Any]) -> dict[str, Any]:
    answer = stack.client("lambda").invoke(FunctionName=stack.settings.sweeper, Payload=json.dumps(event))
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return {"done": False, "reason": said.get("errorMessage", "The sweeper failed.")}
    return said


def _split(failure_id: str) -> tuple[str, str]:
    kind, slash, name = failure_id.partition("/")
    if not slash or kind not in _WHAT:
        raise NotFound(f"Nothing of the id “{failure_id}” has failed. The list of failures has the ids.")
    return kind, name


def _file(receipt: Mapping[str, Any]) -> Failure:
    upload_id = receipt["UploadId"]
    said = receipt["Name"], receipt.get("Reason", ""), receipt.get("FailedAt", receipt["ReceivedAt"])
    return Failure(FILE, f"{FILE}/{upload_id}", *said, int(receipt.get("Runs", 1)) - 1, None)


def _other(item: Mapping[str, Any]) -> Failure:
    kind, name = item["Kind"], str(item["Id"])
    said = item.get("About", name[:40]), item["Reason"], item["FailedAt"]
    return Failure(kind, f"{kind}/{name}", *said, int(item["Tries"]), item.get("NextAt"))

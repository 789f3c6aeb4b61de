"""Sweeping: what hangs and what failed is found, and driven again.

Owns when something counts as hanging, and how each kind of failure is run again. Knows nothing of events.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas import answers, bucket, checking, failures, notifying, receipts, recording, times
from lambdas.receipts import ANSWER, HELP, LOADER, Receipt
from lambdas.stream import of_record
from lambdas.upload import Address, Upload, s3_event
from lambdas.world import World

FILE = "file"
"""The kind of a failed upload, beside those of `lambdas.failures`."""
_DRIVES = 6  # after 3, 6, 12, … minutes: then it has failed
_IN_TURN = 20  # times as long may a big file wait for its turn, while parts of others are being loaded
_AT_MOST = 500
_TURN_SECONDS = 5.0  # an upload that is driven again is waited for, so that they take effect in order
_STEP_SECONDS = 0.05
Tell = Callable[[str, str], None]
"""Takes what was done with an upload, and its id."""


def _to_nobody(_what: str, _upload_id: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class Sweeper:
    """``sqs`` and ``sns`` are boto3 clients; ``time_left`` is in seconds; ``tell`` is told of each upload."""

    world: World
    sqs: Any
    sns: Any
    time_left: Callable[[], float]
    tell: Tell = _to_nobody

    def sweep(self, *, everything: bool) -> dict[str, int]:
        """Drive on what hangs and try again what failed; how many of each. ``everything``: the bucket as well."""
        lost = bucket.missing(self.world) if everything else []
        for upload in lost:  # from here on its receipt says that it is waited for
            receipts.received(self.world.dynamodb, self._uploads, upload)
        hanging = [*self._hanging({upload.id for upload in lost}), *self._answered()]
        driven = sum(self._drive(receipt) for receipt in sorted(hanging, key=lambda one: str(one["UploadId"])))
        due = [one for one in failures.every(self.world, _AT_MOST) if one.get("NextAt", "~") <= times.now()]
        again = sum(self.retry(one["Kind"], one["Id"])["done"] for one in due if one["Kind"] != failures.NOTICE)
        again += self._notify([one for one in due if one["Kind"] == failures.NOTICE])
        told = notifying.send_held(self.world, self.sns)  # last: files wait for no message
        return {"lost": len(lost), "driven": driven, "retried": again, "told": told}

    def stuck(self) -> dict[str, int]:
        """What does not get on: uploads that hang or were driven again and still wait, uploads that failed by no fault
        of their files and wait for help, and failures that are kept. Of each kind so many at most as are worked on."""
        waiting = receipts.waiting(self.world.dynamodb, self._uploads, LOADER, _AT_MOST)
        failed = receipts.waiting(self.world.dynamodb, self._uploads, HELP, _AT_MOST)
        return {
            "Hanging": sum(_drives(one) > 0 or self._hangs(one) for one in waiting),
            "Failed": sum(not one.get("Unreadable") for one in failed),
            "Failures": sum(1 for _ in failures.every(self.world, _AT_MOST)),
        }

    @property
    def _uploads(self) -> str:
        return self.world.settings.uploads_table

    def _hanging(self, lost: set[str]) -> Iterable[Receipt]:
        """The uploads that wait for the loader and have not moved for long; and those that were ``lost``."""
        waiting = receipts.waiting(self.world.dynamodb, self._uploads, LOADER, _AT_MOST)
        return [receipt for receipt in waiting if receipt["UploadId"] in lost or self._hangs(receipt)]

    def _hangs(self, receipt: Receipt) -> bool:
        after = float(self.world.settings.hang_seconds) * float(2 ** _drives(receipt))
        still = _still(receipt)
        return still > after and ("Parted" not in receipt or still > _IN_TURN * after or not self._parts_wait())

    def _parts_wait(self) -> bool:
        """Whether parts of big files wait for a loader: then one that stands still may only wait for its turn."""
        asked = {"QueueUrl": self.world.settings.parts_queue, "AttributeNames": ["ApproximateNumberOfMessages"]}
        return int(self.sqs.get_queue_attributes(**asked)["Attributes"]["ApproximateNumberOfMessages"]) > 0

    def _answered(self) -> list[Receipt]:
        """The uploads that wait for an answer although one was given: it was lost on the way to the loader, or what
        was known of it. One that did not suffice is not tried for ever."""
        waiting = list(receipts.waiting(self.world.dynamodb, self._uploads, ANSWER, _AT_MOST))
        given = set(answers.upload_ids(self.world)) if waiting else set()
        answered = [receipt for receipt in waiting if receipt["UploadId"] in given]
        return [one for one in answered if "AnsweredAt" not in one or (self._hangs(one) and _drives(one) < _DRIVES)]

    def _drive(self, receipt: Receipt) -> bool:
        """Send an upload to the loader once more, and give it a moment; too often is failed."""
        client, upload_id = self.world.dynamodb, receipt["UploadId"]
        if _drives(receipt) >= _DRIVES:
            reason = f"It hung, and was sent to the loader {_DRIVES} times more without an end."
            self.tell("given up", upload_id)
            return receipts.trouble(client, self._uploads, upload_id, reason, last=True)
        if not receipts.driven(client, self._uploads, upload_id, receipt):
            return False
        self.tell("it hung, and goes to the loader again", upload_id)
        self._send(receipt)
        until = time.monotonic() + min(_TURN_SECONDS, self.time_left() - 2 * _TURN_SECONDS)
        while time.monotonic() < until and self._waits_as(receipt):
            time.sleep(_STEP_SECONDS)
        return True

    def _waits_as(self, before: Receipt) -> bool:
        now = receipts.get(self.world.dynamodb, self._uploads, before["UploadId"]) or {}
        return all(now.get(name) == before.get(name) for name in ("Waiting", "WaitingAt"))

    def _send(self, receipt: Receipt) -> None:
        body = json.dumps(s3_event(_upload(receipt)))
        self.sqs.send_message(QueueUrl=self.world.settings.queue, MessageBody=body)

    def _notify(self, refused: Sequence[failures.Failure]) -> int:
        """Send the messages that SNS refused all at once, as they would have gone together; how many are done."""
        if not refused:
            return 0
        try:
            unsent = notifying.all_once_more(
                self.world, self.sns, [failures.payload(self.world, one) for one in refused]
            )
        except Exception:  # noqa: BLE001 (whatever is wrong with one of them, the others are not to wait for it)
            return sum(self.retry(one["Kind"], one["Id"])["done"] for one in refused)
        still = {one.name: one for one in unsent}
        for one in refused:
            if again := still.get(one["Id"]):
                again.keep(self.world)
            else:
                failures.mended(self.world, failures.NOTICE, one["Id"])
        return len(refused) - len(still)

    def retry(self, kind: str, failure_id: str) -> dict[str, Any]:
        """Run a failure again: whether it is done, and if not, the reason. What is gone is done."""
        if kind == FILE:
            return self._retry_file(failure_id)
        failure = failures.get(self.world, kind, failure_id)
        if failure is None:
            return {"done": True, "reason": ""}
        payload = failures.payload(self.world, failure)
        try:
            self._again(kind, payload)
        except Exception as error:  # noqa: BLE001 (whatever it is, the failure stays, with what it says now)
            kept = error.unsent.payload if isinstance(error, notifying.Refused) else payload
            failures.keep(self.world, kind, failure_id, f"{type(error).__name__}: {error}", kept)
            return {"done": False, "reason": str(error)}
        failures.mended(self.world, kind, failure_id)
        return {"done": True, "reason": ""}

    def _again(self, kind: str, payload: Any) -> None:
        if kind == failures.NOTICE:
            notifying.once_more(self.world, self.sns, payload)
        elif kind == failures.RECORD:
            recording.record(self.world, [of_record(payload)])
        elif kind == failures.CHECK:  # with what came after it: that may have closed what this opens
            change = of_record(payload)
            checking.check(self.world, self.sns, [change])
            checking.settle(self.world, recording.later(self.world, change))
        else:
            self.sqs.send_message(QueueUrl=self.world.settings.queue, MessageBody=payload["body"])

    def _retry_file(self, upload_id: str) -> dict[str, Any]:
        receipt = receipts.get(self.world.dynamodb, self._uploads, upload_id) or {}
        if receipts.again(self.world.dynamodb, self._uploads, upload_id):
            self.tell("run again, as was asked", upload_id)
            self._send(receipt)
            return {"done": True, "reason": ""}
        return {"done": False, "reason": "It has not failed."}


def _drives(receipt: Mapping[str, Any]) -> int:
    return int(receipt.get("Drives", 0))


def _still(receipt: Mapping[str, Any]) -> float:
    """Seconds since an upload moved. A time that lies ahead is a clock that was set back, and counts as long ago."""
    moved = max(receipt.get(name, "") for name in ("ReceivedAt", "RunAt", "PartAt", "WaitingAt", "DrivenAt"))
    return abs((times.moment(times.now()) - times.moment(moved)).total_seconds())


def _upload(receipt: Mapping[str, Any]) -> Upload:
    address = Address(receipt["Bucket"], receipt["Key"], receipt.get("Version"))
    return Upload(receipt["UploadId"], address, receipt["Name"])

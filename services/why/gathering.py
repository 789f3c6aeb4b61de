"""Gathering the facts about one row's way.

Owns which questions are asked, each a Query or a GetItem on a key, and that what lies behind a missing link is not
asked for. Judges nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from lambdas import failures, inventory, points, receipts, tallies, times
from lambdas.fates import WRITES, Fate
from lambdas.stream import item_key
from services import alerts, changes, uploads
from services.stack import Stack
from services.why import finding
from services.why.chain import Asked
from services.why.facts import Facts, Held, Lies

_FAILURES, _COUNTED, _LOOKED = 200, 2_000, 5


def gather(stack: Stack, asked: Asked) -> Facts:
    """All there is to know. NotFound when there is no such upload."""
    of = uploads.receipt(stack, asked.upload_id)
    kept = receipts.get(stack.dynamodb, stack.settings.uploads_table, asked.upload_id) or {}
    found = finding.find(stack, asked.upload_id, of.parts, asked)
    facts = Facts(asked, times.now(), of, kept, _lies(stack, kept), found)
    if facts.line is None:
        return facts
    if facts.fate not in WRITES:
        return replace(facts, held=_held(stack, facts)) if facts.fate is Fate.UNCHANGED else facts
    return _written(stack, facts)


def _lies(stack: Stack, kept: Mapping[str, Any]) -> Lies | None:
    if "Key" not in kept:
        return None
    version = {"VersionId": kept["Version"]} if kept.get("Version") else {}
    try:
        head = stack.s3.head_object(Bucket=kept["Bucket"], Key=kept["Key"], **version)
    except stack.s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 405):  # 405: its version is a deletion
            raise
        return None
    return Lies(int(head["ContentLength"]), times.text(head["LastModified"]))


def _key(facts: Facts) -> str:
    line = facts.line or {}
    return item_key(line["store"], line["item"])


def _held(stack: Stack, facts: Facts) -> Held | None:
    """By the latest change up to then that made the item what it was; where that is no longer kept, by the item."""
    line, at = facts.line or {}, facts.applied_at or facts.now
    if "was" not in line:  # an undo found it gone
        return None
    was = Decimal(line["was"])
    latest = changes.before(stack, _key(facts), at, _LOOKED)
    made = next((one for one in latest if one.new_count == was and one.new), None)
    if made and made.new:
        return _by(stack, made.new.get("UpdatedAt"), made.new.get("UploadId"))
    key = line["store"], line["item"]
    now = inventory.held(inventory.read(stack.dynamodb, stack.settings.inventory_table, [key]).get(key))
    return _by(stack, now.updated_at, now.upload_id) if now and now.count == was and now.updated_at <= at else None


def _by(stack: Stack, at: str | None, upload_id: str | None) -> Held | None:
    file = uploads.names(stack, [upload_id]).get(upload_id, "") if upload_id else ""
    return Held(at, file) if at else None


def _written(stack: Stack, facts: Facts) -> Facts:
    key, upload_id = _key(facts), facts.asked.upload_id
    made = changes.of_upload_to_item(stack, upload_id, key, facts.of.received_at or facts.now)
    if not made:
        besides = [one for one in alerts.of_item(stack, key) if one.opened_by == upload_id]
        return replace(
            facts, failure=_not_kept(stack, key, upload_id), besides=tuple(besides),
            lost=_gave_up(stack, stack.settings.recorder, facts),
        )  # fmt: skip
    facts = replace(facts, change=made[-1], written=len(made))
    facts = replace(facts, kept_at=_through(stack, facts, tallies.KEPT), failure=_failed(stack, facts, failures.CHECK))
    if facts.failure or not (checked_at := _through(stack, facts, tallies.CHECKED)):
        return replace(facts, lost=_gave_up(stack, stack.settings.checker, facts))
    return _checked(stack, replace(facts, checked_at=checked_at), key)


def _checked(stack: Stack, facts: Facts, key: str) -> Facts:
    line, of = facts.line or {}, facts.change
    if of is None:
        return facts
    before, since = alerts.around(stack, key, of.position)
    point = points.of_keys(stack.world, [(line["store"], line["item"])]).of(line["store"], line["item"])
    facts = replace(facts, before=tuple(before), since=tuple(since), point=point)
    return replace(facts, failure=_failed(stack, facts, failures.NOTICE)) if facts.opened else facts


def _failed(stack: Stack, facts: Facts, kind: str) -> failures.Failure | None:
    """The failure of its check, or of one of its messages: their ids are known."""
    of = facts.change
    names = [of.event_id] if of and kind == failures.CHECK else []
    if kind == failures.NOTICE:
        names = [f"{_key(facts)}#{one.position}" for one in facts.opened.values()]
    found = (failures.get(stack.world, kind, name) for name in names)
    return next(filter(None, found), None)


def _not_kept(stack: Stack, key: str, upload_id: str) -> failures.Failure | None:
    """The failure of the item's stream record. Nobody knows its id; the list is mostly empty."""
    for one in failures.of_kind(stack.world, failures.RECORD, _FAILURES):
        record = failures.payload(stack.world, one) if "About" in one else {}
        names = record.get("dynamodb", {}).get("Keys", {})
        image = record.get("dynamodb", {}).get("NewImage", {})
        ours = image.get("UploadId", {}).get("S") == upload_id
        if ours and item_key(names["Store"]["S"], names["Item"]["S"]) == key:
            return one
    return None


def _gave_up(stack: Stack, function: str, facts: Facts) -> bool:
    """Whether since then the stream gave up a batch for a function, whose records are gone: nobody knows whose."""
    for one in failures.of_kind(stack.world, failures.MESSAGE, _FAILURES):
        if one["FailedAt"] < (facts.applied_at or ""):
            continue
        body = failures.payload(stack.world, one).get("body", "")
        if "DDBStreamBatchInfo" in body and function in json.loads(body)["requestContext"]["functionArn"]:
            return True
    return False


def _through(stack: Stack, facts: Facts, what: str) -> str | None:
    """When the batch that held the change was kept, or checked; None when it is not certain that it was.

    While records are missing it is counted how many of the upload's lie from the batch's first one to this one.
    """
    own = tallies.batches(stack.dynamodb, stack.settings.tallies_table, facts.asked.upload_id, what)
    of, sequence = facts.of, int(facts.change.sequence) if facts.change else 0
    up_to = [one for one in own if int(one.first) <= sequence]
    if not own:
        return None
    batch, done = (up_to or own)[-1], of.records_seen if what == tallies.KEPT else of.records_checked
    if of.state == "loaded" and (done or 0) >= of.records_expected:
        return batch.at
    made = changes.of_upload(stack, facts.asked.upload_id, _COUNTED)
    place = sum(int(batch.first) <= int(one.sequence) <= sequence for one in made)
    return batch.at if up_to and len(made) < _COUNTED and place <= batch.records else None

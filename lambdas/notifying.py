"""Notifying: each opened episode's message goes to SNS; what SNS does not take is kept as a failure.

An episode waits for nobody: that SNS refuses holds up neither the stream nor the alerts of others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas import alerts, episodes, failures, notices, receipts, tables
from lambdas.stream import Change, as_record, item_key, of_record
from lambdas.world import World

_AT_ONCE = 10  # SNS takes ten messages a call


def notify(world: World, sns: Any, changes: Sequence[Change]) -> None:
    """Send the messages of these crossings. One that may have been sent before says so."""
    again = notices.attempted(world, changes)
    for change, reason, unsure in _send(world, sns, changes, again):
        payload = {"record": as_record(change), "repeat": unsure or change.position in again}
        failures.keep(world, failures.NOTICE, _name(change), reason, payload)


def once_more(world: World, sns: Any, payload: Mapping[str, Any]) -> None:
    """Send what was refused, unless it has been sent since. Raises Refused when it is refused again."""
    change = of_record(payload["record"])
    if not episodes.to_notify(world, change):
        return
    again = {change.position} if payload["repeat"] else set()
    for _, reason, unsure in _send(world, sns, [change], again):
        raise Refused(reason, {"record": payload["record"], "repeat": payload["repeat"] or unsure})


class Refused(Exception):
    """SNS did not take it. ``payload``: what is to be kept for the next time."""

    def __init__(self, reason: str, payload: dict[str, Any]):
        super().__init__(reason)
        self.payload = payload


def _name(change: Change) -> str:
    return f"{item_key(change.store, change.item)}#{change.position}"


def _send(world: World, sns: Any, changes: Sequence[Change], again: set[str]) -> list[tuple[Change, str, bool]]:
    """What was not sent: with the reason, and whether SNS may have taken it all the same."""
    names = {upload_id: _upload(world, upload_id) for upload_id in {change.upload_id for change in changes}}
    failed: list[tuple[Change, str, bool]] = []
    for part in tables.chunks(changes, _AT_ONCE):
        entries = [_entry(str(n), one, names[one.upload_id], one.position in again) for n, one in enumerate(part)]
        repeats = [_entry(str(n), one, names[one.upload_id], again=True) for n, one in enumerate(part)]
        try:
            answer = _publish(world, sns, entries, repeats)
        except (BotoCoreError, ClientError) as error:
            failed += [(change, str(error), not _refused(error)) for change in part]
            continue
        for sent in answer["Successful"]:
            episodes.notified(world, part[int(sent["Id"])], sent["MessageId"])
        refused = answer.get("Failed", [])
        failed += [(part[int(one["Id"])], f"{one['Code']}: {one.get('Message')}", False) for one in refused]
    return failed


def _publish(world: World, sns: Any, entries: list[Any], repeats: list[Any]) -> Any:
    """SNS's answer. When none came, or one that leaves it open, it is asked once more, with ``repeats``."""
    try:
        return sns.publish_batch(TopicArn=world.settings.topic, PublishBatchRequestEntries=entries)
    except (BotoCoreError, ClientError) as error:
        if _refused(error):
            raise
    return sns.publish_batch(TopicArn=world.settings.topic, PublishBatchRequestEntries=repeats)


def _refused(error: BotoCoreError | ClientError) -> bool:
    """Whether SNS certainly did not take it: it answered, and that the fault is on our side."""
    return isinstance(error, ClientError) and error.response["ResponseMetadata"].get("HTTPStatusCode", 500) < 500


def _entry(number: str, change: Change, upload: str, again: bool) -> dict[str, Any]:
    words = alerts.message(change.store, change.item, change.old_count, change.new_count, upload, again=again)
    store = {"DataType": "String", "StringValue": change.store}
    subject = alerts.subject(change.store, change.item)
    return {"Id": number, "Subject": subject, "Message": words, "MessageAttributes": {"store": store}}


def _upload(world: World, upload_id: str | None) -> str:
    if upload_id is None:
        return ""
    receipt = receipts.get(world.dynamodb, world.settings.uploads_table, upload_id)
    return f"{receipt['Name']} ({upload_id})" if receipt else upload_id

"""Notifying: what opened is told by SNS, one message for each store; what SNS does not take is kept as a failure.

An episode waits for nobody: that SNS refuses holds up neither the stream nor the alerts of others. What is held is
said in `lambdas.holding`, the words in `lambdas.alerts`.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas import alerts, episodes, failures, holding, notices, receipts, tables
from lambdas.alerts import Told
from lambdas.episodes import Opening
from lambdas.stream import as_record, of_record
from lambdas.world import World

_AT_ONCE = 10  # SNS takes ten messages a call


def notify(world: World, sns: Any, openings: Sequence[Opening]) -> None:
    """Send the messages of these crossings, but for what is to be held. One that may have been sent before says so."""
    going = holding.let_through(world, openings)
    again = notices.attempted(world, going)
    for unsent in _send(world, sns, going, again):
        unsent.keep(world)


def send_held(world: World, sns: Any) -> int:
    """Send what was held and has waited long enough, if it is still to be sent. How many crossings were told."""
    going = holding.due(world, partial(_keep_unread, world))
    again = notices.attempted(world, going)
    unsent = _send(world, sns, going, again, _often(world, going))
    for one in unsent:
        one.keep(world)
        episodes.release(world, one.opening)  # kept as a failure, it is not held any more
    return len(going) - len(unsent)


def once_more(world: World, sns: Any, payload: Mapping[str, Any]) -> None:
    """Send what was refused, unless it has been sent since. Raises Refused when it is refused again."""
    for unsent in all_once_more(world, sns, [payload]):
        raise Refused(unsent)


def all_once_more(world: World, sns: Any, payloads: Sequence[Mapping[str, Any]]) -> list["Unsent"]:
    """Send what was refused, unless it has been sent since; in quiet hours it is held. What is refused again."""
    openings = [(one, payload["repeat"]) for payload in payloads if (one := _opening(world, payload))]
    again = {one.name for one, repeat in openings if repeat}
    going = holding.not_quiet(world, [one for one, _ in openings if episodes.to_notify(world, one)])
    return _send(world, sns, going, again, _often(world, going))


@dataclass(frozen=True, slots=True)
class Unsent:
    """SNS did not take a crossing's message. ``repeat``: it may have taken one all the same, now or before."""

    opening: Opening
    reason: str
    repeat: bool

    @property
    def name(self) -> str:
        """The id of its failure."""
        return self.opening.name

    @property
    def payload(self) -> dict[str, Any]:
        """What is to be kept for the next time. `_opening` reads it."""
        point = self.opening.point
        low = {} if point is None else {"point": str(point)}
        return {"record": as_record(self.opening.change), "repeat": self.repeat} | low

    def keep(self, world: World) -> None:
        failures.keep(world, failures.NOTICE, self.name, self.reason, self.payload)


def _opening(world: World, payload: Mapping[str, Any]) -> Opening | None:
    """None: it is of an episode that could not be read, and that has ended or is gone."""
    if "episode" not in payload:
        return Opening(of_record(payload["record"]), Decimal(payload["point"]) if "point" in payload else None)
    found = episodes.get(world, *payload["episode"])
    return episodes.opening_of(found) if found and "ClosedAt" not in found else None


def _keep_unread(world: World, episode: Mapping[str, Any], error: Exception) -> None:
    """A held episode that can't be told of as it stands is kept as a failure, and not held any more."""
    key = episode["ItemKey"], episode["Position"]
    failures.keep(
        world, failures.NOTICE, "#".join(key), f"{type(error).__name__}: {error}", {"episode": key, "repeat": False}
    )
    episodes.release_unread(world, episode)


class Refused(Exception):
    """SNS did not take it."""

    def __init__(self, unsent: Unsent):
        super().__init__(unsent.reason)
        self.unsent = unsent


@dataclass(frozen=True, slots=True)
class _Message:
    """What goes to SNS at once: the crossings of one store. ``again``: all of them may have been told before."""

    store: str
    openings: Sequence[Opening]
    told: Sequence[Told]
    again: bool

    def entry(self, number: int, *, again: bool) -> dict[str, Any]:
        """As PublishBatch takes it."""
        store = {"DataType": "String", "StringValue": self.store}
        entry: dict[str, Any] = {"Id": str(number), "MessageAttributes": {"store": store}}
        if len(self.told) == 1:
            [one] = self.told
            text = alerts.alone(self.store, one, again=again)
            return entry | {"Subject": alerts.subject(self.store, one.item, one.kind), "Message": text}
        text = alerts.digest(self.store, self.told, again=again)
        both = alerts.by_protocol(text, alerts.digest_in_short(self.store, self.told, again=again))
        subject = alerts.digest_subject(self.store, self.told)
        return entry | {"Subject": subject, "Message": both, "MessageStructure": "json"}


def _send(
    world: World, sns: Any, openings: Sequence[Opening], again: Set[str], often: Mapping[str, int] | None = None
) -> list[Unsent]:
    """What was not sent. One message for each store, as subscriptions are by store; what may have been told before goes
    by itself, so that a message that says so says it of all that it tells.
    ``again``: the names of such; ``often``: by name, how often it was."""
    failed: list[Unsent] = []
    for part in tables.chunks(_messages(world, openings, again, often or {}), _AT_ONCE):
        entries = [one.entry(number, again=one.again) for number, one in enumerate(part)]
        repeats = [one.entry(number, again=True) for number, one in enumerate(part)]
        try:
            answer = _publish(world, sns, entries, repeats)
        except (BotoCoreError, ClientError) as error:
            unsure = not _refused(error)
            failed += [Unsent(own, str(error), unsure or one.again) for one in part for own in one.openings]
            continue
        for sent in answer["Successful"]:
            for opening in part[int(sent["Id"])].openings:
                episodes.notified(world, opening, sent["MessageId"])
        for not_sent in answer.get("Failed", []):
            one, reason = part[int(not_sent["Id"])], f"{not_sent['Code']}: {not_sent.get('Message')}"
            failed += [Unsent(own, reason, one.again) for own in one.openings]
    return failed


def _messages(
    world: World, openings: Sequence[Opening], again: Set[str], often: Mapping[str, int]
) -> Iterator[_Message]:  # fmt: skip
    files = {upload_id: _upload(world, upload_id) for upload_id in {one.change.upload_id for one in openings}}
    groups: dict[tuple[str, bool], list[Opening]] = {}
    for one in openings:
        groups.setdefault((one.change.store, one.name in again), []).append(one)
    for (store, repeats), own in groups.items():
        told = [_told(one, files[one.change.upload_id], often.get(one.name, 1)) for one in own]
        yield _Message(store, own, told, repeats)


def _told(one: Opening, upload: str, times: int) -> Told:
    change = one.change
    return Told(change.item, change.old_count, change.new_count, upload, times, one.point)


def _often(world: World, openings: Sequence[Opening]) -> dict[str, int]:
    """How often each of these happened within a day, by name."""
    counts = tables.each(lambda one: holding.times_out(world, one), openings)
    return {one.name: count for one, count in zip(openings, counts, strict=True)}


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


def _upload(world: World, upload_id: str | None) -> str:
    if upload_id is None:
        return ""
    receipt = receipts.get(world.dynamodb, world.settings.uploads_table, upload_id)
    return f"{receipt['Name']} ({upload_id})" if receipt else upload_id

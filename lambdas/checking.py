"""Checking: a batch of changes is looked at for items that ran out or came back.

Owns the order of the steps: open and close the episodes, send what is to be sent, count. Safe to repeat as a whole.
"""

from collections.abc import Iterable
from typing import Any

from lambdas import episodes, receipts
from lambdas.alerts import Crossing, crossing
from lambdas.episodes import Ledger
from lambdas.recording import by_upload
from lambdas.settings import Settings
from lambdas.stream import Change


def check(dynamodb: Any, sns: Any, settings: Settings, changes: Iterable[Change]) -> dict[str | None, int]:
    """Open, close and notify what the changes call for; how many alerts each upload opened."""
    ledger = Ledger(dynamodb, sns, settings.alerts_table, settings.topic)
    changes = list(changes)
    to_send = []
    for change in changes:  # in the stream's order, whichever upload: one may close what another opened
        what = crossing(change.old_count, change.new_count)
        if what is Crossing.CLOSES:
            episodes.close_one(ledger, change)
        elif what is Crossing.OPENS and episodes.open_one(ledger, change):
            to_send.append(change)
    names = {upload_id: _name(dynamodb, settings, upload_id) for upload_id in {c.upload_id for c in to_send}}
    episodes.notify(ledger, to_send, names)
    groups = by_upload(changes)
    opened = {upload_id: _opened(own) for upload_id, own in groups.items()}
    for upload_id, own in groups.items():
        if upload_id:
            counts = {"Checked": len(own), "Opened": opened[upload_id]}
            receipts.tally(dynamodb, settings.uploads_table, upload_id, own[0].sequence, **counts)
    return opened


def _opened(changes: Iterable[Change]) -> int:
    return sum(crossing(change.old_count, change.new_count) is Crossing.OPENS for change in changes)


def _name(dynamodb: Any, settings: Settings, upload_id: str | None) -> str:
    if upload_id is None:
        return ""
    receipt = receipts.get(dynamodb, settings.uploads_table, upload_id)
    return f"{receipt['Name']} ({upload_id})" if receipt else upload_id

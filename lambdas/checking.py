"""Checking: a batch of changes is looked at for items that ran out or came back.

Owns the order of the steps: open and close the episodes, send what is to be sent, count. Safe to repeat as a whole.
"""

from collections.abc import Iterable
from typing import Any

from lambdas import episodes, receipts
from lambdas.alerts import Crossing, crossing
from lambdas.notifying import notify
from lambdas.recording import by_upload
from lambdas.stream import Change
from lambdas.world import World


def check(world: World, sns: Any, changes: Iterable[Change]) -> dict[str | None, int]:
    """Open, close and notify what the changes call for; how many alerts each upload opened."""
    changes = list(changes)
    notify(world, sns, settle(world, changes))
    groups = by_upload(changes)
    opened = {upload_id: _opened(own) for upload_id, own in groups.items()}
    for upload_id, own in groups.items():
        if upload_id:
            counts = {"Checked": len(own), "Opened": opened[upload_id]}
            receipts.tally(world.dynamodb, world.settings.uploads_table, upload_id, own[0].sequence, **counts)
    return opened


def settle(world: World, changes: Iterable[Change]) -> list[Change]:
    """Open and close the episodes; the changes whose notifications are still to be sent."""
    to_send = []
    for change in changes:  # in the stream's order, whichever upload: one may close what another opened
        what = crossing(change.old_count, change.new_count)
        if what is Crossing.CLOSES:
            episodes.close_one(world, change)
        elif what is Crossing.OPENS and episodes.open_one(world, change):
            to_send.append(change)
    return to_send


def _opened(changes: Iterable[Change]) -> int:
    return sum(crossing(change.old_count, change.new_count) is Crossing.OPENS for change in changes)

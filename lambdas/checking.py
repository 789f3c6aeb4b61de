"""Checking: a batch of changes is looked at for items that ran out, are low, or came back.

Owns the order of the steps: open and close the episodes, send what is to be sent, count. Safe to repeat as a whole.
"""

from collections.abc import Iterable
from typing import Any

from lambdas import episodes, tallies
from lambdas.alerts import Crossing, crossing
from lambdas.episodes import Opening
from lambdas.lows import Lows
from lambdas.notifying import notify
from lambdas.recording import by_upload
from lambdas.spending import metered
from lambdas.stream import Change
from lambdas.world import World


def check(world: World, sns: Any, changes: Iterable[Change]) -> dict[str | None, int]:
    """Open, close and notify what the changes call for; how many items each upload ran out."""
    changes = list(changes)
    with metered() as meter:
        notify(world, sns, settle(world, changes))
    groups, spent, table = by_upload(changes), meter.take(), world.settings.tallies_table
    opened = {upload_id: _opened(own) for upload_id, own in groups.items()}
    for upload_id, own in groups.items():
        if upload_id:
            first, share = own[0].sequence, spent.part(len(own), len(changes))
            tallies.put(
                world.dynamodb, table, upload_id, tallies.CHECKED, first, len(own), share, opened=opened[upload_id]
            )
    return opened


def settle(world: World, changes: Iterable[Change]) -> list[Opening]:
    """Open and close the episodes; those whose notifications are still to be sent. A change has one message, and out is
    what it tells."""
    changes = list(changes)
    lows = Lows(world, changes)
    to_send: list[Opening] = []
    for change in changes:  # in the stream's order, whichever upload: one may close what another opened
        what = crossing(change.old_count, change.new_count)
        if what is Crossing.CLOSES:
            episodes.close_one(world, change)
        elif what is Crossing.OPENS and episodes.open_one(world, change):
            to_send.append(Opening(change))
        if low := lows.settle(change, quiet=what is Crossing.OPENS):
            to_send.append(Opening(change, low))
    return to_send


def _opened(changes: Iterable[Change]) -> int:
    return sum(crossing(change.old_count, change.new_count) is Crossing.OPENS for change in changes)

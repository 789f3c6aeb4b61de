"""Notices: which notifications have been attempted, written down before SNS is asked.

SNS can't be asked whether it took a message, and a run that breaks off right after it did knows nothing of it. So
that a message that may have been sent before says so, every attempt is first put into the bucket.
"""

import secrets
from collections.abc import Iterable

from lambdas import objects
from lambdas.stream import Change, item_key
from lambdas.world import World


def attempted(world: World, changes: Iterable[Change]) -> set[str]:
    """Of these changes' notifications those that have been attempted before, by the changes' positions; and all of
    them are attempted from now on. One LIST and one PUT for each upload."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(_prefix(change), []).append(change)
    return {position for prefix, own in groups.items() for position in _attempted(world, prefix, own)}


def _attempted(world: World, prefix: str, changes: list[Change]) -> set[str]:
    known = {item for key in objects.keys(world, prefix) for item in objects.get(world, key) or ()}
    again = {change.position for change in changes if _name(change) in known}
    if fresh := sorted({_name(change) for change in changes} - known):
        objects.put(world, f"{prefix}{secrets.token_hex(4)}.json", fresh)
    return again


def _prefix(change: Change) -> str:
    return f"{objects.NOTICES}{change.upload_id or 'by-hand-' + change.sequence}/"


def _name(change: Change) -> str:
    return item_key(change.store, change.item)

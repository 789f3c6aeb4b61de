"""Notices: which notifications have been attempted, written down before SNS is asked.

SNS can't be asked whether it took a message, and a run that breaks off right after it did knows nothing of it. So
that a message that may have been sent before says so, every attempt is first put into the bucket.
"""

import secrets
from collections.abc import Iterable

from lambdas import objects
from lambdas.alerts import Kind
from lambdas.episodes import LOW_ENDS, Opening
from lambdas.stream import item_key
from lambdas.world import World


def attempted(world: World, openings: Iterable[Opening]) -> set[str]:
    """Of these notifications those that have been attempted before, by the openings' names; and all of them are
    attempted from now on. One LIST and one PUT for each upload."""
    groups: dict[str, list[Opening]] = {}
    for one in openings:
        groups.setdefault(_prefix(one), []).append(one)
    return {name for prefix, own in groups.items() for name in _attempted(world, prefix, own)}


def _attempted(world: World, prefix: str, openings: list[Opening]) -> set[str]:
    known = {item for key in objects.keys(world, prefix) for item in objects.get(world, key) or ()}
    again = {one.name for one in openings if _name(one) in known}
    if fresh := sorted({_name(one) for one in openings} - known):
        objects.put(world, f"{prefix}{secrets.token_hex(4)}.json", fresh)
    return again


def _prefix(one: Opening) -> str:
    return f"{objects.NOTICES}{one.change.upload_id or 'by-hand-' + one.change.sequence}/"


def _name(one: Opening) -> str:
    """One upload moves an item once: so short a name tells its episodes apart, but for their kinds."""
    key = item_key(one.change.store, one.change.item)
    return key if one.kind is Kind.OUT else f"{key}{LOW_ENDS}"

"""Grants: what the sender of an upload may load, as it was when the file was sent.

Owns where a grant is kept and what it leaves of a file. A grant lies in the bucket under a name of its own content and
never changes; an upload names it in its object's metadata, so that it holds for this file alone, whatever id another
file is dropped under. An upload without one was put into the bucket by whoever may do so there: all of it is loaded.
Knows nothing of people's roles.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from lambdas import objects
from lambdas.fates import Mode
from lambdas.stockfile import Reading, Reject, Row, Unreadable
from lambdas.world import World


@dataclass(frozen=True, slots=True)
class Grant:
    """``stores`` None: all of them. ``modes``: the ways in which files may be applied."""

    stores: frozenset[str] | None
    modes: frozenset[Mode]

    @property
    def id(self) -> str:
        """How an upload names it: 32 hex digits."""
        return hashlib.sha256(json.dumps(self.as_json()).encode()).hexdigest()[:32]

    def as_json(self) -> dict[str, Any]:
        return {"stores": None if self.stores is None else sorted(self.stores), "modes": sorted(self.modes)}

    def of(self, reading: Reading) -> Reading:
        """What is left of a file: a row of another store can't be used."""
        told = [self.one(row) for row in reading.rows]
        rows = [one for one in told if isinstance(one, Row)]
        foreign = [one for one in told if isinstance(one, Reject)]
        return replace(reading, rows=rows, rejects=[*reading.rejects, *foreign]) if foreign else reading

    def one(self, row: Row | Reject) -> Row | Reject:
        """The row, if it may be loaded."""
        allowed = self.stores
        if allowed is None or isinstance(row, Reject) or row.store in allowed:
            return row
        return Reject(row.number, row.column or "store", row.store, "who sent the file may not load this store")


def keep(world: World, grant: Grant) -> str:
    """Put it there, if it is not, for the loader; its id."""
    objects.put(world, _key(grant.id), grant.as_json(), once=True)
    return grant.id


def get(world: World, grant_id: str, mode: Mode) -> Grant:
    """The grant of an id. Unreadable when there is none, or when it does not allow this mode."""
    said = objects.get(world, _key(grant_id))
    if said is None:
        raise Unreadable(f"The file was sent with the grant “{grant_id}”, which does not exist. Send it again.")
    stores = None if said["stores"] is None else frozenset(said["stores"])
    found = Grant(stores, frozenset(map(Mode, said["modes"])))
    if mode not in found.modes:
        raise Unreadable(f"Who sent the file may not have it applied in the mode “{mode}”.")
    return found


def _key(grant_id: str) -> str:
    return f"{objects.GRANTS}{grant_id}.json"

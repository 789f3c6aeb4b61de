"""The ledger: facts come in in any order, and go out item by item.

A temporary database that lies on the disk when it is big, so that a million items need no more memory than a hundred.
"""

import json
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from lambdas import tables
from lambdas.fates import Key
from lambdas.stream import Change
from lambdas.tables import Item
from services.verifying.facts import Facts, Stated

_HELD, _STATED, _CHANGE, _EPISODE = range(4)
_AT_ONCE = 5_000
Row = tuple[str, str, int, str, str]


class Ledger:
    """The facts of a verification."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # "": a file of its own, gone when it is closed
        self._database.execute("CREATE TABLE facts (store TEXT, item TEXT, kind INT, place TEXT, fact TEXT)")
        self._new: list[Row] = []

    def held(self, key: Key, item: Item) -> None:
        self._add(key, _HELD, "", item)

    def stated(self, one: Stated) -> None:
        count, was = (None if number is None else str(number) for number in (one.count, one.was))
        fact = [one.upload_id, one.row, count, one.at, one.fate, was]
        self._add((one.store, one.item), _STATED, one.upload_id, fact)

    def change(self, one: Change) -> None:
        fact = [one.event_id, one.sequence, one.event_name, one.at, one.old, one.new, one.user]
        self._add((one.store, one.item), _CHANGE, f"{one.sequence:0>40}#{one.position}", fact)

    def episode(self, key: Key, item: Item) -> None:
        self._add(key, _EPISODE, item["Position"]["S"], item)

    def items(self) -> Iterator[Facts]:
        """The facts of each item, by store and item. Nothing may be added any more."""
        self._flush()
        everything = self._database.execute("SELECT * FROM facts ORDER BY store, item, kind, place")
        for key, rows in groupby(everything, lambda row: row[:2]):
            yield _facts(key, rows)

    def close(self) -> None:
        self._database.close()

    def _add(self, key: Key, kind: int, place: str, fact: Any) -> None:
        # Bytes and sets are in an item only when somebody's hand wrote them: any spelling does that is always the same.
        self._new.append((*key, kind, place, json.dumps(fact, default=repr)))
        if len(self._new) >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO facts VALUES (?, ?, ?, ?, ?)", self._new)
        self._new.clear()


def _facts(key: Key, rows: Iterator[Row]) -> Facts:
    facts = Facts(*key)
    for _, _, kind, _, said in rows:
        fact = json.loads(said)
        if kind == _HELD:
            facts.held = fact
        elif kind == _STATED:
            facts.stated.append(_stated(key, *fact))
        elif kind == _CHANGE:
            event_id, sequence, name, at, old, new, user = fact
            facts.changes.append(Change(event_id, sequence, name, at, *key, old, new, user))
        else:
            facts.episodes.append(tables.from_item(fact))
    return facts


def _stated(
    key: Key, upload_id: str, row: int, count: str | None, at: str | None, fate: str | None, was: str | None
) -> Stated:
    stated, before = (None if number is None else Decimal(number) for number in (count, was))
    return Stated(*key, upload_id, row, stated, at, fate, before)

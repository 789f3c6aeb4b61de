"""Applying: rows of a file are judged against the Inventory table, and written.

Owns the steps between reading and the receipt. Knows nothing of files or of a receipt's state.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from lambdas import files, inventory, lines, receipts, reruns, tables
from lambdas.fates import Applied, Fate, Key, Mode, Verdict, judge
from lambdas.others import Others
from lambdas.stockfile import Row
from lambdas.tables import Item
from lambdas.upload import Upload
from lambdas.world import World

PART = 10_000
"""How many rows are judged, written and counted at a time: what one run does is never more than this ahead of what
the receipt knows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What rows would do: a verdict for each, the items that were read, the uploads that were asked."""

    verdicts: list[Verdict]
    items: dict[Key, Item]
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Application:
    """One upload being applied. ``rerun``: an earlier run may have written some of the rows."""

    world: World
    others: Others
    applied: Applied
    rerun: bool = False

    @classmethod
    def of(cls, world: World, upload: Upload, at: str, *, rerun: bool = False) -> "Application":
        """``at``: the time that rows count as of when they state none, as in ``Applied``."""
        return cls(world, Others(world, upload), Applied(upload.id, upload.mode, at), rerun)

    def plan(self, rows: list[Row]) -> Plan:
        """Judge rows against what the table holds now. Writes nothing."""
        table = self.world.settings.inventory_table
        items = inventory.read(self.world.dynamodb, table, [(row.store, row.item) for row in rows])
        verdicts = [judge(row, inventory.held(items.get((row.store, row.item))), self.applied) for row in rows]
        verdicts, asked = self.others.overruled(self._remembered(verdicts), self.applied)
        return Plan(verdicts, items, asked)

    def apply(self, rows: list[Row]) -> list[Verdict]:
        """Write what rows want written; the verdicts that were really carried out. Safe to repeat.

        Newer uploads that were crossed by it have had their word again when this returns.
        """
        planned = self.plan(rows)
        verdicts = self._write(planned)
        for upload, keys in self.others.crossed(verdicts, planned.asked):
            amend(self.world, upload, keys)
        return verdicts

    def _write(self, planned: Plan) -> list[Verdict]:
        """Apply the verdicts. A lost race is judged again."""
        table = self.world.settings.inventory_table
        if self.applied.mode is not Mode.NEWEST:
            inventory.put(self.world.dynamodb, table, _plain_items(planned))
            return planned.verdicts
        final = {_place(verdict): verdict for verdict in planned.verdicts}
        todo = [verdict for verdict in planned.verdicts if verdict.to_write]
        while todo:
            lost = inventory.put_if_newer(self.world.dynamodb, table, todo)
            judged = self._remembered([judge(verdict.row, now, self.applied) for verdict, now in lost])
            judged, _ = self.others.overruled(judged, self.applied)
            final |= {_place(verdict): verdict for verdict in judged}
            todo = [verdict for verdict in judged if verdict.to_write]
        return list(final.values())

    def _remembered(self, verdicts: list[Verdict]) -> list[Verdict]:
        return reruns.remembered(self.world, self.applied.upload_id, verdicts) if self.rerun else verdicts


def amend(world: World, upload: Upload, keys: set[Key]) -> None:
    """Apply some items of an upload once more, because another one crossed it."""
    numbered = [
        (number, row)
        for number, part in enumerate(parts(files.stated(world, upload)))
        for row in part
        if (row.store, row.item) in keys
    ]
    verdicts = Application.of(world, upload, upload.time).apply([row for _, row in numbered])
    of_row = {(row.number, row.column): number for number, row in numbered}
    for number in sorted(set(of_row.values())):
        own = [verdict for verdict in verdicts if of_row[_place(verdict)] == number]
        receipts.part(world, upload, number, lines.of(own), through=False)


def parts(rows: list[Row]) -> list[list[Row]]:
    """The rows in parts, the same ones in every run; at least one, as a file without rows has a receipt too."""
    return list(tables.chunks(rows, PART)) or [[]]


def _place(verdict: Verdict) -> tuple[int, str]:
    return verdict.row.number, verdict.row.column


def _plain_items(planned: Plan) -> Iterator[Item]:
    """What the simpler modes put: what the file states, and an unchanged item exactly as it stands."""
    new = (inventory.item_of(verdict) for verdict in planned.verdicts if verdict.to_write)
    same = (v.row for v in planned.verdicts if v.fate is Fate.UNCHANGED)
    return chain(new, (planned.items[(row.store, row.item)] for row in same))

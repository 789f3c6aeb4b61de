"""Applying: rows of a file are judged against the Inventory table, and written.

Owns the steps between reading and the receipt. Knows nothing of files or of a receipt's state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lambdas import files, inventory, lines, parting, receipts, reruns, tables
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
        return cls(world, Others(world, upload), Applied(upload.id, upload.mode, at, upload.undoes or ""), rerun)

    def plan(self, rows: list[Row]) -> Plan:
        """Judge rows against what the table holds now. Writes nothing."""
        return self.judged(rows, self.read(rows))

    def read(self, rows: list[Row]) -> dict[Key, Item]:
        """What the table holds now of the rows' items."""
        table = self.world.settings.inventory_table
        return inventory.read(self.world.dynamodb, table, [(row.store, row.item) for row in rows])

    def judged(self, rows: list[Row], items: dict[Key, Item]) -> Plan:
        """Judge rows against these items, which ``read`` gave."""
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
        final, items = {_place(verdict): verdict for verdict in planned.verdicts}, dict(planned.items)
        client, table = self.world.dynamodb, self.world.settings.inventory_table
        newest, judged = self.applied.mode is Mode.NEWEST, planned.verdicts
        while puts := [(verdict, item) for verdict in judged if (item := self._item(verdict, items))]:
            lost = inventory.put_as_read(client, table, puts, newest=newest)
            _must_have_moved(lost)
            items |= {(verdict.row.store, verdict.row.item): now for verdict, now in lost if now}
            judged = [judge(verdict.row, inventory.held(now), self.applied) for verdict, now in lost]
            judged, _ = self.others.overruled(self._remembered(judged), self.applied)
            final |= {_place(verdict): verdict for verdict in judged}
        return list(final.values())

    def _item(self, verdict: Verdict, items: Mapping[Key, Item]) -> Item | None:
        """What is to be put. In the simpler modes an unchanged item is put back exactly as it stands."""
        if verdict.to_write:
            return inventory.item_of(verdict)
        back = self.applied.mode in (Mode.PLAIN, Mode.STAMP) and verdict.fate is Fate.UNCHANGED
        return items[(verdict.row.store, verdict.row.item)] if back else None

    def _remembered(self, verdicts: list[Verdict]) -> list[Verdict]:
        if not self.rerun:
            return verdicts
        return reruns.remembered(self.world, self.applied.upload_id, verdicts, one_by_one=self.others.upload.parted)


def amend(world: World, upload: Upload, keys: set[Key]) -> None:
    """Apply some items of an upload once more, because another one crossed it."""
    if upload.parted:
        numbered = parting.stated(world, upload.id, upload.mode, keys)
    else:
        every = enumerate(parts(files.stated(world, upload)))
        numbered = [(number, row) for number, part in every for row in part if (row.store, row.item) in keys]
    verdicts = Application.of(world, upload, upload.time).apply([row for _, row in numbered])
    of_row = {(row.number, row.column): number for number, row in numbered}
    for number in sorted(set(of_row.values())):
        own = [verdict for verdict in verdicts if of_row[_place(verdict)] == number]
        receipts.part(world, upload, number, lines.of(own), through=False)


def parts(rows: list[Row]) -> list[list[Row]]:
    """Rows by store and item, as ``files.rows`` gives them, in parts, the same ones in every run; at least one, as a
    file without rows has a receipt too. So a part is a stretch of a store, or of some, whatever the file's order."""
    return list(tables.chunks(rows, PART)) or [[]]


def _must_have_moved(lost: Iterable[tuple[Verdict, Item | None]]) -> None:
    """A lost race has changed the item. ValueError when it is as it was read: then it would be lost for ever."""
    for verdict, now in lost:
        if inventory.held(now) == verdict.held:
            row = verdict.row
            raise ValueError(
                f"an attribute of the item “{row.item}” of “{row.store}” has another type than ours: {now}"
            )


def _place(verdict: Verdict) -> tuple[int, str]:
    return verdict.row.number, verdict.row.column

"""What newer uploads say of the items of this one: the search for silent agreement, before and after the writes.

Owns the asking of other uploads' files, each read once. Knows nothing of writes. See docs/decisions.md, “Silent
agreement”.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from lambdas import files, parting, store_uploads, tables
from lambdas.fates import Applied, Fate, Key, Mode, Verdict, overrule
from lambdas.stockfile import Row
from lambdas.store_uploads import Spoke
from lambdas.upload import Upload
from lambdas.world import World


@dataclass
class Others:
    """The uploads beside one that is being applied."""

    world: World
    upload: Upload
    _said: dict[str, dict[Key, Row]] = field(default_factory=dict)

    def overruled(self, verdicts: list[Verdict], applied: Applied) -> tuple[list[Verdict], frozenset[str]]:
        """The verdicts after asking the newer files that agreed with the table and so left no trace in it.

        Also the ids of the uploads that were asked.
        """
        asked: set[str] = set()
        if self.upload.mode is not Mode.NEWEST:
            return verdicts, frozenset()
        for spoke in self._newer(verdict for verdict in verdicts if verdict.to_write):
            asked.add(spoke.upload.id)
            said = self._statements(spoke, [_key(verdict) for verdict in verdicts if verdict.to_write])
            verdicts = [
                overrule(verdict, row.count, row.updated_at or spoke.upload.time, spoke.upload.id, applied)
                if (row := said.get((verdict.row.store, verdict.row.item)))
                else verdict
                for verdict in verdicts
            ]
        return verdicts, frozenset(asked)

    def crossed(self, verdicts: Iterable[Verdict], asked: frozenset[str]) -> list[tuple[Upload, set[Key]]]:
        """Newer uploads that came in while this one was writing, and may have found the table as it was before.

        With each the items of which it said something else: that has to be applied once more. ``asked``: those that
        were asked before the writes. What an earlier run wrote was written before anything was asked in this one.
        """
        changed = {_key(v): v for v in verdicts if v.fate is Fate.CHANGED and v.new}
        if self.upload.mode is not Mode.NEWEST or not changed:
            return []
        if any(verdict.done for verdict in changed.values()):
            asked = frozenset()
        found = []
        for spoke in self._newer(changed.values()):
            said = {} if spoke.upload.id in asked else self._statements(spoke, changed)
            if beaten := {key for key, v in changed.items() if key in said and _beats(said[key], spoke.upload, v)}:
                found.append((spoke.upload, beaten))
        return found

    def _newer(self, verdicts: Iterable[Verdict]) -> list[Spoke]:
        """The uploads that may hold a newer word on a row that is about to change an item, or has."""
        lowest: dict[str, str] = {}
        for verdict in verdicts:
            if verdict.fate is Fate.CHANGED and verdict.new:
                store = verdict.row.store
                lowest[store] = min(lowest.get(store, self.upload.time), verdict.new.updated_at)
        client, table = self.world.dynamodb, self.world.settings.store_uploads_table
        asked = tables.each(
            lambda store: store_uploads.since(client, table, store, lowest[store], self.upload.id), lowest
        )
        return list({spoke.upload.id: spoke for part in asked for spoke in part}.values())

    def _statements(self, spoke: Spoke, keys: Collection[Key]) -> dict[Key, Row]:
        """What another upload's file says, of these items at least."""
        if spoke.upload.parted:  # too big to be held: its parts with these items are read
            found = parting.stated(self.world, spoke.upload.id, spoke.upload.mode, keys)
            return {(row.store, row.item): row for _, row in found}
        if spoke.upload.id not in self._said:
            rows = files.stated(self.world, spoke.upload)
            self._said[spoke.upload.id] = {(row.store, row.item): row for row in rows}
        return self._said[spoke.upload.id]


def _key(verdict: Verdict) -> Key:
    return verdict.row.store, verdict.row.item


def _beats(row: Row, upload: Upload, verdict: Verdict) -> bool:
    new = verdict.new
    if new is None or row.count == new.count:
        return False
    return (row.updated_at or upload.time, upload.id) > (new.updated_at, new.upload_id)

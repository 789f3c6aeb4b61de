"""What the product keeps of the files that were sent: by its own rules, in its own shapes. Pure.

Owns the order in which a file becomes a receipt, lines, changes and episodes. Knows nothing of tables or the bucket.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from lambdas import files, lines, tables, times
from lambdas.alerts import Crossing, Kind, crossing
from lambdas.episodes import OPEN
from lambdas.fates import Applied, Held, Key, Mode, Verdict, judge
from lambdas.lines import Line
from lambdas.mappings import AUTO
from lambdas.receipts import ANSWER, HELP
from lambdas.recording import item_of
from lambdas.stockfile import Reading, StockFile, Unclear, Unreadable, shape_of
from lambdas.stream import Change, item_key
from lambdas.tallies import CHECKED, KEPT, Totals
from lambdas.upload import digest_of, lowest_id, object_key
from tests.past.shops import Sent

Values = dict[str, Any]
_STILL_TO_MEND = timedelta(days=2)  # an older file that failed has been put aside


@dataclass
class Entry:
    """One upload. ``receipt`` lacks what only the bucket knows: Version and Parts."""

    sent: Sent
    upload_id: str
    key: str
    receipt: Values
    lines: list[Line] | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)  # as `lambdas.recording` keeps them
    tallies: list[Values] = field(default_factory=list)
    spoke: Values | None = None


@dataclass
class Books:
    """The books of one store after another. ``kept_from``: changes before it are kept no longer."""

    kept_from: str
    rng: Random
    held: dict[Key, Held] = field(default_factory=dict)
    ended: list[Values] = field(default_factory=list)
    still_open: dict[Key, Values] = field(default_factory=dict)
    _number: int = 0

    def enter(self, sent: Sent) -> Entry:
        """Keep what a file does; in the order in which they were sent, store by store."""
        at = times.text(sent.at)
        upload_id = f"{lowest_id(at)}{self.rng.getrandbits(32):08x}"
        started = times.text(sent.at + timedelta(milliseconds=self.rng.randint(20, 300)))
        key = object_key(upload_id, sent.name)
        receipt: Values = {
            "UploadId": upload_id, "Month": at[:7], "Name": key.rsplit("/", 1)[-1], "Key": key, "ReceivedAt": at,
            "Bytes": len(sent.data), "Mode": sent.mode.value, "StartedAt": started, "RunAt": started, "Runs": 1,
            "RequestIds": {self._uuid()}, "Digest": digest_of(sent.data), "Message": self._uuid(), "Receives": 1,
        }  # fmt: skip
        entry = Entry(sent, upload_id, key, receipt)
        try:
            self._load(entry, sent.reading or StockFile(sent.data).read(uploaded_at=at))
        except Unclear as unclear:
            question = {"about": unclear.question.about, "text": unclear.question.text}
            receipt |= {"Waiting": ANSWER, "WaitingAt": started, "Reason": unclear.question.text, "Question": question}
            receipt |= {"Shape": shape_of(sent.data)}
        except Unreadable as unreadable:
            aside = times.text(sent.at + timedelta(hours=3))
            of_late = times.text(sent.at + _STILL_TO_MEND) > times.now()
            receipt |= {"FailedAt": started, "Reason": str(unreadable), "Unreadable": True}
            receipt |= {"Waiting": HELP} if of_late else {"AsideAt": aside}
        return entry

    def _load(self, entry: Entry, reading: Reading) -> None:
        sent, receipt = entry.sent, entry.receipt
        rows, duplicates = files.rows(reading, sent.mode)
        at = receipt["StartedAt"] if sent.mode is Mode.STAMP else receipt["ReceivedAt"]
        applied = Applied(entry.upload_id, sent.mode, at)
        verdicts = [judge(row, self.held.get((row.store, row.item)), applied) for row in rows]
        loaded = times.text(sent.at + timedelta(milliseconds=400 + len(rows)))
        opened = sum(self._carried_out(entry, verdict, loaded) for verdict in verdicts)
        entry.lines = lines.of(verdicts + duplicates, reading.rejects)
        entry.spoke = {"UploadId": entry.upload_id, "Mode": sent.mode.value, "Timed": reading.timed}
        entry.spoke |= {"Name": receipt["Name"], "Key": entry.key, "Mapping": AUTO, "Store": rows[0].store}
        fates, whole = lines.count(entry.lines), len(entry.lines)
        receipt |= {"Rows": whole, "Fates": fates, "Expected": lines.expected(fates), "Whole": whole}
        receipt |= {"Stores": {row.store for row in rows}}
        receipt |= {"Mapping": AUTO, "Applying": True, "Edition": 1, "Done": 1, "PartAt": loaded, "LoadedAt": loaded}
        receipt |= {"Reads": Decimal(len(rows) // 30 + 2), "Writes": Decimal(2 * receipt["Expected"] + 6)}
        self._count(entry, opened)

    def _carried_out(self, entry: Entry, verdict: Verdict, loaded: str) -> bool:
        """Write what a verdict wants written; whether an alert was opened."""
        if verdict.new is None:
            return False
        row, old = verdict.row, verdict.held
        self.held[row.store, row.item] = verdict.new
        what = crossing(old.count if old else None, verdict.new.count)
        if what is not Crossing.NONE or loaded >= self.kept_from:
            change = self._change((row.store, row.item), old, verdict.new, loaded)
            self._episode(change, what)
            if entry.receipt["ReceivedAt"] >= self.kept_from:
                entry.changes.append(item_of(change))
        return what is Crossing.OPENS

    def _change(self, key: Key, old: Held | None, new: Held, loaded: str) -> Change:
        """The stream record of a write; the stream's times are whole seconds."""
        at, self._number = times.text(times.moment(loaded).replace(microsecond=0)), self._number + 1
        sequence = f"{int(times.moment(loaded).timestamp() * 1000):020d}{self._number:010d}"
        what, before = ("MODIFY", image(key, old)) if old else ("INSERT", None)
        return Change(self._uuid(), sequence, what, at, *key, before, image(key, new), None)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def _episode(self, change: Change, what: Crossing) -> None:
        key = (change.store, change.item)
        if what is Crossing.OPENS:
            notified = times.text(times.moment(change.at) + timedelta(milliseconds=self.rng.randint(900, 2_500)))
            self.still_open[key] = {
                "ItemKey": item_key(*key), "Position": change.position, "Kind": Kind.OUT.value,
                "Sequence": change.sequence, "Store": change.store, "Item": change.item, "Month": change.at[:7],
                "OpenedAt": change.at, "OpenedBy": change.upload_id, "OldCount": change.old_count,
                "NewCount": change.new_count, "Open": OPEN,
                "NotifiedAt": notified, "MessageId": change.event_id,
            }  # fmt: skip
        elif what is Crossing.CLOSES and (episode := self.still_open.pop(key, None)):
            del episode["Open"]
            ends = {"ClosedAt": change.at, "ClosedBy": change.upload_id, "ClosedCount": change.new_count}
            self.ended.append(episode | ends | {"ClosedPosition": change.position})

    def _count(self, entry: Entry, opened: int) -> None:
        """The stream's batches, as the recorder and the checker count them, and what they come to."""
        expected, loaded = entry.receipt["Expected"], times.moment(entry.receipt["LoadedAt"])
        seen, checked = (times.text(loaded + timedelta(milliseconds=after)) for after in (120, 190))
        took = Decimal(3 * expected), Decimal(expected)
        if expected:
            batch = f"{int(loaded.timestamp() * 1000):020d}{self._number:010d}"
            own: Values = {"UploadId": entry.upload_id, "Records": expected, "Reads": Decimal(0)}
            entry.tallies = [
                own | {"Batch": f"{KEPT}#{batch}", "At": seen, "Writes": took[0]},
                own | {"Batch": f"{CHECKED}#{batch}", "At": checked, "Writes": took[1], "Opened": opened or None},
            ]
        total = Totals(expected, expected, opened, seen, checked, Decimal(0), sum(took)) if expected else Totals()
        entry.receipt["Settled"] = total.as_values()

    def episodes(self) -> Iterator[Values]:
        yield from self.ended
        yield from self.still_open.values()

    def stock(self) -> Iterator[dict[str, Any]]:
        """What the Inventory table holds in the end, as attribute values."""
        return (image(key, held) for key, held in self.held.items())


def image(key: Key, held: Held) -> dict[str, Any]:
    """An item as `lambdas.inventory` writes it."""
    was = {"Was": held.was} if held.was is not None else {}
    return tables.to_item(
        {"Store": key[0], "Item": key[1], "Count": held.count, "UpdatedAt": held.updated_at, "UploadId": held.upload_id}
    ) | tables.to_item(was)

"""The evidence: all that is to be compared, gathered into a ledger; and what is wrong with a paper by itself.

Owns the order of the reading. Knows nothing of how an item is judged.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lambdas import files, times
from lambdas.alerts import Crossing, crossing
from lambdas.episodes import OPEN
from lambdas.fates import Key
from lambdas.tables import Item
from services.stack import Stack
from services.verifying import gathering
from services.verifying.facts import Known, Stated, text
from services.verifying.ledger import Ledger
from services.verifying.papers import Paper
from services.verifying.result import Difference, What

_YOUNG_SECONDS = 60
"""So long the stream records of an upload, or a file that was dropped into the bucket, may be on their way."""


@dataclass
class Evidence:
    """``uploads``: those with a receipt, and those that ought to have one; ``named``: those that items and changes
    speak of; ``kept`` and ``opened``: how many changes, and crossings, there are of each."""

    stack: Stack
    store: str | None
    at: str
    ledger: Ledger
    uploads: dict[str, Known] = field(default_factory=dict)
    spoke: dict[str, Known] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    kept: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    papers: list[Paper] = field(default_factory=list)
    looked: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def gather(self) -> None:
        """The files first, then their receipts: what is loaded then has its items, changes and alerts further on."""
        lying = list(gathering.versions(self.stack)) if self.store is None else []
        self.uploads = gathering.receipts(self.stack)
        self.spoke = gathering.spoke(self.stack, self.store)
        self._without_receipt(lying)
        self._items()
        self._changes()
        self._alerts()
        for known in self._chosen():
            self.looked["uploads"] += 1
            if known.state == "loaded" and not self._on_its_way(known):
                self._paper(known)
            elif known.state not in ("failed", "waiting", "unknown"):
                self.under_way.add(known.id)
                self._unsettled(known)
            elif known.applying:
                self._unsettled(known)

    def _without_receipt(self, lying: list[gathering.Version]) -> None:
        """The files that have none, and the uploads that have begun and have none."""
        lost = {upload_id: known for upload_id, known in self.spoke.items() if upload_id not in self.uploads}
        known = {_place(one) for one in (*self.uploads.values(), *lost.values())}
        self.differences += [_no_receipt(one.id, f"{one.named} was opened") for one in lost.values()]
        self.uploads |= lost
        for found in lying:
            if (found.key, found.version) in known:
                continue
            mine = found.upload_id if found.upload_id not in self.uploads else None
            if mine is None and found.at > times.later(self.at, seconds=-_YOUNG_SECONDS):
                self.under_way.add(found.key)
            else:
                self.differences.append(_no_receipt(mine or found.key, f"{found.key} lies in the bucket"))

    def _items(self) -> None:
        for item in gathering.of_store(self.stack, self.stack.settings.inventory_table, self.store):
            self.looked["items"] += 1
            self.ledger.held(_key(item), item)
            self.named.add(text(item, "UploadId") or "")

    def _changes(self) -> None:
        for item, change in gathering.changes(self.stack, self.store):
            self.looked["changes"] += 1
            where = f"{item['Bucket']['S']} {item['Position']['S']}"
            if change is None:
                said = f"the change {where} lacks what every change has"
                self.differences.append(Difference(What.RECORD, where, said))
                continue
            if wrong := gathering.misfiled(item, change):
                place = f"{change.store} · {change.item}"
                said = f"{place}: the change of {change.at} has another {' and '.join(wrong)} than its images say"
                self.differences.append(Difference(What.RECORD, place, said))
            self.ledger.change(change)
            if cause := change.upload_id:
                self.named.add(cause)
                self.kept[cause] += 1
                self.opened[cause] += crossing(change.old_count, change.new_count) is Crossing.OPENS

    def _alerts(self) -> None:
        for item in gathering.scan(self.stack, self.stack.settings.alerts_table, self.store):
            if item["Position"]["S"] != OPEN:  # else it is the marker of an item that is low
                self.looked["alerts"] += 1
                self.ledger.episode(_key(item), item)

    def _chosen(self) -> list[Known]:
        """The uploads to look at: all, or those that have to do with the store."""
        if self.store is None:
            return list(self.uploads.values())
        return [known for known in self.uploads.values() if known.id in self.spoke or known.id in self.named]

    def _on_its_way(self, known: Known) -> bool:
        receipt = known.receipt
        young = times.later(self.at, seconds=-_YOUNG_SECONDS)
        on_its_way = bool(receipt and not receipt.settled and (receipt.loaded_at or "") > young)
        if on_its_way:
            self.under_way.add(known.id)
            self._unsettled(known)
        return on_its_way

    def _paper(self, known: Known) -> None:
        paper = Paper(self.stack.world, known)
        self._state(paper.stated())
        self.looked["rows"] += paper.rows
        self.differences += paper.differences
        self.papers.append(paper)

    def _unsettled(self, known: Known) -> None:
        """Which items have to do with an upload of which it is not known what became of its rows."""
        if known.id in self.spoke:
            rows = files.stated(self.stack.world, known.upload)
            self._state(Stated(r.store, r.item, known.id, r.number, r.count, r.updated_at, None, None) for r in rows)

    def _state(self, stated: Iterator[Stated]) -> None:
        for one in stated:
            if self.store in (None, one.store):
                self.ledger.stated(one)


def _no_receipt(where: str, what: str) -> Difference:
    return Difference(What.NO_RECEIPT, where, f"{what}, and there is no receipt of it")


def _place(known: Known) -> tuple[str, str | None]:
    return known.upload.address.key, known.upload.address.version


def _key(item: Item) -> Key:
    return item["Store"]["S"], item["Item"]["S"]

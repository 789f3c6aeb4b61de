"""Verification: the order of the steps.

Everything is read into a ledger and judged item by item, so that a million items need little memory. What is found
is looked for a second time: the pipeline goes on meanwhile, and what was only on its way agrees by then.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

from lambdas import times
from lambdas.stream import KEPT_DAYS
from services import uploads
from services.access import Right, needs
from services.errors import mapped
from services.outcome import Receipt
from services.stack import Stack
from services.verifying import episodes, gathering, history, records
from services.verifying.evidence import Evidence
from services.verifying.facts import Facts, Ground
from services.verifying.ledger import Ledger
from services.verifying.papers import Paper
from services.verifying.result import Difference, Result, What

MOST = 1_000
"""How many differences are named; the others are counted."""
_AGAIN_SECONDS = 2.0
_LATE_MINUTES = 30  # twice as long as a sweeper may live, which sends what was held


@mapped
@needs(Right.OPERATE)
def verify(stack: Stack, store: str | None = None, *, again_after: float = _AGAIN_SECONDS) -> Result:
    """Everything that does not agree. Reads only.

    ``store``: only what has to do with this one; a file that nobody has opened yet is then not looked for.
    ``again_after``: seconds until what was found is looked for a second time. Raises Unavailable.
    """
    start = time.monotonic()
    found = look(stack, store, times.now())
    if found.differences:
        time.sleep(again_after)
        found = both(found, look(stack, store, times.now()))
    return replace(found, seconds=round(time.monotonic() - start, 3))


def both(first: Result, second: Result) -> Result:
    """The second of two looks, with the differences that both have found."""
    if first.more:  # not all of them are named: what is not among them may have been found all the same
        return second
    known = set(first.differences)
    return replace(second, differences=tuple(one for one in second.differences if one in known))


def look(stack: Stack, store: str | None, at: str) -> Result:
    """One look at everything, as of a time (fixed-width UTC text)."""
    with closing(Ledger()) as ledger:
        evidence = Evidence(stack, store, at, ledger)
        evidence.gather()
        cutoff = times.later(at, days=-KEPT_DAYS)
        overdue = times.later(at, minutes=-_LATE_MINUTES)
        known, notices = evidence.uploads, gathering.notices(stack)
        undone = frozenset(one.receipt.undoes for one in known.values() if one.receipt and one.receipt.undoes)
        ground = Ground(known, frozenset(evidence.under_way), cutoff, notices, overdue, undone)
        judged = Judged()
        judged.keep(evidence.differences)
        for facts in ledger.items():
            judged.item(facts, ground)
        judged.keep(_receipts(evidence, ground, judged.blamed))
    counts = {name: evidence.looked[name] for name in ("uploads", "rows", "items", "changes", "alerts")}
    return Result(
        at, 0.0, store, **counts, differences=tuple(judged.differences), more=judged.more,
        under_way=tuple(sorted(evidence.under_way)), unchecked=tuple(_unchecked(evidence, judged)),
    )  # fmt: skip


@dataclass
class Judged:
    """What was found. ``blamed``: the uploads of which records are missing or too many; ``aged``: of how many items
    the beginning is kept no longer."""

    differences: list[Difference] = field(default_factory=list)
    more: int = 0
    blamed: set[str] = field(default_factory=set)
    aged: int = 0

    def keep(self, found: Iterable[Difference]) -> None:
        for one in found:
            if len(self.differences) < MOST:
                self.differences.append(one)
            else:
                self.more += 1

    def item(self, facts: Facts, ground: Ground) -> None:
        if not ground.under_way.isdisjoint(facts.uploads()):
            return
        told = records.checked(facts, ground)
        chain = history.chain(facts, ground, told)
        self.keep([*told.differences, *chain.differences])
        self.keep(history.newest(facts, ground, chain))
        self.keep(episodes.checked(facts, ground, chain))
        self.blamed |= told.missing | told.blamed
        self.aged += chain.old


def _receipts(evidence: Evidence, ground: Ground, blamed: set[str]) -> Iterator[Difference]:
    """What receipts say of stream records and alerts is what there is of them."""
    for paper in evidence.papers:
        known = paper.known
        if known.id in blamed or ground.expired(known.id) or not _wholly(paper, evidence.store):
            continue
        kept, opened = evidence.kept[known.id], evidence.opened[known.id]
        expected = (kept, kept, opened)
        if known.receipt and _told(known.receipt) != expected:
            found = _told(uploads.receipt(evidence.stack, known.id))  # which counts anew what may be too high
            if found != expected:
                said = "{} records seen, {} checked and {} alerts"
                told = f"says {said.format(*found)}; there are {said.format(*expected)}"
                yield Difference(What.RECEIPT, known.id, f"the receipt of {known.named} {told}")


def _wholly(paper: Paper, store: str | None) -> bool:
    """Whether all of its changes were looked at."""
    return store is None or paper.stores <= {store}


def _told(receipt: Receipt) -> tuple[int, int, int]:
    return receipt.records_seen or 0, receipt.records_checked, receipt.alerts


def _unchecked(evidence: Evidence, judged: Judged) -> Iterator[str]:
    gone = [paper.known.named for paper in evidence.papers if paper.gone]
    broken = [one.named for one in evidence.uploads.values() if one.state == "failed" and one.applying]
    if gone:
        yield f"files that are no longer in the bucket: {_list(gone)}; what their receipts say was taken for it."
    if broken:
        yield f"uploads that failed after they had begun to write: {_list(broken)}."
    if judged.aged:
        yield f"what became of {judged.aged:,} items before {KEPT_DAYS} days ago: changes are not kept for longer."


def _list(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")

"""The history of an item: its changes follow from each other and end at what the table holds; and the newest wins.

Pure. Owns the chain of an item's changes and its gaps.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lambdas.fates import Mode
from lambdas.stream import Change, count_in
from lambdas.tables import Item
from services.verifying.facts import Facts, Ground, counted, same, text
from services.verifying.records import Records
from services.verifying.result import Difference, What


@dataclass(frozen=True, slots=True)
class Chain:
    """An item's changes in order. ``gaps``: before which of them (their number: at the end) something is not kept;
    ``old``: the first gap is one of age, and nothing is known of what was before it."""

    changes: list[Change]
    gaps: frozenset[int]
    old: bool
    differences: list[Difference]


def chain(facts: Facts, ground: Ground, records: Records) -> Chain:
    """``records``: as found before; what they name is not named again."""
    changes = _in_the_way(facts, records)
    before, after = [None, *(one.new for one in changes)], [*(one.old for one in changes), facts.held]
    gaps = [n for n, (left, found) in enumerate(zip(before, after, strict=True)) if not same(left, found)]
    aged = {n for n in gaps if _aged(ground, changes, n, after[n])}
    new = [n for n in gaps if n not in aged and text(after[n], "UploadId") not in records.missing]
    told = [_gap(facts, ground, changes, n, before[n], after[n]) for n in new]
    told += [_idle(facts, ground, one) for one in changes if same(one.old, one.new)]
    return Chain(changes, frozenset(gaps), 0 in aged, told)


def _in_the_way(facts: Facts, records: Records) -> list[Change]:
    """The changes without those that nothing calls for, unless the others do not fit together without them."""
    kept: list[Change] = []
    rest = facts.changes
    for n, change in enumerate(rest):
        following = rest[n + 1].old if n + 1 < len(rest) else facts.held
        before = kept[-1].new if kept else None
        if change.position in records.extra and same(before, following):
            continue
        kept.append(change)
    return kept


def _aged(ground: Ground, changes: list[Change], gap: int, found: Item | None) -> bool:
    """Whether what is missing may be so because of its age."""
    if gap and changes[gap - 1].at >= ground.cutoff:
        return False
    return found is not None and ground.expired(text(found, "UploadId"))


def _gap(
    facts: Facts, ground: Ground, changes: list[Change], gap: int, left: Item | None, found: Item | None
) -> Difference:  # fmt: skip
    if gap == len(changes):
        said = f"{facts.name} {_holds(found)}{_other(left, found)}; {_left(left, gap)}"
        return Difference(What.STOCK if changes else What.HISTORY, facts.name, said)
    at = changes[gap]
    change = f"the change of {at.at} by {ground.named(at.upload_id)}"
    return facts.differs(What.HISTORY, f"{_left(left, gap)}; {change} {_replaced(left, found)}")


def _idle(facts: Facts, ground: Ground, change: Change) -> Difference:
    said = (
        f"the change of {change.at} by {ground.named(change.upload_id)} changes nothing: DynamoDB makes no such record"
    )
    return facts.differs(What.HISTORY, said)


def _holds(found: Item | None) -> str:
    return f"holds {_count(found)} as of {text(found, 'UpdatedAt')}" if found else "is not in the table"


def _left(left: Item | None, gap: int) -> str:
    if not gap:
        return "no earlier change is kept"
    return f"the last change left {_count(left)}" if left else "the last change removed it"


def _count(image: Item | None) -> str:
    return counted(count_in(image))


def _replaced(left: Item | None, found: Item | None) -> str:
    return f"replaced {_count(found)}{_other(left, found)}" if found else "found no such item"


def _other(left: Item | None, found: Item | None) -> str:
    """What else differs, where the counts do not."""
    if left is None or found is None or _count(left) != _count(found):
        return ""
    return f" with another {' and '.join(sorted(n for n in left.keys() | found.keys() if left.get(n) != found.get(n)))}"


def newest(facts: Facts, ground: Ground, told: Chain) -> Iterator[Difference]:
    """Where only uploads in mode `newest` spoke of an item, the newest of their statements is what it holds. What one
    says that has been undone counted until then and no longer, so with it nothing is certain."""
    spoke = {one.upload_id for one in facts.stated} | {one.upload_id for one in facts.changes}
    if told.old or not facts.stated or any(one.what is What.STOCK for one in told.differences):
        return
    if not spoke.isdisjoint(ground.undone):
        return
    if not all(ground.mode(one) is Mode.NEWEST and ground.uploads[one or ""].state == "loaded" for one in spoke):
        return
    last = max(facts.stated, key=lambda one: (ground.time(one), one.upload_id))
    if count_in(facts.held) != last.count:
        file = ground.named(last.upload_id)
        said = f"{facts.name} holds {_count(facts.held)}; the newest file, {file}, says {counted(last.count)}"
        yield Difference(What.NEWEST, facts.at(last.upload_id), said)

"""The rows of files against the stream records of an item: each row that writes has made one, and no other has.

Pure. Owns what a record has to say, given the row that caused it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from lambdas import inventory
from lambdas.fates import WRITES, Fate, Mode
from lambdas.stream import Change
from services.verifying.facts import Facts, Ground, Stated, counted, same, text
from services.verifying.result import Difference, What


@dataclass(slots=True)
class Records:
    """What was found: ``missing``, the uploads whose record of the item is not kept; ``extra``, the positions of the
    records that nothing calls for, and ``blamed``, the uploads that they name."""

    differences: list[Difference] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    extra: set[str] = field(default_factory=set)
    blamed: set[str] = field(default_factory=set)


def checked(facts: Facts, ground: Ground) -> Records:
    found = Records()
    stated = {one.upload_id: one for one in facts.stated}
    made: defaultdict[str, list[Change]] = defaultdict(list)
    for change in facts.changes:
        if change.upload_id:
            made[change.upload_id].append(change)
    for upload_id in sorted(stated.keys() | made.keys()):
        _of_upload(facts, ground, upload_id, stated.get(upload_id), made[upload_id], found)
    return found


def _of_upload(
    facts: Facts, ground: Ground, upload_id: str, row: Stated | None, made: list[Change], found: Records
) -> None:  # fmt: skip
    known = ground.uploads.get(upload_id)
    if known and known.state == "loaded" and row and row.fate in WRITES:
        extra = _unfounded(facts, ground, made)
        _extra(facts, found, f"{_row(ground, row)} makes one record", extra)
        if founded := [one for one in made if one.position not in found.extra]:
            found.differences += _wrong(facts, ground, row, founded)
        elif not ground.expired(upload_id):
            found.missing.add(upload_id)
            said = f"{_row(ground, row)} was {row.fate} with a count of {counted(row.count)}; its record is not kept"
            found.differences.append(facts.differs(What.MISSING, said, upload_id))
    elif expected := _none_expected(ground, upload_id, row):
        _extra(facts, found, expected, made)


def _row(ground: Ground, row: Stated) -> str:
    return f"row {row.row:,} of {ground.named(row.upload_id)}"


def _none_expected(ground: Ground, upload_id: str, row: Stated | None) -> str:
    """Why there is to be no record; blank where there may be one, because the receipt is not to be relied on."""
    known = ground.uploads.get(upload_id)
    if known is None:
        return f"there is no upload {upload_id}"
    if known.receipt is None or (known.state != "loaded" and known.applying):
        return ""  # its file is named as one without a receipt; or it broke off, and not all of its fates are known
    if known.state != "loaded":
        return f"{known.named} is {known.state}"
    if row is None:
        return f"{known.named} has no row of it that counts"
    return f"{_row(ground, row)} was {row.fate}, which makes no record" if row.fate else ""


def _extra(facts: Facts, found: Records, expected: str, made: list[Change]) -> None:
    for change in made:
        found.extra.add(change.position)
        found.blamed.add(change.upload_id or "")
        moved = f"{counted(change.old_count)} -> {counted(change.new_count)}"
        said = f"{expected}; one of {change.at} is kept of it, {moved}"
        found.differences.append(facts.differs(What.TOO_MANY, said, change.upload_id))


def _unfounded(facts: Facts, ground: Ground, made: list[Change]) -> list[Change]:
    """The records of one upload beyond the first, but for those that an older upload called for, which it had crossed.

    A newer file whose word an older one wrote over is applied to that item once more (decisions.md, “Silent
    agreement”). It may have written it before: then something of mode `plain` or `stamp` stood between.
    """
    return [later for later in made[1:] if not _crossed(facts, ground, later)]


def _crossed(facts: Facts, ground: Ground, again: Change) -> bool:
    """Whether it was written over what stood there, while an older upload that had changed the item was applied."""
    before = facts.changes[: facts.changes.index(again)]
    return (
        ground.mode(again.upload_id) is Mode.NEWEST
        and same(before[-1].new, again.old)
        and any(_older(ground, one, again) and _applied(ground, one) >= again.at[:19] for one in before)
    )


def _older(ground: Ground, change: Change, again: Change) -> bool:
    changed = ground.mode(change.upload_id) is Mode.NEWEST and change.old_count != change.new_count
    return changed and _word(change) < _word(again)


def _applied(ground: Ground, change: Change) -> str:
    """Until when the upload that made a change was being applied, to the second, as a stream record's time is."""
    receipt = ground.uploads[change.upload_id or ""].receipt
    return ((receipt and receipt.loaded_at) or "~")[:19]


def _word(change: Change) -> tuple[str, str]:
    """What decides which of two statements is the newer one."""
    return text(change.new, "UpdatedAt") or "", change.upload_id or ""


def _wrong(facts: Facts, ground: Ground, row: Stated, made: list[Change]) -> Iterator[Difference]:
    """``made``: the records that the row calls for, seldom more than one; its fate is that of the last."""
    for change in made:
        if change.new_count != row.count:
            says = f"{_row(ground, row)} says {counted(row.count)}; its record of {change.at} says "
            yield facts.differs(What.RECORD, says + counted(change.new_count), row.upload_id)
        if wrong := _wrong_time(ground, row, change):
            yield facts.differs(What.TIME, f"{_row(ground, row)} {wrong}", row.upload_id)
    last = made[-1]
    if fate_of(last) != row.fate:
        said = f"{_row(ground, row)} was {row.fate}, says its receipt; {fate_of(last)}, says its record of {last.at}"
        yield facts.differs(What.RECORD, said, row.upload_id)
    elif last.old_count != row.was:
        said = f"{_row(ground, row)} replaced {counted(row.was)}, says its receipt; {counted(last.old_count)}, says "
        yield facts.differs(What.RECORD, f"{said}its record of {last.at}", row.upload_id)


def _wrong_time(ground: Ground, row: Stated, change: Change) -> str:
    found = text(change.new, "UpdatedAt")
    if ground.mode(row.upload_id) is Mode.STAMP:
        return "" if found else f"was stamped; its record of {change.at} has no time"
    expected = row.at if ground.mode(row.upload_id) is Mode.UNDO else ground.time(row)
    return "" if found == expected else f"counts as of {expected}; its record says as of {found}"


def fate_of(change: Change) -> Fate:
    """What became of the row that made this record."""
    if change.old is None or inventory.is_gone(change.old):
        return Fate.INSERTED
    return Fate.CHANGED if change.old_count != change.new_count else Fate.TOUCHED

"""The sentences up to a row's fate: what became of its file, and why the row changed nothing.

Owns their words; times in them are fixed-width UTC text. What comes behind the fate is `services.why.aftermath`.
"""

from lambdas.alerts import plain
from lambdas.fates import Fate, Mode
from services import words
from services.why.facts import Facts

NOTHING = "nothing changed, so DynamoDB wrote no record, so no alert was possible."


def ended(text: str) -> str:
    """A text that others wrote, as a part of ours: with one full stop."""
    return f"{text.rstrip('. ')}."


def received(of: Facts) -> str:
    said = f"{of.of.file} was received and waits for the loader; nothing of it has been applied yet."
    if drives := int(of.kept.get("Drives", 0)):
        times = "once" if drives == 1 else f"{drives} times"
        said += f" It waited too long and was sent to the loader again, {times} so far, last at {of.kept['DrivenAt']}."
    return said


def loading(of: Facts) -> str:
    if not of.of.whole:
        return f"{of.of.file} is being read; what it says of {of.item} is not known yet."
    through = f"{of.of.rows:,} of its {words.some(of.of.whole, 'row')} are through"
    return f"{of.of.file} is being loaded; {through}, and {of.item} is not among them yet."


def retrying(of: Facts) -> str:
    return f"{of.of.file} could not be loaded at once, and is tried again by itself. {ended(of.of.reason or '')}"


def asked(of: Facts) -> str:
    return f"{of.of.file} waits for an answer, and nothing of it is applied before that. {of.of.reason}"


def unreadable(of: Facts) -> str:
    return f"{of.of.file} could not be read, so none of its rows was applied. {ended(of.of.reason or '')}"


def given_up(of: Facts) -> str:
    return (
        f"{of.of.file} was tried for as long as it made sense, and {of.item} was not applied. "
        f"{ended(of.of.reason or '')} It can be run again on the Pipeline page."
    )


def aside(of: Facts) -> str:
    return (
        f"{of.of.file} could not be loaded and was put aside by somebody, so {of.item} was not applied. "
        f"{ended(of.of.reason or '')}"
    )


def no_object(of: Facts) -> str:
    return f"{of.of.file} is no longer in the bucket, so {of.item} was not applied. Send the file again."


def no_lines(of: Facts) -> str:
    return (
        f"{of.of.file} was loaded, but what became of each of its rows is no longer kept; "
        "only the sums on its receipt are."
    )


def not_mentioned(of: Facts) -> str:
    said = f"{of.of.file} does not mention {of.item}, and an item that a file does not mention is left alone."
    if rejected := of.of.fates[Fate.REJECTED]:
        said += f" But {words.some(rejected, 'row')} of it could not be used, and may have meant it."
    return said


def no_row(of: Facts) -> str:
    where = f", column {of.asked.column}" if of.asked.column else ""
    return f"{of.of.file} has no row {of.asked.row:,}{where} with stock in it."


def rejected(of: Facts) -> str:
    said = words.reject(of.line or {})
    return f"{said[0].upper()}{said[1:]}. The row is not usable and was left out; {NOTHING}"


def duplicate(of: Facts) -> str:
    line = of.line or {}
    return f"{of.item} is repeated in the file, and row {line['row']:,} was not applied by itself: {line['reason']}."


def unchanged(of: Facts) -> str:
    line = of.line or {}
    since = f" from {of.held.at}" if of.held else ""
    by = f" ({of.held.file})" if of.held and of.held.file else ""
    if of.of.mode == Mode.UNDO:
        return f"{of.item} was already as it had been before; there was nothing to put back, {NOTHING}"
    return f"The table already held {line['count']}{since}{by}; {_UNCHANGED[Mode(of.of.mode)]}{NOTHING}"


_UNCHANGED = {
    Mode.NEWEST: "",
    Mode.PLAIN: "mode plain put it back exactly as it stood, ",
    Mode.STAMP: "mode stamp found the very time of this load there and put it back as it stood, ",
}


def stale(of: Facts) -> str:
    line = of.line or {}
    if of.of.mode == Mode.UNDO:
        return f"{of.item} was left alone: {line['reason']}; {NOTHING}"
    stayed = f", and {line['was']} stayed" if "was" in line else ""
    return f"The file says {line['count']}, but is older: {line['reason']}{stayed}; {NOTHING}"


def wrote(of: Facts) -> str:
    """What the row did, before its change is known: `Tea went 12 -> 0`."""
    line = of.line or {}
    count = line.get("count")
    if of.of.mode == Mode.UNDO:
        return f"{of.item} was put back to {count}" if count is not None else f"{of.item} was taken away again"
    if of.fate is Fate.CHANGED:
        return f"{of.item} went {line.get('was', '?')} -> {count}"
    return f"{of.item} is new with {count}" if of.fate is Fate.INSERTED else f"{of.item} was confirmed with {count}"


def moved(of: Facts) -> str:
    """The same by its change."""
    change = of.change
    if change is None or change.new_count is None:
        return wrote(of)
    old, new = change.old_count, plain(change.new_count)
    back = "was put back: " if of.of.mode == Mode.UNDO else ""
    if old is None:
        return f"{of.item} {back or 'is '}new with {new}"
    return f"{of.item} {back or 'went '}{plain(old)} -> {new}" if old != change.new_count else f"{of.item} stayed {new}"

"""What a message to subscribers says, read as they read it: of which items, by which uploads, and whether again.

Pure. Must not use the code under test to tell. A digest names each item on a line of its own, and counts those beyond.
"""

import re
from dataclasses import dataclass

_MOVED = r"(?:\S+ -> \S+|new item with a count of \S+)(?:, reorder point \S+)?"
_ALONE = re.compile(rf"(?P<store>[^:]+): (?P<item>.+) is (?:out of stock|low) \({_MOVED}\)")
_FIRST = re.compile(r"(?P<store>[^:]+): [\d,]+ items? (?:is|are) (?:out of stock|low)")
_LINE = re.compile(rf"- (?P<item>.+?) \({_MOVED}\)(?P<rest>.*)")
_MORE = re.compile(r"and ([\d,]+) more")
_UPLOAD = re.compile(r"\((\d{8}T\d{12}-[0-9a-f]{8})\)")
_REPEAT = "may repeat"


@dataclass(frozen=True)
class Said:
    """A message. ``of``: the store, item and upload id (blank: none) of each item that it names; ``more``: how many
    items it only counts; ``again``: it says that it may repeat an earlier one."""

    of: tuple[tuple[str, str, str], ...]
    more: int
    again: bool


def read(text: str) -> Said | None:
    """What it says; None when it is no alert."""
    first, *lines = text.split("\n")
    again = _REPEAT in text
    if one := _ALONE.match(first):
        return Said(((one["store"], one["item"], _upload(text)),), 0, again)
    if not (whose := _FIRST.match(first)):
        return None
    items = [found for line in lines if (found := _LINE.fullmatch(line))]
    below = _upload("\n".join(line for line in lines if not _LINE.fullmatch(line)))
    more = sum(int(found[1].replace(",", "")) for line in lines if (found := _MORE.fullmatch(line)))
    of = tuple((whose["store"], found["item"], _upload(found["rest"]) or below) for found in items)
    return Said(of, more, again)


def _upload(text: str) -> str:
    found = _UPLOAD.search(text)
    return found[1] if found else ""

"""How a file is understood, in words that a manager reads in one glance.

Pure but for the escaping of names. Knows nothing of widgets.
"""

from collections.abc import Iterable, Iterator

from lambdas.stockfile.headings import outlet
from lambdas.stockfile.mapping import Column, Mapping
from lambdas.stockfile.parts import Understanding
from ui import plain

_NAMED = 4
ENCODINGS = {
    "utf-8": "UTF-8", "cp1252": "Western European (Windows)", "mac-roman": "Western European (old Mac)",
    "iso8859-15": "Western European (Latin 9)", "cp850": "Western European (DOS)",
    "cp1250": "Central European (Windows)", "iso8859-2": "Central European (Latin 2)", "cp1251": "Cyrillic (Windows)",
    "koi8-r": "Cyrillic (KOI8-R)", "cp1253": "Greek (Windows)", "cp1254": "Turkish (Windows)",
    "cp1255": "Hebrew (Windows)", "cp1256": "Arabic (Windows)", "cp1257": "Baltic (Windows)", "cp932": "Japanese",
    "gb18030": "Chinese, simplified", "big5": "Chinese, traditional", "cp949": "Korean", "utf-16": "UTF-16",
}  # fmt: skip
"""What may be chosen for a text file, by Python's name."""


def summary(of: Understanding) -> str:
    """One line of Markdown: what was taken for what. For a file of which nothing has to be asked."""
    said, parts = of.mapping, list(_columns(of.mapping))
    if not (said.store or said.stores or said.always):
        parts.append("it names no store")
    if said.updated_at:
        parts.append(f"**times**: {_quoted(said.updated_at)}")
    else:
        parts.append("no **times**: it counts as of now")
    return " · ".join((*parts, *_details(of)))


def _columns(said: Mapping) -> Iterator[str]:
    if said.item:
        yield f"{plain.escaped(item_label(said.item))} is the **item**"
    if said.stores:
        yield f"**a column for each store**: {plain.escaped(_some(outlet(name) or name for name in said.stores))}"
    elif said.count:
        yield f"{_quoted(said.count)} is the **count**"
    if said.store:
        yield f"{_quoted(said.store)} is the **store**"
    if said.always:
        yield f"all of it is of the **store** {_quoted(said.always)}"


def _details(of: Understanding) -> Iterator[str]:
    said = of.mapping
    yield from _ways(said)
    if len(of.sheets) > 1 and said.sheet:
        yield f"sheet {_quoted(said.sheet)}"
    if of.header and of.header[0] > 1:
        yield f"headings in row {of.header[0]:,}"
    if of.encoding and not of.encoding.startswith("utf-8"):
        yield f"letters as in {plain.escaped(encoding_label(of.encoding))}{_letters(of)}"
    yield from (plain.escaped(why.rstrip(".")) for why in of.why if " is left out" in why)


def _ways(said: Mapping) -> Iterator[str]:
    if said.decimal == ",":
        yield "8,5 is eight and a half"
    if said.repeats == "sum":
        yield "rows of one item are added up"
    yield from (f"{_quoted(word)} means {plain.escaped(number)}" for word, number in said.words)


def _letters(of: Understanding) -> str:
    """A few names that only read well in the right encoding."""
    odd = [cell.strip() for _, cells in of.first_rows for cell in cells if not cell.isascii()]
    found = list(dict.fromkeys(odd))[:2]
    return f": {plain.escaped(_some(one[:30] for one in found))}" if found else ""


def remembered(said: Mapping) -> str:
    """What a saved mapping says, in a line of Markdown."""
    parts = [*_columns(said), *_ways(said)]
    if said.updated_at is not None:
        parts.append(f"**times**: {_quoted(said.updated_at)}" if said.updated_at else "no **times**")
    if said.header is False:
        parts.append("no headings")
    if said.dates:
        parts.append("the day comes first" if said.dates == "dmy" else "the month comes first")
    if said.decimal == ".":
        parts.append("8.5 is eight and a half")
    parts += [f"sheet {_quoted(said.sheet)}"] if said.sheet else []
    parts += [f"letters as in {plain.escaped(encoding_label(said.encoding))}"] if said.encoding else []
    parts += [f"cells parted by {plain.escaped(delimiter_label(said.delimiter))}"] if said.delimiter else []
    return " · ".join(parts) or "no store in the file"


def item_label(item: tuple[tuple[Column, ...], ...]) -> str:
    """`“SKU”, else “Name” with “Size”`."""
    return ", else ".join(" with ".join(f"“{name}”" for name in alternative) for alternative in item)


def encoding_label(name: str) -> str:
    return ENCODINGS.get(name, name)


def delimiter_label(mark: str) -> str:
    named = {",": "a comma ,", ";": "a semicolon ;", "\t": "a tab", "|": "a bar |"}
    return named.get(mark, f"“{mark}”")


def _quoted(name: str) -> str:
    return f"“{plain.escaped(name)}”"


def _some(names: Iterable[str]) -> str:
    names = [f"“{name}”" for name in names]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more

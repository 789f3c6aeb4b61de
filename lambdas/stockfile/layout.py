"""Where the columns of a mapping stand in one file. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from lambdas.stockfile.headings import outlet, plain
from lambdas.stockfile.mapping import Column, Mapping
from lambdas.stockfile.parts import Asked, Unclear


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns by index. ``stores``: of a wide file, index, store and heading of each. ``width``: how many there are."""

    item: tuple[tuple[int, ...], ...]
    count: int | None
    store: int | None
    stores: tuple[tuple[int, str, str], ...]
    updated_at: int | None
    width: int

    @property
    def counts(self) -> tuple[int, ...]:
        """The columns that hold counts."""
        return tuple(index for index, _, _ in self.stores) if self.count is None else (self.count,)


def names_of(texts: tuple[str, ...]) -> tuple[str, ...]:
    """What a mapping calls each column: its heading; with its number where that is blank or stands twice."""
    return tuple(
        f"#{n}" if not text else f"{text} (#{n})" if texts.count(text) > 1 else text for n, text in enumerate(texts, 1)
    )


def layout(mapping: Mapping, names: tuple[str, ...], texts: tuple[str, ...]) -> Layout:
    """Where a complete mapping's columns are. Raises Unclear when the file lacks one."""

    def find(part: Asked, name: Column) -> int:
        if name in names:
            return names.index(name)
        if name.startswith("#") and name[1:].isdecimal() and 0 < int(name[1:]) <= len(names):
            return int(name[1:]) - 1
        alike = [index for index, text in enumerate(texts) if text and plain(text) == plain(name)]
        if len(alike) != 1:
            raise Unclear(part, f"The file has no column “{name[:60]}”. It has: {listed(names)}.")
        return alike[0]

    stores = [(find("count", name), name) for name in mapping.stores]
    return Layout(
        tuple(tuple(find("item", name) for name in alternative) for alternative in mapping.item),
        find("count", mapping.count) if mapping.count and not stores else None,
        find("store", mapping.store) if mapping.store else None,
        tuple((index, outlet(texts[index]) or texts[index] or name, names[index]) for index, name in stores),
        find("dates", mapping.updated_at) if mapping.updated_at else None,
        len(names),
    )


def listed(names: Iterable[str], most: int = 8) -> str:
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(f"“{name[:40]}”" for name in names[:most]) + more

"""JSON: an array of objects or of arrays, an object keyed by item, an object a line.

Owns how nested values become columns. Pure.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import IO, Any

from lambdas.stockfile import headings
from lambdas.stockfile.container import MAX_COLUMNS
from lambdas.stockfile.counts import Cell
from lambdas.stockfile.parts import Unreadable
from lambdas.stockfile.text import Broken, lines

MAX_TEXT = 64 * 2**20
KEY, VALUE = "item", "count"
"""The columns of an object whose keys are the items."""

_LONE = re.compile("[\ud800-\udfff]")  # halves of a character, which no text can be written with

Opener = Callable[[], IO[bytes]]
Record = tuple[int, dict[str, Cell] | Broken]


class _Pairs(list[tuple[str, Any]]):
    """An object as it stands: a key may come twice, and then both rows count."""


def kind(first: list[str]) -> str | None:
    """“JSON” or “JSON lines” when the text begins so; None when it is neither."""
    text = next((line for line in first if line.strip()), "").lstrip("\ufeff \t")
    if text[:1] not in ("{", "["):
        return None
    if text[0] == "{" and _is_object(text):
        more = [line for line in first if line.strip()]
        return "JSON lines" if len(more) > 1 or _is_record(text) else "JSON"
    if text[0] == "{":
        return "JSON"
    return "JSON" if text[1:].lstrip()[:1] in ("", "{", "[", "]") else None  # “[Stock]” may be a title


def _is_object(line: str) -> bool:
    try:
        return isinstance(_parsed(line), _Pairs)
    except ValueError:
        return False


def _is_record(line: str) -> bool:
    return headings.roles(name for name, _ in _parsed(line)).score >= 4


def _parsed(text: str) -> Any:
    """ValueError when it is no JSON. Numbers stay exact."""
    try:
        return json.loads(text, object_pairs_hook=_Pairs, parse_float=Decimal, parse_int=Decimal, parse_constant=str)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def records(of: str, opener: Opener, encoding: str) -> Callable[[], Iterator[Record]]:
    """How to read the records again and again: number (the first object is 1; of JSON lines, the line) and cells."""
    if of == "JSON lines":
        return lambda: _of_lines(lines(opener, encoding))
    parts, size = [], 0
    for line in lines(opener, encoding):
        parts.append(line)
        size += len(line)
        if size > MAX_TEXT:
            raise Unreadable(f"The JSON has over {MAX_TEXT:,} characters. Send it with an object a line, or as CSV.")
    try:
        found = list(_rows(_parsed("".join(parts))))
    except ValueError as error:
        raise Unreadable(f"The file begins like JSON, and can't be read as such: {error}.") from error
    return lambda: enumerate(found, 1)


def columns(found: Iterable[Record]) -> list[str]:
    """The keys of all records, in the order in which they first come. Raises Unreadable when they are too many."""
    names: dict[str, None] = {}
    for _, record in found:
        if not isinstance(record, Broken):
            names |= dict.fromkeys(record)
        if len(names) > MAX_COLUMNS:
            raise Unreadable(f"The JSON has over {MAX_COLUMNS:,} different keys: it is no list of rows.")
    return list(names)


def _of_lines(text: Iterable[str]) -> Iterator[Record]:
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        try:
            record = _record(_parsed(line))
        except ValueError as error:
            record = Broken(f"no JSON: {error}"[:200])
        yield number, record


def _record(value: Any) -> dict[str, Cell] | Broken:
    if not isinstance(value, _Pairs):
        return Broken("no JSON object")
    flat = list(_flat(value))
    cells = dict(flat)
    return cells if len(cells) == len(flat) else Broken("a key comes twice in the object")


def _rows(value: Any) -> Iterator[dict[str, Cell] | Broken]:
    if isinstance(value, _Pairs):
        value = _listed(value)
    if not value:
        raise Unreadable("The JSON holds no rows. Export it again and send the new one.")
    if all(isinstance(one, list) and not isinstance(one, _Pairs) for one in value):
        yield from _of_arrays(value)
        return
    for one in value:
        yield _record(one)


def _of_arrays(rows: list[list[Any]]) -> Iterator[dict[str, Cell]]:
    """Arrays of values: the first is the headings."""
    names = [str(_cell(one)) for one in rows[0]]
    if len(set(names)) < len(names) or len(rows) < 2:
        raise Unreadable("The JSON's arrays do not begin with one of headings, each of them once.")
    for row in rows[1:]:
        extra = {f"#{index + 1}": _cell(row[index]) for index in range(len(names), len(row))}
        yield dict(zip(names, map(_cell, row), strict=False)) | extra


def _listed(pairs: _Pairs) -> list[Any]:
    """The rows of an object: of the one list in it, or one for each of its keys."""
    lists = [value for _, value in pairs if isinstance(value, list) and not isinstance(value, _Pairs)]
    if len(lists) == 1 and any(isinstance(one, list) for one in lists[0]):
        return list(lists[0])
    if pairs and all(isinstance(value, _Pairs) for _, value in pairs):
        return [_Pairs([(KEY, key), *((k, v) for k, v in value if k != KEY)]) for key, value in pairs]
    if headings.roles(key for key, _ in pairs).score >= 4:
        return [pairs]
    return [_Pairs([(KEY, key), (VALUE, value)]) for key, value in pairs]


def _flat(pairs: _Pairs, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Cell]]:
    """`{"stock": {"on hand": 5}}` is a column `stock.on hand`."""
    for key, value in pairs:
        if isinstance(value, _Pairs) and depth < 4:
            yield from _flat(value, f"{prefix}{key}.", depth + 1)
        else:
            yield _whole(prefix + key), _cell(value)


def _cell(value: Any) -> Cell:
    """ValueError for what is nested too deeply to be written down: that takes more room than to read it."""
    if isinstance(value, list):
        try:
            text = json.dumps(dict(value) if isinstance(value, _Pairs) else value, default=str, ensure_ascii=False)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        return _whole(text[:1000])
    return _whole(value) if isinstance(value, str) else value


def _whole(text: str) -> str:
    return _LONE.sub("\ufffd", text)

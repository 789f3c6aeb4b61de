"""A mapping: what a person said about how a file is to be understood. What it leaves open is found in the file.

Owns its spelling: as JSON, kept and compared, and as it is written on a command line. Pure.

A column is named by its heading as it stands in the file, or by its number: ``#3`` is the third one.
"""

import hashlib
import json
import shlex
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Column = str
NONE: Column = ""
"""Said of an optional column: the file has none, whatever its headings look like."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Everything is optional; None and empty tuples are left to be found.

    ``item``: alternatives, the first that is not blank in a row counts; each is one column, or several that are joined.
    ``stores``: the columns of a wide file. ``words``: texts that stand for a count (``("not stocked", "0")``).
    ``always``: the store that every file of this shape is for. ``exact``: the file is one of ours, and names stand in
    it as they are in the table: see `lambdas.stockfile.rows.marked`.
    """

    item: tuple[tuple[Column, ...], ...] = ()
    count: Column | None = None
    store: Column | None = None
    stores: tuple[Column, ...] = ()
    updated_at: Column | None = None
    header: Literal[False] | None = None  # False: the file has no headings
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    dates: Literal["dmy", "mdy"] | None = None
    repeats: Literal["last", "sum"] | None = None
    words: tuple[tuple[str, str], ...] = ()
    always: str | None = None
    exact: Literal[True] | None = None

    def as_json(self) -> str:
        """The one text of this mapping: what is left open is left out."""
        said = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def id(self) -> str:
        """16 hex digits, the same for equal mappings."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:16]


AUTOMATIC = Mapping()
_OPTIONAL = ("store", "updated_at")


def of_json(text: str) -> Mapping:
    """The mapping of a text made by ``as_json``."""
    said: dict[str, Any] = json.loads(text)
    for name, value in said.items():
        if isinstance(value, list):
            said[name] = tuple(tuple(one) if isinstance(one, list) else one for one in value)
    return Mapping(**said)


def of_text(text: str) -> Mapping:
    """The columns of ``item=SKU,count="On hand",store=Location`` or ``item=SKU|Name,stores="A|B|C"``.

    Parts: item, count, store, stores, updated_at. A number names a column by its place (``count=3``), ``item=A+B``
    joins columns, ``item=A|B`` takes B where A is blank, ``updated_at=`` says that there is none. ValueError says what
    can't be understood.
    """
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = ",", True, ""
    mapping = AUTOMATIC
    if not text.strip():
        raise ValueError("“” is to be NAME=COLUMN")
    for part in lexer:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or (not value and name not in _OPTIONAL):
            raise ValueError(f"“{part}” is to be NAME=COLUMN")
        mapping = _with(mapping, name, value)
    return mapping


def _with(mapping: Mapping, name: str, value: str) -> Mapping:
    if name == "item":
        return replace(mapping, item=tuple(tuple(map(_column, one.split("+"))) for one in value.split("|")))
    if name == "stores":
        return replace(mapping, stores=tuple(map(_column, value.split("|"))))
    if name in ("count", "store", "updated_at"):
        return replace(mapping, **{name: _column(value)})  # type: ignore[arg-type]
    raise ValueError(f"“{name}” is none of item, count, store, stores, updated_at")


def _column(text: str) -> Column:
    text = text.strip()
    return f"#{text}" if text.isdecimal() else text

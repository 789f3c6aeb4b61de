"""A file's rows as they are shown: what moves first, those that are not usable with the reason, what runs out.

Owns how much of a big file is shown: the rows that matter most, never a million of them.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
import streamlit as st

from lambdas.alerts import Crossing, crossing
from lambdas.fates import WRITES, Fate
from services import sight, uploads, words
from services.access import Right
from services.uploads import Line, Receipt
from ui import download, plain, reads, tables
from ui.reads import BY_THE_CLOCK, Hashes, Link

_NAMED = 5
_LONGEST = 30  # letters of a file's name, so that a phone has room for the button
AT_MOST = 5_000
"""So many rows are shown of each table."""

FATES = {
    Fate.CHANGED: "● changed",
    Fate.INSERTED: "✚ new",
    Fate.TOUCHED: "◔ newer time, same count",
    Fate.STALE: "← left as it is",
    Fate.DUPLICATE: "≡ repeated in the file",
    Fate.UNCHANGED: "✓ already up to date",
    Fate.REJECTED: "✕ not usable",
}
"""The fates in a table, what moves first."""
_MOVES = frozenset({Fate.CHANGED, Fate.INSERTED})


@dataclass(frozen=True, slots=True)
class Told:
    """What is shown of a file's rows. ``out``: the first items that it brings to nothing, of ``all_out``. ``moves``:
    the rows whose count moves; ``rest``: the other usable ones."""

    out: tuple[str, ...]
    all_out: int
    rejects: pd.DataFrame
    moves: pd.DataFrame
    rest: pd.DataFrame


BY_ROWS: Hashes = BY_THE_CLOCK | {Receipt: lambda of: (of.upload_id, str(of.parts))}


@st.cache_resource(show_spinner=False, max_entries=50, hash_funcs=BY_ROWS)
def told(held: Link, of: Receipt) -> Told:
    """Of an upload's rows; nothing while it is not loaded. Shared: read it, never change it."""
    return tell(uploads.rows(held.stack, of))


def tell(lines: Sequence[Line]) -> Told:
    """Of the lines of a receipt or of a preview: what moves first."""
    out = [line for line in lines if runs_out(line)]
    names = tuple(f"{line['store']} · {line['item']} ({_moved(line)})" for line in out[:_NAMED])
    moves = (line for line in lines if line["fate"] in _MOVES)
    rest = (line for line in lines if line["fate"] not in _MOVES and line["fate"] != Fate.REJECTED)
    return Told(names, len(out), rejects(uploads.errors(lines)[:AT_MOST]), by_fate(moves), by_fate(rest))


def runs_out(line: Line) -> bool:
    """Whether a row opens an alert: the rule of the checker, on the counts that the row replaces and states."""
    if line["fate"] not in WRITES:
        return False
    was, now = (Decimal(line[name]) if line.get(name) else None for name in ("was", "count"))
    return crossing(was, now) is Crossing.OPENS


Mended = Callable[[], bytes]


def mended(held: Link, of: Receipt) -> tuple[str, Mended] | None:
    """An upload's file of the rows to mend, made when it is asked for."""
    may = of.fates[Fate.REJECTED] and held.person.may(Right.SEND) and sight.sees_whole(of, held.person)
    name = reads.mend_name(held, of.upload_id or "", of.file) if may else None
    again = reads.later()
    return (name, lambda: (uploads.mend(again().stack, of) or ("", b""))[1]) if name else None


def draw_rejects(of: Receipt, told: Told, key: str, to_mend: tuple[str, Mended] | None) -> None:
    count = of.fates[Fate.REJECTED]
    draw_mending(count, key, to_mend)
    tables.show(told.rejects, f"rejected-{key}", "Rows that are not usable", tables.height(len(told.rejects)))
    _draw_more(count)


def draw_mending(count: int, key: str, to_mend: tuple[str, Mended] | None) -> None:
    """How many rows are not usable, and the file of them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":red[**{words.some(count, 'row')} not usable**] – mend and send again.")
        if to_mend:
            name, made = to_mend
            label = f"Rows to mend ({plain.escaped(plain.cut(name, _LONGEST))})"
            download.button(label, made, name, "application/octet-stream", key=f"mend-{key}")


def draw_usable(of: Receipt, told: Told, key: str) -> None:
    """What moves; the rest a click away, but where nothing moves."""
    ahead = of.state == "preview"
    moves = sum(of.fates[fate] for fate in _MOVES)
    if moves:
        st.markdown(f"**{'What will change' if ahead else 'What changed'}: {words.some(moves, 'row')}**")
        tables.show(in_zone(told.moves), f"moves-{key}", "Rows whose count moves", tables.height(len(told.moves)))
        _draw_more(moves)
    rest = {fate: 0 if fate in (*_MOVES, Fate.REJECTED) else count for fate, count in of.fates.items()}
    if any(rest.values()):
        _draw_rest(rest, told, key, opened=not moves)


def _draw_rest(fates: Mapping[str, int], told: Told, key: str, *, opened: bool) -> None:
    count = sum(fates.values())
    label = f"{words.some(count, 'other row' if not opened else 'row')}: {words.fates(fates)}"
    with st.expander(label, expanded=opened):
        tables.show(in_zone(told.rest), f"rest-{key}", "The other rows", tables.height(len(told.rest)))
        _draw_more(count)


def in_zone(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with the times in its reasons as the reader's: what is shared holds no reader's time zone."""
    return frame.assign(why=frame["why"].map(plain.timed)) if "why" in frame else frame


def _draw_more(count: int) -> None:
    if count > AT_MOST:
        st.caption(f"The first {AT_MOST:,} of {count:,} are shown.")


def told_of_more(of: Receipt) -> str:
    """What is said of a file that has more rows than a page holds; nothing of any other."""
    if of.rows <= uploads.MOST_ROWS:
        return ""
    return f" Of {of.rows:,} rows the first {uploads.MOST_ROWS:,}, by store and item, can be looked through here."


def rejects(lines: Sequence[Line]) -> pd.DataFrame:
    names = {"row": "Row", "column": "Column", "value": "Value", "reason": "Reason"}
    return pd.DataFrame(
        [{label: line[name] for name, label in names.items()} for line in lines], columns=[*names.values()]
    )


def by_fate(lines: Iterable[Line], at_most: int | None = AT_MOST) -> pd.DataFrame:
    """The rows as a table, what moves first. Where a line of the file is several rows, with the column of each."""
    first = heapq.nsmallest(at_most, lines, key=_place) if at_most else sorted(lines, key=_place)
    columns = ["fate", "item", "counts", "store", "row", "column", "why"]
    frame = pd.DataFrame([_row(line) for line in first], columns=columns)
    return frame.drop(columns=[name for name in ("column", "why") if not frame[name].any()])


_RANKS = {fate.value: rank for rank, fate in enumerate(FATES)}


def _place(line: Line) -> tuple[int, int, str]:
    return _RANKS[line["fate"]], line["row"], line.get("column", "")


def _row(line: Line) -> tuple[str | None, ...]:
    why, item, store = line.get("reason", ""), line.get("item"), line.get("store")
    row, column = f"{line['row']:,}", line.get("column", "")
    return _LABELS[line["fate"]], item, _moved(line), store, row, column, why


_LABELS = {fate.value: label for fate, label in FATES.items()}


def _moved(line: Line) -> str:
    """`12 -> 0`; a count that stays is told once, and of a row that is not usable what stands in its place."""
    count = line.get("count") or line.get("value", "removed")
    if line["fate"] == Fate.CHANGED:
        return f"{line.get('was', '?')} -> {count}"
    if line["fate"] == Fate.STALE and "was" in line:
        return f"stays {line['was']} (file: {count})"
    return str(count)

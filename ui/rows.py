"""A file's rows as they are shown: what moves first, those that are not usable with the reason, what runs out.

Owns how much of a big file is shown: the rows that matter most, never a million of them.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
import streamlit as st

from lambdas.alerts import Crossing, crossing
from lambdas.fates import WRITES, Fate
from services import uploads, words
from services.uploads import Line, Receipt
from ui import plain, reads, tables
from ui.reads import BY_THE_CLOCK, Hashes, Link

_NAMED = 5
AT_MOST = 5_000
"""So many rows are shown of each table."""

FATES = {
    Fate.CHANGED: "● changed",
    Fate.INSERTED: "✚ new",
    Fate.TOUCHED: "◔ newer time, same count",
    Fate.STALE: "← older than what is known",
    Fate.DUPLICATE: "≡ repeated in the file",
    Fate.UNCHANGED: "✓ already up to date",
}
"""The fates of usable rows in a table, what moves first."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is shown of a file's rows. ``out``: the first items that it brings to nothing, of ``all_out``."""

    out: tuple[str, ...]
    all_out: int
    rejects: pd.DataFrame
    rows: pd.DataFrame


_BY_ROWS: Hashes = BY_THE_CLOCK | {Receipt: lambda of: (of.upload_id, str(of.parts))}


@st.cache_resource(show_spinner=False, max_entries=50, hash_funcs=_BY_ROWS)
def told(held: Link, of: Receipt) -> Told:
    """Of an upload's rows; nothing while it is not loaded. Shared: read it, never change it."""
    return tell(uploads.rows(held.stack, of))


def tell(lines: Sequence[Line]) -> Told:
    """Of the lines of a receipt or of a preview: what moves first."""
    out = [line for line in lines if runs_out(line)]
    names = tuple(f"{line['store']} · {line['item']} ({_moved(line)})" for line in out[:_NAMED])
    usable = (line for line in lines if line["fate"] != Fate.REJECTED)
    rejected = [line for line in lines if line["fate"] == Fate.REJECTED]
    return Told(names, len(out), rejects(rejected[:AT_MOST]), by_fate(usable))


def runs_out(line: Line) -> bool:
    """Whether a row opens an alert: the rule of the checker, on the counts that the row replaces and states."""
    if line["fate"] not in WRITES:
        return False
    was = Decimal(line["was"]) if "was" in line else None
    return crossing(was, Decimal(line["count"])) is Crossing.OPENS


Mended = Callable[[], bytes]


def mended(held: Link, of: Receipt) -> tuple[str, Mended] | None:
    """An upload's file of the rows to mend, made when it is asked for."""
    name = reads.mend_name(held, of.upload_id or "", of.file) if of.fates[Fate.REJECTED] else None
    return (name, lambda: (uploads.mend(held.stack, of) or ("", b""))[1]) if name else None


def draw_rejects(of: Receipt, told: Told, key: str, to_mend: tuple[str, Mended] | None) -> None:
    count = of.fates[Fate.REJECTED]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":red[**{words.some(count, 'row')} not usable**] – mend and send again.")
        if to_mend:
            name, made = to_mend
            st.download_button(
                f"Rows to mend ({plain.escaped(name)})", made, name, "application/octet-stream", key=f"mend-{key}",
                on_click="ignore", icon=":material/download:",
            )  # fmt: skip
    tables.show(told.rejects, f"rejected-{key}", "Rows that are not usable", tables.height(len(told.rejects)))
    _draw_more(count)


def draw_usable(of: Receipt, told: Told, key: str) -> None:
    """What moves first, then the rest."""
    frame = told.rows
    if "why" in frame:  # what is shared holds no reader's time zone
        frame = frame.assign(why=frame["why"].map(plain.timed))
    tables.show(frame, f"rows-{key}", "Rows by what becomes of them")
    _draw_more(of.usable)


def _draw_more(count: int) -> None:
    if count > AT_MOST:
        st.caption(f"The first {AT_MOST:,} of {count:,} are shown.")


def rejects(lines: Sequence[Line]) -> pd.DataFrame:
    names = {"row": "Row", "column": "Column", "value": "Value", "reason": "Reason"}
    return pd.DataFrame(
        [{label: line[name] for name, label in names.items()} for line in lines], columns=[*names.values()]
    )


def by_fate(usable: Iterable[Line]) -> pd.DataFrame:
    """The rows as a table, what moves first. Where a line of the file is several rows, with the column of each."""
    order = {fate.value: rank for rank, fate in enumerate(FATES)}
    first = heapq.nsmallest(
        AT_MOST, usable, key=lambda line: (order[line["fate"]], line["row"], line.get("column", ""))
    )
    columns = ["fate", "item", "counts", "store", "row", "column", "why"]
    frame = pd.DataFrame([_row(line) for line in first], columns=columns)
    return frame.drop(columns=[name for name in ("column", "why") if not frame[name].any()])


def _row(line: Line) -> tuple[str, ...]:
    why = line.get("reason", "")
    row, column = f"{line['row']:,}", line.get("column", "")
    return FATES[Fate(line["fate"])], line["item"], _moved(line), line["store"], row, column, why


def _moved(line: Line) -> str:
    """`12 -> 0`; a count that stays is told once."""
    if line["fate"] == Fate.CHANGED:
        return f"{line.get('was', '?')} -> {line['count']}"
    if line["fate"] == Fate.STALE and "was" in line:
        return f"stays {line['was']} (file: {line['count']})"
    return str(line["count"])

"""Tables: stock, changes, alerts and a file's rows as frames, and how their columns are shown.

A frame holds times with their zone; the column says in whose zone they are read. Names from files stand in text
columns only, which show them as they are.
"""

import codecs
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from lambdas import alerts as rules
from lambdas import times
from services import words
from services.alerts import Episode
from services.changes import Counted, Seen
from services.exporting import csv_text
from services.uploads import Receipt
from services.wanted import is_touched
from ui import plain, stockframe
from ui.download import button

OUT, LOW, IN_STOCK = stockframe.STATES
state, is_out = stockframe.state, stockframe.is_out
LAZY_FROM = 2_000
"""Tables with more rows are sent as they are scrolled to; smaller ones keep the grid's own search."""

WIDTHS = {
    "store": 116, "item": 152, "change": 86, "counts": 150, "what": 112, "event": 74, "upload": 128, "id": 78,
    "state": 128, "records seen": 105, "row": 60, "fate": 190, "opened by": 140, "message": 420, "why": 300,
    "column": 150, "count as read": 110, "": 30, "file": 150, "what it did": 304, "fates": 100, "records": 80,
    "rows": 70, "alerts": 65, "mode": 105, "way": 130, "stream records": 120,
    "lasted": 120,
}  # fmt: skip
"""Of the columns, in pixels; left to itself the grid gives a long name all the room."""

Row = dict[str, Any]
_GREYS = {"light": "#6d746f", "dark": "#8f9a94"}
TIMES = {"time", "as of", "since", "opened", "closed", "notified", "ago", "age"}
CHANGES = ("time", "item", "change", "what", "store", "ago", "event", "upload", "id")
OPEN = ("what", "item", "store", "change", "since", "ago", "seen", "opened by", "id", "notified")
CLOSED = ("what", "item", "store", "lasted", "change", "opened", "closed", "opened by", "closed by")
BY_POINT = "its reorder point"


def show(
    frame: pd.DataFrame, key: str, what: str, height: int | None = None, columns: Mapping[str, Any] | None = None,
    grey: Sequence[bool] = (), **more: Any,
) -> Any:  # fmt: skip
    """Draw a frame. ``what`` names it for those who can't see it; ``columns`` are drawn in a way of their own; ``grey``
    says of each row whether it is to stand back; ``more`` goes to st.dataframe."""
    config = {**_columns(frame), **(columns or {})}
    return st.dataframe(
        _paler(frame, grey) if any(grey) else frame, key=key, hide_index=True, alt=what, placeholder="–",
        column_config=config, height=height or "auto", lazy=len(frame) > LAZY_FROM or False, **more,
    )  # fmt: skip


def _paler(frame: pd.DataFrame, grey: Sequence[bool]) -> Any:
    colour = f"color: {_GREYS[st.context.theme.type or 'light']}"
    return frame.style.apply(lambda _: [colour if one else "" for one in grey], axis=0)


def download(frame: pd.DataFrame, name: str) -> None:
    """A button for the frame as CSV. Ours, because the grid's own does not escape what looks like a formula."""
    button("Download as CSV", partial(as_csv, frame), name, "text/csv", key=f"download-{name}", type="tertiary")


def as_csv(frame: pd.DataFrame) -> bytes:
    """CSV for a spreadsheet program: UTF-8 with its mark, text that can't be taken for a formula."""
    rows = frame.astype(object).where(frame.notna(), None).itertuples(index=False)
    return codecs.BOM_UTF8 + csv_text([tuple(frame.columns), *rows]).encode()


def height(rows: int, at_most: int = 8) -> int:
    """The pixels of a table that shows all of its few rows, or ``at_most`` of many."""
    return 35 * (min(rows, at_most) + 1) + 3


def _columns(frame: pd.DataFrame) -> dict[str, Any]:
    known: dict[str, Any] = {"count": st.column_config.NumberColumn("Count", format="localized", width=70)}
    known["reorder at"] = st.column_config.NumberColumn("Reorder at", format="localized", width=90)
    known["open"] = st.column_config.LinkColumn("Open", display_text=":material/open_in_new:", width=60)
    known["why?"] = st.column_config.LinkColumn("Why?", display_text=":material/help:", width=60)
    known |= {name: _time(name) for name in ("time", "as of", "last moved", "since", "opened", "closed", "notified")}
    known |= {name: _distance(name) for name in ("ago", "age")}
    known |= {"fates": st.column_config.ImageColumn("Fates", width=WIDTHS["fates"])}
    return {name: known.get(name) or _column(frame, name) for name in frame.columns}


def _column(frame: pd.DataFrame, name: str) -> Any:
    if pd.api.types.is_numeric_dtype(frame[name]):
        return st.column_config.NumberColumn(name.capitalize(), width=WIDTHS.get(name), format="localized")
    return st.column_config.TextColumn(name.capitalize(), width=WIDTHS.get(name))


def _time(name: str) -> Any:
    # An item may be as of a year long ago; what the pipeline did is at most 90 days old.
    form = "D MMM YYYY, HH:mm" if name == "as of" else "D MMM, HH:mm:ss"
    width = 136 if name == "as of" else 114
    return st.column_config.DatetimeColumn(name.capitalize(), format=form, timezone=plain.zone(), width=width)


def _distance(name: str) -> Any:
    return st.column_config.DatetimeColumn(name.capitalize(), format="distance", timezone=plain.zone(), width=120)


def moment(at: str | None) -> datetime | None:
    return times.moment(at) if at else None


def change(one: Seen | Counted, names: Mapping[str, str]) -> Row:
    """A change as a row of CHANGES."""
    # A touched one as “75 -> 75”: that the count stayed is what there is to see.
    moved = f"{rules.plain(one.old_count)} -> {rules.plain(one.new_count)}" if is_touched(one) else words.moved(one)
    row: Row = {"time": moment(one.at), "ago": moment(one.at), "store": one.store, "item": one.item}
    row |= {"change": moved, "what": meaning(one), "event": one.event}
    return row | {"upload": cause(one.upload_id, names), "id": plain.short(one.upload_id)}


def note(one: Receipt) -> Row:
    """An upload that left no record, as a row of CHANGES."""
    at = moment(one.loaded_at or one.received_at)
    told = "could not be loaded" if one.state == "failed" else words.fates(one.fates, one.mode)
    row: Row = {"time": at, "ago": at, "store": one.store, "item": told, "what": "· no record"}
    return row | {"upload": one.file, "id": plain.short(one.upload_id)}


def changes(rows: Iterable[Row]) -> pd.DataFrame:
    return _frame(rows, CHANGES)


def meaning(one: Seen | Counted) -> str:
    """What a change means, in a word or two with a mark."""
    if one.event == "REMOVE":
        return "− removed"
    if is_out(one.new_count) and not is_out(one.old_count):
        return "✕ ran out"
    if is_out(one.old_count) and not is_out(one.new_count):
        return "✓ back in stock"
    if one.event == "INSERT":
        return "✚ new item"
    if is_touched(one):
        return "◔ time only"
    return "▲ more" if (one.new_count or 0) > (one.old_count or 0) else "▼ less"


def open_alerts(found: Iterable[Episode], names: Mapping[str, str]) -> pd.DataFrame:
    return _frame((_open(one, names) for one in found), OPEN)


def _open(one: Episode, names: Mapping[str, str]) -> Row:
    row: Row = {"store": one.store, "item": one.item, "change": _fell(one), "what": _kind(one)}
    row |= {"since": moment(one.opened_at), "ago": moment(one.opened_at), "notified": moment(one.notified_at)}
    row |= {"seen": f"✓ {one.note or ''}".strip() if one.acknowledged_at else None}
    by = BY_POINT if one.by_point else cause(one.opened_by, names)
    return row | {"opened by": by, "id": plain.short(one.opened_by)}


def past_alerts(found: Iterable[Episode], names: Mapping[str, str]) -> pd.DataFrame:
    return _frame((_closed(one, names) for one in found), CLOSED)


def _closed(one: Episode, names: Mapping[str, str]) -> Row:
    back = "removed" if one.closed_count is None else rules.plain(one.closed_count)
    row: Row = {"store": one.store, "item": one.item, "change": f"{words.fell(one)} -> {back}", "what": _kind(one)}
    row |= {"opened": moment(one.opened_at), "closed": moment(one.closed_at)}
    row |= {"lasted": plain.lasted(one.opened_at, one.closed_at or one.opened_at)}
    ends = {"opened by": (one.opened_by, one.by_point), "closed by": (one.closed_by, one.closed_how)}
    told = {end: BY_POINT if point else f"{cause(by, names)} · {plain.short(by)}" for end, (by, point) in ends.items()}
    return row | told


def _fell(one: Episode) -> str:
    return f"{words.fell(one)} (of {rules.plain(one.point)})" if one.is_low else words.fell(one)


def _kind(one: Episode) -> str:
    return LOW if one.is_low else OUT


def cause(upload_id: str | None, names: Mapping[str, str]) -> str:
    """The file that did it."""
    return names.get(upload_id or "", "no upload")


def _frame(rows: Iterable[Row], columns: Iterable[str]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(columns))
    for name in TIMES & set(frame.columns):  # a column without any time is one of times still
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame

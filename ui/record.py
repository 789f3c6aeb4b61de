"""A picked line of the changes in full: the item before and after by attribute, or why there is no record."""

from typing import Any

import pandas as pd
import streamlit as st

from lambdas.oneline import oneline
from services import words
from services.changes import Counted, Seen
from services.changes import plain as images
from services.uploads import Receipt
from ui import feed, found, links, plain, receipts, tables
from ui.reads import Link

_SAME, _CHANGED, _ADDED, _REMOVED = "· same", "≠ changed", "✚ added", "− removed"
_ORDER = (_CHANGED, _ADDED, _REMOVED, _SAME)


def draw(held: Link, picked: Counted | Receipt | None) -> None:
    if picked is None:
        return
    if isinstance(picked, Counted):
        _record(held, picked)
    else:
        st.subheader("No record", anchor=False)
        st.text(f"{oneline(feed.upload_name(picked))}\n{plain.timed(words.receipt(picked))}")
        st.markdown(receipts.why(picked))
    with st.container(horizontal=True):
        if isinstance(picked, Counted):
            links.item(picked.store, picked.item, "Its item")
        if picked.upload_id:
            links.upload(picked.upload_id, "Its upload")
            links.why(picked.upload_id, *((picked.store, picked.item) if isinstance(picked, Counted) else ()))


def _record(held: Link, picked: Counted) -> None:
    st.subheader("The record", anchor=False)
    st.text(f"{words.item(picked)}: {words.moved(picked)} ({tables.meaning(picked)})")
    one = found.record(held, picked)
    if one is None:
        st.caption("Its images are not kept any more.")
        return
    frame = diff(one)
    grey = [what == _SAME for what in frame["what"]]
    tables.show(frame, "record", "Old and new image of the record", tables.height(len(frame)), _COLUMNS, grey)
    st.text(f"{one.event} · {plain.when(one.at)}\nsequence number {one.sequence}\nevent {one.event_id}")


_COLUMNS = {
    "what": st.column_config.TextColumn("What", width=110),
    "attribute": st.column_config.TextColumn("Attribute", width=120),
    "before": st.column_config.TextColumn("Before", width=280),
    "after": st.column_config.TextColumn("After", width=280),
}


def diff(one: Seen) -> pd.DataFrame:
    """Old and new image, a row for each attribute, what changed first."""
    old, new = images(one.old) or {}, images(one.new) or {}
    rows = [(_what(old, new, key), key, _told(old, key), _told(new, key)) for key in sorted(old.keys() | new.keys())]
    rows.sort(key=lambda row: _ORDER.index(row[0]))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _what(old: dict[str, Any], new: dict[str, Any], key: str) -> str:
    if key not in old:
        return _ADDED
    if key not in new:
        return _REMOVED
    return _SAME if old[key] == new[key] else _CHANGED


def _told(image: dict[str, Any], key: str) -> str:
    return str(image[key]) if key in image else "–"

"""The overview's parts: what is out, what just changed, and the filters of the table."""

import pandas as pd
import streamlit as st

from services import words
from ui import reads, tables
from ui.reads import Link

_LATEST, _LOOKED_AT = 8, 100
ALL, OUT, STOCKED = "All", "Out of stock", "In stock"


def what_is_out(out: pd.DataFrame) -> None:
    st.subheader("Out of stock", anchor=False)
    if out.empty:
        st.success("Nothing is out of stock.", icon=":material/check_circle:")
        return
    shown = out.sort_values("as of", ascending=False)[["item", "store", "count", "upload"]]
    tables.show(shown, "out", "Items out of stock", tables.height(len(shown)))


def what_just_changed(held: Link) -> None:
    st.subheader("Just changed", anchor=False)
    latest = [one for one in reads.feed(held, _LOOKED_AT) if not tables.is_touched(one)][:_LATEST]
    if not latest:
        st.info("No count has changed lately.", icon=":material/info:")
        return
    names = reads.files(held, {one.upload_id for one in latest})
    shown = tables.changes(tables.change(one, names) for one in latest)
    tables.show(shown[["item", "store", "change", "upload"]], "latest", "Latest changes", tables.height(len(shown)))


def filtered(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that the filters leave; the filters stand in the address."""
    search, stores, states = st.columns([2, 1, 1])
    text = search.text_input(
        "Search", key="q", placeholder="Item or store", icon=":material/search:", bind="query-params"
    )
    names = sorted(frame["store"].unique())
    store = stores.selectbox("Store", names, index=None, placeholder="All stores", key="store", bind="query-params")
    state = states.segmented_control("State", [ALL, OUT, STOCKED], default=ALL, key="state", bind="query-params")
    if text:
        holds = [frame[name].str.contains(text.strip(), case=False, regex=False) for name in ("item", "store")]
        frame = frame[holds[0] | holds[1]]
    if store:
        frame = frame[frame["store"] == store]
    if state in (OUT, STOCKED):
        frame = frame[frame["state"] == {OUT: tables.OUT, STOCKED: tables.IN_STOCK}[state]]
    st.caption(f"{words.some(len(frame), 'item')} shown." if len(frame) else "No item fits. Widen the search.")
    return frame

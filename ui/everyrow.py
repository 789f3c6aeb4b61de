"""Every row of an upload: chosen by its fate, searched, downloaded; a picked one leads to its item and to why.

Owns what is shown of many rows. The shape of a row is `ui.rows`' own.
"""

from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from lambdas.fates import Fate
from services import uploads, words
from services.uploads import Receipt
from ui import links, picking, plain, rows, tables
from ui.reads import Link


class Picked(NamedTuple):
    """A row that was picked. One that is not usable names no item, and of one that is repeated only its row tells it
    from the others: these have ``row`` and, in a wide file, ``column``."""

    store: str | None
    item: str | None
    row: int | None
    column: str | None


@st.cache_resource(show_spinner="Reading the rows…", max_entries=6, hash_funcs=rows.BY_ROWS)
def every(held: Link, of: Receipt, zone: str) -> pd.DataFrame:  # noqa: ARG001 (a key of the cache)
    """All rows, what moves first, with times in the reader's zone. Shared: filter it, never change it."""
    return rows.in_zone(rows.by_fate(uploads.rows(held.stack, of), None))


def draw(held: Link, of: Receipt) -> None:
    """The chooser with its counts, the rows that are left, and their download."""
    frame, fate = every(held, of, plain.zone()), ask_fate(of)
    text = st.text_input(
        "Find", key="find", placeholder="Item or store", icon=":material/search:", bind="query-params"
    )  # fmt: skip
    shown = found(frame, fate, (text or "").strip())
    if of.fates[Fate.REJECTED]:
        rows.draw_mending(of.fates[Fate.REJECTED], of.upload_id or "", rows.mended(held, of))
    if shown.empty:
        st.info("No row fits. Choose another fate, or widen the search.", icon=":material/filter_alt_off:")
        return
    table(shown, "every-row", "Rows by what became of them", of.upload_id or "")
    st.caption(f"{words.some(len(shown), 'row')} shown.{rows.told_of_more(of)}")
    tables.download(shown, f"{of.file.rsplit('.', 1)[0]}-rows.csv")


def ask_fate(of: Receipt) -> Fate | None:
    """A fate, with how many rows have it; it stands in the address. None: all."""
    options = [fate for fate in rows.FATES if of.fates[fate]]
    asked = next((fate for fate in options if fate == st.query_params.get("fate")), None)

    def keep() -> None:
        addressed("fate", st.session_state["which-fate"])

    hold("which-fate", asked)
    return st.pills(
        "What became of them", options, key="which-fate", on_change=keep,
        format_func=lambda fate: f"{rows.FATES[fate]} {of.fates[fate]:,}",
    )  # fmt: skip


def hold(key: str, value: Any) -> None:
    """What a widget is to show: what the address says, whoever has changed that."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def addressed(name: str, value: str | None) -> None:
    """Keep in the address what was chosen."""
    if value:
        st.query_params[name] = str(value)
    else:
        st.query_params.pop(name, None)


def found(frame: pd.DataFrame, fate: Fate | None, text: str) -> pd.DataFrame:
    """The rows of one fate, or of all, whose item or store holds the text."""
    if fate:
        frame = frame[frame["fate"] == rows.FATES[fate]]
    return holding(frame, text)


def holding(frame: pd.DataFrame, text: str) -> pd.DataFrame:
    """The rows whose item or store holds the text."""
    if not text:
        return frame
    holds = [frame[name].str.contains(text, case=False, regex=False, na=False) for name in ("item", "store")]
    return frame[holds[0] | holds[1]]


def table(shown: pd.DataFrame, key: str, what: str, upload_id: str | None = None) -> None:
    """Rows with `item` and `store`. Of not too many one can be picked: its item opens; of a row of an upload, which
    has its reasons, that is a choice."""
    one = pick(shown, key, what)
    if one is None:
        return
    if upload_id is None:
        if one.store and one.item:
            links.open_item(one.store, one.item)
        return
    with st.container(horizontal=True):
        label = f"Why? {one.item}" if one.item else f"Why? Row {one.row:,}"
        links.why(upload_id, one.store, one.item, label, row=one.row, column=one.column)
        if one.store and one.item:
            links.item(one.store, one.item)


def pick(shown: pd.DataFrame, key: str, what: str) -> Picked | None:
    """The row that was ticked, if one was."""
    high = tables.height(len(shown), 12)
    if len(shown) > tables.LAZY_FROM:
        tables.show(shown, key, what, high)
        st.caption("Find fewer rows to pick one.")
        return None
    return picking.picked(shown, _things(shown), f"{key}-pick", what, high)


def _things(shown: pd.DataFrame) -> list[Picked]:
    return [_thing(one) for one in shown.to_dict("records")]


def _thing(row: dict[Any, Any]) -> Picked:
    item = row["item"] if isinstance(row["item"], str) else None
    if "row" not in row or (item and row["fate"] != rows.FATES[Fate.DUPLICATE]):
        return Picked(row["store"], item, None, None)
    return Picked(row["store"] if item else None, item, int(row["row"].replace(",", "")), row.get("column") or None)

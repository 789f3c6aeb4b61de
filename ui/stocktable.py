"""The table of all items: its filters, which stand in the address, its exports, and the way from a row to its item.

Owns that 100,000 rows stay quick: what is drawn is the shared frame, or a part of it.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lambdas import times
from lambdas.inventory import Key
from lambdas.stream import item_key
from services import words
from ui import exports, plain, stockframe, tables
from ui.stockframe import Asked, Stock

ALL, OUT, LOW, STOCKED = "All", "Out of stock", "Low", "In stock"
_STATES = {OUT: tables.OUT, LOW: tables.LOW, STOCKED: tables.IN_STOCK}
_AGES = {"a day": 1, "a week": 7, "a month": 30}
_OFFERED = 200
_ORDER = ("open", "item", "count", "store", *stockframe.COLUMNS[4:])
"""As they are shown: a phone has room for the first ones. An export keeps the order of a stock file."""
_AT, _TABLE, _OPEN, _MOMENT, _SHOWN = "at", "stock", "open", "moment", "shown-stock"


def moment() -> str | None:
    """The past moment that the address names, as fixed-width UTC text; None for now. ValueError when it is none."""
    asked = st.query_params.get(_AT)
    return times.parse(asked) if asked else None


def back_to_now() -> None:
    st.query_params.pop(_AT, None)
    st.session_state[_MOMENT] = None


def filters(stock: Stock, at: str | None) -> Asked:
    """What the reader wants to see."""
    search, stores, states = st.columns([3, 2, 3], vertical_alignment="bottom")
    text = search.text_input(
        "Search", key="q", placeholder="Item or store", icon=":material/search:", bind="query-params"
    )
    names = list(stock.frame["store"].cat.categories)
    store = stores.selectbox("Store", names, index=None, placeholder="All stores", key="store", bind="query-params")
    state = states.segmented_control("State", [ALL, *_STATES], default=ALL, key="state", bind="query-params")
    ages, thens, _ = st.columns([2, 2, 4], vertical_alignment="bottom")
    older = ages.selectbox(
        "As of longer ago than", list(_AGES), index=None, placeholder="Any age", key="age", bind="query-params"
    )
    with thens:
        _ask_moment(at)
    limit = times.later(at or times.now(), days=-_AGES[older]) if older else None
    return Asked((text or "").strip(), store, _STATES.get(state or ALL), limit)


def _ask_moment(at: str | None) -> None:
    """Choose a past moment, in the reader's zone; in the address it stands in UTC."""
    there = plain.local(at)
    st.datetime_input(
        "As it was at", value=there and there.replace(tzinfo=None), step=60, format="DD.MM.YYYY", key=_MOMENT,
        on_change=_keep_moment,
    )  # fmt: skip


def _keep_moment() -> None:
    chosen: datetime | None = st.session_state[_MOMENT]
    if chosen is None:
        st.query_params.pop(_AT, None)
    else:
        st.query_params[_AT] = f"{chosen.replace(tzinfo=ZoneInfo(plain.zone())).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def draw_past(at: str) -> None:
    """Say that this is not now."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            f"**The past.** This is the stock as it was at {plain.when(at)}; nothing here can be corrected. "
            "States are by the reorder points of today.",
            icon=":material/history:",
        )
        st.button("Back to now", icon=":material/update:", on_click=back_to_now)


def draw(stock: Stock, asked: Asked, at: str | None) -> None:
    """What fits, to look at, to take away and to open."""
    frame = stockframe.found(stock, asked)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        _count(len(frame), len(stock.items))
        if len(frame):
            with st.popover("Export", icon=":material/download:"):
                st.caption(f"{words.some(len(frame), 'item')}, as filtered.")
                exports.draw(frame, _name(at))
    if not len(frame):
        return
    _table(frame, openable=at is None)
    if at is None:
        _offer(frame)


def _count(shown: int, all_of_them: int) -> None:
    if not shown:
        st.info("No item fits. Widen the search.", icon=":material/filter_alt_off:")
    elif shown == all_of_them:
        st.caption(f"{words.some(shown, 'item')}.")
    else:
        st.caption(f"{shown:,} of {words.some(all_of_them, 'item')}.")


def _name(at: str | None) -> str:
    """`stock-2026-11-24T1800Z`: of when it is."""
    when = at or times.now()
    return f"stock-{when[:13]}{when[14:16]}Z"


def _table(frame: pd.DataFrame, *, openable: bool) -> None:
    """A row that is picked opens its item. A long table is sent as it is scrolled to, and has links instead."""
    lazy = len(frame) > tables.LAZY_FROM
    if not openable:
        height = 600 if lazy else None
        tables.show(frame.drop(columns="open"), "past-stock", "All items as they were", height, column_order=_ORDER)
    elif lazy:
        tables.show(frame, "long-stock", "All items", 600, column_order=_ORDER)
    else:
        st.session_state[_SHOWN] = frame
        tables.show(
            frame.drop(columns="open"), _TABLE, "All items", column_order=_ORDER, on_select=_picked,
            selection_mode="single-row",
        )  # fmt: skip


def _picked() -> None:
    """The row was picked in the table as it stood when it was drawn last."""
    rows, frame = st.session_state[_TABLE]["selection"]["rows"], st.session_state.get(_SHOWN)
    if rows and frame is not None and rows[0] < len(frame):
        row = frame.iloc[rows[0]]
        open_item((row["store"], row["item"]))


def open_item(key: Key) -> None:
    """Show its page; the filters stay in the address, for the way back."""
    st.query_params["item"] = item_key(*key)


def close_item() -> None:
    st.query_params.pop("item", None)


def _offer(frame: pd.DataFrame) -> None:
    """The way to an item by keyboard and by thumb; what is searched for above is what can be chosen here."""
    first = frame.head(_OFFERED)
    keys = list(zip(first["store"], first["item"], strict=True))
    more = "" if len(frame) <= _OFFERED else f"the first {_OFFERED} of these; narrow the search for others"
    st.selectbox(
        "Open an item", keys, index=None, placeholder="Choose an item", key=_OPEN, help=more or None,
        format_func=lambda key: f"{key[1]} · {key[0]}", on_change=_chosen,
    )  # fmt: skip


def _chosen() -> None:
    if key := st.session_state[_OPEN]:
        open_item(key)

"""Reorder points on a page: the one for all, a store's, its items' in a table beside their counts; or a file of them.

Owns the widgets. Nothing is saved before the button is pressed; what a saving made low is said below it.
"""

import zlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from lambdas import times
from lambdas.reorder import ALL, Points, Scope
from lambdas.stockfile import counts
from services import pointfile, reorder, words
from services.access import Right
from services.errors import BadFile, StocktrailError
from services.pointfile import Plan
from services.reorder import Outcome
from services.stock import Stocked
from ui import plain, reads, tables
from ui.page import plainly
from ui.reads import Link

POINT = "reorder point"
_SAID, _TURN = "points-said", "points-turn"
_SAID_SECONDS = 60
_NAMED = 8
_TABLE_ROWS = 2_000
Edits = Mapping[int, Mapping[str, Any]]


@st.fragment
def draw() -> None:
    """The section."""
    st.subheader("Reorder points", anchor=False)
    st.caption(
        "An item is low when its count is at its reorder point or below, and not out. Its own point counts, else its "
        "store's, else the one for all; 0 says never low, only out."
    )
    with plainly():
        held = reads.refreshed()
        stocked, points = reads.items(held), reads.points(held)
    if not stocked:
        st.caption("There is no stock yet. Send a stock file, and its items can have their reorder points here.")
        return
    _say_what_it_did()
    _offer_to_finish(held)
    _edit(held, points)
    with st.expander("From a file", icon=":material/upload_file:"):
        _from_file(held, points)


def _edit(held: Link, points: Points) -> None:
    names = _stores(held)
    store = st.selectbox(
        "Store", names, index=0 if len(names) == 1 else None, placeholder="Choose one to see its items",
        key="points_store", bind="query-params",
    )  # fmt: skip
    shown = _of_store(held, store)
    if len(shown) > _TABLE_ROWS:
        text = st.text_input(
            "Part of the item's name", key="points_item", help="Save before you look for others.", bind="query-params"
        )
        shown = [one for one in shown if text and text.casefold() in one.item.casefold()][:_TABLE_ROWS]
    turn = st.session_state.get(_TURN, 0)
    with st.form(f"points-{turn}", border=False):
        left, right = st.columns(2)
        with left:
            label, may = "For all stores and items", held.person.may(Right.ADMINISTER)
            default = _number(label, points.default or None, f"point-of-all-{turn}", disabled=not may)
        of_store = None
        if store is not None:
            with right:
                key = f"point-of-store-{_mark([store])}-{turn}"
                of_store = _number(f"For each item of {plain.escaped(store)}", points.stores.get(store), key)
        edits = _table(points, shown, turn) if shown else {}
        if st.form_submit_button("Save the reorder points", icon=":material/save:", type=plain.main_button()):
            _save(held, given(points, store, default, of_store, shown, edits))


def _number(label: str, value: Decimal | None, key: str, *, disabled: bool = False) -> Decimal | None:
    was = f"{key}-was"
    if key not in st.session_state:
        st.session_state[was] = value
    got = st.number_input(
        label, min_value=0.0, value=None if value is None else float(value), step=1.0, format="%.6g",
        placeholder="none", key=key, disabled=disabled,
    )  # fmt: skip
    # A page stays open all day: what was not typed here is what somebody else may have saved since.
    return value if as_point(got) == st.session_state[was] else as_point(got)


def _table(points: Points, shown: list[Stocked], turn: int) -> Edits:
    """The items of a store; what was edited, by row and column."""
    # The key names the items: an edit is kept by its row, and is to be dropped rather than go to another item.
    key = f"points-of-{_mark(one.item for one in shown)}-{turn}"
    st.data_editor(
        _frame(points, shown), key=key, hide_index=True, alt="Items with their counts and reorder points",
        placeholder="–", height=tables.height(len(shown), 12), disabled=["item", "count", "state", "counts"],
        column_config={
            "item": st.column_config.TextColumn("Item", width=150),
            POINT: st.column_config.NumberColumn("Reorder point", min_value=0, format="localized", width=130),
            "count": st.column_config.NumberColumn("Count", format="localized", width=70),
            "state": st.column_config.TextColumn("State", width=115),
            "counts": st.column_config.NumberColumn("Point that counts", format="localized", width=125),
        },
    )  # fmt: skip
    edited: Edits = st.session_state[key]["edited_rows"]
    return edited


def _frame(points: Points, shown: Iterable[Stocked]) -> pd.DataFrame:
    rows = [
        (one.item, _float(points.items.get((one.store, one.item))), _float(one.count),
         tables.state(one.count, points.of(one.store, one.item)), _float(points.of(one.store, one.item)))
        for one in shown
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["item", POINT, "count", "state", "counts"])
    return frame.astype({"count": "float64", POINT: "float64", "counts": "float64"})


def _float(of: Decimal | None) -> float | None:
    return None if of is None else float(of)


def as_point(value: float | None) -> Decimal | None:
    """A number of a widget as people wrote it: 0.1, and not 0.1000000000000000055."""
    return None if value is None or pd.isna(value) else counts.number(float(value), ".")


def given(
    points: Points, store: str | None, default: Decimal | None, of_store: Decimal | None, shown: list[Stocked],
    edits: Edits,
) -> dict[Scope, Decimal | None]:  # fmt: skip
    """What is to be saved: what is other than it was."""
    said: dict[Scope, Decimal | None] = {ALL: default or None}
    if store is not None:
        said[Scope(store)] = of_store
    for row, cells in edits.items():
        if POINT in cells:
            said[Scope(shown[row].store, shown[row].item)] = as_point(cells[POINT])
    return {scope: point for scope, point in said.items() if points.own(scope) != point}


def _save(held: Link, said: Mapping[Scope, Decimal | None]) -> None:
    if not said and not reads.unsettled(held).unsettled:
        # The widgets keep what they hold: a table sends an edit a moment after it was made.
        st.info("Nothing was changed. Press the button once more if you did.", icon=":material/info:")
        return
    try:
        with st.spinner("Saving, and looking at what is low by it…"):
            st.session_state[_SAID] = reorder.save(held.stack, said), times.now()
    except StocktrailError as error:
        reads.forget_points()
        st.error(f"{plain.escaped(str(error))} Press the button once more.", icon=":material/error:")
        return
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    reads.forget_alerts(held)
    st.rerun()


def _offer_to_finish(held: Link) -> None:
    if at := reads.unsettled(held).broke_off:
        st.warning(words.broke_off(at), icon=":material/warning:")
        if st.button("Finish it", icon=":material/done_all:", help="Looks at every item, as its point now is."):
            _save(held, {})


def _say_what_it_did() -> None:
    """For a while: the table may send an edit that was made before the click after it, which draws all anew."""
    said: Outcome
    said, at = st.session_state.get(_SAID, (None, ""))
    if said and times.later(at, seconds=_SAID_SECONDS) > times.now():
        lines = [words.outcome(said)]
        for keys, mark in ((said.low, tables.LOW), (said.ended, "No longer low")):
            if keys:
                rest = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
                lines.append(f"{mark}: {plain.escaped('; '.join(' · '.join(key) for key in keys[:_NAMED]))}{rest}.")
        st.success("  \n".join(lines), icon=":material/check_circle:")


def _from_file(held: Link, points: Points) -> None:
    st.caption(
        "CSV or a workbook with the columns store, item and reorder point. No store, or *: all stores; no item: the "
        "whole store; no point: it is removed."
    )
    tables.download(_every(points), "reorder-points.csv")
    turn = st.session_state.get(_TURN, 0)
    picked = st.file_uploader("File of reorder points", key=f"points-file-{turn}")
    if picked is None:
        return
    try:
        plan = pointfile.plan(picked.getvalue(), points, [(one.store, one.item) for one in reads.items(held)])
    except BadFile as error:
        st.error(plain.escaped(str(error)), icon=":material/error:")
        return
    st.caption(plain.escaped(" ".join(plan.why)))
    st.markdown(f"**{words.planned(plan)}**")
    _draw_plan(plan)
    if plan.lines and st.button("Save the points of the file", icon=":material/save:", type=plain.main_button()):
        _save(held, plan.given)


def _draw_plan(plan: Plan) -> None:
    if plan.errors:
        wrong = pd.DataFrame(list(plan.errors), columns=["row", "column", "value", "reason"]).astype(str)
        tables.show(wrong, "points-wrong", "Rows that can't be used", tables.height(len(wrong)))
    if plan.lines:
        unknown = set(plan.unknown)
        rows = [
            (one.scope.store or "all stores", one.scope.item or "each item", words.point(one.was),
             words.point(one.now), "no store holds it yet" if one.scope in unknown else "")
            for one in plan.lines
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=["store", "item", "now", "then", "note"])
        tables.show(frame, "points-planned", "What the file would set", tables.height(len(frame)))


def _every(points: Points) -> pd.DataFrame:
    rows: list[tuple[str, str, str]] = []
    if points.default:
        rows.append(("*", "", words.point(points.default)))
    rows += sorted((store, "", words.point(point)) for store, point in points.stores.items())
    rows += sorted((store, item, words.point(point)) for (store, item), point in points.items.items())
    return pd.DataFrame(rows, columns=["store", "item", POINT])


@reads.with_the_stock
def _by_store(held: Link) -> dict[str, list[Stocked]]:
    """The items that have a count, by store."""
    found: dict[str, list[Stocked]] = {}
    for one in reads.items(held):
        if one.count is not None:
            found.setdefault(one.store, []).append(one)
    return found


def _stores(held: Link) -> list[str]:
    return sorted(_by_store(held))


def _of_store(held: Link, store: str | None) -> list[Stocked]:
    return _by_store(held).get(store or "", [])


def _mark(names: Iterable[str]) -> str:
    return f"{zlib.crc32(chr(0).join(names).encode()):08x}"

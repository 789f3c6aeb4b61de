"""The ways to apply a file: their names, a line about each, and what each would do with one file.

Owns which of them are offered.
"""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from lambdas.fates import Fate, Mode
from services.access import Person, Right
from services.uploads import Receipt
from ui import tables

MODES = {
    Mode.NEWEST: ("Newest wins", "A row counts only when it is newer than what is known. Safe to send twice."),
    Mode.PLAIN: ("Plain", "Every row is written as the file states it, older or not. An equal row changes nothing."),
    Mode.STAMP: ("Stamp", "Every row is written as of now, so every row is a change, even when the count is the same."),
}
"""The offered ones. A page that sends in another way names it itself."""

_COLUMNS = {
    Fate.CHANGED: "changed", Fate.INSERTED: "new", Fate.TOUCHED: "newer time", Fate.UNCHANGED: "up to date",
    Fate.STALE: "older",
}  # fmt: skip
"""The fates that the way decides about."""


def name(mode: str) -> str:
    """As people read it."""
    return MODES[Mode(mode)][0] if mode in MODES else mode.capitalize()


def ask(person: Person) -> Mode:
    """How the file is to be applied, each way explained in one line; who has no choice is not asked."""
    if not person.may(Right.OPERATE):
        st.session_state["mode"] = Mode.NEWEST
        st.caption(f"**{MODES[Mode.NEWEST][0]}.** {MODES[Mode.NEWEST][1]}")
        return Mode.NEWEST
    picked = st.radio(
        "How to apply it", list(MODES), format_func=lambda mode: MODES[mode][0], key="mode",
        captions=[explained for _, explained in MODES.values()],
    )  # fmt: skip
    return picked or Mode.NEWEST


def draw_figures(by_mode: Mapping[Mode, Receipt], picked: Mode, key: str) -> None:
    """What each way would do with this file, side by side; of a big one when it is asked for."""
    if len(by_mode) == 1 or every_way(key):
        st.toggle("Compare with the other ways to apply it", key=f"every-way-{key}")
    if len(by_mode) == 1:
        return
    st.caption("What each way of applying it would do with this file")
    tables.show(figures(by_mode, picked), f"ways-{key}", "What each way of applying the file would do")


def every_way(key: str) -> bool:
    """Whether it was asked for."""
    return bool(st.session_state.get(f"every-way-{key}"))


def figures(by_mode: Mapping[Mode, Receipt], picked: Mode) -> pd.DataFrame:
    """A row for each way: how many rows with each fate that any of them gives, stream records and alerts."""
    shown = [fate for fate in _COLUMNS if any(of.fates[fate] for of in by_mode.values())]
    rows = [
        [f"● {name(mode)}" if mode is picked else name(mode), *(of.fates[fate] for fate in shown),
         of.records_expected, of.alerts]
        for mode in MODES if (of := by_mode.get(mode))
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["way", *(_COLUMNS[fate] for fate in shown), "stream records", "alerts"])

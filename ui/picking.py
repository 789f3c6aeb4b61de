"""A table whose rows lead on: a tick opens what the row tells of.

Owns that a tick means the row that stood there when it was made: what is drawn meanwhile may be another order.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from ui import tables

T = TypeVar("T")


def picked(
    frame: pd.DataFrame, things: Sequence[T], key: str, what: str, height: int | None = None,
    columns: Mapping[str, Any] | None = None,
) -> T | None:  # fmt: skip
    """Draw a frame with one row for each thing; the thing of the row that was ticked, if one was."""
    slot = f"{key}-shown"
    before = st.session_state.get(slot, things)
    st.session_state[slot] = things
    ticked = tables.show(frame, key, what, height, columns, on_select="rerun", selection_mode="single-row")
    rows = ticked["selection"]["rows"]
    return before[rows[0]] if rows and rows[0] < len(before) else None

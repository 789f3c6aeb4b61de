"""What the reader of a page has said about one file so far, before it is sent.

Owns its place in the session. A file is named by its mark. A change is laid over what is said by then, not over what
the last run drew: two quick ones would lose the first.
"""

from dataclasses import replace
from typing import Any

import streamlit as st

from lambdas.stockfile import Mapping

_SHAPES = "said-of-shapes"


def said(mark: str) -> Mapping | None:
    """None while nothing is said: the file is read as saved for its shape, else as it is understood."""
    found: Mapping | None = st.session_state.get(_said(mark))
    return found


def said_of(shape: str) -> Mapping | None:
    """What was last said of a file of this shape: forty files of one program are asked about once."""
    found: Mapping | None = st.session_state.get(_SHAPES, {}).get(shape)
    return found


def say(mark: str, shape: str, before: Mapping, **parts: Any) -> None:
    """Say parts of the mapping. ``before``: the one that the file was read with when nothing was said yet."""
    now = replace(said(mark) or before, **parts)
    st.session_state[_said(mark)] = now
    st.session_state.setdefault(_SHAPES, {})[shape] = now


def reset(mark: str) -> None:
    """Nothing is said any more."""
    st.session_state.pop(_said(mark), None)
    name_columns(mark, wanted=False)
    forget_shapes()


def forget_shapes() -> None:
    """What was said of one file is no longer said of others: it is saved by now, or taken back."""
    st.session_state.pop(_SHAPES, None)


def store(mark: str) -> str | None:
    """The store that was said for the whole file."""
    found: str | None = st.session_state.get(f"its-store-{mark}")
    return found


def name_store(mark: str, name: str | None) -> None:
    st.session_state[f"its-store-{mark}"] = (name or "").strip() or None


def wants_columns(mark: str) -> bool:
    """Whether a column for each store is wanted, though none may be named yet."""
    return bool(st.session_state.get(f"wide-{mark}"))


def name_columns(mark: str, *, wanted: bool) -> None:
    st.session_state[f"wide-{mark}"] = wanted


def _said(mark: str) -> str:
    return f"said-{mark}"

"""What a click came to, told once, by the run that follows it."""

from collections.abc import Callable

import streamlit as st

from services.errors import StocktrailError
from ui import plain


def done(key: str, work: Callable[[], tuple[bool, str]]) -> bool:
    """Do what was clicked on; ``work`` gives whether it came out well, and a sentence. Whether it was done at all:
    what is refused is told with its reason."""
    try:
        st.session_state[key] = work()
    except StocktrailError as error:
        st.session_state[key] = (False, str(error))
        return False
    return True


def draw(key: str) -> None:
    """Tell of it where it belongs."""
    if said := st.session_state.pop(key, None):
        good, sentence = said
        icon = ":material/check_circle:" if good else ":material/error:"
        (st.success if good else st.warning)(plain.escaped(sentence), icon=icon)

"""The button for a file that is made when it is asked for.

Owns that the file reaches who asked for it. Streamlit lets one go when the second script after its making has ended,
anybody's: with many who look, that is before the browser has it. So the latest ones are held here.
"""

import threading
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import streamlit as st
from streamlit import runtime

_HELD = 8
_LARGE = 8_000_000  # bytes; of such ones only the latest is held
_turn = count()
_one_at_a_time = threading.Lock()


def button(label: str, made: Callable[[], bytes], name: str, mime: str, *, key: str, **look: Any) -> None:
    """A button that brings the file ``name``. ``made`` runs outside of the script; ``look``: as of Streamlit's."""
    st.download_button(
        label, partial(_held, made, name, mime), name, mime, key=key,
        on_click="ignore", icon=":material/download:", **look,
    )  # fmt: skip


def _held(made: Callable[[], bytes], name: str, mime: str) -> bytes:
    data = made()
    with _one_at_a_time:
        place = "large" if len(data) > _LARGE else str(next(_turn) % _HELD)
    files = runtime.get_instance().media_file_mgr
    files.add(data, mime, f"download {place}", file_name=name, is_for_static_download=True)
    return data

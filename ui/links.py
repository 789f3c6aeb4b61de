"""Where an upload and an item have their own pages: the addresses that every other page leads to."""

import streamlit as st

from lambdas.stream import item_key
from ui import plain

_LONGEST = 42  # on a phone a link is one line, and what does not fit is gone


def upload(upload_id: str, label: str = "Open the upload") -> None:
    """A link to an upload's receipt. ``label`` is plain text."""
    st.page_link("pages/uploads.py", label=_label(label), icon=":material/history:", query_params={"upload": upload_id})


def item(store: str, name: str, label: str = "Open the item") -> None:
    """A link to an item's page. ``label`` is plain text."""
    where = {"item": item_key(store, name)}
    st.page_link("pages/stock.py", label=_label(label), icon=":material/inventory_2:", query_params=where)


def _label(text: str) -> str:
    return plain.escaped(plain.cut(text, _LONGEST))


def open_upload(upload_id: str) -> None:
    """Go there, as when a row of a table was picked."""
    st.switch_page("pages/uploads.py", query_params={"upload": upload_id})


def open_item(store: str, name: str) -> None:
    st.switch_page("pages/stock.py", query_params={"item": item_key(store, name)})

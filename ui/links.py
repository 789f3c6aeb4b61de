"""Where an upload and an item have their own pages: the addresses that every other page leads to."""

from urllib.parse import urlencode

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


def why(
    upload_id: str, store: str | None = None, name: str | None = None, label: str = "Why?", *, row: int | None = None,
    column: str | None = None,
) -> None:  # fmt: skip
    """A link to why an item, or a row, of an upload became what it did; without one, to the choice of it."""
    where = asked(upload_id, store, name, row, column)
    st.page_link("pages/why.py", label=_label(label), icon=":material/help:", query_params=where)


def asked(
    upload_id: str, store: str | None, name: str | None, row: int | None = None, column: str | None = None
) -> dict[str, str]:
    """What stands in the address of the page that says why."""
    item = item_key(store, name) if store and name else None
    found = {"upload": upload_id, "item": item, "row": None if row is None else str(row), "column": column}
    return {key: value for key, value in found.items() if value}


def why_address(upload_id: str | None, store: str, name: str) -> str | None:
    """The same as a cell of a table; of what no upload did nothing can be asked."""
    return f"why?{urlencode(asked(upload_id, store, name))}" if upload_id else None


def _label(text: str) -> str:
    return plain.escaped(plain.cut(text, _LONGEST))


def open_upload(upload_id: str) -> None:
    """Go there, as when a row of a table was picked."""
    st.switch_page("pages/uploads.py", query_params={"upload": upload_id})


def open_item(store: str, name: str) -> None:
    st.switch_page("pages/stock.py", query_params={"item": item_key(store, name)})

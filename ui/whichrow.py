"""Which row is asked about: an upload that is chosen, and a row of it that is ticked, or an item by its name."""

import streamlit as st

from lambdas.stream import item_key
from services import words
from ui import everyrow, feed, itempage, links, plain, reads, rows
from ui.reads import Link


def choose(held: Link) -> None:
    """The choice of an upload, and then of a row of it. What is chosen stands in the address."""
    upload_id = feed.upload(held, "Upload", "Choose an upload")
    if not upload_id:
        st.info("Choose an upload, and then the item or row that you want to know about.", icon=":material/help:")
        return
    of = reads.receipt(held, upload_id)
    if of is None:
        return
    if of.state != "loaded":
        st.info(plain.escaped(plain.timed(words.receipt(of))), icon=":material/info:")
    else:
        _row(held, upload_id)
    _named(held, upload_id)


def _row(held: Link, upload_id: str) -> None:
    of = reads.receipt(held, upload_id)
    if of is None:
        return
    text = st.text_input("Find", key="find", placeholder="Item or store", icon=":material/search:", bind="query-params")
    shown = everyrow.holding(everyrow.every(held, of, plain.zone()), (text or "").strip())
    if shown.empty:
        st.info("No row fits. Widen the search.", icon=":material/filter_alt_off:")
        return
    st.caption(f"Tick a row.{rows.told_of_more(of)}")
    if one := everyrow.pick(shown, "which-row", "Rows by what became of them"):
        _ask(links.asked(upload_id, *one))


def _named(held: Link, upload_id: str) -> None:
    said = st.text_input("Or an item that it does not mention", key="other", placeholder="Store/Item")
    if said and (key := itempage.named(held, said)):
        _ask({"upload": upload_id, "item": item_key(*key)})


def _ask(where: dict[str, str]) -> None:
    st.query_params.from_dict(where)
    st.rerun()

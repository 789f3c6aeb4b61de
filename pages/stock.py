"""Stock: every item of every store, now or at a past moment, and one item's own page."""

import streamlit as st

from services.errors import NotFound
from ui import itempage, plain, reads, stockframe, stocktable
from ui.page import live, page, plainly

held = page("Stock")


@live(2)
def follow(version):
    """The stock has moved: the page is drawn anew. What is being typed or chosen stays."""
    if reads.refreshed().version != version:
        st.rerun()


def nothing_yet():
    st.info("There is no stock yet. Send a stock file, and its items appear here.")
    st.page_link("pages/upload.py", label="Send a file", icon=":material/upload_file:")


def asked_moment():
    try:
        return stocktable.moment()
    except ValueError:
        st.warning(
            "The address names no moment such as 2026-11-24T18:00Z, so this is the stock of now.",
            icon=":material/help:",
        )
        return None


def stock_of(at):
    """The stock then, or now; when it can't be told any more, that, and now."""
    if at:
        try:
            return stockframe.then(held, at), at
        except NotFound as error:
            st.warning(plain.escaped(plain.timed(str(error))), icon=":material/history_toggle_off:")
    return stockframe.now(held), None


def every_item():
    version, at = held.version, asked_moment()
    with plainly():
        stock, at = stock_of(at)
        if not stock.items and not at:
            nothing_yet()
        else:
            if at:
                stocktable.draw_past(at)
            stocktable.draw(stock, stocktable.filters(stock, at), at)
    if not at:
        follow(version)


if asked := st.query_params.get("item"):
    with plainly():
        itempage.draw(held, asked)
else:
    every_item()

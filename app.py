"""The overview: what is out of stock, what just changed, and the table itself."""

import streamlit as st

from services import words
from ui import charts, delivery, failed, parcels, plain, reads, samples, stocklist, tables, waiting
from ui.page import live, page

held = page("Overview")

if "welcome" in st.session_state and (sent := parcels.current()):
    delivery.deliver(held, sent)
    st.button("Close the receipt", on_click=st.session_state.pop, args=("welcome",))


@live(2)
def wait_for_the_first():
    """Somebody else may send it: then the page goes on by itself."""
    held = reads.refreshed()
    waiting.announce(held)
    if held.mirror.items:
        st.rerun()


if not held.mirror.items:
    st.info("There is no stock yet. Send a stock file, or try one of these samples with one click.")
    if name := samples.chosen("first", explained=True):
        parcels.pack_sample(name)
        st.session_state.welcome = True
        st.rerun()
    st.page_link("pages/upload.py", label="Send a file of your own", icon=":material/upload_file:")
    wait_for_the_first()
    st.stop()


def fact(label, value, below):
    st.metric(label, value, plain.escaped(below), delta_color="off", delta_arrow="off", border=True)


@live(2)
def now():
    held = reads.refreshed()
    waiting.announce(held)
    failed.announce(held)
    frame = tables.stock(held)
    out = frame[frame["state"] == tables.OUT]
    last = next(iter(reads.receipts(held)), None)
    with st.container(horizontal=True):
        fact("Out of stock", f"{len(out):,}", f"in {words.some(out['store'].nunique(), 'store')}")
        fact("Items", f"{len(frame):,}", "one for each store and item")
        fact("Stores", f"{frame['store'].nunique():,}", "that have sent a file")
        fact("Last upload", words.ago(last.received_at) if last else "never", last.file if last else "")
    left, right = st.columns(2, gap="medium")
    with left:
        stocklist.what_is_out(out)
    with right:
        stocklist.what_just_changed(held)


@live(2)
def stores():
    st.subheader("Items by store", anchor=False)
    figure, others = charts.by_store(reads.refreshed())
    st.plotly_chart(figure, key="by-store", config={"displayModeBar": False}, alt="Items in and out of stock by store")
    if others:
        st.caption(others)


@live(2)
def table():
    st.subheader("All items", anchor=False)
    frame = stocklist.filtered(tables.stock(reads.refreshed()))
    tables.show(frame, "stock", "All items")
    tables.download(frame.drop(columns="age"), "stock.csv")


now()
stores()
table()

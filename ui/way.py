"""The way of one upload through the pipeline: when it reached each stage, and what the Lambdas logged of it."""

import pandas as pd
import streamlit as st

from services.uploads import Receipt
from ui import feed, links, log, plain, reads, receipts, tables
from ui.reads import Link

_PASSED = 8


def draw(held: Link) -> None:
    """Choose an upload, and follow it."""
    st.subheader("The way of one upload", anchor=False)
    upload_id = feed.upload(held, "Upload", "Choose an upload")
    if not upload_id:
        st.caption("Its times at each stage, and every line that the Lambdas logged while they worked on it, in order.")
        return
    found = reads.receipt(held, upload_id)
    if found is None:
        st.warning("There is no such upload.", icon=":material/search_off:")
        return
    receipts.draw_stages(found)
    receipts.draw_words(found)
    links.upload(upload_id, "Its receipt")
    if found.received_at:
        log.draw_of(held, found)


def draw_latest(held: Link) -> None:
    """The latest uploads: records seen against records expected."""
    st.subheader("Latest uploads", anchor=False)
    found = reads.receipts(held)
    for one in found:
        if told := receipts.gap(one):
            st.error(f"{plain.escaped(one.file)}: {told}", icon=":material/running_with_errors:")
    rows = [(one.file, _records(one), receipts.state(one), tables.moment(one.received_at)) for one in found[:_PASSED]]
    frame = pd.DataFrame(rows, columns=["upload", "records seen", "state", "ago"])
    tables.show(frame, "uploads", "Latest uploads", tables.height(len(frame)))


def _records(one: Receipt) -> str:
    return f"{one.records_seen or 0:,} of {one.records_expected:,}" if one.state == "loaded" else "–"

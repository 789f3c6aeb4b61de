"""Pipeline: the way of a file from the bucket to the message, as it runs; and one upload's own way, with its log."""

import streamlit as st

from ui import failed, log, reads, runs, stages, trust, way
from ui.page import live, page

held = page("Pipeline")


@live(2)
def verdict():
    held = reads.refreshed()
    if not reads.receipts(held):
        st.info("No file has been sent yet. Send one, and its way through the pipeline appears here.")
        st.page_link("pages/upload.py", label="Send a file", icon=":material/upload_file:")
        return
    stages.draw_verdict(held)


@live(2)
def picture():
    held = reads.refreshed()
    left, right = st.columns([5, 6], gap="medium")
    with left:
        stages.draw(held)
    with right:
        runs.draw(held)
    failed.draw(held)


@live(2)
def uploads():
    held = reads.refreshed()
    if reads.receipts(held):
        way.draw(held)
        way.draw_latest(held)


@live(2)
def lines():
    log.draw_search(reads.refreshed())


# Who comes to look at one upload sees it first.
asked = "upload" in st.query_params
verdict()
if asked:
    uploads()
picture()
if not asked:
    uploads()
trust.draw(held)
lines()

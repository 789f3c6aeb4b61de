"""Pipeline: the way of a file from the bucket to the alert, as it runs, and one upload's own way."""

import streamlit as st

from ui import failed, feed, lane, reads, trust
from ui.page import live, page

held = page("Pipeline")


@live(2)
def stages():
    lane.draw(reads.refreshed())


@live(2)
def failing():
    failed.draw(reads.refreshed())


@live(2)
def passing():
    held = reads.refreshed()
    if not reads.receipts(held):
        st.info("No file has been sent yet. Send one, and its way through the pipeline appears here.")
        st.page_link("pages/upload.py", label="Send a file", icon=":material/upload_file:")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        lane.draw_uploads(held)
    with right:
        lane.draw_feed(held)
    one_upload(held)


def one_upload(held):
    st.subheader("The way of one upload", anchor=False)
    upload_id = feed.upload(held, "Upload", "Choose an upload")
    if upload_id:
        lane.draw_way(held, upload_id)


stages()
failing()
passing()
trust.draw(held)

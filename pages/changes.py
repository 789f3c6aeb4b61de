"""Changes: every stream record as it comes, newest first, and the uploads that left none."""

import streamlit as st

from ui import feed, reads
from ui.page import live, page

page("Changes")
st.caption(
    "One line for each stream record that DynamoDB wrote. An upload that changed nothing has no record; "
    "it is told of with its reason."
)


@live(2)
def changes():
    held = reads.refreshed()
    asked = feed.filters(held)
    found = feed.gather(held, asked)
    if not found.entries:
        nothing(asked, found)
        return
    feed.draw(held, found.entries)
    if told := feed.told_of_all(asked, found):
        st.caption(told)
    turn_pages(asked, found)
    feed.draw_picked()


def nothing(asked, found):
    if found.further:
        st.info(
            f"None of the {found.looked_at:,} changes that were looked through fits. Look at older ones, or clear a "
            "filter.",
            icon=":material/filter_alt_off:",
        )
        turn_pages(asked, found)
        return
    if asked.store or asked.text or asked.upload_id or asked.before:
        st.info("No change fits. Clear a filter to see more.", icon=":material/filter_alt_off:")
        turn_pages(asked, found)
        return
    st.info("Nothing has changed yet. Send a stock file, and what it changes appears here within a second.")
    st.page_link("pages/upload.py", label="Send a file", icon=":material/upload_file:")


def turn_pages(asked, found):
    with st.container(horizontal=True):
        if asked.before:
            st.button("Back to the newest", icon=":material/vertical_align_top:", on_click=go_to, args=(None,))
        if found.further:
            st.button("Older", icon=":material/arrow_downward:", on_click=go_to, args=(found.further,))


def go_to(position):
    if position:
        st.query_params["before"] = position
    else:
        st.query_params.pop("before", None)


changes()

"""Changes: every stream record as it comes, newest first, and the uploads that left none."""

import streamlit as st

from ui import feed, feedexport, feedtable, news, reads
from ui.page import live, page, plainly

held = page("Changes")
st.caption(
    "One line for each stream record that DynamoDB wrote. An upload that changed nothing has no record; "
    "it is told of with its reason."
)
with plainly():
    asked = feed.filters(held)
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = news.mode()
        with st.popover("Jump to a time", icon=":material/schedule:"):
            feed.jump()
        with st.popover("Export", icon=":material/download:"):
            feedexport.draw(held, asked)
    every = news.seconds(held)
above = st.container()


@live(every if chosen == news.FOLLOW else None, feedtable.KEY)
def table():
    held = reads.link()
    feedtable.draw(held, feedtable.current(held, asked, follow=chosen == news.FOLLOW))


@live(every, news.KEY)
def announce():
    news.draw(reads.link(), asked, chosen)


table()
with above:
    announce()

"""Streams explained: the same four files three ways, and what came out of each stream. For a class."""

import streamlit as st

from services import lesson as streams
from services.errors import BadFile
from ui import lesson, plain, reads
from ui.page import live, page

held = page("Streams explained")
moves = lesson.classroom(held).board().at_work


@live(0.5 if moves else 2)
def show():
    held = reads.refreshed()
    lesson.draw(held)
    if lesson.classroom(held).board().at_work != moves:
        st.rerun()  # to be drawn more often, or more seldom


def take_own(first, newer):
    try:
        st.session_state[lesson.OWN] = streams.own(first.name, first.getvalue(), newer.name, newer.getvalue())
    except BadFile as error:
        st.error(plain.escaped(str(error)), icon=":material/error:")
    else:
        lesson.classroom(held).start_over()
        st.rerun()


show()

with st.expander("With two files of your own"):
    left, right = st.columns(2)
    first, newer = left.file_uploader("The file"), right.file_uploader("A newer one")
    if st.button("Take these two", disabled=not (first and newer)):
        take_own(first, newer)

"""Who is told of alerts, and when: what waits now, who is subscribed to what, and quiet hours."""

import streamlit as st

from ui import quiet, subscribing
from ui.page import plainly
from ui.reads import Link


def draw(held: Link) -> None:
    st.header("Notifications", anchor=False)
    quiet.waiting()
    with plainly():
        subscribing.draw(held)
        quiet.draw(held)

"""Audit: who did what, from where and when."""

import streamlit as st

from ui import audit
from ui.page import page, plainly

held = page("Audit")
st.caption(
    "What anybody did here, on a page or on the command line. An entry is written before the deed is done, and nobody "
    "can change it or take it away from here; what then could not be done was told to who asked for it."
)
with plainly():
    audit.draw(held, audit.filters(held))

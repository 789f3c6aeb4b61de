"""Access: who may do what, with which stores."""

import streamlit as st

from ui import access
from ui.page import page, plainly

held = page("Access")
st.caption(
    "What stands here counts within seconds, and before what the groups of their sign-in say. "
    "Who is in neither sees nothing. Each change is in the audit."
)
with plainly():
    access.draw(held)

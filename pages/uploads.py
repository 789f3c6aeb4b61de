"""Uploads: every file that was sent, and what became of it; and one upload with its rows, records and alerts."""

import streamlit as st

from ui import history, one_upload
from ui.page import page, plainly

held = page("Uploads")
if upload_id := st.query_params.get("upload"):
    history.back()
    with plainly():
        one_upload.draw(held, upload_id)
else:
    history.draw()

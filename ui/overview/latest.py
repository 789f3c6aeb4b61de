"""The last uploads with their fates, each leading to its receipt."""

import pandas as pd
import streamlit as st

from services import words
from services.uploads import Receipt
from ui import fatebar, links, reads, receipts, tables
from ui.picking import picked
from ui.reads import Link

_SHOWN = 6
_STATES = {
    "received": "… received",
    "loading": "… loading",
    "waiting": "? waits for an answer",
    "failed": "✕ not loaded",
}


def draw(held: Link) -> None:
    found = [one for one in reads.receipts(held) if one.upload_id][:_SHOWN]
    if not found:
        return
    st.subheader("Last uploads", anchor=False)
    frame = pd.DataFrame([_row(one) for one in found], columns=["upload", "ago", "rows", "fates", "alerts"])
    frame["ago"] = pd.to_datetime(frame["ago"], utc=True)
    columns = {
        "rows": st.column_config.ImageColumn("Rows", width=130, help="The rows of the file by what became of them"),
        "fates": st.column_config.TextColumn("Rows in words", width=320),
        "alerts": st.column_config.NumberColumn("Alerts", format="localized", width=60),
    }
    chosen = picked(frame, found, "uploads", "The last uploads", tables.height(len(frame)), columns)
    st.page_link("pages/uploads.py", label="All uploads", icon=":material/arrow_forward:")
    if chosen and chosen.upload_id:
        links.open_upload(chosen.upload_id)


def _row(one: Receipt) -> tuple[object, ...]:
    loaded = one.state == "loaded"
    told = words.fates(one.fates) if loaded else _STATES[one.state]
    if receipts.gap(one):
        told = f"✕ records missing; {told}"
    bar = fatebar.image(one.fates) if loaded else None
    return one.file, tables.moment(one.received_at), bar, told, one.alerts if loaded else None

"""From the click on Send to the receipt: the stages light up as they happen.

Owns how closely an upload is watched: a few seconds at every step, and then, if something waits, once a second.
"""

import streamlit as st

from lambdas.fates import Mode
from services import uploads
from services.errors import Unavailable
from services.uploads import Receipt
from ui import plain, reads, receipts, rows
from ui.page import live, plainly
from ui.parcels import Parcel
from ui.preview import MODES
from ui.reads import Link

_PATIENCE_SECONDS = 8


def deliver(held: Link, parcel: Parcel) -> None:
    """Send what is left of a parcel, follow it, and draw its receipts."""
    with plainly():
        if parcel.files:
            with st.spinner("Sending…"):
                parcel.send(held.stack)
        for said in parcel.refused:
            st.error(plain.escaped(said), icon=":material/error:")
        for upload_id in parcel.ids:
            with st.container(border=True):
                _follow(held, upload_id)


def _follow(held: Link, upload_id: str) -> None:
    place = st.empty()
    last: Receipt | None = None
    try:
        for last in uploads.follow(held.stack, upload_id, _PATIENCE_SECONDS):
            with place.container():
                _heading(last)
                receipts.draw_stages(last)
    except Unavailable:  # it takes longer, or can't be reached: the slower look says which
        place.empty()
        _watch(upload_id)
        return
    if last is not None:
        _outcome(held, last)


@live(1)
def _watch(upload_id: str) -> None:
    """An upload that takes its time: a queue that is long, a loader that is to try again, records that stay away."""
    now = uploads.receipt(reads.link().stack, upload_id)
    if now.settled:
        st.rerun()
    _heading(now)
    receipts.draw_stages(now)
    st.info("It was received and goes on by itself, also when you leave this page.", icon=":material/hourglass_top:")
    if now.state == "loaded":
        _outcome(reads.link(), now)


def _heading(of: Receipt) -> None:
    st.markdown(f"**{plain.escaped(of.file)}** · sent {plain.clock(of.received_at)} · {MODES[Mode(of.mode)][0]}")


def _outcome(held: Link, of: Receipt) -> None:
    receipts.draw(of, rows.told(held, of), of.upload_id or "", rows.mended(held, of))
    links = st.container(horizontal=True)
    where = {"upload": of.upload_id or ""}
    links.page_link("pages/changes.py", label="Its changes", icon=":material/swap_vert:", query_params=where)
    links.page_link("pages/pipeline.py", label="Its way", icon=":material/conversion_path:", query_params=where)

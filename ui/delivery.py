"""From the click on Send to the receipt: the stages light up as they happen.

Owns how closely an upload is watched: a few seconds at every step, and then, if something waits, once a second. Many
at once are a table, of which each row lights up as it comes.
"""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from services import uploads, words
from services.errors import NotFound, Unavailable
from services.uploads import Receipt
from ui import history, links, modes, plain, preview, reads, receipts, rows
from ui.page import live, plainly
from ui.parcels import Parcel
from ui.reads import Link

_PATIENCE_SECONDS = 8


def deliver(held: Link, parcel: Parcel) -> None:
    """Send what is left of a parcel, follow it, and draw its receipts."""
    with plainly():
        if parcel.files:
            _send(held, parcel)
        for said in parcel.refused:
            st.error(plain.escaped(said), icon=":material/error:")
        if len(parcel.ids) > preview.FEW:
            ids = tuple(parcel.ids)
            found = _receipts(held, ids)
            if all(one.settled for one in found) and len(found) == len(ids):
                _draw_many(found)
            else:
                _watch_many(ids)
            return
        for upload_id in parcel.ids:
            with st.container(border=True):
                follow(held, upload_id)


def _send(held: Link, parcel: Parcel) -> None:
    if len(parcel.marks) <= preview.FEW:
        with st.spinner("Sending…"):
            parcel.send(held.stack)
        return
    place = st.empty()
    parcel.send(held.stack, lambda done, of: place.progress(done / of, f"Sent {done:,} of {words.some(of, 'file')}"))
    place.empty()


def _receipts(held: Link, upload_ids: Sequence[str]) -> list[Receipt]:
    """The receipts of many; a few requests while they are among the latest."""
    latest = {one.upload_id: one for one in reads.receipts(held, max(100, len(upload_ids)))}
    each = [latest.get(upload_id) or reads.receipt(held, upload_id) for upload_id in upload_ids]
    return [one for one in each if one]


@live(1)
def _watch_many(upload_ids: Sequence[str]) -> None:
    """The receipts of many that are under way. When all are through nothing is asked any more."""
    found = _receipts(reads.link(), upload_ids)
    done = sum(one.settled for one in found)
    if done == len(upload_ids):
        st.rerun()
    st.progress(done / len(upload_ids), f"{done:,} of {words.some(len(upload_ids), 'file')} done")
    st.info("They go on by themselves, also when you leave this page.", icon=":material/hourglass_top:")
    _table_of(found)


def _draw_many(found: Sequence[Receipt]) -> None:
    """In words what they came to."""
    st.success(plain.escaped(together(found)), icon=":material/check_circle:")
    _table_of(found)


def _table_of(found: Sequence[Receipt]) -> None:
    history.table(found, "sent", "The files that were sent")
    history.open_picked()


def together(found: Sequence[Receipt]) -> str:
    """The receipts of several uploads as one: `40 files, 1,680 rows: 12 changed, …`."""
    fates: Counter[str] = Counter()
    for one in found:
        fates.update(one.fates)
    expected, seen = sum(one.records_expected for one in found), sum(one.records_seen or 0 for one in found)
    said = f"{words.some(len(found), 'file')}, {words.some(sum(one.rows for one in found), 'row')}"
    if told := words.fates(fates):
        said += f": {told}"
    not_loaded = sum(one.state != "loaded" for one in found)
    left = f" {words.some(not_loaded, 'file')} not loaded." if not_loaded else ""
    records = f"{words.some(expected, 'stream record')} expected, {seen:,} seen."
    return f"{said}. {records} {words.some(sum(one.alerts for one in found), 'alert')}.{left}"


def follow(held: Link, upload_id: str) -> None:
    """One upload, step by step to its receipt."""
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
    held = reads.link()
    now = reads.receipt(held, upload_id)
    if now is None:
        raise NotFound(f"There is no upload “{upload_id}” any more.")
    if now.settled:
        st.rerun()
    _heading(now)
    receipts.draw_stages(now)
    st.info("It was received and goes on by itself, also when you leave this page.", icon=":material/hourglass_top:")
    if now.state == "loaded":
        _outcome(held, now)
    else:
        links.upload(upload_id, "Its receipt, to come back to")


def _heading(of: Receipt) -> None:
    st.markdown(f"**{plain.escaped(of.file)}** · sent {plain.clock(of.received_at)} · {modes.name(of.mode)}")


def _outcome(held: Link, of: Receipt) -> None:
    receipts.draw(of, rows.told(held, of), of.upload_id or "", rows.mended(held, of))
    where = {"upload": of.upload_id or ""}
    with st.container(horizontal=True):
        links.upload(of.upload_id or "", "Its receipt")
        links.why(of.upload_id or "")
        st.page_link("pages/changes.py", label="Its changes", icon=":material/swap_vert:", query_params=where)
        st.page_link("pages/pipeline.py", label="Its way", icon=":material/conversion_path:", query_params=where)

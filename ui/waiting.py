"""Files that came in by themselves and wait for an answer: the same form as for a picked one, and “Use this”.

The Upload page does not look for them by the clock: a file that is picked in the instant in which a run begins can be
lost. The Overview does.
"""

from dataclasses import replace

import streamlit as st

from lambdas.fates import Mode
from services import words
from services.errors import NotFound
from services.uploads import Receipt
from ui import parcels, plain, preview, reads
from ui.parcels import Chosen
from ui.reads import Link

_AT_ONCE = 3


def announce(held: Link) -> None:
    """A line on another page, when there are any."""
    if found := reads.waiting(held):
        said = "1 file waits" if len(found) == 1 else f"{len(found):,} files wait"
        st.warning(f"{said} for an answer: how to read it is not clear.", icon=":material/contact_support:")
        st.page_link("pages/upload.py", label="Answer", icon=":material/arrow_forward:")


def draw(held: Link) -> None:
    """A block for each of the latest; the others come up as these are answered."""
    found = reads.waiting(held)
    if not found:
        return
    st.subheader("Waiting for an answer", anchor=False)
    for of in found[:_AT_ONCE]:
        with st.container(border=True):
            _draw(held, of)
    if len(found) > _AT_ONCE:
        st.caption(f"And {words.some(len(found) - _AT_ONCE, 'other file')}, asked about when these are answered.")


def _draw(held: Link, of: Receipt) -> None:
    mode = Mode(of.mode)
    st.markdown(f"**{plain.escaped(of.file)}** · came in {plain.when(of.received_at)} · {preview.MODES[mode][0]}")
    upload_id = of.upload_id or ""
    try:
        data = reads.contents(held, upload_id)
    except NotFound as error:
        st.error(plain.escaped(str(error)), icon=":material/error:")
        return
    above = st.container()
    ready = preview.examine(held, Chosen(upload_id, of.file, data, of.store, answers=upload_id), mode)
    answers = [_answer(ready)] if isinstance(ready, Chosen) else []
    with above:
        st.button(
            "Use this", key=f"use-{upload_id}", type="primary", icon=":material/check:", disabled=not answers,
            on_click=parcels.pack, args=(answers, mode),
        )  # fmt: skip


def _answer(ready: Chosen) -> Chosen:
    """Another answer to the same upload is another parcel: the first may have been refused."""
    said = ready.mapping.id if ready.mapping else ""
    return replace(ready, mark=f"{ready.mark}-{said}-{ready.store or ''}")

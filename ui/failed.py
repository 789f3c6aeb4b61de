"""What failed and was not lost: why, what it was, and “Run again”."""

import streamlit as st

from services import failures, words
from services.access import Right
from services.errors import StocktrailError
from services.failures import Failure
from ui import plain, reads
from ui.reads import Link

_SHOWN = 20
_SAID = "run-again-said"


def announce(held: Link) -> None:
    """A line on another page, when there is anything."""
    if held.person.may(Right.OPERATE) and (found := reads.failed(held)):
        st.error(f"{words.some(len(found), 'thing')} failed and can be run again.", icon=":material/error:")
        st.page_link("pages/pipeline.py", label="Look", icon=":material/arrow_forward:")


def draw(held: Link) -> None:
    """A block for each failure, the latest first; nothing while all goes well."""
    found = reads.failed(held)
    if said := st.session_state.pop(_SAID, None):
        st.toast(said)
    if not found:
        return
    st.subheader("What failed", anchor=False)
    st.caption("Nothing of it is lost. What is not a file is tried again by itself for some hours.")
    for of in found[:_SHOWN]:
        with st.container(border=True):
            _draw(held, of)
    if len(found) > _SHOWN:
        st.caption(f"And {len(found) - _SHOWN:,} more.")


def _draw(held: Link, of: Failure) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    tries = f" · tried again {words.some(of.tries, 'time')}" if of.tries else ""
    left.markdown(f"**{plain.escaped(of.about)}** · {of.what} · {plain.when(of.failed_at)}{tries}")
    left.caption(plain.escaped(of.reason))
    right.button(
        "Run again", key=f"again-{of.id}", icon=":material/replay:", on_click=_again, args=(of,), width="stretch"
    )
    if of.is_file:
        right.button(
            "Leave it", key=f"aside-{of.id}", icon=":material/close:", on_click=_aside, args=(of,),
            width="stretch", type="tertiary", help="It is not to be loaded. Its receipt stays.",
        )  # fmt: skip
    with st.expander("What it was"):
        st.json(reads.payload(held, of.id), expanded=1)


def _aside(of: Failure) -> None:
    try:
        failures.put_aside(reads.link().stack, of.id)
    except StocktrailError as error:
        st.session_state[_SAID] = plain.escaped(str(error))
    reads.forget_failed()


def _again(of: Failure) -> None:
    """A click: how it went is told by the run that follows."""
    try:
        reason = failures.retry(reads.link().stack, of.id)
    except StocktrailError as error:
        reason = str(error)
    reads.forget_failed()
    about = plain.escaped(of.about)
    st.session_state[_SAID] = f"{about}: not yet. {plain.escaped(reason)}" if reason else f"{about}: on its way again."

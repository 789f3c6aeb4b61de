"""Correcting one count by hand, on an item's page: what is asked, what is sent, and what became of it."""

import secrets
from decimal import Decimal

import streamlit as st

from services import correcting
from services.access import Right
from services.correcting import LONGEST_REASON, File
from services.errors import BadFile, StocktrailError
from services.stock import Stocked, key
from ui import delivery, parcels, plain, reads
from ui.parcels import Chosen
from ui.reads import Link

_COUNT, _REASON, _MARK, _SAID = "recount", "recount-reason", "recount-mark", "recount-said"


def draw(held: Link, of: Stocked) -> None:
    """The form, and the receipt of what was sent from it last; nothing for who may not correct."""
    if not held.person.may(Right.SEND):
        return
    st.subheader("Correct the count", anchor=False)
    locked = correcting.locked(of)
    if locked:
        _draw_locked(of)
    with st.form("correct", clear_on_submit=False, border=True):
        left, right = st.columns([1, 2])
        left.number_input("The count is", value=None, step=1.0, format="%.10g", key=_COUNT, placeholder=_known(of))
        right.text_input(
            "Why (optional)", key=_REASON, max_chars=LONGEST_REASON, placeholder="Two broken in transit",
            help="It becomes a part of the upload's name, and so stands beside the change wherever it is shown.",
        )  # fmt: skip
        st.form_submit_button(
            "Correct the count", icon=":material/edit:", on_click=_correct, args=(of, _mark()), disabled=locked
        )
    if said := st.session_state.pop(_SAID, None):
        st.warning(plain.escaped(said), icon=":material/error:")
    _draw_sent(held, of)


def _known(of: Stocked) -> str:
    return f"now {of.count:f}" if of.count is not None else ""


def _draw_locked(of: Stocked) -> None:
    st.warning(
        f"A correction would change nothing now: this count is as of {plain.clock(of.updated_at)}, which lies ahead, "
        "and the newest wins. Release it first: the count stays, and becomes as of now.",
        icon=":material/lock_clock:",
    )
    st.button("Release", icon=":material/lock_open:", on_click=_release, args=(of, _mark()))


def _mark() -> str:
    """Of what is sent next from this page: a second click on the same button is the same upload."""
    return str(st.session_state.setdefault(_MARK, secrets.token_hex(8)))


def _correct(of: Stocked, mark: str) -> None:
    count = st.session_state[_COUNT]
    if mark != st.session_state.get(_MARK):  # a second click on the same button
        return
    if count is None:
        st.session_state[_SAID] = "Say the count first: a number such as 12, 39.5 or -3."
        return
    try:
        _pack(of, correcting.correction(of, Decimal(format(count, ".15g")), st.session_state[_REASON] or ""), mark)
    except BadFile as error:  # what was typed stays to be mended
        st.session_state[_SAID] = str(error)
    else:
        st.session_state[_COUNT], st.session_state[_REASON] = None, ""


def _release(of: Stocked, mark: str) -> None:
    if mark != st.session_state.get(_MARK):
        return
    try:
        _pack(of, unlocking(of), mark)
    except StocktrailError as error:
        st.session_state[_SAID] = str(error)


def unlocking(of: Stocked) -> File:
    """The file that releases a count. BadFile when it has moved: a stamp would put the old one back."""
    if correcting.one(reads.link().stack, of.store, of.item).count != of.count:
        raise BadFile("The count has just moved. Look at it again before you release it.")
    return correcting.unlocking(of)


def _pack(of: Stocked, file: File, mark: str) -> None:
    parcels.pack([Chosen(f"{key(of)} {mark}", file.name, file.data, mapping=file.mapping, by_hand=True)], file.mode)
    st.session_state.pop(_MARK, None)


def _draw_sent(held: Link, of: Stocked) -> None:
    """The receipt, in words; of this item alone."""
    sent = parcels.current()
    if sent and all(mark.startswith(f"{key(of)} ") for mark in sent.marks):
        delivery.deliver(held, sent)

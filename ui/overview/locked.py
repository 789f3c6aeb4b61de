"""Counts that are locked by a time ahead of now: no file can change them until then, unless they are released."""

from collections import deque

import streamlit as st

from lambdas import times
from lambdas.alerts import plain as number
from services import words
from services.access import Right
from services.errors import StocktrailError
from services.stock import Stocked, key
from ui import following, plain, recount
from ui.parcels import Chosen, Parcel
from ui.reads import Link

_SHOWN = 5
_RELEASED, _SAID = "released", "release-said"
_SAID_SECONDS = 60


def draw(held: Link) -> None:
    """Nothing while no count is locked."""
    found = following.figures(held).locked(times.now())
    _say_why_not()
    if not found:
        return
    st.subheader("Locked by a time ahead", anchor=False)
    st.caption(
        "Their files said a time that has not come yet. Until then newer counts are taken for older ones and left out. "
        "A release puts the same count as of now."
    )
    for one in found[:_SHOWN]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_told(one), width="stretch")
            clicked = held.person.may(Right.SEND) and st.button(
                "Release", key=f"release-{key(one)}", icon=":material/lock_open:", on_click=release, args=(one,),
                help=plain.escaped(f"{one.store} · {one.item}"),
            )  # fmt: skip
            if clicked:
                st.rerun()  # the page sends it, and follows it
    if len(found) > _SHOWN:
        last = plain.clock(found[_SHOWN].updated_at)
        st.caption(f"And {words.some(len(found) - _SHOWN, 'other count')}, until {last} at the latest.")


def _told(one: Stocked) -> str:
    name = f"{plain.escaped(one.store)} · **{plain.escaped(one.item)}**"
    return f"{name}: {number(one.count)}, until {plain.clock(one.updated_at)}"


def release(one: Stocked) -> None:
    """A click: the run that follows sends it, once, however often it was pressed."""
    mark, before = f"{key(one)} {one.updated_at}", released()
    if before and mark in before.marks:
        return
    try:
        file = recount.unlocking(one)
    except StocktrailError as error:
        st.session_state[_SAID] = str(error), times.now()
        return
    chosen = Chosen(mark, file.name, file.data, mapping=file.mapping, by_hand=True)
    st.session_state[_RELEASED] = Parcel(frozenset([mark]), file.mode, deque([chosen]))


def _say_why_not() -> None:
    """For a while: this part of the page is drawn anew every few seconds."""
    said, at = st.session_state.get(_SAID, ("", ""))
    if said and times.later(at, seconds=_SAID_SECONDS) > times.now():
        st.warning(plain.escaped(said), icon=":material/error:")


def released() -> Parcel | None:
    """What this session released last, as a parcel to be followed."""
    found: Parcel | None = st.session_state.get(_RELEASED)
    return found


def close() -> None:
    st.session_state.pop(_RELEASED, None)

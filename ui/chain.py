"""Why?: the one sentence, large, and below it the chain of ten links that it comes from.

Owns how closely it is followed: once a second while more comes by itself, now and then while something waits, and not
at all once it has settled.
"""

from collections.abc import Iterable
from typing import Literal

import pandas as pd
import streamlit as st

from services import why
from services.errors import NotFound
from services.why import STEPS, Asked, Chain, Link, Step
from ui import links, plain, reads, tables
from ui.page import live
from ui.reads import BY_THE_CLOCK
from ui.reads import Link as Connection

_LOOKS: dict[Step, tuple[str, Literal["green", "blue", "gray", "orange"]]] = {
    "done": (":material/check:", "green"),
    "now": (":material/progress_activity:", "blue"),
    "stopped": (":material/block:", "orange"),
    "next": (":material/radio_button_unchecked:", "gray"),
    "unknown": (":material/question_mark:", "gray"),
}


@st.cache_resource(show_spinner=False, ttl=1, max_entries=200, hash_funcs=BY_THE_CLOCK)
def read(held: Connection, asked: Asked) -> Chain | None:
    """The chain as it is now, once for all browsers; None when there is no such upload."""
    try:
        return why.why(held.stack, asked)
    except NotFound:
        return None


def draw(held: Connection, asked: Asked) -> None:
    """All of it, or that there is no such upload."""
    chain = read(held, asked)
    if chain is None:
        st.warning(
            f"There is no upload with the id “{plain.escaped(plain.cut(asked.upload_id, 40))}”. Choose another one.",
            icon=":material/search_off:",
        )
    elif chain.moves == "now":
        _watch(asked, chain.moves)
    elif chain.moves == "later":
        _glance(asked, chain.moves)
    else:
        _draw(chain)


def _follow(asked: Asked, moves: str) -> None:
    chain = read(reads.link(), asked)
    if chain is None or chain.moves != moves:
        st.rerun()
    _draw(chain)


_watch = live(1)(_follow)
_glance = live(30)(_follow)


def _draw(chain: Chain) -> None:
    st.header(plain.escaped(plain.timed(chain.sentence)), anchor=False)
    named = [chain.item, chain.store, None if chain.row is None else f"row {chain.row:,}", chain.file]
    st.caption(plain.escaped(" · ".join(one for one in named if one)))
    with st.container(horizontal=True):
        links.upload(chain.upload_id)
        if chain.store and chain.item:
            links.item(chain.store, chain.item)
        where = {"upload": chain.upload_id}
        st.page_link("pages/changes.py", label="Its changes", icon=":material/swap_vert:", query_params=where)
        st.page_link("pages/why.py", label="Another row of it", icon=":material/help:", query_params=where)
    for one in chain.links:
        _draw_link(one)
    _draw_ids(chain.links)


def _draw_link(one: Link) -> None:
    icon, colour = _LOOKS[one.step]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.badge(STEPS[one.step], icon=icon, color=colour)
        st.markdown(f"**{one.name.capitalize()}**", width="content")
        if one.at:
            st.caption(plain.clock(one.at), width="content")
        if one.saw:
            st.markdown(plain.escaped(plain.timed(one.saw)), width="content")


def _draw_ids(links_of: Iterable[Link]) -> None:
    found = [(one.name.value, label, value) for one in links_of for label, value in one.ids]
    if st.toggle("Ids, for engineers", key="ids", bind="query-params"):
        frame = pd.DataFrame(found, columns=["link", "what", "value"])
        wide = {"value": st.column_config.TextColumn("Value", width=560)}
        tables.show(frame, "ids-of-links", "Ids of the links", tables.height(len(frame), 20), wide)

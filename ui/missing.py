"""The store that a file does not name: asked for, suggested, never taken silently."""

import re

import streamlit as st

from lambdas.stockfile.mapping import NONE
from services.uploads import Opened
from ui import correction, plain, reads
from ui.columns import Form
from ui.parcels import Chosen
from ui.reads import Link

_SUGGESTED = 3


def is_asked(one: Chosen, opened: Opened) -> bool:
    """Whether the store is missing; or it is always the same one, and the form stands open to change that."""
    changing = correction.said(one.mark) is not None or st.session_state.get(f"change-{one.mark}")
    return not one.store and (opened.file.names_no_store or bool(opened.mapping.always and changing))


def said(mark: str, opened: Opened) -> str | None:
    """The store that was said for a file, or for all like it. None until then."""
    return opened.mapping.always or correction.store(mark)


def ask_store(held: Link, one: Chosen, form: Form) -> None:
    """Pick it or type it, and whether it is the same for every file like this."""
    always, store = form.opened.mapping.always, said(one.mark, form.opened)
    stores = reads.stores(held)
    likely = suggested(one.name, stores)
    options = list(dict.fromkeys([*likely, *stores, *([store] if store else [])]))
    name, tick = form.hold("its-name", store), form.hold("always", bool(always))

    def changed() -> None:
        correction.name_store(one.mark, st.session_state[name])
        now = correction.store(one.mark)
        if st.session_state.get(tick) or always:
            form.say(always=now if st.session_state.get(tick) else None, store=NONE)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "The file does not say which store it is for. Which one?", options, index=None, accept_new_options=True,
            key=name, on_change=changed, placeholder="Pick a store, or type a new one", width=420,
        )  # fmt: skip
        for one_name in likely if not store else []:
            st.button(
                f"{plain.escaped(one_name)}, as the file’s name says", key=f"likely-{one.mark}-{one_name}",
                on_click=correction.name_store, args=(one.mark, one_name),
            )  # fmt: skip
        if store:
            st.checkbox("Always, for files like this", key=tick, on_change=changed)


def suggested(file: str, stores: list[str]) -> list[str]:
    """The stores whose name occurs in the file's name, the longest first."""
    told = _letters(file)
    found = [store for store in stores if len(_letters(store)) > 1 and _letters(store) in told]
    return sorted(found, key=len, reverse=True)[:_SUGGESTED]


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()

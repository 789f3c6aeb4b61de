"""Before sending: what a file would do, and what is missing for it.

Owns the question for the store, which is asked only of a file that names none.
"""

from dataclasses import replace

import streamlit as st

from lambdas.fates import Mode
from services import uploads
from services.errors import BadFile
from services.uploads import Line, Receipt
from ui import plain, reads, receipts
from ui.parcels import Chosen
from ui.reads import Hashes, Link

MODES = {
    Mode.NEWEST: ("Newest wins", "A row counts only when it is newer than what is known. Safe to send twice."),
    Mode.PLAIN: ("Plain", "Every row is written as the file states it, older or not. An equal row changes nothing."),
    Mode.STAMP: ("Stamp", "Every row is written as of now, so every row is a change, even when the count is the same."),
}
_BY_CONTENT: Hashes = {Link: lambda held: held.version, Chosen: lambda one: (one.mark, one.store)}


def ask_mode() -> Mode:
    """How the file is to be applied, each way explained in one line."""
    picked = st.radio(
        "How to apply it", list(MODES), format_func=lambda mode: MODES[mode][0], key="mode",
        captions=[explained for _, explained in MODES.values()],
    )  # fmt: skip
    return picked or Mode.NEWEST


def draw(held: Link, one: Chosen, mode: Mode) -> Chosen | None:
    """What a file would do if it were sent now. The file with its store, or None when it is not to be sent."""
    with st.container(border=True):
        st.markdown(f"**{plain.escaped(one.name)}** – what it will do · {MODES[mode][0]}")
        try:
            if _names_no_store(held, one, mode):
                one = replace(one, store=_ask_store(held, one))
                if not one.store:
                    return None
            receipt, lines = _preview(held, one, mode)
        except BadFile as error:
            st.error(plain.escaped(str(error)), icon=":material/error:")
            return None
        receipts.draw(receipt, lines)
    return one if receipt.usable else None


def _ask_store(held: Link, one: Chosen) -> str | None:
    stores = sorted({item.store for item in reads.items(held)})
    picked = st.selectbox(
        "The file does not say which store it is for. Which one?", stores, index=None, accept_new_options=True,
        key=f"store-{one.mark}", placeholder="Pick a store, or type a new one",
    )  # fmt: skip
    return picked.strip() if picked else None


def _names_no_store(held: Link, one: Chosen, mode: Mode) -> bool:
    """Whether all that the file lacks is a store: it can't be read as it is, and with any store it can."""
    try:
        _preview(held, one, mode)
    except BadFile:
        try:
            _preview(held, replace(one, store="?"), mode)
        except BadFile:
            return False
        return True
    return False


@st.cache_resource(show_spinner="Reading the file…", max_entries=20, hash_funcs=_BY_CONTENT)
def _preview(held: Link, one: Chosen, mode: Mode) -> tuple[Receipt, list[Line]]:
    return uploads.preview(held.stack, one.name, one.data, mode, one.store)

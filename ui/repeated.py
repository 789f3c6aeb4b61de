"""The same content as an earlier upload: said at once, with what that one did."""

import streamlit as st

from services import uploads, words
from ui import links, plain, reads
from ui.parcels import Chosen
from ui.reads import BY_THE_CLOCK, Hashes, Link

_BY_MARK: Hashes = BY_THE_CLOCK | {Chosen: lambda one: one.mark}


@st.cache_resource(show_spinner=False, max_entries=500, ttl=1200, hash_funcs=_BY_MARK)
def before(held: Link, one: Chosen) -> list[str]:
    """The uploads of the same content, the latest first. Asked once for each file that is picked."""
    return uploads.same_content(held.stack, one.data, one.answers)


def draw(held: Link, one: Chosen) -> None:
    """A line, when there is one: its name, when it was sent, and what it did."""
    found = before(held, one)
    earlier = reads.receipt(held, found[0]) if found else None
    if earlier is None:
        return
    did = plain.escaped(plain.timed(words.receipt(earlier)))
    st.info(
        f"The same content as **{plain.escaped(earlier.file)}**, sent {plain.when(earlier.received_at)}: {did}",
        icon=":material/content_copy:",
    )
    links.upload(found[0], "Its receipt")

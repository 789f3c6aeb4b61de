"""What is saved for shapes of files, to be looked through and forgotten."""

import streamlit as st

from services import uploads, words
from services.opening import Saved
from ui import correction, plain, reads, understood
from ui.reads import Link

_NAMED = 6


def draw(held: Link) -> None:
    """A closed list; nothing while nothing is saved."""
    found = reads.saved(held)
    if not found:
        return
    with st.expander(f"Known files ({len(found):,})", icon=":material/bookmark:"):
        st.caption("How files with these headings are read, as it was said once.")
        for one in found:
            _draw(held, one)


def _draw(held: Link, one: Saved) -> None:
    with st.container(border=True):
        st.markdown(f"**{_headings(one)}**")
        st.markdown(understood.remembered(one.mapping))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Said {words.ago(one.saved_at)}", width="content")
            if st.button("Forget", key=f"known-{one.shape}", icon=":material/bookmark_remove:"):
                uploads.forget(held.stack, one.shape)
                reads.saved.clear()
                correction.forget_shapes()
                st.rerun()


def _headings(one: Saved) -> str:
    named = [name for name in words.known_as(one) if not name.startswith("#")]
    more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
    shown = ", ".join(name[:40] for name in named[:_NAMED])
    return plain.escaped(shown) + more if named else f"{words.some(len(one.columns), 'column')} without headings"

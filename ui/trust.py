"""Whether the numbers can be trusted: the last verification, and a button for a new one."""

import streamlit as st

from services import trust, verifying
from services.verifying import Result
from ui import plain, reads
from ui.page import plainly
from ui.reads import Link

_NAMED = 50


def draw(held: Link) -> None:
    """What the last verification found; a click makes a new one, from every file in the bucket."""
    st.subheader("Can these numbers be trusted?", anchor=False)
    if st.button("Verify now", icon=":material/fact_check:", help="Reads every file again, and every table"):
        with plainly(), st.spinner("Working everything out anew from the files…"):
            trust.verify(held.stack)
        reads.forget_verified()
    last = reads.verified(held)
    if last is None:
        st.caption("Nobody has verified yet what the table holds against the files that were sent.")
        return
    _draw(last)


def _draw(of: Result) -> None:
    first, *lines = verifying.in_words(of).split("\n")
    said = f"{plain.escaped(first)} Verified {plain.when(of.at)}, in {of.seconds:.1f} s."
    if of.agrees:
        st.success(said, icon=":material/verified:")
    else:
        st.error(said, icon=":material/rule:")
    for line in lines[:_NAMED]:
        st.markdown(f"- {plain.escaped(line.strip())}")
    if len(lines) > _NAMED:
        st.caption(f"And {len(lines) - _NAMED:,} more; `python -m services verify` names them all.")

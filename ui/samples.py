"""The small files in samples/, to try the pages with."""

from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).parent.parent / "samples"
_SAYS = {
    "berlin.csv": "six items, one of them out",
    "berlin-sold-out.csv": "the same, and the oat milk is gone",
    "berlin-last-month.csv": "older than the others",
    "lisbon.csv": "another store, with times",
    "oslo-with-mistakes.csv": "three rows to mend",
}


def names() -> list[str]:
    """Those with a word about them first, in the order in which they tell their story."""
    there = {path.name for path in FOLDER.glob("*.csv")}
    return [name for name in _SAYS if name in there] + sorted(there - _SAYS.keys())


def read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def chosen(key: str, *, explained: bool = False) -> str | None:
    """A button for each sample; the one just clicked. ``explained``: with what it shows, one below the other."""
    clicked = None
    with st.container(horizontal=not explained):
        for name in names():
            says = _SAYS.get(name, "")
            label = f"{name} – {says}" if explained and says else name
            if st.button(label, key=f"{key}-{name}", icon=":material/draft:", help=None if explained else says):
                clicked = name
    return clicked

"""The small files in samples/, to try the pages with."""

from pathlib import Path
from typing import Literal

import streamlit as st

FOLDER = Path(__file__).parent.parent / "samples"
_SAYS = {
    "berlin.csv": "six items, one of them out",
    "berlin-sold-out.csv": "the same, and the oat milk is gone",
    "berlin-last-month.csv": "older than the others",
    "lisbon.csv": "another store, with times",
    "oslo-with-mistakes.csv": "three rows to mend",
    "hamburg.xlsx": "a workbook with titles above its headings",
    "wien.csv": "semicolons, commas in its numbers, German headings",
    "all-stores.csv": "a column for each store",
    "two-counts.csv": "two counts: it asks which one",
}
_ASKS = frozenset({"two-counts.csv"})
"""These need an answer, so they are not sent by one click."""


def names(*, asking: bool = True) -> list[str]:
    """Those with a word about them first, in the order in which they tell their story. ``asking``: also those that
    can't be sent before something is answered."""
    there = {path.name for path in FOLDER.iterdir() if path.suffix in (".csv", ".xlsx")}
    found = [name for name in _SAYS if name in there] + sorted(there - _SAYS.keys())
    return [name for name in found if asking or name not in _ASKS]


def read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def chosen(key: str, *, explained: bool = False) -> str | None:
    """A button for each sample; the one just clicked. ``explained``: with what it shows, one below the other, and only
    those that can be sent as they are."""
    clicked = None
    kind: Literal["secondary", "tertiary"] = "secondary" if explained else "tertiary"
    with st.container(horizontal=not explained, gap="small"):
        for name in names(asking=not explained):
            says = _SAYS.get(name, "")
            label = f"{name} – {says}" if explained and says else name
            if st.button(
                label, key=f"{key}-{name}", icon=":material/draft:", help=None if explained else says, type=kind
            ):
                clicked = name
    return clicked

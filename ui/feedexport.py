"""The changes that fit the filters, as a file: made when it is asked for and not before."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import streamlit as st

from services import feedfile
from services.changes import Counted
from ui import download, following, found, plain, reads
from ui.feed import Asked
from ui.reads import Link

_FORMATS = (
    ("CSV", "csv", "text/csv", feedfile.as_csv),
    ("JSON lines", "jsonl", "application/jsonl", feedfile.as_json_lines),
)


def draw(held: Link, asked: Asked) -> None:
    again = reads.later()
    for label, ending, mime, made in _FORMATS:
        of = partial(_made, made, again, asked)
        download.button(label, of, f"changes.{ending}", mime, key=f"export-{ending}", width="stretch")
    st.caption(_bound(following.trail(held).floor))


def _bound(floor: str) -> str:
    most = f"All that fits the filters, the newest first, and {feedfile.AT_MOST:,} at most."
    back = f" It goes back to {plain.clock(floor[:27])}; for older ones, jump to a time before that." if floor else ""
    return most + back


def _made(
    how: Callable[[Iterable[Counted], Mapping[str, str]], bytes], again: Callable[[], Link], asked: Asked
) -> bytes:
    held = again()
    lines = found.export(held, asked)
    return how(lines, reads.files(held, {one.upload_id for one in lines}))

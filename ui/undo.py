"""Undoing an upload: what it would put back, what it would leave alone and why, and then the upload that does so.

Owns that a click undoes once, however quickly a second one comes. What an undo does is `services.undoing`'s own.
"""

import re
import threading
from dataclasses import dataclass, field

import streamlit as st

from lambdas.fates import WRITES
from services import undoing, words
from services.errors import StocktrailError
from services.stack import Stack
from services.uploads import Line, Receipt
from ui import delivery, everyrow, plain, reads, rows
from ui.reads import WITH_THE_STOCK, Link

_UPLOAD = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")


@dataclass
class Undo:
    """One undo that was asked for: of which upload, and the upload that it became. ``refused``: why it did not."""

    of: str
    became: str | None = None
    refused: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, stack: Stack) -> None:
        """Send it, unless it is sent."""
        with self.lock:
            if self.became is None:
                try:
                    self.became, self.refused = undoing.send(stack, self.of), ""
                except StocktrailError as error:
                    self.refused = str(error)


def draw(held: Link, of: Receipt) -> None:
    """What undoing would do, the button, and the receipt of what it did."""
    upload_id = of.upload_id or ""
    undo: Undo = st.session_state.setdefault(f"undoing-{upload_id}", Undo(upload_id))
    if undo.became:
        st.markdown("**Undone.** An undo is an upload like any other; this is its receipt.")
        with st.container(border=True):
            delivery.follow(held, undo.became)
        return
    st.markdown(
        "An undo puts back each count that this upload moved. What has changed again since stays as it is, and is "
        "named below. It is an upload like any other, and can be undone itself."
    )
    receipt, told = previewed(held, upload_id)
    _draw_preview(held, receipt, told, upload_id)
    if undo.refused:
        st.error(plain.escaped(undo.refused), icon=":material/error:")
    st.button(
        "Undo this upload", type=plain.main_button(), icon=":material/undo:", on_click=_undo, args=(undo,),
        disabled=not receipt.records_expected,
    )  # fmt: skip


def _undo(undo: Undo) -> None:
    undo.send(reads.link().stack)


@st.cache_resource(show_spinner="Looking what it would put back…", max_entries=8, ttl=60, hash_funcs=WITH_THE_STOCK)
def previewed(held: Link, upload_id: str) -> tuple[Receipt, list[Line]]:
    """Shared: read it, never change it."""
    return undoing.preview(held.stack, upload_id)


def _draw_preview(held: Link, of: Receipt, lines: list[Line], key: str) -> None:
    back = [line for line in lines if line["fate"] in WRITES]
    left = [_named(held, line) for line in lines if line["fate"] not in WRITES]
    if not back:
        st.info("There is nothing to put back.", icon=":material/info:")
    else:
        st.markdown(f"**It would put back {words.some(len(back), 'count')}**")
        everyrow.table(rows.by_fate(back, None).drop(columns=["fate", "row"]), f"back-{key}", "What is put back")
        st.caption(f"{words.expected(of)} {words.some(of.alerts, 'alert')} would be raised.")
    if left:
        st.markdown(f"**It would leave {words.some(len(left), 'count')} alone**")
        frame = rows.in_zone(rows.by_fate(left, None)).drop(columns="row")
        everyrow.table(frame, f"left-{key}", "What is left as it is")


def _named(held: Link, line: Line) -> Line:
    """The line, with the file's name in its reason where that names an upload by its id."""
    if not (ids := _UPLOAD.findall(reason := line.get("reason", ""))):
        return line
    names = reads.files(held, ids)
    return line | {"reason": _UPLOAD.sub(lambda found: f"{names[found[0]]} · {plain.short(found[0])}", reason)}

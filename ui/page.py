"""The frame around every page: its title, the links to the others, and what is said when the stack can't be reached.

Owns navigation and the banner. Every page begins with ``page``, whichever is opened first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from lambdas import times
from services.errors import NotFound, StocktrailError
from ui import plain, reads
from ui.reads import Link

P = ParamSpec("P")
Draw = Callable[P, None]

PAGES = {
    "app.py": ("Overview", ":material/storefront:"),
    "pages/upload.py": ("Upload", ":material/upload_file:"),
    "pages/uploads.py": ("Uploads", ":material/history:"),
    "pages/stock.py": ("Stock", ":material/inventory_2:"),
    "pages/changes.py": ("Changes", ":material/swap_vert:"),
    "pages/why.py": ("Why?", ":material/help:"),
    "pages/alerts.py": ("Alerts", ":material/notifications:"),
    "pages/pipeline.py": ("Pipeline", ":material/conversion_path:"),
    "pages/lesson.py": ("Streams explained", ":material/school:"),
}
_ICON = "📦"  # drawn by the browser; a named icon would be fetched from a server of Google's
_HEAL_SECONDS = 3
_TOLD_MINUTES = 10
_SERIAL = "serial"


def page(title: str) -> Link:
    """Draw the frame and give back the connection. Without one the page ends here, with a banner that heals."""
    st.set_page_config(page_title=f"{title} · Stocktrail", page_icon=_ICON, layout="wide")
    with st.sidebar:
        st.subheader("Stocktrail", anchor=False)
        for path, (label, mark) in PAGES.items():
            st.page_link(path, label=label, icon=mark, width="stretch")
        st.caption(f"Times are in {plain.escaped(plain.zone())}.")
    st.title(title, anchor=False)
    with plainly():
        held = reads.refreshed()
    st.session_state[_SERIAL] = held.serial
    _say_what_happened()
    return held


def live(seconds: float | None, key: str | None = None) -> Callable[[Draw[P]], Draw[P]]:
    """A part of a page that draws itself anew every so often, and says plainly when it can't. ``seconds`` None: only
    when it is used, or named by its ``key``."""

    def decorate(draw: Draw[P]) -> Draw[P]:
        @wraps(draw)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                if reads.link().serial != st.session_state[_SERIAL]:
                    st.rerun()  # another engine: the page begins anew, and says what happened
                draw(*args, **kwargs)
            except StocktrailError as error:  # the next time round it is tried again
                reads.doubt()
                _banner(error)

        return st.fragment(guarded, run_every=seconds, key=key)

    return decorate


@contextmanager
def plainly() -> Iterator[None]:
    """What can't be reached in here becomes a banner, and the page ends; it comes back by itself."""
    try:
        yield
    except StocktrailError as error:
        reads.doubt()
        _banner(error)
        st.fragment(_heal, run_every=_HEAL_SECONDS)()
        st.stop()


def _say_what_happened() -> None:
    """The engine was ended hard, some minutes ago: that what was received is safe, and what goes on by itself."""
    back = reads.recovery()
    if back is None or times.later(back.at, minutes=_TOLD_MINUTES) < times.now():
        return
    since = f" Files sent since {plain.clock(back.saved_at)} are loaded again by themselves." if back.saved_at else ""
    st.info(
        f"The engine was interrupted, and has been running again since {plain.clock(back.at)}. What was received is "
        f"safe.{since}",
        icon=":material/restart_alt:",
    )
    for sentence in back.refused:
        st.warning(plain.escaped(sentence), icon=":material/history:")


def _banner(error: StocktrailError) -> None:
    if isinstance(error, NotFound):
        st.error(plain.escaped(str(error)), icon=":material/cloud_off:")
        return
    st.error(
        "The stock can't be reached right now. What was received is safe. This page goes on by itself "
        "as soon as the connection is back.",
        icon=":material/cloud_off:",
    )
    st.caption(plain.escaped(str(error)))


def _heal() -> None:
    """Begin the page anew once the stack answers again."""
    if "healing" not in st.session_state:  # the run that drew the banner has just tried
        st.session_state.healing = True
        return
    try:
        reads.refreshed()
    except StocktrailError:
        reads.doubt()
        return
    del st.session_state.healing
    st.rerun()

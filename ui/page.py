"""The frame around every page: its title, the links to the others, and what is said when the stack can't be reached.

Owns navigation and the banner. Every page begins with ``page``, whichever is opened first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from lambdas import times
from services.access import Person, Right, Role
from services.errors import NotFound, Refused, StocktrailError
from ui import door, plain, reads
from ui.reads import Link

P = ParamSpec("P")
Draw = Callable[P, None]

PAGES = {
    "overview.py": ("Overview", ":material/storefront:", Right.SEE),
    "pages/upload.py": ("Upload", ":material/upload_file:", Right.SEND),
    "pages/uploads.py": ("Uploads", ":material/history:", Right.SEE),
    "pages/stock.py": ("Stock", ":material/inventory_2:", Right.SEE),
    "pages/changes.py": ("Changes", ":material/swap_vert:", Right.SEE),
    "pages/why.py": ("Why?", ":material/help:", Right.SEE),
    "pages/alerts.py": ("Alerts", ":material/notifications:", Right.SEE),
    "pages/pipeline.py": ("Pipeline", ":material/conversion_path:", Right.OPERATE),
    "pages/lesson.py": ("Streams explained", ":material/school:", Right.OPERATE),
    "pages/audit.py": ("Audit", ":material/policy:", Right.ADMINISTER),
    "pages/access.py": ("Access", ":material/group:", Right.ADMINISTER),
}
"""Each with its heading, its icon, and the right without which it is not shown."""
_ICON = "📦"  # drawn by the browser; a named icon would be fetched from a server of Google's
_HEAL_SECONDS = 3
_TOLD_MINUTES = 10
_SEAT, _PERSON = "seat", "person"
_OFF = ":material/cloud_off:"


def page(title: str) -> Link:
    """Draw the frame and give back the connection. Without one the page ends here, with a banner that heals."""
    st.set_page_config(page_title=f"{title} · Stocktrail", page_icon=_ICON, layout="wide")
    with plainly():
        person = door.person()
    _begin_anew(person)
    with st.sidebar:
        st.subheader("Stocktrail", anchor=False)
        for path, (label, mark, right) in PAGES.items():
            if person.may(right):
                st.page_link(path, label=label, icon=mark, width="stretch")
        st.caption(f"Times are in {plain.escaped(plain.zone())}.")
        door.signed(person)
    st.title(title, anchor=False)
    with plainly():
        person.must(next(right for label, _, right in PAGES.values() if label == title))
        held = reads.refreshed()
    st.session_state[_SEAT] = _seat(held)
    _say_what_happened()
    return held


def _begin_anew(person: Person) -> None:
    """Nothing of what a session had before it is kept when its person sees, or may do, something else than then."""
    before = st.session_state.get(_PERSON)
    if before is not None and before != person.seat:
        st.session_state.clear()
    st.session_state[_PERSON] = person.seat


def _seat(held: Link) -> tuple[int, Role | None]:
    """What is another one when the engine is, or what the person sees or may do."""
    return held.serial, held.person.role


def live(seconds: float | None, key: str | None = None) -> Callable[[Draw[P]], Draw[P]]:
    """A part of a page that draws itself anew every so often, and says plainly when it can't. ``seconds`` None: only
    when it is used, or named by its ``key``."""

    def decorate(draw: Draw[P]) -> Draw[P]:
        @wraps(draw)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                if _seat(reads.link()) != st.session_state[_SEAT]:
                    st.rerun()  # another engine, or other rights: the page begins anew, and says what happened
                draw(*args, **kwargs)
            except Refused as error:
                _refused(error)
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
    except Refused as error:
        _refused(error)
        st.stop()
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


def _refused(error: StocktrailError) -> None:
    try:
        door.refused(reads.link().person, str(error))
    except StocktrailError as broken:  # it can't be written down now
        error = broken
    _banner(error)


def _banner(error: StocktrailError) -> None:
    if isinstance(error, NotFound | Refused):
        st.error(plain.escaped(str(error)), icon=":material/block:" if isinstance(error, Refused) else _OFF)
        return
    st.error(
        "The stock can't be reached right now. What was received is safe. This page goes on by itself "
        "as soon as the connection is back.",
        icon=_OFF,
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

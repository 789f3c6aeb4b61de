"""The line above the changes: how many are new, the latest in words, and how long it was on its way.

Owns that this asks memory alone, and costs next to nothing: it is drawn every second or two, for every reader.
"""

import math
import uuid
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from services import words
from services.watch import Watch
from ui import feed, feedtable, following, found, plain
from ui.feed import Asked
from ui.found import Found
from ui.reads import Link

KEY = "news"
ANNOUNCE, FOLLOW, PAUSE = "Announce", "Follow", "Pause"
_MODE, _BEFORE, _READER = "new", "new-before", "reader"
_LONGEST = 46
_SLOW_SECONDS = 5


def mode() -> str:
    """Draw the choice of what is to happen with new ones; it stands in the address."""
    chosen = st.segmented_control(
        "New ones", (ANNOUNCE, FOLLOW, PAUSE), default=ANNOUNCE, required=True, key=_MODE, bind="query-params",
        on_change=_chosen, label_visibility="collapsed",
        help="Announce: the table stands still until you ask. Follow: new ones come in by themselves. Pause: silence.",
    )  # fmt: skip
    st.session_state[_BEFORE] = chosen
    return chosen


def _chosen() -> None:
    """Who goes on sees at once all that came in meanwhile."""
    if st.session_state.get(_BEFORE) == PAUSE:
        feedtable.renew()


def seconds(held: Link) -> float:
    """How often the line is to be drawn."""
    return following.watch(held).pace


def draw(held: Link, asked: Asked, chosen: str) -> None:
    watch = following.watch(held)
    watch.look(st.session_state.setdefault(_READER, uuid.uuid4().hex))
    now = feedtable.shown()
    if now is None or now.asked != asked:
        return
    if chosen == PAUSE:
        _line("Paused: nothing moves, and nothing is lost", None)
        st.caption("Choose Announce or Follow to go on: all that came in meanwhile is there then.")
        return
    if chosen == FOLLOW:
        _line("New ones come in by themselves", None)
    else:
        now = _counted(held, now)
        new, silent = now.news.count, _silent(held, now)
        if (new or silent) and not now.entries and asked.of_now:
            st.rerun()  # there is nothing that it could move
        _line(_told(now, new, silent), _show if new or silent else None)
    if now.filling and (more := _reading(held, now)):
        st.caption(more)
        return
    st.caption(_lag(watch))


def _reading(held: Link, now: Found) -> str:
    """How far back has been looked for a page that is not full yet. What is found goes below what stands there."""
    floor = following.trail(held).floor
    if floor < (now.older or "") and found.can_grow(held, now):
        st.rerun()
    return f"Looked back to {plain.clock(floor[:27])} so far; older ones are being read." if floor else ""


def _counted(held: Link, now: Found) -> Found:
    news = following.trail(held).news(now.asked.wanted, now.news)
    if news is not now.news:
        now = replace(now, news=news)
        feedtable.keep(now)
    return now


def _silent(held: Link, now: Found) -> int:
    """How many uploads have come in that changed nothing. Of which stores they spoke is not asked for here."""
    wanted = now.asked.wanted
    if wanted.of_changes or wanted.store or wanted.upload_id:
        return 0
    return sum(one.upload_id not in now.silent for one in following.silent(held))


def _told(now: Found, new: int, silent: int) -> str:
    """`12 new · Berlin · Oat milk: 36 -> 0`."""
    if not new:
        return f"{words.some(silent, 'upload')} that changed nothing" if silent else "Nothing new"
    one = now.news.latest
    latest = f"{one.store} · {one.item}: {words.moved(one)}" if one else ""
    return f"{new:,} new · {plain.cut(latest, _LONGEST)}"


def _line(label: str, click: Callable[[], None] | None) -> None:
    """As a button at all times, of one height, so that what is below it never moves."""
    shown = plain.escaped(label)
    icon = ":material/arrow_upward:" if click else ":material/check:"
    st.button(
        f"**{shown}**" if click else shown, key="show-new", icon=icon,
        on_click=click, disabled=click is None, width="stretch", wrap=False,
    )  # fmt: skip


def _show() -> None:
    feedtable.renew()
    now = feedtable.shown()
    if now and not now.asked.of_now:
        feed.to_newest()
        st.rerun()
    st.rerun([KEY, feedtable.KEY])


def _lag(watch: Watch) -> str:
    """From DynamoDB's writing to here. It tells that time in whole seconds, cut off: so it took no longer than this."""
    if watch.lag is None:
        return "Live. A change is here within two seconds."
    late = max(1, math.ceil(watch.lag))
    if late > _SLOW_SECONDS:
        return f":material/hourglass_top: The last change took {late:,} s to get here: much is under way."
    return f"Live. The last change was here within {late} s."

"""The table of changes: it stands still until the reader asks, and what was picked stays picked.

Owns what a session has before it, between two runs of the page.
"""

import pandas as pd
import streamlit as st

from services import words
from services.changes import Counted
from services.wanted import is_touched
from ui import feed, following, found, plain, reads, record, tables
from ui.feed import Asked
from ui.found import Entry, Found
from ui.reads import Link

KEY = "changes-table"
_SHOWN, _PICKED, _TABLE, _RENEW = "shown", "picked", "feed", "renew"
_ONE = "look-at"
_COLUMNS = ["item", "change", "what", "store", "time", "event", "upload", "id"]
"""What a phone has room for comes first. No “ago”: in a table that stands still it would soon be wrong."""
_WIDER = {
    "item": st.column_config.TextColumn("Item", width=188),
    "upload": st.column_config.TextColumn("Upload", width=160),
}
_FOLLOWED = 200  # lines, for who lets them flow in


def current(held: Link, asked: Asked, *, follow: bool) -> Found:
    """What the reader has before him; looked for anew only when something else is asked for, or he wants it."""
    before = shown()
    wants, size = st.session_state.pop(_RENEW, False), _FOLLOWED if follow else found.PAGE
    if before is None or not _is_still(before, held, asked):
        now = found.gather(held, asked, size)
    elif wants or (follow and _has_moved(held, before)):
        new = following.trail(held).news(asked.wanted, before.news).count
        now = found.gather(held, asked, min(found.MOST, max(size, found.PAGE + new)))
    elif before.filling and following.trail(held).floor < (before.older or ""):
        now = found.fuller(held, before)
    else:
        return before
    st.session_state[_SHOWN] = now
    return now


def _is_still(before: Found, held: Link, asked: Asked) -> bool:
    """Whether it answers what is asked, and has been before the reader all the time: no other page in between."""
    same = (before.serial, before.asked) == (held.serial, asked)
    return same and bool(before.entries) and _TABLE in st.session_state


def _has_moved(held: Link, before: Found) -> bool:
    new = following.trail(held).news(before.asked.wanted, before.news).count
    return bool(new) or any(one.upload_id not in before.silent for one in following.silent(held))


def shown() -> Found | None:
    return st.session_state.get(_SHOWN)


def keep(now: Found) -> None:
    st.session_state[_SHOWN] = now


def renew() -> None:
    """The reader wants to see what is new."""
    st.session_state[_RENEW] = True


def draw(held: Link, now: Found) -> None:
    """The table, and below it the ways to the pages beside it, and what was picked."""
    if not now.entries:
        _nothing(now)
    else:
        _table(held, now)
    if now.told:
        st.caption(now.told)
    _turn_pages(now)
    if now.entries:
        _choose(now)
        record.draw(held, st.session_state.get(_PICKED))


def _nothing(now: Found) -> None:
    asked = now.asked
    if asked.wanted.everything and asked.of_now and not now.older:
        st.info("Nothing has changed yet. Send a stock file, and what it changes appears here within a second.")
        st.page_link("pages/upload.py", label="Send a file", icon=":material/upload_file:")
    elif now.older and not now.filling:
        st.info("No change fits so far. Look at older ones, or clear a filter.", icon=":material/filter_alt_off:")
    else:
        st.info("No change fits. Clear a filter to see more.", icon=":material/filter_alt_off:")


def _table(held: Link, now: Found) -> None:
    """What is picked is kept by name, not by row."""
    names = [found.name(one) for one in now.entries]
    picked = st.session_state.get(_PICKED)
    rows = [names.index(found.name(picked))] if picked and found.name(picked) in names else []
    before = st.session_state.get(_TABLE)
    if before is not None and list(before["selection"]["rows"]) != rows:
        st.session_state[_TABLE] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    grey = [isinstance(one, Counted) and is_touched(one) for one in now.entries]
    tables.show(
        _frame(held, now), _TABLE, "Changes, newest first", 600, _WIDER, grey,  on_select=_pick,
        selection_mode="single-row",
    )  # fmt: skip


def _frame(held: Link, now: Found) -> pd.DataFrame:
    files = reads.files(held, {one.upload_id for one in now.entries})
    whole = tables.changes(
        tables.change(one, files) if isinstance(one, Counted) else tables.note(one) for one in now.entries
    )
    return whole[_COLUMNS]


def _pick() -> None:
    """The row was picked in the table as it stood when it was drawn last."""
    rows, now = st.session_state[_TABLE]["selection"]["rows"], shown()
    entries: tuple[Entry, ...] = tuple(now.entries) if now else ()
    st.session_state[_PICKED] = entries[rows[0]] if rows and rows[0] < len(entries) else None


def _choose(now: Found) -> None:
    """The same by the keyboard: the table can't be ticked with it."""
    known, picked = {found.name(one): one for one in now.entries}, st.session_state.get(_PICKED)
    st.session_state[_ONE] = found.name(picked) if picked and found.name(picked) in known else None
    st.selectbox(
        "Look at a line", list(known), index=None, key=_ONE, on_change=_pick_one, args=(known,),
        format_func=lambda one: _line(known[one]) if one in known else "",
        placeholder="Tick a line above, or choose it here, to see its item before and after",
    )  # fmt: skip


def _pick_one(known: dict[str, Entry]) -> None:
    st.session_state[_PICKED] = known.get(st.session_state[_ONE] or "")


def _line(one: Entry) -> str:
    """`16:57:26 · Berlin · Oat milk: 36 -> 0`."""
    moment = plain.local(found.at(one))
    when = f"{moment:%H:%M:%S} · " if moment else ""
    if isinstance(one, Counted):
        return f"{when}{words.item(one)}: {words.moved(one)}"
    return f"{when}{one.file}: no record"


def _turn_pages(now: Found) -> None:
    with st.container(horizontal=True):
        if not now.asked.of_now:
            st.button(
                "Back to the newest", icon=":material/vertical_align_top:", on_click=_go, args=(feed.to_newest, ())
            )  # fmt: skip
        if now.newer:
            st.button("Newer", icon=":material/arrow_upward:", on_click=_go, args=(feed.go_above, (now.newer,)))
        if now.older:
            st.button("Older", icon=":material/arrow_downward:", on_click=_go, args=(feed.go_below, (now.older,)))


def _go(where: object, how: tuple[str, ...]) -> None:
    """Another address is another page, filters and all."""
    if callable(where):
        where(*how)
    st.rerun()

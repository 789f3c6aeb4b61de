"""Stores that went quiet: which, for how long, and what is unusual about it."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from lambdas import times
from services import words
from services.quiet_stores import LOOKED_AT, Quiet
from ui import following, links, plain, tables
from ui.picking import picked
from ui.reads import Link

_SHOWN, _ROWS = 50, 7


def draw(held: Link) -> None:
    found = following.quiet(held)
    if not found:
        return
    st.subheader("Stores that went quiet", anchor=False)
    shown = found[:_SHOWN]
    rows = [(one.store, in_words(one, times.now()), tables.moment(one.since)) for one in shown]
    frame = pd.DataFrame(rows, columns=["store", "what is unusual", "since"])
    frame["since"] = pd.to_datetime(frame["since"], utc=True)
    columns = {"what is unusual": st.column_config.TextColumn("What is unusual", width=420)}
    chosen = picked(frame, shown, "quiet", "Stores that went quiet", tables.height(len(frame), _ROWS), columns)
    more = f" And {words.some(len(found) - _SHOWN, 'other store')}." if len(found) > _SHOWN else ""
    st.caption(f"Tick a store to open its last upload.{more}")
    if chosen:
        links.open_upload(chosen.last)


def in_words(of: Quiet, now: str) -> str:
    """`no upload for 9 days; usually one every 2 days`."""
    if of.unmoved:
        many = f"last {LOOKED_AT} uploads, or more," if of.unmoved > LOOKED_AT else f"last {of.unmoved} uploads"
        return f"the {many} changed nothing: is the till's export stuck?"
    silence = f"no upload for {plain.lasted(of.since, now)}"
    return silence if of.usual is None else f"{silence}; usually one every {_pause(of.usual)}"


def _pause(usual: timedelta) -> str:
    """A pause in its largest unit: `2 days`."""
    seconds = usual.total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return words.some(count, unit) if count > 1 else unit
    return "minute"

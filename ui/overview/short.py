"""What is short now: what is out, since when and by which upload; and what is low, against its reorder point."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from lambdas.alerts import plain as number
from lambdas.inventory import Key
from lambdas.reorder import Points
from services.alerts import Episode
from services.standing import Figures
from services.stock import Stocked
from ui import following, links, reads, tables
from ui.following import WITH_THE_FIGURES
from ui.picking import picked
from ui.reads import Link

SHOWN = 50
"""Rows; the Stock page has all of them."""
ROWS = 7
Rows = tuple[Sequence[Stocked], pd.DataFrame]


def draw(held: Link) -> None:
    now = following.figures(held)
    if not now.out:
        st.success("Nothing is out of stock.", icon=":material/check_circle:")
    places = iter(st.columns(2, gap="medium") if now.out and now.low else [st.container()])
    if now.out:
        with next(places):
            _draw_out(held, now)
    if now.low:
        with next(places):
            _draw_low(held, now)


def _draw_out(held: Link, now: Figures) -> None:
    st.subheader("Out of stock", anchor=False)
    items, frame = _out(held, now)
    chosen = picked(frame, items, "out", "Items out of stock", tables.height(len(frame), ROWS))
    rest(len(items), len(now.out), "that ran out last")
    if chosen:
        links.open_item(chosen.store, chosen.item)


def rest(shown: int, there: int, which: str) -> None:
    """A line below a table that does not show all of them."""
    if there > shown:
        st.caption(f"The {shown:,} of {there:,} {which}.")


@st.cache_resource(show_spinner=False, max_entries=50, ttl=2, hash_funcs=WITH_THE_FIGURES)
def _out(held: Link, now: Figures) -> Rows:
    """The items that ran out last, with the moment and the upload that did it.

    Of one whose alert is not among the latest, or not open yet: what wrote it last, if it was not out before that. Else
    it ran out long ago, nobody knows here when: a file that only confirms it is not what did it.
    """
    latest = (one for one in following.latest_alerts(held, 2 * SHOWN) if not one.is_low)
    opened = {(one.store, one.item): one for one in reversed(list(latest))}
    ran = []
    for one in now.out:
        alert = opened.get((one.store, one.item))
        if alert:
            ran.append((alert.opened_at, alert.opened_by, one))
        elif tables.is_out(one.was):
            ran.append(("", None, one))
        else:
            ran.append((one.updated_at or "", one.upload_id, one))
    ran = sorted(ran, key=lambda row: (row[0], _turn(opened, row[2]), row[2].item), reverse=True)[:SHOWN]
    names = reads.files(held, {by for _, by, _ in ran})
    rows = [
        (one.item, one.store, tables.moment(at or None), tables.cause(by, names) if at else None, number(one.count))
        for at, by, one in ran
    ]
    frame = pd.DataFrame(rows, columns=["item", "store", "ago", "upload", "left"])
    frame["ago"] = pd.to_datetime(frame["ago"], utc=True)
    if all(one.count == 0 for _, _, one in ran):
        frame = frame.drop(columns="left")  # that what is out is at 0 needs no column
    return [one for _, _, one in ran], frame


def _turn(opened: Mapping[Key, Episode], one: Stocked) -> str:
    """Which came first of what ran out in one second: the stream tells no more of the time."""
    alert = opened.get((one.store, one.item))
    return alert.position if alert else ""


def _draw_low(held: Link, now: Figures) -> None:
    st.subheader("Low", anchor=False)
    items, frame = _low(now, reads.points(held))
    columns = {
        "left": st.column_config.TextColumn("Left", width=90),
        "share": st.column_config.ProgressColumn("Of its reorder point", min_value=0, max_value=1, format="percent"),
    }
    chosen = picked(
        frame, items, "low", "Items at or below their reorder point", tables.height(len(frame), ROWS), columns
    )
    rest(len(items), len(now.low), "that have the least left")
    if chosen:
        links.open_item(chosen.store, chosen.item)


@st.cache_resource(show_spinner=False, max_entries=50, ttl=60, hash_funcs=WITH_THE_FIGURES)
def _low(now: Figures, _points: Points) -> Rows:
    """The items that have the least of their reorder point left. Other points are other figures."""
    of = [(one, _points.of(one.store, one.item)) for one in now.low]
    of = sorted(of, key=lambda row: ((row[0].count or 0) / row[1], row[0].store, row[0].item))[:SHOWN]
    rows = [
        (one.item, one.store, f"{number(one.count)} of {number(point)}", float((one.count or 0) / point))
        for one, point in of
    ]
    return [one for one, _ in of], pd.DataFrame(rows, columns=["item", "store", "left", "share"])

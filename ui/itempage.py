"""One item's own page: its count now, how it came to be, when it was out, and the way to correct it.

Owns what is said of an item that is there no more. A change is told with the upload that made it, and leads there.
"""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote

import pandas as pd
import streamlit as st

from lambdas import times
from lambdas.alerts import plain as number
from lambdas.inventory import Key
from lambdas.stream import item_key
from services import words
from services.alerts import Episode
from services.changes import Seen
from services.stock import Stocked
from ui import itemchart, links, plain, reads, recount, stockframe, stocktable, tables
from ui.itemchart import Window
from ui.page import live
from ui.reads import Link

PERIODS = {"24 hours": 1, "7 days": 7, "30 days": 30, "90 days": 90}
_NEWEST, _EPISODES = 500, 100
_LONGEST, _SHOWN_ADDRESS = 2_048, 80
"""Bytes under which changes are kept, as `Berlin/Oat%20milk`: no longer address names an item."""
_STANDS_SECONDS, _SETTLES_SECONDS = 60, 5
"""So long is what the page says left as it is: “just now” is over then. And after the item has moved, whose alert opens
a moment later."""
_SHOWN, _TABLE, _CHART, _OPENING = "shown-changes", "item-changes", "item-chart", "opening-upload"


def draw(held: Link, asked: str) -> None:
    """The page of the item that the address names."""
    if upload_id := st.session_state.pop(_OPENING, None):
        links.open_upload(upload_id)
    st.button("All items", icon=":material/arrow_back:", on_click=stocktable.close_item, type="tertiary")
    key = named(held, asked)
    if key is None:
        said = plain.escaped(plain.cut(asked, _SHOWN_ADDRESS))
        st.warning(f"“{said}” names no item. An address ends in Store/Item.", icon=":material/help:")
        return
    store, item = key
    st.header(plain.escaped(item), anchor=False)
    st.caption(plain.escaped(store))
    there = held.mirror.items.get(key)
    there = there if there and there.count is not None else None
    _follow(key, there, stands_until(there, times.now()))
    found = there or Stocked(store, item, None, None, None)
    changes = reads.changes_of_item(held, found, _NEWEST)
    episodes = reads.episodes_of_item(held, found, _EPISODES)
    if there:
        _draw_now(held, there)
    elif not _draw_gone(key, changes):
        return
    _draw_history(held, found, changes, episodes)
    if episodes:
        _draw_episodes(held, episodes)
    if there:
        recount.draw(held, there)


def named(held: Link, asked: str) -> Key | None:
    """The item that an address names: as our links spell it, or with its names as they are. None: it names none."""
    if len(asked) > _LONGEST:
        return None
    spelled = [(asked[:at], asked[at + 1 :]) for at, mark in enumerate(asked) if mark == "/"]
    if len(spelled) == 1:
        spelled.insert(0, (unquote(spelled[0][0]), unquote(spelled[0][1])))
    spelled = [key for key in spelled if all(key)]
    first = next((key for key in spelled if key in held.mirror.items), next(iter(spelled), None))
    return first if first and len(item_key(*first)) <= _LONGEST else None


@live(2)
def _follow(key: Key, drawn: Stocked | None, until: str) -> None:
    """The item has moved, or it is time: the page is drawn anew. What is being typed stays."""
    now = reads.refreshed().mirror.items.get(key)
    if (now if now and now.count is not None else None) != drawn or times.now() >= until:
        st.rerun()


def stands_until(there: Stocked | None, now: str) -> str:
    """Until when what is drawn now holds, if the item does not move."""
    moved_at = stockframe.sent_at(there.upload_id) if there else None
    just_moved = moved_at is not None and times.later(moved_at, seconds=_STANDS_SECONDS) > now
    return times.later(now, seconds=_SETTLES_SECONDS if just_moved else _STANDS_SECONDS)


def _draw_now(held: Link, of: Stocked) -> None:
    points = reads.points(held)
    point, whose = points.of(of.store, of.item), "of all items"
    if (of.store, of.item) in points.items:
        whose = "of this item"
    elif of.store in points.stores:
        whose = "of its store"
    file = tables.cause(of.upload_id, reads.files(held, {of.upload_id}))
    with st.container(horizontal=True):
        _fact("Count", number(of.count), stockframe.state(of.count, point))
        _fact("As of", words.ago(of.updated_at), plain.clock(of.updated_at))
        _fact("Reorder at", number(point) if point else "–", whose if point else "no reorder point is set")
        moved_at = stockframe.sent_at(of.upload_id)
        _fact("Last moved", words.ago(moved_at), plain.clock(moved_at))
    if of.upload_id:
        with st.container(horizontal=True):
            links.upload(of.upload_id, f"Last moved by {file}")
            links.why(of.upload_id, of.store, of.item)
    else:
        st.caption("No upload has moved it last, but somebody's hand.")


def _fact(label: str, value: str, below: str) -> None:
    st.metric(label, value, plain.escaped(below), delta_color="off", delta_arrow="off", border=True)


def _draw_gone(key: Key, changes: Sequence[Seen]) -> bool:
    """Say what is known of an item that is not there. Whether anything is."""
    if not changes:
        st.info(
            f"There is no item “{plain.escaped(key[1])}” in “{plain.escaped(key[0])}”, and of the last 90 days nothing "
            "is known of it.",
            icon=":material/search_off:",
        )  # fmt: skip
        return False
    last = changes[0]
    st.info(
        f"This item is not in the stock any more, since {plain.when(last.at)}. Its count had been "
        f"{number(last.old_count)}.",
        icon=":material/inventory:",
    )
    return True


def _draw_history(held: Link, of: Stocked, changes: Sequence[Seen], episodes: Sequence[Episode]) -> None:
    st.subheader("Its count over time", anchor=False)
    period = st.segmented_control(
        "Period", list(PERIODS), default="7 days", key="period", bind="query-params", label_visibility="collapsed"
    )
    end = times.later(f"{times.now()[:16]}:00.000000Z", minutes=1)  # for a minute it is the same chart to the browser
    window = Window(times.later(end, days=-PERIODS[period or "7 days"]), end)
    if len(changes) == _NEWEST and changes[-1].at > window.start:
        window = replace(window, start=changes[-1].at)
        st.caption(f"The newest {_NEWEST} changes, since {plain.clock(window.start)}.")
    elif changes and changes[-1].event == "INSERT":
        window = replace(window, start=max(window.start, changes[-1].at))  # before that there was no such item
    point = reads.points(held).of(of.store, of.item)
    st.plotly_chart(
        itemchart.drawn(changes, of.count, episodes, point, window), key=_CHART, on_select=_stepped,
        selection_mode="points", config={"displayModeBar": False},
        alt="Its count over time, a step for each change; the table below says the same",
    )  # fmt: skip
    inside = [one for one in changes if one.at >= window.start]
    if not inside:
        st.caption("Nothing has changed it in this time.")
        return
    st.caption("Pick a step, or a line of this table, to open the upload that made it.")
    names = reads.files(held, {one.upload_id for one in inside})
    frame = tables.changes(tables.change(one, names) for one in inside)
    frame["why?"] = [links.why_address(one.upload_id, one.store, one.item) for one in inside]
    st.session_state[_SHOWN] = inside
    tables.show(
        frame[["time", "change", "what", "upload", "why?", "id", "ago"]], _TABLE, "Its changes, newest first",
        tables.height(len(frame)), on_select=_picked, selection_mode="single-row",
    )  # fmt: skip


def _stepped() -> None:
    """A step of the chart was picked; the lines and bands know no upload."""
    points = st.session_state[_CHART]["selection"]["points"]
    known = (one["customdata"] for one in points if one.get("customdata"))
    st.session_state[_OPENING] = next((data[0] for data in known), None)


def _picked() -> None:
    """The row was picked in the table as it stood when it was drawn last."""
    rows, shown = st.session_state[_TABLE]["selection"]["rows"], st.session_state.get(_SHOWN, [])
    if rows and rows[0] < len(shown):
        st.session_state[_OPENING] = shown[rows[0]].upload_id


def _draw_episodes(held: Link, episodes: Sequence[Episode]) -> None:
    low = any(map(itemchart.is_low, episodes))
    st.subheader("Times out of stock, or low" if low else "Times out of stock", anchor=False)
    names = reads.files(held, {by for one in episodes for by in (one.opened_by, one.closed_by)})
    frame = pd.DataFrame([_told(one, names) for one in episodes])
    for name in ("opened", "closed"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    tables.show(frame, "item-episodes", "Times out of stock, newest first", tables.height(len(frame)))


def _told(one: Episode, names: stockframe.Names) -> dict[str, object]:
    lasted = plain.lasted(one.opened_at, one.closed_at or times.now())
    ends = {"opened by": one.opened_by, "closed by": one.closed_by if one.closed_at else None}
    told: dict[str, object] = {"state": tables.LOW if itemchart.is_low(one) else tables.OUT}
    told |= {"opened": tables.moment(one.opened_at), "closed": tables.moment(one.closed_at)}
    told["lasted"] = lasted if one.closed_at else f"still, for {lasted}"
    told |= {end: f"{tables.cause(by, names)} · {plain.short(by)}" if by else "–" for end, by in ends.items()}
    moved = {"opened by": one.by_point, "closed by": bool(one.closed_how)}
    return told | {end: tables.BY_POINT for end, by_point in moved.items() if by_point}

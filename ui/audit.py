"""The audit on a page: what is asked for, which stands in the address; what was done, the latest first; a file of it.

Owns the widgets. Who may see it is asked by `services.audit`, each time: nothing of it is kept for others.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lambdas import times
from lambdas.upload import time_of
from services import audit, deeds, people
from services.access import MACHINE
from services.audit import AT_MOST, Did, Entry, Page, Wanted
from services.deeds import Known
from ui import download, links, picking, plain, reads, tables
from ui.reads import Link

SHOWN = 100
_BEFORE = "before"
_WIDE = 171  # two of them stand side by side on a phone
_LONGEST = 400
_WEEK = timedelta(days=6)
_FORMATS = (
    ("CSV", "csv", "text/csv", deeds.as_csv),
    ("JSON lines", "jsonl", "application/jsonl", deeds.as_json_lines),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """``day``: in the reader's zone. ``below``: a place that the page begins behind; None: with the newest."""

    wanted: Wanted
    day: date | None = None
    below: str | None = None


def filters(held: Link) -> Asked:
    """Draw what is asked for, and the export of it."""
    names = _with_asked({one.name for one in people.every(held.stack)} | {MACHINE.name}, "by")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(
            "Who", names, index=None, placeholder="Anybody", key="by", bind="query-params", accept_new_options=True,
            on_change=_to_newest, width=_WIDE, help="A whole name; also one that is not in the list.",
        )  # fmt: skip
        did = st.selectbox(
            "Deed", [one.value for one in Did], index=None, placeholder="Anything", key="did", bind="query-params",
            on_change=_to_newest, width=_WIDE,
        )  # fmt: skip
        store = st.selectbox(
            "Store", _with_asked(reads.stores(held), "store"), index=None, placeholder="Any", key="store",
            bind="query-params", accept_new_options=True, on_change=_to_newest, width=_WIDE,
            help="What names a store, as a correction does. The stores that stand in a file are on its upload's page.",
        )  # fmt: skip
        day = st.date_input("Day", value=None, key="day", bind="query-params", on_change=_to_newest, width=140)
        below = st.query_params.get(_BEFORE)
        asked = Asked(Wanted(by, did, store), day, below if below and audit.is_place(below) else None)
        with st.popover("Export", icon=":material/download:"):
            _export(asked)
    return asked


def _with_asked(known: Iterable[str], name: str) -> list[str]:
    """What is offered, and what stands in the address: it may be of a person, or a store, that is gone."""
    return sorted({*known, *filter(None, [st.query_params.get(name)])})


def _to_newest() -> None:
    """What another filter finds begins with the newest, and not on the page where the last one was left."""
    st.query_params.pop(_BEFORE, None)


def _to(place: str) -> None:
    st.query_params[_BEFORE] = place


def _midnight(day: date) -> str:
    """When a day begins, in the reader's zone."""
    return times.text(datetime.combine(day, time(), ZoneInfo(plain.zone())))


def _after(day: date) -> str:
    return _midnight(day + timedelta(days=1))


def _export(asked: Asked) -> None:
    today = asked.day or datetime.now(ZoneInfo(plain.zone())).date()
    days = st.date_input(
        "From and to", (asked.day or today - _WEEK, today), key=f"audit-days-{asked.day}", help="Both days are in it."
    )
    if not isinstance(days, tuple) or len(days) != 2:
        st.caption("Choose the last day as well.")
        return
    again = reads.later()
    for label, ending, mime, how in _FORMATS:
        made = partial(_made, how, again, days, asked.wanted)
        download.button(
            label, made, f"audit-{days[0]}-{days[1]}.{ending}", mime, key=f"audit-{ending}", width="stretch"
        )
    st.caption(f"What fits the filters, the latest first. Of more than {AT_MOST:,} its last line says that more are.")


def _made(how, again: Callable[[], Link], days: tuple[date, date], wanted: Wanted) -> bytes:  # type: ignore[no-untyped-def]
    found: bytes = how(audit.export(again().stack, _midnight(days[0]), _after(days[1]), wanted))
    return found


def draw(held: Link, asked: Asked) -> None:
    """What was done: the latest in plain words, then all as a table; a tick opens an entry."""
    since, until = (_midnight(asked.day), _after(asked.day)) if asked.day else (None, None)
    page = audit.latest(held.stack, SHOWN, asked.below or until, since, asked.wanted)
    known = deeds.uploads_of(held.stack, page.entries)
    if not page.entries:
        filtered = asked.day or asked.below or asked.wanted != audit.ANY
        st.info("Nothing of that kind was done." if filtered else "Nothing was done yet.", icon=":material/policy:")
        _go_on(page, asked)
        return
    if asked.below is None:
        st.markdown(_line(page.entries[0], known))
        st.caption(_where(page.entries[0]))
    frame, high = _frame(page.entries, known), tables.height(len(page.entries), 14)
    one = picking.picked(frame, page.entries, "audit", "What was done, the latest first", high, _columns())
    _go_on(page, asked)
    if one:
        _draw_one(one, known)


def _line(one: Entry, known: Mapping[str, Known]) -> str:
    return f"**{plain.escaped(one.by)}** {plain.escaped(plain.cut(deeds.deed(one, known), _LONGEST))}"


def _where(one: Entry) -> str:
    via = f" · from {plain.escaped(one.via)}" if one.via else ""
    return f"{plain.when(one.at)} · as {plain.escaped(one.role)}{via}"


def _frame(entries: Sequence[Entry], known: Mapping[str, Known]) -> pd.DataFrame:
    rows = [(one.by, deeds.deed(one, known), tables.moment(one.at), one.via or "–", one.role) for one in entries]
    frame = pd.DataFrame(rows, columns=["who", "did", "time", "from", "role"])
    return frame.assign(time=pd.to_datetime(frame["time"], utc=True))


def _columns() -> dict[str, object]:
    widths = {"who": 150, "did": 478, "from": 122, "role": 80}
    return {name: st.column_config.TextColumn(name.capitalize(), width=width) for name, width in widths.items()}


def _go_on(page: Page, asked: Asked) -> None:
    if page.before and len(page.entries) < SHOWN:
        st.caption(f"Looked back to {plain.clock(time_of(page.before))}: there may be older ones.")
    with st.container(horizontal=True):
        if asked.below:
            st.button("Newest", icon=":material/first_page:", on_click=_to_newest)
        if page.before:
            st.button("Older", icon=":material/navigate_next:", on_click=_to, args=(page.before,))


def _draw_one(one: Entry, known: Mapping[str, Known]) -> None:
    with st.container(border=True):
        st.markdown(_line(one, known))
        st.caption(_where(one))
        upload, store, item = (one.about.get(name) for name in ("upload", "store", "item"))
        if isinstance(upload, str) and upload in known:
            links.upload(upload)
        if isinstance(store, str) and isinstance(item, str):
            links.item(store, item)
        st.json(dict(one.about))

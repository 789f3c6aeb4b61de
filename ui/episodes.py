"""The alerts as episodes: the open ones, those that ended, and the one that the reader has picked.

Owns their filters, which stand in the address, and that what is picked stays picked while others come and go.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from lambdas.alerts import plain as count_text
from lambdas.oneline import oneline
from services import alerts, words
from services.access import Right
from services.alerts import LONGEST_NOTE, Episode
from services.errors import StocktrailError
from ui import links, plain, reads, tables
from ui.reads import WITH_THE_ALERTS, Link

HISTORY = 200
ALL, OUT, LOW = "All", "Out of stock", "Low"
ANY, NEW, SEEN = "All", "Not acknowledged", "Acknowledged"
_MANY, _NAMED, _ROWS = 20, 6, 1_000
_SAID = "acknowledged-said"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked for. ``drawn``: there was something to choose from."""

    text: str = ""
    store: str | None = None
    kind: str = ALL
    seen: str = ANY
    drawn: bool = False

    def fit(self, one: Episode) -> bool:
        return (
            (not self.store or one.store == self.store)
            and self.text.casefold() in f"{one.item}\n{one.store}".casefold()
            and (self.kind == ALL or one.is_low == (self.kind == LOW))
            and (self.seen == ANY or bool(one.acknowledged_at) == (self.seen == SEEN))
        )


def filters(held: Link) -> Filters:
    """The filters; nothing while there never was an alert."""
    found = [*reads.open_alerts(held), *reads.past_alerts(held, HISTORY)]
    if not found:
        return Filters()
    search, stores = st.columns([2, 1])
    text = search.text_input(
        "Search", key="q", placeholder="Item or store", icon=":material/search:", bind="query-params"
    )
    names = sorted({one.store for one in found})
    store = stores.selectbox("Store", names, index=None, placeholder="All stores", key="store", bind="query-params")
    with st.container(horizontal=True):
        kind = st.segmented_control("Which", [ALL, OUT, LOW], default=ALL, key="kind", bind="query-params")
        seen = st.segmented_control("Seen by somebody", [ANY, NEW, SEEN], default=ANY, key="seen", bind="query-params")
    return Filters((text or "").strip(), store, kind or ALL, seen or ANY, drawn=True)


def draw_open(held: Link, asked: Filters) -> None:
    """The open episodes: those that nobody has seen first, and of these what is out before what is low."""
    every = alerts.once(reads.open_alerts(held))
    if every and not asked.drawn:
        st.rerun()  # the first alert came in: from here on there is something to choose from
    low = sum(one.is_low for one in every)
    more = f", {low:,} low" if low else ""
    st.subheader(f"Open: {words.some(len(every) - low, 'item')} out of stock{more}", anchor=False)
    notices = st.container()  # always there: what comes and goes in it must not move the note that somebody is typing
    if said := st.session_state.pop(_SAID, None):
        st.toast(said)
    if not every:
        st.success("Nothing is out of stock.", icon=":material/check_circle:")
        return
    if waiting := sum(one.unsent and one.due is None for one in every):  # what is held is told of below
        notices.warning(f"{words.some(waiting, 'notification')} not sent yet.", icon=":material/schedule_send:")
    found, frame = _open_table(held, *astuple(asked))
    if not found:
        st.caption("No open alert fits. Widen the search.")
        return
    if len(found) > _MANY:
        notices.caption(_where(found))
    _table("open", "Open alerts", found, frame)
    if picked := _picked("open", every):
        _draw_open(held, picked)
    elif gone := st.session_state.get("open-picked"):
        st.info(f"{plain.escaped(f'{gone[0]} · {gone[1]}')}: this alert has ended meanwhile.", icon=":material/info:")
    else:
        st.caption("Pick a line to see what it is about, and to say that you have seen it.")


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=WITH_THE_ALERTS)
def _open_table(held: Link, *asked: Any) -> tuple[list[Episode], pd.DataFrame]:
    """The open episodes that fit, and the first of them as a table."""
    every = filter(Filters(*asked).fit, alerts.once(reads.open_alerts(held)))
    found = sorted(every, key=lambda one: (bool(one.acknowledged_at), one.is_low))
    shown = found[:_ROWS]
    return found, tables.open_alerts(shown, reads.files(held, {one.opened_by for one in shown}))


def _where(found: Sequence[Episode]) -> str:
    """Of many: in which stores most of them are."""
    stores = Counter(one.store for one in found).most_common()
    shown = ", ".join(f"{plain.escaped(store)} {count:,}" for store, count in stores[:_NAMED])
    rest = f" and {words.some(len(stores) - _NAMED, 'more store')}" if len(stores) > _NAMED else ""
    cut = f" The first {_ROWS:,} are shown." if len(found) > _ROWS else ""
    return f"{words.some(len(found), 'item')} in {words.some(len(stores), 'store')}: {shown}{rest}.{cut}"


def _draw_open(held: Link, one: Episode) -> None:
    names = reads.files(held, {one.opened_by})
    with st.container(border=True):
        _say(one)
        with st.container(horizontal=True):
            links.item(one.store, one.item)
            if one.opened_by:
                links.upload(one.opened_by, f"Open {names.get(one.opened_by, 'the upload')}")
                links.why(one.opened_by, one.store, one.item)
        seen = st.container()  # as above: another may acknowledge it meanwhile
        if one.acknowledged_at:
            seen.caption(f"Acknowledged {plain.when(one.acknowledged_at)}.")
        if not held.person.may(Right.MANAGE):
            return
        with st.form(f"acknowledge-{one.position}", border=False):
            key, was = f"note-{one.position}", f"note-was-{one.position}"
            if key not in st.session_state:
                st.session_state[was] = one.note or ""
            note = st.text_input(
                "Note", one.note or "", max_chars=LONGEST_NOTE, key=key, placeholder="Who does what about it"
            )
            if note == st.session_state[was]:  # nothing was typed: what somebody else has noted since stays
                note = one.note or ""
            label = "Change the note" if one.acknowledged_at else "Acknowledge"
            if st.form_submit_button(label, icon=":material/done:"):
                _acknowledge(held, one, note)


def _acknowledge(held: Link, one: Episode, note: str) -> None:
    try:
        alerts.acknowledge(held.stack, one, note)
        st.session_state[_SAID] = f"{plain.escaped(one.item)}: acknowledged. It stays open until its count rises."
    except StocktrailError as error:
        st.session_state[_SAID] = plain.escaped(str(error))
    reads.forget_alerts(held)
    st.rerun()


def draw_past(held: Link, asked: Filters) -> None:
    """The episodes that ended, the latest opened first."""
    st.subheader("History", anchor=False)
    past = reads.past_alerts(held, HISTORY)
    if not past:
        st.caption(
            "No alert has ended yet. One ends when the item's count rises above zero again, or above its reorder point."
        )
        return
    found = [one for one in past if asked.fit(one)]
    if not found:
        which = f"None of the latest {HISTORY:,} alerts that ended fits." if len(past) == HISTORY else ""
        st.caption(f"{which or 'No alert that ended fits.'} Widen the search.")
        return
    names = reads.files(held, {by for one in found for by in (one.opened_by, one.closed_by)})
    _table("past", "Alerts that ended", found, tables.past_alerts(found, names))
    if len(past) == HISTORY:
        of = "shown" if len(found) == len(past) else "looked through"
        st.caption(f"The latest {HISTORY:,} are {of}; an item's own page tells of its earlier ones.")
    if picked := _picked("past", past):
        with st.container(border=True):
            _say(picked)
            if picked.note:
                st.text(f"Note: {oneline(picked.note)}")
            with st.container(horizontal=True):
                links.item(picked.store, picked.item)
                for by, end in ((picked.opened_by, "began with"), (picked.closed_by, "ended with")):
                    if by:
                        links.upload(by, f"It {end} {names.get(by, 'an upload')}")
                if picked.opened_by:
                    links.why(picked.opened_by, picked.store, picked.item)


def _say(one: Episode) -> None:
    """An episode in a sentence or two."""
    st.markdown(f"**{plain.escaped(one.item)}** · {plain.escaped(one.store)}")
    what = f"Low (reorder point {count_text(one.point)})" if one.is_low else "Out of stock"
    by = " by its reorder point" if one.by_point else ""
    lines = [f"{what} since {plain.when(one.opened_at)}{by}: {words.fell(one)}."]
    if one.closed_at:
        by = " by its reorder point" if one.closed_how else ""
        length = plain.lasted(one.opened_at, one.closed_at)
        lines = [f"{what} from {plain.clock(one.opened_at)} to {plain.clock(one.closed_at)}{by}, for {length}:"]
        lines.append(f"{words.fell(one)}, then {words.ended(one)}.")
    elif one.notified_at:
        lines.append(f"A message was sent {plain.when(one.notified_at)}.")
    if told := words.held(one, plain.clock):
        lines.append(f"{told[0].upper()}{told[1:]}.")
    st.text(" ".join(lines))


def _table(table: str, what: str, found: Sequence[Episode], frame: pd.DataFrame) -> None:
    """Draw one of the two tables. What is picked is kept by name, not by row."""
    names = [_name(one) for one in found[: len(frame)]]
    st.session_state[f"{table}-shown"] = names
    picked = st.session_state.get(f"{table}-picked")
    rows = [names.index(picked)] if picked in names else []
    before = st.session_state.get(table)
    if before is not None and list(before["selection"]["rows"]) != rows:
        st.session_state[table] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    height = tables.height(len(frame), 12)
    tables.show(frame, table, what, height, on_select=partial(_pick, table), selection_mode="single-row")


def _name(one: Episode) -> tuple[str, str, str]:
    return one.store, one.item, one.position


def _pick(table: str) -> None:
    """The row was picked in the table as it stood when it was drawn last."""
    rows = st.session_state[table]["selection"]["rows"]
    shown = st.session_state.get(f"{table}-shown", [])
    st.session_state[f"{table}-picked"] = shown[rows[0]] if rows and rows[0] < len(shown) else None


def _picked(table: str, found: Sequence[Episode]) -> Episode | None:
    name = st.session_state.get(f"{table}-picked")
    return next((one for one in found if _name(one) == name), None)

"""Quiet hours: what is held now and until when, and setting them for all stores or for one."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import time
from functools import cache
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from lambdas import times
from lambdas.quiet import Hours, Quiet
from services import quiet, words
from services.alerts import Episode
from services.errors import StocktrailError
from ui import plain, reads, tables
from ui.page import live
from ui.reads import Link

_FROM, _TO = time(22), time(7)  # what the form suggests
_SAID = "quiet-said"


@live(5)
def waiting() -> None:
    """What is held now, in a line for each reason and time; nothing while nothing is."""
    found = reads.held_alerts(reads.refreshed())
    if not found:
        return
    for (due, reason), count in Counter((one.due, one.held_for) for one in found).items():
        st.info(_waits(count, due, reason), icon=":material/bedtime:")
    with st.expander("What waits", icon=":material/list:"):
        tables.show(_frame(found), "held", "Alerts whose messages wait", tables.height(len(found)))


def _waits(count: int, due: str | None, reason: str | None) -> str:
    verb = "waits" if count == 1 else "wait"
    why = plain.escaped(words.HELD.get(reason or "", "held"))
    return f"{words.some(count, 'message')} {verb} until {_clock(due)}: {why}. What is back by then is not sent."


def _clock(at: str | None) -> str:
    """`07:00`, with the day where that is another one."""
    due, now = plain.local(at), plain.local(times.now())
    if due is None or now is None:
        return "–"
    return f"{due:%H:%M}" if due.date() == now.date() else f"{due.day} {due:%b, %H:%M}"


def _frame(found: Iterable[Episode]) -> pd.DataFrame:
    rows = [(one.item, one.store, _clock(one.due), _why(one), _now(one)) for one in found]
    return pd.DataFrame(rows, columns=["item", "store", "until", "why", "now"])


def _now(one: Episode) -> str:
    still = "◐ low" if one.is_low else "✕ out"
    return "✓ back" if one.closed_at else still


def _why(one: Episode) -> str:
    return words.HELD.get(one.held_for or "", "")


def draw(held: Link) -> None:
    """The hours that are set, and the form."""
    st.subheader("Quiet hours", anchor=False)
    st.caption(
        "While they last nothing is sent. When they end, each store's items that are still out, or low, come in one "
        "message. Alerts are opened and closed all the time."
    )
    known = reads.quiet(held)
    st.markdown(f"**All stores:** {_told(known.default)}")
    for store, own in sorted(known.stores.items()):
        st.markdown(f"**{plain.escaped(store)}:** {_told(own)}")
    if said := st.session_state.pop(_SAID, None):
        st.warning(plain.escaped(said), icon=":material/error:")
    with st.expander("Change", icon=":material/edit:"):
        stores = sorted({*reads.stores(held), *known.stores})
        first = None if held.person.stores is None else 0
        chosen = st.selectbox("For", stores, index=first, placeholder="All stores", key="quiet-of")
        _form(chosen, known)


def _told(of: Hours | None) -> str:
    return plain.escaped(words.quiet(of)) if of else "none"


def _form(store: str | None, known: Quiet) -> None:
    now = known.of(store) if store else known.default
    mark = f"quiet-{store or 'all'}-{'own' if store else ''}"
    zones = _zones()
    zone = now.zone if now and now.zone in zones else plain.zone()
    with st.form(mark):
        start, end, where = st.columns([1, 1, 2])
        start.time_input("From", time.fromisoformat(now.start) if now else _FROM, key=f"{mark}-from")
        end.time_input("To", time.fromisoformat(now.end) if now else _TO, key=f"{mark}-to")
        where.selectbox("On the clock of", zones, index=zones.index(zone), key=f"{mark}-zone")
        with st.container(horizontal=True):
            st.form_submit_button("Save", type=plain.main_button(), on_click=_save, args=(store, mark))
            st.form_submit_button("No quiet hours", on_click=_none, args=(store,))
            if store in known.stores:
                st.form_submit_button("As for all stores", on_click=_as_all, args=(store,))


@cache
def _zones() -> list[str]:
    return sorted(available_timezones() | {"UTC"})


def _save(store: str | None, mark: str) -> None:
    start, end, zone = (st.session_state[f"{mark}-{name}"] for name in ("from", "to", "zone"))
    if start is None or end is None:
        st.session_state[_SAID] = "Say from when to when."
        return
    _done(lambda: quiet.put(reads.link().stack, Hours(f"{start:%H:%M}", f"{end:%H:%M}", zone), store))


def _none(store: str | None) -> None:
    _done(lambda: quiet.put(reads.link().stack, None, store))


def _as_all(store: str) -> None:
    _done(lambda: quiet.forget(reads.link().stack, store))


def _done(work: Callable[[], None]) -> None:
    """A click: what went wrong is told by the run that follows."""
    try:
        work()
    except StocktrailError as error:
        st.session_state[_SAID] = str(error)
    reads.forget_quiet()

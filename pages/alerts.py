"""Alerts: what is out of stock now, and what was."""

import streamlit as st

from services import words
from ui import reads, tables
from ui.page import live, page

page("Alerts")
HISTORY = 200


@live(2)
def alerts():
    held = reads.refreshed()
    still, past = reads.open_alerts(held), reads.past_alerts(held, HISTORY)
    names = reads.files(held, {by for one in [*still, *past] for by in (one.opened_by, one.closed_by)})
    open_now(still, names)
    closed(past, names)


def open_now(still, names):
    st.subheader(f"Open: {words.some(len(still), 'item')} out of stock", anchor=False)
    if not still:
        st.success("Nothing is out of stock.", icon=":material/check_circle:")
        return
    waiting = sum(one.notified_at is None for one in still)
    if waiting:
        st.warning(f"{words.some(waiting, 'notification')} not sent yet.", icon=":material/schedule_send:")
    tables.show(tables.open_alerts(still, names), "open", "Open alerts")


def closed(past, names):
    st.subheader("History", anchor=False)
    if not past:
        st.caption("No alert has ended yet. One ends when the item's count rises above zero again.")
        return
    tables.show(tables.past_alerts(past, names), "past", "Alerts that ended")


st.caption("An alert opens when an item's count falls to zero or below, once, and ends when it rises again.")
alerts()

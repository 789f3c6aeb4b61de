"""Alerts: what is out of stock or low now, what was, and the reorder points that say what is low."""

import streamlit as st

from services.access import Right
from ui import episodes, notifications, reads, reordering
from ui.page import live, page, plainly

held = page("Alerts")
st.caption(
    "An alert opens when an item's count falls to zero or below, or to its reorder point or below, once; it ends when "
    "the count rises again."
)
with plainly():
    asked = episodes.filters(held)


@live(2)
def now(asked):
    episodes.draw_open(reads.refreshed(), asked)


@live(3)
def before(asked):
    episodes.draw_past(reads.refreshed(), asked)


# The sections, in their order; each is drawn by a module of its own.
now(asked)
before(asked)
if held.person.may(Right.MANAGE):
    reordering.draw()
    notifications.draw(held)

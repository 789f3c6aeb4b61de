"""The overview: what is out, what will be, what changed today, every store, the last uploads, and what is unusual."""

import streamlit as st

from services.access import Right
from ui import delivery, failed, following, parcels, reads, samples, waiting
from ui.overview import glance, latest, locked, quiet, short, soon, stores, today
from ui.page import live, page

held = page("Overview")

if "welcome" in st.session_state and (sent := parcels.current()):
    delivery.deliver(held, sent)
    st.button("Close the receipt", on_click=st.session_state.pop, args=("welcome",))
if released := locked.released():
    delivery.deliver(held, released)
    st.button("Close the receipt", on_click=locked.close, key="close-released")


@live(2)
def wait_for_the_first():
    """Somebody else may send it: then the page goes on by itself."""
    held = reads.refreshed()
    waiting.announce(held)
    if following.figures(held).items:
        st.rerun()


if not following.figures(held).items:
    if not held.person.may(Right.SEND):
        st.info("There is no stock of yours yet. It appears here as soon as a file of it is loaded.")
        wait_for_the_first()
        st.stop()
    st.info("There is no stock yet. Send a stock file, or try one of these samples with one click.")
    if name := samples.chosen("first", explained=True):
        parcels.pack_sample(name)
        st.session_state.welcome = True
        st.rerun()
    st.page_link("pages/upload.py", label="Send a file of your own", icon=":material/upload_file:")
    wait_for_the_first()
    st.stop()


# Each part by itself: what is slow to come holds up nothing above it.
@live(2)
def now():
    held = reads.refreshed()
    waiting.announce(held)
    failed.announce(held)
    glance.draw(held)
    short.draw(held)


@live(10)
def out_soon():
    soon.draw(reads.refreshed())


@live(2)
def changes_today():
    today.draw(reads.refreshed())


@live(5)
def by_store():
    stores.draw(reads.refreshed())


@live(2)
def last_uploads():
    latest.draw(reads.refreshed())


@live(10)
def went_quiet():
    quiet.draw(reads.refreshed())


@live(5)
def locked_counts():
    locked.draw(reads.refreshed())


now()
out_soon()
changes_today()
by_store()
last_uploads()
went_quiet()
locked_counts()

"""What the reader of the changes asks for: the filters, and from when on. All of it stands in the address.

Owns how it is asked for and how an upload is chosen and named. What then is shown is `ui.feedtable`'s.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from lambdas import times
from services.trail import is_place
from services.uploads import Receipt
from services.wanted import EVENTS, Wanted
from ui import plain, reads
from ui.reads import Link

_JUMP = "jump"
_WIDE = 171  # two of them stand side by side on a phone


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is to show. ``below`` and ``above``: a position, or a bare time, behind which it begins going back,
    or going on; neither: with the newest."""

    wanted: Wanted
    below: str | None = None
    above: str | None = None

    @property
    def of_now(self) -> bool:
        return not (self.below or self.above)


def filters(held: Link) -> Asked:
    """Draw the filters, as far as they are used often."""
    with st.container(horizontal=True):
        store = st.selectbox(
            "Store", _stores(held), index=None, placeholder="All stores", key="store", bind="query-params",
            on_change=to_newest, width=_WIDE,
        )  # fmt: skip
        text = st.text_input(
            "Item", key="item", placeholder="Part of its name", bind="query-params", on_change=to_newest, width=_WIDE
        )
        event = st.selectbox(
            "Event", EVENTS, index=None, placeholder="All", key="event", bind="query-params", on_change=to_newest,
            width=116,
        )  # fmt: skip
        with st.container(width=226):
            upload_id = upload(held, "Upload", "All uploads")
    real, zero = _only()
    below, above = (_place(name) for name in ("before", "after"))
    wanted = Wanted(store, (text or "").strip(), event, upload_id, real, zero, held.person.stores)
    return Asked(wanted, below, None if below else above)


def _stores(held: Link) -> list[str]:
    """All that have items, and the one of the address: its items may be gone, and their changes are there still."""
    known, asked = reads.stores(held), st.query_params.get("store")
    return known if not asked or asked in known else [*known, asked]


def _only() -> tuple[bool, bool]:
    with st.container(horizontal=True):
        real = st.toggle(
            "Only real changes", key="real", bind="query-params", on_change=to_newest,
            help="Leaves out those that only moved a time.",
        )  # fmt: skip
        zero = st.toggle(
            "Only to zero", key="zero", bind="query-params", on_change=to_newest,
            help="Only those by which an item ran out.",
        )  # fmt: skip
    return real, zero


def _place(name: str) -> str | None:
    """A place that stands in the address; what is none is not asked for."""
    found = st.query_params.get(name)
    return found if found and is_place(found) else None


def jump() -> None:
    """Choose a moment, in the reader's zone: the page then begins with what was up to the end of that minute."""
    st.datetime_input(
        "Show what was up to", value=None, key=_JUMP, step=timedelta(minutes=1), on_change=_jump,
    )  # fmt: skip
    st.caption(f"In {plain.escaped(plain.zone())}. Changes are kept for 90 days.")


def _jump() -> None:
    chosen: datetime | None = st.session_state[_JUMP]
    if chosen is None:
        to_newest()
        return
    end = (chosen + timedelta(minutes=1)).replace(tzinfo=ZoneInfo(plain.zone()))
    go_below(times.text(end))


def to_newest() -> None:
    """What another filter finds begins with the newest, and not on the page where the last one was left."""
    for name in ("before", "after"):
        st.query_params.pop(name, None)


def go_below(place: str) -> None:
    to_newest()
    st.query_params["before"] = place


def go_above(place: str) -> None:
    to_newest()
    st.query_params["after"] = place


def upload(held: Link, label: str, placeholder: str) -> str | None:
    """Choose an upload; its id stands in the address."""
    known = {one.upload_id: one for one in reads.receipts(held) if one.upload_id}
    asked = st.query_params.get("upload")
    if asked and asked not in known and (older := reads.receipt(held, asked)):
        known[asked] = older
    ids = list(known)
    return st.selectbox(
        label, ids, index=ids.index(asked) if asked in known else None, placeholder=placeholder, key="which",
        format_func=lambda one: upload_name(known[one]), on_change=_keep_upload,
    )  # fmt: skip


def _keep_upload() -> None:
    to_newest()
    if st.session_state.which:
        st.query_params["upload"] = st.session_state.which
    else:
        st.query_params.pop("upload", None)


def upload_name(of: Receipt) -> str:
    """`berlin.csv · 23 Nov 2026, 13:53:44 · a1b2c3d4`."""
    return f"{of.file} · {plain.clock(of.received_at)} · {plain.short(of.upload_id)}"

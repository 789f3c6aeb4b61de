"""The history of uploads: every receipt, newest first, by pages and filters that stand in the address.

Owns what fits a filter and how far back it is looked for, and the table in which an upload is picked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lambdas import times
from lambdas.upload import lowest_id, time_of
from services import words
from services.uploads import Receipt
from ui import fatebar, feed, links, modes, plain, reads, receipts, tables
from ui.page import live
from ui.reads import Link

PAGE = 50
"""With so many that fit, it is not looked further back."""
_WINDOW, _WINDOWS = 100, 10
_STATES = dict(
    zip(("Done", "Not loaded", "Needs an answer", "Records missing", "Under way"), receipts.STATES, strict=True)
)
EVERY, MOVED, QUIET = "All", "Changed something", "Changed nothing"
COLUMNS = (
    "ago", "file", "state", "what it did", "fates", "records", "alerts", "rows", "mode", "time", "id",
)  # fmt: skip
_PICKED, _ADDRESS = "upload-picked", "history-address"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked for. ``since``: fixed-width UTC text; ``before``: an upload's id, the page begins below."""

    text: str = ""
    state: str | None = None
    effect: str = EVERY
    since: str = ""
    before: str | None = None

    @property
    def anything(self) -> bool:
        return self != Asked()

    def fits(self, one: Receipt) -> bool:
        """Whether a receipt is one of those that were asked for."""
        named = f"{one.file}\n{one.upload_id}".casefold()
        told = self.text.casefold() in named and (one.received_at or "") >= self.since
        if self.effect != EVERY and (one.records_expected > 0) != (self.effect == MOVED):
            return False
        quiet = self.effect != QUIET or one.state in ("loaded", "failed")
        return told and quiet and self.state in (None, receipts.state(one))


@live(2)
def draw() -> None:
    """Filters, the table, and the way to older ones."""
    held = reads.refreshed()
    asked = filters()
    st.session_state[_ADDRESS] = dict(st.query_params)
    found, further = gather(held, asked)
    if found:
        table(found, "uploads", "Uploads, newest first")
        _open_one(found)
    elif asked.anything:
        st.info("No upload fits. Clear a filter, or look further back.", icon=":material/filter_alt_off:")
    else:
        st.info("No file has been sent yet. Send one, and what became of it stands here.")
        st.page_link("pages/upload.py", label="Send a file", icon=":material/upload_file:")
    _turn_pages(further)
    open_picked()


def filters() -> Asked:
    """The filters; they stand in the address."""
    text, state, days = st.columns([2, 1, 1])
    words_of = text.text_input(
        "Search", key="q", placeholder="Part of the file’s name, or its id", icon=":material/search:",
        bind="query-params", on_change=_to_newest,
    )  # fmt: skip
    chosen = state.selectbox(
        "State", list(_STATES), index=None, placeholder="Any", key="state", bind="query-params",
        on_change=_to_newest,
    )  # fmt: skip
    with days:
        span = st.date_input(
            "Days", value=[], key="days", bind="query-params", format="YYYY-MM-DD", on_change=_to_newest
        )
    effect = st.segmented_control(
        "What they did", [EVERY, MOVED, QUIET], default=EVERY, key="effect", bind="query-params",
        on_change=_to_newest,
    )  # fmt: skip
    since, until = _bounds(span)
    pages = [before for before in (until, _before()) if before]
    return Asked(
        (words_of or "").strip(), _STATES.get(chosen or ""), effect or EVERY, since, min(pages) if pages else None
    )  # fmt: skip


def _to_newest() -> None:
    """What another filter finds begins with the newest, and not on the page where the last one was left."""
    _go_to(None)


def _bounds(span: Sequence[date | None]) -> tuple[str, str | None]:
    """Some of the reader's days: the first moment, and an id that sorts behind every upload of the last one."""
    days = [day for day in span if day]
    if not days:
        return "", None
    zone = ZoneInfo(plain.zone())
    first, after = (datetime.combine(day, time(), zone) for day in (days[0], days[-1] + timedelta(days=1)))
    return times.text(first), lowest_id(times.text(after)) if len(days) > 1 else None


def _before() -> str | None:
    """The id in the address below which the page begins; None when it is no id."""
    before = st.query_params.get("before")
    try:
        return before if before and time_of(before) else None
    except ValueError:
        return None


def gather(held: Link, asked: Asked) -> tuple[list[Receipt], str | None]:
    """The receipts that fit, newest first, and the id below which it was not looked; None when there is nothing."""
    found: list[Receipt] = []
    before = asked.before
    for _ in range(_WINDOWS):
        part = reads.older(held, before, _WINDOW) if before else reads.receipts(held, _WINDOW)
        found += filter(asked.fits, part)
        if len(part) < _WINDOW or (part[-1].received_at or "") < asked.since:
            return found, None
        before = part[-1].upload_id
        if len(found) >= PAGE:
            break
    return found, before


def table(found: Sequence[Receipt], key: str, what: str) -> None:
    """Receipts as a table, in which one can be picked: it is opened by `open_picked`."""
    ids = f"{key}-ids"

    def pick() -> None:
        """The row was picked in the table as it stood when it was drawn last."""
        rows, shown = st.session_state[key]["selection"]["rows"], st.session_state.get(ids, [])
        st.session_state[_PICKED] = shown[rows[0]] if rows and rows[0] < len(shown) else None

    st.session_state[ids] = [one.upload_id for one in found]
    tables.show(frame(found), key, what, tables.height(len(found), 14), on_select=pick, selection_mode="single-row")


def _open_one(found: Sequence[Receipt]) -> None:
    """The same by typing a part of its name: for who has no mouse, or a small screen."""
    known = {one.upload_id: one for one in found}

    def pick() -> None:
        st.session_state[_PICKED] = st.session_state["open-one"]

    st.selectbox(
        "Open an upload", list(known), index=None, key="open-one", on_change=pick,
        format_func=lambda one: feed.upload_name(known[one]) if one in known else "",
        placeholder="Pick a row above, or choose here",
    )  # fmt: skip


def open_picked() -> None:
    """Go to the upload that was picked, if one was."""
    if picked := st.session_state.pop(_PICKED, None):
        links.open_upload(picked)


def frame(found: Sequence[Receipt]) -> pd.DataFrame:
    """A row for each receipt. Its fates stand there in words, and as a bar beside them."""
    made = pd.DataFrame([_row(one) for one in found], columns=list(COLUMNS))
    return made.assign(**{name: pd.to_datetime(made[name], utc=True) for name in ("ago", "time")})


def _row(of: Receipt) -> tuple[object, ...]:
    at = tables.moment(of.received_at)
    did = words.fates(of.fates, of.mode) if of.state == "loaded" else plain.timed(words.receipt(of))
    records = f"{of.records_seen or 0:,} of {of.records_expected:,}" if of.state == "loaded" else None
    bar = fatebar.image(of.fates) if of.rows else None
    alerts = of.alerts if of.state == "loaded" else None
    name = modes.name(of.mode)
    return (
        at,
        of.file,
        receipts.state(of),
        did,
        bar,
        records,
        alerts,
        of.rows or None,
        name,
        at,
        plain.short(of.upload_id),
    )


def back() -> None:
    """A link to the history, filtered as it was."""
    address = {name: one for name, one in st.session_state.get(_ADDRESS, {}).items() if name != "upload"}
    st.page_link("pages/uploads.py", label="All uploads", icon=":material/arrow_back:", query_params=address)


def _turn_pages(further: str | None) -> None:
    with st.container(horizontal=True):
        if _before():
            st.button("Back to the newest", icon=":material/vertical_align_top:", on_click=_go_to, args=(None,))
        if further:
            st.button("Older", icon=":material/arrow_downward:", on_click=_go_to, args=(further,))


def _go_to(before: str | None) -> None:
    if before:
        st.query_params["before"] = before
    else:
        st.query_params.pop("before", None)

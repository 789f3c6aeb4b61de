"""One upload: its receipt in words, its stages, and its rows, records and alerts; live until it has settled."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from lambdas import alerts as rules
from services import alerts, sight, uploads, words
from services.access import Right
from services.alerts import Episode
from services.uploads import Receipt
from ui import comparison, download, everyrow, modes, plain, reads, receipts, tables, undo
from ui.page import live
from ui.reads import Link

ROWS, RECORDS, ALERTS, COMPARE, UNDO = "Rows", "Records", "Alerts", "Compare", "Undo"
_RECORDS = 400
"""So many of its first stream records are shown: its rows say the same of all."""


def draw(held: Link, upload_id: str) -> None:
    """All of it, or that there is none."""
    found = reads.receipt(held, upload_id)
    if found is None:
        st.warning(
            f"There is no upload with the id “{plain.escaped(plain.cut(upload_id, 40))}”. All are in the list.",
            icon=":material/search_off:",
        )
        return
    if found.settled:
        _outcome(found)
    else:
        _watch(upload_id, found.state)
    _links(held, found)
    if found.state == "loaded":
        _sections(held, found)
        receipts.draw_cost(found)


@live(1)
def _watch(upload_id: str, before: str) -> None:
    """An upload that is under way."""
    now = reads.receipt(reads.link(), upload_id)
    if now is None or now.settled or now.state != before:
        st.rerun()
    _outcome(now)
    st.info("It goes on by itself, also when you leave this page.", icon=":material/hourglass_top:")


def _outcome(of: Receipt) -> None:
    st.subheader(plain.escaped(of.file), anchor=False)
    store = f" · store {plain.escaped(of.store)}" if of.store else ""
    by = f" by {plain.escaped(of.by)}" if of.by else ""
    st.caption(
        f"Sent {plain.when(of.received_at)}{by} · {modes.name(of.mode)}{store} · {plain.escaped(of.upload_id or '')}"
    )
    receipts.draw_stages(of)
    receipts.draw_words(of)


def _links(held: Link, of: Receipt) -> None:
    """What leads on from it, as far as the reader may go there."""
    where = {"upload": of.upload_id or ""}
    again = reads.later()
    with st.container(horizontal=True, vertical_alignment="center"):
        if sight.sees_whole(of, held.person):
            sent = partial(_sent, again, of)
            download.button("The file as it was sent", sent, of.file, "application/octet-stream", key="sent-file")
        st.page_link("pages/changes.py", label="Its changes", icon=":material/swap_vert:", query_params=where)
        if held.person.may(Right.OPERATE):
            st.page_link("pages/pipeline.py", label="Its way", icon=":material/conversion_path:", query_params=where)
        with st.popover("When it reached each stage", icon=":material/schedule:"):
            stages = [(one.label, plain.clock(one.at) if one.step == "done" else "–") for one in receipts.stages(of)]
            st.dataframe(
                pd.DataFrame(stages, columns=["Stage", "Reached"]), hide_index=True, key="reached", alt="Stage times"
            )  # fmt: skip


def _sent(again: Callable[[], Link], of: Receipt) -> bytes:
    return uploads.contents(again().stack, of)


def _sections(held: Link, of: Receipt) -> None:
    """One of its parts at a time; which one stands in the address."""
    may_undo = held.person.may(Right.SEND) and sight.sees_whole(of, held.person)
    options = [ROWS, RECORDS, ALERTS, COMPARE, *([UNDO] if of.records_expected and may_undo else [])]
    shown = st.segmented_control(
        "Show", options, default=COMPARE if "with" in st.query_params else ROWS, key="show", bind="query-params",
        required=True,
    )  # fmt: skip
    if shown == RECORDS:
        _records(held, of)
    elif shown == ALERTS:
        _alerts(held, of)
    elif shown == COMPARE:
        comparison.draw(held, of)
    elif shown == UNDO:
        undo.draw(held, of)
    else:
        everyrow.draw(held, of)


def _records(held: Link, of: Receipt) -> None:
    found = reads.changes_of(held, of.upload_id or "", _RECORDS)
    if not found:
        st.info("DynamoDB wrote no stream record for it: nothing changed in the table.", icon=":material/info:")
        return
    names = reads.files(held, {of.upload_id})
    frame = tables.changes(tables.change(one, names) for one in found)
    everyrow.table(
        frame[["item", "change", "what", "store", "time", "event"]], "records", "Its stream records", of.upload_id or ""
    )
    if of.records_expected > len(found):
        st.caption(f"The first {len(found):,} of {of.records_expected:,}.")


def _alerts(held: Link, of: Receipt) -> None:
    found = alerts.once(reads.alerts_of(held, of.upload_id or ""))
    if not found:
        st.info("It raised no alert.", icon=":material/notifications_off:")
        return
    low, still = sum(one.is_low for one in found), sum(not one.closed_at for one in found)
    parts = [words.some(len(found) - low, "item") + " ran out"] if low < len(found) else []
    parts += [words.some(low, "item") + " fell to the reorder point"] if low else []
    st.markdown(f"It raised {words.some(len(found), 'alert')}: {', '.join(parts)}. Still open: {still:,}.")
    columns = ["what", "item", "store", "change", "opened", "closed", "lasted"]
    frame = pd.DataFrame([_episode(one) for one in found], columns=columns)
    frame = frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in ("opened", "closed")})
    everyrow.table(frame, "alerts", "The alerts that it raised", of.upload_id or "")


def _episode(one: Episode) -> tuple[object, ...]:
    new = rules.plain(one.new_count)
    moved = f"{rules.plain(one.old_count)} -> {new}" if one.old_count is not None else f"new: {new}"
    lasted = plain.lasted(one.opened_at, one.closed_at) if one.closed_at else "still open"
    what = tables.LOW if one.is_low else tables.OUT
    return what, one.item, one.store, moved, tables.moment(one.opened_at), tables.moment(one.closed_at), lasted

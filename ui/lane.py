"""The pipeline's parts: its stages as boxes, the uploads that passed, and the way of one of them."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from services import words
from services.pipeline import Function, LogLine
from services.uploads import Receipt
from ui import links, plain, reads, receipts, rows, tables
from ui.reads import Link

_PASSED = 8


def draw(held: Link) -> None:
    """Eight boxes: bucket, queue, loader, table and stream, recorder, checker, alerts, sweeper."""
    sent, depth = reads.receipts(held), reads.queue(held)
    loader, recorder, checker, sweeper = reads.functions(held)
    top = st.columns(4)
    _bucket(top[0], sent)
    _queue(top[1], depth)
    _function(top[2], "3 · Loader", ":material/download:", loader)
    _table(top[3], held, sent)
    below = st.columns(4)
    _function(below[0], "5 · Recorder", ":material/history:", recorder)
    _function(below[1], "5 · Checker", ":material/rule:", checker)
    _alerts(below[2], held)
    _function(below[3], "7 · Sweeper", ":material/cleaning_services:", sweeper, _help_needed(held))


Box = st.delta_generator.DeltaGenerator


def _box(column: Box, title: str, icon: str, lines: Sequence[str], wrong: str = "") -> None:
    with column.container(border=True, height="stretch"):
        st.markdown(f"{icon} **{title}**")
        st.caption("  \n".join(lines))
        if wrong:
            st.badge(wrong, icon=":material/error:", color="red")


def _bucket(column: Box, sent: Sequence[Receipt]) -> None:
    last = f"last file {words.ago(sent[0].received_at)}" if sent else "no file yet"
    _box(column, "1 · Bucket", ":material/folder:", [last, plain.escaped(sent[0].file) if sent else "–"])


def _queue(column: Box, depth: dict[str, int]) -> None:
    dead = f"{depth['given up']:,} given up" if depth["given up"] else ""
    _box(
        column,
        "2 · Queue",
        ":material/inbox:",
        [f"{depth['waiting']:,} waiting", f"{depth['loading']:,} being loaded"],
        dead,
    )


def _function(column: Box, title: str, icon: str, of: Function, wrong: str = "") -> None:
    if not of.runs:
        _box(column, title, icon, ["no run in the last 15 minutes", "–"], wrong)
        return
    runs = f"{words.some(len(of.runs), 'run')} in 15 minutes, last {words.ago(of.runs[0].at)}"
    took = f"typically {of.typical:,.0f} ms, last {of.runs[0].duration:,.0f} ms"
    _box(column, title, icon, [runs, took], wrong or (words.some(of.errors, "error") if of.errors else ""))


def _help_needed(held: Link) -> str:
    failed = len(reads.failed(held))
    return f"{failed:,} failed" if failed else ""


def _table(column: Box, held: Link, sent: Sequence[Receipt]) -> None:
    gaps = sum(bool(receipts.gap(one)) for one in sent)
    lines = [words.some(len(reads.items(held)), "item"), "a stream record for each change"]
    _box(column, "4 · Table and stream", ":material/table:", lines, words.some(gaps, "gap") if gaps else "")


def _alerts(column: Box, held: Link) -> None:
    still = reads.open_alerts(held)
    unsent = sum(one.unsent for one in still)
    _box(column, "6 · Alerts", ":material/notifications:", [f"{len(still):,} open", f"{unsent:,} waiting to be sent"])


def draw_uploads(held: Link) -> None:
    """The latest uploads: records seen against records expected."""
    st.subheader("Latest uploads", anchor=False)
    found = reads.receipts(held)
    for one in found:
        if told := receipts.gap(one):
            st.error(f"{plain.escaped(one.file)}: {told}", icon=":material/running_with_errors:")
    rows = [(one.file, _records(one), receipts.state(one), tables.moment(one.received_at)) for one in found[:_PASSED]]
    frame = pd.DataFrame(rows, columns=["upload", "records seen", "state", "ago"])
    tables.show(frame, "uploads", "Latest uploads", tables.height(len(frame)))


def _records(one: Receipt) -> str:
    return f"{one.records_seen or 0:,} of {one.records_expected:,}" if one.state == "loaded" else "–"


def draw_feed(held: Link) -> None:
    st.subheader("Latest changes", anchor=False)
    latest = reads.feed(held, _PASSED)
    if not latest:
        st.caption("No change yet.")
        return
    names = reads.files(held, {one.upload_id for one in latest})
    frame = tables.changes(tables.change(one, names) for one in latest)
    tables.show(
        frame[["item", "store", "change", "event"]],
        "passing",
        "Latest changes",
        tables.height(len(frame)),
    )


def draw_way(held: Link, upload_id: str) -> None:
    """One upload: when it reached each stage, its receipt, and what the Lambdas logged of it."""
    found = reads.receipt(held, upload_id)
    if found is None:
        st.warning("There is no such upload.", icon=":material/search_off:")
        return
    receipts.draw_stages(found)
    stages = [(one.label, plain.clock(one.at) if one.step == "done" else "–") for one in receipts.stages(found)]
    left, right = st.columns([2, 3], gap="medium")
    left.dataframe(
        pd.DataFrame(stages, columns=["Stage", "Reached"]), hide_index=True, key="reached", alt="Stage times"
    )
    with right:
        receipts.draw(found, rows.told(held, found), upload_id, rows.mended(held, found))
        links.upload(upload_id, "Its receipt")
    _draw_log(reads.log(held, upload_id, found.received_at) if found.received_at else [])


def _draw_log(lines: Sequence[LogLine]) -> None:
    st.markdown("**What the Lambdas logged of it**")
    if not lines:
        st.caption("No log line of it is kept: it has just come in, or its logs are gone.")
        return
    rows = [(tables.moment(one.at), one.function, one.level, one.message, one.request_id) for one in lines]
    tables.show(pd.DataFrame(rows, columns=["time", "function", "level", "message", "run"]), "log", "Log lines")

"""The Lambdas' log: searched, and the lines of one upload's runs.

Owns how a line is shown. What it says comes from the Lambdas and is shown as it stands: in tables, and as code.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC

import pandas as pd
import streamlit as st

from lambdas import times
from services import loglines, words
from services.loglines import ERROR, REPORT, WARNING, LogLine
from services.logs import FUNCTIONS, MINUTES
from services.uploads import Receipt
from ui import plain, running, tables
from ui.reads import Link

_SHOWN, _TRACED, _HIGH = 300, 5, 16
_LEVELS = {"Errors": (ERROR,), "Errors and warnings": (ERROR, WARNING)}
_MINUTES = {"15 minutes": MINUTES, "1 hour": 60.0, "1 day": 1440.0}
_MARKS = {ERROR: "✕ ", WARNING: "▲ ", REPORT: "∎ "}
_LEGEND = "✕ error, ▲ warning, ∎ the run is over."
_OF_ONE = {"after": 76, "function": 76, "message": 430, "time": 96, "run": 84, "with": 150}
_OF_ALL = {"time": 96, "function": 76, "message": 430, "run": 84, "upload": 84}
"""The columns and their widths. What is said comes early: a phone shows the first three."""


def draw_search(held: Link) -> None:
    """All Lambdas' lines, the latest first; what is asked for stands in the address."""
    st.subheader("The log", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search", key="log", placeholder="A word, a file's name, an id", icon=":material/search:",
            bind="query-params", width=260,
        )  # fmt: skip
        level = st.selectbox(
            "Lines", list(_LEVELS), None, placeholder="All", key="level", bind="query-params", width=190
        )
        function = st.selectbox("Lambda", FUNCTIONS, None, placeholder="All", key="of", bind="query-params", width=150)
        back = st.selectbox("Of the last", list(_MINUTES), key="back", bind="query-params", width=140)
    known = running.log(held) if _MINUTES[back] == MINUTES else running.log_before(held, _MINUTES[back])
    found = loglines.fitting(known, text or "", _LEVELS.get(level or "", ()), function or "")
    st.caption(_many(found, back))
    if not found:
        return
    rows = [_row(one) | {"run": one.request_id[:8], "upload": _whose(one)} for one in found[:_SHOWN]]
    _table(rows, _OF_ALL, "log-lines", "Log lines, the latest first")
    _draw_traces([one for one in found if one.detail][:_TRACED])


def _many(found: Sequence[LogLine], back: str) -> str:
    if not found:
        return f"No line of the last {back} fits."
    more = f"; the latest {_SHOWN}" if len(found) > _SHOWN else ""
    return f"{words.some(len(found), 'line')} of the last {back}{more}, the latest first. {_LEGEND}"


def _whose(one: LogLine) -> str:
    if len(one.uploads) > 1:
        return f"{len(one.uploads):,} uploads"
    return plain.short(one.uploads[0]) if one.uploads else ""


def draw_of(held: Link, of: Receipt) -> None:
    """Every line of the runs that worked on one upload, in order, across the Lambdas."""
    st.markdown("**What the Lambdas logged of it**")
    trace = running.trace(held, of.upload_id or "", of.received_at or "")
    if not trace.lines:
        st.caption("No log line of it is kept: it has just come in, or its logs are gone.")
        return
    rows = [
        _row(one) | {"after": _after(one, of), "run": one.request_id[:8], "with": _with(trace.shared, one)}
        for one in trace.lines
    ]
    if not trace.shared:
        rows = [{name: value for name, value in row.items() if name != "with"} for row in rows]
    _table(rows, _OF_ONE, "log", "Log lines of the upload, in order")
    st.caption(_told(trace.shared, cut=trace.cut))
    _draw_traces([one for one in trace.lines if one.detail][-_TRACED:])


def _with(shared: dict[str, int], one: LogLine) -> str:
    return words.some(shared[one.request_id], "other upload") if one.request_id in shared else ""


def _told(shared: dict[str, int], *, cut: bool) -> str:
    told = ["Every line of every run that worked on it, in order; after: seconds since it was received. " + _LEGEND]
    if shared:
        told.append(
            "The stream is read in batches: runs with a word under “with” held records of other uploads too, whose "
            "lines are among these."
        )
    return " ".join([*told, "There are more than are shown."] if cut else told)


def _after(one: LogLine, of: Receipt) -> str:
    if not of.received_at:
        return ""
    return f"{(times.moment(one.at) - times.moment(of.received_at)).total_seconds():+.3f} s"


def _row(one: LogLine) -> dict[str, str]:
    return {
        "time": _clock(one.at), "function": one.function, "message": f"{_MARKS.get(one.level, '')}{one.message}",
    }  # fmt: skip


def _clock(at: str) -> str:
    """To the millisecond, in the reader's zone: lines follow each other quickly."""
    return f"{plain.local(at) or times.moment(at).astimezone(UTC):%H:%M:%S.%f}"[:12]


def _table(rows: Sequence[dict[str, str]], widths: Mapping[str, int], key: str, what: str) -> None:
    columns = {name: st.column_config.TextColumn(name.capitalize(), width=width) for name, width in widths.items()}
    order = [name for name in widths if name in rows[0]]
    tables.show(pd.DataFrame(rows)[order], key, what, tables.height(len(rows), _HIGH), columns)


def _draw_traces(found: Sequence[LogLine]) -> None:
    for one in found:
        with st.expander(f"{_clock(one.at)} · {one.function} · {plain.escaped(plain.cut(one.message, 90))}"):
            st.code(one.detail, language=None, wrap_lines=True)

"""The Lambdas' runs of the last minutes: each Lambda's figures, and its runs as a small picture.

Owns the picture: a mark for each quarter of a minute and kind, so that it stays small however busy the Lambda is. What
failed and what began cold have a shape of their own, beside the colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import plotly.graph_objects as go
import streamlit as st

from lambdas import times
from services import words
from services.logs import MINUTES
from services.runs import Function, Reader, Run
from ui import charts, running
from ui.reads import Link

_PART_SECONDS = 15
_PARTS = int(MINUTES * 60) // _PART_SECONDS
_HEIGHT = 96
_KINDS = {
    "failed": ("✕ failed", "x", "#d0583f"), "cold": ("◆ cold start", "diamond", "#c79a3a"),
    "": ("● went well", "circle", "#4f9a86"),
}  # fmt: skip
_ICONS = {
    "loader": ":material/download:", "recorder": ":material/history:", "checker": ":material/rule:",
    "sweeper": ":material/cleaning_services:",
}  # fmt: skip
_HELP = (
    "Of the last 15 minutes; of a very busy one, of a shorter while. p50: half of the runs were as quick. p95: 95 of "
    "100 were. A cold start is a run for which Lambda had to begin a new process first."
)


@dataclass(frozen=True, slots=True)
class Mark:
    """The runs of one kind in one part of the time: ``place`` 0 is the earliest. ``longest`` in milliseconds."""

    place: int
    kind: str
    longest: float
    many: int


def draw(held: Link) -> None:
    """A block for each Lambda."""
    readers = {one.name: one for one in running.readers(held)}
    st.subheader("The Lambdas", anchor=False, help=_HELP)
    st.caption("Each mark is a quarter of a minute: ● went well · ◆ cold start · ✕ failed; higher took longer.")
    for of in running.functions(held):
        with st.container(gap="xxsmall"):
            _draw(of, readers.get(of.name))


def _draw(of: Function, reader: Reader | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"{_ICONS[of.name]} **{of.name.capitalize()}** · {words.some(len(of.runs), 'run')}", width="content"
        )
        if of.errors:
            st.badge(f"{of.errors:,} failed", icon=":material/error:", color="red")
        if reader and reader.stuck:
            st.badge(f"stuck, {words.behind(reader.behind)}", icon=":material/sync_problem:", color="red")
        elif reader:
            late = reader.behind >= words.UP_TO_DATE_SECONDS
            icon = ":material/hourglass_top:" if late else ":material/check:"
            st.badge(words.behind(reader.behind), icon=icon, color="orange" if late else "green")
    if not of.runs:
        st.caption("No run in the last 15 minutes.")
        return
    st.caption(told(of, reader))
    figure = strip(marks(of.runs, times.now()))
    st.plotly_chart(figure, key=f"runs-{of.name}", config=charts.CONFIG, alt=f"{of.name}'s runs: {told(of, reader)}")


def told(of: Function, reader: Reader | None = None) -> str:
    """`p50 24 ms · p95 310 ms · 1 cold start · last run 2 minutes ago`."""
    parts = [f"{name} {words.took(of.percentile(share) or 0)}" for name, share in (("p50", 0.5), ("p95", 0.95))]
    parts += ["no run failed"] if not of.errors else []
    parts.append(_cold(of))
    parts.append(f"last run {words.ago(of.runs[0].at)}")
    if reader and reader.waited is not None:
        short = reader.waited < words.UP_TO_DATE_SECONDS
        waited = f"under {words.UP_TO_DATE_SECONDS} s" if short else f"{reader.waited:,.0f} s"
        parts.append(f"its last batch had waited {waited}")
    return " · ".join(parts)


def _cold(of: Function) -> str:
    inits = [run.init for run in of.runs if run.init]
    took = f" ({words.took(max(inits))})" if inits else ""
    return words.some(of.cold_starts, "cold start") + took if of.cold_starts else "no cold start"


def marks(runs: Sequence[Run], now: str) -> tuple[Mark, ...]:
    """What the picture shows, as of the quarter of a minute that now is in."""
    last = floor(times.moment(now).timestamp() / _PART_SECONDS)
    groups: dict[tuple[int, str], list[float]] = {}
    for run in runs:
        place = floor(times.moment(run.at).timestamp() / _PART_SECONDS) - last + _PARTS - 1
        kind = "failed" if run.failed else "cold" if run.cold else ""
        groups.setdefault((min(max(place, 0), _PARTS - 1), kind), []).append(run.duration)
    return tuple(Mark(*where, max(took), len(took)) for where, took in sorted(groups.items()))


@st.cache_resource(show_spinner=False, max_entries=50)
def strip(found: tuple[Mark, ...]) -> go.Figure:
    """The marks over the last minutes; higher is longer, each line ten times the one below."""
    figure = go.Figure([_trace(kind, [one for one in found if one.kind == kind]) for kind in reversed(_KINDS)])
    figure.update_layout(
        height=_HEIGHT, margin={"l": 4, "r": 8, "t": 4, "b": 26}, showlegend=False, dragmode=False, hovermode="closest"
    )
    minutes = (15, 10, 5, 0)
    figure.update_xaxes(
        range=[-1, _PARTS], tickvals=[_PARTS - 1 - one * 60 / _PART_SECONDS for one in minutes], fixedrange=True,
        ticktext=[f"{one} min ago" if one else "now" for one in minutes], showgrid=False, zeroline=False,
    )  # fmt: skip
    figure.update_yaxes(
        type="log", range=[0.5, 5.3], tickvals=[10, 1_000, 100_000], ticktext=["10 ms", "1 s", "100 s"],
        fixedrange=True, automargin=True, zeroline=False,
    )  # fmt: skip
    return figure


def _trace(kind: str, found: Sequence[Mark]) -> go.Scatter:
    name, symbol, colour = _KINDS[kind]
    return go.Scatter(
        x=[one.place for one in found], y=[max(one.longest, 4.0) for one in found], mode="markers", name=name,
        marker={"symbol": symbol, "color": colour, "size": 9 if kind else 7}, hoverinfo="text",
        hovertext=[_hover(one, name) for one in found], cliponaxis=False,
    )  # fmt: skip


def _hover(one: Mark, name: str) -> str:
    longest = "took" if one.many == 1 else "the longest"
    return f"{name}: {words.some(one.many, 'run')}, {longest} {words.took(one.longest)}"

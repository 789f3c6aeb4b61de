"""Charts: figures of a few bars however many stores there are, made from sums and cached by the stock's version.

Names go in as plain text: plotly reads a few HTML tags in labels.
"""

from collections import Counter
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
import streamlit as st

from ui import reads
from ui.reads import WITH_THE_STOCK, Link
from ui.tables import is_out

AT_MOST = 14
"""Bars; the stores beyond are one bar together."""
_LABEL = 24


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    stocked: int
    out: int


@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs=WITH_THE_STOCK)
def by_store(held: Link) -> go.Figure:
    """Items in stock and out of stock of each store, the emptiest first."""
    stocked: Counter[str] = Counter()
    out: Counter[str] = Counter()
    for one in reads.items(held):
        (out if is_out(one.count) else stocked)[one.store] += 1
    names = sorted(stocked.keys() | out.keys(), key=lambda store: (-out[store], -stocked[store], store))
    return _figure(_gathered([Bar(_short(name), stocked[name], out[name]) for name in names]))


def _gathered(bars: list[Bar]) -> list[Bar]:
    if len(bars) <= AT_MOST:
        return bars
    rest = bars[AT_MOST - 1 :]
    others = Bar(f"{len(rest)} other stores", sum(bar.stocked for bar in rest), sum(bar.out for bar in rest))
    return [*bars[: AT_MOST - 1], others]


def _short(name: str) -> str:
    return escape(name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…")


def _figure(bars: list[Bar]) -> go.Figure:
    places = list(range(len(bars)))
    hover = [f"{bar.label}: {bar.stocked:,} in stock, {bar.out:,} out" for bar in bars]
    figure = go.Figure(
        [
            go.Bar(
                x=[bar.stocked for bar in bars], y=places, name="in stock", orientation="h", marker_color="#4f9a86",
                text=[f"{bar.stocked:,}" if bar.stocked else "" for bar in bars], hovertext=hover, hoverinfo="text",
            ),
            go.Bar(
                x=[bar.out for bar in bars], y=places, name="out of stock", orientation="h", marker_color="#d0583f",
                text=[f"✕ {bar.out:,}" if bar.out else "" for bar in bars], hovertext=hover, hoverinfo="text",
            ),
        ]
    )  # fmt: skip
    figure.update_traces(textposition="inside", insidetextanchor="middle", textangle=0)
    figure.update_yaxes(tickvals=places, ticktext=[bar.label for bar in bars], autorange="reversed", showgrid=False)
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_layout(
        barmode="stack", bargap=0.25, height=70 + 26 * max(3, len(bars)), margin={"l": 0, "r": 0, "t": 0, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        uniformtext={"minsize": 10, "mode": "hide"},
    )  # fmt: skip
    return figure

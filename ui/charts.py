"""Charts: figures of a few bars however many stores there are, made from sums and cached by the stock's version.

Names go in as plain text: plotly reads a few HTML tags in labels.
"""

from collections import Counter
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
import streamlit as st

from services import words
from ui import reads
from ui.reads import WITH_THE_STOCK, Link
from ui.tables import is_out

AT_MOST = 14
"""Bars; of the stores beyond a sentence tells."""
_LABEL = 24


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    stocked: int
    out: int


@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs=WITH_THE_STOCK)
def by_store(held: Link) -> tuple[go.Figure, str]:
    """Items in stock and out of stock of each store, the emptiest first; and in words what the other stores have.

    The others together would be a bar beside which no other could be read.
    """
    stocked: Counter[str] = Counter()
    out: Counter[str] = Counter()
    for one in reads.items(held):
        (out if is_out(one.count) else stocked)[one.store] += 1
    names = sorted(stocked.keys() | out.keys(), key=lambda store: (-out[store], -stocked[store], store))
    bars = [Bar(_short(name), stocked[name], out[name]) for name in names]
    return _figure(bars[:AT_MOST]), _told(bars[AT_MOST:])


def _told(rest: list[Bar]) -> str:
    if not rest:
        return ""
    stocked, out = sum(bar.stocked for bar in rest), sum(bar.out for bar in rest)
    return f"And {words.some(len(rest), 'other store')}: {stocked:,} in stock, {out:,} out of stock."


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

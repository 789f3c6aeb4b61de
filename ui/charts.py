"""Charts: figures made from sums and kept until these move; of 500 stores as readable as of six.

Names go in as plain text: plotly reads a few HTML tags in labels. A colour never stands alone: each part carries its
number, what is out a ✕ besides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
import streamlit as st

from lambdas.oneline import oneline
from services import words
from services.pulse import Beat
from services.standing import Figures, Sums
from ui import plain
from ui.following import WITH_THE_FIGURES

BARS = 14
"""Up to so many stores have a bar with a name each; of more, each has a tile."""
TILES = 500
"""Of the stores beyond a sentence tells."""
_ACROSS = 15
_TILE = 24  # pixels
_LABEL = 24
_GREEN, _RED, _AMBER = "#4f9a86", "#d0583f", "#c79a3a"
_SHARES = (
    (0.0, "none out", "#2f6f60"), (0.02, "up to 2 % out", "#73661c"), (0.05, "up to 5 % out", "#985216"),
    (0.1, "up to 10 % out", "#b23a26"), (1.0, "more than 10 % out", "#7d1616"),
)  # fmt: skip
"""Of a store's items, and the tile's colour: dark enough for white numbers, in both themes."""
CONFIG = {"displayModeBar": False}


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of stores. ``names``: of each of its traces, the store of each point. ``rest``: what it leaves out."""

    figure: go.Figure
    names: Sequence[Sequence[str]]
    rest: str


@st.cache_resource(show_spinner=False, max_entries=50, ttl=60, hash_funcs=WITH_THE_FIGURES)
def stores(now: Figures) -> Picture:
    """Each store's items, the emptiest first: as bars of some stores, as tiles of many."""
    if len(now.stores) > BARS:
        return _tiles(sorted(now.stores, key=lambda of: (-_share(of), -of.out, of.store)))
    return _bars(sorted(now.stores, key=lambda of: (-of.out, -of.low, -of.items, of.store)))


def _share(of: Sums) -> float:
    return of.out / of.items


def _short(name: str) -> str:
    return _text(plain.cut(name, _LABEL))


def _text(name: str) -> str:
    """For plotly, which knows `&amp;`, `&lt;` and `&gt;`, and shows `&quot;` as it stands."""
    return escape(oneline(name), quote=False)


def _told(of: Sums) -> str:
    low = f", {of.low:,} low" if of.low else ""
    return f"{_text(of.store)}<br>{of.out:,} of {words.some(of.items, 'item')} out{low}"


def _bars(found: Sequence[Sums]) -> Picture:
    names, hover, places = [of.store for of in found], [_told(of) for of in found], list(range(len(found)))
    parts = [
        ("out of stock", _RED, "✕ ", [of.out for of in found]),
        ("low", _AMBER, "◐ ", [of.low for of in found]),
        ("in stock", _GREEN, "", [of.items - of.out - of.low for of in found]),
    ]
    traces = [
        go.Bar(
            x=counts, y=places, name=name, orientation="h", marker_color=colour, hovertext=hover, hoverinfo="text",
            text=[f"{mark}{count:,}" if count else "" for count in counts],
        )
        for name, colour, mark, counts in parts
        if any(counts)
    ]  # fmt: skip
    figure = go.Figure(traces)
    figure.update_traces(textposition="inside", insidetextanchor="middle", textangle=0, textfont_color="#ffffff")
    figure.update_yaxes(tickvals=places, ticktext=[_short(name) for name in names], autorange="reversed")
    figure.update_layout(barmode="stack", bargap=0.25, uniformtext={"minsize": 10, "mode": "hide"})
    figure.update_xaxes(visible=False)
    return Picture(_laid_out(figure, 26 * max(3, len(found))), [names] * len(traces), "")


def _tiles(found: Sequence[Sums]) -> Picture:
    """One tile a store, row by row; on it how many items are out."""
    shown, rest = found[:TILES], found[TILES:]
    groups: list[list[tuple[int, Sums]]] = [[] for _ in _SHARES]
    for place, of in enumerate(shown):
        groups[next(n for n, (most, _, _) in enumerate(_SHARES) if _share(of) <= most)].append((place, of))
    traces, names = [], []
    for (_, label, colour), group in zip(_SHARES, groups, strict=True):
        if group:
            traces.append(_tiles_of(label, colour, group))
            names.append([of.store for _, of in group])
    rows = -(-len(shown) // _ACROSS)
    figure = go.Figure(traces)
    figure.update_xaxes(visible=False, range=[-0.5, _ACROSS - 0.5])
    figure.update_yaxes(visible=False, range=[rows, 0])
    figure.update_layout(barmode="overlay", bargap=0)
    return Picture(_laid_out(figure, _TILE * rows), names, _told_of(rest))


def _tiles_of(label: str, colour: str, group: Sequence[tuple[int, Sums]]) -> go.Bar:
    return go.Bar(
        x=[place % _ACROSS for place, _ in group], base=[place // _ACROSS + 0.04 for place, _ in group],
        y=[0.92] * len(group), width=0.94, name=label, marker={"color": colour, "line": {"width": 0}},
        text=[_on_a_tile(of.out) for _, of in group], textposition="inside", insidetextanchor="middle", textangle=0,
        textfont={"color": "#ffffff", "size": 12}, constraintext="inside",
        hovertext=[_told(of) for _, of in group], hoverinfo="text",
    )  # fmt: skip


def _on_a_tile(out: int) -> str:
    return "✓" if not out else f"{out}" if out < 1000 else f"{out // 1000}k"


def _told_of(rest: Sequence[Sums]) -> str:
    if not rest:
        return ""
    out = sum(of.out for of in rest)
    return f"And {words.some(len(rest), 'other store')}, with {words.some(out, 'item')} out of stock between them."


def _laid_out(figure: go.Figure, height: int) -> go.Figure:
    figure.update_xaxes(fixedrange=True, showgrid=False)
    figure.update_yaxes(fixedrange=True, showgrid=False)
    figure.update_layout(
        height=height + 48, margin={"l": 0, "r": 0, "t": 0, "b": 0}, dragmode=False, showlegend=True,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal", "itemclick": False},
    )  # fmt: skip
    return figure


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a day, from `09:00` to `10:00`: how many counts changed, and how many items ran out or came back."""

    begins: str
    ends: str
    changed: int
    out: int
    back: int

    @property
    def beat(self) -> Beat:
        return Beat(self.changed, self.out, self.back)

    @property
    def span(self) -> str:
        return f"{self.begins} and {self.ends}"


@st.cache_resource(show_spinner=False, max_entries=50)
def day(hours: tuple[Hour, ...]) -> go.Figure:
    """How many counts changed in each hour of a day, and how many items ran out."""
    places = list(range(len(hours)))
    hover = [f"Between {hour.span}:<br>{beat_told(hour.beat)}" for hour in hours]
    figure = go.Figure(
        [
            go.Bar(
                x=places, y=[hour.changed - hour.out for hour in hours], name="counts changed", marker_color=_GREEN,
                hovertext=hover, hoverinfo="text",
            ),
            go.Bar(
                x=places, y=[hour.out for hour in hours], name="✕ ran out", marker_color=_RED, hovertext=hover,
                hoverinfo="text", text=[f"✕{hour.out:,}" if hour.out else "" for hour in hours],
                textposition="outside", textangle=0, cliponaxis=False,
            ),
        ]
    )  # fmt: skip
    highest = max(hour.changed for hour in hours)
    ticks = [place for place in places if place % 4 == 0]
    labels = [hours[place].begins for place in ticks]
    figure.update_layout(barmode="stack", bargap=0.15)
    figure = _laid_out(figure, 190)
    figure.update_xaxes(tickvals=ticks, ticktext=labels, range=[-0.6, len(hours) - 0.4])
    figure.update_yaxes(range=[0, 1.15 * highest], tickformat=",d", nticks=4, showgrid=True, rangemode="tozero")
    figure.update_layout(margin={"l": 4, "r": 4, "t": 0, "b": 24})
    return figure


def beat_told(beat: Beat) -> str:
    """`12 counts changed, 3 items ran out, 1 came back`."""
    parts = [f"{words.some(beat.changed, 'count')} changed"]
    parts += [f"{words.some(beat.out, 'item')} ran out"] if beat.out else []
    return ", ".join(parts + ([f"{beat.back:,} came back"] if beat.back else []))

"""The pipeline as one picture: its stages from the bucket to the notification, with their numbers and what is wrong.

Pure. Owns the places and the arrows. It stands upright, so that a phone shows it as a screen does; and it is made anew
only when a number has moved. What is wrong has a mark, words and a colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

BUCKET, QUEUE, LOADER, TABLE, STREAM = "Bucket", "Queue", "Loader", "Table", "Stream"
RECORDER, CHECKER, CHANGES, ALERTS = "Recorder", "Checker", "Changes", "Alerts"
NOTIFICATIONS, DEAD, SWEEPER = "Notifications", "Dead letters", "Sweeper"

_PLACES = {
    BUCKET: (0, 0), QUEUE: (0, 1), DEAD: (1, 1), LOADER: (0, 2), SWEEPER: (1, 2), TABLE: (0, 3), STREAM: (1, 3),
    RECORDER: (0, 4), CHECKER: (1, 4), CHANGES: (0, 5), ALERTS: (1, 5), NOTIFICATIONS: (1, 6),
}  # fmt: skip
_ARROWS = (
    (BUCKET, QUEUE), (QUEUE, LOADER), (QUEUE, DEAD), (DEAD, SWEEPER), (LOADER, TABLE), (TABLE, STREAM),
    (STREAM, RECORDER), (STREAM, CHECKER), (RECORDER, CHANGES), (CHECKER, ALERTS), (ALERTS, NOTIFICATIONS),
    (SWEEPER, QUEUE),
)  # fmt: skip
_MEANS = {
    BUCKET: "S3 keeps every file that was sent",
    QUEUE: "SQS holds each file until it is loaded, and hands it out again when that fails",
    LOADER: "The Lambda that reads a file and writes what has changed into the table",
    TABLE: "DynamoDB holds the count of each item",
    STREAM: "DynamoDB writes a record for each write that changes something, and for no other",
    RECORDER: "The Lambda that keeps each record of the stream",
    CHECKER: "The Lambda that looks at each record for items that ran out, or came back",
    CHANGES: "The records, kept for 90 days with the upload that caused them",
    ALERTS: "The items that are out of stock or low",
    NOTIFICATIONS: "SNS sends a message for each alert",
    DEAD: "What was given up: nothing of it is lost, and it can be run again",
    SWEEPER: "The Lambda that looks once a minute for what hangs, and drives it on",
}
_WIDE, _HIGH = 0.92, 0.72
_ROW = 86  # pixels
_LINE, _FILL, _ARROW = "#4f9a86", "rgba(79,154,134,0.10)", "#7d8a83"
_WRONG, _WRONG_FILL = "#d0583f", "rgba(208,88,63,0.14)"
_ODD, _ODD_FILL = "#c79a3a", "rgba(199,154,58,0.14)"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with its one or two lines of numbers, and what is wrong with it; nothing in it comes from a file.

    ``odd``: what went wrong and is over, or is being tried again.
    """

    name: str
    lines: tuple[str, ...]
    wrong: str = ""
    odd: str = ""

    @property
    def told(self) -> str:
        """`Queue: 2 waiting, 1 in flight`."""
        return f"{self.name}: {', '.join(part for part in (*self.lines, self.wrong, self.odd) if part)}"


@st.cache_resource(show_spinner=False, max_entries=8)
def drawn(stages: tuple[Stage, ...], *, dark: bool) -> go.Figure:
    """The picture. Streamlit gives annotations a pale grey, which is for notes: its letters have a colour of ours."""
    figure = go.Figure(_spots(stages))
    texts = [_text(one, "#e4e9e5" if dark else "#0d1713") for one in stages]
    figure.update_layout(
        shapes=[_box(one) for one in stages], annotations=[*texts, *(_arrow(*pair) for pair in _ARROWS)],
        height=7 * _ROW, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False, dragmode=False,
        hovermode="closest",
    )  # fmt: skip
    figure.update_xaxes(visible=False, fixedrange=True, range=[-0.5, 1.5])
    figure.update_yaxes(visible=False, fixedrange=True, range=[6.45, -0.45])
    return figure


def _spots(stages: Sequence[Stage]) -> go.Scatter:
    """What is told of a stage to who points at it."""
    places = [_PLACES[one.name] for one in stages]
    return go.Scatter(
        x=[x for x, _ in places], y=[y for _, y in places], mode="markers", hoverinfo="text",
        hovertext=[f"<b>{one.name}</b><br>{_MEANS[one.name]}" for one in stages],
        marker={"size": 50, "color": "rgba(0,0,0,0)", "symbol": "square"},
    )  # fmt: skip


def _box(of: Stage) -> dict[str, Any]:
    x, y = _PLACES[of.name]
    colour, fill = (_WRONG, _WRONG_FILL) if of.wrong else (_ODD, _ODD_FILL) if of.odd else (_LINE, _FILL)
    return {
        "type": "rect", "x0": x - _WIDE / 2, "x1": x + _WIDE / 2, "y0": y - _HIGH / 2, "y1": y + _HIGH / 2,
        "line": {"color": colour, "width": 2 if of.wrong or of.odd else 1}, "fillcolor": fill, "layer": "below",
    }  # fmt: skip


def _text(of: Stage, colour: str) -> dict[str, Any]:
    x, y = _PLACES[of.name]
    wrong = [f"<b>✕ {of.wrong}</b>"] if of.wrong else [f"<b>▲ {of.odd}</b>"] if of.odd else []
    lines = list(of.lines[: 1 if wrong else 2])
    text = "<br>".join([f"<b>{of.name}</b>", *lines, *wrong])
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 13, "color": colour}}


def _arrow(begins: str, ends: str) -> dict[str, Any]:
    (x0, y0), (x1, y1) = _PLACES[begins], _PLACES[ends]
    start, end = _edge(x0, y0, x1, y1), _edge(x1, y1, x0, y0)
    return {
        "x": end[0], "y": end[1], "ax": start[0], "ay": start[1], "xref": "x", "yref": "y", "axref": "x", "ayref": "y",
        "text": "", "showarrow": True, "arrowhead": 2, "arrowwidth": 1.5, "arrowsize": 0.9, "arrowcolor": _ARROW,
    }  # fmt: skip


def _edge(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Where an arrow leaves a box: below or above where the other one is in another row, else at its side."""
    if y == to_y:
        return x + (_WIDE / 2 if to_x > x else -_WIDE / 2), y
    towards = 0.25 if to_x > x else -0.25 if to_x < x else 0.0
    return x + towards, y + (_HIGH / 2 if to_y > y else -_HIGH / 2)

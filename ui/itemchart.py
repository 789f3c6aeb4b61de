"""An item's count over time: a step for each change, the reorder point as a line, the times out of stock as bands.

Pure but for the reader's time zone. Names stay out of it: what the steps and bands say is counts and times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go

from lambdas import times
from lambdas.alerts import plain as number
from services import words
from services.alerts import Episode
from services.changes import Seen
from ui import plain
from ui.stockframe import is_out

_LINE, _OUT, _POINT = "#4f9a86", "#d0583f", "#c79a3a"
_HEIGHT = 320
_WORDED = 0.08
"""A band that takes less of the width than this has room for a mark, and not for the words."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is shown: both ends fixed-width UTC text."""

    start: str
    end: str

    def share(self, of: Episode) -> float:
        """How much of it an episode takes."""
        whole, (start, end) = self._seconds(self.start, self.end), self.within(of)
        return self._seconds(start, end) / whole if whole else 0.0

    def widened(self) -> tuple[str, str]:
        """With some room at both ends, so that no mark is cut."""
        room = self._seconds(self.start, self.end) * 0.02
        return times.later(self.start, seconds=-room), times.later(self.end, seconds=room)

    def within(self, of: Episode) -> tuple[str, str]:
        return max(of.opened_at, self.start), min(of.closed_at or self.end, self.end)

    @staticmethod
    def _seconds(start: str, end: str) -> float:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def drawn(
    changes: Sequence[Seen], count: Decimal | None, episodes: Sequence[Episode], point: Decimal, window: Window
) -> go.Figure:
    """``changes``: the item's, newest first. ``count``: what it is now, None when it is there no more."""
    inside = [one for one in reversed(changes) if window.start <= one.at <= window.end]
    at = [window.start, *(one.at for one in inside), window.end]
    last = inside[-1].new_count if inside else _before(changes, window, count)
    counts = [_before(changes, window, count), *(one.new_count for one in inside), last]
    figure = go.Figure([_line(at, counts), _steps(inside)])
    known = [float(one) for one in counts if one is not None]
    top = max([*known, float(point), 1.0]) * 1.12
    figure.update_yaxes(range=[min([*known, 0.0]) * 1.12, top], fixedrange=True, tickformat=",~f", automargin=True)
    figure.update_xaxes(range=[_local(one) for one in window.widened()], fixedrange=True, showgrid=False)
    bands = [one for one in episodes if one.opened_at <= window.end and (one.closed_at or window.end) >= window.start]
    shapes, notes = [_band(one, window) for one in bands], [_band_note(one, window) for one in bands]
    if point:
        shapes.append(_point_line(point))
        notes.append(_point_note(point))
    figure.update_layout(
        shapes=shapes, annotations=notes, height=_HEIGHT, margin={"l": 0, "r": 8, "t": 24, "b": 0}, showlegend=False,
        hovermode="closest", dragmode=False,
    )  # fmt: skip
    return figure


def _before(changes: Sequence[Seen], window: Window, count: Decimal | None) -> Decimal | None:
    """The count as the window begins: before the first change in it, else after the last one before it."""
    later = [one for one in changes if one.at >= window.start]
    if later:
        return later[-1].old_count
    return changes[0].new_count if changes else count


def _line(at: Sequence[str], counts: Sequence[Decimal | None]) -> Any:
    return go.Scatter(
        x=[_local(one) for one in at], y=[None if one is None else float(one) for one in counts], mode="lines",
        line={"shape": "hv", "color": _LINE, "width": 2}, hoverinfo="skip",
    )  # fmt: skip


def _steps(inside: Sequence[Seen]) -> Any:
    """A mark for each change; it knows its upload."""
    out = [is_out(one.new_count) for one in inside]
    return go.Scatter(
        x=[_local(one.at) for one in inside], y=[float(one.new_count or 0) for one in inside], mode="markers",
        customdata=[[one.upload_id or ""] for one in inside], hoverinfo="text",
        hovertext=[f"{words.moved(one)}<br>{plain.clock(one.at)}" for one in inside],
        marker={
            "size": [11 if gone else 8 for gone in out], "color": [_OUT if gone else _LINE for gone in out],
            "symbol": ["x" if gone else "circle" for gone in out],
        },
    )  # fmt: skip


def is_low(one: Episode) -> bool:
    """Whether it tells of a time that the item was low, and not out."""
    return one.is_low


def _band(one: Episode, window: Window) -> dict[str, Any]:
    start, end = window.within(one)
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": _local(start), "x1": _local(end), "y0": 0, "y1": 1,
        "fillcolor": _POINT if is_low(one) else _OUT, "opacity": 0.16, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _band_note(one: Episode, window: Window) -> dict[str, Any]:
    mark, word = ("◐", "low") if is_low(one) else ("✕", "out")
    text = f"{mark} {word}" if window.share(one) >= _WORDED else mark
    return {
        "x": _local(window.within(one)[0]), "y": 1, "xref": "x", "yref": "paper", "xanchor": "left",
        "yanchor": "bottom", "text": text, "showarrow": False, "font": {"size": 12},
    }  # fmt: skip


def _point_line(point: Decimal) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": float(point), "y1": float(point),
        "line": {"color": _POINT, "width": 2, "dash": "dash"},
    }  # fmt: skip


def _point_note(point: Decimal) -> dict[str, Any]:
    return {
        # Above the chart, where no step is: beside its line it would stand on what lies there.
        "x": 1, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom",
        "text": f"– – reorder at {number(point)}", "showarrow": False, "font": {"size": 12},
    }  # fmt: skip


def _local(at: str) -> datetime | None:
    """In the reader's zone; plotly knows none."""
    there = plain.local(at)
    return there and there.replace(tzinfo=None)

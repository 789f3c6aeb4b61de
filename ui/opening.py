"""Looking into a file before it is sent: opened and previewed once, not on every run of the page.

Owns what these depend on: the file, what is said about it, what is saved for shapes of files, and the stock.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any

import pandas as pd
import streamlit as st

from lambdas import times
from lambdas.fates import Mode
from lambdas.stockfile import Mapping as Said
from lambdas.stockfile import Reject, Row
from services import uploads
from services.errors import mapped
from services.uploads import Line, Opened, Receipt
from ui import reads, rows, tables
from ui.absent import Absent, absent
from ui.modes import MODES
from ui.parcels import Chosen
from ui.reads import BY_THE_CLOCK, WITH_THE_STOCK, Hashes, Link
from ui.rows import Told

FIRST = 6
"""So many rows are shown as they will be read."""
_JUDGED = 20_000
"""Rows of a file that is judged in every way at once: to judge 100,000 in two more takes two seconds."""
_READING = "Reading the file…"
_FILES = 400
"""A chain of stores may send as many at once. Each is let go after a while, see below."""
_KEPT = timedelta(minutes=20)
"""A file that was looked at is let go after that: it may be large."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file would do: the receipt, and what is shown of its rows. ``rejected``: all that is not usable.

    ``by_mode``: the receipt of each way to apply it. ``absent``: of its stores, what it does not mention.
    """

    receipt: Receipt
    told: Told
    rejected: list[Line]
    by_mode: Mapping[Mode, Receipt]
    absent: tuple[Absent, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """A file with all that its reading depends on. ``saved``: what is saved, when nothing is said."""

    one: Chosen
    mapping: Said | None
    saved: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str | None, ...]:
        said = None if self.mapping is None else self.mapping.as_json()
        return self.one.mark, self.one.store, said, str(self.saved)


_BY_LOOK: Hashes = {_Look: lambda look: look.key}


def opened(held: Link, one: Chosen, said: Said | None) -> Opened:
    """The file, read with what is said, else saved, else found. Raises BadFile."""
    one = replace(one, store=None)
    if said is not None:
        return _opened(held, _Look(one, said))
    return _opened(held, _Look(one, None, tuple((known.shape, known.mapping.id) for known in reads.saved(held))))


@st.cache_resource(show_spinner=_READING, max_entries=_FILES, ttl=_KEPT, hash_funcs=BY_THE_CLOCK | _BY_LOOK)
def _opened(held: Link, look: _Look) -> Opened:
    return uploads.opened(held.stack, look.one.data, look.mapping)


def outcome(held: Link, one: Chosen, as_read: Opened, mode: Mode, *, every_way: bool = False) -> Outcome:
    """What the file would do if it were sent now; of a big one only with ``every_way`` also what it would do if it were
    applied in the other ways. Raises BadFile."""
    return _outcome(held, _Look(one, as_read.mapping), mode, math.inf if every_way else _JUDGED)


@st.cache_resource(show_spinner=_READING, max_entries=_FILES, ttl=_KEPT, hash_funcs=WITH_THE_STOCK | _BY_LOOK)
def _outcome(held: Link, look: _Look, mode: Mode, at_most: float) -> Outcome:
    one = look.one
    made = uploads.foreseen(held.stack, one.name, one.data, mode, one.store, look.mapping, tuple(MODES), at_most)
    missing = absent(made.lines, reads.items(held))
    return Outcome(made.receipt, rows.tell(made.lines), uploads.errors(made.lines), made.by_mode, missing)


@mapped
def first_rows(one: Chosen, as_read: Opened) -> pd.DataFrame:
    """The first rows as they will be read, those that are not usable with the reason. Raises BadFile."""
    return _first_rows(_Look(one, as_read.mapping), as_read)


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=_BY_LOOK)
def _first_rows(look: _Look, _as_read: Opened) -> pd.DataFrame:
    found: Iterable[Row | Reject] = _as_read.file.rows(uploaded_at=times.now(), store=look.one.store)
    shown = [_shown(one) for one in islice(found, FIRST)]
    frame = pd.DataFrame(shown, columns=["row", "store", "item", "count as read", "as of", "why"])
    frame = frame.drop(columns=[name for name in ("as of", "why") if not any(frame[name])])
    return frame.assign(**{"as of": pd.to_datetime(frame["as of"], utc=True)}) if "as of" in frame else frame


def _shown(one: Row | Reject) -> tuple[Any, ...]:
    if isinstance(one, Reject):
        column = f"{one.column}: " if one.column else ""
        return f"{one.number:,}", None, None, "✕ not usable", None, column + one.reason
    return f"{one.number:,}", one.store, one.item, f"{one.count:f}", tables.moment(one.updated_at), ""

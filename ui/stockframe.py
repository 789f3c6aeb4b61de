"""The stock as one frame, shared by all sessions: made a column at a time, and mended where only some items moved.

Owns what a row of the stock says, what a state is, and how rows are found. Draws nothing.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import streamlit as st

from lambdas import alerts as rules
from lambdas import times
from lambdas.reorder import Points
from lambdas.upload import time_of
from services.stock import Stocked
from ui import plain, reads
from ui.reads import BY_THE_CLOCK, Link

STATES = OUT, LOW, IN_STOCK = "✕ Out of stock", "◐ Low", "✓ In stock"
COLUMNS = ("open", "item", "store", "count", "state", "reorder at", "as of", "age", "last moved", "upload", "id")
_KEY = ("store", "item", "open")
_NO_TIME = "NaT"
Names = Mapping[str, str]


def state(count: Decimal | None, point: Decimal) -> str:
    """What a count means, with its item's reorder point."""
    if is_out(count):
        return OUT
    return LOW if count is not None and count <= point else IN_STOCK


def is_out(count: Decimal | None) -> bool:
    return count is not None and count <= rules.THRESHOLD


@dataclass(frozen=True, slots=True)
class Stock:
    """The items by store and item, a row for each, and what a row is searched by. Shared: read it, never change it."""

    items: Sequence[Stocked]
    frame: pd.DataFrame
    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are wanted. ``before``: as of an earlier time than this, fixed-width UTC text, or of none."""

    text: str = ""
    store: str | None = None
    state: str | None = None
    before: str | None = None


def found(stock: Stock, asked: Asked) -> pd.DataFrame:
    """The rows that fit; the shared frame itself when that is all of them."""
    frame, fits = stock.frame, np.ones(len(stock.items), dtype=bool)
    for word in asked.text.casefold().split():
        fits &= np.fromiter((word in one for one in stock.words), dtype=bool, count=len(fits))
    if asked.store:
        fits &= (frame["store"] == asked.store).to_numpy()
    if asked.state:
        fits &= (frame["state"] == asked.state).to_numpy()
    if asked.before:
        as_of = frame["as of"]
        fits &= ((as_of < pd.Timestamp(asked.before)) | as_of.isna()).to_numpy()
    return frame if fits.all() else frame[fits].reset_index(drop=True)


def built(items: Sequence[Stocked], names: Names, points: Points) -> Stock:
    """Of items by store and item. ``names``: the uploads' file names, by id."""
    return Stock(items, _frame(items, names, points), [f"{one.item}\n{one.store}".casefold() for one in items])


def mended(old: Stock, items: Sequence[Stocked], moved: Sequence[int], names: Names, points: Points) -> Stock:
    """The stock with other counts of the same items. ``moved``: the rows of those that are not as they were."""
    part, columns = _frame([items[row] for row in moved], names, points), {}
    for name in old.frame.columns:
        array = old.frame[name].array
        if moved and name not in _KEY:
            array = array.copy()
            array[list(moved)] = part[name].array
        columns[name] = array
    return Stock(items, pd.DataFrame(columns, copy=False), old.words)


def _frame(items: Sequence[Stocked], names: Names, points: Points) -> pd.DataFrame:
    counts = [one.count for one in items]
    point_of = [points.of(one.store, one.item) for one in items]
    by = [one.upload_id or "" for one in items]
    at = {upload_id: sent_at(upload_id) or _NO_TIME for upload_id in set(by)}
    short = {upload_id: plain.short(upload_id) for upload_id in at}
    as_of = _moments([one.updated_at or _NO_TIME for one in items])
    made: dict[str, Any] = {
        "item": [one.item for one in items],
        "store": pd.Categorical([one.store for one in items]),
        "count": np.array([np.nan if count is None else float(count) for count in counts], dtype=float),
        "state": pd.Categorical(list(map(state, counts, point_of)), categories=list(STATES)),
        "reorder at": np.array([float(point) if point else np.nan for point in point_of], dtype=float),
        "as of": as_of,
        "age": as_of,
        "last moved": _moments([at[upload_id] for upload_id in by]),
        "upload": [names.get(upload_id, "no upload") for upload_id in by],
        "id": [short[upload_id] for upload_id in by],
        "open": _addresses(items),
    }
    frame = pd.DataFrame({name: made[name] for name in COLUMNS}, copy=False)
    return frame.astype(dict.fromkeys(("item", "upload", "id", "open"), "str"))  # an empty column too


def _addresses(items: Iterable[Stocked]) -> list[str]:
    """Of each item's own page, as `ui.links` spells them: the item's key, quoted once more."""
    stores: dict[str, str] = {}
    for one in items:
        if one.store not in stores:
            stores[one.store] = f"stock?item={_quoted(one.store)}%2F"
    return [stores[one.store] + _quoted(one.item) for one in items]


def _quoted(name: str) -> str:
    if name.isascii() and name.replace(" ", "").isalnum():  # most names, and quote takes its time
        return name.replace(" ", "%2520")
    once = quote(name, safe="")
    return once if once == name else quote(once, safe="")


def sent_at(upload_id: str | None) -> str | None:
    """When an upload was sent, by its id alone; None without one, and for what somebody's hand wrote instead."""
    try:
        return time_of(upload_id) if upload_id else None
    except ValueError:
        return None


def _moments(texts: list[str]) -> pd.DatetimeIndex:
    """Fixed-width UTC texts as times. What is none, by somebody's hand, is blank."""
    try:
        read = np.array([text[:26] for text in texts], dtype="datetime64[us]")
    except ValueError:
        read = np.array([text[:26] if _is_time(text) else _NO_TIME for text in texts], dtype="datetime64[us]")
    return pd.DatetimeIndex(read).tz_localize("UTC")


def _is_time(text: str) -> bool:
    try:
        return times.parse(text) == text
    except ValueError:
        return False


class Keeper:
    """Keeps the frame of the stock as it is now, for all sessions; whoever comes first after a change mends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[int, int] | None = None
        self._points = Points()
        self._stock = Stock([], pd.DataFrame(), [])

    def stock(self, held: Link, points: Points) -> Stock:
        with self._lock:
            version = held.version
            if version != self._of or points != self._points:
                items = [one for one in reads.items(held) if one.count is not None]
                self._stock = self._moved(held, items, points)
                self._of, self._points = version, points
            return self._stock

    def _moved(self, held: Link, items: list[Stocked], points: Points) -> Stock:
        old = self._stock.items
        if len(items) == len(old) and points == self._points:
            rows = [row for row, (one, was) in enumerate(zip(items, old, strict=True)) if one is not was]
            if all(_key(items[row]) == _key(old[row]) for row in rows):
                return mended(self._stock, items, rows, _names(held, (items[row] for row in rows)), points)
        return built(items, _names(held, items), points)


def _key(of: Stocked) -> tuple[str, str]:
    return of.store, of.item


def _names(held: Link, items: Iterable[Stocked]) -> Names:
    return reads.files(held, {one.upload_id for one in items})


@st.cache_resource(show_spinner=False, max_entries=reads.SEATS, hash_funcs=BY_THE_CLOCK)
def _keeper(held: Link) -> Keeper:  # noqa: ARG001 (one for each connection)
    return Keeper()


def now(held: Link) -> Stock:
    """The stock as it is."""
    return _keeper(held).stock(held, reads.points(held))


@st.cache_resource(show_spinner=False, ttl=60, max_entries=3, hash_funcs=BY_THE_CLOCK)
def then(held: Link, at: str) -> Stock:
    """The stock as it was at a moment, with the reorder points of today."""
    items = reads.past(held, at)
    return built(items, _names(held, items), reads.points(held))

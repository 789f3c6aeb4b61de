"""The items of a store that a file does not mention: they stay as they are, and a preview says so."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from services import words
from services.stock import Stocked
from services.uploads import Line
from ui import plain

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Absent:
    """How many items a store has that a file, which speaks of the store, does not mention."""

    store: str
    items: int


def absent(lines: Iterable[Line], stock: Iterable[Stocked]) -> tuple[Absent, ...]:
    """Of the stores that a file speaks of and that are known, the most first. Rejected rows speak of no store."""
    mentioned = {(line["store"], line["item"]) for line in lines if line.get("store")}
    stores = {store for store, _ in mentioned}
    more = Counter(
        one.store for one in stock
        if one.store in stores and one.count is not None and (one.store, one.item) not in mentioned
    )  # fmt: skip
    return tuple(Absent(store, count) for store, count in sorted(more.items(), key=lambda one: (-one[1], one[0])))


def said(found: Sequence[Absent]) -> str:
    """`Berlin has 14 more items that the file does not mention; they stay as they are.`"""
    if not found:
        return ""
    if len(found) == 1 and found[0].items == 1:
        return f"{found[0].store} has 1 more item that the file does not mention; it stays as it is."
    parts = [f"{one.store} has {words.some(one.items, 'more item')}" for one in found[:_NAMED]]
    if len(found) > _NAMED:
        others = sum(one.items for one in found[_NAMED:])
        parts.append(f"{words.some(len(found) - _NAMED, 'other store')} {others:,}")
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{listed} that the file does not mention; they stay as they are."


def draw(found: Sequence[Absent]) -> None:
    if found:
        st.markdown(f":material/remove_done: {plain.escaped(said(found))}")

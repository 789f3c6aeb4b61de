"""The Overview's figures, each a way to its list."""

from collections.abc import Callable

import streamlit as st

from lambdas import times
from lambdas.reorder import Points
from services import words
from services.cover import SOON_DAYS
from services.lately import Soon
from services.standing import Figures
from services.uploads import Receipt
from ui import following, links, plain, reads
from ui.reads import Link

_WIDE = 163  # two of them stand side by side on a phone, and all five on a desk
_NAME = 14
Query = dict[str, str]


def draw(held: Link) -> None:
    """How many are out, low and soon out; stores; the last upload."""
    now, soon = following.figures(held), following.soon(held)
    with st.container(horizontal=True, gap="small"):
        inside = words.some(sum(of.out > 0 for of in now.stores), "store")
        _fact(
            "Out of stock", f"{len(now.out):,}", f"in {inside}", lambda: _to_stock("Which", {"state": "Out of stock"})
        )
        _low(now, reads.points(held))
        if soon.judged:
            _soon(soon)
        _stores(now)
        _last(next(iter(reads.receipts(held)), None))


def _fact(label: str, value: str, below: str, way: Callable[[], object]) -> None:
    """A figure and the way to its list."""
    with st.container(border=True, width=_WIDE, height="stretch", gap="small"):
        st.metric(label, value, plain.escaped(below), delta_color="off", delta_arrow="off")
        way()


def _to_stock(label: str, query: Query | None = None) -> None:
    st.page_link("pages/stock.py", label=label, icon=":material/arrow_forward:", query_params=query)


def _low(now: Figures, points: Points) -> None:
    if points == Points():
        _fact("Low", "–", "no point is set", _set_points)
        return
    inside = words.some(sum(of.low > 0 for of in now.stores), "store")
    _fact("Low", f"{len(now.low):,}", f"in {inside}", lambda: _to_stock("Which", {"state": "Low"}))


def _set_points() -> None:
    st.page_link("pages/alerts.py", label="Set points", icon=":material/arrow_forward:")


def _soon(soon: Soon) -> None:
    below = f"of {words.some(soon.judged, 'item')} judged"
    _fact(f"Out in {SOON_DAYS} days", f"{len(soon.covers):,}", below, lambda: st.markdown("[↓ Which](#soon)"))


def _stores(now: Figures) -> None:
    if len(now.stores) == 1:
        inside = f"in {plain.cut(now.stores[0].store, _NAME)}"
        _fact("Items", f"{now.items:,}", inside, lambda: _to_stock("All items"))
        return
    there = words.some(now.items, "item")
    _fact("Stores", f"{len(now.stores):,}", f"with {there}", lambda: _to_stock("All items"))


def _last(last: Receipt | None) -> None:
    if last is None or last.upload_id is None:
        return
    upload_id = last.upload_id
    _fact(
        "Last upload", _hour(last.received_at), words.ago(last.received_at),
        lambda: links.upload(upload_id, "Its receipt"),
    )  # fmt: skip


def _hour(at: str | None) -> str:
    """`15:13`, or of another day `24 Nov`."""
    moment, now = plain.local(at), plain.local(times.now())
    if moment is None or now is None:
        return "–"
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment.day} {moment:%b}"

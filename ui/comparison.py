"""One upload beside another: on which items their files differ, and how their fates do.

Owns which other upload is suggested. What differs is found by `services.comparing`.
"""

from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
import streamlit as st

from services import comparing, uploads, words
from services.comparing import Comparison, Difference
from services.uploads import Receipt
from ui import everyrow, feed, links, plain, reads, rows, tables
from ui.reads import Link

_DIFFERS, _THEN, _NOW = "≠ another count", "− only in the earlier file", "✚ only in the later file"
_ADDRESSES = {_DIFFERS: "count", _THEN: "missing", _NOW: "new"}
"""The kinds, as they stand in the address."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What is shown of a comparison: how many items of each kind, the items, and both uploads' fates."""

    kinds: dict[str, int]
    same: int
    items: pd.DataFrame
    fates: pd.DataFrame


def draw(held: Link, of: Receipt) -> None:
    """The other upload is chosen; which one stands in the address."""
    known = {one.upload_id: one for one in candidates(held, of)}
    asked = st.query_params.get("with")
    if asked and asked not in known and asked != of.upload_id:
        other = reads.receipt(held, asked)
        if other is None or other.state != "loaded":
            st.warning("There is no loaded upload with the id to compare with.", icon=":material/search_off:")
        else:
            known[asked] = other
    if not known:
        st.info("There is no other upload to compare it with yet.", icon=":material/info:")
        return
    chosen = _choose(of, known, asked)
    if chosen:
        then, now = sorted((of, known[chosen]), key=lambda one: one.upload_id or "")
        if max(then.rows, now.rows) > uploads.MOST_ROWS:
            st.info(f"Files of more than {uploads.MOST_ROWS:,} rows can't be compared here.", icon=":material/info:")
            return
        _draw(held, then, now)


def candidates(held: Link, of: Receipt) -> list[Receipt]:
    """The loaded uploads around it: earlier ones of the same file name first, then the others, the latest first."""
    near = {one.upload_id: one for one in (*reads.receipts(held), *reads.older(held, of.upload_id or ""))}
    near.pop(of.upload_id, None)
    found = sorted((one for one in near.values() if one.state == "loaded"), key=_id, reverse=True)
    return sorted(found, key=lambda one: not (one.file == of.file and _id(one) < _id(of)))


def _id(of: Receipt) -> str:
    return of.upload_id or ""


def _choose(of: Receipt, known: dict[str | None, Receipt], asked: str | None) -> str | None:
    ids = list(known)
    suggested = ids[0] if known[ids[0]].file == of.file else None

    def keep() -> None:
        everyrow.addressed("with", st.session_state["compare-with"])

    everyrow.hold("compare-with", asked if asked in known else suggested)
    return st.selectbox(
        "Compare with", ids, index=None, key="compare-with", format_func=lambda one: feed.upload_name(known[one]),
        on_change=keep, placeholder="Choose another upload",
    )  # fmt: skip


def _draw(held: Link, then: Receipt, now: Receipt) -> None:
    st.markdown(
        f"**Earlier**: {plain.escaped(then.file)}, {plain.when(then.received_at)}  \n"
        f"**Later**: {plain.escaped(now.file)}, {plain.when(now.received_at)}"
    )
    found = compared(held, then, now)
    same = f"{words.some(found.same, 'item')} with the same count in both."
    if not any(found.kinds.values()):
        st.info(f"The two files say the same: {same}", icon=":material/equal:")
    else:
        st.markdown(same)
        _draw_items(found)
    st.markdown("**What became of their rows**")
    tables.show(found.fates, "both-fates", "The fates of both", tables.height(len(found.fates)))
    with st.container(horizontal=True):
        for name, one in (("earlier", then), ("later", now)):
            links.upload(one.upload_id or "", f"The {name} one’s receipt")


def _draw_items(found: Compared) -> None:
    options = [kind for kind, count in found.kinds.items() if count]
    asked = st.query_params.get("differ")

    def keep() -> None:
        everyrow.addressed("differ", _ADDRESSES.get(st.session_state["which-items"]))

    everyrow.hold("which-items", next((kind for kind in options if _ADDRESSES[kind] == asked), None))
    kind = st.pills(
        "Items", options, key="which-items", format_func=lambda kind: f"{kind} {found.kinds[kind]:,}", on_change=keep
    )
    text = st.text_input(
        "Find", key="find", placeholder="Item or store", icon=":material/search:", bind="query-params"
    )  # fmt: skip
    frame = found.items if kind not in options else found.items[found.items["what"] == kind]
    shown = everyrow.holding(frame, (text or "").strip())
    if shown.empty:
        st.info("No item fits. Widen the search.", icon=":material/filter_alt_off:")
        return
    everyrow.table(shown, "differences", "Items on which the files differ")
    st.caption(f"{words.some(len(shown), 'item')} shown.")
    tables.download(shown, "differences.csv")


@st.cache_resource(show_spinner="Comparing…", max_entries=6, hash_funcs=rows.BY_ROWS)
def compared(held: Link, then: Receipt, now: Receipt) -> Compared:
    """Shared: filter its items, never change them."""
    return shown_of(comparing.compare(uploads.rows(held.stack, then), uploads.rows(held.stack, now)))


def shown_of(found: Comparison) -> Compared:
    kinds = {_DIFFERS: found.differing, _THEN: found.only_then, _NOW: found.only_now}
    items = [_row(kind, one) for kind, listed in kinds.items() for one in listed]
    fates = [(words.FATES[fate], *found.fates[fate]) for fate in words.FATES if any(found.fates[fate])]
    return Compared(
        {kind: len(listed) for kind, listed in kinds.items()}, found.same,
        pd.DataFrame(items, columns=["what", "item", "then", "now", "store"]),
        pd.DataFrame(fates, columns=["rows", "earlier", "later"]),
    )  # fmt: skip


def _row(kind: str, one: Difference) -> tuple[object, ...]:
    return kind, one.item, _number(one.then), _number(one.now), one.store


def _number(count: Decimal | None) -> float | None:
    return None if count is None else float(count)

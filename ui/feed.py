"""The feed of changes: what it holds, its filters, and the record that is being read.

Owns that the reader keeps the place: a picked record stays picked when newer ones come in above it, and older pages
do not move at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from services import words
from services.changes import Seen
from services.changes import plain as images
from services.uploads import Receipt
from ui import links, plain, reads, receipts, tables
from ui.reads import Link

_WINDOW = 400
"""So many changes are looked through for what fits; what lies below them is a click away."""
PAGE = 50
_PICKED, _SHOWN, _TABLE = "picked", "shown", "feed"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked for. ``before``: the position below which the page begins."""

    store: str | None
    text: str
    upload_id: str | None
    before: str | None

    def fit(self, one: Seen) -> bool:
        return (not self.store or one.store == self.store) and self.text.casefold() in one.item.casefold()


@dataclass(frozen=True, slots=True)
class Found:
    """What fits, newest first. ``further``: the position below which it was not looked; None when there is nothing.
    ``looked_at``: how many changes that was worked out from."""

    entries: "list[Entry]"
    further: str | None
    looked_at: int


def filters(held: Link) -> Filters:
    """The filters; they stand in the address."""
    stores, items, files = st.columns([1, 1, 2])
    store = stores.selectbox(
        "Store",
        reads.stores(held),
        index=None,
        placeholder="All stores",
        key="store",
        bind="query-params",
        on_change=_to_newest,
    )
    text = items.text_input(
        "Item", key="item", placeholder="Part of its name", bind="query-params", on_change=_to_newest
    )
    with files:
        upload_id = upload(held, "Upload", "All uploads")
    return Filters(store, (text or "").strip(), upload_id, st.query_params.get("before"))


def upload(held: Link, label: str, placeholder: str) -> str | None:
    """Choose an upload; its id stands in the address."""
    known = {one.upload_id: one for one in reads.receipts(held) if one.upload_id}
    asked = st.query_params.get("upload")
    if asked and asked not in known and (older := reads.receipt(held, asked)):
        known[asked] = older
    ids = list(known)
    return st.selectbox(
        label, ids, index=ids.index(asked) if asked in known else None, placeholder=placeholder, key="which",
        format_func=lambda one: upload_name(known[one]), on_change=_keep_upload,
    )  # fmt: skip


def _to_newest() -> None:
    """What another filter finds begins with the newest, and not on the page where the last one was left."""
    st.query_params.pop("before", None)


def _keep_upload() -> None:
    _to_newest()
    if st.session_state.which:
        st.query_params["upload"] = st.session_state.which
    else:
        st.query_params.pop("upload", None)


def upload_name(of: Receipt) -> str:
    """`berlin.csv · 23 Nov 2026, 13:53:44 · a1b2c3d4`."""
    return f"{of.file} · {plain.clock(of.received_at)} · {plain.short(of.upload_id)}"


Entry = Seen | Receipt


def gather(held: Link, asked: Filters) -> Found:
    """The changes that fit, and between them the uploads that left no record. Of one upload all, else a page."""
    if asked.upload_id:
        part = reads.changes_of(held, asked.upload_id, _WINDOW)
    else:
        part = reads.feed_below(held, _WINDOW, asked.before) if asked.before else reads.feed(held, _WINDOW)
    there_is_more = len(part) == _WINDOW
    oldest = part[-1].at if there_is_more else ""
    entries: list[Entry] = [one for one in part if asked.fit(one)]
    entries += [one for one in reads.receipts(held) if _fits(one, asked) and at(one) >= oldest]
    entries.sort(key=_place, reverse=True)
    if asked.upload_id:
        return Found(entries, None, len(part))
    page = entries[:PAGE]
    if len(entries) > PAGE:
        records = [one for one in page if isinstance(one, Seen)]
        return Found(page, records[-1].position if records else at(page[-1]), len(part))
    return Found(page, part[-1].position if there_is_more else None, len(part))


def told_of_all(asked: Filters, found: Found) -> str:
    """What is not on the page though it was asked for; empty when nothing is missing."""
    if asked.upload_id:
        return (
            f"Its first {_WINDOW:,} changes; its receipt tells of all its rows." if found.looked_at == _WINDOW else ""
        )
    if found.further and len(found.entries) < PAGE:
        return f"Of the {found.looked_at:,} changes that were looked through; what is older is a click away."
    return ""


def _fits(one: Receipt, asked: Filters) -> bool:
    """Whether an upload without a record is to be told of. Whose items it spoke of is not kept with it."""
    if asked.text or asked.store or (asked.upload_id and one.upload_id != asked.upload_id):
        return False
    quiet = one.state == "failed" or (one.state == "loaded" and not one.records_expected)
    return quiet and (not asked.before or at(one) < asked.before)


def _place(one: Entry) -> tuple[str, str, str]:
    """A stream record's time is told in whole seconds: within one, uploads stand in the order they were sent."""
    position = one.position if isinstance(one, Seen) else ""
    return at(one)[:19], one.upload_id or "", position


def at(one: Entry) -> str:
    return one.at if isinstance(one, Seen) else one.loaded_at or one.received_at or ""


def name(one: Entry) -> str:
    return one.event_id if isinstance(one, Seen) else one.upload_id or ""


def draw(held: Link, entries: Sequence[Entry]) -> None:
    """The table. What is picked is kept by name, not by row."""
    names = [name(one) for one in entries]
    picked = st.session_state.get(_PICKED)
    st.session_state[_SHOWN] = entries
    rows = [names.index(name(picked))] if picked and name(picked) in names else []
    before = st.session_state.get(_TABLE)
    if before is not None and list(before["selection"]["rows"]) != rows:
        st.session_state[_TABLE] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    tables.show(
        frame(held, entries), _TABLE, "Changes, newest first", 600, on_select=_pick, selection_mode="single-row"
    )


def frame(held: Link, entries: Sequence[Entry]) -> pd.DataFrame:
    files = reads.files(held, {one.upload_id for one in entries})
    return tables.changes(tables.change(one, files) if isinstance(one, Seen) else tables.note(one) for one in entries)


def _pick() -> None:
    """The row was picked in the table as it stood when it was drawn last."""
    rows = st.session_state[_TABLE]["selection"]["rows"]
    shown = st.session_state.get(_SHOWN, [])
    st.session_state[_PICKED] = shown[rows[0]] if rows and rows[0] < len(shown) else None


def draw_picked() -> None:
    """What the picked line says in full."""
    found: Entry | None = st.session_state.get(_PICKED)
    if isinstance(found, Seen):
        _draw_record(found)
    elif found:
        st.text(f"{upload_name(found)}\n{plain.timed(words.receipt(found))}")
        st.markdown(receipts.why(found))
    else:
        st.caption("Pick a line to see its item before and after.")
        return
    if found.upload_id:
        links.upload(found.upload_id, "Its receipt")
        links.why(found.upload_id, *((found.store, found.item) if isinstance(found, Seen) else ()))


def _draw_record(one: Seen) -> None:
    """A record's old and new image side by side."""
    st.subheader("The record", anchor=False)
    st.text(f"{one.store} · {one.item}: {words.moved(one)} ({tables.meaning(one)})")
    old, new = images(one.old) or {}, images(one.new) or {}
    rows = [
        ("●" if old.get(key) != new.get(key) else "", key, _told(old, key), _told(new, key))
        for key in sorted(old.keys() | new.keys())
    ]
    images_table = pd.DataFrame(rows, columns=["", "attribute", "before", "after"])
    tables.show(images_table, "record", "Old and new image of the record", tables.height(len(rows)))
    st.text(f"{one.event} · {plain.when(one.at)}\nsequence number {one.sequence}\nevent {one.event_id}")


def _told(image: dict[str, object], key: str) -> str:
    return str(image[key]) if key in image else "–"

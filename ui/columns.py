"""The form that says which column is what: selects over a file's first rows, the resulting rows beside them.

Owns the widgets. They show what the file is read with, and say what is changed; see `ui.correction`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import streamlit as st

from lambdas.stockfile.mapping import NONE, Column, Mapping
from lambdas.stockfile.parts import Understanding
from services.errors import BadFile
from services.uploads import Opened
from ui import correction, opening, plain, tables
from ui.parcels import Chosen
from ui.understood import item_label

WIDE, WHOLE, SILENT = "\0wide", "\0whole", "\0silent"
"""Choices that are no column; no heading has such a character."""
_SAYS = {WIDE: "A column for each store", WHOLE: "One store for the whole file", SILENT: "The file does not say"}
Parts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A file whose reading is being said: its mark, and what it is read with."""

    mark: str
    opened: Opened

    @property
    def understood(self) -> Understanding:
        return self.opened.understood

    def say(self, **parts: Any) -> None:
        """Say parts of the mapping; where no headings were found, also that there are none.

        Nothing, while nothing else is said, when that is how it is understood anyway: a widget may come back with what
        it showed, when a run of the page and one of a fragment meet.
        """
        if correction.said(self.mark) is None and replace(self.understood.mapping, **parts) == self.understood.mapping:
            return
        if self.understood.header is None and not self.understood.kind.startswith("JSON"):
            parts = {"header": False} | parts
        correction.say(self.mark, self.understood.shape, self.opened.mapping, **parts)

    def hold(self, part: str, value: Any) -> str:
        """A widget's key, with what the widget is to show. Set only when it differs: a pick may be on its way."""
        key = f"{part}-{self.mark}"
        if key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = value
        return key


def draw(one: Chosen, form: Form, *, readable: bool) -> None:
    """The selects, the first rows as they stand, and as they will be read where they are ``readable``."""
    item, count, store, when = st.columns(4)
    with item:
        _item(form)
    with count:
        _count(form)
    with store:
        _store(form)
    with when:
        _when(form)
    if _is_wide(form):
        _stores(form)
    if not readable:
        _as_they_stand(form)
        return
    left, right = st.columns(2)
    with left:
        _as_they_stand(form)
    with right:
        st.caption("As they will be read")
        _as_read(one, form)


def _as_read(one: Chosen, form: Form) -> None:
    try:
        frame = opening.first_rows(one, form.opened)
    except BadFile as error:
        st.error(plain.escaped(str(error)), icon=":material/error:")
        return
    tables.show(frame, f"read-{form.mark}", "The first rows as read")


def select(
    form: Form, part: str, label: str, options: Sequence[str], value: str | None, said: Callable[[Any], Parts],
    name: Callable[[str], str] = str,
) -> None:  # fmt: skip
    """A select of one part of the mapping. ``said``: the parts that a choice says; of None, when it is emptied."""
    key = form.hold(part, value if value in options else None)

    def changed() -> None:
        form.say(**said(st.session_state[key]))

    st.selectbox(label, options, index=None, format_func=name, key=key, on_change=changed, placeholder="Choose")


def _item(form: Form) -> None:
    """A select of columns, and of the alternatives and joined columns that were found or said before."""
    found = form.understood.mapping.item
    known: dict[str, tuple[tuple[Column, ...], ...]] = st.session_state.setdefault(f"items-{form.mark}", {})
    single = found[0][0] if len(found) == 1 and len(found[0]) == 1 else None
    if found and single is None:
        known[item_label(found)] = found
    columns = set(form.understood.columns)
    offered = [label for label, item in known.items() if all(columns.issuperset(one) for one in item)]

    def said(choice: str | None) -> Parts:
        return {"item": known.get(choice) or (((choice,),) if choice else ()) if choice else ()}

    value = single or (item_label(found) if found else None)
    select(form, "item", "Item", [*offered, *form.understood.columns], value, said)


def _count(form: Form) -> None:
    mapping, mark = form.understood.mapping, form.mark

    def said(choice: str | None) -> Parts:
        correction.name_columns(mark, wanted=choice == WIDE)
        return {"count": choice, "stores": ()} if choice != WIDE else {"count": None, "stores": mapping.stores}

    options = [*form.understood.columns, WIDE]
    select(form, "count", "Count", options, WIDE if _is_wide(form) else mapping.count, said, _name)


def _is_wide(form: Form) -> bool:
    """Whether each store has a column, though none may be named yet."""
    return bool(form.understood.mapping.stores) or correction.wants_columns(form.mark)


def _stores(form: Form) -> None:
    mapping = form.understood.mapping
    others = {name for alternative in mapping.item for name in alternative} | {mapping.updated_at}
    options = [name for name in form.understood.columns if name in mapping.stores or name not in others]
    key = form.hold("stores", [name for name in mapping.stores if name in options])

    def changed() -> None:
        chosen = tuple(st.session_state[key])
        correction.name_columns(form.mark, wanted=True)
        form.say(stores=chosen, count=None, store=None)

    st.multiselect("The stores’ columns", options, key=key, on_change=changed, placeholder="One for each store")


def _store(form: Form) -> None:
    mapping = form.understood.mapping
    if _is_wide(form):
        st.selectbox("Store", ["by its column"], disabled=True, key=f"stored-{form.mark}")
        return

    def said(choice: str | None) -> Parts:
        if choice == WHOLE:
            return {"store": NONE}
        return {"store": choice, "always": None}

    value = WHOLE if mapping.store == NONE else mapping.store
    select(form, "store", "Store", [WHOLE, *form.understood.columns], value, said, _name)


def _when(form: Form) -> None:
    at = form.understood.mapping.updated_at

    def said(choice: str | None) -> Parts:
        return {"updated_at": NONE if choice == SILENT else choice}

    value = SILENT if at == NONE else at
    select(form, "when", "When it was counted", [SILENT, *form.understood.columns], value, said, _name)


def _name(choice: str) -> str:
    return _SAYS.get(choice, choice)


def _as_they_stand(form: Form) -> None:
    """The columns that are used come first, each with what it is taken for."""
    st.caption("The first rows, as they stand in the file")
    names, roles = form.understood.columns, taken_for(form.understood.mapping)
    order = sorted(range(len(names)), key=lambda index: (names[index] not in roles, index))
    rows = [
        [f"{number:,}", *(cells[index] if index < len(cells) else "" for index in order)]
        for number, cells in form.understood.first_rows[: opening.FIRST]
    ]
    frame = pd.DataFrame(rows, columns=[str(place) for place in range(len(names) + 1)])
    shown: dict[str, Any] = {"0": st.column_config.TextColumn("Row", width=50)}
    for place, index in enumerate(order, 1):
        role = roles.get(names[index])
        label = f"{names[index]} → {role}" if role else names[index]
        shown[str(place)] = st.column_config.TextColumn(label)
    st.dataframe(frame, key=f"stands-{form.mark}", hide_index=True, column_config=shown, alt="The first rows")


def taken_for(mapping: Mapping) -> dict[Column, str]:
    """What each column that is used was taken for."""
    roles = {mapping.updated_at: "time", mapping.store: "store", mapping.count: "count"}
    roles |= dict.fromkeys(mapping.stores, "count")
    roles |= {name: "item" for alternative in mapping.item for name in alternative}
    return {name: role for name, role in roles.items() if name}

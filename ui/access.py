"""Who may do what: the table, what each role means, and giving somebody another one.

Owns the widgets. What can't be is refused by `services.people`, which is where it is decided.
"""

import os
from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from services import people, signing, words
from services.access import OF_STORES, Role
from services.people import NOBODY, Given
from ui import door, plain, reads, saying, tables
from ui.reads import Link

ROLES = {
    Role.VIEWER: "Sees stock, changes, uploads and alerts. Of all stores, or of some.",
    Role.MANAGER: "Also sends files, corrects counts, undoes uploads, acknowledges alerts, and sets reorder points, "
    "quiet hours and who is told. Of all stores, or of some.",
    Role.OPERATOR: "Also sees the pipeline and its logs, runs again what failed, and may apply a file in other ways "
    "than newest wins. Of all stores.",
    Role.ADMIN: "Also says who may do what, and what counts for all stores, and reads the audit.",
}
"""The roles as people are told of them; each may do what those before it may."""
_NONE = "Nothing at all, whatever the groups of their sign-in say."
_SAID, _OF = "access-said", "who"
_ALL, _SOME = "All stores", "Some stores"


def draw(held: Link) -> None:
    """The table, what the last click came to, and the form."""
    if not signing.configured(os.environ):
        st.info(
            "Nobody has to sign in to this dashboard, so nothing of this counts yet. The README says how people can be "
            "made to.",
            icon=":material/no_accounts:",
        )
    found = people.every(held.stack)
    if found:
        tables.show(_frame(found), "people", "Who may do what", tables.height(len(found), 14), _columns())
    else:
        st.info("Nobody stands here yet: only the groups of their sign-in give people a role.", icon=":material/group:")
    saying.draw(_SAID)
    with st.expander(
        "Give, change or take away access", icon=":material/edit:", expanded=not found or bool(st.query_params.get(_OF))
    ):
        _form(held, found)
    with st.expander("What the roles mean", icon=":material/help:"):
        for role, meaning in ROLES.items():
            st.markdown(f"**{role.capitalize()}**  \n{meaning}")


def _frame(found: Sequence[Given]) -> pd.DataFrame:
    rows = [
        (one.name, one.role or "no access", _stores(one), one.by, tables.moment(one.at) if one.at else None)
        for one in found
    ]
    frame = pd.DataFrame(rows, columns=["name", "role", "stores", "changed by", "time"])
    return frame.assign(time=pd.to_datetime(frame["time"], utc=True))


def _stores(one: Given) -> str:
    if one.role is None:
        return "–"
    return "all" if one.stores is None or one.role not in OF_STORES else ", ".join(sorted(one.stores))


def _columns() -> dict[str, object]:
    widths = {"name": 220, "role": 90, "stores": 220, "changed by": 190}
    return {name: st.column_config.TextColumn(name.capitalize(), width=width) for name, width in widths.items()}


def _form(held: Link, found: Sequence[Given]) -> None:
    known = {one.name: one for one in found}
    names = sorted({*known, *filter(None, [st.query_params.get(_OF)])})
    name = st.selectbox(
        "Who", names, index=None, placeholder="An e-mail address", key=_OF, bind="query-params",
        accept_new_options=True,
        help="As they sign in. Who has no verified e-mail address there is named by who issued it and their subject: "
        "https://issuer|subject.",
    )  # fmt: skip
    if not name:
        return
    now = known.get(name)
    if name.casefold() == held.stack.person.name.casefold():
        st.info("That is you: another admin can change it. So nobody shuts themselves out.", icon=":material/info:")
        return
    mark = f"access-{name}"
    offered = [*map(str, Role), NOBODY]
    st.radio(
        "May", offered, index=offered.index(now.role or NOBODY) if now else 0, key=f"{mark}-role", format_func=_named,
        captions=[*ROLES.values(), _NONE],
    )  # fmt: skip
    if st.session_state[f"{mark}-role"] in OF_STORES:
        _ask_stores(held, now, mark)
    with st.container(horizontal=True):
        st.button("Save", type=plain.main_button(), icon=":material/save:", on_click=_save, args=(name, mark))
        if now:
            st.button(
                "Take out of the table", icon=":material/person_remove:", on_click=_forget, args=(name,),
                help="Then only the groups of their sign-in count. To shut somebody out, save “No access”.",
            )  # fmt: skip


def _named(role: str) -> str:
    return "No access" if role == NOBODY else role.capitalize()


def _ask_stores(held: Link, now: Given | None, mark: str) -> None:
    mine = sorted(now.stores) if now and now.stores is not None else []
    every = now is not None and now.role in OF_STORES and now.stores is None
    how = st.segmented_control(
        "Of", [_SOME, _ALL], default=_ALL if every else _SOME, required=True, key=f"{mark}-how"
    )  # fmt: skip
    if how == _SOME:
        st.multiselect(
            "Stores", sorted({*reads.stores(held), *mine}), default=mine, key=f"{mark}-stores",
            placeholder="Choose them", accept_new_options=True, help="Also such as are still to come.",
        )  # fmt: skip


def _save(name: str, mark: str) -> None:
    def save() -> str:
        said = st.session_state[f"{mark}-role"]
        role = None if said == NOBODY else Role(said)
        some = role in OF_STORES and st.session_state[f"{mark}-how"] == _SOME
        given = people.put(reads.link().stack, name, role, st.session_state[f"{mark}-stores"] if some else None)
        return f"{given.name}: {words.access(given.role, given.stores)}."

    _done(save)


def _forget(name: str) -> None:
    def forget() -> str:
        people.forget(reads.link().stack, name)
        return f"{name} is no longer in the table: the groups of their sign-in count."

    _done(forget)


def _done(work: Callable[[], str]) -> None:
    """A click: what it came to is told by the run that follows."""
    if saying.done(_SAID, lambda: (True, work())):
        st.session_state[_OF] = None
        door.forget()

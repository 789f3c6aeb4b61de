"""Before sending: how a file is understood, what has to be answered, and what it would do.

Owns the order of these, and when a file is ready to be sent.
"""

from dataclasses import replace

import streamlit as st

from lambdas.fates import Fate, Mode
from lambdas.stockfile import Mapping
from services import mending, uploads
from services.errors import BadFile
from services.uploads import Opened
from ui import columns, correction, details, missing, opening, plain, reads, receipts, rows, understood
from ui.columns import Form
from ui.opening import Outcome
from ui.parcels import Chosen
from ui.reads import Link

MODES = {
    Mode.NEWEST: ("Newest wins", "A row counts only when it is newer than what is known. Safe to send twice."),
    Mode.PLAIN: ("Plain", "Every row is written as the file states it, older or not. An equal row changes nothing."),
    Mode.STAMP: ("Stamp", "Every row is written as of now, so every row is a change, even when the count is the same."),
}


def ask_mode() -> Mode:
    """How the file is to be applied, each way explained in one line."""
    picked = st.radio(
        "How to apply it", list(MODES), format_func=lambda mode: MODES[mode][0], key="mode",
        captions=[explained for _, explained in MODES.values()],
    )  # fmt: skip
    return picked or Mode.NEWEST


class Asked:
    """A file of which something has to be said before it can be sent."""


ASKED = Asked()


def draw(held: Link, one: Chosen, mode: Mode) -> Chosen | Asked | None:
    """What a file would do if it were sent now. The file as it is to be sent; None when it can't be used."""
    with st.container(border=True):
        st.markdown(f"**{plain.escaped(one.name)}** · what it will do · {MODES[mode][0]}")
        return examine(held, one, mode)


def examine(held: Link, one: Chosen, mode: Mode) -> Chosen | Asked | None:
    """How it is understood, its questions, the form, and its outcome; gives back as ``draw`` does."""
    try:
        opened, said = _read_as_said(held, one)
    except BadFile as error:
        _refused(error, one.mark)
        return None
    asked = _asked(opened, one.mark)
    _say_how(held, opened, asked, said is not None, one.mark)
    form = Form(one.mark, opened)
    if not asked and missing.is_asked(one, opened):
        one = replace(one, store=missing.ask_store(held, one, form))
    waits = bool(asked) or (opened.file.names_no_store and not one.store)
    more = None
    if _wants_form(one.mark, asked=bool(asked)):  # before the outcome, which takes its time for a big file
        columns.draw(one, form, readable=not waits)
        more = st.container()
    outcome = None if waits else _outcome(held, one, opened, mode)
    if more:
        with more:
            details.draw(form, outcome.rejected if outcome else [])
    if outcome is None:
        return ASKED if waits else None
    receipts.draw(outcome.receipt, outcome.told, one.mark, _to_mend(held, one, opened, outcome))
    learnt = opened.understood if said is not None else None
    return replace(one, mapping=opened.mapping, learnt=learnt) if outcome.receipt.usable else None


def _read_as_said(held: Link, one: Chosen) -> tuple[Opened, Mapping | None]:
    """The file, and what was said of it; while something is asked, of another one of its shape. Raises BadFile."""
    said = correction.said(one.mark)
    opened = opening.opened(held, one, said)
    if said is None and opened.understood.question and (said := correction.said_of(opened.understood.shape)):
        opened = opening.opened(held, one, said)
    return opened, said


def _asked(opened: Opened, mark: str) -> str:
    """The question that is open; empty when there is none."""
    if correction.wants_columns(mark) and not opened.understood.mapping.stores:
        return "Which are the stores’ columns? Choose them below."
    question = opened.understood.question
    return question.text if question else ""


def _refused(error: BadFile, mark: str) -> None:
    st.error(plain.escaped(str(error)), icon=":material/error:")
    if correction.said(mark) is not None:
        st.button("Read it as before", key=f"undo-{mark}", on_click=correction.reset, args=(mark,))


def _say_how(held: Link, opened: Opened, asked: str, corrected: bool, mark: str) -> None:
    """The question, or how it is understood; and how to be rid of what was said."""
    if asked:
        st.warning(plain.escaped(asked), icon=":material/contact_support:")
    else:
        st.markdown(understood.summary(opened.understood))
    if not corrected and not opened.saved:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if corrected:
            st.badge("Will be remembered for files like this", icon=":material/bookmark_add:", color="blue")
            st.button("Undo my changes", key=f"undo-{mark}", type="tertiary", on_click=correction.reset, args=(mark,))
            return
        st.badge("Read as you said for files like this", icon=":material/bookmark:", color="green")
        if st.button("Forget", key=f"forget-{mark}", type="tertiary"):
            uploads.forget(held.stack, opened.understood.shape)
            reads.saved.clear()
            correction.forget_shapes()
            st.rerun()


def _wants_form(mark: str, *, asked: bool) -> bool:
    """A toggle; it stands open while something is asked, and after the reader's answer. Not when another file's answer
    was the answer to this one too."""
    key, was_asked = f"change-{mark}", f"asked-{mark}"
    if asked:
        st.session_state[key] = st.session_state[was_asked] = True
    elif st.session_state.pop(was_asked, False) and correction.said(mark) is None:
        st.session_state[key] = False
    return st.toggle("Change how it is read", key=key)


def _outcome(held: Link, one: Chosen, opened: Opened, mode: Mode) -> Outcome | None:
    try:
        return opening.outcome(held, one, opened, mode)
    except BadFile as error:
        st.error(plain.escaped(str(error)), icon=":material/error:")
        return None


def _to_mend(held: Link, one: Chosen, opened: Opened, outcome: Outcome) -> tuple[str, rows.Mended] | None:
    if not outcome.receipt.fates[Fate.REJECTED]:
        return None
    name = mending.mend_name(one.name, opened)
    return name, lambda: uploads.to_mend(held.stack, one.name, opened, outcome.rejected)[1]

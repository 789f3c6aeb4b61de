"""Before sending: how a file is understood, what has to be answered, and what it would do.

Owns the order of these, and when a file is ready to be sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import streamlit as st

from lambdas.fates import Fate, Mode
from lambdas.stockfile import Mapping
from services import mending, uploads, words
from services.errors import BadFile
from services.uploads import Opened
from ui import (
    absent,
    columns,
    correction,
    details,
    missing,
    modes,
    opening,
    plain,
    reads,
    receipts,
    repeated,
    rows,
    understood,
)  # fmt: skip
from ui.columns import Form
from ui.opening import Outcome
from ui.parcels import Chosen
from ui.reads import Link

FEW = 3
"""More files than these are drawn as a line each, which opens with a click."""


class Asked:
    """A file of which something has to be said before it can be sent."""


ASKED = Asked()


@dataclass
class Look:
    """A file as it is read with what is said so far. ``opened``: None when it can't be read; ``refused`` says why.

    ``one`` has the store that was said for it; ``asks_store``: it is asked for. ``asked``: the question that is open.
    """

    held: Link
    one: Chosen
    mode: Mode
    opened: Opened | None = None
    said: Mapping | None = None
    asked: str = ""
    asks_store: bool = False
    refused: BadFile | None = None

    @property
    def waits(self) -> bool:
        """Whether something has to be said."""
        return self.opened is not None and (
            bool(self.asked) or (self.opened.file.names_no_store and not self.one.store)
        )  # fmt: skip

    @cached_property
    def outcome(self) -> Outcome | None:
        """What it would do; None when that can't be said, and ``refused`` may say why. A big file takes its time."""
        if self.opened is None or self.waits:
            return None
        try:
            every_way = modes.every_way(self.one.mark)
            return opening.outcome(self.held, self.one, self.opened, self.mode, every_way=every_way)
        except BadFile as error:
            self.refused = error
            return None

    @property
    def ready(self) -> Chosen | Asked | None:
        """The file as it is to be sent; None when it can't be used."""
        if self.waits:
            return ASKED
        if self.opened is None or self.outcome is None or not self.outcome.receipt.usable:
            return None
        learnt = self.opened.understood if self.said is not None else None
        return replace(self.one, mapping=self.opened.mapping, learnt=learnt)


def look(held: Link, one: Chosen, mode: Mode) -> Look:
    """Read a file with what has been said of it. Draws nothing."""
    try:
        opened, said = _read_as_said(held, one)
    except BadFile as error:
        return Look(held, one, mode, refused=error)
    asked = _asked(opened, one.mark)
    asks_store = not asked and missing.is_asked(one, opened)
    if asks_store:
        one = replace(one, store=missing.said(one.mark, opened))
    return Look(held, one, mode, opened, said, asked, asks_store)


def draw_all(looks: Sequence[Look]) -> None:
    """A few files one below the other, many as a line each."""
    if len(looks) > FEW:
        _draw_lines(looks)
        return
    for of in looks:
        with st.container(border=True):
            st.markdown(f"**{plain.escaped(of.one.name)}** · what it will do · {modes.name(of.mode)}")
            draw(of)


def _draw_lines(looks: Sequence[Look]) -> None:
    """Each line says what the file would do; the first one with a question stands open."""
    first_asked = next((of.one.mark for of in looks if of.waits), None)
    st.caption("What each file will do. Open a line to see its rows, or to change how it is read.")
    for of in looks:
        line = st.expander(
            f"**{plain.escaped(of.one.name)}** · {_in_a_line(of)}", key=f"file-{of.one.mark}", on_change="rerun",
            expanded=of.one.mark == first_asked, icon=_icon(of),
        )  # fmt: skip
        if line.open:
            with line:
                draw(of)


def _in_a_line(of: Look) -> str:
    if of.waits:
        return plain.escaped(of.asked or "Which store is it for?")
    if (outcome := of.outcome) is None:
        return plain.escaped(str(of.refused or "It can't be used."))
    receipt = outcome.receipt
    alerts = f" · {words.some(receipt.alerts, 'alert')}" if receipt.alerts else ""
    again = " · the same was sent before" if repeated.before(of.held, of.one) else ""
    return f"{words.some(receipt.rows, 'row')}: {words.fates(receipt.fates)}{alerts}{again}"


def _icon(of: Look) -> str:
    if of.waits:
        return ":material/contact_support:"
    if of.outcome is None or not of.outcome.receipt.usable:
        return ":material/error:"
    return ":material/notifications_active:" if of.outcome.receipt.alerts else ":material/check_circle:"


def draw(of: Look) -> None:
    """How it is understood, its questions, the form, and its outcome."""
    one, opened, mark = of.one, of.opened, of.one.mark
    if opened is None:
        _refused(of.refused, mark)
        return
    repeated.draw(of.held, one)
    _say_how(of.held, opened, of.asked, of.said is not None, mark)
    form = Form(mark, opened)
    if of.asks_store:
        missing.ask_store(of.held, one, form)
    more = None
    if _wants_form(mark, asked=bool(of.asked)):  # before the outcome, which takes its time for a big file
        columns.draw(one, form, readable=not of.waits)
        more = st.container()
    outcome = of.outcome
    if more:
        with more:
            details.draw(form, outcome.rejected if outcome else [])
    if outcome is None:
        if of.refused:
            st.error(plain.escaped(str(of.refused)), icon=":material/error:")
        return
    receipts.draw(outcome.receipt, outcome.told, mark, _to_mend(one, opened, outcome))
    absent.draw(outcome.absent)
    modes.draw_figures(outcome.by_mode, of.mode, mark)


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


def _refused(error: BadFile | None, mark: str) -> None:
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


def _to_mend(one: Chosen, opened: Opened, outcome: Outcome) -> tuple[str, rows.Mended] | None:
    if not outcome.receipt.fates[Fate.REJECTED]:
        return None
    name = mending.mend_name(one.name, opened)
    again = reads.later()
    return name, lambda: uploads.to_mend(again().stack, one.name, opened, outcome.rejected)[1]

"""Files that came in by themselves and wait for an answer: the same form as for a picked one, and “Use this”.

Owns which of them are asked about together: files of one shape are answered at once. The list is looked at anew every
few seconds by a fragment: that does not lose a file that is picked in the same instant, as a run of the page would.
"""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lambdas.fates import Mode
from services import words
from services.access import Right
from services.errors import NotFound
from services.uploads import Receipt
from ui import modes, parcels, plain, preview, reads
from ui.page import live
from ui.parcels import Chosen
from ui.reads import Link

_AT_ONCE, _NAMED = 3, 4


def announce(held: Link) -> None:
    """A line on another page, when there are any."""
    if held.person.may(Right.SEND) and (found := reads.waiting(held)):
        said = "1 file waits" if len(found) == 1 else f"{len(found):,} files wait"
        st.warning(f"{said} for an answer: how to read it is not clear.", icon=":material/contact_support:")
        st.page_link("pages/upload.py", label="Answer", icon=":material/arrow_forward:")


@live(2)
def draw() -> None:
    """A block for each of the latest shapes; the others come up as these are answered."""
    held = reads.refreshed()
    groups = by_shape(reads.waiting(held))
    if not groups:
        return
    st.subheader("Waiting for an answer", anchor=False)
    for group in groups[:_AT_ONCE]:
        with st.container(border=True):
            _draw(held, group)
    left = sum(map(len, groups[_AT_ONCE:]))
    if left:
        st.caption(f"And {words.some(left, 'other file')}, asked about when these are answered.")


def by_shape(found: Sequence[Receipt]) -> list[list[Receipt]]:
    """The files that are read alike together, in the order in which the first of each stands."""
    groups: dict[str | None, list[Receipt]] = {}
    for of in found:
        groups.setdefault(of.shape or of.upload_id, []).append(of)
    return list(groups.values())


def _draw(held: Link, group: Sequence[Receipt]) -> None:
    """The first one with its form, and the others that one answer would do for."""
    of, *others = group
    st.markdown(f"**{plain.escaped(of.file)}** · came in {plain.when(of.received_at)} · {modes.name(of.mode)}")
    if others:
        st.caption(f"{words.some(len(others), 'other file')} with the same headings: {plain.escaped(_names(others))}")
    upload_id = of.upload_id or ""
    try:
        data = reads.contents(held, upload_id)
    except NotFound as error:
        st.error(plain.escaped(str(error)), icon=":material/error:")
        return
    above = st.container(horizontal=True)
    looked = preview.look(held, Chosen(upload_id, of.file, data, of.store, answers=upload_id), Mode(of.mode))
    preview.draw(looked)
    ready = looked.ready
    answers = [_answer(ready)] if isinstance(ready, Chosen) else []
    with above:
        _offer("Use this", f"use-{upload_id}", answers, looked.mode)
        # A store that was said for the one file says nothing of the others.
        if others and not (answers and answers[0].store != of.store):
            every = [*answers, *(_same(answers[0], one) for one in others)] if answers else []
            _offer(f"Use this for all {len(group):,} files", f"use-all-{upload_id}", every, looked.mode)


def _names(of: Sequence[Receipt]) -> str:
    more = f" and {len(of) - _NAMED:,} more" if len(of) > _NAMED else ""
    return ", ".join(one.file for one in of[:_NAMED]) + more


def _offer(label: str, key: str, answers: list[Chosen], mode: Mode) -> None:
    clicked = st.button(
        label, key=key, type=plain.main_button(), icon=":material/check:", disabled=not answers, on_click=parcels.pack,
        args=(answers, mode),
    )  # fmt: skip
    if clicked:
        st.rerun()  # the page follows what was answered


def _answer(ready: Chosen) -> Chosen:
    """Another answer to the same upload is another parcel: the first may have been refused."""
    said = ready.mapping.id if ready.mapping else ""
    return replace(ready, mark=f"{ready.mark}-{said}-{ready.store or ''}")


def _same(answer: Chosen, of: Receipt) -> Chosen:
    """The same answer for another file; what is remembered for their shape is so by the first."""
    upload_id = of.upload_id or ""
    mark = answer.mark.replace(answer.answers or "", upload_id)
    return replace(answer, mark=mark, name=of.file, data=b"", store=of.store, learnt=None, answers=upload_id)

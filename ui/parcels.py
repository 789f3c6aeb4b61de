"""Sending: the files of one click on Send, and what became of them.

Owns that a click sends once. Streamlit may run a page twice at the same time, when a second click comes while the
first is at work: then both runs hold the same parcel, and whoever comes second finds nothing left to send.
"""

import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import streamlit as st

from lambdas.fates import Mode
from lambdas.stockfile import AUTOMATIC, Mapping, Understanding
from services import uploads
from services.errors import BadFile
from services.stack import Stack
from ui import reads, samples

_SLOT = "parcel"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file that was picked, or one that waits for an answer. ``mark`` is another one each time that a file is picked.

    ``mapping``: what its preview was read with, and the loader is to read it with. ``learnt``: how it is understood,
    when the mapping is to be remembered for files like it. ``answers``: the id of the upload that waits.
    ``by_hand``: one count that the reader has stated.
    """

    mark: str
    name: str
    data: bytes
    store: str | None = None
    mapping: Mapping | None = None
    learnt: Understanding | None = None
    answers: str | None = None
    by_hand: bool = False


@dataclass
class Parcel:
    """The files of one click, and the ids of those that were received, in their order.

    ``refused``: what was said of answers that came too late.
    """

    marks: frozenset[str]
    mode: Mode
    files: deque[Chosen]
    ids: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, stack: Stack, sending: Callable[[int, int], object] | None = None) -> None:
        """Send what is left, one after the other, so that they take effect in their order.

        ``sending`` is told before each one how many are done, and of how many.
        """
        with self.lock:
            whole = len(self.marks)
            while self.files:
                if sending:
                    sending(whole - len(self.files), whole)
                try:
                    self.ids.append(_sent(stack, self.files[0], self.mode))
                except BadFile as error:
                    self.refused.append(str(error))
                self.files.popleft()


def _sent(stack: Stack, one: Chosen, mode: Mode) -> str:
    """The upload's id. What is to be remembered is so before: that may be done again, when sending fails."""
    if one.learnt and one.mapping is not None:
        uploads.remember(stack, one.learnt, one.mapping, one.answers)
        reads.saved.clear()
    if one.answers is None:
        return uploads.send(stack, one.name, one.data, mode, one.store, one.mapping, by_hand=one.by_hand)
    uploads.answer(stack, one.answers, AUTOMATIC if one.mapping is None else one.mapping, one.store)
    reads.forget_waiting()
    return one.answers


def pack(files: Iterable[Chosen], mode: Mode) -> None:
    """Make the files the session's parcel; the same choice a second time is the same parcel still."""
    files = deque(files)
    marks = frozenset(one.mark for one in files)
    before = current()
    if before is None or before.marks != marks:
        st.session_state[_SLOT] = Parcel(marks, mode, files)


def pack_sample(name: str) -> None:
    """A sample, sent by one click."""
    pack([Chosen(f"sample-{secrets.token_hex(4)}", name, samples.read(name))], Mode.NEWEST)


def current() -> Parcel | None:
    """What was sent last in this session."""
    found: Parcel | None = st.session_state.get(_SLOT)
    return found

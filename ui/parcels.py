"""Sending: the files of one click on Send, and what became of them.

Owns that a click sends once. Streamlit may run a page twice at the same time, when a second click comes while the
first is at work: then both runs hold the same parcel, and whoever comes second finds nothing left to send.
"""

import secrets
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import streamlit as st

from lambdas.fates import Mode
from services import uploads
from services.stack import Stack
from ui import samples

_SLOT = "parcel"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file that was picked. ``mark`` is another one each time that a file is picked."""

    mark: str
    name: str
    data: bytes
    store: str | None = None


@dataclass
class Parcel:
    """The files of one click, and the ids of those that were received, in their order."""

    marks: frozenset[str]
    mode: Mode
    files: deque[Chosen]
    ids: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, stack: Stack) -> None:
        """Send what is left, one after the other, so that they take effect in their order."""
        with self.lock:
            while self.files:
                one = self.files[0]
                self.ids.append(uploads.send(stack, one.name, one.data, self.mode, one.store))
                self.files.popleft()


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

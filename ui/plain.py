"""Names from files and times, as a reader is to see them.

Owns the escaping of Markdown and the reader's time zone. Knows nothing of pages.
"""

import re
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from lambdas import times
from lambdas.oneline import oneline
from services import words

_MARKED = re.compile(r"([!-/:-@\[-`{-~])")  # all of ASCII's punctuation; CommonMark lets each be escaped
_MARK_BEGINS = re.compile(
    r"(?<=:)(?=[A-Za-z_+-]|\d:|\d\w\w+:)"  # :smile: and :100: but not 12:03:44
    r"|(?<=[<>=~-])(?=[<>=-])"  # -> and its like
    r"|(?<=:)(?=//)|(?i:(?<=www))(?=\.)|(?=@)"  # addresses
)


def escaped(name: str) -> str:
    """A text from a file, for places that read Markdown: shown as it stands.

    Streamlit's own marks (`:material/…:`, `:smile:`, `->` for an arrow) and bare addresses are looked for when the
    backslashes are gone; a word joiner, which has no width, keeps them apart.
    """
    return _MARKED.sub(r"\\\1", _MARK_BEGINS.sub("\u2060", oneline(name)))


def cut(text: str, most: int) -> str:
    """The text, or so much of it as has room, with a sign that there is more."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def zone() -> str:
    """The reader's time zone by its IANA name; UTC where the browser does not tell."""
    named = st.context.timezone or "UTC"
    try:
        ZoneInfo(named)
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return named


def local(at: str | None) -> datetime | None:
    """A fixed-width UTC text in the reader's zone."""
    return times.moment(at).astimezone(ZoneInfo(zone())) if at else None


def clock(at: str | None) -> str:
    """`23 Nov 2026, 13:53:44`, in the reader's zone."""
    moment = local(at)
    return f"{moment.day} {moment:%b %Y, %H:%M:%S}" if moment else "–"


def when(at: str | None) -> str:
    """`23 Nov 2026, 13:53:44 (3 minutes ago)`."""
    return f"{clock(at)} ({words.ago(at)})" if at else "–"


def timed(sentence: str) -> str:
    """A sentence whose UTC times are told in the reader's zone."""
    return words.timed(sentence, clock)


def short(upload_id: str | None) -> str:
    """The end of an upload's id: enough to tell two uploads apart by eye."""
    return upload_id.rsplit("-", 1)[-1] if upload_id else "–"


def lasted(start: str, end: str) -> str:
    """How long, in the two largest units: `2 hours 5 minutes`."""
    seconds = max(0, int((times.moment(end) - times.moment(start)).total_seconds()))
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    parts = []
    for unit, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(words.some(count, unit))
    return " ".join(parts[:2]) or "under a second"


def main_button() -> Literal["primary", "secondary"]:
    """The type of the button that a page is about. Streamlit writes it in white on the primary colour, for which that
    of the dark theme is too pale; a darker one could not be read as text, which it is as well."""
    return "secondary" if st.context.theme.type == "dark" else "primary"

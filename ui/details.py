"""The smaller questions about a file, most often never asked: marks, dates, letters, sheets, words.

Owns which of them apply to a kind of file.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import streamlit as st

from lambdas.stockfile.mapping import Mapping
from lambdas.stockfile.text import DELIMITERS
from services.uploads import Line
from ui import correction, plain
from ui.columns import Form, Parts, select
from ui.understood import ENCODINGS, delimiter_label, encoding_label

ASKED = frozenset({"sheet", "header", "decimal", "dates"})
"""The questions that are answered here."""
_WORDS = 5


def draw(form: Form, rejected: Sequence[Line]) -> None:
    """Only what applies. ``rejected``: the lines of the preview that are not usable."""
    asked = form.understood.question
    with st.expander("More", expanded=bool(asked and asked.about in ASKED)):
        left, middle, right = st.columns(3)
        with left:
            _numbers_and_dates(form)
        with middle:
            _text_or_sheet(form)
        with right:
            _rows(form, rejected)


def _numbers_and_dates(form: Form) -> None:
    mapping = form.understood.mapping
    marks = {".": "A point: 8.5", ",": "A comma: 8,5"}
    select(form, "decimal", "Decimal mark", list(marks), mapping.decimal, _as("decimal"), marks.__getitem__)
    if mapping.updated_at:
        orders = {"dmy": "The day: 31/12/2026", "mdy": "The month: 12/31/2026"}
        select(form, "dates", "In dates, first comes", list(orders), mapping.dates, _as("dates"), orders.__getitem__)


def _text_or_sheet(form: Form) -> None:
    of = form.understood
    if len(of.sheets) > 1:
        select(form, "sheet", "Sheet", of.sheets, _unasked(form, "sheet", of.mapping.sheet), _as("sheet"))
    if of.encoding:
        now = of.encoding.removesuffix("-sig")
        names = list(dict.fromkeys([now, *ENCODINGS]))
        select(form, "encoding", "Letters (encoding)", names, now, _as("encoding"), encoding_label)
    if of.delimiter:
        known = list(dict.fromkeys([of.delimiter, *DELIMITERS]))
        select(form, "delimiter", "What parts the cells", known, of.delimiter, _as("delimiter"), delimiter_label)


def _unasked(form: Form, about: str, value: str | None) -> str | None:
    """What is in use; nothing while it is asked for."""
    question = form.understood.question
    return None if question and question.about == about else value


def _rows(form: Form, rejected: Sequence[Line]) -> None:
    mapping = form.understood.mapping
    ways = {"last": "The newest counts, else the last", "sum": "Add them up"}
    select(form, "repeats", "An item that comes twice", list(ways), mapping.repeats or "last", _as("repeats"),
           ways.__getitem__)  # fmt: skip
    if not form.understood.kind.startswith("JSON"):
        _headings(form)
    for word in words(mapping, rejected):
        _word(form, word)


def _headings(form: Form) -> None:
    key = form.hold("header", form.understood.mapping.header is False)

    def changed() -> None:
        none = st.session_state[key]
        # Columns that were named by their headings have other names without them.
        correction.name_columns(form.mark, wanted=False)
        columns = {"item": (), "count": None, "store": None, "stores": (), "updated_at": None}
        correction.say(
            form.mark, form.understood.shape, form.opened.mapping, header=False if none else None, **columns
        )  # fmt: skip

    st.checkbox("The first row is no heading", key=key, on_change=changed)


def words(mapping: Mapping, rejected: Iterable[Line]) -> list[str]:
    """The words that stand for a count, or may: texts without a digit that stand where a count should."""
    columns = {mapping.count, *mapping.stores}
    found = [word for word, _ in mapping.words]
    for value in _texts(columns, rejected):
        if len(found) == max(_WORDS, len(mapping.words)):
            break
        if value not in found:
            found.append(value)
    return found


def _texts(columns: set[str | None], rejected: Iterable[Line]) -> Iterator[str]:
    for line in rejected:
        value = line["value"].strip()
        if line["column"] in columns and value and not any(map(str.isdigit, value)):
            yield value


def _word(form: Form, word: str) -> None:
    said = dict(form.understood.mapping.words)
    key = form.hold(f"word-{word}", word in said)

    def changed() -> None:
        now = dict((correction.said(form.mark) or form.opened.mapping).words)
        now.pop(word, None)
        form.say(words=(*now.items(), *([(word, "0")] if st.session_state[key] else [])))

    number = said.get(word, "0")
    st.checkbox(f"“{plain.escaped(word)}” means {plain.escaped(number)}", key=key, on_change=changed)


def _as(part: str) -> Any:
    def said(choice: str | None) -> Parts:
        return {part: choice}

    return said

"""The lesson on streams: four files, three ways to apply them, and what came out of each way's stream.

Owns the one classroom of the dashboard, and how a run is drawn. What it says is `services.lesson`'s.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lambdas import alerts as rules
from lambdas.fates import Mode
from lambdas.inventory import Key
from lambdas.stream import Change
from services import lesson, words
from services.access import Right
from services.lesson import Board, Classroom, File, Lesson, Phase, Sent
from ui import modes, plain, reads
from ui.reads import BY_THE_CLOCK, Link

OWN = "lesson-files"
_LEGEND = (
    ":small[What each stream said of an item after each file: :green-badge[new 8] INSERT · :blue-badge[8→0] MODIFY, "
    "old and new image · :gray-badge[time] MODIFY, only the time · 8: no record, the count stays]"
)
_BESIDE = 190  # pixels, so that a button has room beside it
_LETTERS, _DIGITS = 8, 2  # of items and counts for which three tables side by side have room
_NONE = "–"


def _press(what: Callable[..., None]) -> Callable[..., None]:
    """A click counts if it may be made at that moment."""

    def pressed(*args: Any) -> None:
        if reads.link().person.may(Right.OPERATE):
            what(*args)

    return pressed


@st.cache_resource(
    show_spinner=False, max_entries=1, hash_funcs=BY_THE_CLOCK, on_release=lambda room: room.start_over()
)  # fmt: skip
def classroom(held: Link) -> Classroom:
    """The one for all sessions."""
    return Classroom(held.stack)


def draw(held: Link) -> None:
    """All of it, on one screen."""
    room = classroom(held)
    board = room.board()
    now = board.lesson or Lesson(st.session_state.get(OWN) or lesson.story(), Phase.WAITING)
    begin, *columns = st.columns([1.9, 1, 1, 1, 1], gap="small")
    with begin:
        _begin(room, board, now)
    for number, (column, file) in enumerate(zip(columns, now.files, strict=True), 1):
        with column, st.container(gap="xsmall"):
            _file(number, file, sent=number <= now.sends)
    st.markdown(_LEGEND)
    for place, mode in zip(_places(now), lesson.MODES, strict=True):
        with place, st.container(gap="xsmall"):
            _way(mode, now)
    _summary(now)
    _every_record(now)


def _places(now: Lesson) -> Sequence[DeltaGenerator]:
    """Side by side; one below the other for a reader's own files of longer names or counts."""
    rows = [row for file in now.files for row in file.rows]
    short = all(len(row.item) <= _LETTERS and len(rules.plain(row.count)) <= _DIGITS for row in rows)
    return st.columns(3, gap="small") if short else [st.container() for _ in lesson.MODES]


def _begin(room: Classroom, board: Board, now: Lesson) -> None:
    st.markdown(
        "**Upload the same file twice: the second time nothing happens. Why?** Each file goes three ways, each into "
        "a table of its own with a stream."
    )
    sends, every = now.sends, len(now.files)
    go: dict[str, Any] = {"disabled": board.at_work, "on_click": _press(room.send)}
    with st.container(horizontal=True, gap="small"):
        if sends < every and not board.broke_off:
            st.button("Send the next file", key="lesson-next", args=(sends + 1, now.files), **go)
            st.button("Send all four", key="lesson-all", args=(every, now.files), **go)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(_state(board, now), width=_BESIDE if board.lesson else "stretch")
        if board.lesson:
            st.button(
                "Start over",
                key="lesson-over",
                type="tertiary",
                icon=":material/restart_alt:",
                on_click=_press(room.start_over),
            )


def _state(board: Board, now: Lesson) -> str:
    if board.broke_off:
        return f":material/error: {plain.escaped(board.broke_off)}"
    if board.lesson is None:
        return "Ask the class first: how many records will each stream hold? All who look here see the same lesson."
    if now.phase is Phase.MAKING:
        return ":material/hourglass_top: Making the tables. On AWS this takes some ten seconds."
    if now.phase is Phase.DONE:
        return (
            f":material/check: All are sent. {'Deleting the tables.' if board.at_work else 'The tables are deleted.'}"
        )
    if board.at_work:
        return f":material/hourglass_top: File {now.sends}: reading the streams until they say nothing more."
    return f"Ask the class: how many records will file {now.sends + 1} leave?"


def _file(number: int, file: File, *, sent: bool) -> None:
    """Items and counts; the times beside them, or above if there is but one."""
    times = {row.updated_at for row in file.rows}
    of_all = f"as of {_as_of(times.pop())} " if len(times) == 1 else ""
    mark = ":material/check:" if sent else ""
    st.markdown(f"**{number} · {plain.escaped(file.title)}**  \n:small[{of_all}{mark}]")
    rows = [(plain.escaped(row.item), rules.plain(row.count), _as_of(row.updated_at)) for row in file.rows]
    frame = pd.DataFrame(rows, columns=["Item", "Count", "As of"])
    _table(frame.drop(columns="As of") if of_all else frame, f"File {number}: items, counts and times")


def _as_of(at: str | None, form: str = "%a %H:%M") -> str:
    local = plain.local(at)
    return format(local, form) if local else "its upload"


def _table(frame: pd.DataFrame, what: str, *, index: bool = False) -> None:
    st.table(frame, border="horizontal", hide_index=not index, alt=what)


def _way(mode: Mode, now: Lesson) -> None:
    name, (call, meaning) = modes.name(mode), lesson.CALLS[mode]
    sent = now.sent[mode]
    st.markdown(f"**{name}** · `{call}`  \n:small[{meaning}]")
    _table(_matrix(now, sent), f"{name}: what the stream said after each file", index=True)
    st.caption(lesson.why(sent) if sent else "Nothing was sent yet.")


def _matrix(now: Lesson, sent: Sequence[Sent]) -> pd.DataFrame:
    """A row for each item, and below them the figures; a column for each file."""
    keys = dict.fromkeys((row.store, row.item) for file in now.files for row in file.rows)
    rows = [(plain.escaped(key[1]), [_cell(of, key) for of in sent]) for key in keys]
    rows.append(("Records", [_counted(of) for of in sent]))
    rows.append(("Alerts", [f":material/notifications: {len(of.opened)}" if of.opened else "0" for of in sent]))
    rows.append(("Stock", [_stock(right=of.right) for of in sent]))
    blank = [_NONE] * (len(now.files) - len(sent))
    titles = [str(number) for number in range(1, len(now.files) + 1)]
    return pd.DataFrame([cells + blank for _, cells in rows], index=[name for name, _ in rows], columns=titles)


def _cell(of: Sent, key: Key) -> str:
    """What a file's records said of an item; when they say nothing any more, the count that the table holds."""
    said = [_badge(one) for one in of.records if (one.store, one.item) == key]
    count = of.stock.get(key)
    return " ".join(said) or ("…" if not of.quiet else _NONE if count is None else rules.plain(count))


def _badge(one: Change) -> str:
    new = rules.plain(one.new_count)
    if one.event_name == "INSERT":
        return f":green-badge[new {new}]"
    if one.old_count == one.new_count:
        return ":gray-badge[time]"
    return f":blue-badge[{rules.plain(one.old_count)}→{new}]"  # as narrow as it can be: four of them stand side by side


def _counted(of: Sent) -> str:
    seen = len(of.records)
    return f"**{seen:,}**" if seen == of.expected else f"**{seen:,}** of {of.expected:,}"


def _stock(*, right: bool) -> str:
    return ":green[✓\u00a0right]" if right else ":red[✕\u00a0wrong]"


def _summary(now: Lesson) -> None:
    """The measured table. Its figures are counted from the streams."""
    files = [str(number) for number in range(1, len(now.files) + 1)]
    rows = []
    for line in lesson.summary(now):
        blank = [_NONE] * (len(files) - len(line.records))
        figures = [*map(str, line.records), *blank, f"**{sum(line.records)}**", str(line.alerts)]
        rows.append([modes.name(line.mode), *figures, _stock(right=line.right)])
    if not rows:
        return
    frame = pd.DataFrame(rows, columns=["Stream records after file", *files, "In all", "Alerts", "Stock"])
    left, right = st.columns([3, 2], gap="small", vertical_alignment="center")
    with left:
        _table(frame, "What was measured: stream records, alerts, stock")
    if now.phase is Phase.DONE:
        right.markdown("  \n".join(f":small[**{modes.name(mode)}.** {said}]" for mode, said in lesson.LEARNT.items()))


def _every_record(now: Lesson) -> None:
    every = {mode: [(n, one) for n, of in enumerate(now.sent[mode], 1) for one in of.records] for mode in lesson.MODES}
    if not any(every.values()):
        return
    with st.expander(f"The {words.some(sum(map(len, every.values())), 'stream record')}, as they came"):
        for column, (mode, records) in zip(st.columns(3, gap="small"), every.items(), strict=True):
            with column:
                st.markdown(f"**{modes.name(mode)}**")
                _table(_records(records), f"{modes.name(mode)}: its stream records")


def _records(records: Sequence[tuple[int, Change]]) -> pd.DataFrame:
    rows = [
        (str(number), one.event_name, plain.escaped(one.item), *map(" -> ".join, (_counts(one), _stated(one))))
        for number, one in records
    ]
    return pd.DataFrame(rows, columns=["File", "Record", "Item", "Count", "As of"])


def _counts(one: Change) -> list[str]:
    """The counts of both images, the old one's first."""
    return [rules.plain(count) for count in (one.old_count, one.new_count) if count is not None]


def _stated(one: Change) -> list[str]:
    """The times of both images, to the second: a stamp's are of today."""
    images = [image for image in (one.old, one.new) if image and "UpdatedAt" in image]
    return [_as_of(image["UpdatedAt"]["S"], "%a %H:%M:%S") for image in images]

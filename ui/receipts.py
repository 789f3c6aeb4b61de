"""Drawing a receipt: the five stages of an upload, its outcome in words, why nothing happened, its rows by fate."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import pandas as pd
import streamlit as st

from lambdas import times
from lambdas.alerts import Crossing, crossing
from lambdas.fates import WRITES, Fate
from services import words
from services.uploads import Line, Receipt
from ui import plain, tables

_NAMED = 5
GAP_SECONDS = 30
"""A record that is not seen for this long is an incident: the stream brings them within a second or two."""

FATES = {
    Fate.CHANGED: "● changed",
    Fate.INSERTED: "✚ new",
    Fate.TOUCHED: "◔ newer time, same count",
    Fate.STALE: "← older than what is known",
    Fate.DUPLICATE: "≡ repeated in the file",
    Fate.UNCHANGED: "✓ already up to date",
}
"""The fates of usable rows in a table, what moves first."""

Step = Literal["done", "now", "next", "failed"]
_LOOKS: dict[Step, tuple[str, Literal["green", "blue", "gray", "red"]]] = {
    "done": (":material/check:", "green"),
    "now": (":material/progress_activity:", "blue"),
    "next": (":material/radio_button_unchecked:", "gray"),
    "failed": (":material/close:", "red"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the five stages of an upload."""

    label: str
    at: str | None
    step: Step


def stages(of: Receipt) -> list[Stage]:
    """In the bucket · Loading · Rows applied · Stream records seen n of m · Checked for alerts."""
    loaded, failed = of.state == "loaded", of.state == "failed"
    seen = loaded and (of.records_seen or 0) >= of.records_expected
    checked = loaded and of.records_checked >= of.records_expected
    records = f"Stream records seen {of.records_seen or 0:,} of {of.records_expected:,}" if loaded else "Stream records"
    at = of.received_at, of.started_at, of.loaded_at, of.seen_at, of.checked_at
    labels = "In the bucket", "Loading", "Rows applied", records, "Checked for alerts"
    done = True, of.state != "received", loaded, seen, checked
    steps: list[Step] = ["done" if over else "next" for over in done]
    if failed:
        steps = ["done", "done", "failed", "next", "next"]
    elif "next" in steps:
        steps[steps.index("next")] = "now"
    return [Stage(*stage) for stage in zip(labels, at, steps, strict=True)]


def draw_stages(of: Receipt) -> None:
    with st.container(horizontal=True, gap="small"):
        for stage in stages(of):
            icon, colour = _LOOKS[stage.step]
            took = f" · {_after(of, stage)}" if _after(of, stage) else ""
            st.badge(stage.label + took, icon=icon, color=colour)


def _after(of: Receipt, stage: Stage) -> str:
    """How long after it was received a stage was reached: `0.2 s`."""
    if not of.received_at or not stage.at or stage.at == of.received_at:
        return ""
    return f"{(times.moment(stage.at) - times.moment(of.received_at)).total_seconds():.1f} s"


def draw(of: Receipt, lines: Sequence[Line]) -> None:
    """The whole receipt, or a preview: words, reasons, alerts, rows."""
    said = plain.escaped(plain.timed(words.receipt(of)))
    if of.state == "failed":
        st.error(said, icon=":material/error:")
        return
    if missing := gap(of):
        st.error(missing, icon=":material/running_with_errors:")
    if of.records_expected:
        st.success(said, icon=":material/check_circle:")
    else:
        st.info(said, icon=":material/info:")
    if reason := why(of):
        st.markdown(reason)
    draw_alerts(lines, of.state == "preview")
    draw_rows(lines, of.upload_id or of.file)


def draw_alerts(lines: Sequence[Line], ahead: bool) -> None:
    """The items that an upload brings to nothing."""
    out = [line for line in lines if runs_out(line)]
    if not out:
        return
    names = [f"{line['store']} · {line['item']} ({_moved(line)})" for line in out[:_NAMED]]
    rest = f" and {len(out) - _NAMED:,} more" if len(out) > _NAMED else ""
    told = "Will be out of stock" if ahead else "Out of stock"
    st.warning(f"{told}: {plain.escaped('; '.join(names))}{rest}", icon=":material/notifications_active:")


def runs_out(line: Line) -> bool:
    """Whether a row opens an alert: the rule of the checker, on the counts that the row replaces and states."""
    if line["fate"] not in WRITES:
        return False
    was = Decimal(line["was"]) if "was" in line else None
    return crossing(was, Decimal(line["count"])) is Crossing.OPENS


def why(of: Receipt) -> str:
    """Why nothing happened, or less than a reader would expect; empty when there is nothing to explain."""
    told = {fate: count for fate, count in of.fates.items() if count}
    if of.state == "loaded" and not of.records_expected:
        return f"{_nothing(told, of.rows)} {_NO_RECORD}"
    if set(told) == {Fate.TOUCHED}:
        return (
            "Every count is what it was; only the time of each moved, and that is a change to DynamoDB. "
            "No count crossed zero, so no alert was raised."
        )
    return ""


_NO_RECORD = "DynamoDB writes a stream record only when data changes, so none is expected and no alert could be raised."


def _nothing(told: dict[str, int], rows: int) -> str:
    whole = f"All {rows:,} rows were" if rows > 1 else "The one row was"
    if set(told) == {Fate.UNCHANGED}:
        return f"{whole} already up to date."
    if set(told) == {Fate.STALE}:
        return f"{whole} older than what is known, so the newer counts stayed."
    if set(told) == {Fate.REJECTED}:
        return f"{whole} not usable."
    return f"Nothing changed: {words.fates({fate: told.get(fate, 0) for fate in Fate})}."


def gap(of: Receipt) -> str:
    """What is said when records stay away, or too many come; empty while all is well or still on its way."""
    if of.state == "loaded" and (of.records_seen or 0) > of.records_expected:
        return f"Incident: {words.some(of.records_expected, 'stream record')} expected, {of.records_seen:,} seen."
    if of.state != "loaded" or of.settled or not of.loaded_at:
        return ""
    if (times.moment(times.now()) - times.moment(of.loaded_at)).total_seconds() < GAP_SECONDS:
        return ""
    seen = min(of.records_seen or 0, of.records_checked)
    missing = words.some(of.records_expected - seen, "stream record")
    return f"Incident: {missing} of {of.records_expected:,} did not come through since {words.ago(of.loaded_at)}."


def draw_rows(lines: Sequence[Line], key: str) -> None:
    """A file's rows: what moves first, what is not usable with its reason, then the rest."""
    usable = [line for line in lines if line["fate"] != Fate.REJECTED]
    rejected = [line for line in lines if line["fate"] == Fate.REJECTED]
    if rejected:
        st.markdown(
            f":red[**{words.some(len(rejected), 'row')} not usable**] – mend them in the file and send it again."
        )
        st.dataframe(rejects(rejected), key=f"rejected-{key}", hide_index=True, alt="Rows that are not usable")
    if usable:
        tables.show(by_fate(usable), f"rows-{key}", "Rows by what becomes of them")


def rejects(lines: Sequence[Line]) -> pd.DataFrame:
    names = {"row": "Row", "column": "Column", "value": "Value", "reason": "Reason"}
    return pd.DataFrame([{label: line[name] for name, label in names.items()} for line in lines])


def by_fate(lines: Sequence[Line]) -> pd.DataFrame:
    order = list(FATES)
    ranked = sorted(lines, key=lambda line: (order.index(Fate(line["fate"])), line["row"]))
    frame = pd.DataFrame([_row(line) for line in ranked], columns=["fate", "item", "counts", "store", "row", "why"])
    return frame if frame["why"].any() else frame.drop(columns="why")


def _row(line: Line) -> tuple[str, ...]:
    why = plain.timed(line.get("reason", ""))
    return FATES[Fate(line["fate"])], line["item"], _moved(line), line["store"], f"{line['row']:,}", why


def _moved(line: Line) -> str:
    """`12 -> 0`; a count that stays is told once."""
    if line["fate"] == Fate.CHANGED:
        return f"{line.get('was', '?')} -> {line['count']}"
    if line["fate"] == Fate.STALE and "was" in line:
        return f"stays {line['was']} (file: {line['count']})"
    return str(line["count"])

"""Drawing a receipt: the five stages of an upload, its outcome in words, why nothing happened, its rows by fate.

Knows nothing of how rows are shown: see `ui.rows`.
"""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from lambdas import times
from lambdas.fates import Fate
from services import uploads, words
from services.outcome import GAP_SECONDS
from services.uploads import Receipt
from ui import plain, rows

STATES = ("✓ done", "✕ not loaded", "? needs an answer", "✕ records missing", "… under way")
"""Where an upload stands; see `state`."""

Step = Literal["done", "now", "next", "asked", "failed"]
_LOOKS: dict[Step, tuple[str, Literal["green", "blue", "gray", "orange", "red"]]] = {
    "done": (":material/check:", "green"),
    "now": (":material/progress_activity:", "blue"),
    "next": (":material/radio_button_unchecked:", "gray"),
    "asked": (":material/contact_support:", "orange"),
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
    loaded = of.state == "loaded"
    seen = loaded and (of.records_seen or 0) >= of.records_expected
    checked = loaded and of.records_checked >= of.records_expected
    records = f"Stream records seen {of.records_seen or 0:,} of {of.records_expected:,}" if loaded else "Stream records"
    at = of.received_at, of.started_at, of.loaded_at, of.seen_at, of.checked_at
    labels = "In the bucket", "Loading", _applied(of), records, "Checked for alerts"
    done = True, of.state != "received", loaded, seen, checked
    steps: list[Step] = ["done" if over else "next" for over in done]
    if of.state == "failed":
        steps = ["done", "done", "failed", "next", "next"]
    elif of.state == "waiting":
        labels = "In the bucket", "Waiting for an answer", "Rows applied", records, "Checked for alerts"
        steps = ["done", "asked", "next", "next", "next"]
    elif "next" in steps:
        steps[steps.index("next")] = "now"
    return [Stage(*stage) for stage in zip(labels, at, steps, strict=True)]


def _applied(of: Receipt) -> str:
    """How far it is: a file of many rows is applied, and counted, in parts."""
    if of.state != "loading" or not of.whole or not of.rows:
        return "Rows applied"
    return f"Rows applied {of.rows:,} of {of.whole:,}"


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


def draw(of: Receipt, told: rows.Told, key: str, to_mend: tuple[str, rows.Mended] | None = None) -> None:
    """The whole receipt, or a preview: words, reasons, alerts, rows. ``to_mend``: the file of what is not usable."""
    draw_words(of)
    if of.state in ("failed", "waiting"):
        return
    draw_alerts(of, told)
    if of.fates[Fate.REJECTED]:
        rows.draw_rejects(of, told, key, to_mend)
    if of.usable:
        rows.draw_usable(of, told, key)
    draw_cost(of)


def draw_words(of: Receipt) -> None:
    """What it did, or why it did nothing or could not be loaded."""
    said = plain.escaped(plain.timed(words.receipt(of)))
    if of.state in ("failed", "waiting"):
        _draw_unloaded(of, said)
        return
    if missing := gap(of):
        st.error(missing, icon=":material/running_with_errors:")
    if of.records_expected and of.state in ("loaded", "preview"):
        st.success(said, icon=":material/check_circle:")
    else:
        st.info(said, icon=":material/info:")
    if reason := why(of):
        st.markdown(reason)


def draw_cost(of: Receipt) -> None:
    if of.state == "loaded" and of.settled:
        st.caption(plain.escaped(words.cost(of)))  # two dollar signs would be a formula


def _draw_unloaded(of: Receipt, said: str) -> None:
    if of.state == "failed":
        st.error(said, icon=":material/error:")
        st.page_link("pages/pipeline.py", label="Run it again", icon=":material/replay:")
        return
    st.warning(said, icon=":material/contact_support:")
    st.page_link("pages/upload.py", label="Answer it", icon=":material/upload_file:")


def draw_alerts(of: Receipt, told: rows.Told) -> None:
    """The items that an upload brings to nothing."""
    if not told.out:
        return
    ahead = of.state == "preview"
    known = ahead or of.rows <= uploads.MOST_ROWS
    many = f"{told.all_out - len(told.out):,} more" if known else "more"
    rest = f" and {many}" if told.all_out > len(told.out) else ""
    begins = "Will be out of stock" if ahead else "Out of stock"
    st.warning(f"{begins}: {plain.escaped('; '.join(told.out))}{rest}", icon=":material/notifications_active:")


def why(of: Receipt) -> str:
    """Why nothing happened, or less than a reader would expect; empty when there is nothing to explain."""
    told = {fate: count for fate, count in of.fates.items() if count}
    if of.state == "loaded" and not of.records_expected:
        return f"{_nothing(of, told)} {_NO_RECORD}"
    if set(told) == {Fate.TOUCHED}:
        return (
            "Every count is what it was; only the time of each moved, and that is a change to DynamoDB. "
            "No count crossed zero, so no alert was raised."
        )
    return ""


_NO_RECORD = "DynamoDB writes a stream record only when data changes, so none is expected and no alert could be raised."


def _nothing(of: Receipt, told: dict[str, int]) -> str:
    whole = f"All {of.rows:,} rows were" if of.rows > 1 else "The one row was"
    if set(told) == {Fate.UNCHANGED}:
        return f"{whole} already up to date."
    if set(told) == {Fate.STALE} and not of.undoes:
        return f"{whole} older than what is known, so the newer counts stayed."
    if set(told) == {Fate.REJECTED}:
        return f"{whole} not usable."
    return f"Nothing changed: {words.fates(of.fates, of.mode)}."


def state(of: Receipt) -> str:
    """Where it stands, in a word or two with a mark."""
    if of.state == "failed":
        return STATES[1]
    if of.state == "waiting":
        return STATES[2]
    if gap(of):
        return STATES[3]
    return STATES[0] if of.settled else STATES[4]


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

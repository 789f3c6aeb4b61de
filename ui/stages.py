"""The pipeline's stages as they stand: the picture of them, and in one sentence whether all is well.

Owns where each number comes from and what counts as wrong. How it is drawn is `ui.flow`.
"""

from datetime import date

import streamlit as st

from lambdas import failures as kept
from lambdas import times
from services import words
from services.runs import Function, Reader
from ui import charts, flow, plain, reads, receipts, running
from ui.flow import Stage
from ui.reads import Link

_LATE_SECONDS = 30
"""A reader that is further behind than this is wrong: the stream takes a second or two."""


def draw(held: Link) -> None:
    """The picture, as high as it is wide on a phone."""
    found = gather(held)
    told = "The pipeline. " + "; ".join(one.told for one in found)
    st.plotly_chart(flow.drawn(found, dark=st.context.theme.type == "dark"), key="flow", config=charts.CONFIG, alt=told)


def draw_verdict(held: Link) -> None:
    """What needs a look, and where; or that nothing does, and what is on its way."""
    found, queue = gather(held), running.queue(held)
    if wrong := [one for one in found if one.wrong]:
        told = " · ".join(f"**{one.name}**: {one.wrong}" for one in wrong)
        st.error(f"Needs a look: {told}. Below stands what failed, and the log.", icon=":material/error:")
        return
    if odd := [one for one in found if one.odd]:
        told = ", ".join(f"{one.name}: {one.odd}" for one in odd)
        st.warning(f"Nothing needs you. In the last 15 minutes: {told}. The log says why.", icon=":material/warning:")
        return
    if under_way := queue["waiting"] + queue["parts"] + queue["loading"]:
        what = "part" if queue["parts"] else "file"
        st.info(f"{words.some(under_way, what)} on the way.", icon=":material/progress_activity:")
        return
    late = [one for one in running.readers(held) if one.behind >= words.UP_TO_DATE_SECONDS]
    if late:
        told = ", ".join(f"the {one.name} is {words.behind(one.behind)}" for one in late)
        st.info(f"On the way: {told}.", icon=":material/progress_activity:")
        return
    st.success(
        "Everything is through: nothing waits, nothing failed, and both readers of the stream are up to date.",
        icon=":material/check_circle:",
    )


def gather(held: Link) -> tuple[Stage, ...]:
    """Every stage with its numbers."""
    functions = {one.name: one for one in running.functions(held)}
    readers = {one.name: one for one in running.readers(held)}
    return (
        _bucket(held),
        _queue(held),
        _dead(held),
        _function(flow.LOADER, functions["loader"]),
        _function(flow.SWEEPER, functions["sweeper"]),
        _table(held),
        Stage(flow.STREAM, (words.some(readers["recorder"].records, "record"), "in 15 minutes")),
        _reader(flow.RECORDER, functions["recorder"], readers["recorder"]),
        _reader(flow.CHECKER, functions["checker"], readers["checker"]),
        _changes(held),
        *_alerts(held),
    )


def _bucket(held: Link) -> Stage:
    sent = reads.receipts(held)
    if not sent:
        return Stage(flow.BUCKET, ("no file yet",))
    today = _day(times.now())
    many = sum(_day(one.received_at) == today for one in sent)
    least = "over " if many == len(sent) >= 100 else ""
    return Stage(flow.BUCKET, (f"{least}{words.some(many, 'file')} today", f"last {words.ago(sent[0].received_at)}"))


def _day(at: str | None) -> date | None:
    """Whose clock counts is the reader's."""
    moment = plain.local(at)
    return moment.date() if moment else None


def _queue(held: Link) -> Stage:
    depth = running.queue(held)
    parts = f", {words.some(depth['parts'], 'part')}" if depth["parts"] else ""
    return Stage(flow.QUEUE, (f"{depth['waiting']:,} waiting{parts}", f"{depth['loading']:,} in flight"))


def _dead(held: Link) -> Stage:
    given_up, failed = running.queue(held)["given up"], len(reads.failed(held))
    wrong = [f"{failed:,} failed"] if failed else []
    wrong += [f"{given_up:,} given up"] if given_up else []
    return Stage(flow.DEAD, () if wrong else ("none", "nothing needs help"), ", ".join(wrong))


def _function(name: str, of: Function) -> Stage:
    if not of.runs:
        return Stage(name, (_ran(of),))
    return Stage(name, (_ran(of), f"last {words.ago(of.runs[0].at)}"), odd=_failed(of))


def _ran(of: Function) -> str:
    return f"{words.some(len(of.runs), 'run')} in 15 minutes" if of.runs else "no run in 15 minutes"


def _failed(of: Function) -> str:
    return f"{words.some(of.errors, 'run')} failed" if of.errors else ""


def _reader(name: str, of: Function, reader: Reader) -> Stage:
    behind = words.behind(reader.behind)
    if reader.stuck:
        return Stage(name, (_ran(of),), f"stuck, {behind}")
    if reader.behind > _LATE_SECONDS:
        return Stage(name, (_ran(of),), behind)
    return Stage(name, (behind if of.errors else _ran(of), behind), odd=_failed(of))


def _table(held: Link) -> Stage:
    gaps = sum(bool(receipts.gap(one)) for one in reads.receipts(held))
    missing = f"records missing of {words.some(gaps, 'file')}" if gaps else ""
    return Stage(flow.TABLE, (words.some(len(held.mirror.items), "item"),), missing)


def _changes(held: Link) -> Stage:
    latest = reads.feed(held, 1)
    return Stage(flow.CHANGES, (f"last {words.ago(latest[0].at)}", "kept for 90 days") if latest else ("none yet",))


def _alerts(held: Link) -> tuple[Stage, Stage]:
    still = reads.open_alerts(held)
    unsent = sum(one.unsent and not one.due for one in still)
    later = len(reads.held_alerts(held))
    refused = sum(one.kind == kept.NOTICE for one in reads.failed(held))
    wrong = f"{refused:,} not sent" if refused else ""
    return (
        Stage(flow.ALERTS, (f"{len(still):,} open",)),
        Stage(flow.NOTIFICATIONS, (f"{unsent:,} waiting to be sent", f"{later:,} held till later"), wrong),
    )

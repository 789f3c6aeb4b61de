"""The reader's day: how many counts changed in each hour, and which ones just now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from lambdas import times
from services.changes import Counted, Seen
from services.pulse import Beat
from services.wanted import is_touched
from ui import charts, following, plain, reads, tables
from ui.charts import Hour
from ui.reads import Link

_LATEST, _LOOKED_AT = 8, 100


def draw(held: Link) -> None:
    """The day as bars, and beside it the latest changes; on a day without any, these alone."""
    latest = [one for one in following.latest(held, _LOOKED_AT) if not is_touched(one)][:_LATEST]
    if not latest:
        return
    begin, hours = _hours(held)
    if not any(hour.changed for hour in hours):
        _just_changed(held, latest)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _today(held, begin, hours)
    with right:
        _just_changed(held, latest)


def _today(held: Link, begin: datetime, hours: Sequence[Hour]) -> None:
    whole = sum((hour.beat for hour in hours), Beat())
    busiest = max(hours, key=lambda hour: hour.changed)
    most = "most of it " if sum(hour.changed > 0 for hour in hours) > 1 else ""
    st.subheader("Today", anchor=False)
    st.markdown(f"{charts.beat_told(whole)}, {most}between {busiest.span}.")
    figure = charts.day(tuple(hours))
    st.plotly_chart(figure, key="day", config=charts.CONFIG, alt=f"Today, hour by hour: {charts.beat_told(whole)}")
    if (reached := following.reached(held)) and reached > times.text(begin):
        st.caption(f"Still being counted: what was before {plain.clock(reached)} is missing.")


def _hours(held: Link) -> tuple[datetime, list[Hour]]:
    """When the reader's day began, and its hours: 23 or 25 when the clocks are changed."""
    zone = ZoneInfo(plain.zone())
    begin = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    end = (begin + timedelta(days=1)).timestamp()  # the wall clock's next midnight
    moments = [datetime.fromtimestamp(begin.timestamp() + 3600 * hour, zone) for hour in range(26)]
    moments = [moment for moment in moments if moment.timestamp() <= end]
    beats = following.between(held, moments)
    pairs = zip(moments, moments[1:], beats, strict=False)
    return begin, [
        Hour(f"{first:%H:%M}", f"{last:%H:%M}", beat.changed, beat.out, beat.back) for first, last, beat in pairs
    ]


def _just_changed(held: Link, latest: Sequence[Seen | Counted]) -> None:
    st.subheader("Just changed", anchor=False)
    names = reads.files(held, {one.upload_id for one in latest})
    shown = tables.changes(tables.change(one, names) for one in latest)
    tables.show(shown[["item", "store", "change", "upload"]], "latest", "Latest changes", tables.height(len(shown)))
    st.page_link("pages/changes.py", label="All changes", icon=":material/arrow_forward:")

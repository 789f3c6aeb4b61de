"""The last weeks and the stock's standing: worked out once, followed from then on, equal to a count from nothing."""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas import recording, times
from lambdas.reorder import Points
from lambdas.stream import Change
from local import engine
from services import changes
from services import stack as stacks
from services.aside import Aside
from services.changes import Counted
from services.cover import DAYS
from services.errors import Unavailable
from services.lately import Lately
from services.pulse import Beat, Pulse
from services.stack import Stack
from services.standing import AHEAD_SECONDS, Figures, Standing
from services.stock import Mirror
from services.trail import Trail
from services.wanted import Wanted
from tests.conftest import csv, sent
from tests.waiting import until

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An engine of its own: its changes have a past that no upload made."""
    home = tmp_path_factory.mktemp("weeks")
    yield stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(home), "AWS_ENDPOINT_URL": "", "STOCKTRAIL_STACK": ""})
    engine.detach(home)


def kept(stack: Stack, store: str, item: str, days_ago: float, old: int | None, new: int | None) -> None:
    """A change as it was kept so many days ago."""
    at = times.later(times.now(), days=-days_ago)
    images = [image(store, item, count) for count in (old, new)]
    event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    change = Change(f"{store}-{item}-{days_ago}", "1", event, at, store, item, *images, None)
    recording.record(stack.world, [change])


def image(store: str, item: str, count: int | None) -> dict[str, dict[str, str]] | None:
    return None if count is None else {"Store": {"S": store}, "Item": {"S": item}, "Count": {"N": str(count)}}


def sold(stack: Stack, store: str, item: str) -> None:
    """An item that came in 15 days ago and sold 14 a day on three of them; in the table it has 6 left."""
    for days_ago, old, new in ((15, None, 48), (14, 48, 34), (13, 34, 20), (12, 20, 6)):
        kept(stack, store, item, days_ago, old, new)


def read(lately: Lately) -> Lately:
    lately.begin()
    until(lambda: lately.reached is None)
    return lately


def at_once(_: float) -> None:
    """No rest between two parts."""


def mirror_of(stack: Stack) -> Mirror:
    mirror = Mirror(stack, every=0)
    mirror.refresh()
    return mirror


def test_the_four_weeks_before_are_read_and_tell_what_will_be_out_soon(stack: Stack, store: str):
    sold(stack, store, "Tea")
    sent(stack, csv(store, "Tea,6"))
    lately = read(Lately(stack, mirror_of(stack), at_once))
    (cover,) = [one for one in lately.soon().covers if one.store == store]
    assert (cover.item, cover.count, cover.fallen, round(cover.days)) == ("Tea", 6, 42, 15)


def test_today_is_told_while_the_past_is_read_and_what_will_be_out_when_all_is(stack: Stack, store: str):
    sold(stack, store, "Milk")
    sent(stack, csv(store, "Milk,6"))
    goes_on, rests = threading.Event(), []

    def rest(_: float) -> None:
        rests.append(None)
        if len(rests) > 1 + 4:  # behind the newest hour, which are four shards
            goes_on.wait()

    lately = Lately(stack, mirror_of(stack), rest)
    assert lately.reached is not None
    lately.begin()
    an_hour = timedelta(hours=1)
    assert until(lambda: lately.between([datetime.now(UTC) - an_hour, datetime.now(UTC) + an_hour])[0].changed)
    until(lambda: len(rests) > 5)
    told = lately.soon()
    assert told.reached is not None
    assert not told.covers
    goes_on.set()
    until(lambda: lately.reached is None)
    assert [one.item for one in lately.soon().covers if one.store == store] == ["Milk"]


def test_what_is_read_is_handed_on_to_a_trail_that_holds_nothing_yet(stack: Stack, store: str):
    sold(stack, store, "Soup")
    trail = Trail()
    read(Lately(stack, mirror_of(stack), at_once, trail))
    lines = trail.page(Wanted(store), 50).lines
    assert [one.new_count for one in lines] == [6, 20, 34, 48]
    assert trail.floor[:10] == times.later(times.now(), days=-DAYS)[:10]


def test_each_change_counts_once_whether_it_was_read_or_heard(stack: Stack, store: str):
    mirror = mirror_of(stack)
    sent(stack, csv(store, *(f"Item {n},{n + 50}" for n in range(20))))
    goes_on = threading.Event()
    lately = Lately(stack, mirror, lambda _: goes_on.wait() and None)  # the mirror has not seen these 20 yet
    lately.begin()
    sent(stack, csv(store, *(f"Item {n},{n + 40}" for n in range(20))))
    mirror.refresh()  # 40 are heard
    sent(stack, csv(store, *(f"Item {n},{n + 30}" for n in range(20))))
    goes_on.set()  # 60 are read
    until(lambda: lately.reached is None)
    mirror.refresh()  # and 20 are heard once more
    assert fallen(lately, store) == {f"Item {n}": 20 for n in range(20)}


def fallen(lately: Lately, store: str) -> dict[str, float]:
    """What each of a store's items fell by, all days together."""
    falls = lately._falls
    return {item: float(falls._fallen[row].sum()) for (of, item), row in falls._rows.items() if of == store}


def test_what_broke_off_goes_on_where_it_was(stack: Stack, store: str):
    sold(stack, store, "Rolls")
    sent(stack, csv(store, "Rolls,6"))
    rests = []

    def rest(_: float) -> None:
        rests.append(None)
        if len(rests) == 7:
            raise Unavailable("the cable was pulled")

    lately = Lately(stack, mirror_of(stack), rest)
    lately.begin()
    until(lambda: lately._thread and not lately._thread.is_alive())
    assert lately.reached is not None
    read(lately)
    assert fallen(lately, store) == {"Rolls": 42}


COUNT = st.none() | st.integers(-2, 3).map(Decimal)


@given(st.lists(st.tuples(st.integers(0, 24 * 3600 - 1), COUNT, COUNT), max_size=50))
def test_the_pulse_of_a_day_is_what_its_changes_add_up_to(changes: list[tuple[int, Decimal | None, Decimal | None]]):
    pulse, hours = Pulse(), Counter[int]()
    for second, old, new in changes:
        pulse.add(times.text(MIDNIGHT + timedelta(seconds=second)), old, new)
        hours[second // 3600] += old != new
    for hour in range(24):
        start = MIDNIGHT + timedelta(hours=hour)
        assert pulse.between(start, start + timedelta(hours=1)).changed == hours[hour]
    whole = pulse.between(MIDNIGHT, MIDNIGHT + timedelta(days=1))
    ran = sum(new is not None and new <= 0 and (old is None or old > 0) for _, old, new in changes)
    back = sum(old is not None and old <= 0 and new is not None and new > 0 for _, old, new in changes)
    assert whole == Beat(sum(hours.values()), ran, back)


def test_an_hour_of_a_zone_half_an_hour_off_is_told_exactly():
    pulse, zone = Pulse(), ZoneInfo("Asia/Kolkata")
    for minute in (29, 31):
        pulse.add(f"2026-11-25T03:{minute}:00.000000Z", Decimal(3), Decimal(2))
    nine = datetime(2026, 11, 25, 9, tzinfo=zone)
    assert [
        pulse.between(nine - timedelta(hours=1), nine).changed,
        pulse.between(nine, nine + timedelta(hours=1)).changed,
    ] == [1, 1]


def test_the_pulse_forgets_what_is_no_readers_today():
    pulse = Pulse()
    for hour in range(24 * 20):
        for quarter in range(4):
            pulse.add(times.text(MIDNIGHT + timedelta(hours=hour, minutes=15 * quarter)), Decimal(1), Decimal(2))
    assert len(pulse._quarters) < 500
    end = MIDNIGHT + timedelta(days=20)
    assert pulse.between(end - timedelta(hours=50), end).changed == 200


def from_nothing(mirror: Mirror, points: Points) -> Figures:
    return Standing(mirror).figures(points)


def plainly(of: Figures) -> tuple[object, ...]:
    """What figures say, without their order and serial."""
    lists = ({(one.store, one.item) for one in some} for some in (of.out, of.low, of.ahead))
    return of.items, *lists, {one.store: one for one in of.stores}


def test_the_standing_that_follows_equals_one_from_nothing(stack: Stack, store: str):
    mirror, points = mirror_of(stack), Points(Decimal(5), {}, {(store, "Tea"): Decimal(9)})
    standing = Standing(mirror)
    standing.figures(points)
    for counts in ("3 4 0", "0 9 7", "6 0 0", "50 51 -2"):
        rows = [f"{name},{count}" for name, count in zip(("Jam", "Tea", "Figs"), counts.split(), strict=True)]
        receipt = sent(stack, csv(store, *rows))
        mirror.refresh()
        found = standing.figures(points)
        assert plainly(found) == plainly(from_nothing(mirror, points))
        (own,) = [one for one in found.stores if one.store == store]
        assert own.moved_by == receipt.upload_id
    assert (own.items, own.out, own.low) == (3, 1, 0)


def test_other_reorder_points_are_another_standing(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,6"))
    mirror = mirror_of(stack)
    standing = Standing(mirror)

    def low(points: Points) -> bool:
        return (store, "Tea") in {(one.store, one.item) for one in standing.figures(points).low}

    assert [low(Points()), low(Points(Decimal(6))), low(Points(Decimal(5)))] == [False, True, False]


def test_nothing_new_is_the_same_figures(stack: Stack):
    mirror = mirror_of(stack)
    standing = Standing(mirror)
    assert standing.figures(Points()) is standing.figures(Points())


def test_a_count_whose_time_lies_ahead_is_locked_until_then(stack: Stack, store: str):
    now = times.now()
    ahead = [times.later(now, hours=5), times.later(now, seconds=AHEAD_SECONDS / 2), times.later(now, hours=-1)]
    rows = [f"{name},3,{at}" for name, at in zip(("Jam", "Tea", "Figs"), ahead, strict=True)]
    sent(stack, csv(store, *rows, header="store,item,count,updated_at"))
    figures = Standing(mirror_of(stack)).figures(Points())
    assert [one.item for one in figures.locked(now) if one.store == store] == ["Jam"]
    assert not figures.locked(times.later(now, hours=6))


def test_work_beside_is_done_once_and_told_as_long_as_it_is_fresh():
    done = []
    aside = Aside(lambda: done.append(None) or len(done), lambda: 1000, "counting")
    assert until(aside.latest) == 1
    assert [aside.latest() for _ in range(3)] == [1, 1, 1]


def test_work_beside_that_can_not_be_done_is_quietly_tried_again_later():
    tried = []

    def work() -> int:
        tried.append(None)
        raise Unavailable("no answer")

    aside = Aside(work, lambda: 1000, "failing")
    for _ in range(3):
        assert aside.latest() is None
        until(lambda: aside._thread and not aside._thread.is_alive())
    assert len(tried) == 1
    aside._due = 0.0  # half a minute later
    assert aside.latest() is None
    assert until(lambda: len(tried) == 2)


def test_what_is_kept_of_a_change_is_its_moment_and_its_counts(stack: Stack, store: str):
    kept(stack, store, "Tea", 2, 5, 3)
    hours = changes.hours(stack, times.later(times.now(), days=-3)[:13])
    found = [one for hour in hours for shard in range(4) for one in changes.counted(stack, hour, shard)]
    (own,) = [one for one in found if one.store == store]
    assert own == Counted(f"{store}-Tea-2", own.position, store, "Tea", Decimal(5), Decimal(3), None)
    assert own.at[:10] == times.later(times.now(), days=-2)[:10]
    assert hours == sorted(hours, reverse=True)

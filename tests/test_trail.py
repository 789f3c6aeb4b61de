"""The trail answers what a plain list of all changes would, in whatever order and however often they come."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas import times
from services.changes import Counted
from services.trail import News, Trail
from services.wanted import EVENTS, Wanted

NOON = "2026-11-23T12:00:00.000000Z"
STORES, ITEMS, UPLOADS = ("Berlin", "Oslo"), ("Oat milk", "Oats", "Tea"), (None, "up-1", "up-2")
COUNTS = st.none() | st.sampled_from([Decimal(number) for number in ("-1", "0", "1", "2.5")])


def position(second: int, sequence: int, event_id: str) -> str:
    return f"{times.later(NOON, seconds=second)}#{sequence:0>40}#{event_id}"


PLACES = st.tuples(st.integers(0, 5), st.sampled_from((0, 1, 2, 10**39)), st.sampled_from("abc"))
KINDS = st.tuples(st.sampled_from(STORES), st.sampled_from(ITEMS), COUNTS, COUNTS, st.sampled_from(UPLOADS))


def a_change(place: tuple[int, int, str], kind: tuple[Any, ...], event: str) -> Counted:
    return Counted(place[2], position(*place), *kind, event)


CHANGE = st.builds(a_change, PLACES, KINDS, st.sampled_from(EVENTS))
SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PAST = st.lists(CHANGE, min_size=3, max_size=30, unique_by=lambda one: one.position)
ONE_FILTER = [
    Wanted(), Wanted("Berlin"), Wanted("Nowhere"), Wanted(text="OAT"), Wanted(text="x"), Wanted(event="INSERT"),
    Wanted(event="MODIFY"), Wanted(event="REMOVE"), Wanted(upload_id="up-1"), Wanted(upload_id="up-3"),
    Wanted(real=True), Wanted(zero=True),
]  # fmt: skip
MANY_FILTERS = st.builds(
    Wanted, st.sampled_from((None, *STORES)), st.sampled_from(("", "oat", "tea")), st.sampled_from((None, *EVENTS)),
    st.sampled_from(UPLOADS), st.booleans(), st.booleans(),
)  # fmt: skip
WANTED = st.just(Wanted()) | st.sampled_from(ONE_FILTER) | MANY_FILTERS
BOUND = st.none() | st.builds(position, st.integers(-1, 6), st.integers(0, 3), st.sampled_from("abc"))
TIME = st.integers(-1, 7).map(lambda second: times.later(NOON, seconds=second))


def fits(one: Counted, asked: Wanted) -> bool:
    """What each filter means, said once more."""
    touched = one.event == "MODIFY" and one.old_count == one.new_count
    runs_out = one.new_count is not None and one.new_count <= 0 and (one.old_count is None or one.old_count > 0)
    return all(
        (
            asked.store in (None, one.store),
            asked.text.lower() in one.item.lower(),
            asked.event in (None, one.event),
            asked.upload_id in (None, one.upload_id),
            not asked.real or not touched,
            not asked.zero or runs_out,
        )
    )


def newest(past: Sequence[Counted], asked: Wanted) -> list[Counted]:
    return sorted((one for one in past if fits(one, asked)), key=lambda one: one.position, reverse=True)


def told(past: Sequence[Counted], *, all_known: bool = True) -> Trail:
    trail = Trail()
    trail.add(past)
    if all_known:
        trail.reach("")
    return trail


@SOME
@given(PAST, st.data(), WANTED, st.integers(1, 8), BOUND | TIME)
def test_a_page_is_what_a_list_of_all_changes_says(
    past: list[Counted], data: st.DataObject, asked: Wanted, size: int, below: str | None
):
    trail = told(())
    while past and data.draw(st.booleans()):  # in parts, in any order, again and again
        trail.add(data.draw(st.lists(st.sampled_from(past))))
    trail.add(data.draw(st.permutations(past)))
    page = trail.page(asked, size, below)
    want = [one for one in newest(past, asked) if below is None or one.position < below]
    assert len(trail) == len(past)
    assert (list(page.lines), page.more) == (want[:size], len(want) > size)
    assert [trail.line(one.position) for one in past] == past
    assert not below or trail.line(below) in (None, *past)


@SOME
@given(PAST, WANTED, st.integers(1, 8), BOUND)
def test_a_page_above_is_the_first_ones_behind_it(past: list[Counted], asked: Wanted, size: int, above: str | None):
    page = told(past).page(asked, size, above=above)
    want = [one for one in newest(past, asked) if not above or one.position > above]
    assert (list(page.lines), page.more) == (want[-size:] if above else want[:size], len(want) > size)


@SOME
@given(PAST, WANTED, TIME)
def test_below_its_floor_it_says_nothing(past: list[Counted], asked: Wanted, floor: str):
    trail = told(past, all_known=False)
    assert not trail.knows
    assert not trail.page(asked, 50).lines
    trail.reach(floor)
    assert list(trail.page(asked, 50).lines) == [one for one in newest(past, asked) if one.position >= floor]
    trail.reach("")
    trail.reach(floor)  # what is known stays known
    assert list(trail.page(asked, 50).lines) == newest(past, asked)


@SOME
@given(PAST, PAST, PAST, WANTED, TIME)
def test_new_is_what_arrives_behind_a_mark_wherever_it_sorts_and_each_once(
    past: list[Counted], first: list[Counted], second: list[Counted], asked: Wanted, floor: str
):
    trail = told(past, all_known=False)
    trail.reach(floor)
    start = trail.page(asked, 50)
    news = News(start.mark)
    arrived: dict[str, Counted] = {}
    for part in (first, second):
        trail.add(part)
        known = {one.position for one in past}
        arrived |= {one.position: one for one in part if one.position not in known | arrived.keys()}
        news = trail.news(asked, news)
        want = [one for one in newest(list(arrived.values()), asked) if one.position >= floor]
        assert (news.count, news.latest) == (len(want), want[0] if want else None)


@SOME
@given(st.lists(CHANGE, min_size=9, max_size=20, unique_by=lambda one: one.position), WANTED)
def test_the_oldest_go_when_there_are_too_many_and_are_not_said_to_be_known(past: list[Counted], asked: Wanted):
    trail = Trail(at_most=8)
    trail.reach("")
    news = News(trail.mark())
    for one in past:
        trail.add([one])
        page = trail.page(asked, 50)
        assert len(trail) <= 8
        assert list(page.lines) == [one for one in newest(past, asked) if one in page.lines]
    last = trail.page(Wanted(), 50)
    assert list(last.lines) == newest(past, Wanted())[: len(last.lines)]  # the newest, without a gap
    assert last.floor == last.lines[-1].position
    trail.reach("")
    assert trail.floor == last.floor
    assert trail.news(Wanted(), news).count == len(last.lines)
    trail.add(past)
    assert list(trail.page(Wanted(), 50).lines) == list(last.lines)


@SOME
@given(WANTED, CHANGE)
def test_a_change_that_was_read_fits_as_one_in_the_trail_does(asked: Wanted, one: Counted):
    for each in (asked, *ONE_FILTER):
        assert each.fits(one) == fits(one, each)


def test_a_longer_event_id_widens_what_is_kept():
    short, long = (
        Counted(event_id, position(0, 1, event_id), "Berlin", "Tea", Decimal(1), Decimal(2), None)
        for event_id in ("a", "a" * 90)
    )
    trail = told([short])
    trail.add([long])
    assert list(trail.page(Wanted(), 5).lines) == [long, short]

"""Stores that went quiet: against their own rhythm, and tills whose export is stuck."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas import store_uploads, times
from lambdas.upload import Address, Upload, new_id, time_of
from services import quiet_stores
from services.quiet_stores import LOOKED_AT, Quiet, judge
from services.stack import Stack
from services.standing import Sums

NOW = "2026-11-25T12:00:00.000000Z"


def ids(*days_ago: float) -> list[str]:
    """Uploads sent so many days ago, the latest first."""
    return sorted((new_id(times.moment(times.later(NOW, days=-ago))) for ago in days_ago), reverse=True)


def judged(*days_ago: float, moved: int | None = 0) -> Quiet | None:
    """The verdict on a store; ``moved``: the upload that changed something last, None: none did."""
    sent = ids(*days_ago)
    return judge("Berlin", sent[:LOOKED_AT], "" if moved is None else sent[moved], NOW)


def test_a_store_that_sends_every_day_is_quiet_after_three_days_and_not_after_two():
    assert judged(2.9, 3.9, 4.9, 5.9) is None
    quiet = judged(3.1, 4.1, 5.1, 6.1)
    assert quiet is not None
    assert (quiet.usual, quiet.unmoved) == (timedelta(days=1), 0)
    assert quiet.since == times.later(NOW, days=-3.1)


def test_a_store_that_sends_every_hour_may_be_closed_for_two_days():
    hours = [n / 24 for n in range(10)]
    assert judged(*(1.9 + hour for hour in hours)) is None
    assert judged(*(2.1 + hour for hour in hours)) is not None


def test_a_store_that_sends_every_week_is_not_quiet_after_a_fortnight():
    assert judged(14, 21, 28, 35) is None
    assert judged(22, 29, 36, 43) is not None


def test_a_store_without_a_rhythm_is_quiet_after_a_week():
    assert judged(6.9, 7, 7.1) is None
    quiet = judged(7.1, 7.2, 7.3)
    assert quiet is not None
    assert quiet.usual is None


def test_one_long_pause_is_no_rhythm():
    assert judged(3.1, 4.1, 25, 26, 27) is not None


def test_three_uploads_over_two_days_that_changed_nothing_are_a_stuck_export():
    quiet = judged(0.1, 1.1, 2.1, 3.1, moved=3)
    assert quiet is not None
    assert (quiet.unmoved, quiet.since) == (3, times.later(NOW, days=-2.1))


@pytest.mark.parametrize(
    ("days_ago", "moved"),
    [((0.1, 1.1, 2.1, 3.1), 2), ((0.1, 0.2, 0.3, 3.1), 3), ((0.1, 1.1, 2.1, 3.1), 0)],
    ids=["two of them", "three in an evening", "the last one changed something"],
)
def test_less_is_no_stuck_export(days_ago: tuple[float, ...], moved: int):
    assert judged(*days_ago, moved=moved) is None


def test_uploads_that_never_changed_anything_are_stuck_too():
    quiet = judged(0.1, 1.1, 2.2, moved=None)
    assert quiet is not None
    assert quiet.unmoved == 3


def test_a_store_that_never_sent_anything_is_not_told_of():
    assert judge("Berlin", [], "", NOW) is None


@given(st.lists(st.floats(0, 60), min_size=1, max_size=12), st.integers(0, 11))
def test_what_is_told_is_true(days_ago: list[float], moved: int):
    sent = ids(*days_ago)
    moved_by = sent[min(moved, len(sent) - 1)]
    quiet = judge("Berlin", sent[:LOOKED_AT], moved_by, NOW)
    if quiet is None:
        return
    assert quiet.last == sent[0]
    assert quiet.since <= time_of(sent[0])
    if quiet.unmoved:
        assert quiet.unmoved == sum(one > moved_by for one in sent[:LOOKED_AT])
        assert quiet.since >= time_of(moved_by)
    else:
        assert times.later(quiet.since, days=2) < NOW


def spoke(stack: Stack, store: str, *days_ago: float) -> list[str]:
    """Uploads that spoke of a store in the past; their ids, the latest first."""
    found = ids(*days_ago)
    for one in found:
        upload = Upload(one, Address("", one), "till.csv")
        store_uploads.register(stack.dynamodb, stack.settings.store_uploads_table, upload, [store], timed=False)
    return found


def test_the_stores_are_asked_about_by_their_keys_and_the_longest_quiet_comes_first(stack: Stack, store: str):
    spoke(stack, f"{store} silent", 9, 10, 11, 12)
    stuck = spoke(stack, f"{store} stuck", 0.1, 1.1, 2.2, 3)
    fine = spoke(stack, f"{store} fine", 0.1, 1.1, 2.2, 3)
    stores = [Sums(f"{store} stuck", 1, 0, 0, stuck[-1]), Sums(f"{store} fine", 1, 0, 0, fine[0])]
    found = quiet_stores.find(stack, [*stores, Sums(f"{store} silent", 1, 0, 0, "")], NOW)
    assert [(one.store, one.unmoved) for one in found] == [(f"{store} silent", 0), (f"{store} stuck", 3)]


def test_a_till_that_exports_every_few_minutes_is_found_stuck(stack: Stack, store: str):
    every_quarter = [n / 96 for n in range(3 * 96)]
    sent = spoke(stack, store, *every_quarter)
    (found,) = quiet_stores.find(stack, [Sums(store, 1, 0, 0, sent[-2])], NOW)
    assert found.unmoved > LOOKED_AT
    assert found.since == time_of(sent[-3])


def test_a_store_that_has_moved_since_is_left_out():
    (last, *_) = ids(0.1, 1.1, 2.2)
    found = [Quiet("Berlin", last, NOW, None, 3), Quiet("Oslo", last, NOW, None, 3)]
    moved = [Sums("Berlin", 1, 0, 0, new_id(times.moment(NOW))), Sums("Oslo", 1, 0, 0, "")]
    assert [one.store for one in quiet_stores.still(found, moved)] == ["Oslo"]


def test_many_stores_are_asked_about_less_often():
    assert quiet_stores.every_seconds(300) == 300
    assert quiet_stores.every_seconds(10_000) == 2500

"""Cover: what is left of an item, told in days, only where its history allows it."""

import math
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lambdas import times
from lambdas.inventory import Key
from services import cover
from services.cover import DAYS, FALLS, KNOWN_DAYS, Cover, Falls

NOW = "2026-11-25T12:00:00.000000Z"
TEA: Key = ("Berlin", "Tea")
Count = int | None
Change = tuple[float, Key, Count, Count]
"""How many days before NOW; the item; its count before and after."""

KEYS = st.sampled_from([TEA, ("Oslo", "Tea")])
COUNTS = st.integers(-5, 50) | st.integers(0, 9) | st.none()
AGO = st.integers(0, 32 * 24).map(lambda hours: hours / 24)
CHANGES = st.lists(st.tuples(AGO, KEYS, COUNTS, COUNTS), min_size=12, max_size=60)


def falls(*changes: Change) -> Falls:
    made = Falls()
    for ago, key, old, new in changes:
        made.add(at(ago), key, exact(old), exact(new))
    return made


def at(days_ago: float) -> str:
    return times.later(NOW, days=-days_ago)


def exact(count: Count) -> Decimal | None:
    return None if count is None else Decimal(count)


def left(of: Falls, count: Count = 6) -> list[Cover]:
    return of.judged(NOW).soon(lambda _: exact(count), math.inf)


def by_the_rule(changes: list[Change], key: Key) -> tuple[float, float] | None:
    """What an item fell by and over how many days, worked out from the list as the rule is written."""
    first_day = times.moment(NOW).timestamp() // 86400 - DAYS + 1
    own = [(times.moment(at(ago)).timestamp() / 86400, old, new) for ago, of, old, new in changes if of == key]
    own = sorted(own, key=lambda one: (one[0], one[1] is not None))  # of two at once, a new item's comes first
    fell = [
        (int(day), old - new)
        for day, old, new in own
        if day >= first_day and old is not None and new is not None and new < old
    ]
    if len({day for day, _ in fell}) < FALLS:
        return None
    since = max(own[0][0], first_day) if own[0][1] is None else first_day
    days = times.moment(NOW).timestamp() / 86400 - since
    return (sum(amount for _, amount in fell), days) if days >= KNOWN_DAYS else None


@given(CHANGES, st.randoms(use_true_random=False))
def test_in_whatever_order_the_changes_come_the_cover_is_that_of_the_rule(changes: list[Change], chance):
    shuffled = list(changes)
    chance.shuffle(shuffled)
    told = {(one.store, one.item): (one.fallen, round(one.days, 6)) for one in left(falls(*shuffled))}
    ruled = {key: by_the_rule(changes, key) for key in {key for _, key, _, _ in changes}}
    assert told == {key: (fell, round(days, 6)) for key, found in ruled.items() if found for fell, days in [found]}


def daily(*counts: int, first: float, key: Key = TEA) -> list[Change]:
    """A count that moves once a day; the first of them comes in new, so many days ago."""
    new: list[Change] = [(first, key, None, counts[0])]
    return new + [(first - n, key, old, now) for n, (old, now) in enumerate(pairwise(counts), 1)]


def test_what_fell_42_in_14_days_lasts_two_days_with_six_left():
    (one,) = left(falls(*daily(48, 34, 20, 6, first=14)))
    assert cover.basis(one) == "fell 42 in the last 14 days: about 3 a day; 6 left"
    assert cover.lasting(one) == "2 days"


def test_a_delivery_is_no_fall():
    (one,) = left(falls(*daily(48, 34, 100, 86, 72, first=14)))
    assert one.fallen == 42


def test_falls_on_two_days_are_not_enough():
    assert not left(falls(*daily(48, 34, 20, first=14)))
    assert not left(falls((14, TEA, None, 48), (3, TEA, 48, 40), (3.01, TEA, 50, 48), (2, TEA, 40, 20)))


def test_an_item_known_for_less_than_a_week_is_not_told_of():
    assert not left(falls(*daily(48, 34, 20, 6, first=6.9)))
    assert left(falls(*daily(48, 34, 20, 6, first=7.1)))


def test_an_item_known_for_longer_than_four_weeks_is_judged_by_all_of_them():
    (one,) = left(falls((2, TEA, 48, 34), (1, TEA, 34, 20), (0.1, TEA, 20, 6)))
    assert round(one.days, 1) == DAYS - 0.5  # the days are whole, and half of today is still to come


def test_what_fell_longer_ago_is_forgotten_even_when_nothing_comes_after():
    of = falls(*daily(48, 34, 20, 6, first=20))
    assert left(of)
    assert not of.judged(times.later(NOW, days=10)).many


def test_what_is_out_already_or_lasts_longer_is_not_out_soon():
    of = falls(*daily(48, 34, 20, 6, first=14))
    assert [one.item for one in of.judged(NOW).soon(lambda _: Decimal(20))] == ["Tea"]
    for count in (None, Decimal(-1), Decimal(0), Decimal(22)):
        assert not of.judged(NOW).soon(lambda _, count=count: count)


def test_the_soonest_comes_first():
    milk = ("Oslo", "Milk")
    of = falls(*daily(48, 34, 20, 6, first=14), *daily(90, 60, 30, 6, first=14, key=milk))
    assert [one.item for one in of.judged(NOW).soon(lambda _: Decimal(6))] == ["Milk", "Tea"]


def test_more_items_than_there_was_room_for_keep_what_they_fell_by():
    keys = [("Berlin", f"Item {n}") for n in range(3000)]
    of = falls(*(change for key in keys for change in daily(48, 34, 20, 6, first=14, key=key)))
    assert {one.fallen for one in left(of)} == {42.0}
    assert len(left(of)) == of.judged(NOW).many == 3000


def test_a_slow_seller_is_told_of_by_the_week_and_numbers_are_grouped():
    assert cover.basis(Cover("Berlin", "Tea", 2.5, 3, 28)).endswith("about 0.8 a week; 2.5 left")
    assert cover.basis(Cover("Berlin", "Tea", 6000, 28000, 28)).startswith("fell 28,000 in the last 28 days")
    assert cover.lasting(Cover("Berlin", "Tea", 1, 56, 28)) == "less than a day"

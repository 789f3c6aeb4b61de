"""Quiet hours on the clock of a zone, and the words of a digest. Pure."""

from decimal import Decimal

import pytest

from lambdas import alerts
from lambdas.alerts import Told
from lambdas.quiet import Hours, Quiet
from tests import messages

NIGHT = Hours("22:00", "07:00", "Europe/Berlin")
NOON = Hours("12:00", "14:30", "UTC")


@pytest.mark.parametrize(
    ("hours", "at", "ends"),
    [
        (NIGHT, "2026-11-24T20:59:59", None),  # 21:59:59 in Berlin
        (NIGHT, "2026-11-24T21:00:00", "2026-11-25T06:00:00"),
        (NIGHT, "2026-11-25T01:00:00", "2026-11-25T06:00:00"),
        (NIGHT, "2026-11-25T06:00:00", None),
        (NIGHT, "2026-07-24T20:00:00", "2026-07-25T05:00:00"),  # in summer an hour earlier
        (NIGHT, "2026-03-28T21:30:00", "2026-03-29T05:00:00"),  # the night that is an hour short
        (NIGHT, "2026-10-24T20:30:00", "2026-10-25T06:00:00"),  # and the one that is an hour long
        (NOON, "2026-11-24T11:59:59", None),
        (NOON, "2026-11-24T12:00:00", "2026-11-24T14:30:00"),
        (NOON, "2026-11-24T14:29:59", "2026-11-24T14:30:00"),
        (NOON, "2026-11-24T14:30:00", None),
    ],
)
def test_quiet_hours_end_on_the_clock_of_their_zone(hours: Hours, at: str, ends: str | None):
    assert hours.until(f"{at}.000000Z") == (ends and f"{ends}.000000Z")


def test_the_hour_that_comes_twice_ends_after_its_second_time():
    hours = Hours("01:00", "02:30", "Europe/Berlin")  # on 25 October 2:30 is at 0:30 and at 1:30 UTC
    assert hours.until("2026-10-25T01:15:00.000000Z") == "2026-10-25T01:30:00.000000Z"


def test_a_store_s_own_hours_count_and_it_may_have_none():
    known = Quiet(NOON, {"Berlin": NIGHT, "Oslo": None})
    noon, night = "2026-11-24T13:00:00.000000Z", "2026-11-24T23:00:00.000000Z"
    assert [bool(known.until(store, noon)) for store in ("Berlin", "Oslo", "Rome")] == [False, False, True]
    assert [bool(known.until(store, night)) for store in ("Berlin", "Oslo", "Rome")] == [True, False, False]


@pytest.mark.parametrize(
    ("hours", "says"),
    [
        (Hours("7:00", "22:00", "UTC"), "“7:00” is no time"),
        (Hours("07:00", "24:00", "UTC"), "“24:00” is no time"),
        (Hours("07:00", "07:00", "UTC"), "same time"),
        (Hours("22:00", "07:00", "Mars/Olympus"), "no time zone “Mars/Olympus”"),
        (Hours("22:00", "07:00", "../etc"), "no time zone"),
    ],
)
def test_what_can_not_be_quiet_hours_is_said_and_keeps_nothing_quiet(hours: Hours, says: str):
    assert says in (hours.wrong() or "")
    assert hours.until("2026-11-24T23:00:00.000000Z") is None


def told(count: int, upload: str = "berlin.csv (20261124T090000000000-0a1b2c3d)") -> list[Told]:
    return [Told(f"Item {n:03}", Decimal(n), Decimal(0), upload) for n in range(count)]


def test_a_digest_says_it_all_in_its_first_line_names_twenty_and_counts_the_others():
    text = alerts.digest("Berlin", told(200))
    lines = text.split("\n")
    assert lines[:2] == ["Berlin: 200 items are out of stock.", "- Item 000 (0 -> 0)"]
    assert lines[-2:] == ["and 180 more", "Caused by upload berlin.csv (20261124T090000000000-0a1b2c3d)."]
    said = messages.read(text)
    assert said is not None
    assert (len(said.of), said.more, said.again) == (20, 180, False)
    assert said.of[19] == ("Berlin", "Item 019", "20261124T090000000000-0a1b2c3d")


def test_a_digest_says_each_item_s_own_cause_how_often_it_ran_out_and_that_it_may_repeat():
    two = [
        Told("Tea (green)", Decimal(3), Decimal(0), "a.csv (20261124T090000000000-0a1b2c3d)", times=4),
        Told("Jam\n1 kg", None, Decimal(0), ""),
    ]
    text = alerts.digest("Berlin", two, again=True)
    assert text.split("\n") == [
        "Berlin: 2 items are out of stock.",
        "- Jam 1 kg (new item with a count of 0), a change made outside of any upload",
        "- Tea (green) (3 -> 0), ran out 4 times since yesterday, upload a.csv (20261124T090000000000-0a1b2c3d)",
        "This may repeat an earlier message.",
    ]
    said = messages.read(text)
    assert said is not None
    assert said.of == (("Berlin", "Jam 1 kg", ""), ("Berlin", "Tea (green)", "20261124T090000000000-0a1b2c3d"))
    assert said.again


def test_what_is_low_is_not_said_to_be_out():
    low = Told("Rye", Decimal(9), Decimal(4), "", point=Decimal(5))
    assert alerts.alone("Berlin", low).startswith("Berlin: Rye is low (9 -> 4, reorder point 5). Caused by")
    both = alerts.digest("Berlin", [*told(2), low])
    assert both.startswith("Berlin: 2 items are out of stock, 1 item is low.\n")
    assert alerts.digest("Berlin", [low, low]).startswith("Berlin: 1 item is low.\n")


def test_a_text_message_gets_the_digest_in_one_line():
    assert alerts.digest_in_short("Berlin", told(200), again=True) == (
        "Berlin: 200 items are out of stock: Item 000, Item 001, Item 002 and 197 more. "
        "This may repeat an earlier message."
    )


def test_ten_digests_of_the_longest_names_fit_into_one_call_of_sns():
    many = [Told(f"{n:03}" + '"' * 1021, Decimal(1), Decimal(0), "é" * 400) for n in range(200)]
    text = alerts.digest("S" * 1024, many)
    said = alerts.by_protocol(text, alerts.digest_in_short("S" * 1024, many))
    assert 10 * len(said.encode()) < 256 * 1024
    assert text.split("\n")[-2] == f"and {200 - len(text.splitlines()[1:-2])} more"


@pytest.mark.parametrize("count", [2, 200])
def test_a_digest_s_subject_is_one_line_of_plain_characters(count: int):
    line = alerts.digest_subject("Zürich\n" * 30, told(count))
    assert line.startswith(f"Out of stock: {count} items (Z?rich Z?rich")
    assert (len(line) < 100, line.isascii(), line.isprintable()) == (True, True, True)

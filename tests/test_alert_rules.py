"""When an alert opens and closes, and its words."""

from decimal import Decimal

import pytest

from lambdas.alerts import Crossing, crossing, message, subject


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (12, 0, Crossing.OPENS),
        (12, -3, Crossing.OPENS),
        (None, 0, Crossing.OPENS),
        (0, 12, Crossing.CLOSES),
        (-3, None, Crossing.CLOSES),
        (0, 0, Crossing.NONE),
        (0, -3, Crossing.NONE),
        (None, 12, Crossing.NONE),
        (12, 11, Crossing.NONE),
        (12, None, Crossing.NONE),
    ],
)
def test_only_a_crossing_opens_or_closes_an_episode(old: int | None, new: int | None, expected: Crossing):
    counts = [None if count is None else Decimal(count) for count in (old, new)]
    assert crossing(*counts) is expected


def test_the_message_says_store_item_both_counts_and_the_upload():
    said = message("Berlin", "Oat milk", Decimal("36"), Decimal("0.0"), "berlin.csv (2026-1)")
    assert said == "Berlin: Oat milk is out of stock (36 -> 0.0). Caused by upload berlin.csv (2026-1)."


def test_the_message_of_a_new_item_and_of_a_change_by_hand():
    assert "new item with a count of 0" in message("Berlin", "Oat milk", None, Decimal(0), "x")
    assert "outside of any upload" in message("Berlin", "Oat milk", Decimal(1), Decimal(0), "")


def test_a_subject_is_one_line_of_at_most_100_plain_characters_as_sns_demands():
    line = subject("Zürich\n", "é" * 200)
    assert len(line) < 100
    assert line.isascii()
    assert line.isprintable()

"""Two uploads beside one another, by their lines alone."""

from decimal import Decimal

from services.comparing import Difference, compare


def line(item: str, count: str, fate: str = "unchanged", **more: object) -> dict[str, object]:
    return {"row": 2, "store": "Berlin", "item": item, "count": count, "fate": fate, "updated_at": "", **more}


REJECTED = {"row": 9, "fate": "rejected", "column": "count", "value": "many", "reason": "no number"}


def difference(item: str, then: int | None, now: int | None) -> Difference:
    return Difference(
        "Berlin", item, None if then is None else Decimal(then), None if now is None else Decimal(now)
    )  # fmt: skip


def test_items_are_told_apart_by_what_both_files_say_or_only_one_of_them():
    then = [line("Tea", "3"), line("Jam", "5"), line("Rye", "1")]
    now = [line("Tea", "4"), line("Jam", "5"), line("Figs", "7")]
    found = compare(then, now)
    assert found.differing == [difference("Tea", 3, 4)]
    assert found.only_then == [difference("Rye", 1, None)]
    assert found.only_now == [difference("Figs", None, 7)]
    assert found.same == 1


def test_counts_are_compared_as_numbers_and_not_as_they_are_written():
    assert compare([line("Tea", "3.50")], [line("Tea", "3.5")]).same == 1


def test_items_of_one_name_in_two_stores_are_two():
    found = compare([line("Tea", "3")], [line("Tea", "3", store="Oslo")])
    assert (found.same, len(found.only_then), len(found.only_now)) == (0, 1, 1)


def test_rows_that_do_not_count_say_nothing_of_their_item():
    found = compare([line("Tea", "3"), line("Tea", "9", "duplicate"), REJECTED], [line("Tea", "3")])
    assert (found.differing, found.only_then, found.same) == ([], [], 1)


def test_what_became_of_the_rows_is_counted_for_both():
    found = compare([line("Tea", "3", "inserted"), REJECTED], [line("Tea", "3"), line("Jam", "1", "inserted")])
    told = {fate: counts for fate, counts in found.fates.items() if any(counts)}
    assert told == {"inserted": (1, 1), "unchanged": (0, 1), "rejected": (1, 0)}


def test_an_item_that_an_upload_takes_away_has_no_count_and_differs_from_one_that_has():
    gone = {name: value for name, value in line("Tea", "0", "changed").items() if name != "count"}
    assert compare([line("Tea", "0")], [gone]).differing == [difference("Tea", 0, None)]

"""The fates: one for every row, in each of the three modes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.fates import OF_FILES, WRITES, Applied, Fate, Held, Mode, judge, overrule, split_duplicates
from lambdas.stockfile import Row, Unreadable

EARLY, NOON, LATE = (f"2026-11-23T{hour}:00:00.000000Z" for hour in ("08", "12", "18"))
OLD_ID, ID, NEW_ID = "20261123T080000000000-0", "20261123T120000000000-1", "20261123T180000000000-2"


def row(count: int, at: str | None = None, number: int = 2, item: str = "Tea") -> Row:
    return Row(number, "Berlin", item, Decimal(count), at)


def held(count: int, at: str = EARLY, upload_id: str = OLD_ID, was: int | None = None) -> Held:
    return Held(Decimal(count), at, upload_id, None if was is None else Decimal(was))


def fate(mode: Mode, of: Row, against: Held | None) -> Fate:
    return judge(of, against, Applied(ID, mode, NOON)).fate


@pytest.mark.parametrize("mode", list(OF_FILES))
def test_an_item_that_the_table_does_not_hold_is_inserted(mode: Mode):
    assert fate(mode, row(0), None) is Fate.INSERTED


@pytest.mark.parametrize("mode", list(OF_FILES))
def test_another_count_is_a_change(mode: Mode):
    assert fate(mode, row(3), held(5)) is Fate.CHANGED


@pytest.mark.parametrize(
    ("mode", "stated", "expected"),
    [
        (Mode.NEWEST, None, Fate.UNCHANGED),  # a file without times only agrees
        (Mode.NEWEST, EARLY, Fate.UNCHANGED),
        (Mode.NEWEST, NOON, Fate.TOUCHED),
        (Mode.PLAIN, None, Fate.UNCHANGED),
        (Mode.PLAIN, NOON, Fate.TOUCHED),
        (Mode.STAMP, None, Fate.TOUCHED),  # the class's fix: every row is a change
        (Mode.STAMP, EARLY, Fate.TOUCHED),
    ],
)
def test_the_same_count(mode: Mode, stated: str | None, expected: Fate):
    assert fate(mode, row(5, stated), held(5)) is expected


@pytest.mark.parametrize(("mode", "expected"), [(Mode.NEWEST, Fate.STALE), (Mode.PLAIN, Fate.CHANGED)])
def test_something_older_than_the_table_is_stale_only_where_newest_wins(mode: Mode, expected: Fate):
    assert fate(mode, row(3, EARLY), held(5, LATE)) is expected


@pytest.mark.parametrize(("upload_id", "expected"), [(OLD_ID, Fate.CHANGED), (NEW_ID, Fate.STALE)])
def test_at_equal_times_the_later_upload_wins(upload_id: str, expected: Fate):
    assert fate(Mode.NEWEST, row(3, NOON), held(5, NOON, upload_id)) is expected


@pytest.mark.parametrize(("was", "expected"), [(None, Fate.INSERTED), (4, Fate.CHANGED), (5, Fate.TOUCHED)])
def test_a_loader_that_runs_again_finds_the_fate_of_its_own_write_and_writes_nothing(was: int | None, expected: Fate):
    verdict = judge(row(5), held(5, NOON, ID, was), Applied(ID, Mode.NEWEST, NOON))
    assert (verdict.fate, verdict.to_write) == (expected, False)


def test_an_item_that_somebody_wrote_by_hand_without_a_time_counts_as_the_oldest():
    assert fate(Mode.NEWEST, row(3), Held(Decimal(5))) is Fate.CHANGED


@given(
    st.sampled_from(OF_FILES), st.integers(0, 2), st.sampled_from([None, EARLY, NOON, LATE]),
    st.none()
    | st.builds(held, st.integers(0, 2), st.sampled_from([EARLY, NOON, LATE]), st.sampled_from([OLD_ID, NEW_ID])),
)  # fmt: skip
def test_a_write_is_planned_for_exactly_the_fates_that_emit_a_record_and_it_is_a_change(
    mode: Mode, count: int, stated: str | None, before: Held | None
):
    verdict = judge(row(count, stated), before, Applied(ID, mode, NOON))
    assert (verdict.new is not None) == (verdict.fate in WRITES)
    if verdict.new and before:
        assert (verdict.new.count, verdict.new.updated_at) != (before.count, before.updated_at)


def test_of_a_repeated_key_the_newest_counts_else_the_last():
    rows = [row(1, NOON, 2), row(2, EARLY, 3), row(3, NOON, 4), row(9, None, 5, "Rye bread")]
    winners, superseded = split_duplicates(rows, Mode.NEWEST)
    assert [(winner.item, winner.number) for winner in winners] == [("Rye bread", 5), ("Tea", 4)]
    assert [(v.row.number, v.fate, v.reason) for v in superseded] == [
        (3, Fate.DUPLICATE, "row 4 of the same file counts"),
        (2, Fate.DUPLICATE, "row 4 of the same file counts"),
    ]
    assert [winner.number for winner in split_duplicates(rows[:2], Mode.PLAIN)[0]] == [3]


def test_a_newer_file_that_only_agreed_with_the_table_overrules_a_late_one():
    late = judge(row(7), held(5), Applied(ID, Mode.NEWEST, NOON))
    assert overrule(late, Decimal(5), LATE, NEW_ID, Applied(ID, Mode.NEWEST, NOON)).fate is Fate.STALE
    assert overrule(late, Decimal(5), EARLY, OLD_ID, Applied(ID, Mode.NEWEST, NOON)) == late
    assert overrule(late, Decimal(6), LATE, NEW_ID, Applied(ID, Mode.NEWEST, NOON)) == late


def test_rows_that_are_added_up_become_the_last_of_them_with_the_sum_and_the_newest_time():
    rows = [row(2, NOON, 2), row(3, LATE, 3), row(5, EARLY, 4), row(9, None, 5, "Rye bread")]
    winners, added = split_duplicates(rows, Mode.NEWEST, adds=True)
    assert winners == [row(9, None, 5, "Rye bread"), row(10, LATE, 4)]
    assert [(v.row, v.fate, v.reason) for v in added] == [
        (row(2, NOON, 2), Fate.DUPLICATE, "added up in row 4"),
        (row(3, LATE, 3), Fate.DUPLICATE, "added up in row 4"),
    ]


@given(
    st.lists(st.tuples(st.sampled_from(["Tea", "Jam"]), st.decimals(-(10**20), 10**20, places=3)), max_size=8),
    st.sampled_from(OF_FILES),
)
def test_nothing_is_lost_or_made_up_by_adding_rows(counts: list[tuple[str, Decimal]], mode: Mode):
    rows = [Row(n, "Berlin", item, count, None) for n, (item, count) in enumerate(counts, 2)]
    winners, added = split_duplicates(rows, mode, adds=True)
    assert sum((winner.count for winner in winners), Decimal(0)) == sum((one.count for one in rows), Decimal(0))
    assert len(winners) + len(added) == len(rows)
    assert {winner.item for winner in winners} == {one.item for one in rows}
    assert {v.row for v in added} <= set(rows)


def test_a_sum_that_the_table_can_not_hold_is_refused_and_never_rounded():
    rows = [row(10**37, None, 2), Row(3, "Berlin", "Tea", Decimal("0.01"), None)]
    with pytest.raises(Unreadable, match="up to row 3 add up to more than 38 digits"):
        split_duplicates(rows, Mode.NEWEST, adds=True)

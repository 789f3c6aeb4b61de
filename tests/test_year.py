"""The simulated year: the files that a chain sends, what they cost, and what carries them to ten thousand stores."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from bench import chain, costs, scale, year
from bench.chain import AGAIN, CLOSES, FULL, KINDS, LATE, OPENS, PARTIAL, Chain, File, Till
from bench.costs import Work
from lambdas.stream import KEPT_DAYS
from services.stack import Stack
from tests import laws

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def lived() -> tuple[list[Till], list[File]]:
    """Three stores of thirty items, forty days."""
    three = Chain(3, 30, MIDNIGHT)
    tills = [three.till(number) for number in range(3)]
    return tills, [file for day in three.days(tills, 40) for file in day]


# --- the chain


def test_the_newest_word_on_each_item_is_what_lies_on_the_shelf_in_whatever_order_the_files_come(
    lived: tuple[list[Till], list[File]],
):
    tills, files = lived
    for order in (files, files[::-1], Random(7).sample(files, len(files))):  # noqa: S311
        newest: dict[tuple[str, str], tuple[str, int]] = {}
        for file in order:
            for item, count, at in file.rows:
                newest[file.store, item] = max(newest.get((file.store, item), ("", 0)), (at, count))
        assert newest == {(till.name, one.item): (one.at, one.count) for till in tills for one in till.shelf.values()}


def test_an_item_has_one_count_at_a_time(lived: tuple[list[Till], list[File]]):
    said: dict[tuple[str, str, str], int] = {}
    for file in lived[1]:
        for item, count, at in file.rows:
            assert said.setdefault((file.store, item, at), count) == count


def test_files_come_in_their_order_each_once_also_the_late_ones_and_none_tells_of_what_is_still_to_come():
    many = Chain(40, 5, MIDNIGHT)
    *days, after = many.days([many.till(number) for number in range(40)], 2)
    files = [file for day in (*days, after) for file in day]
    assert [len(day) > 0 for day in (*days, after)] == [True] * 3
    assert [file.sent for file in files] == sorted(file.sent for file in files)
    alone = [file for number in range(40) for file in _days(many.till(number), 2)]
    own = [[file.sent for file in many.till(number).day(MIDNIGHT)] for number in range(40)]
    assert own == [sorted(day) for day in own]
    assert sorted(files, key=repr) == sorted(alone, key=repr)
    assert all(f"{file.sent:%Y-%m-%dT%H:%M:%SZ}" >= at for file in files for _, _, at in file.rows)


def _days(till: Till, days: int) -> Iterator[File]:
    for day in range(days):
        yield from till.day(MIDNIGHT + timedelta(days=day))


def test_a_full_file_states_the_whole_shelf_and_a_partial_one_what_has_moved_in_its_hour(
    lived: tuple[list[Till], list[File]],
):
    by_kind = {kind: [file for file in lived[1] if file.kind == kind] for kind in KINDS}
    assert all(len(file.rows) == 30 for file in by_kind[FULL])
    assert len(by_kind[FULL]) == 3 * 40
    assert len(by_kind[PARTIAL]) + len(by_kind[LATE]) == 3 * 40 * (CLOSES - OPENS)
    for file in by_kind[PARTIAL]:
        hour = file.sent.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        assert {at[:13] for _, _, at in file.rows} == {f"{hour:%Y-%m-%dT%H}"}
    others = {file.data for kind in (FULL, PARTIAL, LATE) for file in by_kind[kind]}
    assert by_kind[AGAIN]
    assert all(file.data in others for file in by_kind[AGAIN])
    assert any(
        late.sent > newer.sent and max(at for *_, at in late.rows) < min(at for *_, at in newer.rows)
        for late in by_kind[LATE]
        for newer in by_kind[PARTIAL]
        if newer.store == late.store
    )


def test_another_seed_is_another_year_and_the_same_one_the_same():
    one, same, other = (_days(Chain(1, 5, MIDNIGHT, seed).till(0), 2) for seed in (1, 1, 2))
    first = [file.data for file in one]
    assert first == [file.data for file in same]
    assert first != [file.data for file in other]


def test_what_is_driven_through_the_pipeline_ends_as_the_shelf_is_and_where_it_does_not_that_is_said(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(chain, "CLOSES", OPENS + 2)
    till = Till("Store of a year", 6, Random(3))  # noqa: S311
    files = till.day(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2))
    driven = list(year.drive(stack, files[::-1]))
    counted = year.summed(driven)
    assert sum(one["files"] for one in counted.values()) == len(driven)
    assert sum(one["rows"] for one in counted.values()) == sum(len(file.rows) for file, _ in driven)
    assert laws.broken(stack, till.name, [receipt for _, receipt in driven]) == []
    assert year.off_shelf(stack, till) == []
    item, one = next(iter(till.shelf.items()))
    till.shelf[item] = one._replace(count=one.count + 1)
    [said] = year.off_shelf(stack, till)
    assert said.startswith(f"Store of a year · {item}: (Decimal('{one.count}'), ")


# --- what it costs

FILE = costs.File(rows=8, records=7, reads=10, writes=45, size=400, alerts=0.5, seconds=0.04)
SIZES = {
    "inventory": 200.0,
    "changes": 1800.0,
    "uploads": 2000.0,
    "tallies": 400.0,
    "store_uploads": 300.0,
    "lines": 90,
}


def results() -> dict[str, Any]:
    """As bench/results.json is, with round figures."""

    def one(seconds: float, units: tuple[float, float]) -> dict[str, Any]:
        return {"seconds": [seconds] * 3, "units": units}

    def way(seconds: float, units: tuple[float, float] = (2.0, 5_000.0)) -> dict[str, Any]:
        return {"files": [one(seconds, units), one(seconds, (30.0, 7.0)), one(seconds, (32.0, 60.0))]}

    loading = {"6": {"ours": way(0.04)}, "1000": {"ours": way(1.034), costs.LAST: way(2.0)}}
    return {
        "loading": loading | {"100000": {costs.LAST: way(30.0)}},
        "many": {scale.START: [20.0]},
    }


def simulated() -> dict[str, Any]:
    """As bench/year.json is: two stores, for two days after the first."""
    full = {"files": 4, "rows": 800, "records": 80, "reads": 40, "writes": 480, "bytes": 40_960, "alerts": 0}
    partial = {"files": 48, "rows": 384, "records": 336, "reads": 480, "writes": 2_160, "bytes": 19_200, "alerts": 24}
    return {
        "stores": 2, "items": 200, "days": 3, "uploads": 80, "rows": 2_000, "records": 900, "seconds": 40.0,
        "broken": [], "verify seconds": 9.0, "first day": {FULL: full},
        "kinds": {FULL: full, PARTIAL: partial, LATE: {}}, "sizes": SIZES, "log bytes": 4_000.0,
        "sweep": {"reads": 5.0, "writes": 0.0, "seconds": 0.1, "log_bytes": 900.0},
        "requests": {"new": {"loader: dynamodb UpdateItem": 3}},
        "machine": {"machine": "2 cores", "software": "Python", "date": "1 May 2026"},
    }  # fmt: skip


def test_each_thing_that_is_asked_for_has_a_price_and_is_on_one_line_of_the_bill():
    names = [name for line in costs.LINES.values() for name in line]
    assert sorted(names) == sorted(costs.PRICES) == sorted(Work.__slots__)
    for name in names:
        assert Work(**{name: 3}).dollars == pytest.approx(3 * costs.PRICES[name].dollars)
    assert Work(writes=1_000_000, reads=1_000_000).bill["DynamoDB"] == pytest.approx(0.625 + 0.125)


def test_a_file_asks_for_its_units_and_seconds_and_two_readers_for_each_thousand_of_its_records():
    work = costs.of_file(FILE, log_bytes=2**20, record_seconds=0.001)
    assert (work.reads, work.writes, work.runs, work.puts, work.gets, work.queued) == (10, 45, 3, 4, 1, 3)
    assert (work.published, work.mails, work.log_gb) == (0.5, 0.5, 1 / 1024)
    assert work.gb_seconds == pytest.approx(0.04 * 1769 / 1024 + 7 * 0.001 * 0.5)
    runs = {records: costs.of_file(FILE.__class__(1, records, 0, 0, 0, 0, 0), 0, 0).runs for records in (0, 1000, 1001)}
    assert runs == {0: 1, 1000: 3, 1001: 5}


def test_what_is_kept_grows_with_the_files_of_a_year_and_the_changes_of_ninety_days():
    work = costs.kept(SIZES, files_a_day=10, records_a_day=100, bytes_a_day=1_000, items=400)
    assert work.table_gb * 2**30 == 200 * 400 + 1800 * 100 * KEPT_DAYS + (2000 + 400 + 300) * 10 * 365
    assert work.bucket_gb * 2**30 == (1_000 + 90 * 10) * 365
    assert work.recovery_gb == work.table_gb


def test_a_month_is_what_an_idle_stack_costs_and_so_much_for_each_store():
    months = [costs.month(stores, simulated(), results()) for stores in (0, 1, 2, 100)]
    idle, one, two, hundred = (work.dollars for work in months)
    assert two - one == pytest.approx(one - idle)
    assert hundred - idle == pytest.approx(100 * (one - idle))
    assert months[0].writes == 0
    files = costs.files_of(simulated(), results())
    assert {kind: a_day for kind, (a_day, _) in files.items()} == {FULL: 1, PARTIAL: 12}
    assert months[1].writes == pytest.approx((120 + 12 * 45) * 365 / 12)
    slow = costs.month(1, simulated(), results(), slower=5)
    assert slow.gb_seconds == pytest.approx(5 * months[1].gb_seconds)
    assert costs.month(1, simulated(), results(), production=False).recovery_gb == 0


def test_a_loaders_seconds_lie_between_those_that_were_measured():
    assert costs.loader_seconds(results(), 6, 0) == pytest.approx(0.04)
    assert costs.loader_seconds(results(), 1000, 0) == pytest.approx(1.034)
    assert costs.loader_seconds(results(), 206, 0) == pytest.approx(0.24)


def test_the_pages_say_the_figures_and_leave_no_blank():
    told = costs.page(simulated(), results())
    thousand = costs.thousand(results(), simulated())["all rows new"]
    assert f"| all rows new | 5,000,000 | 2,000 | ${thousand.bill['DynamoDB']:.2f} |" in told
    full_size = "\n".join(scale.page(simulated(), results()))
    assert "10,000 stores with 200 items" in full_size
    assert "| files a day, a year | 130,000, 47,450,000 |" in full_size
    assert "{" not in told + full_size


# --- the full size


def test_the_busiest_moment_is_a_file_of_each_store_within_minutes():
    hour = scale.peaks(600, costs.files_of(simulated(), results()))[PARTIAL]
    assert (hour.files, hour.records) == (2, 14)
    assert hour.loaders == pytest.approx(2 * costs.loader_seconds(results(), 8, 2))
    assert hour.drained(600, loaders=2, slower=3) == pytest.approx(600 * hour.seconds * 3 / 2)


def test_a_table_has_a_partition_for_each_ten_gigabytes_or_thousand_writes_a_second():
    assert [scale.partitions(0, 0), scale.partitions(21 * 2**30, 0), scale.partitions(0, 1_001)] == [1, 3, 2]


def test_what_is_used_up_first_comes_first_and_by_as_many_stores_as_it_holds():
    found = scale.limits(simulated(), results())
    assert [one.stores for one in found] == sorted(one.stores for one in found)
    by_name = {one.name: one.stores for one in found}
    assert by_name["subscriptions that name a store"] == 200
    assert by_name["one key for all receipts of a month"] == pytest.approx(1_000 / (5 / 300))
    assert by_name["a new Inventory table, before it has grown"] == pytest.approx(4_000 / (2 * 7 / 300))
    hour = scale.peaks(1, costs.files_of(simulated(), results()))[PARTIAL]
    assert by_name["loaders at once, at the hour"] == pytest.approx(scale.LOADERS / hour.loaders)
    assert scale.Limit("free", 1, 0, "", "").stores == math.inf

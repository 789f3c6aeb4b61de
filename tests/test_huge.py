"""A file of more rows than a loader holds is laid down in parts, and ends as if it had been loaded at once.

Beside one test through the Lambdas, whose bound is lowered and which are killed, the loaders' own code is played in
this process, where what is held at a time is a few rows.
"""

import gzip
import io
import itertools
import json
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas import applying, deadletters, files, grants, lines, mappings, parting, receipts, stretches, times, undoing
from lambdas.fates import OF_FILES, Mode
from lambdas.files import Statement
from lambdas.loading import load, load_part
from lambdas.stockfile import Mapping, Reject, Row, StockFile, Unreadable, container
from lambdas.stretches import Stretches
from lambdas.sweeping import Sweeper
from lambdas.upload import Upload, digest_of, metadata, new_id, s3_event
from lambdas.world import World
from local import engine
from services import changes, pipeline, stock, trust, uploads
from services import stack as stacks
from services.outcome import Receipt
from services.stack import Stack
from services.why import finding
from services.why.chain import Asked
from tests import laws
from tests.chaos import processes
from tests.conftest import csv, invoke, told
from tests.test_repeats import dies, meeting, put_away, settled
from tests.waiting import until
from ui import rows as shown_rows

HELD, PART, BLOCK = 9, 5, 2
"""Rows: in memory at a time, of a part, and packed together."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "PART", PART)
    monkeypatch.setattr(parting, "BLOCK", BLOCK)


@pytest.fixture(scope="module")
def few(stack: Stack) -> World:
    """A world whose loaders hold a few rows, with clients of its own."""
    names = replace(stack.settings, part_rows=str(HELD))
    return World(stack.client("dynamodb"), stack.client("s3"), names)


def rows(store: str, *more: str) -> bytes:
    """A file of 39 rows of two stores in no order: three items come again, far from where they were, one of them with
    an older time, and two rows can't be used."""
    lines = [f"{store}{n % 2},Item {n * 7 % 31:02},{n},2026-11-01T08:{n:02}:00Z" for n in range(35)]
    lines[11] = f"{store},Jam,many,2026-11-01T08:00:00Z"
    lines[12] = f"{store}0,,3,2026-11-01T08:00:00Z"
    lines += [f"{store}0,Item 00,90,2026-11-02T08:00:00Z", f"{store}1,Item 07,91,2026-11-02T08:00:00Z"]
    lines += [f"{store}0,Item 14,92,2026-10-01T08:00:00Z", f"{store}1,Ünder,0,2026-11-01T08:00:00Z", *more]
    return "\n".join(["store,item,count,updated_at", *lines, ""]).encode()


def earlier(store: str) -> bytes:
    """Of the first store: an item that ``rows`` has newer, two that it has older or the same, one that it has not."""
    of = [("Item 00", 5, "01"), ("Item 02", 4, "28"), ("Item 05", 14, "14"), ("Other", 1, "01")]
    lines = (f"{item},{count},2026-11-01T08:{minute}:00Z" for item, count, minute in of)
    return csv(f"{store}0", *lines, header="store,item,count,updated_at")


def parted(world: World, upload: Upload) -> tuple[Upload, list[int]]:
    """The parts that a first run hands out."""
    out: list[tuple[Upload, list[int]]] = []
    load(world, upload, "parts it", hand_out=lambda of, numbers: out.append((of, list(numbers))))
    [one] = out
    return one


def lines_of(stack: Stack, receipt: Receipt, store: str) -> list[dict[str, Any]]:
    """The fates of all rows, as they would stand for a store of another name; a stamp says when it was made."""
    stamped = {"updated_at": ""} if receipt.mode == Mode.STAMP else {}
    return [
        line | {"store": str(line.get("store")).replace(store, "*")} | stamped for line in uploads.rows(stack, receipt)
    ]


def kept(stack: Stack, upload: Upload) -> dict[str, Any]:
    return receipts.get(stack.dynamodb, stack.settings.uploads_table, upload.id) or {}


# --- as if it were loaded at once ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", OF_FILES)
def test_a_file_in_parts_ends_as_the_same_file_does_at_once(stack: Stack, few: World, store: str, mode: Mode):
    """Every row's fate and reason, duplicates and rejects of the whole file among them, and every item."""
    ends = []
    for name, world in ((f"{store} whole", stack.world), (f"{store} parts", few)):
        load(stack.world, put_away(stack, earlier(name)), "before")
        upload = put_away(stack, rows(name), mode)
        load(world, upload, "first")
        [receipt] = settled(stack, upload)
        assert ("Parted" in kept(stack, upload)) == (world is few)
        items = {(one.item, n): one.count for n in (0, 1) for one in stock.of_store(stack, f"{name}{n}")}
        ends.append((told(receipt), lines_of(stack, receipt, name), items, receipt.whole))
        assert trust.verify(stack, f"{name}1").agrees
    assert ends[0][0] == {**ends[0][0], "duplicate": 3, "rejected": 2}
    assert ends[1] == ends[0]


def test_parts_come_in_any_order_and_twice_and_the_last_one_closes_the_receipt(stack: Stack, few: World, store: str):
    upload = put_away(stack, rows(store))
    upload, numbers = parted(few, upload)
    assert sorted(numbers) == list(range(len(numbers)))
    assert len(numbers) > 4
    for n, number in enumerate(reversed(numbers), 1):
        seen = kept(stack, upload)
        assert ("LoadedAt" in seen, seen["Waiting"], seen["Whole"]) == (False, receipts.LOADER, 39)
        load_part(few, upload, number)
        seen = kept(stack, upload)
        load_part(few, upload, number)
        assert kept(stack, upload) == seen
        assert len(seen["Through"]) == n
    [receipt] = settled(stack, upload)
    assert (receipt.state, receipt.rows, "Waiting" in kept(stack, upload)) == ("loaded", 39, False)
    assert [line["row"] for line in uploads.rows(stack, receipt)] == list(range(2, 41))
    before = kept(stack, upload)
    load_part(few, upload, 1)
    assert kept(stack, upload) == before


def test_a_run_that_comes_after_the_parts_were_handed_out_hands_out_only_those_that_are_not_through(
    stack: Stack, few: World, store: str
):
    upload, numbers = parted(few, put_away(stack, rows(store)))
    load_part(few, upload, numbers[0])
    assert parted(few, upload)[1] == numbers[1:]


def test_a_dead_letter_of_a_part_fails_the_file_unless_that_part_came_through_by_another_delivery(
    stack: Stack, few: World, store: str
):
    upload, numbers = parted(few, put_away(stack, rows(store)))
    through, left = numbers[0], numbers[1]
    load_part(few, upload, through)
    for number, waits_for in ((through, receipts.LOADER), (left, receipts.HELP)):
        deadletters.take(few, None, f"letter {number}", json.dumps(s3_event(upload, number)))
        assert kept(stack, upload)["Waiting"] == waits_for
    assert "The loader broke off at every one of" in kept(stack, upload)["Reason"]
    load(few, upload, "run again")
    assert settled(stack, upload)[0].state == "loaded"
    assert {"Waiting", "Reason", "FailedAt"}.isdisjoint(kept(stack, upload))


def test_a_file_whose_parts_wait_for_their_turn_does_not_hang_until_far_later(stack: Stack, few: World, store: str):
    upload, _ = parted(few, put_away(stack, rows(store)))
    sqs = stack.client("sqs")
    names = replace(few.settings, parts_queue=sqs.create_queue(QueueName=f"parts-{uuid.uuid4().hex}")["QueueUrl"])
    sweeper = Sweeper(replace(few, settings=names), sqs, stack.client("sns"), lambda: 10.0)

    def hangs(minutes: int) -> bool:
        ago = times.later(times.now(), minutes=-minutes)
        return sweeper._hangs(kept(stack, upload) | dict.fromkeys(("ReceivedAt", "RunAt", "PartAt"), ago))

    assert hangs(10)  # nothing is on its way to a loader
    sqs.send_message(QueueUrl=names.parts_queue, MessageBody="a part of whatever file")
    assert (hangs(10), hangs(100)) == (False, True)
    load(few, upload, "again")


def test_a_loader_that_dies_anywhere_while_the_file_is_parted_or_a_part_applied_leaves_what_one_run_leaves(
    stack: Stack, few: World
):
    """An upload between the two runs writes over some of it; in `plain` mode nothing but the changes tells then."""
    for mode in (Mode.NEWEST, Mode.PLAIN):
        for before in itertools.count(9, 37):
            store = f"Store {uuid.uuid4().hex[:8]}"
            first = put_away(stack, earlier(store))
            load(stack.world, first, "first")
            second = put_away(stack, rows(store), mode)
            died = dies(lambda second=second: load(few, second, "dying"), before, few.dynamodb, few.s3)
            third = put_away(stack, csv(f"{store}0", *(f"Item {n:02},7" for n in range(31))))
            load(stack.world, third, "third")
            load(few, second, "again")
            done = settled(stack, first, second, third)
            assert broken(stack, store, done) == [], (mode, before)
            assert (done[1].rows, done[1].fates["duplicate"], done[1].fates["rejected"]) == (39, 3, 2)
            if not died:
                break


def broken(stack: Stack, store: str, of: Sequence[Receipt]) -> list[str]:
    """As `tests.laws` has it, of both stores together."""
    found = [f"{one.upload_id}: {one}" for one in of if one.rows != sum(one.fates.values())]
    found += [f"{one.upload_id}: {one}" for one in of if one.records_expected != one.records_seen]
    items = [one for n in (0, 1) for one in stock.of_store(stack, f"{store}{n}")]
    made = sum(len(changes.of_item(stack, stock.key(one))) for one in items)
    return found + ([f"{made} records"] if made != sum(one.records_expected for one in of) else [])


@pytest.mark.parametrize(("whose", "requests"), [("older", range(7, 10)), ("both", range(13, 17))])
def test_a_newer_file_in_parts_that_was_crossed_by_an_older_one_has_its_word(
    stack: Stack, few: World, whose: str, requests: range, store: str
):
    """It agrees with the table as it finds it, in the middle of the older one, whose writes it can't see."""
    items = [f"Item {n:02}" for n in range(12)]
    world = few if whose == "both" else World(few.dynamodb, few.s3, stack.settings)
    for meets in requests:
        name = f"{store} {meets}"
        first, older = (put_away(stack, csv(name, *(f"{item},{n}" for item in items))) for n in (5, 7))
        newer = put_away(
            stack, csv(name, "Jam,many", *(f"{item},5" for item in items))
        )  # a part of its own comes first
        load(stack.world, first, "first")
        with meeting(
            few.dynamodb, meets, lambda newer=newer: load(replace(stack.world, settings=few.settings), newer, "")
        ):
            load(world, older, "older")
        load(few, newer, "again")
        assert "Parted" in kept(stack, newer)
        assert {one.count for one in stock.of_store(stack, name)} == {5}, meets
        assert laws.broken(stack, name, settled(stack, first, older, newer)) == [], meets


def test_what_the_sender_may_not_load_and_sums_and_an_undo_go_in_parts_as_well(stack: Stack, few: World, store: str):
    lots = [f"Item {n % 12:02},1" for n in range(30)]
    summed = sent_in_parts(
        stack, few, csv(store, *lots), {"mapping": mappings.keep(stack.world, Mapping(repeats="sum"))}
    )
    assert told(summed) == {"inserted": 12, "duplicate": 18}
    assert sum(one.count or 0 for one in stock.of_store(stack, store)) == 30
    grant = grants.keep(stack.world, grants.Grant(frozenset({f"{store}0"}), frozenset({Mode.NEWEST})))
    granted = sent_in_parts(stack, few, rows(store), {"grant": grant})
    assert (granted.rows, granted.fates["rejected"]) == (39, 2 + 18)
    assert stock.of_store(stack, f"{store}1") == []
    before = [Row(n, store, f"Item {n:02}", None, None, by="") for n in range(12)]  # type: ignore[arg-type]
    said = metadata(Mode.UNDO, None, mapping=mappings.AUTO, undoes=summed.upload_id)
    assert told(sent_in_parts(stack, few, undoing.write(before), said)) == {"changed": 12}
    assert stock.of_store(stack, store) == []


def sent_in_parts(stack: Stack, few: World, data: bytes, said: dict[str, str]) -> Receipt:
    place = put_away(stack, data).address
    made = stack.s3.put_object(Bucket=place.bucket, Key=place.key, Body=data, Metadata=said)
    upload = Upload(place.key.split("/")[1], replace(place, version=made["VersionId"]), "stock.csv")
    load(few, upload, "first")
    assert "Parted" in kept(stack, upload)
    [receipt] = settled(stack, upload)
    return receipt


def test_why_finds_a_row_of_a_file_in_parts_and_what_it_superseded(stack: Stack, few: World, store: str):
    upload = put_away(stack, rows(store))
    load(few, upload, "first")
    [receipt] = settled(stack, upload)
    every = uploads.rows(stack, receipt)
    for line in [every[35], *every[1::9]]:
        by_row = finding.find(stack, upload.id, receipt.parts, Asked(upload.id, row=line["row"]))
        assert by_row.line == line
        if line["fate"] == "inserted":
            of_item = Asked(upload.id, store=line["store"], item=line["item"])
            found = finding.find(stack, upload.id, receipt.parts, of_item)
            others = [one["row"] for one in every if beaten(one, line)]
            assert (found.line, list(found.others)) == (line, others)


def test_of_a_huge_file_no_more_is_read_than_can_be_shown_and_it_is_said(
    stack: Stack, few: World, store: str, monkeypatch: pytest.MonkeyPatch
):
    upload = put_away(stack, rows(store))
    load(few, upload, "first")
    [receipt] = settled(stack, upload)
    assert shown_rows.told_of_more(receipt) == ""
    monkeypatch.setattr(uploads, "MOST_ROWS", 20)
    every, found = lines.read(few, upload.id, receipt.parts), uploads.rows(stack, receipt)
    assert 15 <= len(found) <= 20
    assert found == [line for line in every if line in found]
    usable = sorted((one["store"], one["item"]) for one in every if one["fate"] != "rejected")
    assert sorted((one["store"], one["item"]) for one in found if one["fate"] != "rejected") == usable[: len(found) - 2]
    assert [one["row"] for one in uploads.rejected(stack, receipt)] == [13, 14]
    assert shown_rows.told_of_more(receipt) == (
        " Of 39 rows the first 20, by store and item, can be looked through here."
    )


def beaten(one: dict[str, Any], line: dict[str, Any]) -> bool:
    return one["fate"] == "duplicate" and (one["store"], one["item"]) == (line["store"], line["item"])


# --- the parts -----------------------------------------------------------------------------------------------------

KEYS = st.tuples(st.sampled_from("ABÜ"), st.sampled_from(["a", "b", "c", "d", "e\n\u2028", "ü"]))


@given(st.lists(st.one_of(KEYS, st.none()), min_size=25, max_size=60))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_row_is_in_one_part_with_all_of_its_item_in_the_files_order(
    few: World, keys: list[tuple[str, str] | None]
):
    every: list[Row | Reject] = [
        Row(n, *key, Decimal(n) / 4, None) if key else Reject(n, "count", "x", "no number")
        for n, key in enumerate(keys, 2)
    ]
    upload_id, stores = new_id(), set[str]()
    said = Statement(lambda: iter(every), timed=False, adds=True)
    done = parting.write(few, upload_id, said, run=HELD, part=PART, tell=stores.update)
    parts = [parting.read(few, upload_id, done.index, n) for n in range(len(done.index.parts))]
    assert (done.rows, stores) == (len(every), {one.store for one in every if isinstance(one, Row)})
    assert sorted([one for part in parts for one in (*part.rows, *part.rejects)]) == sorted(every)
    for number, part in enumerate(parts):
        assert part.adds
        assert part.rejects == sorted(part.rejects)
        by_key = sorted(part.rows, key=lambda row: (row.store, row.item, row.number))
        assert sorted(part.rows, key=lambda row: (row.store, row.item)) == by_key
        assert {done.index.number_of((row.store, row.item)) for row in part.rows} <= {number}


def test_a_file_of_far_too_many_rows_or_of_one_item_again_and_again_says_so_and_loads_nothing(
    stack: Stack, few: World, store: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(parting, "MOST_OF_PART", 20)
    again = put_away(stack, csv(store, *(f"Tea,{n}" for n in range(30))))
    load(few, again, "first")
    assert "of one item, “Tea” of" in kept(stack, again)["Reason"]
    monkeypatch.setattr(parting, "MOST_ROWS", 25)
    many = put_away(stack, csv(store, *(f"Item {n},1" for n in range(30))))
    load(few, many, "first")
    assert "more than 25 rows. Send it in pieces" in kept(stack, many)["Reason"]
    assert stock.of_store(stack, store) == []


def test_an_index_that_another_run_has_written_counts(few: World):
    upload_id = new_id()

    def lay(part: int) -> parting.Index:
        said = Statement(lambda: (Row(n, "A", f"{n:02}", Decimal(1), None) for n in range(30)), timed=False, adds=False)
        return parting.write(few, upload_id, said, run=HELD, part=part, tell=set[str]().update).index

    assert lay(10) == lay(5)
    assert parting.begin(few, upload_id, 3)
    assert not parting.begin(few, upload_id, 3)


# --- a file that is read as it comes -------------------------------------------------------------------------------


@given(
    st.binary(min_size=100, max_size=400),
    st.lists(st.tuples(st.booleans(), st.integers(0, 99), st.integers(0, 90)), max_size=12),
)
def test_a_stream_of_stretches_reads_as_the_bytes_do(data: bytes, asked: list[tuple[bool, int, int]]):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretches, "STRETCH", 32)
        stretched = io.BufferedReader(Stretches(lambda first, last: data[first : last + 1], len(data)), 16)
        plain = io.BytesIO(data)
        for from_end, place, size in asked:
            sought = (-place, io.SEEK_END) if from_end else (place,)
            assert stretched.seek(*sought) == plain.seek(*sought)
            assert stretched.read(size) == plain.read(size)
            assert stretched.tell() == plain.tell()


@pytest.mark.parametrize("how", ["plain", "gz", "zip"])
def test_a_big_object_is_read_in_stretches_however_it_is_packed(
    stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch, how: str
):
    monkeypatch.setattr(files, "STRETCH", 100)
    monkeypatch.setattr(stretches, "STRETCH", 100)
    body = rows(store)
    data = {"plain": body, "gz": gzip.compress(body), "zip": zipped(body)}[how]
    asked: list[str] = []
    world = World(stack.dynamodb, stack.client("s3"), stack.settings)
    world.s3.meta.events.register(
        "before-send.s3.GetObject", lambda request, **_: asked.append(request.headers.get("Range"))
    )
    upload = put_away(stack, data)
    source, upload = files.fetch(world, upload)
    assert files.digest(source) == digest_of(data)
    assert files.read(world, source, upload) == StockFile(data).read(uploaded_at=upload.time)
    assert len(asked) > 3
    assert all(asked[1:])


def zipped(data: bytes, name: str = "stock.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def test_a_workbook_that_is_too_big_to_be_held_says_that_csv_may_be_larger(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(container, "MAX_WORKBOOK", 60)
    ole = b"\xd0\xcf\x11\xe0" + bytes(200)
    for data in (zipped(b"x" * 300, "mimetype"), ole, gzip.compress(ole)):
        with pytest.raises(Unreadable, match="Export the list as CSV, which may be larger"):
            StockFile(data)


# --- through the Lambdas -------------------------------------------------------------------------------------------


def test_killed_in_the_middle_nothing_is_lost_and_each_row_is_told_once(tmp_path: Path):
    """A loader's process, and then the whole engine, while parts are being applied."""
    home = tmp_path / "home"
    stack = stacks.connect({"STOCKTRAIL_HOME": str(home)})
    try:
        vary(stack, stack.settings.loader, PART_ROWS="400", VISIBLE_SECONDS="2")
        vary(stack, stack.settings.sweeper, HANG_SECONDS="2")
        engine.checkpoint(home)
        sent = uploads.send(stack, "huge.csv", shuffled(6000))
        until(lambda: pipeline.waiting(stack)["parts"], 60)
        until(lambda: through(stack, sent) >= 2, 60)
        assert processes.kill(until(lambda: loaders(home))[0])
        until(lambda: through(stack, sent) >= 4, 60)
        assert through(stack, sent) < int(row(stack, sent)["Parted"])
        assert processes.kill(processes.server(home) or 0)
        stack = stacks.connect({"STOCKTRAIL_HOME": str(home)})
        until(lambda: loaded(stack, sent), 120)
        *_, receipt = uploads.follow(stack, sent)
        assert told(receipt) == {"inserted": 5700, "duplicate": 300}
        assert receipt.records_seen == 5700
        assert [line["row"] for line in uploads.rows(stack, receipt)] == list(range(2, 6002))
        assert trust.verify(stack).differences == ()
    finally:
        engine.stop(home)
        engine.detach(home)


def shuffled(count: int) -> bytes:
    """So many rows in no order, one in twenty of which names an item that another one names."""
    items = [n * 7919 % count % (count * 19 // 20) for n in range(count)]
    return "\n".join(["store,item,count", *(f"Store {n % 7},Item {n:05},{n % 50 + 1}" for n in items), ""]).encode()


def vary(stack: Stack, function: str, **names: str) -> dict[str, str]:
    """Give a Lambda other settings; what they were."""
    functions = stack.client("lambda")
    now = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": now | names})
    return {name: now[name] for name in names}


def row(stack: Stack, upload_id: str) -> dict[str, Any]:
    return receipts.get(stack.dynamodb, stack.settings.uploads_table, upload_id) or {}


def through(stack: Stack, upload_id: str) -> int:
    return len(row(stack, upload_id).get("Through", ()))


def loaded(stack: Stack, upload_id: str) -> bool:
    """What hangs is looked for as often as this is asked, and not once a minute."""
    invoke(stack, stack.settings.sweeper, {})
    return "LoadedAt" in row(stack, upload_id)


def loaders(home: Path) -> list[int]:
    found = [(pid, Path(f"/proc/{pid}/cmdline")) for pid in processes.workers(home)]
    return [pid for pid, line in found if line.exists() and b"Loader" in line.read_bytes()]

"""The lesson, on the real engine: its figures are its streams', its tables go away, and nothing else is touched."""

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st
from botocore.awsrequest import AWSRequest, AWSResponse
from streamlit.testing.v1 import AppTest
from urllib3 import HTTPResponse

from lambdas.fates import Mode
from lambdas.settings import Settings
from lambdas.upload import new_id
from services import changes, lesson, stock, uploads
from services.errors import BadFile, Unavailable
from services.lesson import Classroom, Lesson, Phase, scratch
from services.lesson.consumer import Consumer
from services.stack import Stack
from tests.test_cli import asked, run
from tests.test_pages import opened, said
from tests.waiting import until

RECORDS = {Mode.PLAIN: [3, 0, 3, 3], Mode.STAMP: [3, 3, 3, 3], Mode.NEWEST: [3, 0, 3, 0]}
RIGHT = {Mode.PLAIN: False, Mode.STAMP: False, Mode.NEWEST: True}
ALERTS = {Mode.PLAIN: 3, Mode.STAMP: 3, Mode.NEWEST: 2}


def scratch_tables(stack: Stack) -> set[str]:
    """Every table whose name says lesson, whoever made it."""
    pages = stack.dynamodb.get_paginator("list_tables").paginate()
    return {name for page in pages for name in page["TableNames"] if "-lesson-" in name}


@pytest.fixture(autouse=True)
def nothing_stays(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nor is there much to wait for: the embedded engine's records are there at once. The command waits as it does."""
    monkeypatch.setattr(lesson.run, "QUIET_SECONDS", 0.2)
    assert not scratch_tables(stack)
    yield
    until(lambda: not scratch_tables(stack))


def in_stream(stack: Stack, table: str) -> list[Mapping[str, Any]]:
    """All that a table's stream holds, read to its end without the product's help."""
    streams = stack.client("dynamodbstreams")
    [arn] = [one["StreamArn"] for one in streams.list_streams(TableName=table)["Streams"]]
    found: list[Mapping[str, Any]] = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        place = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]  # fmt: skip
        while page := (answer := streams.get_records(ShardIterator=place))["Records"]:
            found += [record["dynamodb"] for record in page]
            place = answer["NextShardIterator"]
    return found


def counts_in(stack: Stack, table: str) -> dict[str, str]:
    return {item["Item"]["S"]: item["Count"]["N"] for item in stack.dynamodb.scan(TableName=table)["Items"]}


def told(of: Lesson) -> dict[Mode, list[int]]:
    return {mode: [len(one.records) for one in sent] for mode, sent in of.sent.items()}


def test_the_figures_are_those_of_each_tables_own_stream(stack: Stack):
    now = None
    for now in lesson.lesson(stack, lesson.story()):
        if now.phase is Phase.DONE:
            tables = {Mode(name.rsplit("-", 1)[1]): name for name in scratch_tables(stack) if "uploads" not in name}
            streams = {mode: in_stream(stack, name) for mode, name in tables.items()}
            held = {mode: counts_in(stack, name) for mode, name in tables.items()}
    assert now is not None
    assert told(now) == RECORDS
    assert {mode: len(records) for mode, records in streams.items()} == {
        Mode.PLAIN: 9, Mode.STAMP: 12, Mode.NEWEST: 6
    }  # fmt: skip
    for mode, sent in now.sent.items():
        ours = [one.sequence for of in sent for one in of.records]
        assert ours == [record["SequenceNumber"] for record in streams[mode]]
        assert all(one.quiet and one.expected == len(one.records) for one in sent)
    monday, tuesday = {"Milk": "8", "Rolls": "0", "Tea": "5"}, {"Milk": "0", "Rolls": "9", "Tea": "3"}
    assert held == {Mode.PLAIN: monday, Mode.STAMP: monday, Mode.NEWEST: tuesday}
    lines = {line.mode: line for line in lesson.summary(now)}
    assert {mode: line.right for mode, line in lines.items()} == RIGHT
    assert {mode: line.alerts for mode, line in lines.items()} == ALERTS
    assert {mode: {key[1]: count for key, count in line.stock} for mode, line in lines.items()} == held


def test_each_step_says_why(stack: Stack):
    waits = [now for now in lesson.lesson(stack, lesson.story()) if now.phase in (Phase.WAITING, Phase.DONE)]
    why = [{mode: lesson.why(sent) for mode, sent in now.sent.items()} for now in waits]
    assert [len(now.sent[Mode.PLAIN]) for now in waits] == [1, 2, 3, 4]
    assert why[0][Mode.PLAIN] == "3 new: an INSERT record each."
    nothing = "The same 3 rows: nothing differs, so DynamoDB wrote no stream record, so nobody was told."
    assert why[1][Mode.PLAIN] == why[1][Mode.NEWEST] == nothing
    assert why[1][Mode.STAMP] == (
        "The same 3 counts, but UpdatedAt moves: a MODIFY record each. What was out stays out, so no second alert."
    )
    assert why[3][Mode.PLAIN] == "3 counts differ: a MODIFY record each. But an older file has won: the stock is wrong."
    assert why[3][Mode.NEWEST] == "3 rows are older than what the table holds: not written, so no stream record."


def test_a_run_that_is_left_in_the_middle_leaves_no_table(stack: Stack):
    steps = lesson.lesson(stack, lesson.story())
    until(lambda: next(steps).phase is Phase.WAITING)
    assert len(scratch_tables(stack)) == 4
    steps.close()
    assert not scratch_tables(stack)


@contextmanager
def refused(stack: Stack, operation: str, after: int) -> Iterator[None]:
    """So many of these are let through; from then on DynamoDB refuses."""
    sent = Counter[str]()

    def refuse(request: AWSRequest, **_: Any) -> AWSResponse | None:
        sent[operation] += 1
        said = {"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": "not allowed"}
        raw = HTTPResponse(io.BytesIO(json.dumps(said).encode()), preload_content=False)
        return AWSResponse(request.url, 400, {}, raw) if sent[operation] > after else None

    event = f"before-send.dynamodb.{operation}"
    stack.dynamodb.meta.events.register(event, refuse)
    try:
        yield
    finally:
        stack.dynamodb.meta.events.unregister(event, refuse)
    assert sent[operation] > after


@pytest.mark.parametrize("operation", ["TransactWriteItems", "CreateTable"])
def test_a_run_that_breaks_off_leaves_no_table_and_says_what_was_refused(stack: Stack, operation: str):
    with refused(stack, operation, after=2), pytest.raises(Unavailable, match=f"{operation} was refused: not allowed"):
        list(lesson.lesson(stack, lesson.story()))
    assert not scratch_tables(stack)


def test_nothing_of_the_stacks_own_is_touched(stack: Stack):
    """No request names any of it but to learn the shape of a table; and the tables hold what they held."""
    bodies: list[str] = []

    def look(request: AWSRequest, **_: Any) -> None:
        if not request.headers["X-Amz-Target"].endswith((b"DescribeTable", b"ListTables")):
            bodies.append(request.body.decode())

    def never(**_: Any) -> None:
        bodies.append("S3")

    until(lambda: all(one.settled for one in uploads.recent(stack, 100_000)))  # what other tests have sent
    before = held_by(stack)
    stack.dynamodb.meta.events.register("before-send.dynamodb", look)
    stack.s3.meta.events.register("before-send.s3", never)
    try:
        list(lesson.lesson(stack, lesson.story()))
    finally:
        stack.dynamodb.meta.events.unregister("before-send.dynamodb", look)
        stack.s3.meta.events.unregister("before-send.s3", never)
    own = [
        getattr(stack.settings, field.name) for field in fields(Settings) if field.name.endswith(("table", "bucket"))
    ]
    assert len(own) == 10
    assert len(bodies) > 30
    assert not [(name, body) for name in own for body in bodies if f'"{name}"' in body]
    assert "S3" not in bodies
    assert held_by(stack) == before
    sources = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert not [one for one in sources if "-lesson-" in one["EventSourceArn"]]


def held_by(stack: Stack) -> tuple[Any, ...]:
    """What a lesson must leave as it is."""
    names = stack.settings
    counts = [
        stack.dynamodb.scan(TableName=table, Select="COUNT")["Count"]
        for table in (names.uploads_table, names.store_uploads_table, names.changes_table, names.alerts_table)
    ]
    return stock.table(stack), counts, len(in_stream(stack, names.inventory_table)), changes.newest(stack, 100)


def test_two_runs_at_once_do_not_disturb_each_other(stack: Stack):
    one = lesson.lesson(stack, lesson.story())
    until(lambda: next(one).phase is Phase.WAITING)
    *_, another = lesson.lesson(stack, lesson.story())  # begins, sweeps and ends in the midst of it
    *_, last = one
    assert told(another) == told(last) == RECORDS


def test_a_sweep_takes_what_was_left_over_of_this_stack_and_nothing_else(stack: Stack):
    client, table = stack.dynamodb, stack.settings.inventory_table
    long_ago = datetime.now(UTC) - timedelta(hours=scratch.KEPT_HOURS + 1)
    left, young = f"{table}-lesson-{new_id(long_ago)}-plain", f"{table}-lesson-{new_id()}-plain"
    anothers = [f"other-{left}", f"{left}-too1", f"{table}-lesson-notes"]
    shape = {"KeySchema": [{"AttributeName": "Store", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    shape["AttributeDefinitions"] = [{"AttributeName": "Store", "AttributeType": "S"}]
    for name in (left, young, *anothers):
        client.create_table(TableName=name, **shape)
    try:
        assert lesson.sweep(stack) == [left]
        assert scratch_tables(stack) == {young, *anothers}
    finally:
        for name in (young, *anothers):
            client.delete_table(TableName=name)


def test_a_file_without_times_counts_as_of_its_upload_so_the_old_one_is_the_newest(stack: Stack):
    files = lesson.own("a.csv", b"item,count\nTea,5\n", "b.csv", b"item,count\nTea,3\n")
    *_, last = lesson.lesson(stack, files)
    assert told(last) == {Mode.PLAIN: [1, 0, 1, 1], Mode.STAMP: [1, 1, 1, 1], Mode.NEWEST: [1, 0, 1, 1]}
    assert all(one.right for sent in last.sent.values() for one in sent)
    assert all(dict(line.stock) == {("Corner shop", "Tea"): "5"} for line in lesson.summary(last))


def test_own_files_are_few_rows_of_one_store_that_can_be_read():
    with pytest.raises(BadFile, match="These speak of Corner shop, Oslo"):
        lesson.own("a.csv", b"item,count\nTea,5\n", "b.csv", b"store,item,count\nOslo,Tea,3\n")
    many = "item,count\n" + "".join(f"Tea {number},1\n" for number in range(13))
    for data, words in ((many.encode(), "13 usable rows"), (b"%PDF-1.4", "PDF")):
        with pytest.raises(BadFile, match=words):
            lesson.own("a.csv", data, "b.csv", data)


# A room, and those who look and press


@pytest.fixture
def room(stack: Stack) -> Iterator[Classroom]:
    made = Classroom(stack)
    yield made
    made.start_over()


def at_rest(room: Classroom) -> Lesson | None:
    until(lambda: not room.board().at_work)
    return room.board().lesson


def test_who_presses_at_the_same_time_sends_one_file(room: Classroom):
    for upto in (1, 2):
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda _, upto=upto: room.send(upto, lesson.story()), range(5)))
        now = at_rest(room)
        assert now is not None
        assert now.sends == upto
    room.send(4, lesson.story())
    now = at_rest(room)
    assert now is not None
    assert told(now) == RECORDS


def test_starting_over_deletes_the_tables_of_the_lesson_that_was_under_way(room: Classroom, stack: Stack):
    room.send(1, lesson.story())
    at_rest(room)
    assert scratch_tables(stack)
    room.start_over()
    assert room.board().lesson is None
    until(lambda: not scratch_tables(stack))


def test_a_class_that_thinks_too_long_finds_the_tables_deleted_and_is_told(stack: Stack):
    room = Classroom(stack, idle=0.01)
    room.send(1, lesson.story())
    until(lambda: room.board().broke_off)
    assert "so the lesson's tables were deleted" in room.board().broke_off
    assert not scratch_tables(stack)


def test_a_lesson_that_breaks_off_says_why(room: Classroom, stack: Stack):
    with refused(stack, "TransactWriteItems", after=4):
        room.send(4, lesson.story())
        until(lambda: not room.board().at_work)
    assert room.board().broke_off == "TransactWriteItems was refused: not allowed"


# A stream of several shards, which the embedded engine never has


class Shards:
    """A stream with a shard that was split while it was read: what AWS answers, by what its documents say."""

    def __init__(self) -> None:
        self.shards = [{"ShardId": "new", "ParentShardId": "old"}, {"ShardId": "old", "ParentShardId": "gone"}]
        self.pages: dict[str, list[list[str]]] = {"old": [[], ["1"], [], ["2"]], "new": [[], ["3"], []]}
        self.asked: list[tuple[str, str]] = []

    def describe_stream(self, ExclusiveStartShardId: str = "", **_: Any) -> dict[str, Any]:
        """A shard a page."""
        at = [one["ShardId"] for one in self.shards].index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId else 0
        page, more = self.shards[at : at + 1], at + 1 < len(self.shards)
        return {"StreamDescription": {"Shards": page} | ({"LastEvaluatedShardId": page[0]["ShardId"]} if more else {})}

    def get_shard_iterator(self, ShardId: str, ShardIteratorType: str, **_: Any) -> dict[str, Any]:
        self.asked.append((ShardId, ShardIteratorType))
        return {"ShardIterator": f"{ShardId} 0"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:
        shard, page = ShardIterator.split()
        pages = self.pages[shard]
        more = int(page) + 1 < len(pages) or shard == "new"
        now = pages[int(page)] if int(page) < len(pages) else []
        return {"Records": list(map(_record, now))} | (
            {"NextShardIterator": f"{shard} {int(page) + 1}"} if more else {}
        )


def _record(sequence: str) -> dict[str, Any]:
    body = {"SequenceNumber": sequence, "ApproximateCreationDateTime": datetime.now(UTC)}
    body |= {"Keys": {"Store": {"S": "Shop"}, "Item": {"S": "Tea"}}}  # type: ignore[dict-item]
    return {"eventID": sequence, "eventName": "MODIFY", "dynamodb": body}


def test_a_shard_is_read_through_empty_pages_and_before_those_that_follow_on_it():
    shards = Shards()
    consumer = Consumer(shards, "arn")
    read: list[str] = []
    for _ in range(12):
        read += [one.sequence for one in consumer.fresh()]
    assert read == ["1", "2", "3"]
    assert shards.asked == [("old", "TRIM_HORIZON"), ("new", "TRIM_HORIZON")]


def test_after_a_pause_a_stream_is_read_on_from_the_last_record():
    shards = Shards()
    consumer = Consumer(shards, "arn")
    until(consumer.fresh)
    consumer.resume()
    consumer.fresh()
    assert shards.asked == [("old", "TRIM_HORIZON"), ("old", "AFTER_SEQUENCE_NUMBER")]


# The command, and the page


def test_the_command_prints_the_same_table():
    found = asked("lesson")
    assert {Mode(one["mode"]): one["records"] for one in found} == RECORDS
    assert {Mode(one["mode"]): one["final_stock_right"] for one in found} == RIGHT
    assert [one["records_in_all"] for one in found] == [9, 12, 6]
    assert run("lesson", "one.csv").returncode == 1


@pytest.fixture
def page(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:  # noqa: ARG001 (it runs)
    st.cache_resource.clear()
    yield opened("pages/lesson.py")
    st.cache_resource.clear()  # which starts over


def press(page: AppTest, key: str, until_said: str) -> None:
    page.button(key=key).click().run()
    until(lambda: until_said in said(page.run()), seconds=60)


def test_the_page_shows_what_the_streams_hold(page: AppTest, stack: Stack):
    assert "Upload the same file twice: the second time nothing happens. Why?" in said(page)
    press(page, "lesson-next", "how many records will file 2 leave?")
    press(page, "lesson-next", "how many records will file 3 leave?")
    assert said(page).count("nothing differs, so DynamoDB wrote no stream record") == 2
    press(page, "lesson-next", "how many records will file 4 leave?")
    tables = {Mode(name.rsplit("-", 1)[1]): name for name in scratch_tables(stack) if "uploads" not in name}
    so_far = {mode: len(in_stream(stack, name)) for mode, name in tables.items()}
    assert {mode: figures(page, mode)["In all"] for mode in tables} == {m: f"**{n}**" for m, n in so_far.items()}
    press(page, "lesson-all", "The tables are deleted.")
    for mode, records in RECORDS.items():
        shown = figures(page, mode)
        assert [shown[str(number)] for number in range(1, 5)] == list(map(str, records))
        assert shown["In all"] == f"**{sum(records)}**"
        assert shown["Alerts"] == str(ALERTS[mode])
        assert ("right" in shown["Stock"]) == RIGHT[mode]
    stamp = next(one.value for one in page.table if ":gray-badge[time]" in one.value.astype(str).values)
    assert list(stamp["2"][:4]) == [":gray-badge[time]"] * 3 + ["**3**"]
    press(page, "lesson-over", "Ask the class first")


def figures(page: AppTest, mode: Mode) -> Mapping[str, str]:
    """A mode's line of the measured table."""
    table = next(one.value for one in page.table if "In all" in one.value.columns)
    names = {Mode.PLAIN: "Plain", Mode.STAMP: "Stamp", Mode.NEWEST: "Newest wins"}
    [row] = table[table["Stream records after file"] == names[mode]].to_dict("records")
    return row  # type: ignore[no-any-return]


def test_another_reader_sees_the_same_lesson_and_it_survives_a_rerun(page: AppTest):
    press(page, "lesson-next", "how many records will file 2 leave?")
    another = opened("pages/lesson.py")
    assert "how many records will file 2 leave?" in said(another)
    assert figures(another, Mode.STAMP)["1"] == "3"
    assert figures(page.run(), Mode.STAMP)["1"] == "3"

"""Law 3 on the real tables: whatever the order, the repetition and the interleaving, the newest data is what stays.

The uploads are loaded in this process by the loader's own code, from objects beside the ones that the queue hears of,
so that a test can choose the order, and can let one upload run in the middle of another, between two of its requests.
"""

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas import times
from lambdas.fates import Mode
from lambdas.loading import load
from lambdas.upload import Address, Upload, metadata
from lambdas.world import World
from services import stock, uploads
from services.stack import Stack
from services.uploads import Receipt
from tests import laws

DAY = "20261101T0000{:02}000000-{:08x}"
ITEMS = ("Tea", "Rye bread")
REQUESTS = 16
"""More than a load of these files makes of DynamoDB."""


@dataclass(frozen=True)
class Said:
    """One upload of the story: when it was sent (a second of the day), its counts, and the time it states, if any."""

    second: int
    counts: tuple[int | None, ...]
    stated: int | None

    @property
    def at(self) -> str:
        return moment(self.second if self.stated is None else self.stated)


def moment(second: int) -> str:
    return f"2026-11-01T00:00:{second:02}.000000Z"


@dataclass(frozen=True)
class Step:
    """Load one upload, and, once it has made so many requests, another one in its middle."""

    load: int
    within: int | None
    after: int


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Said], list[Step]]:
    """Some uploads, and every one of them loaded, in any order, with repeats, one inside another."""
    count = draw(st.integers(2, 5))
    some_count = st.none() | st.integers(0, 2)
    said = [
        Said(10 + n, (draw(some_count), draw(st.integers(0, 2))), draw(st.none() | st.integers(9, 14)))
        for n in range(count)
    ]
    order = draw(st.permutations(range(count))) + draw(st.lists(st.integers(0, count - 1), max_size=2))
    inner = st.none() | st.integers(0, count - 1)
    return said, [Step(n, draw(inner), draw(st.integers(1, REQUESTS))) for n in order]


def store_away(stack: Stack, store: str, number: int, said: Said) -> Upload:
    header = "store,item,count" + (",updated_at" if said.stated is not None else "")
    tail = "" if said.stated is None else f",{said.at}"
    rows = [f"{store},{item},{n}{tail}" for item, n in zip(ITEMS, said.counts, strict=True) if n is not None]
    key = f"trial/{store}/{number}.csv"
    body = "\n".join([header, *rows]).encode()
    made = stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=body, Metadata=metadata(Mode.NEWEST, None))
    upload_id = DAY.format(said.second, uuid.uuid4().int % 2**32)
    return Upload(upload_id, Address(stack.settings.bucket, key, made.get("VersionId")), f"{number}.csv")


@pytest.fixture(scope="module")
def other(stack: Stack) -> World:
    """A world with a DynamoDB client of its own, which `interrupting` listens to."""
    return World(stack.client("dynamodb"), stack.s3, stack.settings)


@contextmanager
def interrupting(world: World, after: int, then: Callable[[], None]) -> Iterator[None]:
    """Let something else happen right before one of the requests that this world's client makes of DynamoDB."""
    requests = itertools.count(1)

    def hook(**_: Any) -> None:
        if next(requests) == after:
            then()

    events = world.dynamodb.meta.events
    events.register("before-send.dynamodb", hook)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb", hook)


def truth(said: list[Said]) -> dict[str, int]:
    """What the laws say must stay of each item: the newest statement, and among equally new ones the last sent."""
    stays: dict[str, tuple[str, int, int]] = {}
    for one in said:
        for item, count in zip(ITEMS, one.counts, strict=True):
            if count is not None:
                stays[item] = max(stays.get(item, ("", 0, 0)), (one.at, one.second, count))
    return {item: count for item, (_, _, count) in stays.items()}


class Died(Exception):
    """The process is gone."""


def die() -> None:
    raise Died


def play(stack: Stack, other: World, step: Step, sent: list[Upload]) -> None:
    def cut_in() -> None:
        if step.within is not None:
            load(stack.world, sent[step.within], "inner")

    with interrupting(other, step.after, cut_in):
        load(other, sent[step.load], "test")


def settled(stack: Stack, sent: list[Upload]) -> list[Receipt]:
    return [list(uploads.follow(stack, upload.id))[-1] for upload in sent]


@given(stories())
@settings(max_examples=25, deadline=None)
def test_every_order_repetition_and_interleaving_ends_in_the_same_counts_and_conserves_records(
    stack: Stack, other: World, story: tuple[list[Said], list[Step]]
):
    said, steps = story
    store = f"Trial {uuid.uuid4().hex[:10]}"
    sent = [store_away(stack, store, n, one) for n, one in enumerate(said)]
    for step in steps:
        play(stack, other, step, sent)
    assert {one.item: one.count for one in stock.of_store(stack, store)} == truth(said)
    assert laws.broken(stack, store, settled(stack, sent)) == []


@pytest.mark.parametrize("after", range(1, REQUESTS + 1))
@pytest.mark.parametrize("newer", [Said(12, (3, 5), None), Said(12, (3, 8), None), Said(12, (3, 8), 11)])
def test_a_newer_upload_that_runs_in_the_middle_of_an_older_one_wins_wherever_it_cuts_in(
    stack: Stack, other: World, store: str, after: int, newer: Said
):
    """Newer ones that agree with the table, differ from it, and state a time of their own."""
    said = [Said(10, (3, 5), None), Said(11, (3, 7), None), newer]
    sent = [store_away(stack, store, n, one) for n, one in enumerate(said)]
    for step in (Step(0, None, 0), Step(1, 2, after), Step(2, None, 0)):
        play(stack, other, step, sent)
    assert {one.item: one.count for one in stock.of_store(stack, store)} == truth(said)
    assert laws.broken(stack, store, settled(stack, sent)) == []


@pytest.mark.parametrize("after", range(1, REQUESTS + 1))
def test_a_newer_upload_that_had_died_and_agrees_with_what_cuts_in_is_still_the_last_word(
    stack: Stack, other: World, store: str, after: int
):
    said = [Said(10, (3, 5), None), Said(11, (3, 8), None), Said(12, (3, 7), None), Said(13, (3, 8), None)]
    sent = [store_away(stack, store, n, one) for n, one in enumerate(said)]
    load(stack.world, sent[0], "test")
    with suppress(Died), interrupting(other, 6, die):  # it is known to speak of the store, and has judged nothing
        load(other, sent[3], "dying")

    def cut_in() -> None:
        load(stack.world, sent[1], "inner")
        load(stack.world, sent[3], "inner")

    with interrupting(other, after, cut_in):
        load(other, sent[2], "test")
    cut_in()  # where the load had fewer requests
    assert {one.item: one.count for one in stock.of_store(stack, store)} == truth(said)


@pytest.mark.parametrize("after", range(5, REQUESTS + 1))
def test_what_is_written_for_a_newer_upload_that_was_crossed_stays_on_its_receipt_wherever_they_meet(
    stack: Stack, other: World, store: str, after: int
):
    """The older one stops right before its write; the newer one is loaded meanwhile, up to ``after``; there the older
    one goes on to its end, and so writes for the newer one as well, on that one's receipt."""
    said = [Said(10, (3, 5), None), Said(11, (3, 7), None), Said(12, (3, 5), None)]
    sent = [store_away(stack, store, n, one) for n, one in enumerate(said)]
    load(stack.world, sent[0], "test")
    third = World(stack.client("dynamodb"), stack.s3, stack.settings)
    reached, go_on = threading.Event(), threading.Event()

    def stop(**_: Any) -> None:
        reached.set()
        assert go_on.wait(20)

    other.dynamodb.meta.events.register_first("before-send.dynamodb.TransactWriteItems", stop)
    try:
        with ThreadPoolExecutor(1) as pool:
            older = pool.submit(load, other, sent[1], "older")
            assert reached.wait(20)

            def let_go() -> None:
                other.dynamodb.meta.events.unregister("before-send.dynamodb.TransactWriteItems", stop)
                go_on.set()
                older.result(20)

            with interrupting(third, after, let_go):
                load(third, sent[2], "newer")
            if not go_on.is_set():
                let_go()
    finally:
        go_on.set()
    assert {one.item: one.count for one in stock.of_store(stack, store)} == truth(said)
    assert laws.broken(stack, store, settled(stack, sent)) == []


@given(st.permutations(range(4)), st.lists(st.integers(0, 2), min_size=4, max_size=4), st.data())
@settings(max_examples=10, deadline=None)
def test_files_that_state_their_times_end_in_one_table_times_included(
    stack: Stack, order: list[int], counts: list[int], data: st.DataObject
):
    said = [Said(10 + n, (None, count), data.draw(st.integers(9, 14))) for n, count in enumerate(counts)]
    store = f"Trial {uuid.uuid4().hex[:10]}"
    sent = [store_away(stack, store, n, one) for n, one in enumerate(said)]
    for n in order:
        load(stack.world, sent[n], "test")
    newest = max(said, key=lambda one: (one.at, one.second))
    held = [(one.count, one.updated_at) for one in stock.of_store(stack, store)]
    assert held == [(Decimal(newest.counts[1] or 0), newest.at)]


def test_a_late_file_does_not_overturn_a_newer_one_that_only_agreed_with_the_table(stack: Stack, store: str):
    sunday, monday, tuesday = (Said(10 + n, (None, count), None) for n, count in enumerate((5, 7, 5)))
    sent = [store_away(stack, store, n, one) for n, one in enumerate((sunday, monday, tuesday))]
    for n in (0, 2, 1):  # Monday's file hung in the queue until Tuesday's was through
        load(stack.world, sent[n], "test")
    assert [one.count for one in stock.of_store(stack, store)] == [Decimal(5)]
    late = uploads.receipt(stack, sent[1].id)
    assert late.fates["stale"] == 1
    assert uploads.rows(stack, late)[0]["reason"] == f"a newer file confirmed the count as of {moment(12)}"


@pytest.mark.parametrize("after", range(1, REQUESTS + 1))
def test_a_loader_that_dies_after_any_request_and_runs_again_leaves_the_receipt_of_one_clean_run(
    stack: Stack, other: World, store: str, after: int
):
    first, second = Said(10, (3, 5), None), Said(11, (4, 5), None)
    sent = [store_away(stack, store, n, one) for n, one in enumerate((first, second))]
    load(stack.world, sent[0], "test")
    with suppress(Died), interrupting(other, after, die):
        load(other, sent[1], "dying")
    load(stack.world, sent[1], "again")
    receipts = settled(stack, sent)
    assert (receipts[1].fates["changed"], receipts[1].fates["unchanged"]) == (1, 1)
    assert laws.broken(stack, store, receipts) == []
    assert times.moment(receipts[1].received_at or "").second == 11

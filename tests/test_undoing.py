"""Undoing an upload: what it changed is back, what has been changed since is left alone, and it is an upload itself."""

import itertools
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas import undoing as files
from lambdas.fates import OF_FILES, Applied, Fate, Held, Mode, judge
from lambdas.loading import load
from lambdas.stockfile import Row, Unreadable
from lambdas.upload import Address, Upload, metadata, new_id
from lambdas.world import World
from services import alerts, changes, stock, undoing, uploads
from services.errors import BadFile, NotFound
from services.stack import Stack
from services.uploads import Receipt
from services.verifying import verify
from tests.conftest import csv, sent, told
from tests.test_repeats import Died, dying

TIMED = "store,item,count,updated_at"
NOON, LATE = "2026-11-23T12:00:00.000000Z", "2026-11-23T18:00:00.000000Z"
UNDOES = Applied("undo", Mode.UNDO, LATE, "upload")


def held(stack: Stack, store: str) -> set[tuple[Any, ...]]:
    """What the table says of a store: everything but the bookkeeping of uploads."""
    return {(one.item, one.count, one.updated_at) for one in stock.of_store(stack, store)}


def undone(stack: Stack, upload: Receipt) -> Receipt:
    *_, last = uploads.follow(stack, undoing.send(stack, upload.upload_id or ""))
    return last


# --- its file --------------------------------------------------------------------------------------------------------


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
COUNTS = st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=3)


@given(st.lists(st.tuples(TEXT, TEXT, COUNTS, st.sampled_from([None, NOON]), st.sampled_from(["", "20261123T1-a"]))))
def test_the_file_says_again_what_went_into_it_whatever_the_names(said: list[tuple[Any, ...]]):
    rows = [
        Row(number, store, item, count, at, by=by) for number, (store, item, count, at, by) in enumerate(said, start=2)
    ]
    assert files.read(files.write(rows)).rows == rows


@pytest.mark.parametrize(
    "data", [b"", b"store,item,count\nBerlin,Tea,3", b"\xff\xfe", files.write([])[:-2] + b"\nBerlin,Tea"]
)
def test_another_file_is_not_understood_by_half(data: bytes):
    with pytest.raises(Unreadable, match="not one that undoes"):
        files.read(data)


# --- the fates of its rows -------------------------------------------------------------------------------------------


def row(count: int | None, at: str | None = NOON) -> Row:
    return Row(2, "Berlin", "Tea", None if count is None else Decimal(count), at, by="before")  # type: ignore[arg-type]


def of(count: int | None, at: str = LATE, upload_id: str = "upload", restored: str = "") -> Held:
    return Held(None if count is None else Decimal(count), at, upload_id, restored=restored)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (row(12), of(3), Fate.CHANGED),
        (row(12), of(12), Fate.TOUCHED),
        (row(None, None), of(3), Fate.CHANGED),  # it was new, and is gone again
        (row(12), of(None, ""), Fate.INSERTED),  # it was gone, and is back
        (row(12), of(12, NOON), Fate.UNCHANGED),
        (row(12), of(3, restored="upload", upload_id="another undo"), Fate.CHANGED),
        (row(12), of(3, upload_id="later"), Fate.STALE),
        (row(12), None, Fate.STALE),
    ],
)
def test_an_item_goes_back_where_it_still_is_what_the_upload_made_of_it(before: Row, now: Held | None, expected: Fate):
    verdict = judge(before, now, UNDOES)
    assert verdict.fate is expected
    if verdict.new:
        assert (verdict.new.count, verdict.new.updated_at, verdict.new.restored) == (
            before.count, before.updated_at or "", "before",
        )  # fmt: skip


def test_an_item_that_is_gone_is_new_to_every_file_however_old():
    for mode in OF_FILES:
        verdict = judge(row(3, "2020-01-01T00:00:00.000000Z"), of(None, ""), Applied("late", mode, NOON))
        assert verdict.fate is Fate.INSERTED


# --- on the table ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """A file: counts of some items, as of a day of October or as of its upload."""

    mode: Mode
    counts: dict[str, int]
    day: int | None

    def data(self, store: str) -> bytes:
        at = "" if self.day is None else f",2026-10-{self.day:02}T00:00:00Z"
        rows = (f"{item},{count}{at}" for item, count in self.counts.items())
        return csv(store, *rows, header=TIMED if self.day else "store,item,count")


FILES = st.builds(
    Said, st.sampled_from(OF_FILES), st.dictionaries(st.sampled_from("ABCD"), st.integers(-1, 2), min_size=1),
    st.none() | st.integers(1, 9),
)  # fmt: skip


@given(st.lists(FILES, max_size=3), FILES)
@settings(max_examples=10, deadline=None)
def test_undoing_the_last_upload_restores_the_table_and_undoing_that_brings_it_back(
    stack: Stack, earlier: list[Said], last: Said
):
    store = f"Undo {uuid.uuid4().hex[:10]}"
    for one in earlier:
        sent(stack, one.data(store), one.mode)
    before = held(stack, store)
    upload = sent(stack, last.data(store), last.mode)
    after = held(stack, store)
    if not upload.records_expected:
        with pytest.raises(BadFile, match="nothing to undo"):
            undoing.send(stack, upload.upload_id or "")
        return
    back = undone(stack, upload)
    assert held(stack, store) == before
    assert back.records_expected == back.records_seen == back.rows == upload.records_expected
    again = undone(stack, back)
    assert held(stack, store) == after
    assert again.records_expected == upload.records_expected
    assert verify(stack, store, again_after=0).differences == ()


def test_what_changed_since_is_left_alone_and_named(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5", "Jam,5"))
    wrong = sent(stack, csv(store, "Tea,3", "Jam,3", "Milk,3"))
    since = sent(stack, csv(store, "Jam,7"))
    foreseen, lines = undoing.preview(stack, wrong.upload_id or "")
    back = undone(stack, wrong)
    assert {one.item: one.count for one in stock.of_store(stack, store)} == {"Tea": 5, "Jam": 7}
    assert told(back) == told(foreseen) == {"changed": 2, "stale": 1}
    [left] = [line for line in uploads.rows(stack, back) if line["fate"] == Fate.STALE]
    assert (left["item"], left["reason"]) == ("Jam", f"it has been changed since, by {since.upload_id}")
    assert lines == uploads.rows(stack, back)


def test_uploads_are_undone_one_after_the_other_and_each_receipt_says_so(stack: Stack, store: str):
    first = sent(stack, csv(store, "Tea,5"))
    second = sent(stack, csv(store, "Tea,3"))
    before_last, last = undone(stack, second), undone(stack, first)
    assert held(stack, store) == set()
    assert (before_last.undoes, last.undoes) == (second.upload_id, first.upload_id)
    assert uploads.receipt(stack, second.upload_id or "").undone_by == before_last.upload_id


def test_an_upload_that_is_undone_twice_changes_nothing_the_second_time(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5"))
    wrong = sent(stack, csv(store, "Tea,3"))
    undone(stack, wrong)
    assert told(undone(stack, wrong)) == {"stale": 1}


def test_an_item_that_came_with_the_upload_is_gone_its_alert_ends_and_the_next_file_brings_it_anew(
    stack: Stack, store: str
):
    wrong = sent(stack, csv(store, "Tea,0"))
    undone(stack, wrong)
    assert held(stack, store) == set()
    assert [one.state for one in alerts.of_upload(stack, wrong.upload_id or "")] == ["closed"]
    assert told(sent(stack, csv(store, f"Tea,0,{NOON}", header=TIMED))) == {"inserted": 1}
    assert held(stack, store) == {("Tea", 0, NOON)}
    assert [one.new_count for one in changes.of_item(stack, f"{store}/Tea".replace(" ", "%20"))] == [0, None, 0]


def test_what_can_not_be_undone_says_why(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,5"))
    same = sent(stack, csv(store, "Tea,5"))
    for upload_id, error, words in (
        (same.upload_id, BadFile, "changed nothing"),
        (sent(stack, b"%PDF-1.4").upload_id, BadFile, "not through"),
        ("20261123T000000000000-0a1b2c3d", NotFound, "no upload"),
    ):
        with pytest.raises(error, match=words):
            undoing.preview(stack, upload_id or "")


def put_away(stack: Stack, upload_id: str) -> Upload:
    """An upload that undoes, of which no queue hears."""
    data, own = files.write(undoing.rows(changes.of_upload(stack, upload_id))), new_id()
    place = {"Bucket": stack.settings.bucket, "Key": f"trial/{own}/undo.csv"}
    made = stack.s3.put_object(**place, Body=data, Metadata=metadata(Mode.UNDO, None, "auto", upload_id))
    return Upload(own, Address(place["Bucket"], place["Key"], made.get("VersionId")), "undo.csv")


@pytest.fixture(scope="module")
def other(stack: Stack) -> World:
    return World(stack.client("dynamodb"), stack.client("s3"), stack.settings)


def test_a_loader_that_dies_before_any_request_and_runs_again_undoes_once(stack: Stack, other: World):
    for before in itertools.count(1):
        store = f"Undo {uuid.uuid4().hex[:10]}"
        sent(stack, csv(store, "Tea,5", "Jam,5"))
        wrong = sent(stack, csv(store, "Tea,3", "Milk,3"))
        upload = put_away(stack, wrong.upload_id or "")
        try:
            with dying(before, other.dynamodb, other.s3):
                load(other, upload, "dying")
        except Died:
            sent(stack, csv(store, "Tea,9"))
            load(stack.world, upload, "again")
        else:
            return
        *_, back = uploads.follow(stack, upload.id)
        left = {(item, count) for item, count, _ in held(stack, store)}
        assert left == {("Tea", 9), ("Jam", 5)}, before
        assert back.records_seen == back.records_expected in (1, 2), before
        assert verify(stack, store, again_after=0).differences == (), before


def put_away_file(stack: Stack, data: bytes) -> Upload:
    """An upload of which no queue hears."""
    own = new_id()
    place = {"Bucket": stack.settings.bucket, "Key": f"trial/{own}/mended.csv"}
    made = stack.s3.put_object(**place, Body=data, Metadata=metadata(Mode.NEWEST, None))
    return Upload(own, Address(place["Bucket"], place["Key"], made.get("VersionId")), "mended.csv")


def test_what_was_undone_does_not_come_back_with_a_file_of_earlier_times_whose_loader_died(stack: Stack, other: World):
    for before in itertools.count(1):
        store = f"Undo {uuid.uuid4().hex[:10]}"
        sent(stack, csv(store, "Tea,8,2026-10-01", header=TIMED))
        undone(stack, sent(stack, csv(store, "Tea,2")))
        mended = put_away_file(stack, csv(store, "Tea,6,2026-10-02", header=TIMED))
        try:
            with dying(before, other.dynamodb, other.s3):
                load(other, mended, "dying")
        except Died:
            load(stack.world, mended, "again")
        else:
            break
        assert {(item, count) for item, count, _ in held(stack, store)} == {("Tea", 6)}, before
        assert verify(stack, store, again_after=0).differences == (), before
    assert {(item, count) for item, count, _ in held(stack, store)} == {("Tea", 6)}


def test_what_was_undone_confirms_no_count_any_more_and_does_so_again_once_that_is_undone(stack: Stack, store: str):
    def october(day: int, row: str) -> dict[str, int]:
        return told(sent(stack, csv(store, f"{row},2026-10-{day:02}", header=TIMED)))

    for item in ("Tea", "Rye", "Jam"):
        october(1, f"{item},8")
    wrong = sent(stack, csv(store, "Tea,8", "Rye,8", "Jam,1"))
    assert october(2, "Tea,5") == {"stale": 1}
    back = undone(stack, wrong)
    assert verify(stack, store, again_after=0).differences == ()
    assert october(3, "Tea,5") == {"changed": 1}
    undone(stack, back)
    assert october(4, "Rye,5") == {"stale": 1}
    assert verify(stack, store, again_after=0).differences == ()

"""Mappings through the whole pipeline: said, saved, asked for, and used by the loader exactly as by the preview."""

import io
import json
import uuid
from collections.abc import Sequence
from csv import reader as csv_reader
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openpyxl
import pandas as pd
import pytest
from botocore.exceptions import ClientError

from lambdas import mappings as mappings_table
from lambdas import receipts, stockfile, store_uploads
from lambdas.fates import OF_FILES, Mode
from lambdas.loading import load
from lambdas.mappings import AUTO, Saved
from lambdas.stockfile import AUTOMATIC, Mapping
from lambdas.upload import Address, Upload, metadata, new_id, s3_event
from services import changes, errors, stock, uploads, words
from services.errors import BadFile, NotFound, Unclear
from services.exporting import escaped
from services.stack import Stack
from services.uploads import Receipt
from tests import laws
from tests.conftest import sent, told
from tests.waiting import until


@pytest.fixture
def columns() -> dict[str, str]:
    """Headings that say nothing of what they are, and that no other test uses: a shape of its own."""
    tail = uuid.uuid4().hex[:6]
    return {name: f"{name}-{tail}" for name in ("Ding", "Ort", "Zahl", "Rest")}


@pytest.fixture
def mapping(columns: dict[str, str]) -> Mapping:
    return Mapping(item=((columns["Ding"],),), count=columns["Zahl"], store=columns["Ort"])


def file(columns: dict[str, str], store: str, *rows: tuple[str, int, int]) -> bytes:
    """A file with those headings: item, count, and another number that could be a count as well."""
    lines = [f"{item},{store},{count},{rest}" for item, count, rest in rows]
    return "\n".join([",".join(columns.values()), *lines, ""]).encode()


def wide(tail: str, stores: Sequence[str], *rows: tuple[object, ...]) -> bytes:
    """A file with a column for each store, as Vend writes it: an item and a count for each of them."""
    head = ["sku", f"note {tail}", *(f"inventory_{store}" for store in stores)]
    return "\n".join(
        [",".join(head), *(",".join(map(str, (item, "", *counts))) for item, *counts in rows), ""]
    ).encode()


def drop(stack: Stack, data: bytes) -> str:
    """Put a file into the bucket as a till does; its name."""
    name = f"till {uuid.uuid4().hex[:8]}.csv"
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=f"uploads/till/{name}", Body=data)
    return name


def arrived(stack: Stack, name: str) -> Receipt:
    """The settled receipt of a dropped file."""
    return until(lambda: next((one for one in uploads.recent(stack, 1000) if one.file == name and one.settled), None))


def remember(stack: Stack, data: bytes, mapping: Mapping) -> str:
    """Save a mapping for files like this; their shape."""
    opened = uploads.opened(stack, data, mapping)
    uploads.remember(stack, opened.understood, mapping)
    return opened.understood.shape


def counts(stack: Stack, store: str) -> dict[str, Decimal | None]:
    return {one.item: one.count for one in stock.of_store(stack, store)}


def broken_off(stack: Stack, of: Receipt) -> Upload:
    """The upload as the queue delivers it once more, when its loader had died right before its last step."""
    stack.dynamodb.update_item(
        TableName=stack.settings.uploads_table, Key={"UploadId": {"S": of.upload_id or ""}},
        UpdateExpression="REMOVE LoadedAt, Parts, Done, Edition",
    )  # fmt: skip
    return again(stack, of)


def again(stack: Stack, of: Receipt) -> Upload:
    """The upload of a receipt as the queue would deliver it once more."""
    item = receipts.get(stack.dynamodb, stack.settings.uploads_table, of.upload_id or "")
    assert item
    return Upload(item["UploadId"], Address(item["Bucket"], item["Key"], item.get("Version")), item["Name"])


def test_a_saved_mapping_is_used_for_a_file_that_is_dropped_into_the_bucket(
    stack: Stack, store: str, columns: dict[str, str], mapping: Mapping
):
    shape = remember(stack, file(columns, store, ("Soap", 1, 2)), mapping)
    receipt = arrived(stack, drop(stack, file(columns, store, ("Tea", 3, 9))))
    assert (told(receipt), receipt.mapping) == ({"inserted": 1}, mapping.id)
    assert counts(stack, store) == {"Tea": 3}
    [kept] = [one for one in uploads.saved(stack) if one.shape == shape]
    assert (kept.mapping, kept.columns, kept.by) == (mapping, tuple(columns.values()), None)


def test_what_is_saved_is_shown_used_and_forgotten(stack: Stack, store: str, columns: dict[str, str], mapping: Mapping):
    data = file(columns, store, ("Tea", 3, 9))
    assert uploads.opened(stack, data).understood.question
    shape = remember(stack, data, mapping)
    opened = uploads.opened(stack, data)
    assert (opened.saved, opened.mapping, opened.understood.question) == (True, mapping, None)
    uploads.forget(stack, shape)
    uploads.forget(stack, shape)
    assert not uploads.opened(stack, data).saved
    remember(stack, data, mapping)
    remember(stack, data, AUTOMATIC)  # the mapping that says nothing is not kept
    assert shape not in {one.shape for one in uploads.saved(stack)}


def test_a_dropped_file_that_can_not_be_understood_waits_and_is_loaded_once_under_the_same_id_when_answered(
    stack: Stack, store: str, columns: dict[str, str], mapping: Mapping
):
    data = file(columns, store, ("Tea", 3, 9), ("Jam", 4, 9))
    receipt = arrived(stack, drop(stack, data))
    assert (receipt.state, receipt.rows, receipt.mapping) == ("waiting", 0, None)
    assert receipt.question in ("item", "count")
    assert receipt.reason
    assert receipt.upload_id in {one.upload_id for one in uploads.waiting(stack)}
    assert uploads.contents(stack, receipt) == data
    with pytest.raises(Unclear) as unclear:
        uploads.preview(stack, receipt.file, data)
    assert (str(unclear.value), unclear.value.about) == (receipt.reason, receipt.question)
    upload_id = receipt.upload_id or ""
    for _ in range(2):  # pressed twice
        uploads.answer(stack, upload_id, mapping)
    *_, loaded = uploads.follow(stack, upload_id)
    assert (told(loaded), loaded.mapping, loaded.question) == ({"inserted": 2}, mapping.id, None)
    assert upload_id not in {one.upload_id for one in uploads.waiting(stack)}
    uploads.answer(stack, upload_id, mapping)  # the page was still open elsewhere
    assert counts(stack, store) == {"Tea": 3, "Jam": 4}
    assert laws.broken(stack, store, [uploads.receipt(stack, upload_id)]) == []


@pytest.mark.parametrize("sent_before", [False, True])
def test_an_answer_that_was_cut_off_can_be_given_again_or_goes_on_by_itself(
    stack: Stack, store: str, columns: dict[str, str], mapping: Mapping, sent_before: bool
):
    """Cut off before the message to the loader was sent, or right after it, and then the message comes three times."""
    receipt = arrived(stack, drop(stack, file(columns, store, ("Tea", 3, 9))))
    upload_id, table = receipt.upload_id or "", stack.settings.uploads_table
    said = mappings_table.keep(stack.world, mapping)
    assert receipts.answer(stack.dynamodb, table, upload_id, said, None)
    assert uploads.receipt(stack, upload_id).state == "waiting"
    if sent_before:
        for _ in range(3):
            body = json.dumps(s3_event(again(stack, receipt)))
            stack.client("sqs").send_message(QueueUrl=stack.settings.queue, MessageBody=body)
        until(lambda: uploads.receipt(stack, upload_id).state == "loaded")
    else:
        uploads.answer(stack, upload_id, mapping)
    done = until(lambda: one if (one := uploads.receipt(stack, upload_id)).state == "loaded" and one.settled else None)
    assert laws.broken(stack, store, [done]) == []
    assert told(done) == {"inserted": 1}
    assert not {"Waiting", "WaitingAt", "Question", "Reason"} & set(
        receipts.get(stack.dynamodb, table, upload_id) or {}
    )


def test_a_run_that_began_before_the_answer_does_not_make_the_upload_wait_again(
    stack: Stack, store: str, columns: dict[str, str], mapping: Mapping
):
    receipt = arrived(stack, drop(stack, file(columns, store, ("Tea", 3, 9))))
    upload_id, table = receipt.upload_id or "", stack.settings.uploads_table
    begun = receipts.get(stack.dynamodb, table, upload_id)
    assert begun
    said = mappings_table.keep(stack.world, mapping)
    assert receipts.answer(stack.dynamodb, table, upload_id, said, None)
    receipts.taken(stack.dynamodb, table, upload_id, begun["WaitingAt"])
    question = stockfile.Question("count", "Which one?")
    receipts.wait(stack.dynamodb, table, again(stack, receipt), question, None, begun)
    now = uploads.receipt(stack, upload_id)
    assert (now.state, now.question, now.reason) == ("loading", None, None)


def test_an_answer_is_refused_where_nothing_waits_and_where_it_is_no_answer(
    stack: Stack, store: str, columns: dict[str, str], mapping: Mapping
):
    with pytest.raises(NotFound, match="no upload"):
        uploads.answer(stack, new_id(), mapping)
    loaded = sent(stack, f"store,item,count\n{store},Tea,1\n".encode())
    with pytest.raises(BadFile, match="does not wait for an answer: it is loaded"):
        uploads.answer(stack, loaded.upload_id or "", mapping)
    waits = arrived(stack, drop(stack, file(columns, store, ("Tea", 3, 9))))
    with pytest.raises(Unclear):
        uploads.answer(stack, waits.upload_id or "", AUTOMATIC)
    assert uploads.receipt(stack, waits.upload_id or "").state == "waiting"
    uploads.answer(stack, waits.upload_id or "", mapping)
    with pytest.raises(BadFile, match="does not wait"):
        uploads.answer(stack, waits.upload_id or "", Mapping(item=mapping.item, count=columns["Rest"]))


def test_a_file_that_names_no_store_waits_for_it_and_is_loaded_into_the_one_that_is_answered(stack: Stack, store: str):
    receipt = arrived(stack, drop(stack, b"item,count\nTea,3\n"))
    assert (receipt.state, receipt.question) == ("waiting", "store")
    with pytest.raises(Unclear):
        uploads.answer(stack, receipt.upload_id or "", AUTOMATIC)
    uploads.answer(stack, receipt.upload_id or "", AUTOMATIC, store)
    *_, loaded = uploads.follow(stack, receipt.upload_id or "")
    assert (told(loaded), loaded.store, loaded.mapping) == ({"inserted": 1}, store, AUTO)
    assert counts(stack, store) == {"Tea": 3}


def test_the_store_that_a_mapping_says_for_all_its_files_stands_on_the_receipt(stack: Stack, store: str):
    receipt = list(
        uploads.follow(stack, uploads.send(stack, "a.csv", b"item,count\nTea,3\n", mapping=Mapping(always=store)))
    )[-1]
    assert (told(receipt), receipt.store) == ({"inserted": 1}, store)


def test_the_mapping_that_the_preview_used_is_the_loaders_whatever_is_saved_in_between(
    stack: Stack, store: str, columns: dict[str, str], mapping: Mapping
):
    other = Mapping(item=mapping.item, count=columns["Rest"], store=columns["Ort"])
    data = file(columns, store, ("Tea", 3, 9))
    shape = remember(stack, data, mapping)
    opened = uploads.opened(stack, data)
    foreseen, _ = uploads.preview(stack, "a.csv", data, mapping=opened.mapping)
    remember(stack, data, other)
    one = uploads.send(stack, "a.csv", data, mapping=opened.mapping)
    uploads.forget(stack, shape)
    *_, receipt = uploads.follow(stack, one)
    assert (receipt.fates, receipt.mapping) == (foreseen.fates, foreseen.mapping)
    assert counts(stack, store) == {"Tea": 3}


def test_what_a_first_run_read_the_file_with_is_what_every_later_run_does(
    stack: Stack, store: str, columns: dict[str, str], mapping: Mapping
):
    data = file(columns, store, ("Tea", 3, 9))
    remember(stack, data, mapping)
    first = arrived(stack, drop(stack, data))
    remember(stack, data, Mapping(item=mapping.item, count=columns["Rest"], store=columns["Ort"]))
    load(stack.world, broken_off(stack, first), "again")
    assert counts(stack, store) == {"Tea": 3}
    assert uploads.receipt(stack, first.upload_id or "").mapping == mapping.id


def test_a_mapping_that_does_not_exist_fails_the_upload_and_says_so(stack: Stack):
    name = f"till {uuid.uuid4().hex[:8]}.csv"
    stack.s3.put_object(
        Bucket=stack.settings.bucket, Key=f"uploads/{name}", Body=b"item,count\nTea,3\n", Metadata={"mapping": "f" * 16}
    )
    receipt = arrived(stack, name)
    assert (receipt.state, "does not exist" in (receipt.reason or "")) == ("failed", True)


@pytest.mark.parametrize("mode", list(OF_FILES))
def test_a_wide_file_has_a_fate_for_every_cell_and_changes_nothing_the_second_time(
    stack: Stack, store: str, mode: Mode
):
    stores = [f"{store} {place}" for place in ("B", "A")]
    data = wide(store, stores, ("Tea", 3, 4), ("Jam", "", 0), ("Rolls", "some", 5), ("Tea", 6, 7))
    first, second = sent(stack, data, mode), sent(stack, data, Mode.PLAIN)
    assert told(first) == {"inserted": 4, "duplicate": 2, "rejected": 1}
    lines = uploads.rows(stack, first)
    told_apart = [(line["row"], line["column"], line["fate"]) for line in lines]
    assert told_apart == sorted(told_apart, key=lambda line: line[:2])
    assert len({(row, column) for row, column, _ in told_apart}) == first.rows == 7
    assert told(second) == {"unchanged": 4, "duplicate": 2, "rejected": 1}
    assert counts(stack, stores[0]) == {"Tea": 6}
    assert counts(stack, stores[1]) == {"Tea": 7, "Jam": 0, "Rolls": 5}
    kept = [changes.of_item(stack, stock.key(one)) for place in stores for one in stock.of_store(stack, place)]
    assert sum(map(len, kept)) == first.records_seen == first.records_expected == 4
    assert second.records_seen == second.records_expected == 0


def test_a_loader_that_runs_again_on_a_wide_file_leaves_the_same_receipt(stack: Stack, store: str):
    stores = [f"{store} {place}" for place in ("B", "A")]
    sent(stack, wide(store, stores, ("Tea", 3, 4), ("Jam", 1, 1)))
    changed = sent(stack, wide(store, stores, ("Tea", 3, 5), ("Jam", 2, "some"), ("Rolls", 1, 1)))
    before = uploads.rows(stack, changed)
    load(stack.world, broken_off(stack, changed), "again")
    after = uploads.receipt(stack, changed.upload_id or "")
    assert uploads.rows(stack, after) == before
    assert (after.fates, after.records_expected, after.records_seen) == (changed.fates, 4, 4)


def store_away(stack: Stack, number: int, data: bytes, mapping: Mapping | None) -> Upload:
    """An upload of the first of November, ten seconds after the one before, that no queue hears of."""
    key = f"trial/{uuid.uuid4().hex}.csv"
    said = mappings_table.keep(stack.world, mapping) if mapping else None
    made = stack.s3.put_object(
        Bucket=stack.settings.bucket, Key=key, Body=data, Metadata=metadata(Mode.NEWEST, None, said)
    )
    upload_id = f"20261101T0000{10 + number}000000-{uuid.uuid4().hex[:8]}"
    return Upload(upload_id, Address(stack.settings.bucket, key, made.get("VersionId")), key.split("/")[-1])


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
def test_newest_wins_asks_another_uploads_file_as_its_own_loader_read_it(
    stack: Stack, store: str, columns: dict[str, str], mapping: Mapping, order: tuple[int, ...], said: bool
):
    """The last file only confirms what the table holds, and leaves no trace but itself: it is read with its mapping,
    whether that was sent with it or saved for its shape when it came."""
    files = [file(columns, store, ("Tea", count, 7)) for count in (5, 7, 5)]
    if not said:
        remember(stack, files[0], mapping)
    days = [store_away(stack, n, data, mapping if said else None) for n, data in enumerate(files)]
    for number in order:
        load(stack.world, days[number], "test")
    assert counts(stack, store) == {"Tea": 5}
    done = [list(uploads.follow(stack, day.id))[-1] for day in days]
    assert laws.broken(stack, store, done) == []


def test_rows_that_are_added_up_are_one_statement_in_the_table_and_for_later_files(
    stack: Stack, store: str, columns: dict[str, str]
):
    adds = Mapping(item=((columns["Ding"],),), count=columns["Zahl"], store=columns["Ort"], repeats="sum")
    days = [
        store_away(stack, n, file(columns, store, *(("Tea", count, 0) for count in lots)), adds)
        for n, lots in enumerate(((2, 3), (3, 4), (4, 1)))
    ]
    for number in (0, 2, 1):
        load(stack.world, days[number], "test")
    assert counts(stack, store) == {"Tea": 5}
    lines = uploads.rows(stack, uploads.receipt(stack, days[0].id))
    assert [(one["row"], one["count"], one["fate"], one.get("reason")) for one in lines] == [
        (2, "2", "duplicate", "added up in row 3"), (3, "5", "inserted", None),
    ]  # fmt: skip


def test_what_was_written_down_before_there_were_mappings_is_read_automatically(stack: Stack, store: str):
    upload = Upload(new_id(), Address(stack.settings.bucket, "k", "v"), "k.csv", Mode.NEWEST, "Berlin", None)
    store_uploads.register(stack.dynamodb, stack.settings.store_uploads_table, upload, [store], timed=False)
    [spoke] = store_uploads.since(
        stack.dynamodb, stack.settings.store_uploads_table, store, "2026-01-01T00:00:00.000000Z", "x"
    )
    assert spoke.upload == upload


MENDABLE = {
    "semicolons.csv": "store;item;count;note\r\n{0};Tea;3;\r\n{0};Jam;some;=1+1\r\n{0};007;;-x\r\n",
    "tabs.txt": "store\titem\tcount\n{0}\tTea\t3\n{0}\tJam\tsome\n{0}\t007\t\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", MENDABLE)
def test_the_rejected_rows_come_back_in_the_files_own_format_and_load_once_mended(
    stack: Stack, store: str, name: str, encoding: str
):
    original = MENDABLE[name].format(store).encode(encoding)
    receipt = sent(stack, original, name=name)
    made = uploads.mend(stack, receipt)
    assert made
    assert made[0] == name.replace(".", "-to-mend.")
    assert made[1][:3] == original[:3] or encoding == "utf-8"
    text, mark = made[1].decode(encoding), ";" if name.endswith("csv") else "\t"
    lines = list(csv_reader(io.StringIO(text, newline=""), delimiter=mark))
    assert [line[-1] for line in lines] == [
        "reason", "count: not a number such as 12, 39.5 or -3", "count: the count is blank; blank is not zero",
    ]  # fmt: skip
    assert [line[1:3] for line in lines[1:]] == [["Jam", "some"], ["007", ""]]
    if mark == ";":
        assert [line[3] for line in lines] == ["note", "'=1+1", "'-x"]
    mended = text.replace("some", "5").replace(f"007{mark}", f"007{mark}6")
    second = sent(stack, mended.encode(encoding), name=made[0])
    assert told(second) == {"inserted": 2}
    assert counts(stack, store) == {"Tea": 3, "Jam": 5, "007": 6}
    assert uploads.mend(stack, second) is None


def test_a_mended_file_is_read_by_the_decimal_mark_of_the_whole_file(stack: Stack, store: str):
    """Alone its one row would be read as eleven."""
    tail = uuid.uuid4().hex[:6]
    data = f"store;item;count;{tail}\n{store};Tea;8,5;\n{store};;11.000;\n".encode()
    made = uploads.mend(stack, sent(stack, data))
    assert made
    assert told(sent(stack, made[1].replace(b";;", b";Jam;", 1))) == {"inserted": 1}
    assert counts(stack, store) == {"Tea": Decimal("8.5"), "Jam": 11000}
    assert told(sent(stack, made[1].replace(b";;", b";Rice;", 1))) == {"inserted": 1}


def test_a_mended_file_is_read_with_the_mapping_that_is_saved_for_the_original(
    stack: Stack, store: str, columns: dict[str, str], mapping: Mapping
):
    data = file(columns, store, ("Tea", 3, 9)) + f"Jam,{store},some,1\n".encode()
    remember(stack, data, mapping)
    made = uploads.mend(stack, arrived(stack, drop(stack, data)))
    assert made
    assert b"Tea" not in made[1]
    second = arrived(stack, drop(stack, made[1].replace(b"some", b"5")))
    assert told(second) == {"inserted": 1}


def test_a_line_of_a_wide_file_comes_back_once_with_all_its_reasons(stack: Stack, store: str):
    stores = [f"{store} {place}" for place in ("B", "A")]
    receipt = sent(stack, wide(store, stores, ("Tea", "some", "few"), ("Jam", 1, 2), ("Rolls", 3, "many")))
    made = uploads.mend(stack, receipt)
    assert made
    assert len(made[1].splitlines()) == 3
    assert made[1].count(b"not a number") == 3
    mended = made[1].replace(b"some", b"1").replace(b"few", b"2").replace(b"many", b"3")
    assert told(sent(stack, mended)) == {"inserted": 3, "unchanged": 1}


def test_of_a_file_whose_rows_are_added_up_every_row_comes_back(stack: Stack, store: str, columns: dict[str, str]):
    adds = Mapping(item=((columns["Ding"],),), count=columns["Zahl"], store=columns["Ort"], repeats="sum")
    data = file(columns, store, ("Tea", 3, 9), ("", 5, 1))
    *_, receipt = uploads.follow(stack, uploads.send(stack, "lots.csv", data, mapping=adds))
    assert told(receipt) == {"inserted": 1, "rejected": 1}
    made = uploads.mend(stack, receipt)
    assert made
    mended = made[1].replace(f"\n,{store}".encode(), f"\nTea,{store}".encode())
    *_, second = uploads.follow(stack, uploads.send(stack, made[0], mended, mapping=adds))
    assert told(second) == {"changed": 1, "duplicate": 1}
    assert counts(stack, store) == {"Tea": 8}


def test_a_file_that_was_mended_and_is_still_wrong_has_one_column_of_reasons(stack: Stack, store: str):
    first = uploads.mend(stack, sent(stack, f"store,item,count\n{store},Tea,some\n".encode(), name="a.csv"))
    assert first
    second = uploads.mend(stack, sent(stack, first[1], name=first[0]))
    assert second == first


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_a_workbook_comes_back_as_one_and_its_text_is_no_formula(stack: Stack, store: str, kind: str):
    rows = [
        ["store", "item", "count", "of"],
        [store, "Tea", 3, 1.5],
        [store, "=1+1", "some", 2],
        [store, "007", None, 3],
    ]
    receipt = sent(stack, workbook(kind, rows), name=f"stock.{kind}")
    assert told(receipt) == {"inserted": 1, "rejected": 2}
    made = uploads.mend(stack, receipt)
    assert made
    assert made[0] == f"stock-to-mend.{kind}"
    back = pd.read_excel(io.BytesIO(made[1]), dtype=object, header=None, engine="calamine").astype(object)
    found = back.where(back.notna(), None).values.tolist()
    assert [row[:4] for row in found] == [rows[0], rows[2], rows[3]]
    assert [row[4] for row in found] == [
        "reason", "count: not a number such as 12, 39.5 or -3", "count: the count is blank; blank is not zero",
    ]  # fmt: skip
    if kind == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(made[1])).active["B2"].data_type == "s"
    found[1][2] = found[2][2] = 5
    assert told(sent(stack, workbook(kind, found), name=made[0])) == {"inserted": 2}
    assert counts(stack, store) == {"Tea": 3, "=1+1": 5, "007": 5}


def workbook(kind: str, rows: list[list[Any]]) -> bytes:
    """A workbook whose texts are texts, whatever they begin with."""
    out = io.BytesIO()
    if kind == "ods":
        pd.DataFrame(rows, dtype=object).to_excel(out, index=False, header=False, engine="odf")
        return out.getvalue()
    book = openpyxl.Workbook()
    for row, cells in enumerate(rows, 1):
        for column, value in enumerate(cells, 1):
            cell = book.active.cell(row, column, value)
            cell.data_type = "s" if isinstance(value, str) else cell.data_type
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("form", ["array", "lines", "keyed"])
def test_json_comes_back_as_json(stack: Stack, store: str, form: str):
    things: list[dict[str, Any]] = [
        {"store": store, "item": "Tea", "count": 3}, {"store": store, "item": "Jam", "count": "some", "x": {"y": 1}},
    ]  # fmt: skip
    if form == "keyed":
        data = json.dumps({thing.pop("item"): thing for thing in things})
    else:
        data = json.dumps(things) if form == "array" else "".join(json.dumps(thing) + "\n" for thing in things)
    receipt = sent(stack, data.encode(), name="stock.json")
    assert told(receipt) == {"inserted": 1, "rejected": 1}
    made = uploads.mend(stack, receipt)
    assert made
    [back] = [json.loads(made[1])] if form == "lines" else json.loads(made[1])
    assert back["reason"] == "count: not a number such as 12, 39.5 or -3"
    assert (back["count"], back["x.y"]) == ("some", 1)
    assert told(sent(stack, made[1].replace(b"some", b"5"), name=made[0])) == {"inserted": 1}
    assert counts(stack, store) == {"Tea": 3, "Jam": 5}


def test_a_page_offers_the_same_file_for_a_preview(stack: Stack, store: str):
    data = f"store,item,count\n{store},Tea,3\n{store},Jam,some\n".encode()
    _, lines = uploads.preview(stack, "a.csv", data)
    made = uploads.mend(stack, sent(stack, data))
    assert made
    assert uploads.mend_data(uploads.opened(stack, data), lines) == made[1]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=SUM(A1)", "'=SUM(A1)"), ("@x", "'@x"), ("+x", "'+x"), ("-x", "'-x"), ("\tx", "'\tx"), ("\rx", "'\rx"),
        ("-3", "-3"), ("+1,5", "+1,5"), ("-11.000", "-11.000"), ("-1,234.50", "-1,234.50"), ("-2+3", "'-2+3"),
        ("'=x", "'=x"), ("Tea", "Tea"), ("", ""), ("-", "'-"), ("-1e5", "-1e5"), ("=-3", "'=-3"),
    ],
)  # fmt: skip
def test_text_that_looks_like_a_formula_is_escaped_and_a_number_is_not(text: str, written: str):
    assert escaped(text) == written


def test_a_question_is_an_error_of_its_own_that_says_what_it_is_about():
    error = errors.of(stockfile.Unclear("count", "Which one?"))
    assert isinstance(error, BadFile)
    assert isinstance(error, Unclear)
    assert (str(error), error.about) == ("Which one?", "count")


def test_no_foreign_error_is_unmapped():
    made = {
        stockfile.Unreadable: stockfile.Unreadable("x"),
        ClientError: ClientError({"Error": {"Code": "No", "Message": "x"}}, "Put"),
    }
    for foreign in errors.FOREIGN:
        error = errors.of(made.get(foreign) or foreign())
        assert type(error) in (errors.BadFile, errors.Unavailable), foreign


def test_a_dry_run_says_that_the_file_would_wait_and_an_upload_that_it_does():
    asked = uploads.refused("stock.csv", Mode.NEWEST, None, "Which column is the count?", "count")
    assert words.receipt(asked) == "Would wait for an answer. Which column is the count?"
    assert words.receipt(replace(asked, upload_id="1")) == "Waits for an answer. Which column is the count?"


def test_rows_to_mend_are_told_from_files_of_which_somebody_said_how_to_read_them():
    said = Saved("0" * 16, Mapping(count="qty"), ("sku", "qty"), "2026-11-23T12:00:00.000000Z", None)
    assert words.known_as(said) == ("sku", "qty")
    mended = replace(said, columns=("sku", "qty", "reason"))
    assert words.known_as(mended) == ("rows to mend, read as their original: sku", "qty")

"""What is taken of DynamoDB: counted while a meter runs, kept on the receipt, and little where nothing changes."""

import uuid
from decimal import Decimal
from typing import Any

import pytest

from lambdas import inventory, receipts, spending, tables, tallies
from lambdas.spending import Units, metered
from lambdas.stockfile import Reading
from lambdas.upload import Address, Upload, new_id, object_key
from services import uploads, words
from services.outcome import of_item
from services.stack import Stack
from services.uploads import Receipt


def stock(rows: int, store: str, more: int = 0) -> bytes:
    lines = (f"{store},Item {n:04},{n % 50 + 1 + (more if n == 0 else 0)}" for n in range(rows))
    return "\n".join(["store,item,count", *lines]).encode()


def sent(stack: Stack, data: bytes) -> Receipt:
    return list(uploads.follow(stack, uploads.send(stack, "stock.csv", data)))[-1]


@pytest.fixture
def store() -> str:
    return f"Store {uuid.uuid4().hex[:8]}"


def test_the_bytes_of_an_item_are_counted_as_dynamodb_does():
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    assert spending.size({"Store": {"S": "Köln"}, "Count": {"N": "1234"}}) == 5 + 5 + 5 + 3
    assert spending.size({"Open": {"BOOL": True}, "Parts": {"M": {"a": {"S": "bc"}}}}) == 4 + 1 + 5 + 3 + 1 + 1 + 2


def test_reads_are_counted_by_the_rule_where_the_engine_reports_too_little(stack: Stack, store: str):
    table = stack.settings.inventory_table
    items = [tables.to_item({"Store": store, "Item": f"{n:03}", "Note": "x" * 500}) for n in range(100)]
    tables.batch_put(stack.dynamodb, table, items)
    size = sum(map(spending.size, items))
    with metered() as meter:
        inventory.read(stack.dynamodb, table, [(store, f"{n:03}") for n in range(100)])
    assert meter.take() == Units(-(-size // 4096), 0)  # one Query: all its items together, in 4 KB
    with metered() as meter:
        inventory.read(stack.dynamodb, table, [(store, "001"), (store, "002"), (store, "none")])
    assert meter.take() == Units(3, 0)  # a BatchGetItem: each key by itself, also one that is not there
    assert meter.take() == Units(0, 0)


def test_writes_are_counted_as_they_are_reported_and_nothing_without_a_meter(stack: Stack, store: str):
    item = tables.to_item({"Store": store, "Item": "Tea", "Note": "x" * 1500})
    put: dict[str, Any] = {"TableName": stack.settings.inventory_table, "Item": item}
    with metered() as meter:
        stack.dynamodb.put_item(**put)
        stack.dynamodb.transact_write_items(TransactItems=[{"Put": put | {"Item": item | {"Note": {"S": "y"}}}}])
    assert "ConsumedCapacity" not in stack.dynamodb.put_item(**put)
    assert meter.take() == Units(0, 2 + 2 * 2)


def test_a_receipt_says_what_the_upload_has_taken_from_the_file_to_its_last_record(stack: Stack, store: str):
    first = sent(stack, stock(100, store))
    loader = stack.dynamodb.get_item(
        TableName=stack.settings.uploads_table, Key=tables.to_item({"UploadId": first.upload_id})
    )["Item"]
    streamed = tallies.of_upload(stack.dynamodb, stack.settings.tallies_table, first.upload_id or "")
    assert Decimal(loader["Writes"]["N"]) >= 200  # a hundred rows in a transaction, which counts twice
    assert streamed.writes >= 300  # a hundred changes in a table with two indexes
    assert (first.reads, first.writes) == (
        Decimal(loader["Reads"]["N"]) + streamed.reads, Decimal(loader["Writes"]["N"]) + streamed.writes
    )  # fmt: skip


def test_a_file_that_changes_nothing_costs_a_fraction_of_a_write_for_each_row(stack: Stack, store: str):
    sent(stack, stock(5000, store))
    again = sent(stack, stock(5000, store))
    assert again.fates["unchanged"] == 5000
    spent = spending.price(Units(float(again.reads), float(again.writes)))
    assert spent < spending.price(Units(0, 5000)) * 0.02
    one = sent(stack, stock(5000, store, more=1))
    assert spending.price(Units(float(one.reads), float(one.writes))) < spending.price(Units(0, 5000)) * 0.03


def test_what_has_settled_is_counted_once_for_a_list_and_again_when_more_is_expected(stack: Stack, store: str):
    upload_id = sent(stack, stock(3, store)).upload_id or ""

    def listed() -> Receipt:
        return next(one for one in uploads.recent(stack) if one.upload_id == upload_id)

    first = listed()
    keys = {"UploadId": {"S": upload_id}}
    kept = tables.query(
        stack.dynamodb, stack.settings.tallies_table, KeyConditionExpression="UploadId = :upload",
        ExpressionAttributeValues=tables.to_item({":upload": upload_id}),
    )  # fmt: skip
    for one in list(kept):
        stack.dynamodb.delete_item(TableName=stack.settings.tallies_table, Key=keys | {"Batch": one["Batch"]})
    assert listed() == first
    stack.dynamodb.update_item(
        TableName=stack.settings.uploads_table, Key=keys, UpdateExpression="SET Expected = :four",
        ExpressionAttributeValues=tables.to_item({":four": 4}),
    )  # fmt: skip
    assert (first.records_seen, listed().records_seen) == (3, 0)
    stack.dynamodb.delete_item(TableName=stack.settings.uploads_table, Key=keys)


def test_that_a_content_is_known_again_costs_a_write_unit_for_an_upload_and_nothing_as_its_receipt_moves_on(
    stack: Stack,
):
    """What it costs to receive a file, and then to write on its receipt, with the digest and without."""
    spent = {}
    for digest in ("ab" * 32, None):
        upload_id = new_id()
        address = Address("bucket", object_key(upload_id, "stock.csv"))
        upload = Upload(upload_id, address, "stock.csv", mapping="auto", digest=digest)
        steps = (
            lambda upload=upload: receipts.received(stack.dynamodb, stack.settings.uploads_table, upload, 1),
            lambda upload=upload: receipts.pin(stack.dynamodb, stack.settings.uploads_table, upload, Reading()),
            lambda upload=upload: receipts.hand_over(stack.dynamodb, stack.settings.uploads_table, upload.id, 1),
        )
        with metered() as meter:
            spent[digest is not None] = [(step(), meter.take().writes)[1] for step in steps]
        key = tables.to_item({"UploadId": upload.id})
        stack.dynamodb.delete_item(TableName=stack.settings.uploads_table, Key=key)
    assert [more - less for more, less in zip(spent[True], spent[False], strict=True)] == [1, 0, 0]


def test_what_an_upload_took_is_said_in_units_and_in_dollars():
    item = {"UploadId": "x", "Name": "x.csv", "Rows": 100_000, "Fates": {"unchanged": 99_990, "rejected": 10}}
    item |= {"LoadedAt": "2026-11-25T00:00:00.000000Z", "Reads": Decimal("3412.5"), "Writes": Decimal(1)}
    assert words.cost(of_item(item)) == (
        "It took 1 write unit and 3,413 read units of DynamoDB, $0.00043. "
        "A write for each usable row would have taken 99,990 write units, $0.062."
    )
    assert [words.dollars(amount) for amount in (0, 0.0625, 0.000037, 3.456)] == ["$0", "$0.062", "$0.000037", "$3.46"]

"""The Inventory table asked and written for real: what is read, how often it is asked, and bodies as they are."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from lambdas import inventory, tables, times
from lambdas.applying import Application
from lambdas.stockfile import Row
from lambdas.upload import Address, Upload, new_id
from services.stack import Stack


def fill(stack: Stack, store: str, items: list[str]) -> None:
    rows = [{"Store": store, "Item": item, "Count": n, "UpdatedAt": "2026"} for n, item in enumerate(items)]
    tables.batch_put(stack.dynamodb, stack.settings.inventory_table, map(tables.to_item, rows))


@contextmanager
def counting(client: Any) -> Iterator[Counter[str]]:
    """How often each operation is asked for."""
    asked: Counter[str] = Counter()

    def hook(model: Any, **_: Any) -> None:
        asked[model.name] += 1

    client.meta.events.register("before-call.dynamodb", hook)
    try:
        yield asked
    finally:
        client.meta.events.unregister("before-call.dynamodb", hook)


def names(count: int, every: int = 1) -> list[str]:
    return [f"Item {n:04}" for n in range(0, count, every)]


@pytest.mark.parametrize(
    ("held", "wanted", "asked"),
    [
        (names(100), names(100), {"Query": 1}),
        (names(100), ["Item 0007", "Tea"], {"BatchGetItem": 1}),
        (names(400), names(400, 40), {"Query": 1, "BatchGetItem": 1}),
        ([], names(30), {"Query": 1}),
        (["Öl", "Zimt", "😀", "ﬀ", *names(20)], ["Öl", "Zimt", "😀", "ﬀ", "none", *names(20)], {"Query": 1}),
    ],
    ids=["a whole store", "a few items", "a few of many", "an unknown store", "beyond ASCII"],
)
def test_what_is_there_is_found_and_a_stretch_of_a_store_is_asked_for_at_once(
    stack: Stack, store: str, held: list[str], wanted: list[str], asked: dict[str, int]
):
    fill(stack, store, held)
    with counting(stack.dynamodb) as made:
        found = inventory.read(stack.dynamodb, stack.settings.inventory_table, [(store, item) for item in wanted])
    assert {item for _, item in found} == set(held) & set(wanted)
    assert all(found[key]["Item"]["S"] == key[1] for key in found)
    assert made == asked


def test_a_stretch_of_more_than_one_page_is_read_to_its_end(stack: Stack, store: str):
    long = "x" * 900
    items = [f"{n:04} {long}" for n in range(1400)]  # 1.3 MB: a page holds one
    fill(stack, store, items)
    with counting(stack.dynamodb) as made:
        found = inventory.read(stack.dynamodb, stack.settings.inventory_table, [(store, item) for item in items])
    assert len(found) == 1400
    assert made == {"Query": 2}


def test_plain_bodies_say_and_bring_the_same_as_botocores(stack: Stack, store: str):
    walked, plain = stack.session.client("dynamodb", endpoint_url=stack.endpoint), stack.client("dynamodb")
    table = stack.settings.inventory_table
    fill(stack, store, names(3))
    keys = [{"Store": {"S": store}, "Item": {"S": item}} for item in names(2)]
    store_is = {"Store": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": store}]}}
    for operation, asked in (
        ("batch_get_item", {"RequestItems": {table: {"Keys": keys, "ConsistentRead": True}}}),
        ("query", {"TableName": table, "KeyConditions": store_is, "ReturnConsumedCapacity": "TOTAL"}),
        ("query", {"TableName": table, "KeyConditions": store_is, "Limit": 2}),
        ("scan", {"TableName": table, "Limit": 1}),
    ):
        one, other = (getattr(client, operation)(**asked) for client in (walked, plain))
        for answer in (one, other):
            assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
        assert one == other | {name: one[name] for name in one.keys() - other.keys() if not one[name]}


def test_a_transaction_keeps_the_token_that_makes_its_repetition_harmless(stack: Stack, store: str):
    client = stack.client("dynamodb")
    bodies: list[dict[str, Any]] = []
    client.meta.events.register("before-send.dynamodb", lambda request, **_: bodies.append(json.loads(request.body)))
    put = {"TableName": stack.settings.inventory_table, "Item": {"Store": {"S": store}, "Item": {"S": "Tea"}}}
    once = put | {"ConditionExpression": "attribute_not_exists(#s)", "ExpressionAttributeNames": {"#s": "Store"}}
    client.transact_write_items(TransactItems=[{"Put": once}])
    assert bodies[0]["TransactItems"] == [{"Put": once}]
    assert len(bodies[0]["ClientRequestToken"]) == 36
    with pytest.raises(client.exceptions.TransactionCanceledException) as refused:
        client.transact_write_items(TransactItems=[{"Put": once}])
    assert refused.value.response["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed"


@pytest.mark.parametrize("wrong", [{"Count": "12"}, {"UploadId": 7}, {"UpdatedAt": 2026}])
def test_an_item_with_an_attribute_of_another_type_is_named_and_not_tried_for_ever(
    stack: Stack, store: str, wrong: dict[str, Any]
):
    item = {"Store": store, "Item": "Tea", "Count": 12, "UpdatedAt": times.now(), "UploadId": "by hand"} | wrong
    stack.dynamodb.put_item(TableName=stack.settings.inventory_table, Item=tables.to_item(item))
    upload = Upload(new_id(), Address("", ""), "stock.csv")
    application = Application.of(stack.world, upload, upload.time)
    with pytest.raises(ValueError, match=f"an attribute of the item “Tea” of “{store}” has another type"):
        application.apply([Row(2, store, "Tea", Decimal(5), times.now())])

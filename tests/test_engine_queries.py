"""The engine's Query that looks at a stretch of its partition answers as MiniStack's own does, whatever is asked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local import queries
from local.modules import module

SORTS = {
    "S": st.sampled_from(["a", "a0", "a1", "a2", "b0", "b1", "b2", "é", "\U0001f4e6"]),
    "N": st.integers(-4, 10).map(str),
}


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    """MiniStack's DynamoDB in this process, with ours beside its own."""
    found = module("services.dynamodb")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_set_item", "_remove_item"):
            patch.setattr(found, name, queries._noted(found, getattr(found, name)))
        patch.setattr(queries, "_SMALL", 0)
        yield found


def answer(call: Any, data: dict[str, Any]) -> tuple[int, Any]:
    status, _, body = call(json.loads(json.dumps(data)))
    return status, json.loads(body)


def made(dynamodb: Any, kind: str) -> str:
    """An empty table whose sort key is of a kind, with an index whose sort key is too."""
    name = f"Queries{len(dynamodb._tables)}{kind}"
    names = {"P": "S", "K": kind, "G": "S", "V": kind}
    schema = [{"AttributeName": "P", "KeyType": "HASH"}, {"AttributeName": "K", "KeyType": "RANGE"}]
    index = [{"AttributeName": "G", "KeyType": "HASH"}, {"AttributeName": "V", "KeyType": "RANGE"}]
    status, told = answer(
        dynamodb._create_table,
        {
            "TableName": name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": schema,
            "AttributeDefinitions": [{"AttributeName": one, "AttributeType": of} for one, of in names.items()],
            "GlobalSecondaryIndexes": [
                {"IndexName": "ByV", "KeySchema": index, "Projection": {"ProjectionType": "ALL"}}
            ],
        },
    )  # fmt: skip
    assert status == 200, told
    return name


@st.composite
def plays(draw: st.DrawFn) -> tuple[str, list[tuple[str, Any]]]:
    """The kind of the sort keys; writes and questions in any order, most of them of one partition."""
    kind = draw(st.sampled_from(["S", "N"]))
    sort, partition = SORTS[kind], st.sampled_from(["p", "p", "p", "q"])
    big = st.sampled_from([0, 0, 0, 150_000])
    item = st.tuples(partition, sort, partition, st.one_of(st.none(), sort), big)
    step = st.one_of(
        st.tuples(st.just("put"), item), st.tuples(st.just("put"), item), st.tuples(st.just("put"), item),
        st.tuples(st.just("delete"), st.tuples(partition, sort)),
        st.tuples(st.just("ask"), questions(kind, sort)), st.tuples(st.just("ask"), questions(kind, sort)),
    )  # fmt: skip
    first = draw(st.lists(st.tuples(st.just("put"), item), min_size=5, max_size=25))
    asked = st.tuples(st.just("ask"), questions(kind, sort))
    return kind, first + draw(st.lists(step, max_size=20)) + draw(st.lists(asked, min_size=10, max_size=20))


def questions(kind: str, sort: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        question, st.just(kind), st.booleans(), st.sampled_from(["p", "q", "none"]),
        st.sampled_from(["", "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"]), sort, sort, st.booleans(),
        st.one_of(st.none(), st.integers(1, 5)), st.booleans(), st.booleans(),
    )  # fmt: skip


def question(
    kind: str, by_index: bool, partition: str, op: str, one: str, other: str, forward: bool, limit: int | None,
    legacy: bool, filtered: bool,
) -> dict[str, Any]:  # fmt: skip
    pk, sk = ("G", "V") if by_index else ("P", "K")
    low, high = sorted([one, other], key=int if kind == "N" else str)
    if op == "begins_with":
        low, op = (low[:1], op) if kind == "S" else (low, "=")
    asked: dict[str, Any] = {"ScanIndexForward": forward}
    asked |= {"IndexName": "ByV"} if by_index else {}
    asked |= {"Limit": limit} if limit else {}
    if legacy and not filtered:
        names = {"=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE", "BETWEEN": "BETWEEN"}
        of_sort = {"ComparisonOperator": names.get(op, "BEGINS_WITH"), "AttributeValueList": [{kind: low}]}
        of_sort["AttributeValueList"] += [{kind: high}] if op == "BETWEEN" else []  # type: ignore[operator]
        keys = {pk: {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": partition}]}}
        return asked | {"KeyConditions": keys | ({sk: of_sort} if op else {})}
    text = {"": "", "BETWEEN": " AND #k BETWEEN :a AND :b", "begins_with": " AND begins_with(#k, :a)"}
    asked["KeyConditionExpression"] = f"{pk} = :p" + text.get(op, f" AND #k {op} :a")
    asked["ExpressionAttributeValues"] = {":p": {"S": partition}}
    asked["ExpressionAttributeValues"] |= {":a": {kind: low}} if op else {}
    asked["ExpressionAttributeValues"] |= {":b": {kind: high}} if op == "BETWEEN" else {}
    asked |= {"ExpressionAttributeNames": {"#k": sk}} if op else {}
    if filtered:
        asked["FilterExpression"] = "Even = :yes"
        asked["ExpressionAttributeValues"] |= {":yes": {"BOOL": True}}
    return asked


@settings(max_examples=80, deadline=None)
@given(play=plays())
def test_a_query_answers_as_ministacks_own(dynamodb: Any, play: tuple[str, list[tuple[str, Any]]]):
    kind, steps = play
    table = made(dynamodb, kind)
    ours = queries._queried(dynamodb, dynamodb._query)
    for n, (what, of) in enumerate(steps):
        if what == "put":
            p, k, g, v, big = of
            item = {"P": {"S": p}, "K": {kind: k}, "Even": {"BOOL": n % 2 == 0}, "G": {"S": g}}
            item |= ({"V": {kind: v}} if v is not None else {}) | {"Big": {"S": "x" * big}}
            answer(dynamodb._put_item, {"TableName": table, "Item": item})
        elif what == "delete":
            answer(dynamodb._delete_item, {"TableName": table, "Key": {"P": {"S": of[0]}, "K": {kind: of[1]}}})
        else:
            asked = of | {"TableName": table}
            while True:  # every page of it
                told = answer(ours, asked)
                assert told == answer(dynamodb._query, asked)
                if "LastEvaluatedKey" not in told[1]:
                    break
                asked = asked | {"ExclusiveStartKey": told[1]["LastEvaluatedKey"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"KeyConditionExpression": "P = :p AND K < :none", "ExpressionAttributeValues": {":p": {"S": "p"}}},
        {
            "KeyConditionExpression": "P = :p AND K > :n",
            "ExpressionAttributeValues": {":p": {"S": "p"}, ":n": {"N": "1"}},
        },
        {"KeyConditionExpression": "P > :p", "ExpressionAttributeValues": {":p": {"S": "p"}}},
        {"KeyConditionExpression": "nonsense", "ExpressionAttributeValues": {":p": {"S": "p"}}},
        {"KeyConditionExpression": "P = :p", "ExpressionAttributeValues": {":p": {"S": "p"}}, "Limit": 0},
        {"KeyConditionExpression": "P = :p", "ExpressionAttributeValues": {":p": {"S": "p"}}, "IndexName": "None"},
        {
            "KeyConditionExpression": "P = :p AND K > :k", "ScanIndexForward": True,
            "ExpressionAttributeValues": {":p": {"S": "p"}, ":k": {"S": "b"}},
            "ExclusiveStartKey": {"P": {"S": "p"}, "K": {"S": "a"}},
        },
        {},
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_as_by_ministack(dynamodb: Any, wrong: dict[str, Any]):
    table = made(dynamodb, "S")
    for sort in ("a", "b", "c"):
        answer(dynamodb._put_item, {"TableName": table, "Item": {"P": {"S": "p"}, "K": {"S": sort}}})
    asked = wrong | {"TableName": table}
    told = answer(queries._queried(dynamodb, dynamodb._query), asked)
    assert told == answer(dynamodb._query, asked)
    assert told[0] == 400


def test_what_a_query_looks_at_is_what_it_answers_with_and_not_its_partition(dynamodb: Any):
    """The way of counting: how many items' sizes are taken, which MiniStack does for each that it reads."""
    table = made(dynamodb, "S")
    for n in range(300):
        answer(dynamodb._put_item, {"TableName": table, "Item": {"P": {"S": "p"}, "K": {"S": f"{n:03}"}}})
    asked = {
        "TableName": table, "KeyConditionExpression": "P = :p AND K > :k", "Limit": 2,
        "ExpressionAttributeValues": {":p": {"S": "p"}, ":k": {"S": "200"}},
    }  # fmt: skip
    stretch = queries._narrow(dynamodb, asked)
    assert stretch is not None
    assert list(stretch.items["p"]) == ["201", "202"]

"""Stream records, made again from what is kept of them."""

from typing import Any

from lambdas.recording import change_of
from lambdas.stream import as_record, item_key
from services.stack import Stack


def dynamo_change(stack: Stack, store: str, item: str, position: str = "") -> dict[str, Any]:
    """An item's change at a position, or its latest one, as it lies in the table."""
    place = " AND #position = :position" if position else ""
    found: list[dict[str, Any]] = stack.dynamodb.query(
        TableName=stack.settings.changes_table, IndexName="ByItem", ScanIndexForward=False,
        KeyConditionExpression=f"ItemKey = :item{place}",
        ExpressionAttributeValues={":item": {"S": item_key(store, item)}}
        | ({":position": {"S": position}} if position else {}),
        **({"ExpressionAttributeNames": {"#position": "Position"}} if position else {}),
    )["Items"]  # fmt: skip
    return found[0]


def record_of(stack: Stack, store: str, item: str, position: str = "") -> dict[str, Any]:
    """The stream record of an item's change, as Lambda delivers it."""
    return as_record(change_of(dynamo_change(stack, store, item, position))) | {"eventSource": "aws:dynamodb"}

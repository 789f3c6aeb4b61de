"""The Inventory table: what it holds of an item, and the writes that keep it right.

Owns the shape of an item and the condition of a write. Knows nothing of files or receipts.
An item: Store, Item, Count (N), UpdatedAt and UploadId (S), and Was (N): the count that its last write replaced; and,
if an undo has put it back, Restored (S): the upload whose statement that was. An item that an undo has taken away is
gone: UploadId and Was are all that is left of it, so that its stream record says which upload did it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from lambdas import tables
from lambdas.fates import Held, Verdict
from lambdas.stream import count_in
from lambdas.tables import Item

Key = tuple[str, str]  # store, item
Put = tuple[Verdict, Item]
_TRANSACTION = 100
_MANY = 8
"""So many items of one store are worth a Query."""
_WORTH = 8
"""So many items a Query may read for each one that is wanted: it then still costs about a quarter."""
# Short, as the embedded engine reads a condition anew for each item.
_NEWER = "UpdatedAt <= :at"
_TIMELESS = "(attribute_not_exists(UpdatedAt) OR UpdatedAt <= :at)"


def read(client: Any, table: str, keys: Sequence[Key]) -> dict[Key, Item]:
    """The items of these keys that exist, as attribute values, read consistently.

    Many of one store are read as a stretch of it, which costs a read unit for 4 KB of items (some thirty of them) where
    asking for each one by its key costs a unit for each.
    """
    stores: dict[str, list[str]] = {}
    for store, item in keys:
        stores.setdefault(store, []).append(item)
    single = [(store, item) for store, items in stores.items() if len(items) < _MANY for item in items]
    many = {store: sorted(items) for store, items in stores.items() if len(items) >= _MANY}
    found: dict[Key, Item] = {}
    stretches = tables.each(lambda store: _stretch(client, table, store, many[store]), many)
    for store, (there, missed) in zip(many, stretches, strict=True):
        found |= {(store, item): there[item] for item in many[store] if item in there}
        single += [(store, item) for item in missed]
    for one in tables.batch_get(client, table, [{"Store": {"S": s}, "Item": {"S": i}} for s, i in single]):
        found[one["Store"]["S"], one["Item"]["S"]] = one
    return found


def _stretch(client: Any, table: str, store: str, items: Sequence[str]) -> tuple[dict[str, Item], list[str]]:
    """What a store holds from the first of these items to the last; and which of them were not reached.

    They are given up when there is so much between them that asking for each one is the better way.
    """
    # KeyConditions is the old form of a KeyConditionExpression. AWS takes both alike; the embedded engine goes through
    # the store's items three to ten times as fast with it.
    between = {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"S": items[0]}, {"S": items[-1]}]}
    of_store = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": store}]}
    asked: dict[str, Any] = {"KeyConditions": {"Store": of_store, "Item": between}, "ConsistentRead": True}
    there: dict[str, Item] = {}
    while True:
        answer = client.query(TableName=table, Limit=_WORTH * len(items) - len(there), **asked)
        there |= {item["Item"]["S"]: item for item in answer["Items"]}
        last = answer.get("LastEvaluatedKey")
        if last is None:
            return there, []
        if len(there) >= _WORTH * len(items):
            return there, [item for item in items if item > last["Item"]["S"]]
        asked["ExclusiveStartKey"] = last


def held(item: Item | None) -> Held | None:
    """What an item says. Attributes that somebody's hand left out read as blank."""
    if item is None:
        return None
    was = item.get("Was", {}).get("N")
    at, by, restored = (item.get(name, {}).get("S", "") for name in ("UpdatedAt", "UploadId", "Restored"))
    return Held(count_in(item), at, by, None if was is None else Decimal(was), restored)


def is_gone(item: Item | None) -> bool:
    """Whether an undo has taken the item away."""
    there = held(item)
    return there is not None and there.is_gone


def item_of(verdict: Verdict) -> dict[str, Any]:
    """The item that a verdict wants written."""
    row, new = verdict.row, verdict.new
    if new is None:
        raise ValueError(f"row {row.number} is {verdict.fate}: there is nothing to write")
    item = {"Store": {"S": row.store}, "Item": {"S": row.item}, "UploadId": {"S": new.upload_id}}
    if new.updated_at:
        item["UpdatedAt"] = {"S": new.updated_at}
    if new.restored:
        item["Restored"] = {"S": new.restored}
    counts = {"Count": new.count, "Was": new.was}
    return item | {name: {"N": str(count)} for name, count in counts.items() if count is not None}


def put_as_read(client: Any, table: str, puts: Iterable[Put], *, newest: bool) -> list[tuple[Verdict, Item | None]]:
    """Put each item unless the one in the table is no longer as it was read, or, with ``newest``, is newer.

    Returns the verdicts not carried out, each with what the table holds now: they are to be judged again.
    """
    lost = tables.each(lambda part: _transact(client, table, part, newest), tables.chunks(puts, _TRANSACTION))
    return [one for part in lost for one in part]


def _transact(client: Any, table: str, puts: list[Put], newest: bool) -> list[tuple[Verdict, Item | None]]:
    """A transaction is all or nothing: the ones that failed are taken out of it, and the others sent again."""
    lost: list[tuple[Verdict, Item | None]] = []
    attempt = 0
    while puts:
        try:
            client.transact_write_items(TransactItems=[{"Put": _put(table, *put, newest)} for put in puts])
            break
        except client.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
        failed = [reason["Code"] == "ConditionalCheckFailed" for reason in reasons]
        if any(reason["Code"] == "ValidationError" for reason in reasons):
            raise ValueError(f"DynamoDB takes an item for invalid: {reasons}")
        lost += [(put[0], r.get("Item")) for put, r, gone in zip(puts, reasons, failed, strict=True) if gone]
        puts = [put for put, gone in zip(puts, failed, strict=True) if not gone]
        if not any(failed):  # another transaction is at one of the items, or the table is throttled
            attempt += 1
            tables.wait(attempt)
    return lost


def _put(table: str, verdict: Verdict, item: Item, newest: bool) -> dict[str, Any]:
    put: dict[str, Any] = {"TableName": table, "Item": item, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if verdict.held is None:
        put["ConditionExpression"] = "attribute_not_exists(#store)"
        return put | {"ExpressionAttributeNames": {"#store": "Store"}}
    condition, values = _as_read(verdict.held)
    if newest:  # by the file's own UpdatedAt
        condition = f"{condition} AND {_NEWER if verdict.held.updated_at else _TIMELESS}"
        values[":at"] = item["UpdatedAt"]
    put |= {"ConditionExpression": condition, "ExpressionAttributeNames": {"#count": "Count"}}
    return put | ({"ExpressionAttributeValues": values} if values else {})


def _as_read(was: Held) -> tuple[str, dict[str, Any]]:
    """The item is the one that the fate was judged by."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    by = {"S": was.upload_id} if was.upload_id else None
    count = {"N": str(was.count)} if was.count is not None else None
    for name, key, value in (("UploadId", ":by", by), ("#count", ":count", count)):  # “Count” is a reserved word
        if value is None:
            parts.append(f"attribute_not_exists({name})")
        else:
            parts.append(f"{name} = {key}")
            values[key] = value
    return " AND ".join(parts), values

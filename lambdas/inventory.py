"""The Inventory table: what it holds of an item, and the writes that keep it right.

Owns the shape of an item and the condition of a write. Knows nothing of files or receipts.
An item: Store, Item, Count (N), UpdatedAt and UploadId (S), and Was (N): the count that its last write replaced.
"""

from collections.abc import Iterable
from typing import Any

from lambdas import tables
from lambdas.fates import Held, Verdict
from lambdas.stream import count_in
from lambdas.tables import Item

Key = tuple[str, str]  # store, item
Put = tuple[Verdict, Item]
_TRANSACTION = 100
_NEWER = "(attribute_not_exists(#at) OR #at <= :at)"


def read(client: Any, table: str, keys: Iterable[Key]) -> dict[Key, Item]:
    """The items of these keys that exist, as attribute values."""
    found = tables.batch_get(client, table, [{"Store": {"S": s}, "Item": {"S": i}} for s, i in keys])
    return {(item["Store"]["S"], item["Item"]["S"]): item for item in found}


def held(item: Item | None) -> Held | None:
    """What an item says. Attributes that somebody's hand left out read as blank."""
    if item is None:
        return None
    was = item.get("Was", {}).get("N")
    return Held(
        count_in(item), item.get("UpdatedAt", {}).get("S", ""), item.get("UploadId", {}).get("S", ""),
        None if was is None else tables.from_item({"Was": item["Was"]})["Was"],
    )  # fmt: skip


def item_of(verdict: Verdict) -> dict[str, Any]:
    """The item that a verdict wants written."""
    row, new = verdict.row, verdict.new
    if new is None:
        raise ValueError(f"row {row.number} is {verdict.fate}: there is nothing to write")
    return tables.to_item(
        {"Store": row.store, "Item": row.item, "Count": new.count, "UpdatedAt": new.updated_at}
        | {"UploadId": new.upload_id, "Was": new.was}
    )


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
    names = {"#by": "UploadId", "#count": "Count"} | ({"#at": "UpdatedAt"} if newest else {})
    values: dict[str, Any] = {}
    if verdict.held is None:
        condition, names = "attribute_not_exists(#store)", {"#store": "Store"}
    else:
        condition, values = _as_read(verdict.held)
        if newest:  # by the file's own UpdatedAt
            condition, values = f"{condition} AND {_NEWER}", values | {":at": item["UpdatedAt"]}
    return {
        "TableName": table,
        "Item": item,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    } | ({"ExpressionAttributeValues": values} if values else {})


def _as_read(was: Held) -> tuple[str, dict[str, Any]]:
    """The item is the one that the fate was judged by."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    for name, value in (("by", was.upload_id or None), ("count", was.count)):
        if value is None:
            parts.append(f"attribute_not_exists(#{name})")
        else:
            parts.append(f"#{name} = :{name}")
            values |= tables.to_item({f":{name}": value})
    return " AND ".join(parts), values

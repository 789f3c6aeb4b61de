"""The Inventory table: what it holds of an item, and the writes that keep it right.

Owns the shape of an item and the condition of a write. Knows nothing of files or receipts.
An item: Store, Item, Count (N), UpdatedAt and UploadId (S), and Was (N): the count that its last write replaced.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lambdas import tables
from lambdas.fates import Held, Verdict
from lambdas.stream import count_in
from lambdas.tables import Item

Key = tuple[str, str]  # store, item
_TRANSACTION = 100


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


def put(client: Any, table: str, items: Iterable[Item]) -> None:
    """Put items as they are, without a condition: the modes `plain` and `stamp`."""
    tables.batch_put(client, table, items)


def put_if_newer(client: Any, table: str, verdicts: Iterable[Verdict]) -> list[tuple[Verdict, Held | None]]:
    """Write each verdict unless the item is no longer as it was read, or newer than what the file states.

    Returns those not written, each with what the table holds now: they are to be judged again.
    """
    lost = tables.each(lambda part: _transact(client, table, part), tables.chunks(verdicts, _TRANSACTION))
    return [one for part in lost for one in part]


def _transact(client: Any, table: str, verdicts: list[Verdict]) -> list[tuple[Verdict, Held | None]]:
    """A transaction is all or nothing: the ones that failed are taken out of it, and the others sent again."""
    lost: list[tuple[Verdict, Held | None]] = []
    attempt = 0
    while verdicts:
        try:
            client.transact_write_items(TransactItems=[{"Put": _put(table, verdict)} for verdict in verdicts])
            break
        except client.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
        failed = [reason["Code"] == "ConditionalCheckFailed" for reason in reasons]
        if any(reason["Code"] == "ValidationError" for reason in reasons):
            raise ValueError(f"DynamoDB takes an item for invalid: {reasons}")
        lost += [(v, held(r.get("Item"))) for v, r, gone in zip(verdicts, reasons, failed, strict=True) if gone]
        verdicts = [v for v, gone in zip(verdicts, failed, strict=True) if not gone]
        if not any(failed):  # another transaction is at one of the items, or the table is throttled
            attempt += 1
            tables.wait(attempt)
    return lost


def _put(table: str, verdict: Verdict) -> dict[str, Any]:
    names = {"#at": "UpdatedAt", "#by": "UploadId", "#count": "Count"}
    values: dict[str, Any] = {}
    if verdict.held is None:
        condition, names = "attribute_not_exists(#store)", {"#store": "Store"}
    else:
        condition, values = _as_read(verdict.held, item_of(verdict))
    return {
        "TableName": table,
        "Item": item_of(verdict),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    } | ({"ExpressionAttributeValues": values} if values else {})


def _as_read(was: Held, item: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Newest wins by the file's own UpdatedAt; and the item is the one that the fate was judged by."""
    parts, values = ["(attribute_not_exists(#at) OR #at <= :at)"], {":at": item["UpdatedAt"]}
    for name, value in (("by", was.upload_id or None), ("count", was.count)):
        if value is None:
            parts.append(f"attribute_not_exists(#{name})")
        else:
            parts.append(f"#{name} = :{name}")
            values |= tables.to_item({f":{name}": value})
    return " AND ".join(parts), values

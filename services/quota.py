"""How much one person may send in an hour, so that nobody fills the bucket, or the queue, for all others.

Owns the bounds and the count, an item of the Settings table for each person: Kind “sent”, Id, Hour, Files, Bytes. It is
kept there, and not in memory, because several dashboards may serve the same person.
"""

from lambdas import tables, times
from services.errors import BadFile, Refused
from services.stack import Stack

MOST_BYTES = 200 * 2**20
"""Of one file. More than any store's stock: a million rows are some 40 MB."""
FILES_AN_HOUR = 2_000
BYTES_AN_HOUR = 4 * 2**30
_KIND = "sent"


def take(stack: Stack, name: str, size: int) -> None:
    """Count a file of so many bytes. BadFile when it is too big for anybody, Refused when it is too much in an hour."""
    if size > MOST_BYTES:
        raise BadFile(
            f"{name} has {size / 2**20:,.0f} MB, and a file may have {MOST_BYTES // 2**20} MB. Send it in parts."
        )
    if not stack.person.name or stack.person.of_machine:
        return
    hour = times.now()[:13]
    if not _added(stack, hour, size) and not _begun(stack, hour, size) and not _added(stack, hour, size):
        raise Refused(
            f"You have sent {FILES_AN_HOUR:,} files or {BYTES_AN_HOUR // 2**30} GB in this hour, as much as one may. "
            f"{name} was not taken: send it again after {times.later(times.now(), hours=1)[11:13]}:00 UTC."
        )


def _added(stack: Stack, hour: str, size: int) -> bool:
    """Within the hour that is being counted, and the bounds."""
    said = {":hour": hour, ":one": 1, ":size": size, ":files": FILES_AN_HOUR, ":bytes": BYTES_AN_HOUR - size}
    return _update(
        stack, "ADD Files :one, #bytes :size", "#hour = :hour AND Files < :files AND #bytes <= :bytes", said
    )  # fmt: skip


def _begun(stack: Stack, hour: str, size: int) -> bool:
    """The first one of another hour."""
    said = {":hour": hour, ":one": 1, ":size": size}
    begin = "SET #hour = :hour, Files = :one, #bytes = :size"
    return _update(stack, begin, "attribute_not_exists(#hour) OR #hour <> :hour", said)


def _update(stack: Stack, change: str, condition: str, said: dict[str, object]) -> bool:
    try:
        stack.dynamodb.update_item(
            TableName=stack.settings.settings_table, Key=tables.to_item({"Kind": _KIND, "Id": stack.person.name}),
            UpdateExpression=change, ConditionExpression=condition,
            ExpressionAttributeNames={"#hour": "Hour", "#bytes": "Bytes"},
            ExpressionAttributeValues=tables.to_item(said),
        )  # fmt: skip
    except stack.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True

"""The Uploads table: an upload's receipt, from “received” to the last stream record seen.

Owns the shape of a receipt and every write to it. Knows nothing of how a file is read or applied.

A receipt: UploadId, Month (of the index that lists them), Name, Bucket, Key, Version, Bytes, Mode, Store; the times
ReceivedAt, StartedAt, LoadedAt or FailedAt with Reason; Mapping (the id of the one that it is read with) and, if a
person said so, AnsweredAt; while it waits for an answer Waiting (of the index that lists those), WaitingAt, Question
(about, text), Shape and Reason; Rows, Fates (a map), Expected, RowsKey (the object that holds every row's fate); and
three maps of counts, each entry written by one batch of the stream: Seen (records kept), Checked (records looked at
for alerts) and Opened (alerts). Counted by entry, and not by adding, so that a batch that comes again is counted once.
Only a replay that cuts the stream into other batches can make an entry too many: a sum that is too high is counted
again, from the changes and episodes themselves, by who reads the receipt.
"""

import gzip
import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from lambdas import tables, times
from lambdas.fates import WRITES, Fate, Verdict
from lambdas.stockfile import Question, Reject
from lambdas.upload import Upload

ROWS_PREFIX = "receipts/"
_MAPS = ("Seen", "Checked", "Opened")
_WAITING = "Waiting, WaitingAt, Question"
_REMOVED = f"FailedAt, Reason, {_WAITING}"
Line = dict[str, Any]


def received(client: Any, table: str, upload: Upload, size: int) -> None:
    """Say that the file is in the bucket. No change when the loader was faster."""
    receipt = _identity(upload) | {name: {} for name in _MAPS}
    receipt |= {"UploadId": upload.id, "Mode": upload.mode.value, "Store": upload.store, "Bytes": size}
    try:
        client.put_item(
            TableName=table, Item=tables.to_item(receipt), ConditionExpression="attribute_not_exists(UploadId)"
        )
    except client.exceptions.ConditionalCheckFailedException:
        return


def _identity(upload: Upload) -> dict[str, Any]:
    address = upload.address
    return {
        "Month": upload.time[:7], "Name": upload.name, "Bucket": address.bucket, "Key": address.key,
        "Version": address.version, "ReceivedAt": upload.time,
    }  # fmt: skip


def start(client: Any, table: str, upload: Upload, request_id: str) -> dict[str, Any] | None:
    """A loader begins, for the first time or again. The receipt; None if the id belongs to another file."""
    names = {f"#{name}": name for name in (*_identity(upload), *_MAPS, "StartedAt")}
    sets = [f"#{name} = if_not_exists(#{name}, :{name})" for name in (*_identity(upload), *_MAPS, "StartedAt")]
    values = _identity(upload) | {name: {} for name in _MAPS} | {"StartedAt": times.now()}
    missing = [name for name, value in values.items() if value is None]
    sets = [part for part in sets if not any(part.startswith(f"#{name} ") for name in missing)]
    same_version = "#Version = :Version" if "Version" not in missing else "attribute_not_exists(#Version)"
    try:
        answer = client.update_item(
            TableName=table,
            Key=tables.to_item({"UploadId": upload.id}),
            UpdateExpression=f"SET {', '.join(sets)} REMOVE {_REMOVED} ADD Runs :one, RequestIds :run",
            ConditionExpression=f"attribute_not_exists(#Key) OR (#Key = :Key AND {same_version})",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=tables.to_item({f":{n}": v for n, v in values.items()})
            | tables.to_item({":one": 1, ":run": {request_id}}),
            ReturnValues="ALL_NEW",
        )
    except client.exceptions.ConditionalCheckFailedException:
        return None
    return tables.from_item(answer["Attributes"])


def fail(client: Any, table: str, upload: Upload, reason: str) -> None:
    """The file can't be used: say why."""
    _set(client, table, upload.id, FailedAt=times.now(), Reason=reason, Mode=upload.mode.value, Store=upload.store)


def pin(client: Any, table: str, upload: Upload) -> tuple[str, str | None]:
    """Keep what the file is read with, unless another run has: mapping and store as they now stand on the receipt."""
    given: dict[str, Any] = {"Mapping": upload.mapping} | ({"Store": upload.store} if upload.store else {})
    answer = client.update_item(
        TableName=table,
        Key=tables.to_item({"UploadId": upload.id}),
        UpdateExpression="SET " + ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in given),
        ExpressionAttributeNames={f"#{name}": name for name in given},
        ExpressionAttributeValues=tables.to_item({f":{name}": value for name, value in given.items()}),
        ReturnValues="ALL_NEW",
    )
    kept = tables.from_item(answer["Attributes"])
    return kept["Mapping"], kept.get("Store")


def wait(
    client: Any, table: str, upload: Upload, question: Question, shape: str | None, begun: Mapping[str, Any]
) -> None:
    """The file can't be read before a person answers. ``begun``: the receipt as it was when this run began.

    Nothing is said when it has been answered, or loaded, meanwhile: then this run speaks of what is past.
    """
    values: dict[str, Any] = {"Waiting": "yes", "WaitingAt": times.now(), "Reason": question.text, "Shape": shape}
    values |= {"Question": {"about": question.about, "text": question.text}}
    values |= {"Mode": upload.mode.value, "Store": upload.store}
    expect = {name: begun.get(name) for name in ("Mapping", "AnsweredAt", "LoadedAt")}
    _set(client, table, upload.id, **values, expect=expect)


def answer(client: Any, table: str, upload_id: str, mapping: str, store: str | None) -> bool:
    """Keep a person's answer to what the upload waits for. False when it does not wait."""
    given = {"Mapping": mapping, "Store": store, "AnsweredAt": times.now()}
    return _set(client, table, upload_id, **given, expect={"Waiting": "yes"})


def taken(client: Any, table: str, upload_id: str, waiting_at: str) -> None:
    """The answer is on its way to the loader: what waited since then waits no longer, if the loader has not said so."""
    try:
        client.update_item(
            TableName=table,
            Key=tables.to_item({"UploadId": upload_id}),
            UpdateExpression=f"REMOVE {_WAITING}, Reason",
            ConditionExpression="WaitingAt = :then",
            ExpressionAttributeValues=tables.to_item({":then": waiting_at}),
        )
    except client.exceptions.ConditionalCheckFailedException:
        return


def trouble(client: Any, table: str, upload_id: str, reason: str, *, last: bool) -> None:
    """A try went wrong and will be made again; after the ``last`` one the upload has failed."""
    _set(client, table, upload_id, Reason=reason, FailedAt=times.now() if last else None)


def finish(
    clients: tuple[Any, Any], table: str, upload: Upload, verdicts: Iterable[Verdict], rejects: Iterable[Reject]
) -> None:
    """The rows have been applied: keep every row's fate, and count them. ``clients``: DynamoDB and S3.

    When an earlier run of this upload got to the end, or two runs meet, a write that one of them made stays made.
    """
    dynamodb, s3 = clients
    fresh = lines(verdicts, rejects)
    while True:
        before = get(dynamodb, table, upload.id) or {}
        earlier = before.get("RowsKey")
        merged = _merge(fresh, rows(s3, upload.address.bucket, earlier)) if earlier else fresh
        key = f"{ROWS_PREFIX}{upload.id}/{secrets.token_hex(4)}.jsonl.gz"
        body = gzip.compress("".join(json.dumps(line) + "\n" for line in merged).encode(), 5)
        s3.put_object(Bucket=upload.address.bucket, Key=key, Body=body)
        if _set(dynamodb, table, upload.id, RowsKey=key, **_figures(upload, merged), expect={"RowsKey": earlier}):
            return


def _figures(upload: Upload, merged: Collection[Line]) -> dict[str, Any]:
    fates = count(merged)
    return {
        "LoadedAt": times.now(), "Mode": upload.mode.value, "Store": upload.store, "Rows": len(merged),
        "Fates": fates, "Expected": expected(fates),
    }  # fmt: skip


def count(of: Iterable[Line]) -> dict[str, int]:
    """How many rows have each of the seven fates."""
    fates = Counter(line["fate"] for line in of)
    return {fate.value: fates[fate.value] for fate in Fate}


def expected(fates: Mapping[str, int]) -> int:
    """How many stream records DynamoDB emits for these fates."""
    return sum(fates[fate] for fate in WRITES)


def lines(verdicts: Iterable[Verdict], rejects: Iterable[Reject]) -> list[Line]:
    """Every row's fate, by row number and column, as ``rows`` gives it back."""
    return sorted((*map(_line, verdicts), *map(_rejected, rejects)), key=_place)


def _place(line: Line) -> tuple[int, str]:
    """What tells a line from the others of its file: in a wide file a row number stands more than once."""
    return line["row"], line.get("column", "")


def _line(verdict: Verdict) -> Line:
    row, new, held = verdict.row, verdict.new, verdict.held
    line: Line = {"row": row.number, "store": row.store, "item": row.item, "count": f"{row.count:f}"}
    line |= {"fate": verdict.fate.value, "updated_at": new.updated_at if new else row.updated_at}
    if held and held.count is not None:
        line["was"] = f"{held.count:f}"
    if row.column:
        line["column"] = row.column
    return line | ({"reason": verdict.reason} if verdict.reason else {})


def _rejected(reject: Reject) -> Line:
    line: Line = {"row": reject.number, "fate": Fate.REJECTED.value, "column": reject.column}
    return line | {"value": reject.value, "reason": reject.reason}


def _merge(fresh: Iterable[Line], earlier: Iterable[Line]) -> list[Line]:
    """The fates of this run, but for the rows that an earlier run wrote and this one did not."""
    kept = {_place(line): line for line in earlier if line["fate"] in WRITES}
    return [_later(line, kept.get(_place(line))) for line in fresh]


def _later(fresh: Line, wrote: Line | None) -> Line:
    """The line of a run, given the one of an earlier run that wrote this row."""
    if wrote is None or fresh["fate"] == Fate.REJECTED:  # which is so in every run
        return fresh
    if fresh["fate"] in WRITES:  # either written once more, or the earlier write found in the table
        return wrote if fresh["fate"] == wrote["fate"] and not fresh["updated_at"] else fresh
    return wrote


def rows(s3: Any, bucket: str, rows_key: str) -> list[Line]:
    """Every row's fate, by row number and column: row, fate, store, item, count, was, updated_at, reason, value, and
    column, which is of the rejected and of each row of a wide file.
    """
    body = s3.get_object(Bucket=bucket, Key=rows_key)["Body"].read()
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]


def get(client: Any, table: str, upload_id: str) -> dict[str, Any] | None:
    """The receipt as it stands, read consistently."""
    answer = client.get_item(TableName=table, Key=tables.to_item({"UploadId": upload_id}), ConsistentRead=True)
    return tables.from_item(answer["Item"]) if "Item" in answer else None


def tally(client: Any, table: str, upload_id: str, batch: str, **counts: int) -> None:
    """Count what one batch of the stream held of this upload: ``Seen=3`` or ``Checked=3, Opened=1``.

    ``batch`` is the sequence number of the upload's first record in it: the same batch again is counted once.
    """
    sets = [f"#{name}.#batch = :{name}" for name in counts] + [f"{next(iter(counts))}At = :now"]
    try:
        client.update_item(
            TableName=table,
            Key=tables.to_item({"UploadId": upload_id}),
            UpdateExpression="SET " + ", ".join(sets),
            ConditionExpression="attribute_exists(UploadId)",
            ExpressionAttributeNames={"#batch": batch} | {f"#{name}": name for name in counts},
            ExpressionAttributeValues=tables.to_item({f":{n}": v for n, v in counts.items()} | {":now": times.now()}),
        )
    except client.exceptions.ConditionalCheckFailedException:
        return  # an UploadId that somebody's hand wrote into an item: there is no receipt to count on


def _set(
    client: Any, table: str, upload_id: str, *, expect: Mapping[str, str | None] | None = None, **values: Any
) -> bool:
    """Set attributes; with ``expect``, only while those are still so (None: not there). Whether it was done."""
    given = {name: value for name, value in values.items() if value is not None}
    expect = expect or {}
    there = [
        f"#{n} = :expected{n}" if value is not None else f"attribute_not_exists(#{n})" for n, value in expect.items()
    ]
    bound = {f":{name}": value for name, value in given.items()} | {f":expected{n}": v for n, v in expect.items()}
    try:
        client.update_item(
            TableName=table,
            Key=tables.to_item({"UploadId": upload_id}),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in given),
            ExpressionAttributeNames={f"#{name}": name for name in (*given, *expect)},
            ExpressionAttributeValues=tables.to_item(bound),
            **({"ConditionExpression": " AND ".join(there)} if there else {}),
        )
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True

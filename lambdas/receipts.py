"""The Uploads table: an upload's receipt, from “received” to the last stream record seen.

Owns the shape of a receipt and every write to it. Knows nothing of how a file is read or applied.

A receipt: UploadId, Month (of the index that lists them), Name, Bucket, Key, Version, Bytes, Digest (of the index that
finds the same content again), By (who sent it; of the index that finds what somebody sent), Mode, Store, Stores (those
that it speaks of, unless they are many); Undoes (the upload that this one undoes) and UndoneBy; the times ReceivedAt,
StartedAt (of the first run), RunAt (of the last one), PartAt, LoadedAt or FailedAt with Reason (and Unreadable, when it
was the file's own fault); Runs and RequestIds; Message (the queue's, that began the last run) and Receives (how often
that one had come by then); Mapping (the id of the one that it is read with), Whole (how many rows the file has),
Applying (a run has begun to write) and, if a person said so, AnsweredAt.
Of a file that is applied in parts by many loaders (see `lambdas.parting`): Parted (how many parts there are) and
Through (a set: the parts that are through, in any order; it takes the place of Done and HandedOver).
Waiting, as long as it is not loaded, says for what: the loader, an answer or help (of the index that lists those);
with an answer go WaitingAt, Question (about, text), Shape and Reason. Parts (number -> word, see `lambdas.lines`),
Done (how many parts are through), Edition (moves with every part), HandedOver; from the parts Rows, Fates (a map) and
Expected; Reads and Writes (units of DynamoDB that loading it took); DrivenAt and Drives when it hung; AsideAt when
nobody is to help it. How many of its stream records have been seen is counted beside it, see `lambdas.tallies`;
Settled is what that came to in the end.

Beside the receipts stand claims: UploadId “dropped:…” names the upload of an object that came without an id of ours.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from lambdas import lines, tables, tallies, times
from lambdas.lines import Line
from lambdas.spending import NOTHING, Units
from lambdas.stockfile import Question, Reading
from lambdas.tallies import Totals
from lambdas.upload import Upload, claim_of
from lambdas.world import World

LOADER, ANSWER, HELP = "loader", "answer", "help"
"""What an upload that is not loaded waits for."""
_QUESTION = ("WaitingAt", "Question")
_FAILED = ("FailedAt", "Reason", "Unreadable")
_NAMED_BYTES = 2000
"""So much of a receipt the names of its stores may take. Of more, StoreUploads knows."""
Receipt = dict[str, Any]


class Delivery(NamedTuple):
    """A message of the queue as it came: its id, and how often it has come by now."""

    message_id: str
    receives: int


def get(client: Any, table: str, upload_id: str) -> Receipt | None:
    """The receipt as it stands, read consistently."""
    answer = client.get_item(TableName=table, Key=tables.to_item({"UploadId": upload_id}), ConsistentRead=True)
    return tables.from_item(answer["Item"]) if "Item" in answer else None


def waiting(client: Any, table: str, what: str, limit: int | None = None) -> Iterator[Receipt]:
    """The uploads that wait for the loader, an answer or help, the oldest first: an index that holds nothing else."""
    found = tables.query(
        client, table, limit=limit, IndexName="ByWaiting", KeyConditionExpression="Waiting = :what",
        ExpressionAttributeValues=tables.to_item({":what": what}),
    )  # fmt: skip
    return map(tables.from_item, found)


def same(client: Any, table: str, digest: str, limit: int) -> list[str]:
    """The ids of the uploads whose file holds the same, the latest first: an index of ids alone, which costs a write
    unit for each upload, when the digest comes onto its receipt, and nothing when the receipt moves on."""
    found = tables.query(
        client, table, limit=limit, IndexName="ByDigest", ScanIndexForward=False,
        KeyConditionExpression="Digest = :digest", ExpressionAttributeValues=tables.to_item({":digest": digest}),
    )  # fmt: skip
    return [item["UploadId"]["S"] for item in found]


def sent_by(client: Any, table: str, by: str, limit: int, before: str | None = None) -> list[str]:
    """The ids of the uploads that somebody sent, the latest first; with ``before``, an id, only earlier ones. An index
    of ids alone, as of ``same``."""
    older = " AND UploadId < :before" if before else ""
    found = tables.query(
        client, table, limit=limit, IndexName="BySender", ScanIndexForward=False,
        KeyConditionExpression=f"#by = :by{older}", ExpressionAttributeNames={"#by": "By"},
        ExpressionAttributeValues=tables.to_item({":by": by, ":before": before}),
    )  # fmt: skip
    return [item["UploadId"]["S"] for item in found]


def received(client: Any, table: str, upload: Upload, size: int | None = None) -> str:
    """Say that the file is in the bucket, and who sent it. No other change when the loader was faster. The upload's own
    id: see ``claim``."""
    upload = replace(upload, id=claim(client, table, upload))
    receipt = _identity(upload) | {"Waiting": LOADER}
    receipt |= {"UploadId": upload.id, "Mode": upload.mode.value, "Store": upload.store, "Bytes": size}
    receipt |= {"Undoes": upload.undoes, "Digest": upload.digest, "By": upload.by}
    if _put_new(client, table, receipt) and upload.by:  # the sender is to find it, before the loader has read who it is
        _set(client, table, upload.id, By=upload.by)
    return upload.id


def claim(client: Any, table: str, upload: Upload) -> str:
    """The id of an upload that came without one of ours: the first that was found for its object, and stays."""
    if (of_object := claim_of(upload)) is None:
        return upload.id
    claimed = _put_new(client, table, {"UploadId": of_object, "Of": upload.id})
    return str(claimed["Of"]) if claimed else upload.id


def _put_new(client: Any, table: str, item: Receipt) -> Receipt | None:
    """Put an item, unless there is one: then that one is the answer."""
    try:
        client.put_item(
            TableName=table, Item=tables.to_item(item), ConditionExpression="attribute_not_exists(UploadId)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )  # fmt: skip
    except client.exceptions.ConditionalCheckFailedException as error:
        return tables.from_item(error.response["Item"])
    return None


def _identity(upload: Upload) -> Receipt:
    address = upload.address
    return {
        "Month": upload.time[:7], "Name": upload.name, "Bucket": address.bucket, "Key": address.key,
        "Version": address.version, "ReceivedAt": upload.time,
    }  # fmt: skip


def start(
    client: Any, table: str, upload: Upload, request_id: str, delivery: Delivery | None = None
) -> Receipt | None:  # fmt: skip
    """A run of the loader begins. The receipt, untouched if the upload is loaded; None if the id is another file's."""
    kept = _identity(upload) | {"StartedAt": times.now()}
    kept = {name: value for name, value in kept.items() if value is not None}
    moved: Receipt = {"RunAt": times.now(), "Waiting": LOADER}
    moved |= {"Message": delivery.message_id, "Receives": delivery.receives} if delivery else {}
    sets = [f"#{name} = if_not_exists(#{name}, :{name})" for name in kept] + [f"#{name} = :{name}" for name in moved]
    same_version = "#Version = :Version" if upload.address.version else "attribute_not_exists(#Version)"
    try:
        answer = client.update_item(
            TableName=table,
            Key=tables.to_item({"UploadId": upload.id}),
            UpdateExpression=f"SET {', '.join(sets)} REMOVE {', '.join(_FAILED + _QUESTION)} "
            "ADD Runs :one, RequestIds :run",
            ConditionExpression="attribute_not_exists(LoadedAt) AND "
            f"(attribute_not_exists(#Key) OR (#Key = :Key AND {same_version}))",
            ExpressionAttributeNames={f"#{name}": name for name in (*kept, *moved, "Version")},
            ExpressionAttributeValues=tables.to_item({f":{n}": v for n, v in (kept | moved).items()})
            | tables.to_item({":one": 1, ":run": {request_id}}),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except client.exceptions.ConditionalCheckFailedException as error:
        found = tables.from_item(error.response["Item"])
        ours = (found["Key"], found.get("Version")) == (upload.address.key, upload.address.version)
        return found if ours else None
    return tables.from_item(answer["Attributes"])


def fail(client: Any, table: str, upload: Upload, reason: str) -> None:
    """The file can't be used: say why."""
    values: Receipt = {"FailedAt": times.now(), "Reason": reason, "Mode": upload.mode.value, "Store": upload.store}
    values |= {"Digest": upload.digest, "By": upload.by, "Unreadable": True}
    _set(client, table, upload.id, Waiting=HELP, **values, expect={"LoadedAt": None})


def trouble(client: Any, table: str, upload_id: str, reason: str, *, last: bool) -> bool:
    """A try went wrong and will be made again; after the ``last`` one the upload has failed. False if it is loaded."""
    failed: Receipt = {"FailedAt": times.now(), "Waiting": HELP} if last else {}
    return _set(client, table, upload_id, Reason=reason, **failed, expect={"LoadedAt": None})


def pin(client: Any, table: str, upload: Upload, reading: Reading | None) -> tuple[str, str | None]:
    """Keep what the file is read with, unless another run has: mapping and store as they now stand on the receipt.
    With it, for who watches, how many rows it has, and of which stores. ``reading`` None: of a file that is still to be
    parted, these come later.

    From here on rows may be written: a later run knows by it that an earlier one may have done so.
    """
    given: Receipt = {"Mapping": upload.mapping}
    if reading is not None:
        given |= _about(len(reading.rows) + len(reading.rejects), {row.store for row in reading.rows})
    given |= {"Mode": upload.mode.value} | ({"Store": upload.store} if upload.store else {})
    given |= {"Undoes": upload.undoes} if upload.undoes else {}
    given |= {"Digest": upload.digest} if upload.digest else {}
    given |= {"By": upload.by} if upload.by else {}
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


def _about(whole: int, stores: Collection[str] | None) -> Receipt:
    known: Receipt = {"Applying": True, "Whole": whole}
    return known | ({"Stores": set(stores)} if stores and len("".join(stores).encode()) <= _NAMED_BYTES else {})


def parted(world: World, upload: Upload, parts: int, whole: int, stores: Collection[str] | None, spent: Units) -> None:
    """The rows of a big file, so many of these stores, lie in parts: from here on these may be applied. ``stores``
    None: they are many."""

    def values(before: Receipt) -> Receipt:
        return _about(whole, stores) | {"Parted": parts, "PartAt": times.now()} | _spent(before, spent)

    _moved(world, upload.id, values)


def wait(
    client: Any, table: str, upload: Upload, question: Question, shape: str | None, begun: Mapping[str, Any]
) -> None:
    """The file can't be read before a person answers. ``begun``: the receipt as it was when this run began.

    Nothing is said when it has been answered, or loaded, meanwhile: then this run speaks of what is past.
    """
    values: Receipt = {"Waiting": ANSWER, "WaitingAt": times.now(), "Reason": question.text, "Shape": shape}
    values |= {"Question": {"about": question.about, "text": question.text}}
    values |= {"Mode": upload.mode.value, "Store": upload.store, "Digest": upload.digest, "By": upload.by}
    expect = {name: begun.get(name) for name in ("Mapping", "AnsweredAt", "LoadedAt")}
    _set(client, table, upload.id, **values, expect=expect)


def answer(client: Any, table: str, upload_id: str, mapping: str, store: str | None) -> bool:
    """Keep a person's answer to what the upload waits for. False when it does not wait."""
    given: Receipt = {"Mapping": mapping, "Store": store, "AnsweredAt": times.now()}
    return _set(client, table, upload_id, **given, expect={"Waiting": ANSWER})


def taken(client: Any, table: str, upload_id: str, waiting_at: str) -> None:
    """The answer is on its way to the loader: what waited since then waits no longer, if the loader has not said so."""
    _set(client, table, upload_id, Waiting=LOADER, expect={"WaitingAt": waiting_at}, remove=(*_QUESTION, "Reason"))


def driven(client: Any, table: str, upload_id: str, before: Mapping[str, Any]) -> bool:
    """It hung, and is driven again now. False when another one did so, or it has moved on, since ``before``."""
    drives = int(before.get("Drives", 0))
    expect = {"DrivenAt": before.get("DrivenAt"), "LoadedAt": None}
    return _set(client, table, upload_id, DrivenAt=times.now(), Drives=drives + 1, expect=expect)


def again(client: Any, table: str, upload_id: str) -> bool:
    """An upload that failed is sent to the loader once more. False when it has not failed."""
    failed = get(client, table, upload_id) or {}
    expect = {"FailedAt": failed.get("FailedAt", "never"), "LoadedAt": None}
    return _set(client, table, upload_id, Waiting=LOADER, DrivenAt=times.now(), expect=expect, remove=_FAILED)


def put_aside(client: Any, table: str, upload_id: str) -> None:
    """Nobody is going to help an upload that failed: its receipt still says that it did, and why."""
    _set(client, table, upload_id, AsideAt=times.now(), expect={"Waiting": HELP}, remove=("Waiting",))


def part(
    world: World, upload: Upload, number: int, fresh: list[Line], *, through: bool, last: bool = False,
    spent: Units = NOTHING,
) -> None:  # fmt: skip
    """Keep the fates of some rows of the file, and count them. ``through``: they are the whole part. ``spent``: what
    was taken of DynamoDB since the last one.

    After the ``last`` one the upload is loaded; one that is parted, after whichever is the last to come. When an
    earlier run of this upload got here, or two runs meet, a write that one of them made stays made.
    """

    def values(before: Receipt) -> Receipt:
        parts: dict[str, str] = before.get("Parts", {})
        earlier = lines.read(world, upload.id, {str(number): parts[str(number)]}) if str(number) in parts else []
        parts |= {str(number): lines.write(world, upload.id, number, lines.merged(fresh, earlier))}
        found, all_through = _figures(parts) | _spent(before, spent), last
        if through and "Parted" in before:
            found |= {"Through": {*before.get("Through", ()), number}, "PartAt": times.now()}
            all_through = len(found["Through"]) == before["Parted"]
        elif through:
            found |= {"Done": max(number + 1, int(before.get("Done", 0))), "PartAt": times.now()}
        if all_through and "LoadedAt" not in before:
            found |= {"LoadedAt": times.now(), "Mode": upload.mode.value, "Store": upload.store}
        return found

    _moved(world, upload.id, values)


def _moved(world: World, upload_id: str, values: Callable[[Receipt], Receipt]) -> None:
    """Move a receipt on from what stands there; from what stands there then, if another loader was first."""
    client, table = world.dynamodb, world.settings.uploads_table
    while True:
        before = get(client, table, upload_id) or {}
        now = values(before) | {"Edition": int(before.get("Edition", 0)) + 1}
        ends = ("Waiting", *_FAILED) if "LoadedAt" in now else ()
        if _set(client, table, upload_id, **now, expect={"Edition": before.get("Edition")}, remove=ends):
            return


def _spent(before: Receipt, spent: Units) -> Receipt:
    reads, writes = (before.get(name, 0) for name in ("Reads", "Writes"))
    return {"Reads": reads + tallies.rounded(spent.reads), "Writes": writes + tallies.rounded(spent.writes)}


def _figures(parts: dict[str, str]) -> Receipt:
    fates = lines.totals(parts)
    return {"Parts": parts, "Rows": sum(fates.values()), "Fates": fates, "Expected": lines.expected(fates)}


def hand_over(client: Any, table: str, upload_id: str, done: int) -> None:
    """This run ends for lack of time, between two parts: the next one need not ask what this one has written."""
    _set(client, table, upload_id, HandedOver=done)


def undone(client: Any, table: str, upload_id: str, by: str) -> None:
    """Another upload, ``by``, has been sent to undo this one."""
    _set(client, table, upload_id, UndoneBy=by)


def settle(client: Any, table: str, upload_id: str, totals: Totals) -> None:
    """Every record of a loaded upload has been seen and checked: from here on it need not be counted again."""
    _set(client, table, upload_id, Settled=totals.as_values())


def _set(
    client: Any, table: str, upload_id: str, *, expect: Mapping[str, Any] | None = None, remove: tuple[str, ...] = (),
    **values: Any,
) -> bool:  # fmt: skip
    """Set attributes; with ``expect``, only while those are still so (None: not there). Whether it was done."""
    given = {name: value for name, value in values.items() if value is not None}
    expect = expect or {}
    there = [
        f"#{n} = :expected{n}" if value is not None else f"attribute_not_exists(#{n})" for n, value in expect.items()
    ]
    bound = {f":{name}": value for name, value in given.items()} | {f":expected{n}": v for n, v in expect.items()}
    sets = "SET " + ", ".join(f"#{name} = :{name}" for name in given)
    removes = " REMOVE " + ", ".join(f"#{name}" for name in remove) if remove else ""
    try:
        client.update_item(
            TableName=table,
            Key=tables.to_item({"UploadId": upload_id}),
            UpdateExpression=sets + removes,
            ExpressionAttributeNames={f"#{name}": name for name in (*given, *expect, *remove)},
            ExpressionAttributeValues=tables.to_item(bound),
            **({"ConditionExpression": " AND ".join(there)} if there else {}),
        )
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True

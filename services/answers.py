"""Uploads that wait for an answer: a file came in by itself, and only a person can say how it is to be read.

Owns the way from the answer back into the queue.
"""

import json
from typing import Any

from lambdas import answers, mappings, receipts
from lambdas.stockfile import Mapping, StockFile
from lambdas.upload import Address, Upload, s3_event
from services import audit, sight
from services.access import Right, needs
from services.errors import BadFile, NotFound, mapped
from services.outcome import Receipt, of_item
from services.stack import Stack


@mapped
@needs(Right.SEE)
def waiting(stack: Stack) -> list[Receipt]:
    """The uploads that wait for an answer, the latest first: one Query of an index that holds nothing else."""
    found = receipts.waiting(stack.dynamodb, stack.settings.uploads_table, receipts.ANSWER)
    return sight.seen(stack, [one for one in map(of_item, found) if one.state == "waiting"][::-1])


@mapped
@needs(Right.SEE)
def contents(stack: Stack, of: Receipt) -> bytes:
    """An upload's file, as it was sent. NotFound when it is no longer in the bucket, Refused when it may hold more than
    the person's stores."""
    item = _item(stack, of.upload_id or "")
    sight.must_see_whole(of_item(item), stack.person)
    return _contents(stack, item)


@mapped
@needs(Right.SEND)
def answer(stack: Stack, upload_id: str, mapping: Mapping, store: str | None = None) -> None:
    """Say how an upload that waits is to be read; the loader then goes on with it, under the same id.

    The same answer again is harmless. Raises NotFound when there is no such upload, BadFile when it does not wait or
    can't be read this way either, and of these Unclear when one more thing has to be said.
    """
    item, store = _item(stack, upload_id), (store or "").strip() or None
    sight.must_see_whole(of_item(item), stack.person)
    if of_item(item).state != "waiting":
        return _only_again(item, mapping, store)
    upload = _upload(item)
    _try(_contents(stack, item), mapping, store or upload.store, upload.time)
    audit.note(stack, audit.Did.ANSWERED, upload=upload_id, file=item["Name"], store=store)
    said = mappings.keep(stack.world, mapping)
    answers.keep(stack.world, upload_id, said, store)  # from here on the answer is safe, whatever happens
    if not receipts.answer(stack.dynamodb, stack.settings.uploads_table, upload_id, said, store):
        return _only_again(_item(stack, upload_id), mapping, store)  # somebody else has answered this moment
    stack.client("sqs").send_message(QueueUrl=stack.settings.queue, MessageBody=json.dumps(s3_event(upload)))
    receipts.taken(stack.dynamodb, stack.settings.uploads_table, upload_id, item["WaitingAt"])
    return None


def _only_again(item: dict[str, Any], mapping: Mapping, store: str | None) -> None:
    """Nothing to do when this very answer has been given. BadFile for any other."""
    given = "AnsweredAt" in item and item.get("Mapping") == mappings.id_of(mapping)
    if not given or store not in (None, item.get("Store")):
        raise BadFile(f"{item['Name']} does not wait for an answer: it is {of_item(item).state}.")


def _try(data: bytes, mapping: Mapping, store: str | None, at: str) -> None:
    """Read as much of the file as tells whether the answer is enough."""
    next(StockFile(data, mapping).rows(uploaded_at=at, store=store), None)


def _item(stack: Stack, upload_id: str) -> dict[str, Any]:
    found = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload_id)
    if found is None or not sight.seen(stack, [of_item(found)]):
        raise NotFound(f"There is no upload “{upload_id}”. The list of uploads has the ids.")
    return found


def _upload(item: dict[str, Any]) -> Upload:
    address = Address(item["Bucket"], item["Key"], item.get("Version"))
    return Upload(item["UploadId"], address, item["Name"], store=item.get("Store"))


def _contents(stack: Stack, item: dict[str, Any]) -> bytes:
    version = {"VersionId": item["Version"]} if item.get("Version") else {}
    try:
        found = stack.s3.get_object(Bucket=item["Bucket"], Key=item["Key"], **version)
    except stack.s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchVersion"):
            raise
        raise NotFound(f"{item['Name']} is no longer in the bucket. Send it again.") from error
    data: bytes = found["Body"].read()
    return data

"""“Why?”: every way in which a row's way can end has its sentence, and is gone here on the real engine.

What is missing is made so by taking it out of the tables, and put back at the end.
"""

import ast
import json
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lambdas import applying, episodes, failures, holding, lines, notifying, receipts, tables, tallies, times
from lambdas.fates import WRITES, Fate, Mode
from lambdas.loading import load
from lambdas.receipts import Delivery
from lambdas.reorder import Scope
from lambdas.stream import item_key
from lambdas.sweeping import FILE
from lambdas.upload import Address, Upload, new_id, object_key, s3_event
from services import alerts, changes, quiet, reorder, undoing, uploads
from services import failures as failed
from services.errors import NotFound
from services.stack import Stack
from services.uploads import Receipt
from services.why import Asked, Chain, Name, endings, finding, sentences, why
from services.why.endings import Ending
from services.why.ways import WAYS
from tests.conftest import csv, invoke, sent
from tests.records import dynamo_change, record_of
from tests.test_cli import run
from tests.test_failures import driven, key_of, unheard
from tests.test_notifications import around, let_time_pass, no_schedule  # noqa: F401 (one is a fixture)
from tests.test_repeats import put_away
from tests.waiting import until

ROOT = Path(__file__).parent.parent
TIMED = "store,item,count,updated_at"
LONG_AGO = "2026-01-05T09:12:00.000000Z"


@dataclass
class Play:
    """What a scenario plays with: a store of its own, and what is to be done at the end."""

    stack: Stack
    store: str
    patch: pytest.MonkeyPatch
    after: ExitStack = field(default_factory=ExitStack)

    def send(self, *rows: str, mode: Mode = Mode.NEWEST, header: str = "store,item,count") -> Receipt:
        return sent(self.stack, csv(self.store, *rows, header=header), mode)

    def undo(self, of: Receipt) -> Receipt:
        *_, last = uploads.follow(self.stack, undoing.send(self.stack, of.upload_id or ""))
        return last

    def why(self, of: Receipt | Upload | str, item: str = "Tea") -> Chain:
        return why(self.stack, Asked(_id(of), self.store, item))

    def row(self, of: Receipt, number: int, column: str | None = None) -> Chain:
        return why(self.stack, Asked(_id(of), row=number, column=column))

    def hide(self, table: str, key: dict[str, Any]) -> None:
        """Take an item out of a table until the end."""
        item = self.stack.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        self.stack.dynamodb.delete_item(TableName=table, Key=key)
        self.after.callback(self.stack.dynamodb.put_item, TableName=table, Item=item)

    def alter(self, table: str, key: dict[str, Any], *gone: str, **values: Any) -> None:
        """Another item in its place until the end."""
        item = self.stack.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        other = {name: value for name, value in item.items() if name not in gone} | tables.to_item(values)
        self.stack.dynamodb.put_item(TableName=table, Item=other)
        self.after.callback(self.stack.dynamodb.put_item, TableName=table, Item=item)

    def aged(self, of: Receipt, at: str = LONG_AGO) -> None:
        """As if it had been loaded long ago."""
        key = tables.to_item({"UploadId": of.upload_id})
        self.alter(self.stack.settings.uploads_table, key, LoadedAt=at, PartAt=at)

    def unkept(self, of: Receipt, item: str = "Tea") -> None:
        """As if the recorder had never seen its change."""
        assert of.records_expected
        self.hide(self.stack.settings.changes_table, key_of(self.stack, self.store, item))

    def tally(self, of: Receipt, what: str, **values: Any) -> None:
        """What a batch of the stream is told of: not at all, or otherwise."""
        table = self.stack.settings.tallies_table
        [batch] = tallies.batches(self.stack.dynamodb, table, _id(of), what)
        key = tables.to_item({"UploadId": of.upload_id, "Batch": f"{what}#{batch.first}"})
        if values:
            self.alter(table, key, **values)
        else:
            self.hide(table, key)

    def gave_up(self, function: str) -> None:
        """The stream gives up a batch, of which nothing is in it any more but one record of another item."""
        jam = self.send("Jam,1")
        [other] = changes.of_upload(self.stack, _id(jam))
        arn = self.stack.dynamodb.describe_table(TableName=self.stack.settings.inventory_table)["Table"]
        arn = arn["LatestStreamArn"]
        [shard] = self.stack.client("dynamodbstreams").describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        info = {"shardId": shard["ShardId"], "startSequenceNumber": other.sequence, "batchSize": 5, "streamArn": arn}
        said = {"functionArn": f"arn:aws:lambda:::{function}", "condition": "RetryAttemptsExhausted"}
        letter = {"requestContext": said, "DDBStreamBatchInfo": info | {"endSequenceNumber": other.sequence}}
        queue = self.stack.settings.dead_letter_queue
        self.stack.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(letter))

        def lost() -> list[failures.Failure]:
            found = failures.of_kind(self.stack.world, failures.MESSAGE)
            return [one for one in found if "no longer in the stream" in one["Reason"]]

        [one] = until(lost)
        self.after.callback(failures.mended, self.stack.world, failures.MESSAGE, one["Id"])
        for kind in (failures.RECORD, failures.CHECK):
            failures.mended(self.stack.world, kind, other.event_id)

    def fails(self, kind: str, item: str = "Tea") -> None:
        record = record_of(self.stack, self.store, item)
        failures.keep(self.stack.world, kind, record["eventID"], "KeyError: on purpose", record)
        self.after.callback(failures.mended, self.stack.world, kind, record["eventID"])

    def low_at(self, point: int) -> None:
        reorder.save(self.stack, {Scope(self.store): Decimal(point)})

    def quiet(self) -> None:
        quiet.put(self.stack, around(-2, 2), self.store)
        self.after.callback(quiet.put, self.stack, None, self.store)

    def morning(self) -> None:
        quiet.put(self.stack, None, self.store)
        let_time_pass(self.stack, self.store)

    def loader(self, upload: Upload, receives: int = 1) -> None:
        """A message of the queue comes to the deployed loader."""
        attributes = {"ApproximateReceiveCount": str(receives)}
        message = {"messageId": f"message-{upload.id}", "receiptHandle": "x", "body": json.dumps(s3_event(upload))}
        message |= {"attributes": attributes, "eventSource": "aws:sqs", "messageAttributes": {}}
        message |= {"eventSourceARN": f"arn:aws:sqs:us-east-1:0:{self.stack.settings.queue.rpartition('/')[2]}"}
        invoke(self.stack, self.stack.settings.loader, {"Records": [message]})

    def put_away(self, *rows: str, upload_id: str = "") -> Upload:
        """A file in the bucket that no queue hears of, and its receipt; at the end nobody waits for it."""
        upload = put_away(self.stack, csv(self.store, *rows))
        upload = replace(upload, id=upload_id or upload.id)
        client, table = self.stack.dynamodb, self.stack.settings.uploads_table
        receipts.received(client, table, upload)
        self.after.callback(receipts.put_aside, client, table, upload.id)
        self.after.callback(receipts.trouble, client, table, upload.id, "of a test", last=True)
        return upload

    def unloadable(self) -> Upload:
        """One whose item a hand has written with another type. The queue does not hear of it."""
        table, key = self.stack.settings.inventory_table, {"Store": {"S": self.store}, "Item": {"S": "Tea"}}
        item = key | {"Count": {"S": "many"}, "UploadId": {"S": "x"}}
        self.stack.dynamodb.put_item(TableName=table, Item=item)
        self.after.callback(self.stack.dynamodb.delete_item, TableName=table, Key=key)
        upload_id = new_id()
        place = {"Bucket": self.stack.settings.bucket, "Key": object_key(upload_id, "stock.csv")}
        with unheard(self.stack):
            made = self.stack.s3.put_object(**place, Body=csv(self.store, "Tea,5"))
        address = Address(place["Bucket"], place["Key"], made["VersionId"])
        client, uploads_table = self.stack.dynamodb, self.stack.settings.uploads_table
        self.after.callback(receipts.put_aside, client, uploads_table, upload_id)
        self.after.callback(receipts.trouble, client, uploads_table, upload_id, "of a test", last=True)
        return Upload(upload_id, address, "stock.csv")


def _id(of: Receipt | Upload | str) -> str:
    return of if isinstance(of, str) else (of.id if isinstance(of, Upload) else of.upload_id) or ""


Scenario = Callable[[Play], tuple[Chain, list[str]]]
SCENARIOS: defaultdict[Ending, list[Scenario]] = defaultdict(list)


def ends(ending: Ending) -> Callable[[Scenario], Scenario]:
    def keep(scenario: Scenario) -> Scenario:
        SCENARIOS[ending].append(scenario)
        return scenario

    return keep


# --- its file ------------------------------------------------------------------------------------------------------


@ends(Ending.RECEIVED)
def waits_for_the_loader(play: Play) -> tuple[Chain, list[str]]:
    return play.why(play.put_away("Tea,5")), ["stock.csv was received and waits for the loader"]


@ends(Ending.RECEIVED)
def hung(play: Play) -> tuple[Chain, list[str]]:
    upload = play.put_away("Tea,5")
    driven(play.stack, upload.id, 2, times.now())
    return play.why(upload), ["waits for the loader", "sent to the loader again, 2 times so far"]


@ends(Ending.LOADING)
def is_being_read(play: Play) -> tuple[Chain, list[str]]:
    upload = play.put_away("Tea,5")
    receipts.start(play.stack.dynamodb, play.stack.settings.uploads_table, upload, "run")
    return play.why(upload), ["stock.csv is being read", "Tea"]


@ends(Ending.LOADING)
def another_part_comes_first(play: Play) -> tuple[Chain, list[str]]:
    play.patch.setattr(applying, "PART", 2)
    upload = play.put_away("Ale,1", "Jam,1", "Tea,5")
    play.after.callback(load, play.stack.world, upload, "the rest")
    assert load(play.stack.world, upload, "run", lambda: 0.0)
    assert play.why(upload, "Jam").ending != Ending.LOADING
    return play.why(upload), ["2 of its 3 rows are through, and Tea is not among them yet"]


@ends(Ending.RETRYING)
def a_try_went_wrong(play: Play) -> tuple[Chain, list[str]]:
    upload = play.unloadable()
    play.loader(upload)
    return play.why(upload), ["is tried again by itself", "Try 1 of 5 failed", "another type than ours"]


@ends(Ending.GIVEN_UP)
def every_try_went_wrong(play: Play) -> tuple[Chain, list[str]]:
    upload = play.unloadable()
    play.loader(upload, receives=5)
    chain = play.why(upload)
    told = next(one for one in chain.links if one.name is Name.MESSAGE)
    assert (told.saw, told.ids) == (
        "delivered to the loader, the 5th time that it came", (("message", f"message-{upload.id}"),),
    )  # fmt: skip
    return chain, ["Try 5 of 5 failed", "run again on the Pipeline page"]


@ends(Ending.GIVEN_UP)
def it_hung_for_good(play: Play) -> tuple[Chain, list[str]]:
    upload = play.put_away("Tea,5", upload_id=f"20260105T091200000000-{uuid.uuid4().hex[:8]}")
    driven(play.stack, upload.id, 6, LONG_AGO)
    failed.sweep(play.stack)
    return play.why(upload), ["It hung", "run again on the Pipeline page"]


@ends(Ending.ASKED)
def a_question_is_open(play: Play) -> tuple[Chain, list[str]]:
    head = f"SKU,Store,On hand,Available,X{uuid.uuid4().hex[:6]}"
    receipt = sent(play.stack, f"{head}\nTea,{play.store},4,3,0\n".encode())
    return play.why(receipt), ["waits for an answer", "On hand"]


@ends(Ending.UNREADABLE)
def no_stock_file(play: Play) -> tuple[Chain, list[str]]:
    return play.why(sent(play.stack, b"%PDF-1.4")), ["could not be read, so none of its rows was applied", "PDF"]


@ends(Ending.ASIDE)
def somebody_put_it_aside(play: Play) -> tuple[Chain, list[str]]:
    receipt = sent(play.stack, b"%PDF-1.4")
    failed.put_aside(play.stack, f"{FILE}/{receipt.upload_id}")
    return play.why(receipt), ["was put aside by somebody"]


@ends(Ending.NO_OBJECT)
def the_file_is_gone(play: Play) -> tuple[Chain, list[str]]:
    upload = play.put_away("Tea,5")
    address = upload.address
    play.stack.s3.delete_object(Bucket=address.bucket, Key=address.key, VersionId=address.version)
    before = play.why(upload)
    load(play.stack.world, upload, "run")
    after = play.why(upload)
    assert (before.ending, before.sentence) == (after.ending, after.sentence)
    return after, ["is no longer in the bucket", "Send the file again"]


@ends(Ending.NO_LINES)
def what_became_of_the_rows_is_gone(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5")
    [(number, word)] = receipt.parts.items()
    key = f"receipts/{receipt.upload_id}/{int(number):05}-{word.split()[0]}.jsonl.gz"
    place = {"Bucket": play.stack.settings.bucket, "Key": key}
    body = play.stack.s3.get_object(**place)["Body"].read()
    play.stack.s3.delete_object(**place)
    play.after.callback(play.stack.s3.put_object, **place, Body=body)
    return play.why(receipt), ["what became of each of its rows is no longer kept"]


# --- its fate ------------------------------------------------------------------------------------------------------


@ends(Ending.NOT_MENTIONED)
def left_alone(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,5")
    said = play.why(play.send("Jam,1"))
    assert "could not be used" not in said.sentence
    return said, ["stock.csv does not mention Tea", "is left alone"]


@ends(Ending.NOT_MENTIONED)
def perhaps_among_what_is_not_usable(play: Play) -> tuple[Chain, list[str]]:
    return play.why(play.send("Jam,1", "Tea,lots")), ["is left alone", "1 row of it could not be used"]


@ends(Ending.NO_ROW)
def a_row_that_is_not_there(play: Play) -> tuple[Chain, list[str]]:
    return play.row(play.send("Tea,5"), 99), ["stock.csv has no row 99 with stock in it"]


@ends(Ending.REJECTED)
def not_usable(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,about 200")
    return play.row(receipt, 2), ["Row 2, column count “about 200”: not a number", "no alert was possible"]


@ends(Ending.REJECTED)
def a_cell_of_a_wide_file(play: Play) -> tuple[Chain, list[str]]:
    receipt = sent(play.stack, f"item,{play.store} a,{play.store} b\nTea,1,lots\n".encode())
    if receipt.state == "waiting":  # which columns are stores is asked
        mapping = replace(uploads.opened(play.stack, uploads.contents(play.stack, receipt)).mapping)
        mapping = replace(mapping, stores=(f"{play.store} a", f"{play.store} b"), count=None)
        uploads.answer(play.stack, receipt.upload_id or "", mapping)
        *_, receipt = uploads.follow(play.stack, receipt.upload_id or "")
    assert play.row(receipt, 2, f"{play.store} a").ending == Ending.STAYED
    assert play.row(receipt, 2).ending == Ending.REJECTED
    return play.row(receipt, 2, f"{play.store} b"), [f"Row 2, column {play.store} b “lots”"]


@ends(Ending.DUPLICATE)
def repeated(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5", "Jam,1", "Tea,7")
    winner = play.why(receipt)
    assert (winner.row, winner.ending) == (4, Ending.STAYED)
    assert "also in row 2" in winner.links[0].saw
    return play.row(receipt, 2), ["Tea is repeated in the file, and row 2", "row 4 of the same file counts"]


@ends(Ending.DUPLICATE)
def added_up(play: Play) -> tuple[Chain, list[str]]:
    data = csv(play.store, "Tea,5", "Tea,7")
    mapping = replace(uploads.opened(play.stack, data).mapping, repeats="sum")
    upload_id = uploads.send(play.stack, "stock.csv", data, mapping=mapping)
    *_, receipt = uploads.follow(play.stack, upload_id)
    assert "new with 12" in play.why(receipt).sentence
    return play.row(receipt, 2), ["added up in row 3"]


@ends(Ending.UNCHANGED)
def already_so(play: Play) -> tuple[Chain, list[str]]:
    play.send(f"Tea,12,{LONG_AGO}", header=TIMED)
    said = play.why(play.send("Tea,12"))
    return said, [f"The table already held 12 from {LONG_AGO} (stock.csv); {sentences.NOTHING}"]


@ends(Ending.UNCHANGED)
def already_so_and_known_from_the_item_alone(play: Play) -> tuple[Chain, list[str]]:
    first = play.send(f"Tea,12,{LONG_AGO}", header=TIMED)
    play.unkept(first)
    return play.why(play.send("Tea,12")), [f"The table already held 12 from {LONG_AGO} (stock.csv)"]


@ends(Ending.UNCHANGED)
def put_back_as_it_stood(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,12")
    return play.why(play.send("Tea,12", mode=Mode.PLAIN)), ["mode plain put it back exactly as it stood"]


@ends(Ending.UNCHANGED)
def the_very_time_of_the_load(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,12")
    upload = put_away(play.stack, csv(play.store, "Tea,12"), Mode.STAMP)
    begun = receipts.start(play.stack.dynamodb, play.stack.settings.uploads_table, upload, "run") or {}
    sent(play.stack, csv(play.store, f"Tea,12,{begun['StartedAt']}", header=TIMED))
    load(play.stack.world, upload, "run")
    return play.why(upload), ["mode stamp found the very time of this load there"]


@ends(Ending.UNCHANGED)
def there_was_nothing_to_put_back(play: Play) -> tuple[Chain, list[str]]:
    first = play.send("Tea,5")
    wrong = play.send("Tea,9")
    play.undo(wrong)
    play.stack.dynamodb.execute_statement(  # a hand says that the wrong one did it; here that makes no stream record
        Statement=f'UPDATE "{play.stack.settings.inventory_table}" SET UploadId=? REMOVE Restored '  # noqa: S608
        'WHERE "Store"=? AND Item=?',
        Parameters=[{"S": wrong.upload_id}, {"S": play.store}, {"S": "Tea"}],
    )
    assert first.upload_id
    return play.why(play.undo(wrong)), ["was already as it had been before", sentences.NOTHING]


@ends(Ending.STALE)
def older_than_what_is_known(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,12")
    said = play.why(play.send(f"Tea,7,{LONG_AGO}", header=TIMED))
    return said, ["The file says 7, but is older: the table holds a count as of 2026-", "and 12 stayed", "no alert"]


@ends(Ending.STALE)
def older_than_what_was_confirmed(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,5")
    late = put_away(play.stack, csv(play.store, "Tea,7"))
    play.send("Tea,5")
    load(play.stack.world, late, "run")
    return play.why(late), ["The file says 7, but is older: a newer file confirmed the count as of", "and 5 stayed"]


@ends(Ending.STALE)
def changed_since(play: Play) -> tuple[Chain, list[str]]:
    wrong = play.send("Tea,5")
    later = play.send("Tea,9")
    return play.why(play.undo(wrong)), [f"Tea was left alone: it has been changed since, by {later.upload_id}"]


@ends(Ending.STALE)
def removed_since(play: Play) -> tuple[Chain, list[str]]:
    wrong = play.send("Tea,5")
    key = {"Store": {"S": play.store}, "Item": {"S": "Tea"}}
    play.stack.dynamodb.delete_item(TableName=play.stack.settings.inventory_table, Key=key)
    return play.why(play.undo(wrong)), ["Tea was left alone: it has been removed since"]


# --- its stream record ---------------------------------------------------------------------------------------------


@ends(Ending.RECORD_AWAITED)
def its_record_comes(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5")
    play.unkept(receipt)
    return play.why(receipt), ["Tea is new with 5; its stream record is on its way"]


@ends(Ending.RECORD_MISSING)
def its_record_stays_away(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,12")
    receipt = play.send("Tea,0")
    play.unkept(receipt)
    play.aged(receipt, times.later(times.now(), minutes=-1))
    return play.why(receipt), [
        "Tea went 12 -> 0 at",
        "That is an incident",
        "Its alert opened all the same, at",
        "sent",
    ]


@ends(Ending.RECORD_LOST)
def the_stream_gave_it_up(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5")
    play.unkept(receipt)
    play.aged(receipt, times.later(times.now(), minutes=-1))
    play.gave_up(play.stack.settings.recorder)
    return play.why(receipt), ["the stream gave up records that are gone, and this may be one of them"]


@ends(Ending.RECORD_FAILED)
def it_could_not_be_kept(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5")
    play.fails(failures.RECORD)
    play.unkept(receipt)
    chain = play.why(receipt)
    assert "KeyError: on purpose" in chain.links[list(Name).index(Name.CHANGE)].saw
    return chain, ["its stream record could not be kept", "tried again by itself at"]


@ends(Ending.EXPIRED)
def kept_no_longer(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5")
    play.unkept(receipt)
    play.aged(receipt, times.later(times.now(), hours=-24 * 91))
    return play.why(receipt), ["changes are kept for 90 days, and this one is gone"]


# --- its check -----------------------------------------------------------------------------------------------------


@ends(Ending.CHECK_AWAITED)
def its_check_comes(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5")
    play.tally(receipt, tallies.CHECKED)
    return play.why(receipt), ["its check for alerts is on its way"]


@ends(Ending.CHECK_MISSING)
def its_check_stays_away(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5")
    play.tally(receipt, tallies.CHECKED)
    play.tally(receipt, tallies.KEPT, At=LONG_AGO)
    play.aged(receipt)
    return play.why(receipt), [f"it has not been checked for alerts since {LONG_AGO}. That is an incident"]


@ends(Ending.CHECK_LOST)
def the_stream_gave_its_check_up(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5")
    play.tally(receipt, tallies.CHECKED)
    play.tally(receipt, tallies.KEPT, At=LONG_AGO)
    play.aged(receipt)
    play.gave_up(play.stack.settings.checker)
    return play.why(receipt), ["the stream gave up records before they were checked for alerts"]


@ends(Ending.CHECK_FAILED)
def it_could_not_be_checked(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,5")
    play.fails(failures.CHECK)
    return play.why(receipt), ["could not be checked for alerts", "tried again by itself at"]


# --- no alert ------------------------------------------------------------------------------------------------------


@ends(Ending.TOUCHED)
def stamped(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,5")
    said = play.why(play.send("Tea,5", mode=Mode.STAMP))
    return said, ["Tea is 5 as before and only its time moved, because mode stamp gives", "no count crossed zero"]


@ends(Ending.TOUCHED)
def confirmed(play: Play) -> tuple[Chain, list[str]]:
    play.send(f"Tea,5,{LONG_AGO}", header=TIMED)
    said = play.why(play.send("Tea,5,2026-02-01", header=TIMED))
    return said, ["Tea is 5 as before and only its time moved; DynamoDB wrote a record"]


@ends(Ending.TOUCHED)
def put_back_to_an_earlier_time(play: Play) -> tuple[Chain, list[str]]:
    play.send(f"Tea,5,{LONG_AGO}", header=TIMED)
    return play.why(play.undo(play.send("Tea,5,2026-02-01", header=TIMED))), [
        "only its time moved, back to what it was"
    ]


@ends(Ending.ROSE)
def there_is_more(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,5")
    return play.why(play.send("Tea,12")), ["Tea went 5 -> 12; it rose"]


@ends(Ending.ROSE)
def put_back_to_more(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,12")
    return play.why(play.undo(play.send("Tea,5"))), ["Tea was put back: 5 -> 12; it rose"]


@ends(Ending.STAYED)
def it_did_not_cross(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,12")
    said = play.why(play.send("Tea,7"))
    assert "reorder" not in said.sentence
    return said, ["Tea went 12 -> 7; it did not fall to zero, so no alert was raised"]


@ends(Ending.STAYED)
def nor_its_reorder_point(play: Play) -> tuple[Chain, list[str]]:
    play.low_at(5)
    play.send("Tea,12")
    return play.why(play.send("Tea,7")), ["Tea went 12 -> 7; it did not fall to zero or to its reorder point, 5 now"]


@ends(Ending.STAYED)
def new_and_there(play: Play) -> tuple[Chain, list[str]]:
    return play.why(play.send("Tea,7")), ["Tea is new with 7; it did not fall to zero"]


@ends(Ending.STILL_OUT)
def out_already(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,0")
    [episode] = alerts.of_item(play.stack, item_key(play.store, "Tea"))
    said = play.why(play.send("Tea,-2"))
    return said, [
        f"Tea went 0 -> -2; it was out of stock already, since {episode.opened_at}, and one time out is one alert"
    ]


@ends(Ending.STILL_LOW)
def low_already(play: Play) -> tuple[Chain, list[str]]:
    play.low_at(10)
    play.send("Tea,12")
    play.send("Tea,8")
    return play.why(play.send("Tea,6")), ["Tea went 8 -> 6; it was low already", "one time low is one alert"]


@ends(Ending.TAKEN_AWAY)
def not_there_before(play: Play) -> tuple[Chain, list[str]]:
    return play.why(play.undo(play.send("Tea,5"))), ["Tea was taken away again", "is not out of stock"]


@ends(Ending.CAME_BACK)
def back_in_stock(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,0")
    [episode] = alerts.of_item(play.stack, item_key(play.store, "Tea"))
    return play.why(play.send("Tea,9")), [f"Tea went 0 -> 9; that ended its alert of {episode.opened_at}"]


@ends(Ending.NO_LONGER_LOW)
def not_low_any_more(play: Play) -> tuple[Chain, list[str]]:
    play.low_at(10)
    play.send("Tea,12")
    play.send("Tea,8")
    return play.why(play.send("Tea,20")), ["Tea went 8 -> 20; that ended its low alert of"]


@ends(Ending.LOW_BY_POINT)
def the_point_moved(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,12")
    receipt = play.send("Tea,7")
    play.low_at(10)
    return play.why(receipt), ["Tea went 12 -> 7, which raised no alert", "its reorder point was set to 10 at"]


@ends(Ending.ALERT_MISSING)
def its_alert_is_not_there(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,0")
    play.hide(play.stack.settings.alerts_table, episode_key(play))
    return play.why(receipt), ["Tea is new with 0, which was checked at", "its alert is not there"]


def episode_key(play: Play) -> dict[str, Any]:
    [episode] = alerts.of_item(play.stack, item_key(play.store, "Tea"))
    return tables.to_item({"ItemKey": item_key(play.store, "Tea"), "Position": episode.position})


# --- its message ---------------------------------------------------------------------------------------------------


@ends(Ending.SENT)
def told(play: Play) -> tuple[Chain, list[str]]:
    play.send("Tea,12")
    receipt = play.send("Tea,0")
    chain = play.why(receipt)
    [episode] = alerts.of_item(play.stack, item_key(play.store, "Tea"))
    assert chain.links[-1].ids == (("SNS message", episode.message_id),)
    return chain, ["Tea went 12 -> 0, so it was out of stock; an alert opened, and its message was sent at"]


@ends(Ending.SENT)
def told_and_ended(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,0")
    play.send("Tea,9")
    return play.why(receipt), ["Tea is new with 0, so it was out of stock", "was sent at", "It ended at", "back to 9"]


@ends(Ending.SENT_LOW)
def told_that_it_is_low(play: Play) -> tuple[Chain, list[str]]:
    play.low_at(10)
    play.send("Tea,12")
    said = play.why(play.send("Tea,7"))
    return said, ["Tea went 12 -> 7, to its reorder point 10 or below; a low alert opened, and its message was sent at"]


@ends(Ending.SENT_LOW)
def told_that_it_is_low_as_nobody_was_told_that_it_was_out(play: Play) -> tuple[Chain, list[str]]:
    play.low_at(10)
    play.send("Tea,12")
    play.quiet()
    receipt = play.send("Tea,0")
    play.send("Tea,4")
    play.morning()
    for _ in range(2):
        notifying.send_held(play.stack.world, play.stack.client("sns"))
        let_time_pass(play.stack, play.store)
    return play.why(receipt), ["Tea went 12 -> 0", "a low alert opened", "after it had waited (quiet hours)"]


@ends(Ending.SENT_FOR_BOTH)
def one_message_of_both(play: Play) -> tuple[Chain, list[str]]:
    play.low_at(10)
    play.send("Tea,12")
    return play.why(play.send("Tea,0")), ["through its reorder point 10 to nothing; two alerts opened, and the one"]


@ends(Ending.MESSAGE_AWAITED)
def its_message_goes(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,0")
    play.alter(play.stack.settings.alerts_table, episode_key(play), "NotifiedAt", "MessageId")
    return play.why(receipt), ["an alert opened, and its message is on its way"]


@ends(Ending.MESSAGE_MISSING)
def its_message_stays_away(play: Play) -> tuple[Chain, list[str]]:
    receipt = play.send("Tea,0")
    play.alter(play.stack.settings.alerts_table, episode_key(play), "NotifiedAt", "MessageId")
    play.tally(receipt, tallies.KEPT, At=LONG_AGO)
    play.aged(receipt)
    return play.why(receipt), ["its message has not been sent since. That is an incident"]


@ends(Ending.MESSAGE_REFUSED)
def sns_refused(play: Play) -> tuple[Chain, list[str]]:
    play.quiet()
    receipt = play.send("Tea,0")
    play.morning()
    nowhere = replace(play.stack.world, settings=replace(play.stack.settings, topic=f"{play.stack.settings.topic}-no"))
    notifying.send_held(nowhere, play.stack.client("sns"))
    for one in failed.every(play.stack):
        if play.store in one.about:
            play.after.callback(failed.retry, play.stack, one.id)
    return play.why(receipt), ["its message could not be sent", "tried again by itself at"]


@ends(Ending.HELD_QUIET)
def at_night(play: Play) -> tuple[Chain, list[str]]:
    play.quiet()
    receipt = play.send("Tea,0")
    [one] = [one for one in alerts.held(play.stack) if one.store == play.store]
    return play.why(receipt), [f"its message waits until {one.due}: quiet hours."]


@ends(Ending.HELD_FLAPPING)
def again_and_again(play: Play) -> tuple[Chain, list[str]]:
    for count in (5, 0, 5, 0, 5):
        play.send(f"Tea,{count}")
    return play.why(play.send("Tea,0")), ["its message waits until", "it runs out or low again and again"]


@ends(Ending.DROPPED)
def it_ended_before_its_time(play: Play) -> tuple[Chain, list[str]]:
    play.quiet()
    receipt = play.send("Tea,0")
    play.send("Tea,9")
    play.morning()
    notifying.send_held(play.stack.world, play.stack.client("sns"))
    return play.why(receipt), ["its message waited (quiet hours)", "the message was dropped", "back to 9"]


# --- all of them ---------------------------------------------------------------------------------------------------


@pytest.fixture
def play(stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    one = Play(stack, store, monkeypatch)
    with one.after:
        yield one


def every() -> list[Any]:
    return [
        pytest.param(ending, scenario, id=scenario.__name__)
        for ending, of_it in SCENARIOS.items()
        for scenario in of_it
    ]


@pytest.mark.parametrize(("ending", "scenario"), every())
def test_the_chain_stops_at_the_first_missing_link_with_a_sentence_that_says_why(
    play: Play, ending: Ending, scenario: Scenario
):
    chain, texts = scenario(play)
    assert chain.ending == ending, chain.sentence
    for text in texts:
        assert text in chain.sentence
    way, names = WAYS[ending], list(Name)
    assert [one.name for one in chain.links] == names
    stops = names.index(way.stops) if way.stops else len(names)
    steps = [one.step for one in chain.links]
    assert set(steps[:stops]) <= {"done", "unknown"}
    assert steps[stops : stops + 1] == ["now" if way.moves == "now" else "stopped"] * (stops < len(names))
    assert set(steps[stops + 1 :]) <= {"next"}
    assert all(one.at or one.step == "unknown" for one in chain.links[:stops] if one.name is not Name.ROW)
    assert json.loads(json.dumps(chain.as_json()))["sentence"] == chain.sentence


def test_every_ending_has_a_sentence_and_a_scenario():
    assert set(WAYS) == set(Ending) == set(SCENARIOS)


# --- every reason of the code --------------------------------------------------------------------------------------


def texts_of(module: Any, begins: str = "") -> set[str]:
    """The texts that stand in a module under names in capitals."""
    return {
        one for name, one in vars(module).items() if name.isupper() and name.startswith(begins) and type(one) is str
    }


def test_every_reason_of_the_code_leads_to_an_ending():
    assert endings.OF_FATES.keys() | WRITES == set(Fate)
    assert sentences._UNCHANGED.keys() | {Mode.UNDO} == set(Mode)
    assert endings.OF_HELD.keys() == texts_of(holding)
    assert endings.OF_QUIET.keys() == texts_of(episodes, "BY_")
    assert endings.OF_FAILURES.keys() == {*failures.KINDS, FILE}
    assert endings.OF_WAITING.keys() == texts_of(receipts)


REASONS = {
    "row {} of the same file counts": repeated,
    "added up in row {}": added_up,
    "the table holds a count as of {}": older_than_what_is_known,
    "a newer file confirmed the count as of {}": older_than_what_was_confirmed,
    "it has been removed since": removed_since,
    "it has been changed since, by {}": changed_since,
}
"""The reasons of fates, and the scenario that tells each."""


def test_every_reason_of_a_fate_is_told():
    tree = ast.parse((ROOT / "lambdas" / "fates.py").read_text())
    said = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "reason"]
    said += [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and ast.unparse(node.targets) == "reason"
    ]
    found = {text for one in said for text in literals(one)}
    assert found == REASONS.keys()


def literals(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may give, with {} for what is filled in."""
    if isinstance(node, ast.Constant):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


STOPS = {
    ("answers", "receipts.answer"), ("deadletters", "receipts.trouble"), ("loader", "receipts.trouble"),
    ("loading", "receipts.fail"), ("loading", "receipts.wait"), ("sweeping", "receipts.trouble"),
    ("deadletters", "failures.keep"), ("handling", "failures.keep"), ("notifying", "failures.keep"),
    ("sweeping", "failures.keep"), ("holding", "episodes.hold"), ("holding", "episodes.drop"),
    ("failures", "receipts.put_aside"),
}  # fmt: skip
"""Where the code stops a file, a record or a message on its way."""


def test_nothing_else_in_the_code_stops_a_row_on_its_way():
    calls = {call for _, call in STOPS}
    found = set()
    for part in ("lambdas", "services"):
        for path in sorted((ROOT / part).rglob("*.py")):
            tree = ast.parse(path.read_text())
            made = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
            found |= {(path.stem, call) for call in made & calls}
    assert found == STOPS


# --- how it is looked for ------------------------------------------------------------------------------------------


@contextmanager
def no_reading(but: set[int], patch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Which parts are read."""
    read, real = [], lines.read

    def noted(world: Any, upload_id: str, parts: dict[str, str]) -> Any:
        read.extend(map(int, parts))
        return real(world, upload_id, parts)

    patch.setattr(lines, "read", noted)
    yield read
    assert set(read) <= but


def test_an_item_of_a_big_file_is_found_in_a_few_of_its_parts(play: Play):
    play.patch.setattr(applying, "PART", 2)
    names = [f"Item {number:02}" for number in range(30)]
    upload = put_away(play.stack, csv(play.store, *(f"{name},5" for name in reversed(names)), "Item 29,7", "Jam,lots"))
    load(play.stack.world, upload, "run")
    receipt = uploads.receipt(play.stack, upload.id)
    assert len(receipt.parts) == 15
    for number, name in enumerate(names):
        with no_reading(set(range(15)), play.patch) as read:
            found = finding.find(play.stack, upload.id, receipt.parts, Asked(upload.id, play.store, name))
        assert found.line
        assert found.line["item"] == name
        assert len(read) <= 5, number
    assert found.others == (2,)
    for name in ("A", "Item 07a", "Z"):
        assert finding.find(play.stack, upload.id, receipt.parts, Asked(upload.id, play.store, name)).line is None
    for row in range(2, 34):
        assert finding.find(play.stack, upload.id, receipt.parts, Asked(upload.id, row=row)).line


def test_a_change_of_a_batch_that_is_through_is_checked_although_another_one_of_its_upload_is_not(play: Play):
    receipt = play.send("Ale,1", "Jam,1", "Tea,0")
    made = sorted(changes.of_upload(play.stack, _id(receipt)), key=lambda one: int(one.sequence))
    play.tally(receipt, tallies.CHECKED, Records=2)  # as if the last one had failed
    ended = [play.why(receipt, one.item).ending for one in made]
    assert ended[:2] == [Ending.SENT if one.item == "Tea" else Ending.STAYED for one in made[:2]]
    assert ended[2] == Ending.CHECK_AWAITED


def test_what_one_upload_did_to_an_item_twice_is_told(play: Play):
    """As when another one crossed it."""
    receipt = play.send("Tea,5")
    kept = dynamo_change(play.stack, play.store, "Tea")
    [at, sequence, event] = kept["Position"]["S"].split("#")
    later = f"{at}#{int(sequence) + 1:040}#{event}-again"
    table = play.stack.settings.changes_table
    again = kept | {"Position": {"S": later}, "Sequence": {"S": str(int(sequence) + 1)}}
    play.stack.dynamodb.put_item(TableName=table, Item=again)
    key = {name: again[name] for name in ("Bucket", "Position")}
    play.after.callback(play.stack.dynamodb.delete_item, TableName=table, Key=key)
    record = play.why(receipt).links[list(Name).index(Name.RECORD)]
    assert record.saw == "new: 5; the last of 2 that this upload made of the item"
    assert dict(record.ids)["event"] == f"{event}-again"


def test_the_message_and_the_run_of_a_real_upload_are_told(play: Play):
    chain = play.why(play.send("Tea,5"))
    message, run = chain.links[2], chain.links[3]
    kept = receipts.get(play.stack.dynamodb, play.stack.settings.uploads_table, chain.upload_id) or {}
    assert message.ids == (("message", kept["Message"]),)
    assert run.ids == (("run", *kept["RequestIds"]),)
    assert (message.step, message.saw, run.saw) == ("done", "delivered to the loader", "1 run; 1 of 1 row through")


def test_a_run_without_a_message_is_told_without_one(play: Play):
    upload = put_away(play.stack, csv(play.store, "Tea,5"))
    load(play.stack.world, upload, "run")
    assert play.why(upload).links[2].saw == "delivered; which message it was is not kept"
    again = put_away(play.stack, csv(play.store, "Tea,5"))
    load(play.stack.world, again, "run", delivery=Delivery("some-message", 2))
    assert play.why(again).links[2].saw == "delivered to the loader, the 2nd time that it came"


def test_an_upload_that_is_not_there_is_said_to_be_so(stack: Stack, store: str):
    with pytest.raises(NotFound, match="There is no upload"):
        why(stack, Asked("20260101T000000000000-00000000", store, "Tea"))


def test_the_command_line_says_it_in_words_and_as_json(play: Play):
    play.send("Tea,12", "Jam,1")
    receipt = play.send("Tea,12", "Jam,lots")
    done = run("why", _id(receipt), f"{play.store}/Tea")
    assert done.returncode == 0, done.stderr
    head, said, *told = done.stdout.splitlines()
    assert head == f"stock.csv  {receipt.upload_id}  {play.store} · Tea"
    assert re.fullmatch(
        rf"  The table already held 12 from \d{{4}}-\d\d-\d\d [\d:]{{8}} \(stock\.csv\); {sentences.NOTHING}", said
    )
    assert [line.split()[0] for line in told] == ["done"] * 5 + ["stopped"] + ["not"] * 4
    row = run("why", _id(receipt), "--row", "3", "--json")
    assert json.loads(row.stdout) == play.row(receipt, 3).as_json()
    assert run("why", _id(receipt)).returncode == 2
    assert "There is no upload" in run("why", "nonsense", "--row", "3").stderr

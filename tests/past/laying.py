"""A made-up past, laid into a running engine: its tables and its bucket, with nothing at work on it meanwhile.

The stock comes last and by PartiQL, because the embedded engine writes no stream record for that (AWS would): the
stream stays empty, and the recorder and the checker have nothing to do with what they have long done in this past.
The files come without the bucket's notifications and while the sweeper rests, for the same reason.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lambdas import lines, receipts, recording, tables
from lambdas.upload import metadata
from services.stack import Stack
from tests.past.books import Books, Entry
from tests.waiting import until

_AT_ONCE, _STATEMENTS = 2_000, 25
_INSERT = 'INSERT INTO "{}" VALUE {{{}}}'


@contextmanager
def at_rest(stack: Stack) -> Iterator[None]:
    """No file that is put into the bucket meanwhile is loaded.

    The engine calls every function when it starts, the sweeper too, which then looks through the bucket: it is waited
    for, or it would have files loaded whose receipts are still to come.
    """
    until(lambda: receipts.get(stack.dynamodb, stack.settings.uploads_table, "looked through"), seconds=60)
    bucket, s3, events = stack.settings.bucket, stack.s3, stack.client("events")
    functions, sweeper = stack.client("lambda"), stack.settings.sweeper
    functions.put_function_concurrency(FunctionName=sweeper, ReservedConcurrentExecutions=0)
    told = s3.get_bucket_notification_configuration(Bucket=bucket)
    told.pop("ResponseMetadata", None)
    rules = [one["Name"] for one in events.list_rules()["Rules"] if one.get("ScheduleExpression")]
    for rule in rules:
        events.disable_rule(Name=rule)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)
        for rule in rules:
            events.enable_rule(Name=rule)
        functions.delete_function_concurrency(FunctionName=sweeper)


@dataclass
class Laying:
    """Takes what the books say, a good deal at a time."""

    stack: Stack
    waiting: defaultdict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    hours: dict[str, int] = field(default_factory=dict)
    laid: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def uploads(self, entries: Iterable[Entry]) -> None:
        for part in tables.chunks(entries, 64):
            names = self.stack.settings
            for entry, receipt in zip(part, tables.each(self._with_objects, part), strict=True):
                self._lay(names.uploads_table, [tables.to_item(receipt)])
                self._lay(names.tallies_table, map(tables.to_item, entry.tallies))
                self._lay(names.changes_table, entry.changes)
                if entry.spoke:
                    place = {"Bucket": names.bucket, "Version": receipt["Version"]}
                    self._lay(names.store_uploads_table, [tables.to_item(entry.spoke | place)])
                for change in entry.changes:
                    hour, expires = change["Bucket"]["S"], int(change["Expires"]["N"])
                    self.hours[hour] = max(expires, self.hours.get(hour, 0))

    def _with_objects(self, entry: Entry) -> dict[str, Any]:
        """Put the file and its lines into the bucket; the receipt with what only the bucket knows."""
        put = {"Bucket": self.stack.settings.bucket, "Key": entry.key, "Body": entry.sent.data}
        done = self.stack.s3.put_object(**put, Metadata=metadata(entry.sent.mode, None))
        receipt = entry.receipt | {"Bucket": self.stack.settings.bucket, "Version": done["VersionId"]}
        if entry.lines is not None:
            receipt["Parts"] = {"0": lines.write(self.stack.world, entry.upload_id, 0, entry.lines)}
        return receipt

    def ends(self, books: Books) -> None:
        """The alerts and the stock of the stores in these books; nothing more may come of them."""
        self._lay(self.stack.settings.alerts_table, map(tables.to_item, books.episodes()))
        tables.each(self._insert, tables.chunks(books.stock(), _STATEMENTS))
        self.laid[self.stack.settings.inventory_table] += len(books.held)

    def _insert(self, items: list[dict[str, Any]]) -> None:
        table = self.stack.settings.inventory_table
        statements = [
            {"Statement": _INSERT.format(table, ", ".join(f"'{name}': ?" for name in item)),
             "Parameters": list(item.values())} for item in items
        ]  # fmt: skip
        said = self.stack.dynamodb.batch_execute_statement(Statements=statements)["Responses"]
        if wrong := [one["Error"] for one in said if "Error" in one]:
            raise ValueError(f"the stock could not be laid down: {wrong[0]}")

    def _lay(self, table: str, items: Iterable[Mapping[str, Any]]) -> None:
        self.waiting[table] += items
        if len(self.waiting[table]) >= _AT_ONCE:
            self._write(table)

    def _write(self, table: str) -> None:
        items = self.waiting.pop(table, [])
        self.laid[table] += len(items)
        tables.batch_put(self.stack.dynamodb, table, items)

    def finish(self) -> None:
        """Write what is left, and the markers of the hours that hold changes."""
        for hour, expires in self.hours.items():
            marker = {"Bucket": recording.MARKERS, "Position": hour, "Expires": expires + 86400}
            self._lay(self.stack.settings.changes_table, [tables.to_item(marker)])
        for table in list(self.waiting):
            self._write(table)

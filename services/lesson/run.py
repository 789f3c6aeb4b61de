"""A run of the lesson: each file is applied in each mode by the product's own rules and writers, and each table's
stream is read until it is quiet.

Owns the order of the steps, and what is told of them. Knows nothing of pages.
"""

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from lambdas import files, inventory, lines, store_uploads, times
from lambdas.alerts import Crossing, crossing
from lambdas.applying import Application
from lambdas.fates import Key, Mode
from lambdas.stockfile import Reading
from lambdas.stream import Change
from lambdas.upload import Address, Upload, new_id
from lambdas.world import World
from services.access import Right
from services.errors import FOREIGN, of
from services.lesson import scratch, story
from services.lesson.consumer import Consumer
from services.lesson.story import File
from services.stack import Stack

MODES = (Mode.PLAIN, Mode.STAMP, Mode.NEWEST)
"""In the order in which the class came upon them."""
QUIET_SECONDS = 1.5
"""Nothing says that a stream has no more records: this long without one, and all that are expected were seen."""
DEADLINE_SECONDS = 30.0
_POLL_SECONDS = 0.25
"""AWS takes five GetRecords a second of each shard."""


class Phase(StrEnum):
    MAKING = "making"  # of the scratch tables
    SENDING = "sending"  # a file is applied, or its records are awaited
    WAITING = "waiting"  # for the next file
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as one mode has applied it. ``stock``: what the table holds then; ``right``: of each item the newest count
    that any file so far has stated; ``quiet``: its stream said nothing more, and all that was expected is there."""

    upload_id: str
    fates: Mapping[str, int]
    stock: Mapping[Key, Decimal | None]
    right: bool
    records: tuple[Change, ...] = ()
    quiet: bool = False

    @property
    def expected(self) -> int:
        return lines.expected(self.fates)

    @property
    def opened(self) -> list[Change]:
        """The records that raise an alert, by the product's rule."""
        return [one for one in self.records if crossing(one.old_count, one.new_count) is Crossing.OPENS]

    @property
    def closed(self) -> list[Change]:
        return [one for one in self.records if crossing(one.old_count, one.new_count) is Crossing.CLOSES]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Where a run stands. ``sent``: of each mode, what became of the files so far."""

    files: tuple[File, ...]
    phase: Phase
    sent: Mapping[Mode, tuple[Sent, ...]] = field(default_factory=lambda: dict.fromkeys(MODES, ()))

    @property
    def sends(self) -> int:
        """How many files have been sent, or are being sent."""
        return max(map(len, self.sent.values()))


def lesson(stack: Stack, of_files: Sequence[File]) -> Generator[Lesson, None, None]:
    """The run, each time that it has moved. After each file it is WAITING once: who wants to think, asks on later.

    Its tables are deleted when it ends, is closed, or breaks off. Raises Unavailable.
    """
    stack.person.must(Right.OPERATE)
    try:
        yield from _lesson(stack, tuple(of_files))
    except FOREIGN as error:
        raise of(error) from error


def _lesson(stack: Stack, of_files: tuple[File, ...]) -> Iterator[Lesson]:
    yield Lesson(of_files, Phase.MAKING)
    scratch.sweep(stack)
    with scratch.made(stack) as there:
        streams = stack.client("dynamodbstreams")
        tables = [
            _Table(mode, World(stack.dynamodb, stack.s3, there.settings(mode)), Consumer(streams, there.streams[mode]))
            for mode in MODES
        ]
        for number, file in enumerate(of_files, 1):
            for _ in _send(tables, file):
                yield _as_it_stands(of_files, Phase.SENDING, tables)
            yield _as_it_stands(of_files, Phase.WAITING if number < len(of_files) else Phase.DONE, tables)


def _as_it_stands(of_files: tuple[File, ...], phase: Phase, tables: Sequence["_Table"]) -> Lesson:
    return Lesson(of_files, phase, {table.mode: tuple(table.sent) for table in tables})


def _send(tables: Sequence["_Table"], file: File) -> Iterator[None]:
    """Apply a file in every mode, and read the streams until they are quiet; comes back each time it has moved."""
    for table in tables:
        table.apply(file)
        yield
    moved = time.monotonic()
    deadline = moved + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if sum(table.read() for table in tables):
            moved = time.monotonic()
            yield
        elif all(table.has_all for table in tables) and time.monotonic() - moved >= QUIET_SECONDS:
            break
        else:
            time.sleep(_POLL_SECONDS)
    for table in tables:
        table.sent[-1] = replace(table.sent[-1], quiet=table.has_all)


@dataclass
class _Table:
    """A mode's table and its consumer."""

    mode: Mode
    world: World
    consumer: Consumer
    sent: list[Sent] = field(default_factory=list)
    _newest: dict[Key, tuple[str, str, Decimal]] = field(default_factory=dict)  # time, upload, count

    def apply(self, file: File) -> None:
        """What the loader does with a file (`lambdas.loading`), but for its receipt."""
        world, upload = self.world, self._upload(file)
        reading = story.read(file.data, upload.time)
        rows, superseded = files.rows(reading, self.mode)
        stores = {row.store for row in reading.rows}
        names = world.settings
        store_uploads.register(world.dynamodb, names.store_uploads_table, upload, stores, timed=reading.timed)
        verdicts = Application.of(world, upload, upload.time).apply(rows)
        told = lines.of(verdicts + superseded, reading.rejects)
        self._hear(upload, reading)
        held = inventory.read(world.dynamodb, names.inventory_table, list(self._newest))
        stock = {key: one.count if (one := inventory.held(held.get(key))) else None for key in self._newest}
        right = all(stock[key] == count for key, (_, _, count) in self._newest.items())
        self.sent.append(Sent(upload.id, lines.count(told), stock, right))
        self.consumer.resume()

    def read(self) -> int:
        """Take what the stream has; how many records that were."""
        changes = self.consumer.fresh()
        for change in changes:
            self._take(change)
        return len(changes)

    @property
    def has_all(self) -> bool:
        return all(len(one.records) == one.expected for one in self.sent)

    def _take(self, change: Change) -> None:
        """A record belongs to the file that caused it, however late it comes; one that no file caused, to the last."""
        ids = [one.upload_id for one in self.sent]
        place = ids.index(change.upload_id) if change.upload_id in ids else -1
        self.sent[place] = replace(self.sent[place], records=(*self.sent[place].records, change))

    def _hear(self, upload: Upload, reading: Reading) -> None:
        """What is right is said by the files alone, whatever the mode makes of them: of each item the newest count."""
        for row in files.rows(reading, Mode.NEWEST)[0]:
            stated = row.updated_at or upload.time, upload.id, row.count
            key = row.store, row.item
            self._newest[key] = max(stated, self._newest.get(key, stated))

    def _upload(self, file: File) -> Upload:
        """A new upload, later than the one before, whatever the clock says: no file of it lies in the bucket."""
        now = datetime.now(UTC)
        if self.sent:
            now = max(now, times.moment(Upload(self.sent[-1].upload_id, _NOWHERE, "").time) + timedelta(microseconds=1))
        return Upload(new_id(now), _NOWHERE, file.title, self.mode)


_NOWHERE = Address("", "")

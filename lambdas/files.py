"""An upload's file: fetched from the bucket, and read as its upload says it is to be read.

Knows nothing of what is done with the rows.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from lambdas import grants, mappings, undoing
from lambdas.fates import Mode, Verdict, split_duplicates
from lambdas.stockfile import Reading, Reject, Row, Source, StockFile, Unreadable, gathered
from lambdas.stretches import STRETCH, Stretches
from lambdas.upload import Upload, with_metadata
from lambdas.world import World


@dataclass(frozen=True, slots=True)
class Statement:
    """What a file states. ``rows``: every row and reject as they come, from the start each time; ``timed`` and
    ``adds`` as of a Reading; ``always``: the store that the mapping says for every file."""

    rows: Callable[[], Iterator[Row | Reject]]
    timed: bool
    adds: bool
    always: str | None = None

    def read(self, most: int | None = None) -> Reading | None:
        """All of it; None when these are more than ``most`` rows and rejects."""
        reading = gathered(islice(self.rows(), None if most is None else most + 1), timed=self.timed, adds=self.adds)
        return None if most is not None and len(reading.rows) + len(reading.rejects) > most else reading


def fetch(world: World, upload: Upload) -> tuple[Source, Upload]:
    """The file, and the upload with what its metadata says. Unreadable when there is nothing to read."""
    address = upload.address
    asked = {"Bucket": address.bucket, "Key": address.key}
    asked |= {"VersionId": address.version} if address.version else {}
    try:
        answer = world.s3.get_object(**asked)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchVersion"):
            raise
        raise Unreadable("The file is no longer in the bucket. Send it again.") from error
    try:
        return _source(world, answer, asked), with_metadata(upload, answer["Metadata"])
    except ValueError as error:
        raise Unreadable(f"The object's metadata names a mode that does not exist: {error}.") from error


def _source(world: World, answer: dict[str, Any], asked: dict[str, str]) -> Source:
    """The bytes of a small file; those of a big one are asked for when they are read, a stretch at a time."""
    size = int(answer["ContentLength"])
    if size <= STRETCH:
        return Source.of(answer["Body"].read())
    answer["Body"].close()

    def stretch(first: int, last: int) -> bytes:
        same = asked | {"IfMatch": answer["ETag"], "Range": f"bytes={first}-{last}"}
        found: bytes = world.s3.get_object(**same)["Body"].read()
        return found

    return Source(size, lambda: io.BufferedReader(Stretches(stretch, size), 2**16))


def digest(source: Source) -> str:
    """As `lambdas.upload.digest_of` has it."""
    found = hashlib.sha256()
    with source.open() as stream:
        while part := stream.read(2**20):
            found.update(part)
    return found.hexdigest()


def stating(world: World, source: Source, upload: Upload) -> Statement:
    """What the file states, read with its upload's mapping, as far as its sender may load it. Unclear, or Unreadable,
    when it can't be read."""
    said = _stating(world, source, upload)
    if not upload.grant:
        return said
    may = grants.get(world, upload.grant, upload.mode)
    return Statement(lambda: map(may.one, said.rows()), said.timed, said.adds, said.always)


def _stating(world: World, source: Source, upload: Upload) -> Statement:
    if upload.mode is Mode.UNDO:
        return Statement(lambda: undoing.rows(source.open()), timed=True, adds=False)
    mapping = mappings.get(world, upload.mapping or mappings.AUTO)
    file = StockFile(source, mapping)
    file.rows(uploaded_at=upload.time, store=upload.store)  # what has to be said first is asked for here
    rows = lambda: file.rows(uploaded_at=upload.time, store=upload.store)  # noqa: E731
    return Statement(rows, file.timed, file.adds, mapping.always)


def read(world: World, source: Source, upload: Upload) -> Reading:
    """All that the file states, at once."""
    reading = stating(world, source, upload).read()
    assert reading  # noqa: S101 (there is no bound)
    return reading


def rows(reading: Reading, mode: Mode) -> tuple[list[Row], list[Verdict]]:
    """The rows that count, always in the same order, and the verdicts on those that are superseded."""
    return split_duplicates(reading.rows, mode, adds=reading.adds)


def stated(world: World, upload: Upload) -> list[Row]:
    """The rows of another upload's file that count. None when the file is gone: then it can't be asked."""
    try:
        source, upload = fetch(world, upload)
        return rows(read(world, source, upload), upload.mode)[0]
    except Unreadable:
        return []

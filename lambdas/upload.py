"""An upload: one file sent once. Its id, its place in the bucket, and what was said about how to apply it.

Owns the spelling of upload ids and object keys. Pure: knows nothing of tables or of how a file is read.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from lambdas import times
from lambdas.fates import Mode
from lambdas.oneline import CONTROLS

PREFIX = "uploads/"
_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")
_LONGEST_NAME = 200  # bytes


@dataclass(frozen=True, slots=True)
class Address:
    """Where an upload's file lies: one version of one object of the bucket."""

    bucket: str
    key: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """One file sent once. ``mode``, ``store``, ``mapping``, ``by`` and ``grant`` go with the object, as its metadata.

    ``mapping``: the id of the one that the file is read with, or “auto”; None: not said. ``undoes``: in `undo` mode,
    the id of the upload that is undone. ``by``: who sent it. ``grant``: the id of what the sender may load; None: all.
    ``parted``: its file is so big that its rows are applied in parts, by many loaders: see `lambdas.parting`.
    """

    id: str
    address: Address
    name: str
    mode: Mode = Mode.NEWEST
    store: str | None = None
    mapping: str | None = None
    undoes: str | None = None
    digest: str | None = None
    by: str | None = None
    grant: str | None = None
    parted: bool = False

    @property
    def time(self) -> str:
        """When it was uploaded, fixed-width UTC text."""
        return time_of(self.id)


def new_id(moment: datetime | None = None) -> str:
    """A new upload id; ids sort by time (microseconds, then eight random hex digits)."""
    return _id_at(moment or datetime.now(UTC), secrets.token_hex(4))


def _id_at(moment: datetime, tail: str) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S%f}-{tail}"


def is_id(text: str) -> bool:
    """Whether a text, as it may stand in an address, is spelled as an upload's id."""
    return bool(_ID.fullmatch(text))


def time_of(upload_id: str) -> str:
    return times.text(datetime.strptime(upload_id[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC))


def digest_of(data: bytes) -> str:
    """What tells a file's content from any other: its SHA-256, in hex."""
    return hashlib.sha256(data).hexdigest()


def lowest_id(at: str) -> str:
    """An id text that sorts before every upload made at or after ``at`` (fixed-width UTC text)."""
    return _id_at(times.moment(at), "")


def object_key(upload_id: str, name: str) -> str:
    """The key of an upload's object. Only the last part of ``name`` counts; what can't stand in a key is replaced."""
    return f"{PREFIX}{upload_id}/{file_name(name).encode()[:_LONGEST_NAME].decode(errors='ignore')}"


def file_name(path: str) -> str:
    """The last part of a path, as every page, message and log tells of it, and as it is safe to be saved under.

    What breaks a line or turns its direction is replaced: with U+202E in it a program may look like a `.csv`.
    """
    last = _tidy(re.split(r"[/\\]", path)[-1])
    return "file" if last in ("", ".", "..") else last


def _tidy(name: str) -> str:
    return CONTROLS.sub("_", name).strip()


def metadata(
    mode: Mode, store: str | None, mapping: str | None = None, undoes: str | None = None, by: str | None = None,
    grant: str | None = None,
) -> dict[str, str]:  # fmt: skip
    """The S3 metadata (ASCII only) that says how to apply the object, and on whose word."""
    said = {"mode": mode.value, "store": quote(store) if store else None, "mapping": mapping, "undoes": undoes}
    said |= {"by": quote(by) if by else None, "grant": grant}
    return {name: value for name, value in said.items() if value}


def with_metadata(upload: Upload, given: Mapping[str, str]) -> Upload:
    """The upload with what its object's metadata says, but for what is already known better: store and mapping.

    What the sender may load stands nowhere else: a file of another object never comes by it.

    ValueError for a mode that does not exist, and for an undo that does not say of what.
    """
    names = ("store", "mapping", "undoes", "by", "grant")
    store, mapping, undoes, by, grant = (unquote(given.get(name, "")).strip() or None for name in names)
    mode = Mode(given.get("mode", Mode.NEWEST))
    if mode is Mode.UNDO and undoes is None:
        raise ValueError("“undo” without “undoes”, the id of an upload")
    upload = replace(upload, mode=mode, undoes=undoes if mode is Mode.UNDO else None, by=by, grant=grant)
    return replace(upload, store=upload.store or store, mapping=upload.mapping or mapping)


def of_s3_record(record: Mapping[str, Any]) -> Upload:
    """The upload that an S3 event record tells of.

    `uploads/<upload_id>/<name>` is one of ours; any other key below `uploads/` was dropped into the bucket from
    outside and gets an id from the event, the same one however often the event is delivered. A record of our own, for
    an upload that goes on after an answer, says the id itself: `uploadId`.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    thing = record["s3"]["object"]
    address = Address(record["s3"]["bucket"]["name"], unquote_plus(thing["key"]), thing.get("versionId"))
    if said := record.get("uploadId"):
        return Upload(said, address, _tidy(address.key.split("/")[-1]))
    parts = address.key.removeprefix(PREFIX).split("/")
    if len(parts) == 2 and is_id(parts[0]):
        return Upload(parts[0], address, _tidy(parts[1]))
    return dropped(address, record["eventTime"], thing.get("sequencer", ""))


def s3_event(upload: Upload, part: int | None = None) -> dict[str, Any]:
    """An event, in S3's shape, that sends the loader to this upload's file again, or to a part of it: ``of_s3_record``
    reads it, and ``part_of``."""
    address = upload.address
    thing = {"key": quote_plus(address.key)} | ({"versionId": address.version} if address.version else {})
    record: dict[str, Any] = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": upload.time}
    record |= {"s3": {"bucket": {"name": address.bucket}, "object": thing}, "uploadId": upload.id}
    return {"Records": [record | ({} if part is None else {"part": part})]}


def part_of(record: Mapping[str, Any]) -> int | None:
    """The number of the part that an S3 event record of ours sends the loader to; None: the whole file."""
    part = record.get("part")
    return None if part is None else int(part)


def claim_of(upload: Upload) -> str | None:
    """The name under which the id of a dropped file is claimed: of its object's version, however it was heard of.

    None for an upload whose id stands in its key.
    """
    address = upload.address
    if address.key.startswith(f"{PREFIX}{upload.id}/"):
        return None
    return "dropped:" + hashlib.sha256(f"{address.bucket}\0{address.key}\0{address.version}".encode()).hexdigest()


def dropped(address: Address, event_time: str, sequencer: str) -> Upload:
    """The upload of an object that came without an id of ours."""
    tail = hashlib.sha256(f"{address.key}\0{address.version}\0{sequencer}".encode()).hexdigest()[:8]
    name = _tidy(address.key.split("/")[-1])
    return Upload(_id_at(times.moment(times.parse(event_time)), tail), address, name)

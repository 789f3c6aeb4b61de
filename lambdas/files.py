"""An upload's file: fetched from the bucket, and read as its upload says it is to be read.

Knows nothing of what is done with the rows.
"""

from botocore.exceptions import ClientError

from lambdas import grants, mappings, undoing
from lambdas.fates import Mode, Verdict, split_duplicates
from lambdas.stockfile import Reading, Row, StockFile, Unreadable
from lambdas.upload import Upload, with_metadata
from lambdas.world import World


def fetch(world: World, upload: Upload) -> tuple[bytes, Upload]:
    """The file's bytes, and the upload with what its metadata says. Unreadable when there is nothing to read."""
    address = upload.address
    version = {"VersionId": address.version} if address.version else {}
    try:
        answer = world.s3.get_object(Bucket=address.bucket, Key=address.key, **version)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchVersion"):
            raise
        raise Unreadable("The file is no longer in the bucket. Send it again.") from error
    try:
        return answer["Body"].read(), with_metadata(upload, answer["Metadata"])
    except ValueError as error:
        raise Unreadable(f"The object's metadata names a mode that does not exist: {error}.") from error


def read(world: World, data: bytes, upload: Upload) -> tuple[Reading, str | None]:
    """What the file holds, read with its upload's mapping, as far as its sender may load it; and the store that the
    mapping says for every file."""
    reading, always = _read(world, data, upload)
    return grants.get(world, upload.grant, upload.mode).of(reading) if upload.grant else reading, always


def _read(world: World, data: bytes, upload: Upload) -> tuple[Reading, str | None]:
    if upload.mode is Mode.UNDO:
        return undoing.read(data), None
    mapping = mappings.get(world, upload.mapping or mappings.AUTO)
    return StockFile(data, mapping).read(uploaded_at=upload.time, store=upload.store), mapping.always


def rows(reading: Reading, mode: Mode) -> tuple[list[Row], list[Verdict]]:
    """The rows that count, always in the same order, and the verdicts on those that are superseded."""
    return split_duplicates(reading.rows, mode, adds=reading.adds)


def stated(world: World, upload: Upload) -> list[Row]:
    """The rows of another upload's file that count. None when the file is gone: then it can't be asked."""
    try:
        data, upload = fetch(world, upload)
        return rows(read(world, data, upload)[0], upload.mode)[0]
    except Unreadable:
        return []

"""What kind of file it is, by its content and never by its name: text, a workbook, packed or not, or no stock file.

Owns the bounds of what is unpacked. Pure.
"""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Literal

from lambdas.stockfile.parts import Unreadable

Kind = Literal["text", "xlsx", "xls", "ods"]
MAX_COLUMNS = 2_000
MAX_UNPACKED, MAX_WORKBOOK = 2**30, 2**28
FREE, RATIO = 64 * 2**20, 200
"""What is packed may always unpack to ``FREE`` bytes, and to ``RATIO`` times its size."""
_HEAD = 4096
_BLANK = b"\0\t\n\r \xef\xbb\xbf\xff\xfe"

_ELSE = (
    (b"version https://git-lfs", "a Git LFS pointer, not the data. Fetch the file itself (git lfs pull)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"RIFF", "a picture or a recording"),
    (b"%PDF", "a PDF. Export the list as CSV or XLSX"),
    (b"{\\rtf", "a text document (RTF). Export the list as CSV or XLSX"),
    (b"PAR1", "a Parquet file. Export it as CSV"),
    (b"SQLite format 3", "a database. Export the list as CSV"),
    (b"7z\xbc\xaf", "packed by 7-Zip. Pack it as .zip or .gz, or not at all"),
    (b"Rar!", "packed by RAR. Pack it as .zip or .gz, or not at all"),
    (b"BZh", "packed by bzip2. Pack it as .zip or .gz, or not at all"),
    (b"\xfd7zXZ", "packed by xz. Pack it as .zip or .gz, or not at all"),
    (b"\x28\xb5\x2f\xfd", "packed by Zstandard. Pack it as .zip or .gz, or not at all"),
)
_MARKUP = (
    (b"<!doctype html", "a web page, not the list itself. Perhaps the program asked to sign in; export it again"),
    (b"<html", "a web page, not the list itself. Open it in a spreadsheet program and save it as XLSX"),
    (b"<?xml", "XML. Export the list as CSV or XLSX"),
)
_DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class Source:
    """A file's bytes, wherever they lie, and how many they are. ``open`` gives a new stream from their start each time,
    in which places can be sought."""

    size: int
    open: Callable[[], IO[bytes]]

    @classmethod
    def of(cls, data: "bytes | Source") -> "Source":
        return data if isinstance(data, Source) else cls(len(data), lambda: io.BytesIO(data))


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content, unpacked. ``open`` gives a new stream from its start each time; it raises Unreadable."""

    kind: Kind
    open: Callable[[], IO[bytes]]


def content(data: bytes | Source) -> Content:
    """What the bytes hold. Raises Unreadable for what can be no stock file, with what was seen."""
    source = Source.of(data)
    head = _head(source.open)
    if not head.strip(_BLANK) and _all_blank(source):
        raise Unreadable("The file is empty. Export it again and send the new one.")
    opener = _packed(source, head)
    if opener is None:
        return _plain(head, source.open)
    head = _head(opener)
    if not head:
        raise Unreadable("What is packed in the file is empty. Export it again and send the new one.")
    if head.startswith(b"\x1f\x8b"):
        raise Unreadable("The file is packed twice. Unpack it once and send what is in it.")
    return _plain(head, opener)


def _head(opener: Callable[[], IO[bytes]]) -> bytes:
    with opener() as stream:
        return stream.read(_HEAD)


def _all_blank(source: Source) -> bool:
    with source.open() as stream:
        return not any(part.strip(_BLANK) for part in iter(lambda: stream.read(2**20), b""))


def _plain(head: bytes, opener: Callable[[], IO[bytes]]) -> Content:
    """The content of bytes that are not packed themselves."""
    if head.startswith(b"PK\x03\x04"):
        return Content(_workbook(whole(opener)), opener)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return Content("xls", opener)
    markup = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:40].lower()
    says = [says for start, says in _ELSE if head.startswith(start)]
    says += [says for start, says in _MARKUP if markup.startswith(start)]
    if says:
        raise Unreadable(f"This is {says[0]}.")
    return Content("text", opener)


def _packed(source: Source, head: bytes) -> Callable[[], IO[bytes]] | None:
    """How to open what a .gz, or a .zip that is no workbook, holds; None when the file is not packed."""
    if head.startswith(b"\x1f\x8b"):
        return lambda: _bounded(gzip.open(source.open()), source.size)
    if not head.startswith(b"PK\x03\x04"):
        return None
    with _zip(source) as archive:
        if _is_workbook(archive):
            return None
        member = _only_member(archive)
    return lambda: _bounded(_member(source, member), member.compress_size)


def _zip(data: bytes | Source) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(Source.of(data).open())
    except _DAMAGED as error:
        raise Unreadable(f"The file is a damaged .zip ({error}). Send it again.") from error


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    names = set(archive.namelist())
    return "[Content_Types].xml" in names or "mimetype" in names


def _workbook(data: bytes) -> Kind:
    with _zip(data) as archive:
        names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names and "mimetype" in names:
        return "ods"
    if "xl/workbook.bin" in names:
        raise Unreadable("This is a binary workbook (XLSB). Save it as XLSX and send that.")
    if "[Content_Types].xml" in names:
        raise Unreadable("This is an Office document, but no workbook. Export the list as CSV or XLSX.")
    raise Unreadable("The .zip holds another .zip. Unpack it once and send what is in it.")


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    hidden = ("__MACOSX/", ".")
    members = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith(hidden)]
    if len(members) != 1:
        named = ", ".join(f"“{one.filename[:40]}”" for one in members[:5])
        raise Unreadable(
            f"The .zip holds {len(members)} files ({named or 'none'}), and one is wanted. Send them one by one."
        )
    if members[0].flag_bits & 1:
        raise Unreadable("The .zip asks for a password. Pack it without one.")
    return members[0]


def _member(data: bytes | Source, member: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return zipfile.ZipFile(Source.of(data).open()).open(member)
    except _DAMAGED as error:
        raise Unreadable(f"“{member.filename[:60]}” in the .zip is damaged ({error}). Send it again.") from error


class _Bounded(io.RawIOBase):
    """A stream that unpacks no more than a stock file would."""

    def __init__(self, stream: Any, packed: int):
        self._stream, self._left = stream, min(MAX_UNPACKED, max(FREE, packed * RATIO))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except _DAMAGED as error:
            raise Unreadable(f"What is packed in the file is damaged ({error}). Send it again.") from error
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable(
                f"The file unpacks to far more than a stock file holds (over {FREE // 2**20:,} MB). Send it unpacked."
            )
        buffer[: len(data)] = data
        return len(data)


def _bounded(stream: Any, packed: int) -> IO[bytes]:
    return io.BufferedReader(_Bounded(stream, packed), 2**16)


def whole(opener: Callable[[], IO[bytes]]) -> bytes:
    """All bytes of a workbook, which is read in memory. Raises Unreadable when they are too many for that."""
    with opener() as stream:
        data = stream.read(MAX_WORKBOOK + 1)
    if len(data) > MAX_WORKBOOK:
        raise Unreadable(
            f"The workbook has more than {MAX_WORKBOOK // 2**20} MB. Export the list as CSV, which may be larger."
        )
    return data


def check_members(data: bytes) -> None:
    """Unpack every member of a workbook once, and let it go: a size that a .zip states may be a lie."""
    with _zip(data) as archive:
        left = MAX_WORKBOOK
        for member in archive.infolist():
            with _bounded(_member(data, member), member.compress_size) as stream:
                while part := stream.read(2**20):
                    left -= len(part)
                    if left < 0:
                        raise Unreadable(
                            f"The workbook unpacks to more than {MAX_WORKBOOK // 2**20} MB. Export the list as CSV."
                        )

"""A coverage-guided fuzzer for the reader: only Unreadable may come out of it, and each row once.

    python -m pip install atheris              # builds on Linux with CPython only, hence not in requirements-dev.txt
    python -m tests.fuzz_reader                # until something is found
    python -m tests.fuzz_reader -max_total_time=600 -timeout=10 -rss_limit_mb=1024
    python -m tests.fuzz_reader CRASH-FILE     # one input again

The options are libFuzzer's. It begins with the files of tests/dialects.py; what it learned lies in .fuzz/, and an input
that failed is written into the working folder. It counts a hang over `-timeout` and memory over `-rss_limit_mb` as
failures.
"""

import gzip
import io
import sys
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lambdas", "csv", "json", "zipfile", "gzip", "codecs"]):
    from lambdas.stockfile import Mapping, Reject, Row, StockFile, Unreadable

from tests.dialects import DIALECTS

NOW = "2026-11-23T12:00:00.000000Z"
HOME = Path(".fuzz")
MAPPINGS = (
    Mapping(),
    Mapping(header=False, item=(("#1",),), count="#2", store="", updated_at=""),
    Mapping(item=(("#1",), ("#2", "#3")), stores=("#2", "#3"), decimal=","),
    Mapping(item=(("#2",),), count="#3", store="#1", updated_at="#4", dates="dmy", repeats="sum"),
)
WORKBOOKS = {one.name: one.data for one in DIALECTS if one.file.endswith(("xlsx", "ods")) and one.rows}


def parts() -> list[tuple[bytes, str]]:
    """The workbooks whose insides are fuzzed, each with the name of the member that is."""
    return [
        (data, name)
        for data in WORKBOOKS.values()
        for name in zipfile.ZipFile(io.BytesIO(data)).namelist()
        if name.endswith(("sheet1.xml", "sharedStrings.xml", "content.xml", "styles.xml", "workbook.xml"))
    ]


PARTS = parts()


def packed(data: bytes, how: int) -> bytes:
    """As it is; or as a part of a workbook, since no fuzzer finds the checksums of a .zip."""
    if how < 64 or not PARTS:
        return data
    if how < 72:
        return gzip.compress(data)
    book, member = PARTS[how % len(PARTS)]
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, data if name == member else old.read(name))
    return out.getvalue()


def one(data: bytes) -> None:
    """Read it, and look at what came out. The last two bytes say in which packing and with which mapping."""
    body, how, which = (data[:-2], data[-2], data[-1] % 8) if len(data) > 2 else (data, 0, 0)
    mapping = MAPPINGS[which] if which < len(MAPPINGS) else MAPPINGS[0]
    try:
        file = StockFile(packed(body, how), mapping)
        came: list[Row | Reject] = list(file.rows(uploaded_at=NOW, store="Said"))
    except Unreadable:
        return
    places = [(row.number, row.column) for row in came]
    if len(set(places)) != len(places):
        raise AssertionError(f"a row came out twice: {places[:20]}")
    if not all(row.count.is_finite() for row in came if isinstance(row, Row)):
        raise AssertionError("a count that is no number")


def main() -> None:
    corpus = HOME / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, dialect in enumerate(DIALECTS):
        (corpus / f"seed-{number:02}").write_bytes(dialect.data + b"\0\0")
    for number, (book, member) in enumerate(PARTS):
        how = next(how for how in range(72, 256) if how % len(PARTS) == number)
        body = zipfile.ZipFile(io.BytesIO(book)).read(member)
        (corpus / f"part-{number:02}").write_bytes(body + bytes([how, 0]))
    files = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    atheris.Setup([*sys.argv, *([] if files else [str(corpus)])], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

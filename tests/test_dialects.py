"""Every dialect of the table is read as the table says, packed or not, and by the deployed loader as by the preview."""

import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from lambdas.stockfile import AUTOMATIC, Reading, StockFile, Unclear, Unreadable, read
from services import uploads
from services.stack import Stack
from services.uploads import Line
from tests.dialects import ASKED, DIALECTS, Dialect

NOW = "2026-11-23T12:00:00.000000Z"

READ = [one for one in DIALECTS if one.rows]
ASKING = [one for one in DIALECTS if one.asks]
STORELESS = [one for one in READ if one.store]
REFUSED = [one for one in DIALECTS if one.refused]


def reading(dialect: Dialect, data: bytes | None = None) -> Reading:
    """What is read of a dialect's file, or of the same file packed otherwise, with the answers that a person gave."""
    mapping = dialect.mapping or AUTOMATIC
    return read(dialect.data if data is None else data, uploaded_at=NOW, store=dialect.store, mapping=mapping)


def of_rows(dialect: Dialect, found: Reading) -> list[tuple[object, ...]]:
    timed = any(len(row) == 5 for row in dialect.rows)
    return [(row.number, row.store, row.item, row.count, *((row.updated_at,) if timed else ())) for row in found.rows]


def expected(dialect: Dialect) -> list[tuple[object, ...]]:
    return [(number, store, item, Decimal(count), *time) for number, store, item, count, *time in dialect.rows]


@pytest.mark.parametrize("dialect", READ, ids=str)
def test_a_dialect_is_read_row_by_row_and_its_bad_rows_are_named(dialect: Dialect):
    found = reading(dialect)
    assert of_rows(dialect, found) == expected(dialect)
    told = [(one.number, one.column.strip()) for one in found.rejects]
    assert told == [(number, one.column.strip() if column == "*" else column)
                    for (number, column), one in zip(dialect.rejects, found.rejects, strict=False)]  # fmt: skip
    assert len(told) == len(dialect.rejects)
    assert found.adds == dialect.adds
    assert all(one.reason for one in found.rejects)


@pytest.mark.parametrize("dialect", [one for one in READ if one.understood], ids=str)
def test_a_dialect_is_understood_as_a_person_would(dialect: Dialect):
    mapping = StockFile(dialect.data, dialect.mapping or AUTOMATIC).understood.mapping
    found = {name: getattr(mapping, name) for name in dialect.understood if name != "key"}
    if "key" in dialect.understood:
        found["key"] = mapping.item[0]
    assert found == dialect.understood


@pytest.mark.parametrize("dialect", ASKING, ids=str)
def test_what_a_file_leaves_open_is_asked_and_not_guessed(dialect: Dialect):
    with pytest.raises(Unclear) as raised:
        read(dialect.data, uploaded_at=NOW, store=dialect.store)
    question = StockFile(dialect.data).understood.question
    assert raised.value.question == question
    assert question is not None
    assert question.about == dialect.asks


@pytest.mark.parametrize("dialect", STORELESS, ids=str)
def test_a_file_that_names_no_store_asks_for_it(dialect: Dialect):
    with pytest.raises(Unclear) as raised:
        read(dialect.data, uploaded_at=NOW, mapping=dialect.mapping or AUTOMATIC)
    assert raised.value.question.about == "store"
    always = replace(dialect.mapping or AUTOMATIC, always=ASKED)
    assert read(dialect.data, uploaded_at=NOW, mapping=always) == reading(dialect)


@pytest.mark.parametrize("dialect", REFUSED, ids=str)
def test_what_is_no_table_is_refused_with_what_was_seen(dialect: Dialect):
    assert dialect.refused
    with pytest.raises(Unreadable, match=dialect.refused) as raised:
        StockFile(dialect.data)
    assert not isinstance(raised.value, Unclear)


@pytest.mark.parametrize("dialect", READ, ids=str)
def test_what_was_understood_is_a_mapping_that_reads_the_file_again_alike(dialect: Dialect):
    """So what a page shows, and a person saves, is what the loader does."""
    whole = StockFile(dialect.data, dialect.mapping or AUTOMATIC).understood.mapping
    assert read(dialect.data, uploaded_at=NOW, store=dialect.store, mapping=whole) == reading(dialect)


def zipped(data: bytes, name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


PACKINGS: list[Callable[[Dialect], bytes]] = [
    lambda dialect: gzip.compress(dialect.data),
    lambda dialect: zipped(dialect.data, dialect.file),
]


@pytest.mark.parametrize("packed", PACKINGS, ids=["gz", "zip"])
@pytest.mark.parametrize("dialect", READ, ids=str)
def test_a_packed_file_is_read_as_the_file_in_it(dialect: Dialect, packed: Callable[[Dialect], bytes]):
    assert reading(dialect, packed(dialect)) == reading(dialect)


def test_no_two_files_of_the_table_speak_of_one_store():
    """The tests through the loader rest on it: what one file leaves in the tables is no matter to another."""
    stores = [{row[1] for row in one.rows} - {ASKED} for one in READ]
    twice = [store for store, times in Counter(name for one in stores for name in one).items() if times > 1]
    assert not twice


def fates(lines: Iterable[Line]) -> list[tuple[object, ...]]:
    """What a preview and a receipt must agree on. Of a file that states no time each upload states its own."""
    return [tuple(line.get(name) for name in ("row", "column", "fate", "store", "item", "count", "value", "reason"))
            for line in lines]  # fmt: skip


@pytest.mark.parametrize("dialect", READ, ids=str)
def test_the_preview_of_a_dialect_is_what_the_deployed_loader_does(dialect: Dialect, stack: Stack, store: str):
    said = store if dialect.store else None
    shown, before = uploads.preview(stack, dialect.file, dialect.data, store=said, mapping=dialect.mapping)
    upload_id = uploads.send(stack, dialect.file, dialect.data, store=said, mapping=dialect.mapping)
    *_, receipt = uploads.follow(stack, upload_id)
    assert (receipt.state, receipt.reason) == ("loaded", None)
    assert (receipt.rows, receipt.fates) == (shown.rows, shown.fates)
    assert receipt.rows == len(dialect.rows) + len(dialect.rejects)
    assert receipt.records_seen == receipt.records_expected == shown.records_expected
    assert fates(uploads.rows(stack, receipt)) == fates(before)


@pytest.mark.parametrize("dialect", ASKING, ids=str)
def test_a_file_that_the_preview_asks_about_waits_in_the_loader_with_the_same_question(dialect: Dialect, stack: Stack):
    with pytest.raises(Exception, match=r".") as raised:
        uploads.preview(stack, dialect.file, dialect.data, store=dialect.store)
    upload_id = uploads.send(stack, dialect.file, dialect.data, store=dialect.store)
    *_, receipt = uploads.follow(stack, upload_id)
    assert (receipt.state, receipt.question, receipt.reason) == ("waiting", dialect.asks, str(raised.value))


@pytest.mark.parametrize("dialect", REFUSED, ids=str)
def test_a_file_that_the_preview_refuses_is_refused_by_the_loader_in_the_same_words(dialect: Dialect, stack: Stack):
    with pytest.raises(Exception, match=r".") as raised:
        uploads.preview(stack, dialect.file, dialect.data)
    *_, receipt = uploads.follow(stack, uploads.send(stack, dialect.file, dialect.data))
    assert (receipt.state, receipt.reason) == ("failed", str(raised.value))

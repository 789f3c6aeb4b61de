"""The laws of reading, on files that nobody thought of: whatever the bytes, and whatever way of writing a stock list.

1. Nothing but Unreadable is raised. 2. Every count that comes out is the one that was written; rather no file than
another number. 3. Every row of the file comes out once, good or bad.

`make test` takes a few seconds for it. STOCKTRAIL_FUZZ_SECONDS=600 repeats each law for ten minutes, with new files.
"""

import functools
import gzip
import io
import json
import os
import re
import time
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import openpyxl
import xlwt
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from lambdas.stockfile import AUTOMATIC, Mapping, Reading, Row, StockFile, Unreadable, read
from tests.dialects import DIALECTS, ods

NOW = "2026-11-23T12:00:00.000000Z"
SAID = "Said with the file"
SECONDS = float(os.environ.get("STOCKTRAIL_FUZZ_SECONDS", "0"))
EVERYTHING = list(HealthCheck)


def law(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """So many examples, or new ones for as long as was asked."""

    def of(test: Callable[..., None]) -> Callable[..., None]:
        options: dict[str, Any] = {"deadline": None, "suppress_health_check": EVERYTHING, "print_blob": False}
        if not SECONDS:
            return settings(max_examples=examples, **options)(test)
        test = settings(max_examples=2_000, database=None, **options)(test)

        @functools.wraps(test)
        def repeated(*args: object) -> None:
            until, rounds = time.monotonic() + SECONDS, 0
            while time.monotonic() < until:
                test(*args)
                rounds += 1
            print(f"{test.__name__}: {rounds} rounds of up to 2,000 files")

        return repeated

    return of


# Law 1 and 3: whatever the bytes.


def seeds() -> list[bytes]:
    return [one.data for one in DIALECTS]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of the table with pieces of it changed, doubled, cut out or put in; a workbook inside its packing too."""
    data = draw(st.sampled_from(seeds()))
    if data.startswith(b"PK") and draw(st.booleans()):
        return _inside(draw, data)
    data = _cut(draw, data)
    return draw(st.sampled_from([lambda d: d, lambda d: d, gzip.compress, _zipped]))(data)


def _inside(draw: st.DrawFn, data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = draw(st.sampled_from(sorted(members)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for each, body in members.items():
            archive.writestr(each, _cut(draw, body) if each == name else body)
    return out.getvalue()


PIECES = [
    b",", b";", b"\t", b"\n", b"\r", b'"', b"'", b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"9" * 40, b"-", b".",
    b"=", b"\xc2\xa0", b"count", b"sku", b"[", b"{", b"}", b"]", b":", b"null", b"1e999", b"NaN", b"\\ud800",
    b"\xf0\x9f\x8d\x9e", b"\x1a", b"\x85", b"\xe2\x80\xa8", b'<c r="ZZZ9999999"><v>1</v></c>', b"1,000", b"1.000",
    b"01/02/2026",
]  # fmt: skip


def _cut(draw: st.DrawFn, data: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 0, 1, 2, 5, 40, 400])))
        put = draw(
            st.one_of(st.just(b""), st.sampled_from(PIECES), st.binary(max_size=6), st.just(data[start:end] * 2))
        )
        data = data[:start] + put + data[end:]
    return data


def _zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stock", data)
    return out.getvalue()


HEADERS = [
    "store,item,count\n",
    "sku;Bestand\n",
    "item\tOn hand\tupdated_at\n",
    "sku,inventory_A,inventory_B\n",
    "",
    "[{",
]
ANY = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda head, body: head.encode() + body, st.sampled_from(HEADERS), st.binary(max_size=200)),
    st.builds(lambda head, body: (head + body).encode("utf-8", "surrogatepass"), st.sampled_from(HEADERS), st.text()),
    damaged(),
)
MAPPINGS = st.one_of(
    st.just(AUTOMATIC),
    st.builds(
        Mapping,
        item=st.sampled_from([(), (("#1",),), (("#2",), ("#1", "#3"))]),
        count=st.sampled_from([None, "#1", "#2", "#3", "count", "#999"]),
        store=st.sampled_from([None, "", "#1", "store"]),
        stores=st.sampled_from([(), (), ("#2", "#3"), ("inventory_A",)]),
        updated_at=st.sampled_from([None, None, "", "#3"]),
        header=st.sampled_from([None, None, False]),
        encoding=st.sampled_from([None, None, "cp1252", "utf-16", "no such", "base64"]),
        delimiter=st.sampled_from([None, None, ";", "\t", "", ",,", "\n", '"']),
        decimal=st.sampled_from([None, ".", ","]),
        dates=st.sampled_from([None, "dmy", "mdy"]),
        repeats=st.sampled_from([None, "sum"]),
        words=st.sampled_from([(), (("n/a", "0"),), (("n/a", "x"),)]),
    ),
)


@law(400)
@given(ANY, MAPPINGS, st.sampled_from([None, SAID]))
def test_whatever_the_bytes_the_file_is_refused_or_each_of_its_rows_comes_out_once(
    data: bytes, mapping: Mapping, store: str | None
):
    try:
        found = read(data, uploaded_at=NOW, store=store, mapping=mapping)
    except Unreadable as error:
        event(type(error).__name__)
        return
    event("read")
    file = StockFile(data, mapping)
    assert once(found)
    assert left_out(file, found) == set()
    for row in found.rows:
        assert row.count.is_finite()
        assert row.item == row.item.strip() != ""
        assert row.store == row.store.strip() != ""


def once(found: Reading) -> bool:
    places = [(row.number, row.column) for row in found.rows] + [(one.number, one.column) for one in found.rejects]
    return len(set(places)) == len(places)


def left_out(file: StockFile, found: Reading) -> set[int]:
    """The rows under the headings that hold something and did not come out. Of a wide file a row may hold no count."""
    understood = file.understood
    under = understood.header[1] if understood.header else 0
    if understood.kind.upper().startswith("JSON"):
        under = 0
    came = {row.number for row in found.rows} | {one.number for one in found.rejects}
    held = {number for number, cells in file.records() if number > under and any(str(c or "").strip() for c in cells)}
    return (came - held) if understood.mapping.stores else came ^ held


# Law 2: files of which it is known what they say.


@dataclass
class Written:
    """A file, and for each of its rows (and each store's column, if it is wide) what it says; no count: it is bad."""

    data: bytes
    says: dict[tuple[int, str], tuple[str, str, Decimal | None, str | None]]
    mapping: Mapping
    named: bool  # the file names its stores
    exact: bool  # its texts can be told from its bytes
    notes: list[str] = field(default_factory=list)


ITEMS = ["SKU", "sku", "Item", "Artikelnummer", "Product name", "item name"]
COUNTS = ["count", "Qty", "On hand", "Bestand", "stock", "Quantity"]
STORES = ["store", "Location", "Filiale", "shop"]
UPDATED = ["updated_at", "Last updated"]
DECOYS = ["Price", "reorder_point", "Low stock", "Note", "Minimal quantity", "Pack size", "Incoming"]
JUNK = [
    "",
    "n/a",
    "NaN",
    "-Infinity",
    "0x10",
    "1e3",
    "1,2,3",
    "1.2.3",
    "--1",
    "٣",
    "12 pcs",
    "½",
    "1 2",
    "not stocked",
    "+",
]
WIDE = ["inventory_{}", "In stock [{}]", "Current Quantity {}", "Lagerbestand Lager [{}]"]
NAMES = ["Oslo", "Café Noir", "Shop 4", "Łódź", "C-3"]

TEXTS = st.text(st.sampled_from("aBz019 -_/&#\"',;\t|\n\r=+@.éßŁ茶🍞%"), min_size=1, max_size=10)
CODES = st.one_of(
    st.from_regex(r"[A-Z]{1,3}-[0-9]{1,4}", fullmatch=True), st.from_regex(r"0[0-9]{1,6}", fullmatch=True)
)


def tidied(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def usable(text: str) -> bool:
    """A text that reads back as itself: an apostrophe before a formula is our own escape, and is taken off, at the
    beginning and behind what parts the cells of other programs' files."""
    return bool(tidied(text)) and not re.search(r"(^|[,;\t\r\n])'", tidied(text))


def number(value: Decimal, mark: str, grouped: bool) -> str:
    """The value as people write it."""
    text = f"{value:,f}" if grouped else f"{value:f}"
    return text if mark == "." else text.translate(str.maketrans(",.", ".,"))


@st.composite
def values(draw: st.DrawFn, places: int | None, either: bool = False) -> Decimal:
    """A count; ``either``: one that reads as thousands where it has decimals, and the other way round."""
    if either:
        return Decimal(draw(st.integers(1_001, 99_999))).scaleb(-3 if places == 3 else 0)
    size = draw(st.sampled_from([9, 99, 999, 9_999, 99_999, 9_999_999]))
    after = draw(st.integers(0, 3)) if places is None else places
    return Decimal(draw(st.integers(-size, size))).scaleb(-after) if after else Decimal(draw(st.integers(-9, size)))


def cell(text: str, delimiter: str, always: bool) -> str:
    special = any(mark in text for mark in (delimiter, '"', "\n", "\r")) or text != text.strip()
    return '"' + text.replace('"', '""') + '"' if always or special else text


@st.composite
def lists(draw: st.DrawFn) -> Written:
    """A stock list as text: long or wide, in one of the ways of writing each of its parts."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    mark = draw(st.sampled_from([".", ","]))
    # 3.000 alone is read as 3, but where semicolons part the cells: a rule, and asked about in the table of dialects.
    grouped = draw(st.booleans()) and (mark == "." or delimiter == ";")
    places, either = draw(st.sampled_from([None, 0, 0, 1, 2, 3])), draw(st.integers(0, 3)) == 0
    wide, timed, named = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    named = named or wide
    shops = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    pattern = draw(st.sampled_from(WIDE))
    counts = [pattern.format(shop) for shop in shops] if wide else [draw(st.sampled_from(COUNTS))]
    item, store, at = draw(st.sampled_from(ITEMS)), draw(st.sampled_from(STORES)), draw(st.sampled_from(UPDATED))
    headings = [item, *counts, *([store] if named and not wide else []), *([at] if timed else [])]
    headings = draw(st.permutations(headings + draw(st.lists(st.sampled_from(DECOYS), max_size=2, unique=True))))
    always, end = draw(st.booleans()), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    title = draw(st.sampled_from([[], [], [], ["Stock list"], ["Stock list of November", ""], [""]]))
    lines = [*title, delimiter.join(cell(one, delimiter, always) for one in headings)]
    says: dict[tuple[int, str], tuple[str, str, Decimal | None, str | None]] = {}
    stamped = False
    items = draw(st.sampled_from([CODES, TEXTS.filter(usable), st.sampled_from([*ITEMS, *COUNTS, "12", "7.50"])]))
    for _ in range(draw(st.integers(1, 7))):
        if draw(st.integers(0, 12)) == 0:
            lines.append("")
        line = len(lines) + 1
        row = {heading: draw(st.sampled_from(["", "4.95", "12", "some words"])) for heading in headings}
        row[item] = draw(items)
        row[store] = draw(st.sampled_from(NAMES))
        stated = f"2026-0{draw(st.integers(1, 9))}-{draw(st.integers(10, 28))} 10:20:30"
        row[at] = draw(st.sampled_from([stated, stated, stated, "", "yesterday"])) if timed else ""
        stamped = stamped or row[at] == stated
        for shop, heading in zip(shops if wide else [row[store] if named else SAID], counts, strict=True):
            value = draw(st.one_of(*[values(places, either)] * 3, st.none()))
            row[heading] = draw(st.sampled_from(JUNK)) if value is None else number(value, mark, grouped)
            if row[heading] or not wide:
                when = stated.replace(" ", "T") + ".000000Z" if row[at] == stated else None
                says[line, heading if wide else ""] = (shop, tidied(row[item]), value, when)
        cells = [cell(row[heading], delimiter, always) for heading in headings]
        if draw(st.integers(0, 15)) == 0 and any((line, column) in says for column in ("", *counts)):
            cells.append("7")  # one more than there are headings: which one is too many can't be told
            for place in [place for place in says if place[0] == line]:
                del says[place]
            says[line, ""] = ("", "", None, None)
        lines.append(delimiter.join(cells))
    mapping = _mapping(draw, headings, item, counts, store, at, wide, timed, named)
    taken = mapping != AUTOMATIC or at == "updated_at" or stamped
    if timed and taken:  # else it has another's heading and holds no time at all, and is left out
        says = {place: told if told[3] else (*told[:2], None, None) for place, told in says.items()}
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    return _encoded(draw, text, says, named, mapping, wide)


def _mapping(draw, headings, item, counts, store, at, wide, timed, named) -> Mapping:  # type: ignore[no-untyped-def]
    """Nothing, or everything by heading, or by the column's number."""
    way = draw(st.sampled_from(["found", "found", "by heading", "by number"]))
    if way == "found":
        return AUTOMATIC

    def of(heading: str) -> str:
        return heading if way == "by heading" else f"#{headings.index(heading) + 1}"

    return Mapping(
        item=((of(item),),),
        count=None if wide else of(counts[0]),
        stores=tuple(map(of, counts)) if wide else (),
        store=of(store) if named and not wide else "",
        updated_at=of(at) if timed else "",
    )


def _encoded(draw, text, says, named, mapping, wide) -> Written:  # type: ignore[no-untyped-def]
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "mac_roman"]))
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        encoding, data = "utf-8", text.encode()
    data = draw(st.sampled_from([lambda d: d, lambda d: d, gzip.compress, _zipped]))(data)
    notes = ["wide" if wide else "long", encoding]
    return Written(data, says, mapping, named, text.isascii() or encoding.startswith("utf"), notes)


def judge(written: Written, found: Reading) -> None:
    """Fails unless every row came out once, and every good one as it was written."""
    assert once(found)
    for row in found.rows:
        told = written.says.get((row.number, row.column if any(column for _, column in written.says) else ""))
        if told is None and not written.exact:  # a column's name in an encoding that was guessed
            told = next(
                (told for (n, _), told in written.says.items() if n == row.number and told[2] == row.count), None
            )
        assert told is not None, row
        store, item, count, at = told
        assert count is not None, row
        assert (row.count, row.updated_at) == (count, at)
        if written.exact:
            assert (row.store, row.item) == (store, item)
    bad = {number for number, *_ in found.rejects}
    for (line, column), (*_, count, _at) in written.says.items():
        if count is None:
            assert line in bad, (line, column)
        elif written.exact:
            assert any(row.number == line and column in ("", row.column) for row in found.rows), (line, column)
    assert {row.number for row in found.rows} | bad == {line for line, _ in written.says}


def law_2(written: Written) -> None:
    store = None if written.named else SAID
    assume(written.says)
    try:
        found = read(written.data, uploaded_at=NOW, store=store, mapping=written.mapping)
    except Unreadable as error:
        event(f"{written.notes[0]}: {getattr(getattr(error, 'question', None), 'about', 'refused')}")
        return
    event(f"{written.notes[0]}: read")
    judge(written, found)


@law(250)
@given(lists())
def test_a_list_is_read_as_it_was_written_or_asked_about_or_refused(written: Written):
    law_2(written)


@st.composite
def trees(draw: st.DrawFn) -> Written:
    """A stock list as JSON, of one of the three kinds, with counts as numbers and as texts."""
    kind = draw(st.sampled_from(["array", "lines", "keyed"]))
    item, store, count = (
        draw(st.sampled_from(["sku", "item"])),
        draw(st.sampled_from(STORES)),
        draw(st.sampled_from(COUNTS)),
    )
    keys = draw(st.lists(st.one_of(CODES, TEXTS.filter(usable)), min_size=1, max_size=6, unique_by=tidied))
    says: dict[tuple[int, str], tuple[str, str, Decimal | None, str | None]] = {}
    parts = []
    for line, key in enumerate(keys, 1):
        value = draw(st.one_of(values(None), values(0), st.none()))
        raw = (
            draw(st.sampled_from(["null", "true", '"n/a"', '""', "[1]", '{"a": 1}', "NaN"]))
            if value is None
            else f"{value:f}"
        )
        if value is not None and value == value.to_integral_value() and draw(st.booleans()):
            raw = f'"{raw}"' if "." not in raw else raw
        shop = draw(st.sampled_from(NAMES))
        told = {store: json.dumps(shop), count: raw, "price": "4.95"}
        if kind != "keyed":
            told[item] = json.dumps(key)
        body = (
            "{" + ", ".join(f"{json.dumps(name)}: {told[name]}" for name in draw(st.permutations(sorted(told)))) + "}"
        )
        parts.append(body if kind != "keyed" else f"{json.dumps(key)}: {body}")
        says[line, ""] = (shop, tidied(key), value, None)
    if kind == "lines":
        text = "\n".join(parts) + "\n"
    else:
        text = ("[{}]" if kind == "array" else "{{{}}}").format(",\n".join(parts))
    data = draw(st.sampled_from([lambda d: d, gzip.compress, _zipped]))(text.encode())
    return Written(data, says, AUTOMATIC, True, True, [kind])


@law(200)
@given(trees())
def test_a_json_file_is_read_as_it_was_written_or_asked_about_or_refused(written: Written):
    law_2(written)


def _sheet(kind: str, cells: dict[tuple[int, int], object]) -> bytes:
    """A workbook with these cells, by row and column from 1."""
    rows, columns = (max(place[way] for place in cells) for way in (0, 1))
    if kind == "ods":
        return ods([[cells.get((r, c)) for c in range(1, columns + 1)] for r in range(1, rows + 1)])
    out = io.BytesIO()
    if kind == "xls":
        old = xlwt.Workbook()
        page = old.add_sheet("Stock")
        for (row, column), value in cells.items():
            page.write(row - 1, column - 1, value)
        old.save(out)
    else:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for (row, column), value in cells.items():
            sheet.cell(row, column, value)
        book.save(out)
    return out.getvalue()


@st.composite
def workbooks(draw: st.DrawFn) -> Written:
    """A stock list in a workbook, anywhere on its sheet: counts and codes as numbers or texts, rows left blank."""
    kind = draw(st.sampled_from(["xlsx", "xlsx", "xls", "ods"]))
    headings = [draw(st.sampled_from(ITEMS)), draw(st.sampled_from(STORES)), draw(st.sampled_from(COUNTS))]
    line, left = draw(st.sampled_from([1, 1, 2, 5])), draw(st.sampled_from([1, 1, 2, 4]))
    cells: dict[tuple[int, int], object] = {(line, left + at): heading for at, heading in enumerate(headings)}
    says: dict[tuple[int, str], tuple[str, str, Decimal | None, str | None]] = {}
    for _ in range(draw(st.integers(1, 5))):
        line += draw(st.sampled_from([1, 1, 1, 2, 40]))
        item: str | int = draw(st.one_of(CODES, st.integers(1, 9_999_999_999_999)))
        shop, value = draw(st.sampled_from(NAMES)), draw(st.one_of(values(None), values(0), st.none()))
        raw: object = draw(st.sampled_from([None, "n/a", True, "NaN"])) if value is None else float(value)
        if value is not None and value == value.to_integral_value() and draw(st.booleans()):
            raw = str(int(value))
        cells |= {(line, left + at): what for at, what in enumerate((item, shop, raw))}
        says[line, ""] = (shop, str(item), value, None)
    return Written(_sheet(kind, cells), says, AUTOMATIC, True, True, [kind])


@law(60)
@given(workbooks())
def test_a_workbook_is_read_as_it_was_written_or_asked_about_or_refused(written: Written):
    law_2(written)


def digits(text: str) -> str:
    return re.sub(r"\D", "", text).strip("0")


@law(300)
@given(damaged())
def test_no_count_comes_out_of_a_damaged_file_whose_digits_do_not_stand_in_its_row(data: bytes):
    try:
        file = StockFile(data)
        came = list(file.rows(uploaded_at=NOW, store=SAID))
    except Unreadable:
        return
    cells = dict(file.records())
    for row in came:
        if isinstance(row, Row):
            stated = {digits(_plain(one)) for one in cells[row.number]}
            assert digits(f"{row.count:f}") in stated, (row, cells[row.number])


def _plain(cell: object) -> str:
    return format(Decimal(format(cell, ".15g")), "f") if isinstance(cell, float) else str(cell)


def test_the_generators_make_files_that_are_read_at_all():
    """A law over files that are all refused would hold for nothing."""
    read_: Counter[str] = Counter()

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=EVERYTHING, derandomize=True)
    @given(st.one_of(lists(), trees(), workbooks()))
    def count(written: Written) -> None:
        try:
            read(written.data, uploaded_at=NOW, store=SAID, mapping=written.mapping)
        except Unreadable:
            read_["refused"] += 1
        else:
            read_["read"] += 1

    count()
    assert read_["read"] > read_["refused"] / 2

"""Names, cells and files that try to be more than text: through the pipeline, on the pages and in every export.

What runs in a browser is in `tests/browser/test_hostile.py`; which names these are, in `tests/hostile.py`.
"""

import codecs
import csv as csvs
import gzip
import io
import json
import os
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from lambdas import alerts as rules
from lambdas import handling
from lambdas.oneline import CONTROLS, oneline
from lambdas.reorder import Points
from lambdas.stockfile import Mapping, Row, StockFile, Unreadable, formulas
from lambdas.stream import item_key
from lambdas.upload import file_name, new_id, object_key
from local import engine
from services import alerts, changes, exporting, feedfile, loglines, mending, pointfile, printing, stock, uploads
from services import stack as stacks
from services.changes import Counted
from services.stack import Stack
from services.uploads import Receipt
from tests import hostile, markup
from tests.conftest import sent, told
from tests.dialects import ods
from tests.test_cli import run
from tests.test_pages import PAGES, at_home, opened
from tests.waiting import until
from ui import exports, reordering, rows, stockframe, tables

COUNT = 10_000
NOW = "2026-11-27T12:00:00.000000Z"
SEED = int(os.environ.get("STOCKTRAIL_HOSTILE_SEED", "8"))
Key = tuple[str, str]

# What is said in a line of ours is one line, and only that.


def test_every_text_that_streamlit_reads_as_markdown_is_escaped_or_all_our_own():
    assert markup.House("ui", "pages", "services", "lambdas").unsafe(OWN) == []


TIME, OURS = "a time", "a word of our own"
OWN = {
    "ui.plain.clock": TIME, "ui.plain.when": TIME, "services.words.clock": TIME, "services.words.ago": TIME,
    "ui.overview.glance._hour": TIME, "ui.log._clock": TIME, "ui.lesson._as_of": TIME, "ui.quiet._clock": TIME,
    "ui.overview.today: busiest.span": TIME, "math.ceil": "a number", "ui.lesson: now.sends": "a number",
    "ui.modes.name": "`Mode` has no others", "ui.comparison: kind": OURS, "ui.chain: one.name": OURS,
    "ui.failed: of.what": OURS, "ui.log: one.function": "a Lambda of ours", "ui.log: back": "one of `_MINUTES`",
    "ui.runs: of.name": "a Lambda of ours", "ui.overview.stores: picture.rest": "numbers", "ui.reordering: mark": OURS,
    "ui.feedtable: now.told": "numbers and a time", "ui.receipts: stage.label": "numbers", "ui.stages: one.name": OURS,
    "ui.stages: one.wrong": "numbers", "ui.stages: one.odd": "numbers", "ui.samples: name": "a sample of ours",
    "ui.door: who.role": "`Role` has no others",
    "ui.lesson: number": "a number", "services.lesson.why": "numbers",
}  # fmt: skip
"""Functions, and names in one module, whose texts hold no name of a file or of a person; and what they hold."""


@pytest.mark.parametrize("name", hostile.TRICKS)
def test_a_name_in_a_line_breaks_no_line_turns_no_direction_and_steers_no_terminal(name: str):
    said = oneline(name)
    assert not CONTROLS.search(said)
    assert len(f"{said} ".splitlines()) == 1
    assert [c for c in said if c.isalnum()] == [c for c in " ".join(name.split()) if c.isalnum()]  # its letters stay
    assert max((len(run) for run in re.findall(f"[{MARKS}]+", said)), default=0) <= 4


MARKS = "".join(map(chr, range(0x300, 0x370)))


def test_a_message_to_subscribers_has_a_line_for_each_item_and_none_that_a_name_begins():
    told_of = [rules.Told(name, Decimal(3), Decimal(0), "f\nCaused by nobody.") for name in hostile.CONTROLS]
    for store in ("Berlin\n- Forged (1 -> 0)", "Berlin\u2028x"):
        assert len(rules.digest(store, told_of).splitlines()) == 1 + len(told_of) + 1
        assert len(rules.alone(store, told_of[0]).splitlines()) == 1
        assert len(rules.digest_in_short(store, told_of).splitlines()) == 1
        assert len(rules.test_message(store).splitlines()) == 1
        assert len(rules.subject(store, told_of[0].item).splitlines()) == 1


def test_a_log_line_ends_where_it_ends_whatever_name_it_tells():
    forged = "x\u2028START RequestId: 1 Version: 2\x85\u2029\n"
    text = handling.as_line({"message": f"loading {forged}", "exception": forged})
    assert len(text.splitlines()) == 1
    assert json.loads(text) == {"message": f"loading {forged}", "exception": forged}


# Files by any name.


@pytest.mark.parametrize("name", hostile.FILES)
def test_a_file_by_any_name_lies_in_its_uploads_folder_under_a_name_that_is_safe_to_be_saved_under(name: str):
    key = object_key(upload_id := new_id(), name)
    folder, _, last = key.rpartition("/")
    assert folder == f"uploads/{upload_id}"
    assert last.strip()
    assert last not in (".", "..")
    assert not CONTROLS.search(key)
    assert key.isprintable() or unicodedata.normalize("NFC", key)  # it can be encoded
    assert len(key.encode()) < 300
    assert file_name(last) == last


@pytest.mark.parametrize("depth", [3, 400, 700, 900, 100_000])
@pytest.mark.parametrize("form", ["array", "lines"])
def test_json_nested_however_deeply_is_read_or_refused_with_words(depth: int, form: str):
    deep = '{"item": "Tea", "count": 1, "more": ' + '{"a": ' * depth + '"\\ud800"' + "}" * depth + "}"
    plain = '{"item": "Jam", "count": 2}'
    data = f"[{plain}, {deep}]" if form == "array" else f"{plain}\n{deep}\n"
    if form == "array" and depth > 400:
        with pytest.raises(Unreadable, match="nested too deeply"):
            StockFile(data.encode())
        return
    first, second = StockFile(data.encode()).rows(uploaded_at=NOW, store="Berlin")
    assert first[1:4] == ("Berlin", "Jam", 2)
    assert second[3] == (1 if depth <= 400 else "no JSON: nested too deeply")


def test_half_a_character_of_a_json_text_comes_into_no_name_and_no_heading():
    data = json.dumps([{"item": ["\ud800"], "count": 1, "more\ud800": {"b\udc00": "\ud800"}, "c": {"d": 1}}])
    file = StockFile(data.encode())
    [row] = file.rows(uploaded_at=NOW, store="Berlin")
    assert isinstance(row, Row)
    assert row.item.encode() == '["\ufffd"]'.encode()
    assert "".join(file.understood.columns).encode()


def test_a_key_too_long_for_what_becomes_of_its_item_is_rejected_and_not_loaded_and_lost():
    fits, not_quite = "é" * 340, "é" * 342  # six bytes a letter in an address, two in the table
    data = f"store,item,count\nBerlin,{fits},1\nBerlin,{not_quite},1\n".encode()
    one, other = StockFile(data).rows(uploaded_at=NOW)
    assert (one[1], one[2]) == ("Berlin", fits)
    assert (other[1], other[3]) == ("item", "over 2,048 bytes with its store, as an address writes them")


# Text that a spreadsheet program would take for a formula.


def cells(text: str, separator: str) -> Iterator[str]:
    """The cells that a spreadsheet program makes of a CSV text where ``separator`` parts them, as Excel does: a quote
    counts only where a cell begins."""
    at, end = 0, len(text)
    while at < end:
        cell = []
        if text[at] == '"':
            at += 1
            while at < end and (text[at] != '"' or text[at : at + 2] == '""'):
                cell.append(text[at])
                at += 2 if text[at] == '"' else 1
            at += 1
        while at < end and text[at] not in (separator, "\r", "\n"):
            cell.append(text[at])
            at += 1
        at += 1
        yield "".join(cell)


def is_live(cell: str) -> bool:
    """Whether a program may work it out: also behind blanks, and with the full-width signs."""
    sign = unicodedata.normalize("NFKC", cell.lstrip()[:1])
    return sign in tuple("=+-@") and not re.match(r"[+-]?[\d.,]+(e\d+)?($|[,;\t])", cell.strip())


@pytest.mark.parametrize("written", [",", ";", "\t"])
@pytest.mark.parametrize("parted", [",", ";", "\t"])
@pytest.mark.parametrize("escape", [exporting.named, exporting.escaped])
def test_no_cell_of_our_csv_is_a_formula_whatever_parts_the_cells_where_it_is_opened(
    written: str, parted: str, escape: Callable[[str, str], str]
):
    table = [[name, "Berlin", name, "3"] for name in hostile.TRICKS]
    text = exporting.csv_text([["item", "=store", "x", "count"], *table], written, escape)
    assert [cell for cell in cells(text, parted) if is_live(cell)] == []


@given(st.one_of(hostile.names(), st.text(alphabet="'=+-@＝;,\t\n ax", max_size=12)), st.sampled_from(",;\t"))
@settings(max_examples=300, deadline=None)
def test_what_is_marked_is_read_as_it_was(name: str, delimiter: str):
    assert formulas.unmarked(formulas.marked(name, delimiter), delimiter) == name
    assert formulas.unmarked(exporting.named(name, delimiter), delimiter) == name
    once = formulas.unmarked(name, delimiter)  # a cell as it stood is read the same when it is written to be mended
    assert formulas.unmarked(exporting.escaped(name, delimiter), delimiter) == once


# The 10,000.


@pytest.fixture(scope="module")
def keys() -> list[Key]:
    print(f"STOCKTRAIL_HOSTILE_SEED={SEED}")
    return hostile.many(COUNT, SEED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("hostile")
    yield folder
    engine.stop(folder)  # a command has asked it to stay
    engine.detach(folder)


@pytest.fixture(scope="module")
def loaded(folder: Path, keys: list[Key]) -> tuple[Stack, list[Receipt]]:
    """All of them, in the formats that can hold each; what is a trick by itself is out of stock."""
    stack = stacks.connect(
        os.environ | {"STOCKTRAIL_HOME": str(folder), "AWS_ENDPOINT_URL": "", "STOCKTRAIL_STACK": ""}
    )
    lines = [(store, item, 0 if n < len(hostile.TRICKS) else n) for n, (store, item) in enumerate(keys)]
    return stack, [sent(stack, data, name=name) for name, data in _files(lines)]


@pytest.fixture
def stack(loaded: tuple[Stack, list[Receipt]], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    at_home(folder, monkeypatch)
    return loaded[0]


Line = tuple[str, str, int]


def _files(lines: Sequence[Line]) -> Iterator[tuple[str, bytes]]:
    """As CSV (where no apostrophe asks how it is meant), as a workbook (of what XML can hold), and as JSON, packed."""
    rest = list(lines)

    def taken(most: int, fits: Callable[[str], bool]) -> list[Line]:
        nonlocal rest
        some = [line for line in rest if fits(line[0]) and fits(line[1])][:most]
        gone = set(some)
        rest = [line for line in rest if line not in gone]
        return some

    yield "<img src=x onerror=window.owned=1>.csv", _csv(taken(4_000, lambda name: "'" not in name))
    yield "=cmd|' !A0.xlsx", _xlsx(taken(2_000, lambda name: not re.search(r"[\x00-\x1f\ufffe\uffff]|_x", name)))
    half = len(rest) // 2
    things = [{"store": store, "item": item, "count": count} for store, item, count in rest]
    yield "..json.gz", gzip.compress(json.dumps(things[:half]).encode())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("=x/..\\..\\x.jsonl", "".join(json.dumps(thing) + "\n" for thing in things[half:]))
    yield "../../x\u202evsc.zip", packed.getvalue()


def _csv(lines: Sequence[Line]) -> bytes:
    out = io.StringIO(newline="")
    csvs.writer(out, quoting=csvs.QUOTE_ALL).writerows([("store", "item", "count"), *lines])
    return codecs.BOM_UTF8 + out.getvalue().encode()


def _xlsx(lines: Sequence[Sequence[str | int]], header: Sequence[str] = ("store", "item", "count")) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row, line in enumerate([header, *lines], 1):
        for column, value in enumerate(line, 1):
            cell = sheet.cell(row, column)
            cell.value = value
            cell.data_type = "s" if isinstance(value, str) else "n"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_ten_thousand_names_are_loaded_as_they_are_each_once(loaded: tuple[Stack, list[Receipt]], keys: list[Key]):
    stack, receipts = loaded
    assert [told(one) for one in receipts] == [{"inserted": one.rows} for one in receipts]
    assert sum(one.rows for one in receipts) == COUNT
    assert Counter((one.store, one.item) for one in stock.table(stack)) == Counter(keys)


def test_each_that_is_out_has_one_alert_and_each_change_is_kept_under_its_name(
    loaded: tuple[Stack, list[Receipt]], keys: list[Key]
):
    stack, _ = loaded
    out = keys[: len(hostile.TRICKS)]
    assert Counter((one.store, one.item) for one in alerts.open_now(stack)) == Counter(out)
    for store, item in out[::20]:
        [change] = changes.of_item(stack, item_key(store, item))
        assert (change.store, change.item) == (store, item)


def bare(keys: Sequence[Key]) -> Counter[Key]:
    """What stays of them when what marks a formula is taken away, wherever it stands."""
    return Counter((store.replace("'", ""), item.replace("'", "")) for store, item in keys)


def _checked_csv(data: bytes, keys: Sequence[Key]) -> None:
    """Each name stands there once, and no cell is a formula."""
    text = data.decode("utf-8-sig")
    header, *lines = csvs.reader(io.StringIO(text, newline=""))
    store, item = header.index("store"), header.index("item")
    assert bare([(line[store], line[item]) for line in lines]) == bare(keys)
    assert {cell for mark in ",;\t" for cell in cells(text, mark) if is_live(cell)} == set()


@pytest.fixture
def shown(stack: Stack) -> pd.DataFrame:
    """The stock as the page exports it."""
    points = Points()
    found = stockframe.built(stock.table(stack), {}, points)
    return found.frame


def test_the_stock_as_csv_has_each_name_once_and_no_formula_and_is_read_back_as_it_was(
    stack: Stack, shown: pd.DataFrame, keys: list[Key]
):
    data = exporting.as_csv(exports.columns(shown))
    _checked_csv(data, keys)
    again, _ = uploads.preview(stack, "stock.csv", data)
    assert told(again) == {"unchanged": COUNT}


def test_the_stock_as_a_workbook_has_each_name_once_as_text_and_is_read_back_as_it_was(
    stack: Stack, shown: pd.DataFrame, keys: list[Key]
):
    data = exporting.as_xlsx(exports.columns(shown[["item", "store", "count", "as of"]]))
    header, *lines = openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows()
    names = [cell.value for cell in header]
    both = [(line[names.index("store")], line[names.index("item")]) for line in lines]
    assert {cell.data_type for pair in both for cell in pair} <= {"s", "inlineStr"}
    assert Counter(tuple(_as_excel(cell.value) for cell in pair) for pair in both) == Counter(keys)
    signs = [cell for pair in both for cell in pair if formulas.begins(str(cell.value))]
    assert signs
    assert all(cell.quotePrefix for cell in signs)  # else it is one as soon as somebody edits it
    again, _ = uploads.preview(stack, "stock.xlsx", data)
    nobodys = sum(
        bool(re.search("[\ufffe\uffff]", "".join(key))) for key in keys
    )  # calamine reads `_xFFFE_` as it stands
    assert told(again) == {"unchanged": COUNT - nobodys, "inserted": nobodys}


def _as_excel(text: str) -> str:
    """A text of a workbook as Excel reads it."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def test_the_stock_as_parquet_has_each_name_once(shown: pd.DataFrame, keys: list[Key]):
    table = parquet.read_table(io.BytesIO(exporting.as_parquet(exports.columns(shown))))
    both = zip(table["store"].to_pylist(), table["item"].to_pylist(), strict=True)
    assert Counter(both) == Counter(keys)


def test_the_changes_as_csv_and_as_json_lines_have_each_name_once(stack: Stack, keys: list[Key]):
    lines = [Counted.of(one) for one in changes.newest(stack, COUNT)]
    files = {one.upload_id or "": one.file for one in uploads.recent(stack)}
    _checked_csv(feedfile.as_csv(lines, files), keys)
    said = [json.loads(line) for line in feedfile.as_json_lines(lines, files).decode().split("\n") if line]
    assert Counter((one["store"], one["item"]) for one in said) == Counter(keys)


def test_the_rows_of_an_upload_as_csv_have_each_name_once(loaded: tuple[Stack, list[Receipt]], keys: list[Key]):
    stack, receipts = loaded
    lines = [line for one in receipts for line in uploads.rows(stack, one)]
    _checked_csv(tables.as_csv(rows.in_zone(rows.by_fate(lines, None))), keys)


def test_the_reorder_points_as_a_file_have_each_name_once_and_are_read_back_as_they_were(keys: list[Key]):
    points = Points(items={key: Decimal(n + 1) for n, key in enumerate(keys) if "*" not in key})
    data = tables.as_csv(reordering._every(points))
    _checked_csv(data, list(points.items))
    plan = pointfile.plan(data, points, keys)
    assert (plan.lines, plan.errors, plan.same) == ((), (), len(points.items))


@pytest.mark.parametrize("form", ["csv", "semicolons", "xlsx", "ods", "json"])
def test_the_rows_to_mend_have_each_cell_as_it_stood_and_no_formula(stack: Stack, form: str):
    heading = "=1+1;@x"  # a column of no use to us
    fit = [
        name
        for name in hostile.TRICKS
        if name.strip() and not re.search(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]|_x|#N/A", name)
    ]
    table = [["store", "item", "count", heading], *([name, name, "some", name] for name in fit)]
    data = _written(form, table)
    _, lines = uploads.preview(stack, "hostile", data)
    made = mending.mend_data(uploads.opened(stack, data), lines)
    if form == "json":
        back = [[one["store"], one["item"], one["count"], one[heading]] for one in json.loads(made)]
        assert back == table[1:]
        return
    if form in ("xlsx", "ods"):
        frame = pd.read_excel(io.BytesIO(made), header=None, dtype=str, na_filter=False, engine=_ENGINES[form])
        assert frame.iloc[:, :4].values.tolist() == table
    if form == "xlsx":
        found = [cell for line in openpyxl.load_workbook(io.BytesIO(made)).active.iter_rows() for cell in line]
        assert "f" not in {cell.data_type for cell in found}
    if form == "ods":
        with zipfile.ZipFile(io.BytesIO(made)) as archive:
            assert b"table:formula" not in archive.read("content.xml")
    if form in ("csv", "semicolons"):
        mark = "," if form == "csv" else ";"
        text = made.decode("utf-8-sig")
        again = [line[:4] for line in csvs.reader(io.StringIO(text, newline=""), delimiter=mark)]
        assert [[cell.replace("'", "") for cell in line] for line in again] == [
            [cell.replace("'", "") for cell in line] for line in table
        ]
        assert {cell for one in ",;\t" for cell in cells(text, one) if is_live(cell)} == set()
    mended = StockFile(made.replace(b"some", b"5"))
    first = StockFile(data.replace(b"some", b"5")) if form in ("csv", "semicolons") else None
    if first:
        assert list(mended.rows(uploaded_at=NOW)) == list(first.rows(uploaded_at=NOW))


def test_a_heading_that_was_marked_is_found_under_its_own_name():
    mended = exporting.csv_text([["=SKU", "count"], ["Tea", "3"]], escape=exporting.escaped)
    assert mended.startswith("'=SKU,")
    [row] = StockFile(mended.encode(), Mapping(item=(("=SKU",),))).rows(uploaded_at=NOW, store="Berlin")
    assert row[1:4] == ("Berlin", "Tea", 3)


def test_the_rows_to_mend_of_a_sheet_by_a_name_that_no_sheet_can_have_are_written_all_the_same(stack: Stack):
    book = io.BytesIO(_xlsx([("Berlin", "Tea", "some")]))
    data = io.BytesIO()
    with zipfile.ZipFile(book) as archive, zipfile.ZipFile(data, "w") as other:
        for name in archive.namelist():
            other.writestr(
                name, archive.read(name).replace(b'name="Sheet"', b'name="../[a]:*?\\ and much longer than any"')
            )
    _, lines = uploads.preview(stack, "x.xlsx", data.getvalue())
    made = mending.mend_data(uploads.opened(stack, data.getvalue()), lines)
    assert openpyxl.load_workbook(io.BytesIO(made)).sheetnames == ["..__a_____ and much longer than"]


_ENGINES = {"xlsx": "openpyxl", "ods": "odf"}


def _written(form: str, table: list[list[str]]) -> bytes:
    if form == "json":
        return json.dumps([dict(zip(table[0], line, strict=True)) for line in table[1:]]).encode()
    if form == "xlsx":
        return _xlsx(table[1:], table[0])
    if form == "ods":
        return ods(table)
    out = io.StringIO(newline="")
    csvs.writer(out, delimiter="," if form == "csv" else ";", quoting=csvs.QUOTE_ALL).writerows(table)
    return codecs.BOM_UTF8 + out.getvalue().encode()


# The pages, and the command line.


@pytest.mark.usefixtures("stack")
def test_every_page_is_drawn_over_all_of_them(keys: list[Key], loaded: tuple[Stack, list[Receipt]]):
    for page in PAGES:
        opened(page)
    for store, item in keys[: len(hostile.TRICKS) : 30]:
        app = opened("pages/stock.py", item=item_key(store, item))
        assert item_key(store, item) in str(app.query_params["item"])
    first = loaded[1][0].upload_id or ""
    for page in ("pages/uploads.py", "pages/changes.py", "pages/pipeline.py", "pages/why.py"):
        opened(page, upload=first)


PARAMETERS = {
    "pages/stock.py": ("item", "q", "store", "state", "age", "at", "period"), "app.py": (),
    "pages/uploads.py": ("upload", "before", "q", "state", "days", "effect", "show", "find", "fate", "with", "differ"),
    "pages/changes.py": ("upload", "store", "item", "event", "before", "after", "real", "zero", "new"),
    "pages/why.py": ("upload", "item", "row", "column", "ids", "find"),
    "pages/alerts.py": ("q", "store", "kind", "seen", "points_store", "points_item"),
    "pages/pipeline.py": ("upload", "log", "level", "of", "back"), "pages/upload.py": (), "pages/lesson.py": (),
}  # fmt: skip


@pytest.mark.parametrize("page", [page for page, names in PARAMETERS.items() if names])
@pytest.mark.usefixtures("stack")
def test_an_address_that_somebody_made_up_breaks_no_page_and_looks_like_no_outage(page: str):
    for said in hostile.ADDRESSES[-8:] + hostile.TRICKS[:: len(hostile.TRICKS) // 6]:
        app = opened(page, **dict.fromkeys(PARAMETERS[page], said))
        assert "can't be reached" not in " ".join(str(one.value) for one in app.error)


@pytest.mark.usefixtures("stack")
def test_the_command_line_prints_a_line_for_each_item_and_no_command_to_the_terminal(
    keys: list[Key], loaded: tuple[Stack, list[Receipt]]
):
    printed = run("stock").stdout
    assert len(printed.splitlines()) == len(printed.split("\n")) - 1 == COUNT
    assert not re.search(r"(?!\n)[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed)
    told_of = run("stock", "--json").stdout
    assert not re.search(r"(?!\n)[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", told_of)
    assert Counter((one["store"], one["item"]) for one in json.loads(told_of)) == Counter(keys)
    stack, receipts = loaded
    alerts.acknowledge(stack, alerts.open_now(stack)[0], "seen\n2026-11-27 12:00:00  Forged · Tea\x1b[2J\u202e")
    for words, lines in ((["changes"], 1), (["alerts"], 1), (["uploads"], 2)):
        printed = run(*words).stdout
        assert not re.search(r"(?!\n)[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed)
        assert len(printed.splitlines()) == lines * len(json.loads(run(*words, "--json").stdout))
    assert run("receipt", receipts[0].upload_id or "").returncode == 0


def test_what_no_words_have_tidied_is_no_command_to_the_terminal_either(capsys: pytest.CaptureFixture[str]):
    with printing.harmless():
        print("a\x1b[2J\ud800\u202eb\tc")
    assert capsys.readouterr().out == "a\ufffd[2J\ufffd\ufffdb\tc\n"


def test_no_name_begins_a_line_of_the_log(loaded: tuple[Stack, list[Receipt]]):
    stack, receipts = loaded
    forged = "x\u2028START RequestId: 11111111-2222 Version: 9.csv"
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=f"uploads/{forged}", Body=b"%PDF")
    until(lambda: [one for one in uploads.recent(stack, 5) if "RequestId" in one.file])
    assert len(receipts) == 4
    events = until(lambda: _logged(stack, "RequestId: 11111111"))
    assert all(loglines.event("loader", one).line for one in events)  # none of them is the beginning of a run


def _logged(stack: Stack, text: str) -> list[dict[str, Any]]:
    found = stack.client("logs").filter_log_events(logGroupName=f"{stack.settings.logs}/loader")["events"]
    return [one for one in found if text in one["message"]]

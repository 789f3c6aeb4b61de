"""Reading a stock file: what is a row, what is refused, and with which words."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from decimal import Decimal

import openpyxl
import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from lambdas.stockfile import Mapping, Question, Reject, Row, StockFile, Unclear, Unreadable, read
from lambdas.stockfile.mapping import NONE, of_json, of_text
from services import exporting

NOW = "2026-11-23T12:00:00.000000Z"


def rejected(text: str) -> Reject:
    reading = read(text.encode(), uploaded_at=NOW)
    assert not reading.rows
    return reading.rejects[0]


def counted(count: str) -> Decimal:
    return read(f"store,item,count\nBerlin,Tea,{count}\n".encode(), uploaded_at=NOW).rows[0].count


def test_a_plain_file_is_read_row_by_row_with_the_numbers_a_spreadsheet_shows():
    reading = read(b"store,item,count\nBerlin,Tea,3\n\nBerlin,Rye bread,0\n", uploaded_at=NOW)
    assert reading.rows == [
        Row(2, "Berlin", "Tea", Decimal(3), None),
        Row(4, "Berlin", "Rye bread", Decimal(0), None),
    ]
    assert not reading.timed


def test_a_byte_order_mark_capitals_spaces_and_column_order_do_not_matter():
    data = b"\xef\xbb\xbfCount, Item ,STORE,Updated At,note\r\n 7 , Tea,Berlin ,2026-11-22 09:00,x\r\n"
    row = Row(2, "Berlin", "Tea", Decimal(7), "2026-11-22T09:00:00.000000Z")
    assert read(data, uploaded_at=NOW).rows == [row]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_commas_semicolons_and_tabs_in_utf_8_and_utf_16_are_read_alike(mark: str, encoding: str):
    lines = (("store", "item", "count"), ("Zürich", "Tea, green", "12"), ("Zürich", "Jam; mixed", "0"))
    text = "\r\n".join(mark.join(f'"{cell}"' for cell in line) for line in lines)
    rows = read(text.encode(encoding), uploaded_at=NOW).rows
    assert [(row.store, row.item, row.count) for row in rows] == [
        ("Zürich", "Tea, green", 12),
        ("Zürich", "Jam; mixed", 0),
    ]


@pytest.mark.parametrize(
    ("stated", "means"),
    [("8.00", "8"), ("-11.000", "-11"), ("39.5", "39.5"), ("800", "800"), ("-0", "0"), ("+4", "4"), (".5", "0.5")],
)
def test_a_count_is_the_number_that_was_written(stated: str, means: str):
    assert f"{counted(stated):f}" == means


@pytest.mark.parametrize("count", ["", " ", "NaN", "Infinity", "0x10", "1e3", "twelve", "٣", "1 000", "9" * 39, "--1"])
def test_what_is_not_plainly_a_number_is_rejected_and_never_guessed(count: str):
    reject = rejected(f'store,item,count\nBerlin,Tea,"{count}"\n')
    assert (reject.number, reject.column, reject.value) == (2, "count", count.strip())


def test_an_unquoted_thousands_comma_is_not_read_as_a_one():
    assert "4 cells" in rejected("store,item,count\nBerlin,Tea,1,000\n").reason


@pytest.mark.parametrize(("row", "column"), [(",Tea,1", "store"), ("Berlin,,1", "item"), ("Berlin", "item")])
def test_a_row_without_its_key_is_rejected(row: str, column: str):
    [reject] = read(f"store,item,count\n{row}\nOslo,Jam,3\n".encode(), uploaded_at=NOW).rejects
    assert (reject.number, reject.column) == (2, column)


def test_keys_stay_text():
    row = read(b"store,item,count\n007,21-4013,1\n", uploaded_at=NOW).rows[0]
    assert (row.store, row.item) == ("007", "21-4013")


def test_one_letter_written_in_two_ways_is_one_item():
    one, other = "Caf\N{LATIN SMALL LETTER E WITH ACUTE}", "Cafe\N{COMBINING ACUTE ACCENT}"
    data = f"store,item,count\nBerlin,{one},1\nBerlin,{other},2\n".encode()
    first, second = read(data, uploaded_at=NOW).rows
    assert first.item == second.item


@pytest.mark.parametrize(
    ("stated", "means"),
    [
        ("2026-11-22", "2026-11-22T00:00:00.000000Z"),
        ("2026-11-22T09:30:15.25Z", "2026-11-22T09:30:15.250000Z"),
        ("2026-11-22 09:30+01:00", "2026-11-22T08:30:00.000000Z"),
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00.000000Z"),
    ],
)
def test_a_time_becomes_fixed_width_utc(stated: str, means: str):
    data = f"store,item,count,updated_at\nBerlin,Tea,1,{stated}\n".encode()
    assert read(data, uploaded_at=NOW).rows[0].updated_at == means


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "yesterday",
        "22.11.26",
        "17638000",
        "31.02.2026",
        "2026-13-01",
        "13:00 PM",
        "22.11.2026 13:00 PM",
        "2026-11-24T12:00:01Z",
        "0001-01-01 00:00+14:00",
    ],
)
def test_a_time_that_is_blank_unclear_or_a_day_ahead_is_rejected(stated: str):
    assert rejected(f"store,item,count,updated_at\nBerlin,Tea,1,{stated}\n").column == "updated_at"


def test_a_file_without_a_store_needs_one_said():
    with pytest.raises(Unreadable, match="which store"):
        read(b"item,count\nTea,1\n", uploaded_at=NOW)
    assert read(b"item,count\nTea,1\n", uploaded_at=NOW, store="Berlin").rows[0].store == "Berlin"


def test_the_store_that_a_row_names_counts_more_than_the_one_said():
    rows = read(b"store,item,count\nOslo,Tea,1\n,Tea,2\n", uploaded_at=NOW, store="Berlin").rows
    assert [row.store for row in rows] == ["Oslo", "Berlin"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"store,item,count\n", "no rows"),
        (b"store,item,count\n,,\n , ,\n", "no rows"),
        (b'store,item,count\nBerlin,"' + b"x" * 200_000, "cell of over 131,072 characters"),
        (b'store,item,count\nBerlin,Tea,1\nBerlin,"Jam,2\n', "Row 3 opens a quote .line 3. that never closes"),
        (b"store,item,count\nBerlin,Tea," + b"1" * 2**20, "line of over 1,048,576 characters"),
        (b"store,item,count" + b",x" * 3000 + b"\n" + b"1," * 3000, "3,003 cells"),
        (b"store,item,count\nBerlin,Caf\x81,1\n", "not all cp1252 text"),
        (b"\x00\x01\x02\x03" * 9, "not a text file"),
        (b"PK\x03\x04" + b"x" * 50, "damaged .zip"),
        (b"\x1f\x8b" + b"x" * 50, "damaged"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "can't be read"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b'[{"sku": "A", "qty": 1}', "can't be read as such"),
        (b'{"a": ' * 9000, "can't be read as such"),
        (b"[]", "no rows"),
    ],
)
def test_a_file_that_can_not_be_used_says_what_was_seen(data: bytes, says: str):
    given_encoding = Mapping(encoding="cp1252") if b"Caf" in data else Mapping()
    with pytest.raises(Unreadable, match=says) as refused:
        read(data, uploaded_at=NOW, mapping=given_encoding)
    assert not isinstance(refused.value, Unclear)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"store,item,count\n{text}".encode()))
def test_whatever_the_bytes_every_row_is_read_or_rejected(data: bytes):
    try:
        reading = read(data, uploaded_at=NOW)
    except Unreadable:
        return
    numbers = [row.number for row in (*reading.rows, *reading.rejects)]
    assert len(set(numbers)) == len(numbers) > 0


# --- what is found, and what is asked ---------------------------------------------------------------------------------


def column(*counts: str, mark: str = ",") -> list[Decimal | str]:
    """What a column of counts is read as: numbers, and the values of rejects."""
    rows = "".join(f'x{mark}i{n}{mark}"{count}"\n' for n, count in enumerate(counts))
    reading = read(f"store{mark}item{mark}count\n{rows}".encode(), uploaded_at=NOW)
    found = [(row.number, row.count) for row in reading.rows] + [(r.number, r.value) for r in reading.rejects]
    return [value for _, value in sorted(found)]


@pytest.mark.parametrize(
    ("counts", "mark", "mean"),
    [
        (("8,00", "12,00"), ";", [8, 12]),
        (("1.234,5", "1.234", "7"), ";", [Decimal("1234.5"), 1234, 7]),
        (("1,234.5", "1,234", "7"), ",", [Decimal("1234.5"), 1234, 7]),
        (("0.125", "1.234"), ",", [Decimal("0.125"), Decimal("1.234")]),
        (("-11.000", "5.000"), ",", [-11, 5]),
        (("10.0000", "1.234"), ",", [10, Decimal("1.234")]),
        (("1.234.567", "1.234"), ",", [1234567, 1234]),
        (("1\u00a0234,5", "1\u202f000"), ";", [Decimal("1234.5"), 1000]),
        (("1'234", "−3"), ",", [1234, -3]),
        (("8,5", "1,2,3", "12,34.5"), ",", [Decimal("8.5"), "1,2,3", "12,34.5"]),
    ],
)
def test_the_decimal_mark_is_decided_for_the_whole_column(
    counts: tuple[str, ...], mark: str, mean: list[Decimal | int | str]
):
    assert column(*counts, mark=mark) == mean


@pytest.mark.parametrize(
    ("counts", "mark"),
    [(("1.234",), ","), (("1,234",), ","), (("11,000", "5"), ","), (("11.000",), ";"), (("8.5", "8,5"), ",")],
)
def test_a_column_whose_decimal_mark_can_not_be_told_is_asked_about(counts: tuple[str, ...], mark: str):
    with pytest.raises(Unclear) as asked:
        column(*counts, mark=mark)
    assert asked.value.question.about == "decimal"


def test_the_decimal_mark_that_is_said_counts_for_every_cell():
    data = b"store;item;count\nB;Tea;1.234\nB;Jam;8,5\nB;Rye;8.5\n"
    reading = read(data, uploaded_at=NOW, mapping=Mapping(decimal=","))
    assert [row.count for row in reading.rows] == [1234, Decimal("8.5")]
    assert [(reject.number, reject.value) for reject in reading.rejects] == [(4, "8.5")]


def stated(*times: str) -> list[str | None]:
    rows = "".join(f'x,i{n},1,"{time}"\n' for n, time in enumerate(times))
    reading = read(f"store,item,count,updated_at\n{rows}".encode(), uploaded_at=NOW)
    assert not reading.rejects
    return [row.updated_at and row.updated_at[:19] for row in reading.rows]


@pytest.mark.parametrize(
    ("times", "mean"),
    [
        (("22.11.2026", "03.04.2026 9:05"), ["2026-11-22T00:00:00", "2026-04-03T09:05:00"]),
        (("22/11/2026", "03/04/2026"), ["2026-11-22T00:00:00", "2026-04-03T00:00:00"]),
        (("11/22/2026 1:30 PM", "03/04/2026 12:00 AM"), ["2026-11-22T13:30:00", "2026-03-04T00:00:00"]),
        (("2026/11/22 08:00:01",), ["2026-11-22T08:00:01"]),
        (("22 Nov 2026", "Nov 3, 2026 08:00"), ["2026-11-22T00:00:00", "2026-11-03T08:00:00"]),
        (("1763800000", "1763800000000"), ["2025-11-22T08:26:40", "2025-11-22T08:26:40"]),
        (("46348.5",), ["2026-11-22T12:00:00"]),
        (("11/11/2026",), ["2026-11-11T00:00:00"]),
    ],
)
def test_days_and_months_are_told_apart_by_the_whole_column(times: tuple[str, ...], mean: list[str]):
    assert stated(*times) == mean


@pytest.mark.parametrize("times", [("03/04/2026",), ("13/04/2026", "04/13/2026"), ("03/04/20", "03/04/2026")])
def test_a_column_whose_days_and_months_can_not_be_told_apart_is_asked_about(times: tuple[str, ...]):
    with pytest.raises(Unclear) as asked:
        stated(*times)
    assert asked.value.question.about == "dates"


@pytest.mark.parametrize(
    ("data", "about"),
    [
        (b"sku,Available,On hand\nA,1,2\nB,3,4\n", "count"),
        (b"item,count,count\nA,1,2\n", "count"),
        (b"sku,status\nA,there\n", "count"),
        (b"sku,delta\nA,-1\nB,2\n", "count"),
        (b"sku,stock\nA,yes\nB,no\n", "count"),
        (b"Ref,Stk\nA,1\n", "count"),
        (b"qty,price\n1,2.5\n3,9.5\n", "item"),
        (b"sku,name,qty\n,Tea,1\n,Tea,2\n", "item"),
        (b"shop,warehouse,sku,qty\nx,y,A,1\n", "store"),
        (b"sku,inventory_A,inventory_A\nx,1,2\n", "count"),
        (b"sku,qty,last updated\nA,1,03/04/20\n", "dates"),
        (b"Berlin,Tea,5\nBerlin,Jam,6\n", "header"),
        (b"sku,Opening,,Closing\n,qty,value,qty\nA,1,2,3\n", "header"),
    ],
)
def test_what_is_not_certain_is_asked_and_nothing_is_read(data: bytes, about: str):
    with pytest.raises(Unclear) as asked:
        read(data, uploaded_at=NOW, store="Berlin")
    assert asked.value.question.about == about
    assert StockFile(data).understood.question == asked.value.question


def test_an_answer_is_enough_and_what_was_found_beside_the_question_stays():
    data = b"Shop,SKU,Available,On hand\nOslo,A,1,2\n"
    found = StockFile(data).understood.mapping
    assert (found.item, found.count, found.store) == ((("SKU",),), None, "Shop")
    [row] = read(data, uploaded_at=NOW, mapping=Mapping(count="On hand")).rows
    assert row == Row(2, "Oslo", "A", Decimal(2), None)


def test_columns_may_be_said_by_number_and_a_file_may_have_no_headings():
    data = b"Berlin,Tea,5\nBerlin,Jam,6\n"
    mapping = Mapping(header=False, item=(("#2",),), count="#3", store="#1")
    assert read(data, uploaded_at=NOW, mapping=mapping).rows == [
        Row(1, "Berlin", "Tea", Decimal(5), None),
        Row(2, "Berlin", "Jam", Decimal(6), None),
    ]


def test_rows_under_the_first_headings_are_rows_even_when_better_headings_follow():
    reading = read(b"sku,qty\nA,1\n\nsku,qty,location\nC,3,Oslo\n", uploaded_at=NOW, store="Berlin")
    assert [row.item for row in reading.rows] == ["A"]
    assert [reject.number for reject in reading.rejects] == [4, 5]


def test_a_text_of_many_marks_is_refused_as_a_key_at_once():
    name = "a" + "\u0301\u0316" * 60_000
    [reject] = read(f"store,item,count\nB,{name},3\nB,Tea,1\n".encode(), uploaded_at=NOW).rejects
    assert reject.reason == "longer than 1,024 bytes"


def test_a_mapping_that_names_what_is_not_there_asks_and_says_what_is():
    with pytest.raises(Unclear, match=r"no column “On shelf”\. It has: “sku”, “qty”"):
        read(b"sku,qty\nA,1\n", uploaded_at=NOW, mapping=Mapping(count="On shelf"))


def test_a_column_of_times_can_be_left_out():
    data = b"store,item,count,updated_at\nB,Tea,1,nonsense\n"
    assert read(data, uploaded_at=NOW).rejects
    assert not read(data, uploaded_at=NOW, mapping=Mapping(updated_at=NONE)).rejects


def test_a_sum_with_a_part_that_can_not_be_used_is_no_sum():
    data = b"store,sku,qty\nB,A,1\nB,A,x\nB,C,2\nB,C,3\n"
    reading = read(data, uploaded_at=NOW, mapping=Mapping(repeats="sum"))
    assert reading.adds
    assert [(row.item, row.count) for row in reading.rows] == [("C", 2), ("C", 3)]
    assert [(reject.number, reject.reason[:5]) for reject in reading.rejects] == [(2, "row 3"), (3, "not a")]


def test_a_row_with_too_many_cells_spoils_its_sum_as_well():
    reading = read(b"store,sku,qty\nB,C,1\nB,A,1\nB,A,1,000\n", uploaded_at=NOW, mapping=Mapping(repeats="sum"))
    assert [reject.number for reject in reading.rejects] == [3, 4]


def test_a_row_that_can_not_be_read_may_belong_to_any_sum():
    with pytest.raises(Unreadable, match=r"Row 2 can't be read.*any of the sums"):
        read(b'store,sku,qty\nB,"A"x,1\nB,A,2\n', uploaded_at=NOW, mapping=Mapping(repeats="sum"))


@pytest.mark.parametrize(
    ("late", "finds"),
    [
        (b"A,1,Oslo,", Mapping(item=(("sku",),), count="on hand", store="location", updated_at=NONE)),
        (b"A,1,,7", Mapping(item=(("sku",),), store=NONE, updated_at=NONE)),
    ],
)
def test_a_column_that_is_filled_only_far_below_is_seen(late: bytes, finds: Mapping):
    rows = b"".join(b"i%d,%d,,\n" % (number, number) for number in range(1500))
    found = StockFile(b"sku,on hand,location,available\n" + rows + late + b"\n").understood
    assert (found.mapping.count, found.mapping.store) == (finds.count, finds.store)
    assert (found.question is None) == (finds.count is not None)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", "Café"),
        ("cp1252", "naïve"),
        ("mac-roman", "Größe"),
        ("mac-roman", "Müller"),
        ("cp850", "Käse und Müsli"),
        ("cp1251", "Хлеб ржаной и молоко"),
        ("gb18030", "绿茶和红茶"),
        ("utf-16-le", "Zürich"),
        ("utf-16", "Чай"),
        ("utf-8-sig", "Чай"),
    ],
)
def test_names_come_out_as_they_were_written_whatever_the_encoding(encoding: str, name: str):
    rows = "".join(f"plain thing {number},{number}\n" for number in range(50))
    data = f"item,count\n{rows}{name},3\n".encode(encoding)
    assert read(data, uploaded_at=NOW, store="B").rows[-1].item == name


def test_the_quick_way_through_a_file_reads_what_the_slow_one_does():
    """A row goes the quick way once its count, store and time have been met; padding sends it the slow one."""
    cells = [(f"S{n % 3}", f"item {n % 7}", f"{n % 5}", f"2026-11-{n % 20 + 1:02} 09:00") for n in range(400)]
    cells += [("S1", "Total", "3", "2026-11-02 09:00"), ("S1", "'=x", "3", "2026-11-02 09:00"), ("S1", "", "", "")]
    quick, slow = ("".join(f"{pad.join(row)}\n" for row in cells) for pad in (",", " , "))
    header = "store,item,count,updated_at\n"
    assert read((header + quick).encode(), uploaded_at=NOW) == read((header + slow).encode(), uploaded_at=NOW)


def test_a_row_whose_quotes_end_too_early_is_rejected_alone():
    data = b'store,item,count\nB,"12" pizza",3\nB,Tea,4\nB,"a ""b""",5\n'
    reading = read(data, uploaded_at=NOW)
    assert [(row.number, row.item) for row in reading.rows] == [(3, "Tea"), (4, 'a "b"')]
    assert [(reject.number, reject.reason) for reject in reading.rejects] == [
        (2, "its quotes do not end where its cells do (up to line 2)")
    ]


def test_an_apostrophe_before_a_formula_is_the_mark_of_an_export_and_no_part_of_the_name():
    rows = read(b"store,item,count\nB,'=1+1,1\nB,'Tis,2\n", uploaded_at=NOW).rows
    assert [row.item for row in rows] == ["=1+1", "'Tis"]


@pytest.mark.parametrize("item", ["=1+1", "'=1+1", "''=1+1", "'-3", "-3", "'Tis", "''", "'@x", "+x"])
def test_a_name_that_is_exported_is_read_as_it_was_whatever_it_begins_with(item: str):
    said = exporting.csv_text([("store", "item", "count"), ("Berlin", item, 3)])
    assert [row.item for row in read(said.encode(), uploaded_at=NOW).rows] == [item]


def test_the_shape_is_that_of_the_headings_and_not_of_what_stands_under_or_above_them():
    one, other = b"SKU,On Hand\nA,1\n", b"Stock of May\n\nsku;on_hand\nB;2\nC;3\n"
    assert StockFile(one).understood.shape == StockFile(other).understood.shape
    assert StockFile(one).understood.shape != StockFile(b"sku,qty\nA,1\n").understood.shape


def test_a_file_without_headings_is_known_by_the_kinds_of_its_columns_and_by_what_is_the_same_in_all_rows():
    berlin, next_week, oslo = b"B,Tea,5\nB,Jam,6\n", b"B,Rye,1\nB,Tea,0\nB,Oil,2\n", b"O,Tea,5\nO,Jam,6\n"
    shapes = [StockFile(data).understood.shape for data in (berlin, next_week, oslo, b"B,5,Tea\nB,6,Jam\n")]
    assert shapes[0] == shapes[1]
    assert len(set(shapes)) == 3


def test_a_sheet_that_is_no_longer_there_is_asked_for():
    book = openpyxl.Workbook()
    for row in (("sku", "qty"), ("A", 1)):
        book.active.append(row)
    book.active.title = "November"
    out = io.BytesIO()
    book.save(out)
    question = StockFile(out.getvalue(), Mapping(sheet="October")).understood.question
    assert question == Question("sheet", "The workbook has no sheet “October”. It has “November”.")


def test_a_mapping_is_the_same_after_it_was_kept_as_text():
    mapping = Mapping(item=(("SKU",), ("Name", "Size")), stores=("A", "B"), words=(("none", "0"),), header=False)
    assert of_json(mapping.as_json()) == mapping
    assert of_json(Mapping().as_json()) == Mapping()


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ('item=SKU,count="On hand, now",store=3', Mapping(item=(("SKU",),), count="On hand, now", store="#3")),
        ("store=,updated_at=", Mapping(store=NONE, updated_at=NONE)),
        ("item=SKU|Name+Size,stores=A|B", Mapping(item=(("SKU",), ("Name", "Size")), stores=("A", "B"))),
    ],
)
def test_a_mapping_is_written_in_one_line(text: str, means: Mapping):
    assert of_text(text) == means


@pytest.mark.parametrize("text", ["", "item", "item=", "price=3", 'item="a'])
def test_a_mapping_that_can_not_be_understood_is_refused(text: str):
    with pytest.raises(ValueError, match=r"“|No closing"):
        of_text(text)


# --- bounds: refused early, with words, and without the memory that it asks for ---------------------------------------


def workbook(*cells: tuple[int, int]) -> bytes:
    """An XLSX with a 1 in each of these places (row, column)."""
    book = openpyxl.Workbook()
    for row, column in cells:
        book.active.cell(row, column, 1)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def old_workbook(*cells: tuple[int, int]) -> bytes:
    """The same as XLS; places from 0."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Stock")
    for row, column in cells:
        sheet.write(row, column, 1)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_sectors_in_a_circle(data: bytes) -> bytes:
    """An XLS whose table of sectors says that the first one follows itself, for ever."""
    at = 512 + 512 * struct.unpack_from("<I", data, 76)[0]
    return data[:at] + bytes(512) + data[at + 512 :]


def zipped(*names: str, data: bytes = b"item,count\nTea,1\n") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (lambda: b'item,count\n"' + b"x" * 100_000_000, "line of over 1,048,576"),
        (lambda: b"1," * 50_000_000, "line of over 1,048,576"),
        (lambda: gzip.compress(b"item,count\n" + b"Tea,1\n" * 20_000_000, 1), "unpacks to far more"),
        (lambda: zipped("stock.csv", data=b"\n" * 80_000_000), "unpacks to far more"),
        (lambda: zipped("a.csv", "b.csv"), "holds 2 files"),
        (lambda: zipped("stock.csv.gz", data=gzip.compress(b"item,count\nTea,1\n")), "packed twice"),
        (lambda: workbook((1, 1), (1_048_576, 16_384)), "has 16,384 columns"),
        (lambda: workbook((1, 10_000)), "has 10,000 columns"),
        (lambda: workbook((1, 1), (1_000_000, 16)), "send it as CSV"),
        (lambda: old_workbook((0, 0), (65_535, 255)), "send it as CSV"),
        (lambda: with_sectors_in_a_circle(old_workbook((0, 0))), "in a circle"),
    ],
)
def test_what_would_take_all_memory_is_refused_with_words(data: Callable[[], bytes], says: str):
    with pytest.raises(Unreadable, match=says):
        StockFile(data())

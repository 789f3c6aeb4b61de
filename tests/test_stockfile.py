"""Reading a stock file: what is a row, what is refused, and with which words."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.stockfile import Reject, Row, Unreadable, read

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


def test_a_decimal_comma_is_not_guessed_to_be_a_point():
    reject = rejected("store;item;count\nBerlin;Sugar;18,5\n")
    assert (reject.column, reject.value) == ("count", "18,5")


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
    assert rejected(f"store,item,count\n{row}\n").column == column


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
    ["", "yesterday", "22.11.2026", "1763800000", "2026-13-01", "2026-11-24T12:00:01Z", "0001-01-01 00:00+14:00"],
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
        (b"sku,qty\nA,1\n", "“item” and no column “count”"),
        (b"item,count,count\nA,1,2\n", "stands twice"),
        (b"store,item,count\nBerlin,Caf\xe9,1\n", "not UTF-8"),
        (b'store,item,count\nBerlin,"' + b"x" * 200_000, "can't be read as CSV"),
    ],
)
def test_a_file_that_can_not_be_used_says_what_was_seen(data: bytes, says: str):
    with pytest.raises(Unreadable, match=says):
        read(data, uploaded_at=NOW)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"store,item,count\n{text}".encode()))
def test_whatever_the_bytes_every_row_is_read_or_rejected(data: bytes):
    try:
        reading = read(data, uploaded_at=NOW)
    except Unreadable:
        return
    numbers = [row.number for row in (*reading.rows, *reading.rejects)]
    assert len(set(numbers)) == len(numbers) > 0

"""The history of uploads and many files at once, in a real browser: what only a browser can tell."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from services.stack import Stack
from tests.browser.conftest import Open
from tests.dashboard import at_rest, by_keyboard, cells, drop, file, first_box, holds, pick, send


@pytest.mark.parametrize("width", [1440, 390])
def test_a_row_of_the_history_opens_its_upload_and_the_way_back_keeps_the_filters(
    opened: Open, tmp_path: Path, width: int
):
    send(opened("upload"), file(tmp_path, f"history-{width}.csv", f"History {width},Tea,3", f"History {width},Jam,0"))
    page = opened("uploads", width)
    page.get_by_role("textbox", name="Search").fill(f"history-{width}")
    page.keyboard.press("Enter")
    expect(cells(page, f"history-{width}.csv")).to_have_count(1)
    expect(page.get_by_text("Older")).to_have_count(0)
    first_box(page)
    holds(page, "2 rows: 2 new. 2 stream records expected, 2 seen. 1 alert.")
    expect(page).to_have_url(re.compile("upload="))
    at_rest(page)
    page.get_by_role("link", name="All uploads").click()
    expect(page).to_have_url(re.compile(f"q=history-{width}$"))
    expect(cells(page, f"history-{width}.csv")).to_have_count(1)
    expect(page.get_by_role("textbox", name="Search")).to_have_value(f"history-{width}")


def test_an_upload_is_opened_by_keyboard_and_the_browsers_own_way_back_works(opened: Open, tmp_path: Path):
    send(opened("upload"), file(tmp_path, "keys.csv", "Keys,Tea,3"))
    page = opened("uploads")
    by_keyboard(page, "Open an upload", "keys.csv")
    expect(page.get_by_role("heading", name="keys.csv")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="keys.csv")).to_have_count(0)
    expect(cells(page, "keys.csv").first).to_be_attached()


def test_what_is_chosen_of_an_upload_stands_in_its_address(opened: Open, tmp_path: Path):
    send(opened("upload"), file(tmp_path, "chosen.csv", "Chosen,Tea,3", "Chosen,Jam,oops"))
    page = opened("uploads")
    expect(cells(page, "chosen.csv").first).to_be_attached()
    first_box(page)
    page.get_by_role("radiogroup", name="What became of them").get_by_text("not usable").click()
    expect(cells(page, "oops")).to_have_count(1)
    expect(cells(page, "Tea")).to_have_count(0)
    page.reload()
    expect(cells(page, "oops")).to_have_count(1)
    expect(cells(page, "Tea")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("button", name="The file as it was sent").click()
    assert download.value.path().read_text().splitlines()[1:] == ["Chosen,Tea,3", "Chosen,Jam,oops"]


def test_many_files_are_lines_that_open_and_then_receipts_that_light_up(opened: Open, tmp_path: Path):
    page = opened("upload")
    paths = [file(tmp_path, f"branch-{n}.csv", f"Branch {n},Tea,3", f"Branch {n},Jam,{n}") for n in range(5)]
    at_rest(page)
    page.locator("input[type=file]").set_input_files(paths)
    expect(page.get_by_text("2 rows: 2 new · 1 alert")).to_have_count(1)
    expect(cells(page, "Branch 3")).to_have_count(0)
    page.get_by_text("branch-3.csv · 2 rows").click()
    expect(cells(page, "Branch 3")).to_have_count(2)
    page.get_by_role("button", name="Send 5 files").click()
    holds(page, "5 files, 10 rows: 10 new. 10 stream records expected, 10 seen. 1 alert.")
    expect(cells(page, "✓ done")).to_have_count(5)


def test_a_file_that_waits_appears_on_the_upload_page_by_itself_and_a_pick_beside_it_is_not_lost(
    opened: Open, stack: Stack, tmp_path: Path
):
    page = opened("upload")
    drop(stack, "late.csv", b"SKU,Corner,On hand,Available\nPlum,Late,4,3\n")
    holds(page, "Waiting for an answer", "late.csv")
    for n in range(5):
        pick(page, file(tmp_path, f"beside-{n}.csv", "Beside,Tea,3"))
        page.get_by_role("button", name="Not now").click()
        expect(page.get_by_text("what it will do")).to_have_count(0)

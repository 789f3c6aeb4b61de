"""The live feed in real browsers: it announces, pauses and goes on, and never moves what is being read."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from lambdas import tables, times
from services import changes, words
from services.stack import Stack
from tests.browser.conftest import Open
from tests.conftest import csv, sent
from tests.dashboard import at_rest, by_keyboard, cells, file, send
from tests.waiting import until

_A_SECOND = 50


def at(page: Page, query: str) -> Page:
    """The changes, filtered by the address."""
    page.goto(f"{page.url}?{query}")
    at_rest(page)
    return page


def line(page: Page) -> Locator:
    """What is new, above the table."""
    return page.locator(".st-key-show-new button")


def test_one_sends_and_the_other_is_told_and_sees_it_when_he_wants(opened: Open, tmp_path: Path):
    feed, page = opened("changes"), opened("upload")
    send(page, file(tmp_path, "first.csv", "Feed,Chai syrup,12"))
    expect(cells(feed, "new: 12")).to_have_count(1)  # an empty feed shows the first ones by itself
    send(page, file(tmp_path, "second.csv", "Feed,Chai syrup,0"))
    expect(line(feed)).to_contain_text(re.compile("1 new · Feed · Chai syrup: 12 -.?> 0"))
    expect(cells(feed, "12 -> 0")).to_have_count(0)
    line(feed).click()
    expect(cells(feed, "12 -> 0")).to_have_count(1)
    expect(cells(feed, "✕ ran out")).to_have_count(1)
    expect(line(feed)).to_contain_text("Nothing new")
    send(page, file(tmp_path, "third.csv", "Feed,Chai syrup,0"))
    expect(line(feed)).to_contain_text("1 upload that changed nothing")


def test_a_filter_by_address_and_a_line_chosen_by_the_keyboard(opened: Open, stack: Stack):
    sent(stack, csv("Aarhus", "Rye,4", "Tea,0"))
    sent(stack, csv("Bruges", "Tea,0"))
    feed = at(opened("changes"), "store=Aarhus&zero=true")
    expect(cells(feed, "Tea")).to_have_count(1)
    expect(cells(feed, "Rye")).to_have_count(0)
    by_keyboard(feed, "Look at a line", "Tea")
    expect(feed.locator("canvas tr[aria-selected=true]", has_text="Tea")).to_have_count(1)
    expect(cells(feed, "✚ added").first).to_be_attached()
    feed.get_by_text("Only to zero").click()
    expect(cells(feed, "Rye")).to_have_count(1)
    expect(feed).not_to_have_url(re.compile("zero="))


def test_two_hundred_during_a_pause_are_all_there_once_when_it_goes_on(opened: Open, stack: Stack):
    sent(stack, csv("Pause", "Item 0,1"))
    feed = at(opened("changes"), "store=Pause")
    expect(cells(feed, "new: 1")).to_have_count(1)
    feed.get_by_role("radio", name="Pause").click()
    expect(line(feed)).to_contain_text("Paused")
    for counted in (2, 3):
        sent(stack, csv("Pause", *(f"Item {n},{counted}" for n in range(100))))
    other = at(opened("changes"), "store=Pause")  # by the time that this one shows them, all have been heard
    expect(other.locator("canvas table").first).to_have_attribute("aria-rowcount", "51")
    expect(line(feed)).to_contain_text("Paused")
    expect(feed.locator("canvas table").first).to_have_attribute("aria-rowcount", "2")
    feed.get_by_role("radio", name="Announce").click()
    expect(feed.locator("canvas table").first).to_have_attribute("aria-rowcount", "202")
    want = [(one.item, words.moved(one)) for one in changes.newest(stack, 201)]
    assert all_rows(feed, 201) == want


def all_rows(page: Page, many: int) -> list[tuple[str, str]]:
    """Item and change of each row of the table, which is drawn as it is scrolled to."""
    grid, found = page.get_by_test_id("stDataFrame").first, dict[int, tuple[str, str]]()

    def whole() -> bool:
        found.update({row[0]: (row[1], row[2]) for row in grid.evaluate(_ROWS, 35 * len(found))})
        return len(found) >= many

    until(whole, seconds=60)
    return [found[place] for place in sorted(found)]


_ROWS = """(grid, top) => {
    grid.querySelector('.dvn-scroller').scrollTop = top
    return [...grid.querySelectorAll('canvas tbody tr')].map(row =>
        [+row.getAttribute('aria-rowindex'), ...[...row.querySelectorAll('td')].map(cell => cell.innerText)])
}"""
"""Scrolls on, behind what has been seen without a gap; the rows that are drawn."""


@contextmanager
def rush(stack: Stack, store: str) -> Iterator[None]:
    """Changes written into the table itself, so many a second, until this is left."""
    over, numbers = threading.Event(), count()

    def write() -> None:
        while not over.wait(0.2):
            fresh = [
                {"Store": store, "Item": f"Rush {n:05}", "Count": n, "UpdatedAt": times.now()}
                for _, n in zip(range(_A_SECOND // 5), numbers, strict=False)
            ]
            tables.batch_put(stack.dynamodb, stack.settings.inventory_table, map(tables.to_item, fresh))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_what_is_read_stays_where_it_is_while_fifty_a_second_come_in(opened: Open, stack: Stack):
    sent(stack, csv("Still", *(f"Item {n:02},{n + 1}" for n in range(40))))
    feed = at(opened("changes"), "store=Still")
    expect(cells(feed, "Item 39").or_(cells(feed, "Item 20")).first).to_be_attached()
    grid = feed.get_by_test_id("stDataFrame").first
    box = grid.bounding_box()
    assert box
    feed.mouse.click(box["x"] + 15, box["y"] + 52 + 6 * 35)
    expect(feed.get_by_role("heading", name="The record")).to_be_visible()
    feed.mouse.move(box["x"] + 200, box["y"] + 200)
    feed.mouse.wheel(0, 4 * 35)
    feed.get_by_role("button", name="Export").click()
    expect(feed.get_by_role("button", name="JSON lines")).to_be_visible()
    before = _steady(feed)
    assert before["grid"] == 4 * 35
    assert before["panel"] == [True]
    assert len(before["picked"]) == 1
    with rush(stack, "Still"):
        enough = re.compile(r"(1,[5-9]|[2-9],\d)\d\d new")  # 50 a second for 30 seconds
        expect(line(feed)).to_contain_text(enough, timeout=180_000)
        assert feed.evaluate(f"({_PLACE})()") == before
    line_told = line(feed).inner_text()
    assert "new · Still · Rush" in line_told


_PLACE = """() => ({
    page: document.querySelector('[data-testid=stMain]').scrollTop,
    grid: document.querySelector('.dvn-scroller').scrollTop,
    rows: [...document.querySelectorAll('[data-testid=stDataFrame] canvas tbody')].map(one => one.innerText),
    picked: [...document.querySelectorAll('canvas tr[aria-selected=true]')].map(one => one.innerText),
    panel: [...document.querySelectorAll('[data-testid=stPopoverBody]')].map(one => one.checkVisibility()),
    record: [...document.querySelectorAll('h3')].map(one => one.innerText + one.getBoundingClientRect().top),
})"""
"""Where the reader is: scrolled to, picked, opened, and what stands there."""


def _steady(page: Page) -> dict[str, Any]:
    """The place, once nothing has moved for a second."""
    page.wait_for_function(
        f"""() => {{
            const now = JSON.stringify(({_PLACE})()), last = window.wasPlace || {{now: '', times: 0}}
            window.wasPlace = {{now, times: now === last.now ? last.times + 1 : 0}}
            return window.wasPlace.times >= 10
        }}""",
        polling=100,
    )
    found: dict[str, Any] = page.evaluate(f"({_PLACE})()")
    return found

"""The Alerts page in a real browser: a point typed into the table, a note typed while the page goes on by itself."""

from contextlib import suppress

from playwright.sync_api import Page, TimeoutError, expect

from services.stack import Stack
from tests.browser.conftest import Open
from tests.conftest import csv, sent
from tests.dashboard import at_rest, cells, holds
from tests.waiting import until


def at(page: Page, query: str) -> Page:
    """The page with this in its address."""
    page.goto(f"{page.url}?{query}")
    at_rest(page)
    return page


def typed(page: Page, row: int, text: str) -> None:
    """Type into the column of the reorder points, in a row of the table of a store's items."""
    grid, editor = page.get_by_test_id("stDataFrame").last, page.locator("#portal").locator("input, textarea").first

    def begun() -> bool:
        """The page may have moved between the look and the click."""
        grid.scroll_into_view_if_needed()
        box = grid.bounding_box()
        assert box
        page.mouse.click(box["x"] + 0.37 * box["width"], box["y"] + 35 + 35 * row + 17)  # the second column
        page.keyboard.type(text)
        try:
            editor.wait_for(timeout=2_000)
        except TimeoutError:
            return False
        return True

    until(begun)
    page.keyboard.press("Enter")


def save(page: Page, row: int, text: str, words: str) -> None:
    """Type a point and press the button until it is told: the table may be drawn anew at that very moment, which drops
    what is typed, and it sends what was typed a moment later."""
    said = page.get_by_text(words)

    def told() -> bool:
        typed(page, row, text)
        for _ in range(2):
            page.get_by_role("button", name="Save the reorder points").click()
            with suppress(TimeoutError):
                said.wait_for(timeout=3_000)
                return True
        return False

    until(told, seconds=45)
    at_rest(page)


def test_a_point_that_is_typed_into_the_table_makes_its_item_low(opened: Open, stack: Stack):
    sent(stack, csv("Grid", "Jam,4", "Tea,9"))
    page = at(opened("alerts"), "points_store=Grid")
    expect(cells(page, "Jam")).to_have_count(1)
    save(page, 0, "5", "Saved. 1 item is low now.")
    holds(page, "Open: 0 items out of stock, 1 low")
    expect(cells(page, "◐ Low")).to_have_count(2)  # among the open ones, and beside its point
    save(page, 0, "3", "1 item is no longer low")
    expect(page.get_by_text(", 1 low")).to_have_count(0)


def test_a_note_is_typed_while_others_alerts_come_in(opened: Open, stack: Stack):
    sent(stack, csv("Kiosk", "Tea,0"))
    page = at(opened("alerts"), "store=Kiosk")
    expect(cells(page, "Tea").first).to_be_attached()
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + 15, box["y"] + 52)
    note = page.get_by_label("Note", exact=True)
    note.press_sequentially("ordered")
    sent(stack, csv("Kiosk", "Rye,0"))
    expect(cells(page, "Rye").first).to_be_attached()
    note.press_sequentially(" by Kim")
    page.get_by_role("button", name="Acknowledge").click()
    expect(cells(page, "✓ ordered by Kim")).to_have_count(1)
    sent(stack, csv("Kiosk", "Tea,9", "Rye,9"))
    expect(cells(page, "✓ ordered by Kim")).to_have_count(0)

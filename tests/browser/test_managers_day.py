"""A store manager's day, over all pages, in a real browser: at a desk and on a phone.

It is a list of small steps, each of which goes on from where the one before ended; a failure names its step.
"""

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from local import engine
from services import stack as stacks
from services import uploads
from tests.conftest import SAMPLES
from tests.dashboard import PAGES, at_rest, running
from tests.waiting import until


@dataclass
class Day:
    """The one page that the manager has open. ``home``: the dashboard's folder, in which files are made as well."""

    page: Page
    address: str
    home: Path
    phone: bool

    @property
    def state(self) -> Path:
        return self.home / "state"

    def go(self, heading: str) -> None:
        """By the links at the side, which a phone shows when they are asked for."""
        side = self.page.get_by_test_id("stSidebar")
        if side.get_attribute("data-collapsed") == "true":
            self.page.get_by_test_id("stExpandSidebarButton").click()
            expect(side).to_have_attribute("data-collapsed", "false")
        side.get_by_role("link", name=heading, exact=True).click()
        self.arrived(heading)
        if self.phone and side.get_attribute("data-collapsed") == "false":  # it lies over the page
            self.page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()

    def open(self, path: str, heading: str) -> None:
        """By its own address."""
        self.page.goto(f"{self.address}/{path}")
        self.arrived(heading)

    def arrived(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1, name=heading, exact=True)).to_be_visible()
        at_rest(self.page)

    def reads(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.get_by_text(text).first).to_be_visible()

    def cells(self, text: str) -> Locator:
        """The cells of the page's tables that hold exactly this text."""
        return self.page.locator("canvas td", has_text=re.compile(f"^{re.escape(text)}$"))

    def click(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def choose(self, label: str, option: str) -> None:
        """Pick an option of a select on a page that is at rest; a part of its text is enough."""
        at_rest(self.page)
        self.page.get_by_role("combobox", name=label, exact=True).click()
        self.page.get_by_role("option", name=option).first.click()

    def fill(self, label: str, text: str) -> None:
        at_rest(self.page)
        box = self.page.get_by_label(label, exact=True)
        box.fill(text)
        box.press("Tab")  # a form takes what has been left

    def pick(self, *files: Path) -> None:
        at_rest(self.page)
        self.page.locator("input[type=file]").set_input_files(files)
        expect(self.page.get_by_text("what it will do")).to_have_count(len(files))

    def file(self, name: str, *rows: str) -> Path:
        path = self.home / name
        path.write_text("\n".join(["store,item,count", *rows, ""]))
        return path


def opens_the_overview_and_there_is_nothing_yet(day: Day) -> None:
    day.open("", "Overview")
    day.reads("There is no stock yet.")


def sends_the_files_of_two_stores_at_once(day: Day) -> None:
    day.go("Upload")
    day.pick(SAMPLES / "berlin.csv", SAMPLES / "lisbon.csv")
    day.click("Send 2 files")
    expect(day.page.get_by_text("what it will do")).to_have_count(0)
    day.reads("6 rows: 6 new. 6 stream records expected, 6 seen. 1 alert.")
    day.reads("5 rows: 5 new. 5 stream records expected, 5 seen. 1 alert.")


def sees_on_the_overview_what_is_out(day: Day) -> None:
    day.go("Overview")
    expect(day.page.get_by_test_id("stMetric").filter(has_text="Out of stock").first).to_contain_text("2")
    expect(day.cells("Cinnamon rolls").first).to_be_attached()


def sees_each_change(day: Day) -> None:
    day.go("Changes")
    expect(day.cells("new: 36").first).to_be_attached()


def sees_the_alert(day: Day) -> None:
    day.go("Alerts")
    expect(day.cells("Cinnamon rolls").first).to_be_attached()


def sends_the_same_file_again_and_is_told_why_nothing_happens(day: Day) -> None:
    day.go("Upload")
    day.pick(SAMPLES / "berlin.csv")
    day.click("Send")
    day.reads("All 6 rows were already up to date. DynamoDB writes a stream record only when data changes")


def sends_what_sold_out(day: Day) -> None:
    day.pick(SAMPLES / "berlin-sold-out.csv")
    day.click("Send")
    day.reads("3 stream records expected, 3 seen. 1 alert.", "Out of stock: Berlin · Oat milk 1 l (36")


def sees_one_alert_open_and_one_in_the_history(day: Day) -> None:
    day.go("Alerts")
    expect(day.cells("Oat milk 1 l").first).to_be_attached()
    expect(day.cells("Cinnamon rolls").first).to_be_attached()


def follows_a_file_through_the_pipeline(day: Day) -> None:
    day.go("Pipeline")
    expect(day.cells("berlin-sold-out.csv").first).to_be_attached()


def finds_an_item_by_its_name(day: Day) -> None:
    day.go("Stock")
    day.page.get_by_role("textbox", name="Search").fill("Oat milk")
    day.page.keyboard.press("Enter")
    day.reads("2 of 11 items.")
    expect(day.page).to_have_url(re.compile(r"q=Oat"))  # the filter is in the address


def takes_the_stock_away_as_a_file(day: Day) -> None:
    day.click("Export")
    for label, ending in (("CSV", "csv"), ("Excel", "xlsx"), ("Parquet", "parquet")):
        with day.page.expect_download() as download:
            day.page.get_by_role("button", name=label, exact=True).click()
        assert download.value.suggested_filename.endswith(f".{ending}")
        assert download.value.path().stat().st_size
    day.page.keyboard.press("Escape")


def opens_the_item_and_sees_which_uploads_moved_it(day: Day) -> None:
    day.choose("Open an item", "Oat milk 1 l · Berlin")
    expect(day.page.get_by_role("heading", name="Oat milk 1 l", exact=True)).to_be_visible()
    expect(day.cells("berlin-sold-out.csv").first).to_be_attached()
    day.reads("Times out of stock")


def corrects_the_count_by_hand(day: Day) -> None:
    day.fill("The count is", "24")
    day.fill("Why (optional)", "found in the cellar")
    day.click("Correct the count")
    day.reads("1 row: 1 changed. 1 stream record expected, 1 seen.")
    expect(day.cells("0 -> 24").first).to_be_attached()


def looks_at_the_table_as_it_was_yesterday(day: Day) -> None:
    day.click("All items")
    then = datetime.now(UTC) - timedelta(days=1)
    day.open(f"stock?at={then:%Y-%m-%dT%H:%M:%SZ}", "Stock")
    day.reads("The past.", "nothing here can be corrected")
    day.click("Back to now")
    day.reads("11 items.")


def reads_an_old_receipt_by_its_rows(day: Day) -> None:
    day.go("Uploads")
    day.choose("Open an upload", "berlin-sold-out.csv")
    day.reads("3 changed", "Show")
    expect(day.cells("Oat milk 1 l").first).to_be_attached()


def compares_it_with_the_one_before(day: Day) -> None:
    day.page.get_by_test_id("stMain").get_by_text("Compare", exact=True).first.click()
    at_rest(day.page)
    if day.page.get_by_text("What became of their rows").count() == 0:  # nothing was suggested
        day.choose("Compare with", "berlin.csv")
    day.reads("What became of their rows", "with the same count in both")


def undoes_it_and_what_was_corrected_since_stays(day: Day) -> None:
    day.page.get_by_test_id("stMain").get_by_text("Undo", exact=True).first.click()
    day.reads("It would put back 2 counts", "It would leave 1 count alone")  # the corrected one
    day.click("Undo this upload")
    day.reads("Undone. An undo is an upload like any other", "2 stream records expected, 2 seen.")


def acknowledges_an_alert_with_a_note(day: Day) -> None:
    day.go("Alerts")
    grid = day.page.get_by_test_id("stDataFrame").first
    grid.click(position={"x": 15, "y": 52})  # the box of the first row
    day.fill("Note", "Ordered, comes on Friday")
    day.click("Acknowledge")
    day.reads("acknowledged. It stays open until its count rises.")


def sets_a_reorder_point_and_what_is_low_is_told(day: Day) -> None:
    day.fill("For all stores and items", "20")
    day.click("Save the reorder points")
    day.reads(", 4 low")  # see the counts at this point of the day; what matters is that there are any
    day.go("Stock")
    day.page.get_by_test_id("stMain").get_by_text("Low", exact=True).first.click()
    day.reads("4 of 11 items.")


def sets_quiet_hours(day: Day) -> None:
    day.go("Alerts")
    at_rest(day.page)
    day.page.locator("summary").get_by_text("Change", exact=True).click()  # the expander under “Quiet hours”
    none = day.page.get_by_text("All stores: none")

    def saved() -> bool:
        day.click("Save")
        try:
            none.wait_for(state="hidden", timeout=5_000)
        except TimeoutError:
            return False
        return True

    until(saved)


def sends_a_test_message_and_is_told_where_it_went(day: Day) -> None:
    day.click("Send a test message")
    day.reads("Nobody is subscribed")  # the words of services.words.trial for nobody; with a subscriber: its address


def the_engine_dies_while_a_file_is_received_and_the_page_heals_by_itself(day: Day) -> None:
    day.go("Overview")
    till = day.file("evening.csv", "Berlin,Evening tea,4", "Berlin,Evening soup,0")
    try:
        stack = stacks.connect({"STOCKTRAIL_HOME": str(day.state)})
        upload_id = uploads.send(stack, till.name, till.read_bytes())
        os.kill(engine.status(day.state).pid or 0, signal.SIGKILL)
        expect(day.page.get_by_text("What was received is safe. Files sent since")).to_be_visible(timeout=60_000)
        again = stacks.connect({"STOCKTRAIL_HOME": str(day.state)})
        until(lambda: upload_id in {one.upload_id for one in uploads.recent(again)}, seconds=60)
        *_, receipt = uploads.follow(again, upload_id)
        assert (receipt.state, receipt.fates["inserted"], receipt.alerts) == ("loaded", 2, 1)
    finally:
        engine.detach(day.state)


def finds_what_was_received_before_that(day: Day) -> None:
    expect(day.cells("Evening soup").first).to_be_attached()
    day.go("Changes")
    expect(day.cells("new: 4").first).to_be_attached()


def finds_nothing_broken_on_any_page(day: Day) -> None:
    for path, heading in PAGES.items():
        day.open(path, heading)
        expect(day.page.get_by_test_id("stException")).to_have_count(0)
        for box in ("document.documentElement", "document.querySelector('[data-testid=stMain]')"):
            assert day.page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth"), f"{heading}: {box}"


Step = Callable[[Day], None]
STEPS: tuple[Step, ...] = (
    opens_the_overview_and_there_is_nothing_yet,
    sends_the_files_of_two_stores_at_once,
    sees_on_the_overview_what_is_out,
    sees_each_change,
    sees_the_alert,
    sends_the_same_file_again_and_is_told_why_nothing_happens,
    sends_what_sold_out,
    sees_one_alert_open_and_one_in_the_history,
    follows_a_file_through_the_pipeline,
    finds_an_item_by_its_name,
    takes_the_stock_away_as_a_file,
    opens_the_item_and_sees_which_uploads_moved_it,
    corrects_the_count_by_hand,
    looks_at_the_table_as_it_was_yesterday,
    reads_an_old_receipt_by_its_rows,
    compares_it_with_the_one_before,
    undoes_it_and_what_was_corrected_since_stays,
    acknowledges_an_alert_with_a_note,
    sets_a_reorder_point_and_what_is_low_is_told,
    sets_quiet_hours,
    sends_a_test_message_and_is_told_where_it_went,
    the_engine_dies_while_a_file_is_received_and_the_page_heals_by_itself,
    finds_what_was_received_before_that,
    finds_nothing_broken_on_any_page,
)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_managers_day(browser: Browser, tmp_path: Path, width: int):
    with running(tmp_path) as address:
        context = browser.new_context(viewport={"width": width, "height": 900}, timezone_id="Europe/Berlin")
        day = Day(context.new_page(), address, tmp_path, phone=width < 768)
        for step in STEPS:
            try:
                step(day)
            except BaseException as error:
                error.add_note(f"In the step: {step.__name__.replace('_', ' ')}")
                day.page.screenshot(path=tmp_path / "failed.png")
                raise
        context.close()

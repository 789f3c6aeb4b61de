"""The story, played in a real browser on a dashboard of its own: Chromium, `streamlit run`, the embedded engine.

The tables are drawn on a canvas; what they hold is read off the grid that stands in it for those who can't see.
"""

import csv
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from services import uploads
from services.stack import Stack
from tests.browser.conftest import Open
from tests.conftest import SAMPLES, sent
from tests.conftest import csv as csv_of
from tests.dashboard import at_rest, cells, drop, file, holds, pick, running, send
from tests.waiting import until

ROOT = SAMPLES.parent


def test_the_story(opened: Open):
    page = opened("upload")
    alerts = opened("alerts")
    expect(alerts.get_by_text("Open: 0 items out of stock")).to_be_visible()

    send(page, SAMPLES / "berlin.csv")
    holds(page, "6 rows: 6 new. 6 stream records expected, 6 seen. 1 alert.", "Stream records seen 6 of 6")

    send(page, SAMPLES / "berlin.csv")
    holds(page, "All 6 rows were already up to date. DynamoDB writes a stream record only when data changes")
    holds(page, "No stream record is expected", "Stream records seen 0 of 0")

    send(page, SAMPLES / "berlin.csv", "Stamp")
    holds(page, "6 stream records expected, 6 seen. 0 alerts.", "Stream records seen 6 of 6")

    send(page, SAMPLES / "berlin-last-month.csv", "Newest wins")
    holds(page, "6 rows: 6 older than what is known.", "the newer counts stayed")
    expect(cells(page, "stays 36 (file: 60)")).to_have_count(1)

    send(page, SAMPLES / "berlin-sold-out.csv")
    holds(page, "3 stream records expected, 3 seen. 1 alert.", "Out of stock: Berlin · Oat milk 1 l (36")
    still = alerts.get_by_test_id("stDataFrame").first  # the open ones come first
    milk = still.locator("canvas td", has_text="Oat milk 1 l")
    expect(milk).to_have_count(1)  # without a reload
    expect(alerts.get_by_text("Open: 1 item out of stock")).to_be_visible()  # the rolls are back in stock

    send(page, SAMPLES / "berlin-sold-out.csv")
    send(page, SAMPLES / "berlin-sold-out.csv", "Stamp")
    holds(page, "6 stream records expected, 6 seen. 0 alerts.")
    alerts.reload()
    expect(alerts.get_by_text("Open: 1 item out of stock")).to_be_visible()
    expect(milk).to_have_count(1)


def test_clicks_on_send_send_once(opened: Open, tmp_path: Path):
    page = opened("upload")
    pick(page, file(tmp_path, "twice.csv", "Twice,Tea,3"))
    # Some come while the first one is at work, whatever the machine's speed.
    clicks = "button => { for (const after of [0, 5, 10, 20, 40, 80, 160]) setTimeout(() => button.click(), after) }"
    page.get_by_role("button", name="Send", exact=True).evaluate(clicks)
    holds(page, "1 row: 1 new. 1 stream record expected, 1 seen. 0 alerts.")
    pipeline = opened("pipeline")
    sent = pipeline.locator("canvas table", has_text="Records seen").locator("td", has_text="twice.csv")
    expect(sent.first).to_be_attached()
    expect(sent).to_have_count(1)


def test_the_way_of_an_upload_is_a_click_away_and_can_be_read_on_a_phone(opened: Open, tmp_path: Path):
    page = opened("upload", width=390)
    send(page, file(tmp_path, "way.csv", "Way,Tea,3"))
    page.get_by_role("link", name="Its way").click()
    holds(page, "What the Lambdas logged of it")
    expect(cells(page, "loading way.csv").first).to_be_attached()
    place = until(page.locator(".annotation-text", has_text="Notifications").bounding_box)
    assert 0 < place["x"] < place["x"] + place["width"] < 390


def test_a_file_that_names_no_store_is_asked_for_it(opened: Open, tmp_path: Path):
    page = opened("upload")
    (tmp_path / "nameless.csv").write_text("item,count\nHoney,4\n")
    pick(page, tmp_path / "nameless.csv")
    holds(page, "The file does not say which store it is for.")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    page.get_by_role("combobox", name="The file does not say").fill("Kiosk")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Send", exact=True).click()
    holds(page, "1 row: 1 new.")
    expect(cells(page, "Kiosk")).to_have_count(1)


def test_names_from_files_are_shown_as_text(opened: Open, tmp_path: Path):
    page = opened("upload")
    name = "**b** :material/delete: :smile: $x$ [l](http://a.example) <b>q</b> -> _u_ `c`"
    send(page, file(tmp_path, "names.csv", f"Names,{name},0"))
    told = page.get_by_text("Out of stock:").first.inner_text().replace("\u2060", "")
    assert name in told


def test_an_empty_overview_takes_a_sample_with_one_click(opened: Open, tmp_path: Path):
    with running(tmp_path) as address:
        page = opened(at=address)
        waiting = opened(at=address)
        holds(waiting, "There is no stock yet.")
        page.get_by_role("button", name="berlin.csv").click()
        holds(page, "6 rows: 6 new. 6 stream records expected, 6 seen. 1 alert.")
        expect(page.get_by_test_id("stMetric").first).to_contain_text("1")
        expect(waiting.get_by_test_id("stMetric").first).to_contain_text("1")  # it goes on by itself


def choose(page: Page, label: str, option: str, then: str) -> None:
    """Pick an option of a select on a page that is at rest, and wait for what only the run after it draws."""
    at_rest(page)
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()
    holds(page, then)


def test_a_file_of_unknown_headings_is_mapped_by_hand_and_the_next_one_by_itself(opened: Open, tmp_path: Path):
    page = opened("upload")
    (tmp_path / "till.csv").write_text("Ref;Stk;Shop\nScones;7;Mapped\nJam;none;Mapped\n")
    pick(page, tmp_path / "till.csv")
    holds(page, "Which column is the count?")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    choose(page, "Count", "Stk", "Which column names the item?")
    choose(page, "Item", "Ref", "“Stk” is the count")
    choose(page, "Store", "Shop", "“Shop” is the store")
    holds(page, "Will be remembered for files like this", "2 rows: 1 new, 1 not usable.")
    expect(cells(page, "Scones").first).to_be_attached()
    page.get_by_role("button", name="Send", exact=True).click()
    holds(page, "2 rows: 1 new, 1 not usable. 1 stream record expected, 1 seen.")

    (tmp_path / "next.csv").write_text("Ref;Stk;Shop\nScones;0;Mapped\n")
    pick(page, tmp_path / "next.csv")
    holds(page, "Read as you said for files like this", "1 row: 1 changed.")
    page.get_by_role("button", name="Send", exact=True).click()
    holds(page, "1 row: 1 changed. 1 stream record expected, 1 seen. 1 alert.")

    pick(page, tmp_path / "next.csv")
    at_rest(page)
    page.get_by_role("button", name="Forget", exact=True).first.click()
    holds(page, "Which column is the count?")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()


def test_a_file_dropped_into_the_bucket_waits_is_answered_by_clicks_and_loads(opened: Open, stack: Stack):
    overview = opened()
    drop(stack, "dropped.csv", b"SKU,Location,On hand,Available\nPlum,Dropped,4,3\n")
    holds(overview, "1 file waits for an answer")
    page = opened("upload")
    holds(page, "Waiting for an answer", "dropped.csv", "It could be “On hand”, “Available”.")
    expect(page.get_by_role("button", name="Use this")).to_be_disabled()
    choose(page, "Count", "Available", "1 row: 1 new.")
    page.get_by_role("button", name="Use this").click()
    holds(page, "1 row: 1 new. 1 stream record expected, 1 seen. 0 alerts.")
    expect(page.get_by_role("button", name="Use this")).to_have_count(0)
    expect(cells(page, "Plum")).to_have_count(1)
    expect(overview.get_by_text("waits for an answer")).to_have_count(0)
    assert [one.state for one in uploads.recent(stack) if one.file == "dropped.csv"] == ["loaded"]


def test_the_rows_to_mend_are_downloaded_with_their_reasons(opened: Open, tmp_path: Path):
    page = opened("upload")
    pick(page, file(tmp_path, "torn.csv", "Mend,Figs,3", "Mend,Dates,many"))
    holds(page, "2 rows: 1 new, 1 not usable.")
    assert mended(page, "torn-to-mend.csv") == [REASONED, ["Mend", "Dates", "many", NO_NUMBER]]
    page.get_by_role("button", name="Send", exact=True).click()
    holds(page, "1 stream record expected, 1 seen.")
    assert mended(page, "torn-to-mend.csv") == [REASONED, ["Mend", "Dates", "many", NO_NUMBER]]


def test_a_file_stays_for_who_asked_for_it_whatever_is_drawn_meanwhile(opened: Open, stack: Stack):
    sent(stack, csv_of("Away", "Tea,3"))
    page, other = opened("stock"), opened("changes")
    at_rest(page)
    page.get_by_role("button", name="Export").click()
    asked: list[Route] = []

    def keep(route: Route) -> None:
        asked.append(route)

    page.route("**/media/**", keep)
    with page.expect_request("**/media/**"):
        page.get_by_role("button", name="CSV", exact=True).click()
    for _ in range(3):
        other.reload()
        at_rest(other)
    answer = asked[0].fetch()
    assert (answer.status, "Tea" in answer.text()) == (200, True)
    asked[0].abort()
    page.unroute("**/media/**")


REASONED = ["store", "item", "count", "reason"]
NO_NUMBER = "count: not a number such as 12, 39.5 or -3"


def mended(page: Page, name: str) -> list[list[str]]:
    """The rows of the file to mend, downloaded."""
    at_rest(page)
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Rows to mend ({name})").click()
    assert download.value.suggested_filename == name
    return list(csv.reader(download.value.path().read_text().splitlines()))

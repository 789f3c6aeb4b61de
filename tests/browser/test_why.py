"""“Why?” in a real browser: from a row of an upload to the sentence, and from the bare page to a row of an upload."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from lambdas import receipts
from lambdas.loading import load
from lambdas.upload import Address, Upload, new_id
from services.stack import Stack
from tests.browser.conftest import Open
from tests.conftest import csv, sent
from tests.dashboard import at_rest, cells, first_box

NOTHING = "nothing changed, so DynamoDB wrote no record, so no alert was possible."


def tick(page: Page) -> None:
    """Pick the first row; on a phone it lies further down."""
    page.get_by_test_id("stDataFrame").first.scroll_into_view_if_needed()
    first_box(page)


def sentence(page: Page, said: str) -> None:
    expect(page.get_by_role("heading", level=2, name=re.compile(said))).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_row_of_an_upload_leads_to_the_sentence_that_says_why_nothing_happened(
    opened: Open, stack: Stack, width: int
):  # fmt: skip
    store = f"Why {width}"
    sent(stack, csv(store, "Tea,12"))
    receipt = sent(stack, csv(store, "Tea,12", "Jam,lots"))
    page = opened("uploads", width)
    page.goto(f"{page.url}?upload={receipt.upload_id}")
    expect(cells(page, "Tea")).to_have_count(1)
    at_rest(page)
    tick(page)
    page.get_by_role("link", name="Why? Tea").click()
    sentence(page, rf"^The table already held 12 from .+ \(stock\.csv\); {NOTHING}$")
    expect(page.get_by_text("stopped here")).to_have_count(1)
    expect(page.get_by_text("not reached")).to_have_count(4)
    page.get_by_text("Ids, for engineers").click()
    expect(cells(page, "unchanged")).to_have_count(1)
    page.reload()
    expect(cells(page, "unchanged")).to_have_count(1)  # what is shown stands in the address


def test_the_bare_page_offers_an_upload_and_then_a_row_that_is_not_usable(opened: Open, stack: Stack):
    sent(stack, csv("Why not", "Jam,lots"))
    page = opened("why")
    page.get_by_role("combobox", name="Upload").click()
    page.get_by_role("option").first.click()
    expect(cells(page, "lots")).to_have_count(1)
    at_rest(page)
    tick(page)
    sentence(page, rf"^Row 2, column count “lots”: not a number .+ {NOTHING}$")


def test_what_waits_is_followed_and_goes_on_by_itself_on_the_page(opened: Open, stack: Stack):
    upload = Upload(new_id(), Address(stack.settings.bucket, ""), "slow.csv")
    data = csv("Slow", "Tea,5")
    made = stack.s3.put_object(Bucket=stack.settings.bucket, Key="trial/slow.csv", Body=data)
    upload = replace(upload, address=replace(upload.address, key="trial/slow.csv", version=made["VersionId"]))
    receipts.received(stack.dynamodb, stack.settings.uploads_table, upload)
    page = opened("why")
    page.goto(f"{page.url}?upload={upload.id}&item=Slow%2FTea")
    sentence(page, "^slow.csv was received and waits for the loader")
    expect(page.get_by_text("under way")).to_have_count(1)
    load(stack.world, upload, "run")
    sentence(page, "^Tea is new with 5; it did not fall to zero")
    expect(page.get_by_text("under way")).to_have_count(0)

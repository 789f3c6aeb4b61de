"""The Uploads page: the history with its filters and pages, one upload with its rows, and one beside another."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lambdas import tables, times
from lambdas.fates import Fate, Mode
from lambdas.upload import lowest_id, new_id, time_of
from local import engine
from services import changes, uploads, words
from services import stack as stacks
from services.stack import Stack
from services.uploads import Receipt
from tests.conftest import SAMPLES, csv, sent
from tests.test_pages import at_home, opened, said, table, upload_id
from ui import delivery, fatebar, history, one_upload, plain
from ui.history import Asked


@pytest.fixture(scope="module")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Berlin's file twice, and without oat milk; one with mistakes; one that is no stock file; one that waits."""
    folder = tmp_path_factory.mktemp("uploads")
    stack = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(folder)})
    for name in ("berlin", "berlin", "berlin-sold-out", "oslo-with-mistakes"):
        sent(stack, (SAMPLES / f"{name}.csv").read_bytes(), name=f"{name}.csv")
    sent(stack, b"%PDF-1.4", name="no-stock.csv")
    sent(stack, b"SKU,Shop,Qty,Stock\nP1,Stalled,4,3\n", name="stalled.csv")
    yield folder
    engine.detach(folder)


@pytest.fixture
def stack(filled_home: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The stack that the page is about."""
    at_home(filled_home, monkeypatch)
    return stacks.connect(os.environ)


def page(**query: str) -> AppTest:
    return opened("pages/uploads.py", **query)


def files(**query: str) -> list[str]:
    """The names of the uploads that the history tells of."""
    app = page(**query)
    return list(table(app, "what it did")["file"]) if app.dataframe else []


# --- the history ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stack")
def test_the_history_tells_of_every_upload_newest_first_what_it_did():
    frame = table(page(), "what it did")
    assert list(zip(frame["file"], frame["state"], frame["what it did"], strict=True))[2:] == [
        ("oslo-with-mistakes.csv", "✓ done", "2 new, 1 repeated in the file, 3 not usable"),
        ("berlin-sold-out.csv", "✓ done", "3 changed, 3 already up to date"),
        ("berlin.csv", "✓ done", "6 already up to date"),
        ("berlin.csv", "✓ done", "6 new"),
    ]
    assert list(frame["state"])[:2] == ["? needs an answer", "✕ not loaded"]
    assert frame["what it did"][1].startswith("Could not be loaded. ")
    assert list(frame["records"])[2:] == ["2 of 2", "3 of 3", "0 of 0", "6 of 6"]
    assert list(frame["alerts"])[2:] == [0, 1, 0, 1]


@pytest.mark.usefixtures("stack")
def test_the_fates_stand_there_in_words_and_as_a_bar():
    row = table(page(q="sold-out"), "what it did").iloc[0]
    of = {fate.value: 0 for fate in Fate} | {"changed": 3, "unchanged": 3}
    assert (row["what it did"], row["fates"]) == (words.fates(of), fatebar.image(of))


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "SOLD"}, ["berlin-sold-out.csv"]),
        ({"state": "Not loaded"}, ["no-stock.csv"]),
        ({"state": "Needs an answer"}, ["stalled.csv"]),
        ({"effect": "Changed nothing"}, ["no-stock.csv", "berlin.csv"]),
        ({"effect": "Changed something", "q": "berlin"}, ["berlin-sold-out.csv", "berlin.csv"]),
        ({"q": "no such file"}, []),
    ],
)
def test_the_filters_of_the_history_stand_in_the_address(query: dict[str, str], names: list[str]):
    assert files(**query) == names


@pytest.mark.usefixtures("stack")
def test_an_upload_is_found_by_its_id():
    wanted = upload_id("berlin-sold-out.csv")
    assert files(q=plain.short(wanted)) == ["berlin-sold-out.csv"]


@pytest.mark.usefixtures("stack")
def test_the_days_of_the_filter_are_whole_ones_and_the_last_is_among_them():
    today, yesterday = times.now()[:10], times.later(times.now(), days=-1)[:10]
    app = page()
    app.date_input(key="days").set_value((_day(yesterday), _day(today))).run()
    assert len(table(app, "what it did")) == 6
    app.date_input(key="days").set_value((_day(yesterday), _day(yesterday))).run()
    assert not app.dataframe
    assert "No upload fits." in said(app)


@pytest.mark.usefixtures("stack")
def test_older_ones_of_some_days_are_those_below_the_page(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "_WINDOW", 2)
    monkeypatch.setattr(history, "PAGE", 1)
    app, today = page(), times.now()[:10]
    app.date_input(key="days").set_value((_day(times.later(times.now(), days=-1)[:10]), _day(today))).run()
    first = list(table(app, "what it did")["file"])
    next(one for one in app.button if one.label == "Older").click().run()
    assert (first, list(table(app, "what it did")["file"])) == (
        ["stalled.csv", "no-stock.csv"], ["oslo-with-mistakes.csv", "berlin-sold-out.csv"],
    )  # fmt: skip


def _day(text: str) -> Any:
    return times.moment(f"{text}T00:00:00.000000Z").date()


def test_an_empty_history_says_what_to_do(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path_factory.mktemp("no-uploads")
    at_home(folder, monkeypatch)
    assert "No file has been sent yet." in said(page())
    engine.detach(folder)


# --- pages of a year -----------------------------------------------------------------------------------------------


@pytest.fixture
def year(stack: Stack) -> Iterator[list[str]]:
    """Settled receipts of the last ten months, three of each, as they lie in the table; their ids, newest first."""
    made = []
    for months in range(1, 11):
        for day in (1, 2, 3):
            at = times.later(times.now(), days=-30 * months + day)
            made.append(new_id(times.moment(at)))
            tables.batch_put(stack.dynamodb, stack.settings.uploads_table, [tables.to_item(receipt(made[-1]))])
    yield sorted(made, reverse=True)
    for one in made:
        stack.dynamodb.delete_item(TableName=stack.settings.uploads_table, Key=tables.to_item({"UploadId": one}))


def receipt(of: str) -> dict[str, Any]:
    """A loaded upload that changed nothing, settled."""
    at = time_of(of)
    item = {"UploadId": of, "Month": at[:7], "Name": "old.csv", "Mode": "newest", "ReceivedAt": at, "LoadedAt": at}
    none = {"seen": 0, "checked": 0, "opened": 0, "reads": 0, "writes": 0}
    return item | {"Rows": 1, "Fates": {"unchanged": 1}, "Expected": 0, "Settled": none}


def test_a_year_of_uploads_is_read_by_pages_each_once_and_in_order(stack: Stack, year: list[str]):
    every = uploads.recent(stack, 1000)
    assert [one.upload_id for one in every if one.file == "old.csv"] == year
    found: list[Receipt] = []
    while part := uploads.recent(stack, 7, found[-1].upload_id if found else None):
        found += part
    assert found == every


def test_what_was_sent_before_a_moment_is_asked_by_that_moment(stack: Stack, year: list[str]):
    third = time_of(year[2])
    assert [one.upload_id for one in uploads.recent(stack, 1000, lowest_id(third))] == year[3:]


def test_an_older_page_of_settled_uploads_is_asked_of_the_index_alone(stack: Stack, year: list[str]):
    with asked(stack.dynamodb) as requests:
        assert len(uploads.recent(stack, 6, year[0])) == 6
    assert set(requests) == {"Query"}
    assert len(requests) <= 4  # of months


@contextmanager
def asked(client: Any) -> Iterator[list[str]]:
    """The names of the requests that a client makes meanwhile."""
    found: list[str] = []

    def hook(model: Any, **_: Any) -> None:
        found.append(model.name)

    client.meta.events.register("before-call", hook)
    try:
        yield found
    finally:
        client.meta.events.unregister("before-call", hook)


def test_the_history_looks_further_back_for_what_fits_and_goes_on_below_it(
    year: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history, "_WINDOW", 10)
    monkeypatch.setattr(history, "PAGE", 12)
    app = page(q="old.csv")
    assert len(table(app, "what it did")) == 14  # 4 of the first ten, and ten more
    next(one for one in app.button if one.label == "Older").click().run()
    assert len(table(app, "what it did")) == 16
    assert app.query_params["before"] == year[13]
    assert not [one for one in app.button if one.label == "Older"]
    next(one for one in app.button if one.label == "Back to the newest").click().run()
    assert len(table(app, "what it did")) == 14


@pytest.mark.usefixtures("stack")
def test_another_filter_begins_with_the_newest():
    app = page(before=upload_id("berlin-sold-out.csv"))
    assert list(table(app, "what it did")["file"]) == ["berlin.csv", "berlin.csv"]
    app.text_input(key="q").set_value("oslo").run()
    assert list(table(app, "what it did")["file"]) == ["oslo-with-mistakes.csv"]
    assert files(before=upload_id("berlin-sold-out.csv"), q="berlin") == ["berlin.csv", "berlin.csv"]  # as it was left


@pytest.mark.usefixtures("stack")
def test_an_address_with_a_page_that_is_none_shows_the_newest():
    assert files(before="yesterday")[0] == "stalled.csv"


def test_what_fits_is_told_by_what_an_upload_did(stack: Stack):
    nothing, something = Asked(effect=history.QUIET), Asked(effect=history.MOVED)
    by_file = {one.file: one for one in uploads.recent(stack)[::-1]}
    assert something.fits(by_file["berlin-sold-out.csv"])
    assert not nothing.fits(by_file["berlin-sold-out.csv"])
    assert nothing.fits(by_file["no-stock.csv"])
    assert not nothing.fits(by_file["stalled.csv"])  # nobody knows yet


# --- one upload ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stack")
def test_an_upload_opens_to_its_receipt_its_stages_and_its_rows():
    wanted = upload_id("berlin-sold-out.csv")
    app = page(upload=wanted)
    assert "berlin-sold-out.csv" in [one.value.replace("\\", "") for one in app.subheader]
    assert "6 rows: 3 changed, 3 already up to date. 3 stream records expected, 3 seen. 1 alert." in said(app)
    assert f"Newest wins · {wanted}" in said(app)
    assert len(table(app, "fate")) == 6
    assert app.pills(key="which-fate").options == ["● changed 3", "✓ already up to date 3"]


@pytest.mark.usefixtures("stack")
def test_the_rows_of_an_upload_are_chosen_by_fate_and_searched_in_the_address():
    wanted = upload_id("berlin-sold-out.csv")
    changed = table(page(upload=wanted, fate="changed"), "fate")
    assert set(changed["counts"]) == {"36 -> 0", "0 -> 24", "420 -> 385"}
    one = table(page(upload=wanted, find="OAT"), "fate")
    assert list(one["item"]) == ["Oat milk 1 l"]
    assert len(table(page(upload=wanted, find="BERL"), "fate")) == 6  # by their store
    assert "No row fits." in said(page(upload=wanted, find="OAT", fate="unchanged"))


@pytest.mark.usefixtures("stack")
def test_rows_that_are_not_usable_stand_among_them_with_what_they_held_and_why():
    wrong = table(page(upload=upload_id("oslo-with-mistakes.csv"), fate="rejected"), "fate")
    assert list(zip(wrong["row"], wrong["column"], wrong["counts"], strict=True)) == [
        ("3", "count", ""), ("4", "count", "about 200"), ("5", "item", ""),
    ]  # fmt: skip
    assert wrong["why"].str.len().min() > 10


@pytest.mark.usefixtures("stack")
def test_why_nothing_happened_is_said_on_the_uploads_own_page():
    app = page(upload=upload_id("berlin.csv"))
    assert "All 6 rows were already up to date. DynamoDB writes a stream record only when data changes" in said(app)
    assert "Undo" not in app.segmented_control(key="show").options


@pytest.mark.usefixtures("stack")
def test_an_uploads_records_and_alerts_are_a_choice_away():
    wanted = upload_id("berlin-sold-out.csv")
    records = table(page(upload=wanted, show="Records"), "event")
    assert dict(zip(records["item"], records["change"], strict=True))["Oat milk 1 l"] == "36 -> 0"
    app = page(upload=wanted, show="Alerts")
    alerts = table(app, "lasted")
    assert list(zip(alerts["item"], alerts["change"], alerts["lasted"], strict=True)) == [
        ("Oat milk 1 l", "36 -> 0", "still open")
    ]
    assert "It raised 1 alert: 1 item ran out. Still open: 1." in said(app)
    app = page(upload=upload_id("berlin.csv", earliest=True), show="Alerts")
    assert "Still open: 0." in said(app)
    ended = table(app, "lasted")
    assert list(ended["change"]) == ["new: 0"]
    assert ended["closed"].notna().all()
    assert "It raised no alert." in said(page(upload=upload_id("berlin.csv"), show="Alerts"))
    assert "DynamoDB wrote no stream record for it" in said(page(upload=upload_id("berlin.csv"), show="Records"))


@pytest.mark.usefixtures("stack")
def test_of_many_records_it_is_said_which_are_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(one_upload, "_RECORDS", 2)
    wanted = upload_id("berlin.csv", earliest=True)
    app = page(upload=wanted, show="Records")
    first = [one.item for one in changes.of_upload(stacks.connect(os.environ), wanted)][:2]
    assert sorted(table(app, "event")["item"]) == sorted(first)
    assert "The first 2 of 6." in said(app)


@pytest.mark.usefixtures("stack")
def test_an_upload_that_failed_or_waits_says_so_and_what_to_do():
    failed = page(upload=upload_id("no-stock.csv"))
    assert "Could not be loaded." in said(failed)
    assert not failed.segmented_control
    assert "Waits for an answer." in said(page(upload=upload_id("stalled.csv")))


@pytest.mark.usefixtures("stack")
def test_an_id_that_no_upload_has_gets_a_plain_sentence():
    told = said(page(upload="20200101T000000000000-00000000"))
    assert "There is no upload with the id “20200101T000000000000-00000000”." in told
    assert "There is no upload" in said(page(upload="**x**"))


# --- two uploads ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stack")
def test_the_earlier_upload_of_the_same_file_name_is_compared_with_first():
    app = page(upload=upload_id("berlin.csv"), show="Compare")
    assert app.selectbox(key="compare-with").value == upload_id("berlin.csv", earliest=True)
    assert "The two files say the same: 6 items with the same count in both." in said(app)


@pytest.mark.usefixtures("stack")
def test_two_uploads_tell_on_which_items_their_files_differ_and_how_their_fates_do():
    odd, both = ({"with": upload_id(name)} for name in ("oslo-with-mistakes.csv", "berlin.csv"))
    app = page(upload=upload_id("berlin-sold-out.csv"), **odd)
    kinds = table(app, "then")["what"].value_counts().to_dict()
    assert kinds == {"− only in the earlier file": 6, "✚ only in the later file": 2}
    near = page(upload=upload_id("berlin-sold-out.csv"), **both)
    differ = table(near, "then")
    assert list(zip(differ["item"], differ["then"], differ["now"], strict=True)) == [
        ("Cinnamon rolls", 0, 24), ("Oat milk 1 l", 36, 0), ("Paper cups 250 ml", 420, 385),
    ]  # fmt: skip
    assert "No item fits." in said(page(upload=upload_id("berlin-sold-out.csv"), find="none", **both))
    other = page(upload=upload_id("berlin-sold-out.csv"), differ="missing", **odd)
    assert set(table(other, "then")["what"]) == {"− only in the earlier file"}
    fates = table(near, "later").set_index("rows")
    assert (fates.loc["changed", "earlier"], fates.loc["changed", "later"]) == (0, 3)
    assert "There is no loaded upload with the id" in said(
        page(upload=upload_id("berlin.csv"), **{"with": "20200101T000000000000-00000000"})
    )


# --- many at once --------------------------------------------------------------------------------------------------


def test_the_receipts_of_many_are_told_as_one(stack: Stack):
    first = sent(stack, csv("Many", "Tea,3", "Jam,0"))
    second = sent(stack, csv("Many", "Tea,4", "Jam,0"), Mode.NEWEST)
    assert delivery.together([first, second]) == (
        "2 files, 4 rows: 1 changed, 2 new, 1 already up to date. 3 stream records expected, 3 seen. 1 alert."
    )
    failed = uploads.receipt(stack, upload_id("no-stock.csv"))
    assert delivery.together([second, failed]).endswith("0 alerts. 1 file not loaded.")

"""The Upload page: how a file is understood, corrected, sent, remembered and forgotten; over a real engine."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from local import engine
from services import stack as stacks
from services import stock, uploads
from services.stack import Stack
from tests.conftest import SAMPLES, sent
from tests.dialects import DIALECTS
from tests.test_pages import at_home, opened, said, table
from tests.waiting import until
from ui import missing, receipts, rows, tables


@pytest.fixture(scope="module")
def pages_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("upload-page")
    yield folder
    engine.detach(folder)


@pytest.fixture
def stack(pages_home: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The stack that the page is about."""
    at_home(pages_home, monkeypatch)
    return stacks.connect(os.environ)


def picked(*files: tuple[str, bytes]) -> AppTest:
    """The Upload page with files picked."""
    app = opened("pages/upload.py")
    return pick(app, *files)


def pick(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files])
    return ran(app)


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def choose(app: AppTest, part: str, option: str) -> AppTest:
    """Choose in the select of a part of the mapping."""
    next(one for one in app.selectbox if str(one.key).startswith(f"{part}-")).set_value(option)
    return ran(app)


def tick(app: AppTest, label: str) -> AppTest:
    next(one for one in app.checkbox if one.label == label).check()
    return ran(app)


def click(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click()
    return ran(app)


def can_send(app: AppTest) -> bool:
    return not next(one for one in app.button if one.label.startswith("Send")).disabled


def read(app: AppTest) -> list[tuple[object, ...]]:
    """The first rows as they will be read: store, item, count."""
    frame = table(app, "count as read")
    return [tuple(row) for row in frame[["store", "item", "count as read"]].values]


def loaded(stack: Stack, name: str) -> dict[str, int]:
    """The fates, without zeros, of the latest upload of that name."""
    receipt = next(one for one in uploads.recent(stack) if one.file == name)
    until(lambda: uploads.receipt(stack, str(receipt.upload_id)).settled)
    fates = uploads.receipt(stack, str(receipt.upload_id)).fates
    return {fate: count for fate, count in fates.items() if count}


@pytest.mark.usefixtures("stack")
def test_a_picked_file_tells_how_it_is_understood_and_how_its_letters_are_read():
    told = said(picked(("wien.csv", (SAMPLES / "wien.csv").read_bytes())))
    assert "“Artikelnr”, else “Artikelname” is the **item** · “Bestand” is the **count**" in told
    assert "8,5 is eight and a half" in told
    assert "letters as in Western European (Windows): “Käsekrainer”, “Brötchen”" in told


def test_a_question_holds_sending_back_and_its_answer_is_what_the_loader_reads_with(stack: Stack):
    app = picked(("two.csv", b"SKU,Location,On hand,Available\nQ1,Asked,4,3\n"))
    assert "Which column is the count? It could be “On hand”, “Available”." in said(app)
    assert not can_send(app)
    assert read(choose(app, "count", "Available")) == [("Asked", "Q1", "3")]
    click(app, "Send")
    assert loaded(stack, "two.csv") == {"inserted": 1}
    assert "1 new" in said(app)
    again = pick(app, ("three.csv", b"SKU,Location,On hand,Available\nQ1,Asked,9,3\n"))
    assert "Read as you said for files like this" in said(again)
    assert can_send(again)
    assert "1 already up to date" in said(again)  # the 3 and not the 9


@pytest.mark.usefixtures("stack")
def test_what_was_said_is_listed_in_words_and_forgotten_by_a_click():
    app = picked(("odd.csv", b"Ding;Zahl;Ort\nTee;4;Known\n"))
    for part, column in (("count", "Zahl"), ("item", "Ding"), ("store", "Ort")):
        choose(app, part, column)
    click(app, "Send")
    listed = next(one for one in app.expander if one.label.startswith("Known files"))
    words = [str(one.value).replace("\\", "") for one in listed.markdown]
    assert "**Ding, Zahl, Ort**" in words
    assert "“Ding” is the **item** · “Zahl” is the **count** · “Ort” is the **store**" in words
    before = len(words)
    listed.button[words.index("**Ding, Zahl, Ort**") // 2].click()
    ran(app)
    after = [one for one in app.expander if one.label.startswith("Known files")]
    assert sum(len(one.markdown) for one in after) == before - 2
    assert not can_send(pick(app, ("odd.csv", b"Ding;Zahl;Ort\nTee;5;Known\n")))


def test_a_file_sent_as_it_was_understood_is_not_remembered(stack: Stack):
    before = uploads.saved(stack)
    click(picked(("plain.csv", b"store,item,count\nPlainly,Tea,1\n")), "Send")
    assert loaded(stack, "plain.csv") == {"inserted": 1}
    assert uploads.saved(stack) == before


@pytest.mark.usefixtures("stack")
def test_columns_can_be_chosen_one_for_each_store():
    app = picked(("wide.csv", b"code,North,South\nW1,4,5\nW2,,6\n"))
    choose(app, "count", "\0wide")
    assert "Which are the stores’ columns?" in said(app)
    assert not can_send(app)
    app.multiselect[0].set_value(["North", "South"])
    ran(app)
    assert read(app) == [("North", "W1", "4"), ("South", "W1", "5"), ("South", "W2", "6")]
    rows = table(app, "fate")
    assert list(zip(rows["row"], rows["column"], strict=True)) == [("2", "North"), ("2", "South"), ("3", "South")]


@pytest.mark.usefixtures("stack")
def test_a_file_without_headings_is_read_by_the_numbers_of_its_columns():
    app = picked(("bare.csv", b"12,Bare,B1\n7,Bare,B2\n"))
    assert "No row of headings was found." in said(app)
    choose(app, "count", "#1")
    choose(app, "item", "#3")
    choose(app, "store", "#2")
    assert read(app) == [("Bare", "B1", "12"), ("Bare", "B2", "7")]


@pytest.mark.usefixtures("stack")
def test_a_word_that_stands_where_a_count_should_can_be_said_to_mean_none():
    app = picked(("words.csv", b"store,item,count\nWordy,Tea,3\nWordy,Jam,not stocked\nWordy,Rum,\n"))
    app.toggle[0].set_value(True)
    ran(app)
    assert read(app)[1][2] == "✕ not usable"
    tick(app, "“not stocked” means 0")
    assert read(app)[1] == ("Wordy", "Jam", "0")
    assert "“not stocked” means 0" in said(app)
    assert list(table(app, "Reason")["Row"]) == [4]


def test_a_store_in_the_files_name_is_suggested_and_not_taken_and_can_be_always_the_one(stack: Stack):
    sent(stack, b"store,item,count\nKing Street,Tea,1\nQueen Street,Tea,1\n")
    app = picked(("stock_king-street_monday.csv", b"Produkt;Stueck\nTea;4\n"))
    choose(choose(app, "count", "Stueck"), "item", "Produkt")
    assert "King Street, as the file’s name says" in [one.label for one in app.button]
    assert not can_send(app)
    click(app, "King Street, as the file’s name says")
    assert read(app) == [("King Street", "Tea", "4")]
    tick(app, "Always, for files like this")
    assert "all of it is of the **store** “King Street”" in said(app)
    click(app, "Send")
    assert loaded(stack, "stock_king-street_monday.csv") == {"changed": 1}
    dropped = sent(stack, b"Produkt;Stueck\nTea;4\n", name="by-itself.csv")
    assert (dropped.state, dropped.store) == ("loaded", "King Street")


def test_stores_are_suggested_by_letters_and_digits_alone():
    assert missing.suggested("Berlin_Mitte 2026-11.csv", ["Berlin", "Berlin Mitte", "Bern"]) == [
        "Berlin Mitte",
        "Berlin",
    ]


@pytest.mark.usefixtures("stack")
def test_an_encoding_that_does_not_fit_is_said_and_taken_back_by_a_click():
    app = picked(("wien.csv", (SAMPLES / "wien.csv").read_bytes()))
    app.toggle[0].set_value(True)
    choose(ran(app), "encoding", "utf-8")
    assert "The file is not all utf-8 text" in said(app)
    assert not can_send(app)
    click(app, "Read it as before")
    assert can_send(app)


@pytest.mark.usefixtures("stack")
def test_two_files_of_one_name_can_be_picked_and_a_question_about_one_holds_both_back():
    row = b"store,item,count\nTwins,Tea,oops\nTwins,Jam,1\n"
    app = picked(("twin.csv", row), ("twin.csv", row))
    assert can_send(app)
    app = picked(("twin.csv", row), ("twin.csv", b"SKU,Site,Available,On hand,Stock\nQ1,Twins,4,3,2\n"))
    assert "1 file below with a question." in said(app)
    assert not can_send(app)


@pytest.mark.usefixtures("stack")
def test_changes_are_undone_by_a_click():
    app = picked(("undone.csv", b"store,item,count,other\nUndone,Tea,1,2\n"))
    app.toggle[0].set_value(True)
    choose(ran(app), "count", "other")
    assert read(app) == [("Undone", "Tea", "2")]
    click(app, "Undo my changes")
    assert read(app) == [("Undone", "Tea", "1")]


@pytest.mark.usefixtures("stack")
def test_every_dialect_is_drawn_with_its_form_open():
    for dialect in DIALECTS:
        app = picked((dialect.file, dialect.data))
        if app.toggle:
            app.toggle[0].set_value(True)
            ran(app)
        assert (dialect.refused or "") in said(app), dialect
        assert app.toggle or dialect.refused, dialect


def test_files_of_one_shape_that_are_picked_together_are_asked_about_once(stack: Stack):
    head = b"SKU,Outlet,Quantity,Available\n"
    app = picked(("one.csv", head + b"S1,Alike,4,3\n"), ("two.csv", head + b"S2,Alike,7,6\n"))
    assert len(app.warning) == 3  # two questions, and how many there are
    choose(app, "count", "Available")
    assert not app.warning
    click(app, "Send 2 files")
    assert loaded(stack, "one.csv") == loaded(stack, "two.csv") == {"inserted": 1}
    counts = {one.item: one.count for one in stock.of_store(stack, "Alike")}
    assert counts == {"S1": 3, "S2": 6}


@pytest.mark.usefixtures("stack")
def test_what_was_said_of_a_file_that_was_not_sent_is_not_said_of_the_next():
    data = b"SKU,Outlet,Qty,Available\nS1,Dropped,4,3\n"
    app = choose(picked(("one.csv", data)), "count", "Available")
    assert can_send(app)
    assert not can_send(pick(click(app, "Not now"), ("two.csv", data)))


def test_a_big_file_that_is_under_way_says_how_far_it_is(stack: Stack):
    receipt = sent(stack, b"Item,Store,Count\nTea,Far,3\nJam,Far,\n", name="far.csv")
    assert receipt.whole == 2
    under_way = replace(receipt, state="loading", rows=20_000, whole=100_000, loaded_at=None)
    assert receipts.stages(under_way)[2] == receipts.Stage("Rows applied 20,000 of 100,000", None, "now")
    assert receipts.stages(receipt)[2].label == "Rows applied"


def test_an_upload_that_waits_says_so_at_its_stage_and_on_the_pipeline(stack: Stack):
    receipt = sent(stack, b"SKU,Shop,Qty,Stock\nP1,Stalled,4,3\n", name="stalled.csv")
    assert [(one.label, one.step) for one in receipts.stages(receipt)][:3] == [
        ("In the bucket", "done"), ("Waiting for an answer", "asked"), ("Rows applied", "next"),
    ]  # fmt: skip
    state = table(opened("pages/pipeline.py", upload=str(receipt.upload_id)), "records seen").set_index("upload")[
        "state"
    ]
    assert state["stalled.csv"] == "? needs an answer"
    assert "1 file waits for an answer" in said(opened("app.py"))


def test_a_big_file_is_shown_by_its_first_rows_what_moves_first():
    line = {"store": "Big", "count": "1", "updated_at": ""}
    lines = [line | {"row": n, "item": f"i{n}", "fate": "unchanged"} for n in range(2, 10_000)]
    lines.append(line | {"row": 10_000, "item": "last", "fate": "changed", "was": "0"})
    told = rows.tell(lines)
    assert len(told.rows) == rows.AT_MOST
    assert tuple(told.rows.iloc[0][["item", "counts"]]) == ("last", "0 -> 1")


def test_what_looks_like_a_formula_is_escaped_in_our_download():
    made = tables.as_csv(pd.DataFrame({"item": ["=1+1", "Tea"], "count": [-3.0, None]}))
    assert made.decode("utf-8-sig").splitlines() == ["item,count", "'=1+1,-3.0", "Tea,"]

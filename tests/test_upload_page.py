"""The Upload page: how a file is understood, corrected, sent, remembered and forgotten; over a real engine."""

import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lambdas.fates import OF_FILES, Mode
from local import engine
from services import stack as stacks
from services import stock, uploads
from services.stack import Stack
from tests.conftest import SAMPLES, csv, sent
from tests.dialects import DIALECTS
from tests.test_pages import at_home, opened, said, table
from tests.test_uploads_page import asked
from tests.waiting import until
from ui import absent, columns, correction, delivery, missing, opening, receipts, rows, tables, waiting
from ui.absent import Absent


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


def test_a_choice_that_is_how_the_file_is_understood_anyway_says_nothing(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
):  # fmt: skip
    monkeypatch.setattr(st, "session_state", {})
    mark = "anyway"
    form = columns.Form(mark, uploads.opened(stack, b"store,item,count,other\nAnyway,Tea,1,2\n"))
    form.say(count="count")
    assert correction.said(mark) is None
    form.say(count="other")
    form.say(count="count")  # back again, before the page was drawn anew
    said_now = correction.said(mark)
    assert said_now is not None
    assert said_now.count == "count"


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
    assert missing.suggested("berlin-b.csv", ["B", "Berlin"]) == ["Berlin"]  # a letter is in any name


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
    assert "1 file waits for an answer" in said(opened("overview.py"))


def test_a_big_file_is_shown_by_its_first_rows_what_moves_first():
    line = {"store": "Big", "count": "1", "updated_at": ""}
    lines = [line | {"row": n, "item": f"i{n}", "fate": "unchanged"} for n in range(2, 10_000)]
    lines.append(line | {"row": 10_000, "item": "last", "fate": "changed", "was": "0"})
    told = rows.tell(lines)
    assert len(told.rest) == rows.AT_MOST
    assert [tuple(row) for row in told.moves[["item", "counts"]].values] == [("last", "0 -> 1")]


def test_what_looks_like_a_formula_is_escaped_in_our_download():
    made = tables.as_csv(pd.DataFrame({"item": ["=1+1", "Tea"], "count": [-3.0, None]}))
    assert made.decode("utf-8-sig").splitlines() == ["item,count", "'=1+1,-3.0", "Tea,"]


def test_the_preview_opens_what_changes_and_keeps_the_rest_a_click_away(stack: Stack):
    sent(stack, csv("Parted", "Tea,3", "Jam,5", "Rye,0"))
    app = picked(("parted.csv", csv("Parted", "Tea,4", "Jam,5", "Rye,0", "Figs,1")))
    assert "**What will change: 2 rows**" in said(app)
    assert list(table(app, "fate")["item"]) == ["Tea", "Figs"]
    rest = next(one for one in app.expander if "other rows" in one.label)
    assert rest.label == "2 other rows: 2 already up to date"
    assert list(rest.dataframe[0].value["item"]) == ["Jam", "Rye"]
    quiet = picked(("quiet.csv", csv("Parted", "Jam,5")))
    assert next(one for one in quiet.expander if "row" in one.label).proto.expanded


def test_the_preview_says_how_many_items_of_its_store_a_file_does_not_mention(stack: Stack):
    sent(stack, csv("Absent", "Tea,3", "Jam,5", "Rye,0"))
    said_of = "Absent has 2 more items that the file does not mention; they stay as they are."
    assert said_of in said(picked(("some.csv", csv("Absent", "Tea,4"))))
    assert "does not mention" not in said(picked(("all.csv", csv("Absent", "Tea,4", "Jam,5", "Rye,0"))))
    assert "does not mention" not in said(picked(("new.csv", csv("Nowhere yet", "Tea,4"))))


def test_an_item_without_a_count_is_not_one_that_a_file_does_not_mention():
    stocked = [stock.Stocked("A", item, count, None, None) for item, count in (("Jam", None), ("Rye", Decimal(3)))]
    lines = [{"store": "A", "item": "Tea"}, {"row": 3, "fate": "rejected"}]
    assert absent.absent(lines, stocked) == (Absent("A", 1),)


def test_why_only_times_moved_is_said(stack: Stack):
    sent(stack, csv("Times", "Tea,3"))
    assert receipts.why(sent(stack, csv("Times", "Tea,3"), Mode.STAMP)).startswith("Every count is what it was;")
    assert receipts.why(sent(stack, csv("Times", "Tea,4"), Mode.STAMP)) == ""


def test_what_many_stores_have_besides_is_told_of_the_first_and_summed_of_the_others():
    found = [Absent(name, count) for name, count in (("A", 9), ("B", 2), ("C", 1), ("D", 1), ("E", 1))]
    assert absent.said(found[:1]) == "A has 9 more items that the file does not mention; they stay as they are."
    assert absent.said(found[:2]).startswith("A has 9 more items and B has 2 more items that")
    assert "C has 1 more item and 2 other stores 2 that the file" in absent.said(found)
    assert absent.said([Absent("C", 1)]) == "C has 1 more item that the file does not mention; it stays as it is."


def test_each_way_to_apply_a_file_is_judged_as_its_own_preview_would_on_one_read_of_the_table(stack: Stack):
    head, at, past = "store,item,count,updated_at", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"
    sent(stack, csv("Ways", *(f"Item {n},{n % 3},{at}" for n in range(20)), header=head))
    told = (f"Item {n},{n % 4},{past}" if n % 2 else f"Item {n},{n % 3},{at}" for n in range(1, 22))
    data = csv("Ways", *told, f"Item 1,9,{past}", header=head)
    with asked(stack.dynamodb) as one:
        uploads.preview(stack, "ways.csv", data)
    with asked(stack.dynamodb) as all_of_them:
        made = uploads.foreseen(stack, "ways.csv", data, Mode.NEWEST, modes=OF_FILES)
    assert all_of_them == one
    for mode in OF_FILES:
        alone, lines = uploads.preview(stack, "ways.csv", data, mode)
        assert alone.fates == made.by_mode[mode].fates, mode
        assert (alone.alerts, alone.rows) == (made.by_mode[mode].alerts, len(lines)), mode
    assert len({str(of.fates) for of in made.by_mode.values()}) == 3
    big = uploads.foreseen(stack, "ways.csv", data, Mode.PLAIN, modes=OF_FILES, at_most=21)
    assert set(big.by_mode) == {Mode.PLAIN}


@pytest.mark.usefixtures("stack")
def test_a_big_file_is_compared_in_every_way_when_that_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opening, "_JUDGED", 1)
    app = picked(("big.csv", csv("Big ways", "Tea,0", "Jam,2")))
    assert not [one for one in app.dataframe if "way" in one.value.columns]
    next(one for one in app.toggle if one.label == "Compare with the other ways to apply it").set_value(True)
    assert list(table(ran(app), "way")["new"]) == [2, 2, 2]


@pytest.mark.usefixtures("stack")
def test_the_figures_of_each_way_stand_side_by_side():
    app = picked(("ways.csv", csv("Side", "Tea,0", "Jam,2")))
    ways = table(app, "way").set_index("way")
    assert list(ways.index) == ["● Newest wins", "Plain", "Stamp"]
    assert list(ways["new"]) == [2, 2, 2]
    assert list(ways["alerts"]) == [1, 1, 1]
    app.radio(key="mode").set_value(Mode.STAMP)
    assert "● Stamp" in list(table(ran(app), "way")["way"])


def test_the_same_content_as_an_earlier_upload_is_said_at_once_whatever_its_name(stack: Stack):
    data = csv("Same", "Tea,3")
    assert "The same content as" not in said(picked(("first.csv", data)))
    sent(stack, data, name="first.csv")
    told = said(picked(("other-name.csv", data)))
    assert "The same content as **first.csv**, sent " in told
    assert "(just now): 1 row: 1 new." in told
    assert "The same content as" not in said(picked(("first.csv", data + b"\n")))


def test_a_file_that_was_dropped_into_the_bucket_is_known_again_loaded_failed_or_waiting(stack: Stack):
    found = {
        "loaded": csv("Dropped in", "Tea,3"),
        "failed": b"%PDF-1.4 in",
        "waiting": b"SKU,Shop,Qty,Stock\nX,In,1,2\n",
    }
    for state, data in found.items():
        assert uploads.same_content(stack, data) == []
        stack.s3.put_object(Bucket=stack.settings.bucket, Key=f"uploads/{state}-in.csv", Body=data)
        [upload_id] = until(lambda data=data: uploads.same_content(stack, data))
        until(lambda upload_id=upload_id: uploads.receipt(stack, upload_id).settled)
        assert uploads.receipt(stack, upload_id).state == state
        assert uploads.same_content(stack, data, besides=upload_id) == []


@pytest.mark.usefixtures("stack")
def test_many_files_are_a_line_each_one_send_and_one_table_of_receipts(monkeypatch: pytest.MonkeyPatch):
    names = [f"till-{n}.csv" for n in range(5)]
    app = picked(*((name, csv(f"Till {n}", "Tea,3", f"Jam,{n}")) for n, name in enumerate(names)))
    lines = [label for one in app.expander if "till-" in (label := one.label.replace("\\", ""))]
    assert lines[0] == "**till-0.csv** · 2 rows: 2 new · 1 alert"
    assert lines[1] == "**till-1.csv** · 2 rows: 2 new"
    assert not [one for one in app.dataframe if "fate" in one.value.columns]
    click(app, "Send 5 files")
    until(lambda: "5 files, 10 rows: 10 new. 10 stream records expected, 10 seen. 1 alert." in said(ran(app)))
    assert sorted(table(app, "what it did")["file"]) == names
    monkeypatch.delattr(delivery, "_watch_many")  # what is done is not asked for any more
    assert sorted(table(ran(app), "what it did")["file"]) == names


def test_files_of_one_shape_that_wait_are_answered_together(stack: Stack):
    head = b"SKU,Branch,Qty,Available\n"
    for n in range(3):
        sent(stack, head + b"W%d,Together,4,%d\n" % (n, n + 1), name=f"wait-{n}.csv")
    app = opened("pages/upload.py")
    assert "2 other files with the same headings: wait-1.csv, wait-0.csv" in said(app)
    assert next(one for one in app.button if one.label == "Use this for all 3 files").disabled
    choose(app, "count", "Available")
    click(app, "Use this for all 3 files")
    for n in range(3):
        assert loaded(stack, f"wait-{n}.csv") == {"inserted": 1}
    assert {one.item: one.count for one in stock.of_store(stack, "Together")} == {"W0": 1, "W1": 2, "W2": 3}
    assert "wait-" not in "".join(one.file for one in uploads.waiting(stack))


def test_a_store_that_is_said_of_one_file_that_waits_is_not_said_of_the_others(stack: Stack):
    sent(stack, csv("Here", "Rye,7"))
    for n in range(4):
        sent(stack, b"SKU,Menge,Frei,Vorrat\nV%d,4,%d,5\n" % (n, n), name=f"nowhere-{n}.csv")
    app = choose(opened("pages/upload.py"), "count", "Frei")
    assert "Use this for all 4 files" in [one.label for one in app.button]
    next(one for one in app.selectbox if str(one.key).startswith("its-name-")).set_value("Here")
    ran(app)
    assert "Use this for all 4 files" not in [one.label for one in app.button]
    assert not next(one for one in app.button if one.label == "Use this").disabled
    click(app, "Use this")
    assert until(lambda: {one.item: one.count for one in stock.of_store(stack, "Here")} == {"Rye": 7, "V3": 3})


def test_files_that_wait_stand_together_by_their_shape(stack: Stack):
    one = sent(stack, b"SKU,Place,Qty,Stock\nP1,Shape,4,3\n", name="a.csv")
    two = sent(stack, b"SKU,Place,Qty,Stock\nP2,Shape,4,3\n", name="b.csv")
    other = sent(stack, b"SKU,Spot,Qty,Stock\nP2,Shape,4,3\n", name="c.csv")
    groups = waiting.by_shape([other, two, one])
    assert [[of.file for of in group] for group in groups] == [["c.csv"], ["b.csv", "a.csv"]]
    assert waiting.by_shape([replace(one, shape=None), replace(two, shape=None)]) == [
        [replace(one, shape=None)], [replace(two, shape=None)],
    ]  # fmt: skip

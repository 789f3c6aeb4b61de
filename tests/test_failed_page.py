"""The pages on a day when things fail: what failed is seen, run again or left; and whether to trust the numbers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lambdas import failures as kept
from local import engine
from services import failures, uploads
from services import stack as stacks
from services.stack import Stack
from tests.conftest import csv, sent
from tests.records import dynamo_change, record_of
from tests.test_pages import opened, said
from tests.waiting import until


@pytest.fixture(scope="module")
def failing_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("failing")
    yield folder
    engine.detach(folder)


@pytest.fixture
def failing(failing_home: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    for name in ("AWS_ENDPOINT_URL", "STOCKTRAIL_STACK", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STOCKTRAIL_HOME", str(failing_home))
    st.cache_resource.clear()
    return stacks.connect(os.environ)


def shown(words: str) -> AppTest:
    """The Pipeline page, once it says so: what is asked of the stack is asked every two seconds."""
    return until(lambda: page if words in said(page := opened("pages/pipeline.py")) else None)


def press(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click().run()
    assert not app.exception, app.exception
    return app


def test_a_file_that_failed_is_announced_shown_with_its_reason_and_can_be_left(failing: Stack):
    sent(failing, csv("Berlin", "Tea,5"))
    assert "failed" not in said(opened("overview.py"))
    sent(failing, b"%PDF-1.4", name="no-stock.csv")
    assert until(lambda: "1 thing failed and can be run again." in said(opened("overview.py")))
    page = opened("pages/pipeline.py")
    assert "no-stock.csv" in said(page)
    assert "a file could not be loaded" in said(page)
    press(page, "Leave it")
    assert "What failed" not in said(page)
    assert failures.every(failing) == []
    [left] = [one for one in uploads.recent(failing) if one.file == "no-stock.csv"]
    assert left.state == "failed"


def test_run_again_says_how_it_went(failing: Stack):
    sent(failing, csv("Oslo", "Jam,5"))
    good = record_of(failing, "Oslo", "Jam")
    kept.keep(failing.world, kept.RECORD, good["eventID"], "on purpose", good)
    page = shown("Oslo · Jam")
    press(page, "Run again")
    assert "Oslo · Jam: on its way again." in [one.value.replace("\\", "") for one in page.toast]
    assert until(lambda: failures.every(failing) == [])
    bad = {"eventID": "f" * 32, "dynamodb": {"Keys": {"Store": {"S": "Oslo"}, "Item": {"S": "Rye"}}}}
    kept.keep(failing.world, kept.RECORD, bad["eventID"], "on purpose", bad)
    page = press(shown("Oslo · Rye"), "Run again")
    assert any("Oslo · Rye: not yet." in one.value.replace("\\", "") for one in page.toast)
    kept.mended(failing.world, kept.RECORD, bad["eventID"])


def test_verify_now_says_that_everything_agrees_or_names_what_does_not(failing: Stack):
    sent(failing, csv("Wien", "Tea,5"))
    page = opened("pages/pipeline.py")
    assert "Nobody has verified yet" in said(page)
    press(page, "Verify now")
    assert "everything agrees" in said(page)
    found = dynamo_change(failing, "Wien", "Tea")
    key = {name: found[name] for name in ("Bucket", "Position")}
    failing.dynamodb.delete_item(TableName=failing.settings.changes_table, Key=key)
    page = press(opened("pages/pipeline.py"), "Verify now")
    assert "Wien · Tea" in said(page)
    failing.dynamodb.put_item(TableName=failing.settings.changes_table, Item=found)
    assert "everything agrees" in said(press(opened("pages/pipeline.py"), "Verify now"))

"""The made-up past that pages are looked at and judged with: it is what the product itself would have kept."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lambdas import tables
from local import engine
from services import changes, stock, uploads
from services import stack as stacks
from services.stack import Stack
from services.verifying import in_words, verify
from tests.conftest import csv, sent
from tests.past.__main__ import lay
from tests.past.shops import Chain

STORES, ITEMS = 6, 24
REAL = "A real one"


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An engine of its own, with the past of six stores, and after that real uploads to one store more."""
    folder: Path = tmp_path_factory.mktemp("past")
    stack = stacks.connect({"STOCKTRAIL_HOME": str(folder)})
    lay(stack, Chain(datetime.now(UTC), STORES, ITEMS, days=60, seed=7))
    for rolls, tea in ((2, 3), (0, 2), (5, 0)):
        sent(stack, csv(REAL, f"Rolls,{rolls}", f"Tea,{tea}"))
    yield stack
    engine.stop(folder)
    engine.detach(folder)


def test_verification_agrees_with_it_and_with_what_comes_after_it(past: Stack):
    found = verify(past)
    assert found.agrees, in_words(found)
    assert (found.items, found.under_way) == (STORES * ITEMS + 2, ())


def test_it_has_what_pages_must_stand(past: Stack):
    every = uploads.recent(past, 10_000)
    told = {fate for one in every for fate, count in one.fates.items() if count}
    assert told == {"inserted", "changed", "touched", "unchanged", "stale", "duplicate", "rejected"}
    assert {"loaded", "failed", "waiting"} <= {one.state for one in every}
    assert max(one.updated_at or "" for one in stock.table(past)) > changes.newest(past, 1)[0].at  # a time ahead


def test_its_items_have_the_attributes_of_real_ones(past: Stack):
    """Of each table: what the product writes today is what the past is made of."""
    names, real = past.settings, {one.upload_id for one in uploads.recent(past, 10_000) if one.file == "stock.csv"}
    for table in (names.uploads_table, names.tallies_table, names.store_uploads_table):
        assert _shapes(past, table, lambda one: one["UploadId"] in real), table
    for table in (names.alerts_table, names.inventory_table):
        assert _shapes(past, table, lambda one: one["Store"] == REAL), table
    assert _shapes(past, names.changes_table, lambda one: one.get("ItemKey", "").startswith("A%20real%20one"))


def _shapes(stack: Stack, table: str, is_real: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether there are real items, and each has a made-up one with the same attributes."""
    items = [tables.from_item(one) for one in _everything(stack, table)]
    # A receipt has no Bytes when the loader was faster than its sender.
    real, made_up = ({frozenset(one) - {"Bytes"} for one in items if is_real(one) == which} for which in (True, False))
    assert real <= made_up, sorted(map(sorted, real - made_up))
    return bool(real)


def _everything(stack: Stack, table: str) -> list[dict[str, Any]]:
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]

# ruff: noqa: ARG005 (a table of reads, of which not all need both)
"""What pages read is cached for all readers together: each gets what is theirs of it, whoever asked before."""

import ast
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import streamlit as st

from lambdas import times
from lambdas.upload import new_id
from services.access import MACHINE, Person, Right, Role
from services.changes import Counted
from services.errors import StocktrailError
from services.stack import Stack
from services.stock import Stocked
from services.uploads import Receipt
from services.wanted import Wanted
from tests.conftest import csv, sent
from tests.shops import Shop, persons, two_stores
from tests.waiting import until
from ui import feed, following, found, reads, rows, running, stockframe
from ui.reads import Link

Read = Callable[[Link, Shop], Any]
TOLD: dict[str, Read] = {
    "reads.items": lambda h, p: reads.items(h),
    "reads.stores": lambda h, p: reads.stores(h),
    "reads.feed": lambda h, p: reads.feed(h, 50),
    "reads.changes_of": lambda h, p: reads.changes_of(h, p.both, 50),
    "reads.receipts": lambda h, p: reads.receipts(h),
    "reads.older": lambda h, p: reads.older(h, new_id()),
    "reads.waiting": lambda h, p: reads.waiting(h),
    "reads.saved": lambda h, p: reads.saved(h),
    "reads.contents": lambda h, p: reads.contents(h, p.both),
    "reads.receipt": lambda h, p: reads.receipt(h, p.secret),
    "reads.files": lambda h, p: dict(reads.files(h, [p.secret])),
    "reads.points": lambda h, p: reads.points(h),
    "reads.changes_of_item": lambda h, p: reads.changes_of_item(h, of_foreign(p), 9),
    "reads.episodes_of_item": lambda h, p: reads.episodes_of_item(h, of_foreign(p), 9),
    "reads.past": lambda h, p: reads.past(h, times.later(times.now(), seconds=-1)),
    "reads.open_alerts": lambda h, p: reads.open_alerts(h),
    "reads.alerts_of": lambda h, p: reads.alerts_of(h, p.both),
    "reads.quiet": lambda h, p: reads.quiet(h),
    "reads.subscriptions": lambda h, p: reads.subscriptions(h),
    "reads.failed": lambda h, p: reads.failed(h),
    "reads.payload": lambda h, p: reads.payload(h, f"file/{p.failed}"),
    "running.trace": lambda h, p: running.trace(h, p.secret, p.begun),
    "running.log": lambda h, p: running.log(h),
    "running.log_before": lambda h, p: running.log_before(h, 5),
    "following.figures": lambda h, p: following.figures(h),
    "following.latest": lambda h, p: following.latest(h, 50),
    "following.silent": lambda h, p: following.silent(h),
    "following.latest_alerts": lambda h, p: following.latest_alerts(h, 50),
    "mirror": lambda h, p: h.mirror.items,
    "found.gather": lambda h, p: found.gather(h, feed.Asked(Wanted(stores=h.person.stores))).entries,
    "found.export": lambda h, p: found.export(h, feed.Asked(Wanted(stores=h.person.stores))),
    "found.record": lambda h, p: found.record(h, a_change(p)),
    "stockframe.now": lambda h, p: stockframe.now(h).frame.to_dict(),
    "rows.told": lambda h, p: rows.told(h, a_receipt(p)).moves.to_dict(),
}
"""What would tell of the foreign store, or of its uploads, if it were asked by who sees all."""
OTHERS = {"reads.mend_name", "reads.past_alerts", "reads.held_alerts", "reads.unsettled", "reads.verified"}
OTHERS |= {"running.functions", "running.readers", "running.queue"}
OTHERS |= {f"following.{name}" for name in ("reached", "between", "trail", "watch", "soon", "quiet")}
"""These tell of no name, or nothing of this shop's; the trail is asked with the reader's stores."""


def of_foreign(shop: Shop) -> Stocked:
    return Stocked(shop.foreign, "Gold", Decimal(0), None, None)


def a_change(shop: Shop) -> Counted:
    [one] = [Counted.of(one) for one in reads.changes_of(reads.of(MACHINE), shop.both, 50) if one.item == "Gold"]
    return one


def a_receipt(shop: Shop) -> Receipt:
    found = reads.receipt(reads.of(MACHINE), shop.both)
    assert found
    return found


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    st.cache_resource.clear()
    with two_stores(stack) as found:
        yield found


@pytest.mark.parametrize("name", TOLD)
def test_nobody_is_given_what_was_read_for_another(name: str, shop: Shop):
    """Who sees all asks first, so that it is cached; and again last."""
    all_of_it = reads.of(MACHINE)
    reads.connection.refresh(all_of_it)
    until(lambda: shop.mark in asked(name, all_of_it, shop))
    for person in persons(shop):
        held = reads.connection.refresh(reads.of(person))
        if person.stores is None and person.may(Right.OPERATE):
            assert shop.mark in asked(name, held, shop)
        elif person.stores is not None or name.startswith(("reads.failed", "reads.payload", "running.")):
            assert shop.mark not in asked(name, held, shop), person
    assert shop.mark in asked(name, all_of_it, shop)


def asked(name: str, held: Link, shop: Shop) -> str:
    """What is told. An error may name what was asked for."""
    try:
        return repr(TOLD[name](held, shop))
    except StocktrailError as error:
        return type(error).__name__


def test_the_reads_are_all_that_there_are():
    there = set()
    for module in (reads, following, running):
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.args.args:
                first = node.args.args[0].annotation
                if first is not None and ast.unparse(first) == "Link":
                    there.add(f"{module.__name__.removeprefix('ui.')}.{node.name}")
    mine = {name for name in TOLD if name.startswith(("reads.", "following.", "running."))}
    assert there - {"reads.forget_alerts"} == mine | OTHERS


def test_the_own_store_is_all_there_and_moves_with_the_stock(stack: Stack, shop: Shop):
    held = reads.connection.refresh(reads.of(Person("m@example.org", Role.MANAGER, frozenset({shop.own}))))
    assert [(one.store, one.item) for one in reads.items(held)] == [(shop.own, "Milk"), (shop.own, "Tea")]
    now = following.figures(held)
    assert (now.items, [one.item for one in now.out], [of.store for of in now.stores]) == (2, ["Milk"], [shop.own])
    before = held.version
    sent(stack, csv(shop.own, "Tea,0", "Bread,4"))
    until(lambda: len(reads.items(reads.connection.refresh(held))) == 3)
    assert held.version != before
    assert sorted(one.item for one in following.figures(held).out) == ["Milk", "Tea"]
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    whole_day = [midnight, midnight + timedelta(days=1)]
    of_all = reads.of(MACHINE)  # each is read when it is asked for: one may be ahead of the other
    until(lambda: 4 <= following.between(held, whole_day)[0].changed < following.between(of_all, whole_day)[0].changed)


def test_two_managers_of_one_store_share_nothing_but_it(shop: Shop):
    """What one of them sent alone, and could not be loaded, the other one does not see."""
    one, other = (Person(f"{name}@example.org", Role.MANAGER, frozenset({shop.own})) for name in ("a", "b"))
    assert reads.of(one).serial != reads.of(other).serial
    assert reads.of(one).serial == reads.of(one).serial
    chief, viewer = Person("c@example.org", Role.MANAGER), Person("d@example.org", Role.VIEWER)
    assert reads.of(chief).serial == reads.of(viewer).serial  # they see the same

"""Messages of items that are low: held, told later, refused, and told beside those of items that are out."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from lambdas import checking, episodes, holding, tables, times
from lambdas.alerts import Kind
from lambdas.episodes import Opening
from lambdas.reorder import Scope
from lambdas.stream import item_key
from services import alerts, failures, quiet, reorder, words
from services.alerts import Episode
from services.stack import Stack
from services.verifying import What, verify
from tests.conftest import csv, sent
from tests.test_notifications import around, heard, let_time_pass, no_schedule, swept  # noqa: F401 (one is a fixture)
from tests.test_repeats import change
from tests.topic import Listener

TEA = "Tea"


@pytest.fixture
def shop(stack: Stack, store: str) -> Iterator[str]:
    """A store whose items are low at 10."""
    reorder.save(stack, {Scope(store): Decimal(10)})
    yield store
    quiet.put(stack, None, store)


def kinds(stack: Stack, store: str, kind: Kind) -> list[Episode]:
    """A store's episodes of a kind, newest first."""
    return [one for one in alerts.history(stack, 10_000) if one.store == store and one.kind is kind]


def test_in_quiet_hours_a_low_item_waits_and_is_told_as_low_with_the_point_that_it_was_low_by(stack: Stack, shop: str):
    quiet.put(stack, around(-2, 2), shop)
    with Listener(stack) as listener:
        sent(stack, csv(shop, "Tea,14", "Jam,14"))
        sent(stack, csv(shop, "Tea,6", "Jam,4"))
        sent(stack, csv(shop, "Jam,20"))
        assert heard(listener, stack, shop) == []
        assert {(one.item, one.kind, one.held_for) for one in alerts.held(stack) if one.store == shop} == {
            (TEA, Kind.LOW, holding.QUIET), ("Jam", Kind.LOW, holding.QUIET),
        }  # fmt: skip
        reorder.save(stack, {Scope(shop): Decimal(8)})  # it was low by 10, and still is by 8
        quiet.put(stack, None, shop)
        swept(stack, shop)
        [text] = heard(listener, stack, shop)
    assert text.startswith(f"{shop}: Tea is low (14 -> 6, reorder point 10). Caused by upload")
    jam, tea = sorted(kinds(stack, shop, Kind.LOW), key=lambda one: one.item)
    assert (bool(tea.notified_at), tea.due, bool(jam.notified_at), bool(jam.dropped_at)) == (True, None, False, True)
    assert "no message was sent" in words.episode(jam)
    assert verify(stack, shop, again_after=0).agrees


def test_what_falls_through_its_point_to_nothing_at_night_is_told_once_in_the_morning_as_out(stack: Stack, shop: str):
    quiet.put(stack, around(-2, 2), shop)
    with Listener(stack) as listener:
        sent(stack, csv(shop, "Tea,14"))
        sent(stack, csv(shop, "Tea,0"))
        assert [one.kind for one in alerts.held(stack) if one.store == shop] == [Kind.OUT]
        quiet.put(stack, None, shop)
        swept(stack, shop)
        [text] = heard(listener, stack, shop)
    assert text.startswith(f"{shop}: Tea is out of stock (14 -> 0).")
    assert [one.notified_at for one in kinds(stack, shop, Kind.LOW)] == [None]
    assert verify(stack, shop, again_after=0).agrees


def test_what_was_out_at_night_and_is_only_low_in_the_morning_is_told_as_low(stack: Stack, shop: str):
    quiet.put(stack, around(-2, 2), shop)
    with Listener(stack) as listener:
        sent(stack, csv(shop, "Tea,14", "Jam,14"))
        sent(stack, csv(shop, "Tea,0", "Jam,0"))
        sent(stack, csv(shop, "Tea,4", "Jam,40"))
        quiet.put(stack, None, shop)
        failures.sweep(stack)
        swept(stack, shop)
        [text] = heard(listener, stack, shop)
    assert text.startswith(f"{shop}: Tea is low (14 -> 4, reorder point 10). Caused by upload")
    assert [bool(one.dropped_at) for one in kinds(stack, shop, Kind.OUT)] == [True, True]
    assert {one.item: bool(one.notified_at) for one in kinds(stack, shop, Kind.LOW)} == {TEA: True, "Jam": False}
    assert verify(stack, shop, again_after=0).agrees


def test_an_item_that_runs_low_a_third_time_in_a_day_waits_and_how_often_it_was_out_is_counted_apart(
    stack: Stack, shop: str
):
    with Listener(stack) as listener:
        for count in (14, 6, 14, 6, 14, 6):
            sent(stack, csv(shop, f"Tea,{count}"))
        assert len(heard(listener, stack, shop)) == 2
        assert kinds(stack, shop, Kind.LOW)[0].held_for == holding.FLAPPING
        sent(stack, csv(shop, "Tea,0"))  # out for the first time: that is told at once
        *_, out = heard(listener, stack, shop)
        assert out.startswith(f"{shop}: Tea is out of stock (6 -> 0). Caused by")
        let_time_pass(stack, shop)
        swept(stack, shop)
        *_, last = heard(listener, stack, shop)
    assert "Tea is low (14 -> 6, reorder point 10). It ran low 3 times since yesterday." in last
    assert all(one.notified_at for one in kinds(stack, shop, Kind.LOW))


def test_points_that_move_do_not_make_an_item_flap(stack: Stack, shop: str):
    sent(stack, csv(shop, "Tea,14"))
    for point in (20, 5, 20, 5, 20, 10):
        reorder.save(stack, {Scope(shop): Decimal(point)})
    with Listener(stack) as listener:
        fell = change(1, shop, TEA, shop, 14, 6, at=times.later(times.now(), seconds=2))  # a stream's are whole seconds
        checking.check(stack.world, stack.client("sns"), [fell])
        assert len(heard(listener, stack, shop)) == 1


def test_a_low_and_an_out_episode_of_one_record_are_held_told_and_dropped_each_by_itself(stack: Stack, shop: str):
    fell = change(1, shop, TEA, shop, 14, 0)
    checking.settle(stack.world, [fell])
    out, low = Opening(fell), Opening(fell, Decimal(10))
    assert out.name != low.name
    assert (episodes.to_notify(stack.world, out), episodes.to_notify(stack.world, low)) == (True, False)
    episodes.hold(stack.world, out, times.later(times.now(), hours=1), holding.QUIET)
    assert [(one.kind, one.due is None) for one in alerts.history(stack, 10_000) if one.store == shop] == [
        (Kind.LOW, True), (Kind.OUT, False),
    ]  # fmt: skip
    [held] = [one for one in episodes.held(stack.world) if one["Store"] == shop]
    assert episodes.opening_of(held).name == out.name
    episodes.notified(stack.world, out, "an id")
    assert [one.message_id for one in kinds(stack, shop, Kind.LOW)] == [None]


def test_a_held_low_message_that_sns_refuses_is_kept_with_its_point(stack: Stack, shop: str):
    nowhere = replace(stack.world, settings=replace(stack.settings, topic=f"{stack.settings.topic}-gone"))
    fell = change(1, shop, TEA, shop, 14, 6)
    with Listener(stack) as listener:
        checking.check(nowhere, stack.client("sns"), [fell])
        [failure] = [one for one in failures.every(stack) if shop in one.about]
        assert failure.id.endswith("#low")
        assert failures.payload(stack, failure.id)["point"] == "10"
        reorder.save(stack, {Scope(shop): Decimal(12)})
        assert failures.retry(stack, failure.id) == ""
        [text] = heard(listener, stack, shop)
    assert "Tea is low (14 -> 6, reorder point 10)" in text
    assert kinds(stack, shop, Kind.LOW)[0].notified_at


def test_verify_names_a_low_item_of_which_nobody_was_told_and_no_failure_says_why(stack: Stack, shop: str):
    sent(stack, csv(shop, "Tea,14"))
    sent(stack, csv(shop, "Tea,6"))
    [low] = kinds(stack, shop, Kind.LOW)
    stack.dynamodb.update_item(
        TableName=stack.settings.alerts_table, UpdateExpression="REMOVE NotifiedAt",
        Key=tables.to_item({"ItemKey": item_key(shop, TEA), "Position": low.position}),
    )  # fmt: skip
    [found] = verify(stack, shop, again_after=0).differences
    assert found.what is What.NOT_NOTIFIED
    assert "when it was low" in found.said

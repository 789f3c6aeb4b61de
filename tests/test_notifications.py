"""Notifications that people can live with: one message a store, quiet hours, flapping held, and none of them lost."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lambdas import checking, holding, notifying, tables, tallies, times
from lambdas import episodes as kept
from lambdas import failures as failing
from lambdas.episodes import Opening
from lambdas.quiet import Hours
from lambdas.stream import Change, item_key
from lambdas.world import World
from services import alerts, failures, quiet
from services.alerts import Episode
from services.errors import NotPossible
from services.stack import Stack
from tests import messages
from tests.conftest import csv, sent
from tests.messages import Said
from tests.test_repeats import change, dies
from tests.topic import Listener


@pytest.fixture(scope="module")
def other(stack: Stack) -> World:
    """A world with clients of its own, for `dies` to listen to."""
    return World(stack.client("dynamodb"), stack.client("s3"), stack.settings)


@pytest.fixture(scope="module", autouse=True)
def no_schedule(stack: Stack) -> Iterator[None]:
    """The engine's sweeper does not run by itself here: with what these tests call due it could cross them."""
    events = stack.client("events")
    [rule] = events.list_rules()["Rules"]
    events.disable_rule(Name=rule["Name"])
    yield
    events.enable_rule(Name=rule["Name"])


@pytest.fixture
def night(stack: Stack, store: str) -> Iterator[Hours]:
    """The test's store has quiet hours now, for at least one more hour."""
    hours = around(-2, 2)
    quiet.put(stack, hours, store)
    yield hours
    quiet.put(stack, None, store)


def around(start: int, end: int) -> Hours:
    """Hours that begin and end so many hours from now."""
    now = datetime.now(UTC)
    return Hours(*(f"{now + timedelta(hours=hours):%H:%M}" for hours in (start, end)), "UTC")


def of_store(stack: Stack, store: str) -> dict[str, Episode]:
    """The latest episode of each item."""
    return {one.item: one for one in reversed(alerts.history(stack, 10_000)) if one.store == store}


def heard(listener: Listener, stack: Stack, store: str) -> list[str]:
    """What was sent about a store. Messages of one topic come in their order, so one that is sent now comes last."""
    last = f"Last {uuid.uuid4().hex}"
    stack.client("sns").publish(TopicArn=stack.settings.topic, Message=last)
    return [text for text in listener.received(of=last, at_least=1) if text.startswith(f"{store}: ")]


def read(texts: list[str]) -> list[Said]:
    said = [messages.read(text) for text in texts]
    assert None not in said
    return [one for one in said if one]


def swept(stack: Stack, store: str) -> None:
    """What is due of a store is sent, dropped, or held anew."""
    failures.sweep(stack)
    soon = times.later(times.now(), minutes=16)  # what a sweeper has taken on and not done is due by then
    assert not [one for one in kept.held(stack.world, soon) if one["Store"] == store]


def let_time_pass(stack: Stack, store: str) -> None:
    """What is held of a store is due."""
    for one in kept.held(stack.world):
        if one["Store"] == store:
            kept.hold(stack.world, kept.opening_of(one), times.later(times.now(), seconds=-1), one["HeldFor"])


# --- one message a store -------------------------------------------------------------------------------------------


def test_200_items_that_run_out_together_are_one_message_and_each_episode_knows_it(stack: Stack, store: str):
    batch = [change(n, store, f"Item {n:03}", store, 5, 0) for n in range(200)]
    batch += [change(200 + n, f"{store} too", f"Item {n}", store, 5, 0) for n in range(2)]
    with Listener(stack) as listener:
        checking.check(stack.world, stack.client("sns"), batch)
        [said] = read(heard(listener, stack, store))
        [besides] = read(heard(listener, stack, f"{store} too"))
    assert (len(said.of), said.more, said.again) == (20, 180, False)
    assert (len(besides.of), besides.more) == (2, 0)
    found = of_store(stack, store).values()
    assert len(found) == 200
    assert all(one.notified_at for one in found)
    assert len({one.message_id for one in found}) == 1


def test_a_file_that_empties_a_store_makes_a_message_for_each_batch_of_the_stream_and_no_more(
    stack: Stack, store: str
):  # fmt: skip
    rows = [f"Item {n:03}" for n in range(200)]
    sent(stack, csv(store, *(f"{item},5" for item in rows)))
    with Listener(stack) as listener:
        receipt = sent(stack, csv(store, *(f"{item},0" for item in rows)))
        said = read(heard(listener, stack, store))
    batches = [
        one for one in tables.query(
            stack.dynamodb, stack.settings.tallies_table, KeyConditionExpression="UploadId = :id",
            ExpressionAttributeValues={":id": {"S": receipt.upload_id or ""}},
        ) if one["Batch"]["S"].startswith(tallies.CHECKED)
    ]  # fmt: skip
    assert sum(len(one.of) + one.more for one in said) == receipt.alerts == 200
    assert len(said) == len(batches)


def test_a_digest_that_sns_refuses_is_kept_item_by_item_and_goes_as_one_message_later(stack: Stack, store: str):
    nowhere = replace(stack.world, settings=replace(stack.settings, topic=f"{stack.settings.topic}-gone"))
    batch = [change(n, store, f"Item {n}", store, 5, 0) for n in range(3)]
    with Listener(stack) as listener:
        checking.check(nowhere, stack.client("sns"), batch)
        refused = [one for one in failures.every(stack) if store in one.about]
        assert len(refused) == 3
        for one in refused:  # it is time to try again
            stack.dynamodb.update_item(
                TableName=stack.settings.failures_table, UpdateExpression="SET NextAt = :now",
                Key=tables.to_item({"Kind": failing.NOTICE, "Id": one.id.partition("/")[2]}),
                ExpressionAttributeValues={":now": {"S": times.now()}},
            )  # fmt: skip
        failures.sweep(stack)
        [said] = read(heard(listener, stack, store))
    assert (len(said.of), said.again) == (3, False)
    assert all(one.notified_at for one in of_store(stack, store).values())
    assert [one for one in failures.every(stack) if store in one.about] == []


# --- quiet hours ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("night")
def test_in_quiet_hours_nothing_is_sent_and_afterwards_one_message_tells_what_is_still_out(stack: Stack, store: str):
    with Listener(stack) as listener:
        sent(stack, csv(store, "Tea,0", "Jam,0", "Rye,0"))
        sent(stack, csv(store, "Rye,7"))
        failures.sweep(stack)
        assert heard(listener, stack, store) == []
        waiting = {one.item: one for one in alerts.held(stack) if one.store == store}
        assert sorted(waiting) == ["Jam", "Rye", "Tea"]
        assert {one.held_for for one in waiting.values()} == {holding.QUIET}
        assert all(one.due and one.due > times.later(times.now(), minutes=50) for one in waiting.values())
        quiet.put(stack, None, store)
        swept(stack, store)
        swept(stack, store)
        [said] = read(heard(listener, stack, store))
    assert sorted(item for _, item, _ in said.of) == ["Jam", "Tea"]
    assert not said.again
    found = of_store(stack, store)
    assert [bool(found[item].notified_at) for item in ("Jam", "Tea", "Rye")] == [True, True, False]
    assert [bool(found[item].dropped_at) for item in ("Jam", "Tea", "Rye")] == [False, False, True]
    assert {one.due for one in found.values()} == {None}


@pytest.mark.usefixtures("night")
def test_what_is_due_in_quiet_hours_that_were_set_later_waits_for_their_end(stack: Stack, store: str):
    with Listener(stack) as listener:
        sent(stack, csv(store, "Tea,0"))
        before = of_store(stack, store)["Tea"].due
        let_time_pass(stack, store)
        swept(stack, store)
        assert heard(listener, stack, store) == []
    assert of_store(stack, store)["Tea"].due == before


def test_quiet_hours_of_all_hold_every_store_but_those_that_have_none(stack: Stack, store: str):
    loud = f"{store} loud"
    with Listener(stack) as listener:
        try:
            quiet.put(stack, around(-2, 2))
            quiet.put(stack, None, loud)
            sent(stack, csv(store, "Tea,0"))
            sent(stack, csv(loud, "Tea,0"))
            assert heard(listener, stack, store) == []
            assert len(heard(listener, stack, loud)) == 1
            quiet.forget(stack, loud)
            sent(stack, csv(loud, "Jam,0"))
            assert of_store(stack, loud)["Jam"].due
        finally:
            quiet.put(stack, None)
        quiet.forget(stack, loud)
    assert quiet.hours(stack).default is None
    assert loud not in quiet.hours(stack).stores


def test_hours_that_are_over_hold_nothing(stack: Stack, store: str):
    quiet.put(stack, around(-3, -1), store)
    with Listener(stack) as listener:
        sent(stack, csv(store, "Tea,0"))
        assert len(heard(listener, stack, store)) == 1
    quiet.put(stack, None, store)


def test_hours_that_can_not_be_are_refused(stack: Stack, store: str):
    with pytest.raises(NotPossible, match="no time zone"):
        quiet.put(stack, Hours("22:00", "07:00", "Nowhere"), store)
    assert store not in quiet.hours(stack).stores


@pytest.mark.usefixtures("night")
def test_a_refused_message_that_is_run_again_in_quiet_hours_is_held_too(stack: Stack, store: str):
    tea = change(1, store, "Tea", store, 5, 0)
    checking.settle(stack.world, [tea])
    notifying.Unsent(Opening(tea), "on purpose", repeat=False).keep(stack.world)
    [failure] = [one for one in failures.every(stack) if store in one.about]
    with Listener(stack) as listener:
        assert failures.retry(stack, failure.id) == ""
        assert heard(listener, stack, store) == []
    assert of_store(stack, store)["Tea"].due
    assert [one for one in failures.every(stack) if store in one.about] == []


# --- flapping ------------------------------------------------------------------------------------------------------


def run_out_often(stack: Stack, store: str, item: str = "Tea") -> None:
    """An item runs out a third time within a day."""
    for count in (5, 0, 5, 0, 5, 0):
        sent(stack, csv(store, f"{item},{count}"))


def test_the_third_time_in_a_day_waits_and_is_told_if_it_lasts(stack: Stack, store: str):
    with Listener(stack) as listener:
        run_out_often(stack, store)
        assert len(heard(listener, stack, store)) == 2
        waits = of_store(stack, store)["Tea"]
        assert (waits.state, waits.held_for, waits.notified_at) == ("open", holding.FLAPPING, None)
        assert waits.due is not None
        assert times.later(times.now(), minutes=20) < waits.due <= times.later(times.now(), minutes=30)
        failures.sweep(stack)
        assert len(heard(listener, stack, store)) == 2
        let_time_pass(stack, store)
        swept(stack, store)
        *_, last = heard(listener, stack, store)
    assert "Tea is out of stock (5 -> 0). It ran out 3 times since yesterday. Caused by" in last
    assert of_store(stack, store)["Tea"].notified_at


def test_what_comes_back_by_itself_is_not_told_and_its_episode_says_so(stack: Stack, store: str):
    with Listener(stack) as listener:
        run_out_often(stack, store)
        sent(stack, csv(store, "Tea,5"))
        let_time_pass(stack, store)
        swept(stack, store)
        assert len(heard(listener, stack, store)) == 2
    found = of_store(stack, store)["Tea"]
    assert (found.state, found.notified_at, found.due, found.held_for) == ("closed", None, None, holding.FLAPPING)
    assert found.dropped_at


def test_what_ran_out_longer_than_a_day_ago_is_not_flapping(stack: Stack, store: str):
    days = [f"2026-11-2{n}T12:00:00.000000Z" for n in (0, 1, 2, 3)]
    with Listener(stack) as listener:
        for n, day in enumerate(days):
            out = change(2 * n, store, "Tea", f"out {n}", 5, 0, at=day)
            back = change(2 * n + 1, store, "Tea", f"back {n}", 0, 5, at=day)
            checking.check(stack.world, stack.client("sns"), [out])
            checking.check(stack.world, stack.client("sns"), [back])
        assert len(heard(listener, stack, store)) == 4


# --- killed in between ---------------------------------------------------------------------------------------------


def night_batch(store: str) -> list[Change]:
    """Three items run out, one of them is back at once."""
    return [
        change(1, store, "Tea", f"{store} 1", 5, 0), change(2, store, "Jam", f"{store} 1", 5, 0),
        change(3, store, "Rye", f"{store} 2", 5, 0), change(4, store, "Rye", f"{store} 3", 0, 5),
    ]  # fmt: skip


def test_a_checker_that_dies_anywhere_in_quiet_hours_holds_each_message_and_sends_none(stack: Stack, other: World):
    sns = stack.client("sns")
    with Listener(stack) as listener:
        for before in itertools.count(1):
            store = f"Store {uuid.uuid4().hex[:8]}"
            quiet.put(stack, around(-2, 2), store)
            batch = night_batch(store)
            died = dies(lambda batch=batch: checking.check(other, sns, batch), before, other.dynamodb, other.s3, sns)
            checking.check(stack.world, stack.client("sns"), batch)
            assert sorted(one.item for one in alerts.held(stack) if one.store == store) == ["Jam", "Rye", "Tea"]
            assert heard(listener, stack, store) == []
            quiet.put(stack, None, store)
            if not died:
                return


def test_a_sweeper_that_dies_anywhere_tells_each_item_once_or_says_that_it_may_be_a_repeat(stack: Stack, other: World):
    sns = stack.client("sns")
    with Listener(stack) as listener:
        for before in itertools.count(1):
            store = f"Store {uuid.uuid4().hex[:8]}"
            quiet.put(stack, around(-2, 2), store)
            checking.check(stack.world, stack.client("sns"), night_batch(store))
            quiet.put(stack, None, store)
            let_time_pass(stack, store)
            died = dies(lambda: notifying.send_held(other, sns), before, other.dynamodb, other.s3, sns)
            let_time_pass(stack, store)
            notifying.send_held(stack.world, stack.client("sns"))
            found = of_store(stack, store)
            assert [bool(found[item].notified_at) for item in ("Tea", "Jam", "Rye")] == [True, True, False], before
            assert (found["Rye"].dropped_at is not None, {one.due for one in found.values()}) == (True, {None}), before
            said = read(heard(listener, stack, store))
            plain = [item for one in said if not one.again for _, item, _ in one.of]
            marked = [item for one in said if one.again for _, item, _ in one.of]
            assert set(plain) | set(marked) == {"Tea", "Jam"}, before
            assert len(plain) == len(set(plain)), before
            if not died:
                assert (sorted(plain), marked) == (["Jam", "Tea"], [])
                return


def test_two_sweepers_at_once_send_what_was_held_once(stack: Stack, other: World, store: str):
    quiet.put(stack, around(-2, 2), store)
    checking.check(stack.world, stack.client("sns"), night_batch(store))
    quiet.put(stack, None, store)
    with Listener(stack) as listener:
        seen = list(kept.held(stack.world))
        notifying.send_held(other, stack.client("sns"))
        [tea] = [one for one in seen if (one["Store"], one["Item"]) == (store, "Tea")]
        assert kept.take(stack.world, tea, times.later(times.now(), minutes=15)) is None  # the other has had it
        assert notifying.send_held(stack.world, stack.client("sns")) == 0
        assert len(heard(listener, stack, store)) == 1


def test_a_held_message_that_sns_refuses_is_kept_as_a_failure_and_no_longer_held(stack: Stack, store: str):
    nowhere = replace(stack.world, settings=replace(stack.settings, topic=f"{stack.settings.topic}-gone"))
    quiet.put(stack, around(-2, 2), store)
    tea = change(1, store, "Tea", store, 5, 0)
    checking.check(stack.world, stack.client("sns"), [tea])
    quiet.put(stack, None, store)
    let_time_pass(stack, store)
    with Listener(stack) as listener:
        notifying.send_held(nowhere, stack.client("sns"))
        assert [one for one in alerts.held(stack) if one.store == store] == []
        [failure] = [one for one in failures.every(stack) if store in one.about]
        assert failure.id == f"{failing.NOTICE}/{item_key(store, 'Tea')}#{tea.position}"
        assert failures.retry(stack, failure.id) == ""
        [said] = read(heard(listener, stack, store))
    assert (said.of[0][1], said.again) == ("Tea", False)
    assert of_store(stack, store)["Tea"].notified_at


def test_a_held_episode_that_a_hand_wrote_holds_up_no_other_and_is_kept_as_a_failure_until_it_is_gone(
    stack: Stack, store: str
):
    quiet.put(stack, around(-2, 2), store)
    checking.check(stack.world, stack.client("sns"), [change(1, store, "Tea", store, 5, 0)])
    [tea] = [one for one in kept.held(stack.world) if one["Store"] == store]
    keys = []
    for position in ("yesterday", "2026-11-25#5#event", f"{tea['Position']}#low"):
        keys.append({"ItemKey": tea["ItemKey"], "Position": position})
        item = tables.to_item(tea | keys[-1] | {"Due": "2026-01-01T00:00:00.000000Z"})
        stack.dynamodb.put_item(TableName=stack.settings.alerts_table, Item=item)
    quiet.put(stack, around(-2, 3), store)  # what is held waits for their end as it is now
    quiet.put(stack, None, store)
    with Listener(stack) as listener:
        assert notifying.send_held(stack.world, stack.client("sns")) == 1
        assert len(heard(listener, stack, store)) == 1
    assert [one for one in alerts.held(stack) if one.store == store] == []
    found = [one for one in failures.every(stack) if tea["ItemKey"] in one.id]
    assert sorted(one.id.removeprefix(f"{failing.NOTICE}/{tea['ItemKey']}#") for one in found) == sorted(
        one["Position"] for one in keys
    )
    for failure in found:
        assert "ValueError" in failure.reason
        assert failures.retry(stack, failure.id)
    for key in keys:
        stack.dynamodb.delete_item(TableName=stack.settings.alerts_table, Key=tables.to_item(key))
    assert [failures.retry(stack, one.id) for one in found] == ["", "", ""]
    assert [one for one in failures.every(stack) if tea["ItemKey"] in one.id] == []


def test_quiet_hours_that_a_hand_wrote_as_another_type_keep_nothing_quiet(stack: Stack, store: str):
    key = tables.to_item({"Kind": "quiet", "Id": f"store/{store}", "Store": store, "From": 22, "To": 7})
    stack.dynamodb.put_item(TableName=stack.settings.settings_table, Item=key)
    try:
        with Listener(stack) as listener:
            sent(stack, csv(store, "Tea,0"))
            assert listener.received(of=store, at_least=1)
    finally:
        quiet.forget(stack, store)

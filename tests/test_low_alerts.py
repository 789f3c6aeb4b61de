"""Low episodes on the real pipeline: by uploads, by reorder points that move, by both at once."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse

from lambdas import checking, episodes, lows, points, tables, times
from lambdas.alerts import Kind
from lambdas.lows import Lows
from lambdas.reorder import Scope
from lambdas.stream import Change, item_key, of_record
from services import alerts, failures, reorder, stock, uploads, words
from services.alerts import Episode
from services.errors import NotFound
from services.stack import Stack
from services.verifying import What, verify
from tests import messages
from tests.conftest import csv, deployed, invoke, own_home, sent
from tests.records import record_of
from tests.test_cli import asked, run
from tests.test_repeats import change, dies, meeting, other  # noqa: F401 (one of them is a fixture)
from tests.topic import Listener
from tests.waiting import until

TEA = "Tea"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An engine's of its own: a saving asks for the points, and the items, of every store that ever had any."""
    with own_home(tmp_path_factory.mktemp("low")) as folder:
        yield folder


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[Stack]:
    with deployed(home) as found:
        yield found


def low(stack: Stack, store: str) -> list[Episode]:
    """A store's low episodes, newest first."""
    return [one for one in alerts.history(stack, 100_000) if one.store == store and one.is_low]


def out(stack: Stack, store: str) -> list[Episode]:
    return [one for one in alerts.history(stack, 100_000) if one.store == store and not one.is_low]


def point(stack: Stack, store: str, value: int | None, item: str | None = TEA) -> reorder.Outcome:
    return reorder.save(stack, {Scope(store, item): None if value is None else Decimal(value)})


def saved(stack: Stack, given: reorder.Given) -> None:
    """Points that are moved, and of which no item is looked at."""
    points.settled(stack.world, [points.save(stack.world, given).name])


def agrees(stack: Stack, store: str) -> bool:
    return verify(stack, store, again_after=0).agrees


# --- a saving that breaks off: first, because each looks at all stores that there are -------------------------------


@pytest.mark.parametrize("again", ["finished", "saved once more"])
def test_a_saving_that_dies_anywhere_is_finished_and_leaves_every_item_with_the_right_episode(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, again: str
):
    own = replace(stack, dynamodb=stack.client("dynamodb"))
    store, empty = f"Store {uuid.uuid4().hex[:8]}", f"Store {uuid.uuid4().hex[:8]}"
    sent(stack, csv(store, "Tea,6", "Jam,6", "Rye,6"))
    sent(stack, csv(empty, "Tea,1"))
    for before in itertools.count(1):
        reorder.save(stack, {Scope(store, TEA): None, Scope(store, "Jam"): Decimal(9), Scope(empty): None})
        assert [one.item for of in (store, empty) for one in low(stack, of) if one.state == "open"] == ["Jam"]
        followed = reorder.Followed(stack)
        followed.refresh()
        given = {Scope(store, TEA): Decimal(10), Scope(store, "Jam"): None, Scope(empty): Decimal(3)}
        died = dies(lambda given=given: reorder.save(own, given), before, own.dynamodb)
        left = {scope: point for scope, point in given.items() if followed.refresh().own(scope) != point}
        assert followed.broke_off is None  # it may still be at it
        monkeypatch.setattr(reorder, "_BROKE_OFF_SECONDS", 0)
        if again == "finished":
            reorder.save(stack, {})
        elif left or followed.unsettled:  # as a page does it, with what seems to be other than it was
            reorder.save(stack, left)
        now = followed.refresh()
        assert (followed.unsettled, followed.broke_off) == (frozenset(), None), before
        assert now == reorder.read(stack), before
        monkeypatch.undo()
        for of in (store, empty):
            counts = {one.item: one.count for one in stock.of_store(stack, of)}
            wanted = sorted(item for item, count in counts.items() if count <= now.of(of, item) != 0)
            assert sorted(one.item for one in low(stack, of) if one.state == "open") == wanted, before
        if not died:
            assert before > 9  # its requests, all told
            return


# --- uploads -------------------------------------------------------------------------------------------------------


def test_an_item_that_falls_to_its_reorder_point_is_low_once_and_one_message_says_so(stack: Stack, store: str):
    point(stack, store, 10)
    with Listener(stack) as listener:
        sent(stack, csv(store, "Tea,14"))
        fell = sent(stack, csv(store, "Tea,6"), name="noon.csv")
        sent(stack, csv(store, "Tea,6"))
        sent(stack, csv(store, "Tea,5"))
        rose = sent(stack, csv(store, "Tea,11"))
        [episode] = low(stack, store)
        sent(stack, csv(store, "Tea,10"))
        messages = [text for text in listener.received(of=store, at_least=2) if store in text]
    assert (
        messages[0] == f"{store}: Tea is low (14 -> 6, reorder point 10). Caused by upload noon.csv ({fell.upload_id})."
    )
    assert len(messages) == 2
    assert (episode.opened_by, episode.closed_by) == (fell.upload_id, rose.upload_id)
    assert (episode.old_count, episode.new_count, episode.closed_count, episode.point) == (14, 6, 11, 10)
    assert [one.state for one in low(stack, store)] == ["open", "closed"]
    assert all(one.notified_at for one in low(stack, store))
    assert (fell.alerts, out(stack, store)) == (0, [])
    assert agrees(stack, store)


def test_an_item_that_falls_through_its_point_to_nothing_is_low_and_out_and_one_message_says_out(
    stack: Stack, store: str
):
    point(stack, store, 10)
    with Listener(stack) as listener:
        sent(stack, csv(store, "Tea,12"))
        fell = sent(stack, csv(store, "Tea,0"))
        assert [one.state for one in (*low(stack, store), *out(stack, store))] == ["open", "open"]
        assert not any(one.unsent for one in (*low(stack, store), *out(stack, store)))
        [shown] = [one for one in alerts.once(alerts.open_now(stack)) if one.store == store]
        assert shown.kind is Kind.OUT
        sent(stack, csv(store, "Tea,4"))  # no longer out, and low still
        assert (low(stack, store)[0].state, out(stack, store)[0].state) == ("open", "closed")
        sent(stack, csv(store, "Tea,40"))
        sent(stack, csv(store, "Tea,8"))
        messages = [text for text in listener.received(of=store, at_least=2) if store in text]
    assert [text.split(" (")[0] for text in messages] == [f"{store}: Tea is out of stock", f"{store}: Tea is low"]
    assert fell.alerts == 1
    assert uploads.receipt(stack, fell.upload_id or "").alerts == 1
    assert agrees(stack, store)


def test_the_point_of_a_store_counts_for_its_items_and_zero_of_an_item_says_never_low(stack: Stack, store: str):
    reorder.save(stack, {Scope(store): Decimal(5), Scope(store, "Jam"): Decimal(0), Scope(store, "Rye"): Decimal(2)})
    sent(stack, csv(store, "Tea,9", "Jam,9", "Rye,9"))
    sent(stack, csv(store, "Tea,3", "Jam,3", "Rye,3"))
    assert [(one.item, one.point) for one in low(stack, store)] == [(TEA, 5)]


def test_a_record_that_comes_again_opens_no_second_low_episode_and_sends_nothing(stack: Stack, store: str):
    point(stack, store, 10)
    with Listener(stack) as listener:
        sent(stack, csv(store, "Tea,14"))
        sent(stack, csv(store, "Tea,6"))
        fell = record_of(stack, store, TEA)
        sent(stack, csv(store, "Tea,20"))
        rose = record_of(stack, store, TEA)
        before = low(stack, store)
        invoke(stack, stack.settings.checker, {"Records": [fell, rose]})
        invoke(stack, stack.settings.checker, {"Records": [fell]})
        sent(stack, csv(store, "Tea,0"))
        said = [text for text in listener.received(of=store, at_least=2) if store in text]
    assert low(stack, store)[1:] == before
    assert len(said) == 2


def test_an_item_that_is_deleted_is_no_longer_low(stack: Stack, store: str):
    point(stack, store, 10)
    sent(stack, csv(store, "Tea,6"))
    key = tables.to_item({"Store": store, "Item": TEA})
    stack.dynamodb.delete_item(TableName=stack.settings.inventory_table, Key=key)
    [episode] = until(lambda: [one for one in low(stack, store) if one.closed_at])
    assert (episode.closed_count, episode.closed_by) == (None, None)
    assert agrees(stack, store)


def test_a_refused_message_of_a_low_item_is_kept_and_says_later_what_it_would_have_said(stack: Stack, store: str):
    nowhere = replace(stack.world, settings=replace(stack.settings, topic=f"{stack.settings.topic}-gone"))
    point(stack, store, 10)
    fell = change(1, store, TEA, f"{store} by", 14, 6)
    with Listener(stack) as listener:
        checking.check(nowhere, stack.client("sns"), [fell])
        [episode] = low(stack, store)
        assert episode.unsent
        [failure] = [one for one in failures.every(stack) if store in one.about]
        assert failures.retry(stack, failure.id) == ""
        [said] = [text for text in listener.received(of=store, at_least=1) if store in text]
    assert "Tea is low (14 -> 6, reorder point 10)" in said
    assert not low(stack, store)[0].unsent


def test_a_checker_that_dies_anywhere_opens_one_low_episode_and_tells_of_it(stack: Stack, other: Any):  # noqa: F811
    sns = stack.client("sns")
    with Listener(stack) as listener:
        for before in itertools.count(1):
            store = f"Store {uuid.uuid4().hex[:8]}"
            reorder.save(stack, {Scope(store): Decimal(10)})
            batch = [
                change(1, store, TEA, f"{store}-1", 14, 6), change(2, store, "Jam", f"{store}-1", 14, 0),
                change(3, store, TEA, f"{store}-2", 6, 20),
            ]  # fmt: skip
            died = dies(lambda batch=batch: checking.check(other, sns, batch), before, other.dynamodb, other.s3, sns)
            checking.check(stack.world, stack.client("sns"), batch)
            assert {one.item: one.state for one in low(stack, store)} == {TEA: "closed", "Jam": "open"}
            assert not any(one.unsent for one in low(stack, store))
            texts = [text for text in listener.received(of=store, at_least=1) if store in text]
            said = [one for text in texts if (one := messages.read(text))]
            plain = [item for one in said if not one.again for _, item, _ in one.of]
            assert {*plain, *(item for one in said for _, item, _ in one.of)} == {TEA, "Jam"}, before
            assert len(plain) == len(set(plain)), before
            assert all("reorder point 10" in line for text in texts for line in text.split("\n") if "14 -> 6" in line)
            assert all("reorder" not in line for text in texts for line in text.split("\n") if "14 -> 0" in line)
            if not died:
                [text] = texts
                assert text.startswith(f"{store}: 1 item is out of stock, 1 item is low.\n")
                return


# --- reorder points that move --------------------------------------------------------------------------------------


def test_what_is_low_by_a_new_point_is_said_so_without_an_upload_and_without_a_message(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,6", "Jam,60"))
    done = point(stack, store, 10, item=None)
    assert (done.low, done.ended) == (((store, TEA),), ())
    [episode] = low(stack, store)
    assert (episode.opened_by, episode.by_point, episode.unsent, episode.point) == (None, True, False, 10)
    assert "Tea  low (6, reorder point 10) by its reorder point; still low" in words.episode(episode)
    assert point(stack, store, 10, item=None) == reorder.Outcome()  # saved once more
    assert len(low(stack, store)) == 1
    assert agrees(stack, store)


def test_a_low_episode_ends_when_its_point_is_lowered_or_removed_and_when_the_count_rises(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,6"))
    assert point(stack, store, 10).low == ((store, TEA),)
    assert point(stack, store, 5).ended == ((store, TEA),)
    assert "no longer low with 6" in words.episode(low(stack, store)[0])
    assert point(stack, store, 6).low == ((store, TEA),)
    assert point(stack, store, None).ended == ((store, TEA),)
    assert point(stack, store, 8).low == ((store, TEA),)
    rose = sent(stack, csv(store, "Tea,9"))
    assert [one.closed_by for one in low(stack, store)] == [rose.upload_id, None, None]
    assert [bool(one.closed_how) for one in low(stack, store)] == [False, True, True]
    assert point(stack, store, 7) == reorder.Outcome()
    assert agrees(stack, store)


def test_a_point_that_is_raised_while_the_item_is_low_opens_no_second_episode(stack: Stack, store: str):
    point(stack, store, 10)
    sent(stack, csv(store, "Tea,20"))
    sent(stack, csv(store, "Tea,6"))
    assert point(stack, store, 15) == reorder.Outcome()
    sent(stack, csv(store, "Tea,12"))
    assert [one.state for one in low(stack, store)] == ["open"]
    sent(stack, csv(store, "Tea,16"))
    assert [one.state for one in low(stack, store)] == ["closed"]


def test_an_item_that_is_out_is_low_as_well_by_a_new_point_and_one_that_is_not_there_is_not(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,0"))
    given = {Scope(store, TEA): Decimal(3), Scope(store, "Never seen"): Decimal(3)}
    assert reorder.save(stack, given) == reorder.Outcome()  # that it is out is known
    assert [(one.item, one.state) for one in low(stack, store)] == [(TEA, "open")]


def test_a_point_below_zero_is_no_point(stack: Stack, store: str):
    with pytest.raises(ValueError, match="from 0 up"):
        point(stack, store, -1)


@pytest.mark.parametrize("many", ["1e200", "1e-200", f"0.{'1' * 40}"])
def test_a_point_that_the_table_can_not_keep_is_refused_before_anything_is_saved(stack: Stack, store: str, many: str):
    with pytest.raises(ValueError, match="can't be kept"):
        reorder.save(stack, {Scope(store): Decimal(3), Scope(store, TEA): Decimal(many)})
    assert points.of_keys(stack.world, [(store, TEA)]).of(store, TEA) == 0
    assert "from 0 up" in run("reorder", "set", "--store", store, many).stderr


def test_a_point_is_saved_although_a_checker_is_just_asking_whether_it_has_moved(stack: Stack, store: str):
    struck: list[AWSRequest] = []

    def conflict(request: AWSRequest, **_: Any) -> AWSResponse | None:
        struck.append(request)
        said = b'{"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException", "message": "ongoing"}'
        raw = SimpleNamespace(stream=lambda *_, **__: iter([said]))
        return AWSResponse(request.url, 400, {}, raw) if len(struck) == 1 else None

    stack.dynamodb.meta.events.register("before-send.dynamodb.UpdateItem", conflict)
    try:
        point(stack, store, 3)
    finally:
        stack.dynamodb.meta.events.unregister("before-send.dynamodb.UpdateItem", conflict)
    assert len(struck) > 1
    assert reorder.read(stack).of(store, TEA) == 3


def test_what_is_asked_about_points_goes_with_the_changes_and_not_with_the_points_of_their_store(
    stack: Stack, store: str
):
    given = {Scope(store, f"{n:03}"): Decimal(n) for n in range(300)} | {Scope(store): Decimal(7)}
    saved(stack, given)
    read: list[int] = []

    def reads(parsed: dict[str, Any], **_: Any) -> None:
        read.append(parsed["Count"])

    stack.dynamodb.meta.events.register("after-call.dynamodb.Query", reads)
    try:
        found = points.of_keys(stack.world, [(store, f"{n:03}") for n in range(290, 310)])
    finally:
        stack.dynamodb.meta.events.unregister("after-call.dynamodb.Query", reads)
    assert [found.of(store, f"{n:03}") for n in range(290, 310)] == [*range(290, 300), *[7] * 10]
    assert sum(read) <= 160


# --- killed in between ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [7, 11])  # it has moved its points, and not said so; it has said so
def test_of_two_savings_at_once_one_that_dies_is_not_taken_for_settled(stack: Stack, store: str, before: int):
    own = replace(stack, dynamodb=stack.client("dynamodb"))
    sent(stack, csv(store, "Tea,6", "Jam,6"))
    point(stack, f"{store} beside", 1)  # so that the audit asks as often what there was, whatever came before
    with meeting(own.dynamodb, 6, lambda: point(stack, store, 10, "Jam")):  # a whole one, within the other
        assert dies(lambda: point(own, store, 10), before, own.dynamodb)
    followed = reorder.Followed(stack)
    assert followed.refresh().own(Scope(store, TEA)) == 10
    assert low(stack, store)[0].item == "Jam"
    assert len(followed.unsettled) == 1
    reorder.save(stack, {})
    assert sorted(one.item for one in low(stack, store) if one.state == "open") == ["Jam", TEA]
    points.settled(stack.world, followed.unsettled)


def test_a_saving_that_broke_off_is_said_so_on_the_command_line_and_the_same_file_finishes_it(
    stack: Stack, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sent(stack, csv(store, "Tea,6"))
    long_ago = times.later(times.now(), minutes=-2)
    with monkeypatch.context() as patch:
        patch.setattr(points.times, "now", lambda: long_ago)
        points.save(stack.world, {Scope(store, TEA): Decimal(10)})
    said = run("reorder")
    assert f"began at {words.clock(long_ago)} UTC has not come to its end" in said.stdout
    assert "Save them once more" in said.stdout
    asked("reorder")  # what is read by machines stays so
    assert "has not come to its end" in run("reorder", "--json").stderr
    file = tmp_path / "points.csv"
    file.write_text(f"store,item,reorder point\n{store},Tea,10\n")
    assert f"{store} · Tea: low" in run("reorder", "import", file).stdout
    assert "has not come" not in run("reorder").stdout
    assert [one.state for one in low(stack, store)] == ["open"]


# --- both at once --------------------------------------------------------------------------------------------------


def test_what_was_judged_by_a_point_that_has_moved_is_judged_again(stack: Stack, store: str):
    point(stack, store, 10)
    falls, rises = change(1, store, TEA, f"{store} a", 14, 6), change(2, store, TEA, f"{store} b", 6, 12)
    judge = Lows(stack.world, [falls])
    point(stack, store, 5)
    assert judge.settle(falls, quiet=False) is None
    assert low(stack, store) == []
    point(stack, store, 10)
    judge = Lows(stack.world, [falls, rises])
    assert judge.settle(falls, quiet=False) == 10
    saved(stack, {Scope(store, TEA): Decimal(20)})
    judge.settle(rises, quiet=False)
    assert [one.state for one in low(stack, store)] == ["open"]


@pytest.mark.parametrize("to", [20, 5, 0, None])
def test_a_low_item_is_told_of_although_the_checker_died_before_it_sent_and_its_point_has_moved_since(
    stack: Stack, store: str, to: int | None
):
    point(stack, store, 10)
    fell = change(1, store, TEA, f"{store} by", 14, 6)
    assert Lows(stack.world, [fell]).settle(fell, quiet=False) == 10
    point(stack, store, to)
    with Listener(stack) as listener:
        checking.check(stack.world, stack.client("sns"), [fell])
        checking.check(stack.world, stack.client("sns"), [fell])
        said = [text for text in listener.received(of=store, at_least=1) if store in text]
    assert len(said) == 1
    assert "Tea is low (14 -> 6, reorder point 10)" in said[0]
    assert not low(stack, store)[-1].unsent


def test_a_low_episode_ends_however_often_its_item_ran_out_meanwhile(stack: Stack, store: str):
    point(stack, store, 10)
    counts = [14, 6, *itertools.chain.from_iterable([0, 6] for _ in range(100)), 20]
    moves = enumerate(itertools.pairwise(counts), start=1)
    checking.settle(stack.world, [change(n, store, TEA, f"{store} {n}", *both) for n, both in moves])
    assert [one.state for one in low(stack, store)] == ["closed"]


def test_a_change_that_its_point_has_told_of_before_opens_no_second_episode_and_a_later_one_ends_it(
    stack: Stack, store: str
):
    sent(stack, csv(store, "Tea,14"))
    sent(stack, csv(store, "Tea,6"))
    fell = of_record(record_of(stack, store, TEA))
    point(stack, store, 10)
    checking.settle(stack.world, [fell])  # as if the stream had only now brought it
    assert [one.by_point for one in low(stack, store)] == [True]
    sent(stack, csv(store, "Tea,30"))
    checking.settle(stack.world, [fell])
    assert [one.state for one in low(stack, store)] == ["closed"]


def test_two_who_open_it_at_the_same_time_open_one(stack: Stack, store: str):
    point(stack, store, 10)
    made = [
        episodes.of_change(change(n, store, TEA, f"{store} {n}", 14, 6), Kind.LOW) | {"Point": 10} for n in range(8)
    ]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda one: lows.put_open(stack.world, one, []), made))
    assert (done.count(True), len(low(stack, store))) == (1, 1)


def test_a_count_that_moves_while_a_point_is_saved_is_judged_as_it_then_is(
    stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch
):
    sent(stack, csv(store, "Tea,6"))
    last = reorder._last

    def meanwhile(of: Stack, key: tuple[str, str]) -> str:
        monkeypatch.setattr(reorder, "_last", last)
        sent(stack, csv(store, "Tea,60"))
        return last(of, key)

    monkeypatch.setattr(reorder, "_last", meanwhile)
    assert point(stack, store, 10) == reorder.Outcome()
    assert low(stack, store) == []


def test_whatever_comes_in_between_an_item_is_low_in_the_end_just_when_its_count_is_at_its_point(
    stack: Stack, store: str
):
    items = [TEA, "Jam", "Rye"]

    def count(turn: int) -> None:
        sent(stack, csv(store, *(f"{item},{(turn * 7 + n * 5) % 23}" for n, item in enumerate(items))))

    def move(turn: int) -> None:
        reorder.save(stack, {Scope(store, item): Decimal((turn * 5 + n * 3) % 17) for n, item in enumerate(items)})

    with ThreadPoolExecutor() as pool:
        for work in [pool.submit(_each, count, 12), pool.submit(_each, move, 40)]:
            work.result()
    now = reorder.read(stack)
    held = {one.item: one.count for one in stock.of_store(stack, store)}
    wanted = sorted(item for item in items if held[item] <= now.of(store, item) != 0)
    assert sorted(one.item for one in low(stack, store) if one.state == "open") == wanted
    assert agrees(stack, store)


def _each(work: Callable[[int], None], turns: int) -> None:
    for turn in range(turns):
        work(turn)


# --- verification --------------------------------------------------------------------------------------------------


def test_verification_names_a_low_episode_that_says_other_than_its_change_and_one_that_crosses_nothing(
    stack: Stack, store: str
):
    point(stack, store, 10)
    sent(stack, csv(store, "Tea,14"))
    sent(stack, csv(store, "Tea,6"))
    [episode] = low(stack, store)
    key = tables.to_item({"ItemKey": item_key(store, TEA), "Position": episode.position})

    def found_with(name: str, value: Any) -> list[What]:
        place = {"TableName": stack.settings.alerts_table, "Key": key, "UpdateExpression": f"SET {name} = :value"}
        before = stack.dynamodb.get_item(TableName=stack.settings.alerts_table, Key=key)["Item"][name]
        stack.dynamodb.update_item(**place, ExpressionAttributeValues=tables.to_item({":value": value}))
        what = [one.what for one in verify(stack, store, again_after=0).differences]
        stack.dynamodb.update_item(**place, ExpressionAttributeValues={":value": before})
        return what

    assert found_with("NewCount", 5) == [What.ALERT]
    assert found_with("Point", 3) == [What.ALERT_TOO_MANY]
    assert agrees(stack, store)


def test_verification_names_an_item_that_is_low_more_than_once(stack: Stack, store: str):
    point(stack, store, 10)
    sent(stack, csv(store, "Tea,6"))
    [item] = episodes.latest(stack.world, store, TEA, Kind.LOW)
    twin = tables.to_item(item | {"Position": f"{item['Position']}#2"})
    stack.dynamodb.put_item(TableName=stack.settings.alerts_table, Item=twin)
    assert [one.what for one in verify(stack, store, again_after=0).differences] == [What.ALERT_TOO_MANY]
    key = {name: twin[name] for name in ("ItemKey", "Position")}
    stack.dynamodb.delete_item(TableName=stack.settings.alerts_table, Key=key)
    assert agrees(stack, store)


# --- somebody has seen it ------------------------------------------------------------------------------------------


def test_an_alert_that_somebody_has_seen_stays_open_with_the_note(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,0"))
    [episode] = out(stack, store)
    alerts.acknowledge(stack, episode, " ordered ")
    [seen] = [one for one in alerts.open_now(stack) if one.store == store]
    assert (seen.note, seen.state) == ("ordered", "open")
    assert f"still out; acknowledged at {words.clock(seen.acknowledged_at)}: ordered" in words.episode(seen)
    assert agrees(stack, store)
    sent(stack, csv(store, "Tea,9"))
    with pytest.raises(NotFound, match="has ended meanwhile"):
        alerts.acknowledge(stack, episode)
    assert out(stack, store)[0].note == "ordered"


# --- what it asks --------------------------------------------------------------------------------------------------


@contextmanager
def counted(stack: Stack) -> Iterator[list[str]]:
    """The names of the operations that are asked of DynamoDB in here."""
    names: list[str] = []

    def hook(model: Any, **_: Any) -> None:
        names.append(model.name)

    stack.dynamodb.meta.events.register("before-call.dynamodb", hook)
    try:
        yield names
    finally:
        stack.dynamodb.meta.events.unregister("before-call.dynamodb", hook)


def test_the_points_of_a_batch_are_read_with_one_query_for_a_store_and_one_item_for_all(stack: Stack, store: str):
    given = {Scope(store, f"Item {n}"): Decimal(n) for n in range(60)} | {Scope(store): Decimal(7)}
    saved(stack, given)
    with counted(stack) as names:
        found = points.of_keys(stack.world, [(store, f"Item {n}") for n in range(500)])
    assert names == ["GetItem", "Query"]
    assert [found.of(store, f"Item {n}") for n in (3, 59, 60, 499)] == [3, 59, 7, 7]
    with counted(stack) as names:
        found = points.of_keys(stack.world, [(store, "Item 3"), (store, "Item 300")])
    assert names == ["GetItem", "BatchGetItem"]
    assert [found.of(store, "Item 3"), found.of(store, "Item 300")] == [3, 7]
    with counted(stack) as names:
        points.of_keys(stack.world, [])
    assert names == []


def test_who_follows_the_points_asks_for_one_item_and_for_the_stores_that_moved(stack: Stack, store: str):
    other_store = f"{store} too"
    saved(stack, {Scope(store, TEA): Decimal(1), Scope(other_store, TEA): Decimal(2)})
    followed = reorder.Followed(stack)
    first = followed.refresh()
    assert (first.of(store, TEA), first.of(other_store, TEA)) == (1, 2)
    with counted(stack) as names:
        assert followed.refresh() is first
    assert names == ["GetItem"]
    saved(stack, {Scope(store, TEA): None, Scope(store, "Jam"): Decimal(4)})
    with counted(stack) as names:
        second = followed.refresh()
    assert names == ["GetItem", "Query", "Query"]  # which stores moved, and the one that did
    assert (second.own(Scope(store, TEA)), second.of(store, "Jam"), second.of(other_store, TEA)) == (None, 4, 2)
    assert second.moved != first.moved


def test_names_as_long_as_keys_may_be_have_reorder_points(stack: Stack):
    key = (uuid.uuid4().hex + "s" * 2000, "i" * 1024)
    saved(stack, {Scope(*key): Decimal(3), Scope(key[0]): Decimal(2)})
    found = points.of_keys(stack.world, [key])
    assert (found.of(*key), found.of(key[0], "else")) == (3, 2)
    assert reorder.read(stack).items[key] == 3


# --- the command line ----------------------------------------------------------------------------------------------


def test_reorder_points_are_set_listed_and_imported_on_the_command_line(stack: Stack, store: str, tmp_path: Path):
    sent(stack, csv(store, "Tea,6", "Jam,60"))
    said = run("reorder", "set", "--store", store, "--item", TEA, "10")
    assert (said.returncode, said.stdout) == (0, f"Saved. 1 item is low now.\n  {store} · Tea: low\n")
    assert {"store": store, "item": TEA, "point": 10} in asked("reorder")
    file = tmp_path / "points.csv"
    file.write_text(f"store,item,reorder point\n{store},Tea,\n{store},,70\n{store},Jam,some\n")
    dry = run("reorder", "import", file, "--dry-run").stdout
    assert f"{store} · Tea: 10 -> none" in dry
    assert "row 4, column reorder point “some”: not a number" in dry
    assert reorder.read(stack).own(Scope(store)) is None
    assert "1 item is low now" in run("reorder", "import", file).stdout
    assert reorder.read(stack).own(Scope(store)) == 70
    [mine] = [one for one in asked("alerts") if one["store"] == store and one["item"] == "Jam"]
    assert (mine["kind"], mine["by_point"], mine["state"]) == ("low", True, "open")
    assert run("reorder", "set", "--store", store, "-").returncode == 0
    assert "from 0 up" in run("reorder", "set", "--store", store, "x").stderr
    assert run("reorder", "set", "--item", TEA, "3").returncode == 1


def test_a_change_is_a_change_in_the_streams_order(stack: Stack, store: str):
    """An episode that began after a change is not ended by it."""
    point(stack, store, 10)
    fell, rose = change(5, store, TEA, f"{store} b", 14, 6), change(3, store, TEA, f"{store} a", 6, 14)
    late: list[Change] = [fell, rose]
    checking.settle(stack.world, late)
    assert [one.state for one in low(stack, store)] == ["open"]

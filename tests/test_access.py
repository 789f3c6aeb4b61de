# ruff: noqa: ARG005 (a table of calls, of which not all need both)
"""Access: who may do what is decided in one place, and every service asks there. Nobody is shown another's store."""

import ast
import inspect
import pkgutil
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib import import_module
from itertools import islice, pairwise
from typing import Any

import pytest

import services
from lambdas import mappings, times
from lambdas.fates import Mode
from lambdas.quiet import Hours
from lambdas.reorder import ALL, Scope
from lambdas.stockfile import AUTOMATIC, Mapping
from lambdas.stream import shard_of
from services import (
    alerts,
    answers,
    audit,
    changes,
    correcting,
    deeds,
    failures,
    lesson,
    logs,
    mending,
    opening,
    past,
    people,
    pipeline,
    previewing,
    quiet,
    quiet_stores,
    reorder,
    stock,
    subscriptions,
    trust,
    undoing,
    uploads,
    users,
    verifying,
    why,
)
from services.access import MACHINE, Person, Right, Role
from services.changes import Counted
from services.errors import BadFile, NotFound, Refused, StocktrailError
from services.follower import Follower
from services.lately import Lately
from services.lesson import scratch
from services.lesson.classroom import Classroom
from services.lesson.run import lesson as give
from services.logs import Tail
from services.mine import Mine
from services.reorder import Followed
from services.signing import AT_FIRST
from services.stack import ROOT, Stack
from services.standing import Sums
from services.stock import Mirror, Stocked
from services.why import Asked
from tests.shops import Shop, arn, persons, two_stores
from tests.waiting import until

INSIDE = ("services.verifying.", "services.why.", "services.quota", "services.sight", "services.stack")
"""Reached only by way of services that have asked: what is in there takes a stack as well."""


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    with two_stores(stack) as found:
        yield found


def episode(stack: Stack, shop: Shop) -> Any:
    return next(one for one in alerts.of_item(stack.acting(MACHINE), shop.key))


def seen(stack: Stack, shop: Shop) -> Any:
    return next(one for one in changes.of_item(stack.acting(MACHINE), shop.key))


def whole(stack: Stack, upload_id: str) -> Any:
    return uploads.receipt(stack.acting(MACHINE), upload_id)


HIDDEN, REFUSED, OPEN = "hidden", "refused", "open"
"""What somebody with other stores gets: the answer without them, none at all, or one that tells of no store."""
Call = Callable[[Stack, Shop], Any]

CALLS: dict[str, tuple[Right, str, Call]] = {
    "alerts.open_now": (Right.SEE, HIDDEN, lambda s, p: alerts.open_now(s)),
    "alerts.held": (Right.SEE, OPEN, lambda s, p: alerts.held(s)),
    "alerts.history": (Right.SEE, HIDDEN, lambda s, p: alerts.history(s)),
    "alerts.of_upload": (Right.SEE, HIDDEN, lambda s, p: alerts.of_upload(s, p.both)),
    "alerts.around": (Right.SEE, REFUSED, lambda s, p: alerts.around(s, p.key, "9")),
    "alerts.of_item": (Right.SEE, REFUSED, lambda s, p: alerts.of_item(s, p.key)),
    "alerts.acknowledge": (Right.MANAGE, REFUSED, lambda s, p: alerts.acknowledge(s, episode(s, p), "seen")),
    "answers.waiting": (Right.SEE, HIDDEN, lambda s, p: answers.waiting(s)),
    "answers.contents": (Right.SEE, REFUSED, lambda s, p: answers.contents(s, whole(s, p.both))),
    "answers.answer": (Right.SEND, REFUSED, lambda s, p: answers.answer(s, p.waits, AUTOMATIC)),
    "audit.latest": (Right.ADMINISTER, OPEN, lambda s, p: audit.latest(s, 1)),
    "audit.export": (Right.ADMINISTER, OPEN, lambda s, p: audit.export(s, a_second_ago(), times.now())),
    "changes.newest": (Right.SEE, HIDDEN, lambda s, p: changes.newest(s)),
    "changes.next_after": (Right.SEE, HIDDEN, lambda s, p: changes.next_after(s, p.begun, 100)),
    "changes.kept": (Right.SEE, HIDDEN, lambda s, p: changes.kept(s, [Counted.of(seen(s, p))])),
    "changes.since": (Right.SEE, HIDDEN, lambda s, p: changes.since(s, p.begun)),
    "changes.positions_since": (Right.SEE, REFUSED, lambda s, p: changes.positions_since(s, p.begun)),
    "changes.hours": (Right.SEE, OPEN, lambda s, p: changes.hours(s, p.begun[:13])),
    "changes.counted": (
        Right.SEE, HIDDEN, lambda s, p: changes.counted(s, seen(s, p).at[:13], shard_of(p.foreign, "Gold"))
    ),
    "changes.images_before": (Right.SEE, HIDDEN, lambda s, p: changes.images_before(s, p.begun[:17] + "00")),
    "changes.of_item": (Right.SEE, REFUSED, lambda s, p: changes.of_item(s, p.key)),
    "changes.before": (Right.SEE, REFUSED, lambda s, p: changes.before(s, p.key, times.now(), 5)),
    "changes.of_upload_to_item": (
        Right.SEE, REFUSED, lambda s, p: changes.of_upload_to_item(s, p.both, p.key, p.begun)
    ),
    "changes.of_upload": (Right.SEE, HIDDEN, lambda s, p: changes.of_upload(s, p.both)),
    "changes.count_of_upload": (Right.SEE, OPEN, lambda s, p: changes.count_of_upload(s, p.both)),
    "correcting.correct": (
        Right.SEND, REFUSED, lambda s, p: correcting.correct(s, stock_of(p), Decimal(5))
    ),
    "correcting.release": (Right.SEND, REFUSED, lambda s, p: correcting.release(s, stock_of(p))),
    "correcting.one": (Right.SEE, REFUSED, lambda s, p: correcting.one(s, p.foreign, "Tea")),
    "deeds.uploads_of": (Right.ADMINISTER, OPEN, lambda s, p: deeds.uploads_of(s, [])),
    "failures.every": (Right.OPERATE, HIDDEN, lambda s, p: failures.every(s)),
    "failures.payload": (Right.OPERATE, HIDDEN, lambda s, p: failures.payload(s, f"file/{p.failed}")),
    "failures.retry": (Right.OPERATE, OPEN, lambda s, p: failures.retry(s, "record/none")),
    "failures.put_aside": (Right.OPERATE, OPEN, lambda s, p: failures.put_aside(s, f"file/{p.both}")),
    "failures.sweep": (Right.OPERATE, OPEN, lambda s, p: failures.sweep(s)),
    "lesson.run.lesson": (Right.OPERATE, OPEN, lambda s, p: next(give(s, lesson.story()))),
    "lesson.scratch.made": (Right.OPERATE, OPEN, lambda s, p: scratch.made(s).__enter__()),
    "lesson.scratch.sweep": (Right.OPERATE, OPEN, lambda s, p: scratch.sweep(s)),
    "logs.before": (Right.OPERATE, OPEN, lambda s, p: logs.before(s, 1)),
    "logs.of_upload": (Right.OPERATE, HIDDEN, lambda s, p: logs.of_upload(s, p.secret, p.begun)),
    "mending.mend": (Right.SEND, REFUSED, lambda s, p: mending.mend(s, whole(s, p.secret))),
    "mending.to_mend": (
        Right.SEND, OPEN, lambda s, p: mending.to_mend(s, "x.csv", opening.opened(s, b"store,item,count\nA,B,x\n"), [])
    ),
    "opening.opened": (Right.SEE, HIDDEN, lambda s, p: opening.opened(s, b"a;b\nx;1\n").mapping),
    "opening.remember": (
        Right.SEND, REFUSED,
        lambda s, p: opening.remember(s, opening.opened(s, b"c;d\nx;1\n").understood, always(p)),
    ),
    "opening.forget": (Right.SEND, OPEN, lambda s, p: opening.forget(s, "no such shape")),
    "opening.saved": (Right.SEE, HIDDEN, lambda s, p: opening.saved(s)),
    "past.table": (Right.SEE, HIDDEN, lambda s, p: past.table(s, a_second_ago())),
    "people.every": (Right.ADMINISTER, OPEN, lambda s, p: people.every(s)),
    "people.put": (Right.ADMINISTER, OPEN, lambda s, p: people.put(s, "no name", Role.ADMIN)),
    "people.forget": (Right.ADMINISTER, OPEN, lambda s, p: people.forget(s, "no name")),
    "pipeline.waiting": (Right.OPERATE, OPEN, lambda s, p: pipeline.waiting(s)),
    "previewing.preview": (Right.SEND, HIDDEN, lambda s, p: verdicts(previewing.preview(s, "x.csv", of_foreign(p))[1])),
    "previewing.foreseen": (
        Right.SEND, HIDDEN, lambda s, p: verdicts(previewing.foreseen(s, "x.csv", of_foreign(p)).lines)
    ),
    "quiet.hours": (Right.SEE, HIDDEN, lambda s, p: quiet.hours(s)),
    "quiet.put": (Right.MANAGE, REFUSED, lambda s, p: quiet.put(s, Hours("22:00", "07:00", "UTC"), p.foreign)),
    "quiet.forget": (Right.MANAGE, REFUSED, lambda s, p: quiet.forget(s, f"{p.foreign} too")),
    "quiet_stores.find": (
        Right.SEE, REFUSED, lambda s, p: quiet_stores.find(s, [Sums(p.foreign, 1, 0, 0, "")], times.now())
    ),
    "quiet_stores.uploads_of": (Right.SEE, REFUSED, lambda s, p: quiet_stores.uploads_of(s, p.foreign, limit=9)),
    "reorder.read": (Right.SEE, HIDDEN, lambda s, p: reorder.read(s)),
    "reorder.save": (Right.MANAGE, REFUSED, lambda s, p: reorder.save(s, {Scope(p.foreign, "Tea"): Decimal(9)})),
    "stock.table": (Right.SEE, HIDDEN, lambda s, p: stock.table(s)),
    "stock.of_store": (Right.SEE, REFUSED, lambda s, p: stock.of_store(s, p.foreign)),
    "subscriptions.every": (Right.MANAGE, HIDDEN, lambda s, p: subscriptions.every(s)),
    "subscriptions.subscribe": (
        Right.MANAGE, REFUSED, lambda s, p: subscriptions.subscribe(s, "sms", p.subscriber, [p.foreign])
    ),
    "subscriptions.change_stores": (
        Right.MANAGE, REFUSED, lambda s, p: subscriptions.change_stores(s, arn_of(s, p), [p.foreign])
    ),
    "subscriptions.unsubscribe": (Right.MANAGE, OPEN, lambda s, p: subscriptions.unsubscribe(s, "arn:aws:sns:no")),
    "subscriptions.confirm": (Right.MANAGE, OPEN, lambda s, p: subscriptions.confirm(s, "https://example.org/")),
    "subscriptions.send_test": (Right.MANAGE, REFUSED, lambda s, p: subscriptions.send_test(s, p.foreign)),
    "trust.verify": (Right.OPERATE, OPEN, lambda s, p: trust.verify(s, p.foreign)),
    "trust.latest": (Right.OPERATE, OPEN, lambda s, p: trust.latest(s)),
    "undoing.preview": (Right.SEND, REFUSED, lambda s, p: undoing.preview(s, p.both)),
    "undoing.send": (Right.SEND, REFUSED, lambda s, p: undoing.send(s, p.waits)),
    "uploads.send": (Right.SEND, OPEN, lambda s, p: uploads.send(s, "x.csv", b"store,item,count\n")),
    "uploads.receipt": (Right.SEE, REFUSED, lambda s, p: uploads.receipt(s, p.secret)),
    "uploads.follow": (Right.SEE, REFUSED, lambda s, p: list(islice(uploads.follow(s, p.secret), 1))),
    "uploads.rows": (Right.SEE, HIDDEN, lambda s, p: uploads.rows(s, whole(s, p.both))),
    "uploads.rejected": (Right.SEE, OPEN, lambda s, p: uploads.rejected(s, whole(s, p.both))),
    "uploads.recent": (Right.SEE, HIDDEN, lambda s, p: uploads.recent(s)),
    "uploads.same_content": (
        Right.SEE, HIDDEN, lambda s, p: p.mark * bool(uploads.same_content(s, b"%PDF-1.4"))
    ),
    "uploads.names": (Right.SEE, HIDDEN, lambda s, p: uploads.names(s, [p.secret, p.both])),
    "users.add": (Right.ADMINISTER, OPEN, lambda s, p: users.add(s, "no name")),
    "users.remove": (Right.ADMINISTER, OPEN, lambda s, p: users.remove(s, "no name")),
    "users.every": (Right.ADMINISTER, OPEN, lambda s, p: users.every(s)),
    "users.send_back_to": (Right.ADMINISTER, OPEN, lambda s, p: users.send_back_to(s, AT_FIRST)),
    "why.why": (Right.SEE, REFUSED, lambda s, p: why.why(s, Asked(p.both, p.foreign, "Gold"))),
    # What is made with a stack, and asks it later.
    "Classroom": (Right.OPERATE, OPEN, lambda s, p: Classroom(s)),
    "Followed": (Right.SEE, REFUSED, lambda s, p: Followed(s).refresh()),
    "Follower": (Right.SEE, REFUSED, lambda s, p: Follower(s).start()),
    "Mine": (Right.SEE, HIDDEN, lambda s, p: Mine(s).latest(uploads.recent(s.acting(MACHINE)), 50)),
    "Mirror": (Right.SEE, REFUSED, lambda s, p: Mirror(s)),
    "Lately": (Right.SEE, REFUSED, lambda s, p: Lately(s, Mirror(s))),
    "Tail": (Right.OPERATE, HIDDEN, lambda s, p: Tail(s).refresh()),
}  # fmt: skip


def stock_of(shop: Shop) -> Stocked:
    return Stocked(shop.foreign, "Tea", Decimal(5), None, None)


def of_foreign(shop: Shop) -> bytes:
    return f"store,item,count\n{shop.foreign},Tea,4\n".encode()


def verdicts(lines: list[dict[str, Any]]) -> list[Any]:
    """What a preview tells of the table; the names are the file's own."""
    return [(line.get("store"), line.get("was")) for line in lines]


def always(shop: Shop) -> Mapping:
    return Mapping(item=(("c",),), count="d", always=shop.foreign)


def arn_of(stack: Stack, shop: Shop) -> str:
    return arn(stack.acting(MACHINE), shop.subscriber)


def a_second_ago() -> str:
    return times.later(times.now(), seconds=-1)


@pytest.mark.parametrize("name", CALLS)
def test_each_service_serves_each_role_what_is_its_due_and_no_more(name: str, stack: Stack, shop: Shop):
    right, scope, call = CALLS[name]
    if scope is HIDDEN:
        until(lambda: shop.mark in repr(call(stack, shop)))  # it would be there to be seen
    for person in persons(shop):
        may = person.may(right) and (scope is not REFUSED or person.stores is None)
        answer, error = outcome(call, stack.acting(person), shop)
        if may:
            assert not isinstance(error, Refused), f"{person}: {error}"
            assert person.stores is None or shop.mark not in answer, f"{person} was told of it: {answer[:500]}"
        else:
            assert isinstance(error, Refused | NotFound), f"{person} was served: {answer[:200]}"


def outcome(call: Call, stack: Stack, shop: Shop) -> tuple[str, StocktrailError | None]:
    """What is answered; and the error, which may be of something that is wrong with the question."""
    try:
        return repr(call(stack, shop)), None
    except StocktrailError as error:
        return str(error), error


def test_the_calls_are_all_that_take_a_stack():
    functions, classes = set(), set()
    for found in pkgutil.walk_packages(services.__path__, "services."):
        if found.name == "services.__main__" or found.name.startswith(INSIDE):
            continue
        tree = ast.parse(inspect.getsource(import_module(found.name)))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _takes_a_stack(node):
                functions.add(f"{found.name.removeprefix('services.')}.{node.name}")
            if isinstance(node, ast.ClassDef) and any(map(_holds_a_stack, node.body)):
                classes.add(node.name)
    inner = {"previewing.of_rows"}  # for undoing alone
    inner |= {"people.known", "people.of_claims"}  # by these it is found out who somebody is
    inner |= {"ended.known", "ended.put"}  # and by these, whether they still are
    inner |= {"audit.note"}  # for whatever anybody is about to do
    assert functions | {"why.why"} | classes == set(CALLS) | inner
    assert verifying.verify.__wrapped__.__wrapped__.__name__ == "verify"  # type: ignore[attr-defined]


def _takes_a_stack(node: ast.FunctionDef) -> bool:
    first = node.args.args[0].annotation if node.args.args else None
    return first is not None and ast.unparse(first) == "Stack"


def _holds_a_stack(node: ast.stmt) -> bool:
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.annotation) == "Stack"
    return isinstance(node, ast.FunctionDef) and node.name == "__init__" and any(
        one.annotation is not None and ast.unparse(one.annotation) == "Stack" for one in node.args.args
    )  # fmt: skip


def test_pages_come_by_no_service_that_does_not_ask():
    """What is reached only by way of others that have asked is imported by no page."""
    for path in [*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py"), *ROOT.glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith(("services.verifying.", "services.why.")), path
                taken = {f"{node.module}.{one.name}" for one in node.names}
                assert not taken & {"services.quota"}, path


def test_a_click_asks_who_it_is_when_it_is_made():
    """A button stands on a page for hours: what it was drawn with says who somebody was, and could do, then."""
    for path in [*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py"), *ROOT.glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg in ("args", "kwargs", "on_click", "on_change"):
                assert "held" not in _names(node.value), f"{path.name}:{node.value.lineno}"
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "st.download_button",
                "button",
                "download.button",
            ):
                assert "held" not in _names(node), f"{path.name}:{node.lineno}"


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


# --- what a role holds ---------------------------------------------------------------------------------------------


def test_a_role_holds_the_rights_of_those_before_it():
    held = [{right for right in Right if Person("p", role).may(right)} for role in Role]
    assert all(less < more for less, more in pairwise(held))
    assert held[0] == {Right.SEE}
    assert held[-1] == set(Right)
    assert not any(Person("p", None).may(right) for right in Right)


def test_only_viewers_and_managers_are_of_named_stores():
    some = frozenset({"Oslo"})
    assert [Person("p", role, some).stores for role in Role] == [some, some, None, None]


def test_what_concerns_all_stores_is_refused_to_who_has_some(stack: Stack):
    manager = stack.acting(Person("m", Role.MANAGER, frozenset({"Oslo"})))
    with pytest.raises(Refused, match="all stores"):
        quiet.put(manager, None)
    with pytest.raises(Refused, match="all of them"):
        subscriptions.subscribe(manager, "sms", "+4915123456789")
    with pytest.raises(Refused, match="does not allow"):
        reorder.save(stack.acting(Person("o", Role.OPERATOR)), {ALL: Decimal(3)})


def test_a_mode_that_can_put_back_older_counts_is_for_operators(stack: Stack, store: str):
    data = f"store,item,count\n{store},Tea,3\n".encode()
    for role in (Role.MANAGER, Role.OPERATOR):
        own = stack.acting(Person(f"{role}@example.org", role))
        if role is Role.MANAGER:
            with pytest.raises(Refused, match="pipeline"):
                uploads.send(own, "x.csv", data, Mode.STAMP)
        else:
            assert uploads.follow(own, uploads.send(own, "x.csv", data, Mode.STAMP))


# --- what is remembered, and how much one may send -----------------------------------------------------------------


def test_what_a_manager_of_some_stores_remembers_holds_for_the_own_files_alone(stack: Stack):
    """Or one store could have the files of all others misread."""
    data = f"name{uuid.uuid4().hex[:6]};stock;price\nTea;3;9\n".encode()
    manager = stack.acting(Person(f"{uuid.uuid4().hex}@example.org", Role.MANAGER, frozenset({"Oslo"})))
    opened = opening.opened(stack, data)
    other = Mapping(item=((opened.understood.columns[0],),), count="price")
    opening.remember(manager, opened.understood, other)
    assert opening.opened(manager, data).mapping == other
    assert opening.opened(stack, data).mapping == AUTOMATIC
    assert mappings.of_shape(stack.world, opened.understood.shape) is None
    assert other in [one.mapping for one in opening.saved(manager)]
    assert other not in [one.mapping for one in opening.saved(stack)]
    opening.forget(manager, opened.understood.shape)
    assert opening.opened(manager, data).mapping == AUTOMATIC


def test_one_person_sends_so_much_in_an_hour_and_no_more(stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.quota.FILES_AN_HOUR", 2)
    monkeypatch.setattr("services.quota.MOST_BYTES", 100)
    own = stack.acting(Person(f"{uuid.uuid4().hex}@example.org", Role.MANAGER))
    data = f"store,item,count\n{store},Tea,3\n".encode()
    for _ in range(2):
        uploads.send(own, "x.csv", data)
    with pytest.raises(Refused, match=r"x\.csv was not taken"):
        uploads.send(own, "x.csv", data)
    uploads.send(stack, "x.csv", data)  # the machine itself is not counted
    with pytest.raises(BadFile, match=r"x\.csv has 0 MB"):
        uploads.send(stack, "x.csv", data * 9)


def test_what_was_counted_in_another_hour_counts_no_more(stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.quota.FILES_AN_HOUR", 1)
    name = f"{uuid.uuid4().hex}@example.org"
    past_hour = {"Kind": {"S": "sent"}, "Id": {"S": name}, "Hour": {"S": "2026-01-01T00"}, "Files": {"N": "1"}}
    stack.dynamodb.put_item(TableName=stack.settings.settings_table, Item=past_hour | {"Bytes": {"N": "1"}})
    own = stack.acting(Person(name, Role.MANAGER))
    data = f"store,item,count\n{store},Tea,3\n".encode()
    uploads.send(own, "x.csv", data)
    with pytest.raises(Refused):
        uploads.send(own, "x.csv", data)

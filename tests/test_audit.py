"""The audit: every deed has its entry before it is done, and whoever may look finds it."""

import io
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from csv import DictReader
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lambdas import objects, times
from lambdas.quiet import Hours
from lambdas.reorder import ALL, Scope
from lambdas.stockfile import AUTOMATIC, Mapping
from lambdas.stockfile.parts import Understanding
from lambdas.upload import time_of
from services import (
    alerts,
    audit,
    correcting,
    deeds,
    failures,
    people,
    quiet,
    reorder,
    signing,
    subscriptions,
    trust,
    undoing,
    uploads,
    users,
)
from services.access import Person, Role
from services.alerts import Episode
from services.audit import Did, Entry, Page, Wanted
from services.errors import Refused, Unavailable
from services.stack import Stack
from tests.chaos.answers import Request, Response, refusal
from tests.chaos.proxy import Proxy
from tests.conftest import csv, sent
from tests.test_cli import asked, run
from tests.topic import Server
from tests.waiting import until

HERE = "192.0.2.7"
READS = {
    "s3:GET", "s3:HEAD", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan",
    "cognito-idp:DescribeUserPoolClient", "sns:ListSubscriptionsByTopic", "sns:GetSubscriptionAttributes",
}  # fmt: skip
BY_SIGN_IN = {Did.SIGNED_IN, Did.SIGNED_OUT, Did.REFUSED}


@dataclass
class Scene:
    """What there is to do something to."""

    store: str
    tag: str
    upload: str  # has changed something
    episode: Episode  # is open
    waiting: str
    failed: list[str]
    understood: Understanding  # of a file; with
    mapping: Mapping
    arn: str  # of a subscription
    token: str  # of another one, which waits


@pytest.fixture
def scene(stack: Stack, store: str) -> Iterator[Scene]:
    tag = uuid.uuid4().hex[:8]
    upload = sent(stack, csv(store, "Tea,5", "Bread,2", "Rolls,0"))
    waiting = sent(stack, b"item,count\nTea,3\n", name="till.csv")
    failed = [sent(stack, b"%PDF-1.4", name=f"no-{n}.pdf").upload_id or "" for n in (1, 2)]
    [episode] = [one for one in alerts.open_now(stack) if one.store == store]
    data, mapping = f"Thing,Left {tag},Shop\nTea,1,{store}\n".encode(), Mapping(item=(("Thing",),), store="Shop")
    mapping = replace(mapping, count=f"Left {tag}")
    understood = uploads.opened(stack, data, mapping).understood
    with Server() as server:
        anna = subscriptions.subscribe(stack, "email", f"{tag}@example.org", [store])
        waits = subscriptions.subscribe(stack, "http", server.address, [store])
        token = until(lambda: server.tokens)[0]
        yield Scene(
            store, tag, upload.upload_id or "", episode, waiting.upload_id or "", failed, understood, mapping,
            anna.arn or "", token,
        )  # fmt: skip
        for one in subscriptions.every(stack):
            if one.arn and (tag in one.endpoint or one.arn == waits.arn):
                subscriptions.unsubscribe(stack, one.arn)


Deed = tuple[Did, Callable[[Stack, Scene], Any], str]
DEEDS: list[Deed] = [
    (Did.SENT, lambda on, of: uploads.send(on, "jam.csv", csv(of.store, "Jam,4"), store=of.store),
     "sent jam.csv for {store}"),
    (Did.CORRECTED, lambda on, of: correcting.correct(on, correcting.one(on, of.store, "Tea"), Decimal(3), "2 broken"),
     "corrected {store} · Tea: 5 -> 3 (2 broken)"),
    (Did.RELEASED, lambda on, of: correcting.release(on, correcting.one(on, of.store, "Bread")),
     "released {store} · Bread, whose time lay ahead"),
    (Did.ACKNOWLEDGED, lambda on, of: alerts.acknowledge(on, of.episode, "ordered"),
     "acknowledged the alert of {store} · Rolls: ordered"),
    (Did.ANSWERED, lambda on, of: uploads.answer(on, of.waiting, AUTOMATIC, of.store),
     "said how till.csv is to be read for {store}"),
    (Did.RUN_AGAIN, lambda on, of: failures.retry(on, f"file/{of.failed[0]}"), "ran no-1.pdf again"),
    (Did.PUT_ASIDE, lambda on, of: failures.put_aside(on, f"file/{of.failed[1]}"),
     "put no-2.pdf aside: it is not to be loaded"),
    (Did.VERIFIED, lambda on, of: trust.verify(on, of.store), "verified the numbers of {store}"),
    (Did.POINTS_SET, lambda on, of: reorder.save(on, {Scope(of.store, "Bread"): Decimal(2)}),
     "set the reorder point of {store} · Bread: none -> 2"),
    (Did.POINTS_SET, lambda on, of: reorder.save(on, {Scope(of.store, "Bread"): None, Scope(of.store): Decimal(1)}),
     "set 2 reorder points of {store}"),
    (Did.QUIET_SET, lambda on, of: quiet.put(on, Hours("22:00", "07:00", "Europe/Berlin"), of.store),
     "set the quiet hours of {store}: none -> 22:00 to 07:00, Europe/Berlin"),
    (Did.QUIET_SET, lambda on, of: quiet.forget(on, of.store),
     "set the quiet hours of {store}: 22:00 to 07:00, Europe/Berlin -> as for all stores"),
    (Did.SUBSCRIBED, lambda on, of: subscriptions.subscribe(on, "email", f"new-{of.tag}@example.org", [of.store]),
     "subscribed e-mail new-{tag}@example.org to the alerts of {store}"),
    (Did.RESUBSCRIBED, lambda on, of: subscriptions.change_stores(on, of.arn, []),
     "changed whose alerts e-mail {tag}@example.org gets: {store} -> all stores"),
    (Did.TESTED, lambda on, of: subscriptions.send_test(on, of.store),
     "sent a test message to who gets the alerts of {store}"),
    (Did.CONFIRMED, lambda on, of: subscriptions.confirm(on, of.token), "confirmed a subscription"),
    (Did.UNSUBSCRIBED, lambda on, of: subscriptions.unsubscribe(on, of.arn),
     "ended the subscription of e-mail {tag}@example.org"),
    (Did.REMEMBERED, lambda on, of: uploads.remember(on, of.understood, of.mapping),
     "remembered how files of the shape {shape} are read"),
    (Did.FORGOTTEN, lambda on, of: uploads.remember(on, of.understood, AUTOMATIC),
     "forgot how files of the shape {shape} are read"),
    (Did.FORGOTTEN, lambda on, of: uploads.forget(on, of.understood.shape),
     "forgot how files of the shape {shape} are read"),
    (Did.GIVEN, lambda on, of: people.put(on, f"{of.tag}@example.com", Role.VIEWER, [of.store]),
     "gave {tag}@example.com access: viewer of {store}"),
    (Did.CHANGED, lambda on, of: people.put(on, f"{of.tag}@example.com", Role.MANAGER, None),
     "changed the access of {tag}@example.com: viewer of {store} -> manager of all stores"),
    (Did.TAKEN, lambda on, of: people.put(on, f"{of.tag}@example.com", None),
     "took all access from {tag}@example.com, manager of all stores till then"),
    (Did.CHANGED, lambda on, of: people.forget(on, f"{of.tag}@example.com"),
     "changed the access of {tag}@example.com: no access -> what their groups say"),
    (Did.USER_MADE, lambda on, of: users.add(on, f"{of.tag}@example.com", f"Aa1-{of.tag}"),
     "made the user {tag}@example.com"),
    (Did.USER_DELETED, lambda on, of: users.remove(on, f"{of.tag}@example.com"), "deleted the user {tag}@example.com"),
    (Did.ADDRESS_SET, lambda on, _: users.send_back_to(on, signing.AT_FIRST),
     "had the sign-in lead back to http://localhost:8501"),
    (Did.UNDONE, lambda on, of: undoing.send(on, of.upload), "undid stock.csv"),
]  # fmt: skip
"""All that the services change, in an order in which it can be done; and how it is told."""


def by(name: str, role: Role = Role.ADMIN) -> Person:
    return Person(f"{name}@example.com", role, via=HERE)


def entries(stack: Stack, name: str) -> list[Entry]:
    """What somebody did, the first deed first."""
    return audit.latest(stack, wanted=Wanted(by=f"{name}@example.com")).entries[::-1]


def test_each_deed_has_one_entry_that_tells_who_did_what_from_where_and_when(stack: Stack, scene: Scene):
    maria, began = stack.acting(by("maria-" + scene.tag)), times.now()
    for _, do, _ in DEEDS:
        do(maria, scene)
    found = entries(stack, "maria-" + scene.tag)
    assert [one.did for one in found] == [did for did, _, _ in DEEDS]
    assert {one.did for one in found} == set(Did) - BY_SIGN_IN
    names = {"store": scene.store, "tag": scene.tag, "shape": scene.understood.shape}
    known = deeds.uploads_of(stack, found)
    loaded = {upload_id: replace(one, rows=None) for upload_id, one in known.items()}  # some may be loaded by now
    assert [deeds.deed(one, loaded) for one in found] == [told.format(**names) for _, _, told in DEEDS]
    assert {(one.by, one.role, one.via) for one in found} == {(maria.person.name, "admin", HERE)}
    moments = [began, *(one.at for one in found), times.now()]
    assert moments == sorted(moments)
    list(uploads.follow(stack, found[0].about["upload"]))
    assert deeds.told(found[0], deeds.uploads_of(stack, found)).endswith(f"sent jam.csv for {scene.store}: 1 row")


class Unwritten(Proxy):
    """A way to the engine on which no entry of the audit comes through. ``passed``: what else was asked."""

    def __init__(self, stack: Stack) -> None:
        port = urlsplit(stack.endpoint or "").port
        self.passed: list[str] = []
        super().__init__(lambda: port, "nobody", seed=1)

    def answer(self, request: Request, forward: Callable[[Request], Response]) -> Response | None:
        if request.method == "PUT" and f"/{objects.AUDIT}" in request.path:
            return refusal(request, 403, "AccessDenied")
        self.passed.append(request.operation)
        return forward(request)


@contextmanager
def unwritten(stack: Stack) -> Iterator[tuple[Unwritten, Stack]]:
    proxy = Unwritten(stack)
    shell = replace(stack, endpoint=proxy.endpoint)
    yield proxy, replace(shell, dynamodb=shell.client("dynamodb"), s3=shell.client("s3"))
    proxy.close()


def test_a_deed_that_cannot_be_written_down_is_not_done(stack: Stack, scene: Scene):
    shown = f"{scene.tag}@example.com"
    people.put(stack, shown, Role.VIEWER)
    with unwritten(stack) as (proxy, shut):
        for did, do, _ in DEEDS:
            with pytest.raises(Unavailable, match="PutObject was refused"):
                do(shut, scene)
            assert set(proxy.passed) <= READS, did
            proxy.passed.clear()
    assert {one.name: one.role for one in people.every(stack)}[shown] is Role.VIEWER
    people.forget(stack, shown)


def test_only_an_admin_reads_it(stack: Stack):
    for role in (None, Role.VIEWER, Role.MANAGER, Role.OPERATOR):
        asking = stack.acting(Person("paul@example.com", role))
        with pytest.raises(Refused):
            audit.latest(asking)
        with pytest.raises(Refused):
            audit.export(asking, times.now(), times.now())


def test_an_entry_holds_no_secret_and_is_never_long(stack: Stack, store: str):
    paula = stack.acting(by("paula-" + store[-8:]))
    address = f"https://anna:pass-word@hooks.example/{store[-8:]}/path-secret?token=query-secret"
    made = subscriptions.subscribe(paula, "https", address, [store])
    audit.note(paula, Did.REFUSED, what="x" * 100_000, many=list(range(1000)), half="a\ud800b")
    first, second = entries(stack, "paula-" + store[-8:])
    assert first.about["endpoint"] == "hooks.example"
    assert "secret" not in json.dumps(first.as_json())
    assert "pass-word" not in json.dumps(first.as_json())
    assert len(json.dumps(second.as_json())) < 3_000
    assert second.about["many"][-1] == "… and 980 more"
    assert second.about["half"] == "a?b"
    if made.arn:
        subscriptions.unsubscribe(stack, made.arn)


def test_a_token_is_in_no_entry(stack: Stack, scene: Scene):
    subscriptions.confirm(stack.acting(by("tom-" + scene.tag)), scene.token)
    [one] = entries(stack, "tom-" + scene.tag)
    assert scene.token not in json.dumps(one.as_json())


# --- found again ----------------------------------------------------------------------------------------------------


def kept(
    stack: Stack, at: datetime, who: str = "ann@example.com", did: Did = Did.SENT, store: str | None = None
) -> str:
    """An entry of then, as `note` would have written it; its place."""
    name = f"{at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
    place = audit.place_of(name, who, store, did)
    entry = {"at": times.text(at), "by": who, "role": "admin", "via": HERE, "did": did, "about": {"store": store}}
    objects.put(stack.world, f"{objects.AUDIT}{at:%Y-%m-%d}/{place}.json", entry, once=True)
    return place


@pytest.fixture(scope="module")
def past(stack: Stack) -> list[str]:
    """The places of 60 entries of long ago, on three days: many in three seconds, two in one microsecond, few in hours.
    The newest first."""
    day = datetime(2001, 2, 3, tzinfo=UTC)
    moments = [day + timedelta(hours=9, milliseconds=80 * n) for n in range(38)]
    moments += [day, day, day + timedelta(hours=23, minutes=59, seconds=59), day + timedelta(days=1)]
    moments += [day + timedelta(days=3, hours=n) for n in range(18)]
    return sorted((kept(stack, at, ("ann@example.com", "Bo@example.com")[n % 2], store=("X", None)[n % 3 > 0])
                   for n, at in enumerate(moments)), reverse=True)  # fmt: skip


SINCE, BEFORE = "2001-01-01T00:00:00.000000Z", "2001-12-31T00:00:00.000000Z"


def walked(stack: Stack, limit: int, wanted: Wanted = audit.ANY) -> list[str]:
    """All places of then, page after page."""
    found: list[str] = []
    before: str | None = BEFORE
    while before:
        page = audit.latest(stack, limit, before, SINCE, wanted)
        assert len(page.entries) <= limit
        found += [one.place for one in page.entries]
        before = page.before
    return found


@pytest.mark.parametrize("limit", [2, 7, 60])
def test_pages_of_any_length_tell_each_entry_once_the_newest_first(stack: Stack, past: list[str], limit: int):
    assert walked(stack, limit) == past


def test_they_are_found_by_person_deed_store_and_time(stack: Stack, past: list[str]):
    shown = audit.export(stack, SINCE, BEFORE).entries
    assert [one.place for one in shown] == past
    for wanted, fits in (
        (Wanted(by="bo@EXAMPLE.com"), lambda one: one.by == "Bo@example.com"),
        (Wanted(store="X"), lambda one: one.store == "X"),
        (Wanted(did=Did.SENT, by="ann@example.com", store="X"), lambda one: one.by[0] == "a" and one.store == "X"),
        (Wanted(did=Did.TAKEN), lambda _: False),
    ):
        assert walked(stack, 5, wanted) == [one.place for one in shown if fits(one)]
    start, end = "2001-02-03T09:00:01.000000Z", "2001-02-03T09:00:02.000000Z"
    found = audit.latest(stack, 100, end, start).entries
    assert [one.at for one in found] == [one.at for one in shown if start <= one.at < end]
    assert found


@pytest.mark.usefixtures("past")
def test_a_page_asks_for_what_it_shows_and_for_each_entry_once(stack: Stack):
    counted: Counter[str] = Counter()
    other = replace(stack, s3=stack.client("s3"))
    other.s3.meta.events.register("before-call.s3", lambda model, **_: counted.update([model.name]))
    assert len(audit.latest(other, 5, BEFORE, SINCE).entries) == 5
    assert counted["GetObject"] == 5
    assert counted["ListObjectsV2"] <= 6  # the days; 1, 2 and 4 hours of that one's end, in which there is nothing
    counted.clear()
    audit.latest(other, 6, BEFORE, SINCE)
    assert counted["GetObject"] == 1


def test_a_page_that_looked_through_too_many_says_how_far_and_the_next_goes_on(
    stack: Stack, past: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audit, "LOOKED_AT", 900)
    page = audit.latest(stack, 50, BEFORE, SINCE)
    assert page.before
    assert 0 < len(page.entries) < 50
    assert walked(stack, 50) == past
    assert [one.place for one in audit.export(stack, SINCE, BEFORE).entries] == past


def test_what_somebody_put_there_by_hand_spoils_nothing(stack: Stack):
    day = "2002-02-03"
    good = kept(stack, datetime(2002, 2, 3, 12, tzinfo=UTC))
    odd = good[:22] + "f" * 8 + good[30:]
    for key, body in {
        f"{day}/{odd}.json": b"{no json", f"{day}/{good.replace('20020203', '20020204')}.json": b"{}",
        f"{day}/20020203T996099000000-{good[22:]}.json": b"{}", f"{day}/note.txt": b"hello", "2002-99-99/x.json": b"{}",
        "9999-12-31/x.json": b"", f"{day}/deeper/{good}.json": b"{}", "loose.json": b"[]",
    }.items():  # fmt: skip
        stack.s3.put_object(Bucket=stack.settings.bucket, Key=objects.AUDIT + key, Body=body, IfNoneMatch="*")
    found = audit.latest(stack, 100, "2002-12-31T00:00:00.000000Z", "2002-01-01T00:00:00.000000Z").entries
    assert [one.place for one in found] == [odd, good]
    assert (found[0].by, deeds.told(found[0])) == ("?", "? ?")
    assert audit.latest(stack, 1).entries  # the newest page of all


def test_an_entry_that_tells_nothing_or_something_odd_has_its_line():
    for did in (*Did, "a deed of tomorrow"):
        names = ("store", "item", "was", "now", "name", "count", "points", "upload", "endpoint", "what")
        for about in ({}, {name: [{}] for name in names}, dict.fromkeys(names, "a\nb\x1b[2J")):
            one = Entry("2026-11-27T12:00:00.000000Z", "ann\nbo", "admin\n", "\r\n", did, about, "")
            assert deeds.told(one).startswith("ann bo ")
            assert deeds.clocked(one).isprintable()


# --- as a file, and on the command line -----------------------------------------------------------------------------


def test_an_export_is_inert_and_says_when_more_are_left_out():
    eve = Entry(
        "2026-11-27T12:00:00.000000Z", "=HYPERLINK(1)", "admin", HERE, Did.SENT, {"file": "@x", "store": "-a"}, ""
    )
    written = deeds.as_csv(Page([eve, eve], "before")).decode("utf-8-sig")
    first, _, last = DictReader(io.StringIO(written))
    assert (first["who"], first["store"], first["time"]) == ("'=HYPERLINK(1)", "'-a", eve.at)
    assert json.loads(first["details"]) == eve.about
    assert "Only the latest 2 are here" in last["in words"]
    lines = [json.loads(line) for line in deeds.as_json_lines(Page([eve], None)).splitlines()]
    assert lines == [eve.as_json()]
    assert "more" in json.loads(deeds.as_json_lines(Page([eve], "x")).splitlines()[-1])


def test_the_command_line_is_audited_and_prints_and_writes_it(stack: Stack, store: str, tmp_path: Path):
    assert run("quiet", "--from", "22:00", "--to", "07:00", "--store", store).returncode == 0
    line = run("audit", "--by", "this machine", "--did", "quiet hours set", "--store", store).stdout
    assert line.endswith(f"this machine set the quiet hours of {store}: none -> 22:00 to 07:00, UTC  (admin)\n")
    assert run("quiet", "--as-all", "--store", store).returncode == 0
    found = asked("audit", "--store", store)
    assert [one["about"]["was"] for one in found] == ["22:00 to 07:00, UTC", "none"]
    one = run("audit", "--store", store, "--limit", "1")
    assert (one.stdout.count("\n"), "--until" in one.stderr) == (1, True)
    out = tmp_path / "audit.csv"
    assert run("audit", "--store", store, "--out", out).returncode == 0
    assert len(list(DictReader(io.StringIO(out.read_bytes().decode("utf-8-sig"))))) == 2
    again = run("audit", "--store", store, "--out", out)
    assert (again.returncode, "File exists" in again.stderr) == (1, True)
    assert reorder.save(stack, {ALL: reorder.read(stack).default or None}).low == ()
    assert "all stores, each item" in run("audit", "--limit", "1").stdout
    assert time_of(audit.latest(stack, 1).entries[0].place) == audit.latest(stack, 1).entries[0].at

"""Least privilege, asked of an engine whose IAM is on: each principal has all that it needs, and nothing besides.

One engine plays the product's whole work, with the Lambdas in their own roles and the dashboard in a role that has the
template's policies and nothing else. Then what was allowed is compared with what is granted, and what must not be
allowed is tried.

Not shown by this, because the engine does not do it: it polls the queues, reads the streams and writes the logs for the
Lambdas by itself, where AWS does so in their roles (`BY_LAMBDA`); it tells everybody that an object is missing, where
S3 says so only to who may list (`UNASKED`); the root key of an account stands above its policies, the bucket's Deny
included, which on AWS holds for root as well; and it encrypts nothing, so KMS is never asked.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from lambdas import failures as kept
from lambdas import times
from lambdas.episodes import LOW_ENDS
from lambdas.quiet import Hours
from lambdas.reorder import Scope
from lambdas.stockfile import Mapping
from lambdas.stream import item_key
from lambdas.upload import Upload, s3_event
from local import engine, sessions
from local.environment import AUTH_SETTING
from services import (
    alerts,
    changes,
    correcting,
    failures,
    lesson,
    logs,
    past,
    pipeline,
    quiet,
    quiet_stores,
    reorder,
    signing,
    stock,
    subscriptions,
    trust,
    undoing,
    uploads,
    users,
    verifying,
    why,
)  # fmt: skip
from services import stack as stacks
from services.access import Person, Role
from services.stack import NAME, Stack
from services.standing import Sums
from services.uploads import Receipt
from tests.conftest import csv, deployed, forget_the_looks, invoke, own_home, sent, told
from tests.records import dynamo_change, record_of
from tests.test_huge import vary
from tests.test_mappings import again as queued
from tests.test_signing import GOES, authorize, browse
from tests.test_template import Loader
from tests.topic import Server
from tests.waiting import until

STORE, OTHER, NIGHT, TILL = "Berlin", "Oslo", "Paris", "Till"
LAMBDAS = ("loader", "recorder", "checker", "sweeper")
POLICIES = {
    "dashboard": ["DashboardPolicy"], "operator": ["DashboardPolicy", "OperatorPolicy"], "users": ["UsersPolicy"],
}  # fmt: skip
TRYING = "trying"  # the session of who tries what is refused
WRONG = b"ding,ort,zahl,rest\nMilk,Till,many,9\nJam,Till,4,9\n"
ODD = b"ding,ort,zahl,rest\nTea,Till,3,9\n"
AS = Mapping(item=(("ding",),), count="zahl", store="ort")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with own_home(tmp_path_factory.mktemp("iam")) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(AUTH_SETTING, "1")
        yield folder


@pytest.fixture(scope="module")
def owner(home: Path) -> Iterator[Stack]:
    """The stack on an engine that asks IAM, with the credentials of who owns the account."""
    with deployed(home) as found:
        yield found


def policies(owner: Stack) -> dict[str, str]:
    """The ARNs of the policies that the stack has for people's programs."""
    [found] = owner.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"] if one["OutputKey"].endswith("Policy")}


def assumed(owner: Stack, role: str, session: str) -> dict[str, str]:
    """An environment with the temporary credentials of a role, and nothing but the endpoint besides."""
    said = owner.client("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
    return {
        "AWS_ENDPOINT_URL": owner.endpoint or "", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": said["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": said["SecretAccessKey"],
        "AWS_SESSION_TOKEN": said["SessionToken"],
    }  # fmt: skip


def acting(owner: Stack, environ: dict[str, str]) -> Stack:
    """The same stack, asked with these credentials, by who may not even ask for its names."""
    session = sessions.session(
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environ["AWS_SESSION_TOKEN"], region_name=environ["AWS_REGION"],
    )  # fmt: skip
    own = replace(owner, session=session)
    return replace(own, dynamodb=own.client("dynamodb"), s3=own.client("s3"))


@pytest.fixture(scope="module")
def roles(owner: Stack) -> dict[str, str]:
    """The ARNs of the roles: the Lambdas' own, and one each for a dashboard and for an operator's programs, made as
    whoever hosts one makes it. All of them may be assumed here."""
    iam, own = owner.client("iam"), policies(owner)
    people = {"Version": "2012-10-17", "Statement": [_trust({"AWS": "arn:aws:iam::100000000000:root"})]}
    found = {}
    for name, given in POLICIES.items():
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(people))["Role"]
        for policy in given:
            iam.attach_role_policy(RoleName=name, PolicyArn=own[policy])
        found[name] = made["Arn"]
    for name in LAMBDAS:
        arn = owner.client("lambda").get_function(FunctionName=getattr(owner.settings, name))["Configuration"]["Role"]
        made = iam.get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]
        assert made["AssumeRolePolicyDocument"]["Statement"] == [_trust({"Service": "lambda.amazonaws.com"})]
        iam.update_assume_role_policy(RoleName=made["RoleName"], PolicyDocument=json.dumps(people))
        found[name] = arn
    return found


def _trust(principal: dict[str, str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}


# --- nothing is missing --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Played:
    """What was asked for meanwhile, of each role: `s3:GetObject` and an ARN."""

    used: dict[str, set[tuple[str, str]]]


@pytest.fixture(scope="module")
def played(home: Path, owner: Stack, roles: dict[str, str]) -> Played:
    """The product's work, from a file to its message and whatever may go wrong on the way."""
    dashboard = stacks.connect(assumed(owner, roles["dashboard"], "work"))
    operator = stacks.connect(assumed(owner, roles["operator"], "work"))
    events = owner.client("events")
    for rule in events.list_rules()["Rules"]:  # the sweeper is asked; by itself it could cross what is asked of it
        events.disable_rule(Name=rule["Name"])
    with Server() as server:
        subscriptions.subscribe(dashboard, "http", server.address, [STORE, NIGHT])
        arn = subscriptions.confirm(dashboard, until(lambda: server.tokens)[-1])
        _files(dashboard, server)
        _a_big_file(dashboard, operator, owner)
        _evening(dashboard, operator, server)
        subscriptions.change_stores(dashboard, arn, [])
        subscriptions.send_test(dashboard)
        until(lambda: [one for one in server.seen if "test" in one["Message"]])
        subscriptions.unsubscribe(dashboard, arn)
    _a_till(dashboard, operator, owner)
    _mistakes(dashboard)
    _points(dashboard, operator, owner)
    _trouble(dashboard, operator, owner)
    _looked(dashboard)
    _papers(dashboard)
    _operated(operator)
    _people(assumed(owner, roles["dashboard"], "work"), stacks.connect(assumed(owner, roles["users"], "work")))
    return Played(_used(engine.status(home).log, roles))


def _files(dashboard: Stack, server: Server) -> None:
    data = csv(STORE, "Tea,5", "Jam,0", "Milk,2", *(f"Item {number},3" for number in range(6)))
    assert uploads.same_content(dashboard, data) == []
    assert uploads.preview(dashboard, "stock.csv", data)[0].fates["inserted"] == 9
    first = sent(dashboard, data)
    assert (told(first), first.alerts, first.records_seen) == ({"inserted": 9}, 1, 9)
    assert server.texts(of=STORE, at_least=1)
    [episode] = alerts.open_now(dashboard)
    alerts.acknowledge(dashboard, episode, "ordered")
    assert told(sent(dashboard, data)) == {"unchanged": 9}
    second = sent(dashboard, csv(STORE, "Tea,7", "Jam,4"))
    assert told(second) == {"changed": 2}
    undoing.preview(dashboard, second.upload_id or "")
    *_, undone = uploads.follow(dashboard, undoing.send(dashboard, second.upload_id or ""))
    assert told(undone) == {"changed": 2}
    *_, corrected = uploads.follow(
        dashboard, correcting.correct(dashboard, correcting.one(dashboard, STORE, "Tea"), Decimal(6), "one broken")
    )
    assert told(corrected) == {"changed": 1}


def _a_big_file(dashboard: Stack, operator: Stack, owner: Stack) -> None:
    """It is loaded in parts; and once more when nothing has been heard of one of them for long."""
    was = vary(owner, owner.settings.loader, PART_ROWS="3")
    found = sent(dashboard, csv("Big", *(f"Item {number},3" for number in range(7))))
    assert told(found) == {"inserted": 7}
    long_ago = times.later(times.now(), minutes=-10)
    old = {f":{name}": {"S": long_ago} for name in ("ReceivedAt", "RunAt", "PartAt")}
    owner.dynamodb.update_item(
        TableName=owner.settings.uploads_table, Key={"UploadId": {"S": found.upload_id or ""}},
        UpdateExpression="SET ReceivedAt = :ReceivedAt, RunAt = :RunAt, PartAt = :PartAt, Waiting = :loader "
        "REMOVE LoadedAt DELETE Through :one",
        ExpressionAttributeValues=old | {":loader": {"S": "loader"}, ":one": {"NS": ["1"]}},
    )  # fmt: skip
    forget_the_looks(owner)  # on a slow machine the sweeper has looked through the empty bucket before it was silenced
    failures.sweep(operator)
    until(lambda: uploads.receipt(dashboard, found.upload_id or "").state == "loaded")
    vary(owner, owner.settings.loader, **was)


def _evening(dashboard: Stack, operator: Stack, server: Server) -> None:
    """Quiet hours: what runs out is held, told when they end, and by the sweeper."""
    now = datetime.now(UTC)
    hours = Hours(*(f"{now + timedelta(hours=by):%H:%M}" for by in (-2, 2)), "UTC")
    quiet.put(dashboard, hours, NIGHT)
    assert sent(dashboard, csv(NIGHT, "Rolls,0") + csv(OTHER, "Old,0").split(b"\n", 1)[1]).alerts == 2
    assert [one.store for one in alerts.held(dashboard)] == [NIGHT]
    quiet.put(dashboard, None, NIGHT)
    quiet.put(dashboard, hours)
    quiet.put(dashboard, None)
    failures.sweep(operator)
    assert server.texts(of=NIGHT, at_least=1)
    assert alerts.held(dashboard) == []


def _a_till(dashboard: Stack, operator: Stack, owner: Stack) -> None:
    """A dropped file waits to be answered; its loader, and its message, break off."""
    owner.s3.put_object(Bucket=owner.settings.bucket, Key="uploads/till/odd.csv", Body=ODD)
    waits = until(lambda: uploads.waiting(dashboard))[0]
    assert uploads.contents(dashboard, waits) == ODD
    forget_the_looks(owner)  # one may have been before there was anything to see
    failures.sweep(operator)
    opened = uploads.opened(dashboard, ODD, AS)
    uploads.remember(dashboard, opened.understood, AS)
    uploads.answer(dashboard, waits.upload_id or "", AS)
    *_, loaded = uploads.follow(dashboard, waits.upload_id or "")
    assert told(loaded) == {"inserted": 1}
    assert uploads.opened(dashboard, ODD).saved
    owner.s3.put_object(Bucket=owner.settings.bucket, Key="uploads/till/next.csv", Body=ODD.replace(b",3,", b",4,"))
    until(lambda: [one for one in uploads.recent(dashboard) if one.file == "next.csv" and one.settled])
    uploads.forget(dashboard, opened.understood.shape)
    again = json.dumps(s3_event(_broken_off(owner, loaded)))
    for body in (again, "no JSON"):
        owner.client("sqs").send_message(QueueUrl=owner.settings.queue, MessageBody=body)
    until(lambda: uploads.receipt(dashboard, waits.upload_id or "").settled)
    until(lambda: pipeline.waiting(operator)["loading"])  # hidden until it is tried once more
    owner.client("sqs").purge_queue(QueueUrl=owner.settings.queue)


def _broken_off(owner: Stack, of: Receipt) -> Upload:
    """The upload as it comes once more, when its loader had died before its last step; another one has come since."""
    owner.dynamodb.update_item(
        TableName=owner.settings.uploads_table, Key={"UploadId": {"S": of.upload_id or ""}},
        UpdateExpression="REMOVE LoadedAt, Done",
    )  # fmt: skip
    return queued(owner, of)


def _mistakes(dashboard: Stack) -> None:
    """Sent by somebody of one store: the loader asks what that one may load."""
    names = [f"{TILL} {number} {'and so on' * 20}" for number in range(20)]  # too much to stand on the receipt
    of_many = sent(dashboard, b"".join([b"store,item,count\n", *(f"{name},Tea,3\n".encode() for name in names)]))
    of_one = dashboard.acting(Person("otto@example.org", Role.VIEWER, frozenset({names[7]})))
    assert [one.upload_id for one in uploads.recent(of_one)] == [of_many.upload_id]
    dashboard = dashboard.acting(Person("anna@example.org", Role.MANAGER, frozenset({TILL})))
    *_, done = uploads.follow(dashboard, uploads.send(dashboard, "odd.csv", WRONG, mapping=AS))
    assert told(done) == {"inserted": 1, "rejected": 1}
    assert len(uploads.rows(dashboard, done)) == 2
    assert uploads.mend(dashboard, done)


def _points(dashboard: Stack, operator: Stack, owner: Stack) -> None:
    """Reorder points of a store, of an item and of all, set and taken away; and the checks that go with them."""
    given: reorder.Given = {Scope(OTHER, "Jam"): Decimal(4), Scope(OTHER): Decimal(1), Scope(): Decimal(1)}
    sent(dashboard, csv(OTHER, "Jam,3"))
    assert (OTHER, "Jam") in reorder.save(dashboard, given).low
    assert reorder.read(dashboard).of(OTHER, "Jam") == 4
    sent(dashboard, csv(OTHER, "Jam,9"))
    sent(dashboard, csv(OTHER, "Jam,2"))
    _lose_episodes(owner, OTHER, "Jam", low := record_of(owner, OTHER, "Jam"))
    sent(dashboard, csv(OTHER, "Jam,8"))
    kept.keep(owner.world, kept.CHECK, low["eventID"], "on purpose", low)
    assert failures.retry(operator, f"{kept.CHECK}/{low['eventID']}") == ""
    assert [one.state for one in alerts.of_item(dashboard, item_key(OTHER, "Jam"))][:1] == ["closed"]
    sent(dashboard, csv(OTHER, "Jam,1"))
    assert (OTHER, "Jam") in reorder.save(dashboard, dict.fromkeys(given)).ended
    _lose_episodes(owner, OTHER, "Old", out := record_of(owner, OTHER, "Old"))
    invoke(owner, owner.settings.checker, {"Records": [out]})  # as after a run that broke off


def _lose_episodes(owner: Stack, store: str, item: str, record: dict[str, Any]) -> None:
    """What a change has opened, and the marker of it, as if it had never been checked."""
    table, sequence = owner.settings.alerts_table, record["dynamodb"]["SequenceNumber"]
    for key in (item_key(store, item), f"{item_key(store, item)}{LOW_ENDS}"):
        found = owner.dynamodb.query(
            TableName=table, KeyConditionExpression="ItemKey = :key", ExpressionAttributeValues={":key": {"S": key}}
        )["Items"]
        for one in found:
            if "Of" in one or one["Sequence"]["S"] == sequence:
                owner.dynamodb.delete_item(TableName=table, Key={name: one[name] for name in ("ItemKey", "Position")})


def _trouble(dashboard: Stack, operator: Stack, owner: Stack) -> None:
    """What fails is kept, seen, and run again: a file, a record, a check, a batch that the stream gave up."""
    sent(dashboard, b"%PDF-1.4", name="no-stock.pdf")
    bad = {"eventID": "bad", "eventName": "MODIFY", "dynamodb": {"Keys": {"Store": {"S": "Bad" * 100_000}}}}
    for name in ("recorder", "checker"):
        invoke(owner, getattr(owner.settings, name), {"Records": [bad]})
    for item in ("Tea", "Jam"):
        kept.keep(owner.world, kept.CHECK, f"check {item}", "on purpose", record_of(owner, STORE, item))
    _give_up_a_batch(owner)
    found = until(lambda: found if len(found := failures.every(dashboard)) == 6 else None)
    for one in found:
        failures.payload(dashboard, one.id)
        said = failures.retry(operator, one.id)
        assert ("SequenceNumber" in said) == ("bad" in one.id), said
    until(lambda: [one for one in failures.every(dashboard) if one.is_file])
    for one in failures.every(dashboard):
        if one.is_file:
            failures.put_aside(dashboard, one.id)
        else:
            kept.mended(owner.world, *one.id.split("/"))


def _give_up_a_batch(owner: Stack) -> None:
    """As Lambda writes of one; what it held is lost until it is run again."""
    change, sequence = dynamo_change(owner, OTHER, "Jam"), changes.of_item(owner, item_key(OTHER, "Jam"))[0].sequence
    key = {name: change[name] for name in ("Bucket", "Position")}
    owner.dynamodb.delete_item(TableName=owner.settings.changes_table, Key=key)
    arn = owner.dynamodb.describe_table(TableName=owner.settings.inventory_table)["Table"]["LatestStreamArn"]
    [shard] = owner.client("dynamodbstreams").describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    function = owner.client("lambda").get_function(FunctionName=owner.settings.recorder)["Configuration"]
    info = {"shardId": shard["ShardId"], "startSequenceNumber": sequence, "endSequenceNumber": sequence}
    letter = {
        "requestContext": {"functionArn": function["FunctionArn"], "condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": info | {"batchSize": 1, "streamArn": arn},
    }
    owner.client("sqs").send_message(QueueUrl=owner.settings.dead_letter_queue, MessageBody=json.dumps(letter))


def _looked(dashboard: Stack) -> None:
    """Every question that a page asks and that has not been asked yet."""
    found = uploads.recent(dashboard)
    uploads.names(dashboard, [one.upload_id or "" for one in found])
    [seen, *_] = newest = changes.newest(dashboard)
    changes.kept(dashboard, map(changes.Counted.of, newest))
    changes.count_of_upload(dashboard, seen.upload_id or "")
    changes.since(dashboard, times.later(times.now(), hours=-1))
    alerts.history(dashboard)
    alerts.of_upload(dashboard, seen.upload_id or "")
    alerts.around(dashboard, item_key(STORE, "Jam"), seen.position)
    mirror = stock.Mirror(dashboard)
    mirror.refresh()
    assert mirror.items
    stock.of_store(dashboard, STORE)
    past.table(dashboard, times.later(times.now(), seconds=-1))
    quiet_stores.find(dashboard, [Sums(STORE, 3, 1, 0, "")], times.now())
    for one in found[:1] + found[-1:]:
        why.why(dashboard, why.Asked(one.upload_id or "", STORE, "Jam"))
    uploads.saved(dashboard)
    assert trust.latest(dashboard) is None


def _papers(dashboard: Stack) -> None:
    """The audit: an object for each entry."""
    place = {"Bucket": dashboard.settings.bucket, "Key": "audit/2026-11-27/120000-a.json"}
    dashboard.s3.put_object(**place, Body=b"{}", IfNoneMatch="*")
    assert dashboard.s3.get_object(**place)["Body"].read() == b"{}"
    assert dashboard.s3.list_objects_v2(Bucket=place["Bucket"], Prefix=place["Key"])["KeyCount"] == 1


def _operated(operator: Stack) -> None:
    result = trust.verify(operator)
    assert result.agrees, verifying.in_words(result)
    assert trust.latest(operator)
    assert pipeline.waiting(operator)["given up"] == 0
    [last] = uploads.recent(operator, 1)
    until(lambda: logs.of_upload(operator, last.upload_id or "", last.received_at or "").lines)
    assert logs.before(operator, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lesson.run, "QUIET_SECONDS", 0.2)  # the embedded engine's records are there at once
        *_, taught = lesson.lesson(operator, lesson.story())
    assert len(taught.sent) == 3


def _people(environ: dict[str, str], maker: Stack) -> None:
    users.add(maker, "anna@example.org", "Correct-horse-7")
    users.send_back_to(maker, "http://localhost:8501")
    assert [one["email"] for one in users.every(maker)] == ["anna@example.org"]
    users.remove(maker, "anna@example.org")
    found = signing.secrets(environ | {"STOCKTRAIL_SIGN_IN": "cognito", "STOCKTRAIL_COOKIE_SECRET": "c" * 64})
    assert found["auth"]["client_secret"]


_LINE = re.compile(r"(allowed|denied) (?:arn:aws:sts::\d+:assumed-role/)([^/ ]+)/(\S+) (\w[\w-]*:\w+) (\S.*)$")


def _used(log: Path, roles: dict[str, str]) -> dict[str, set[tuple[str, str]]]:
    names = {arn.rsplit("/", 1)[-1]: name for name, arn in roles.items()}
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in roles}
    for line in log.read_text().splitlines():
        if said := _LINE.search(line):
            how, role, session, action, resource = said.groups()
            assert how == "allowed" or session == TRYING, line
            if session != TRYING:
                found[names[role]].add((action, resource))
    return found


def test_the_pipeline_and_the_dashboard_do_all_their_work_with_no_more_than_their_roles(played: Played):
    assert all(played.used.values())
    assert ("s3:PutObject", "audit/2026-11-27/120000-a.json") in {
        (action, resource.split("/", 1)[-1]) for action, resource in played.used["dashboard"]
    }


# --- nothing is unused ---------------------------------------------------------------------------------------------

BY_LAMBDA = "AWS Lambda does so in the function's role; the engine does it by itself"
UNASKED = "without it S3 would answer 403, and not 404, for an object that is not there; the engine always says 404"
POLLS = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
READS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
EXCEPT: dict[tuple[str, str, str], str] = {
    **{(name, action, f"/aws/lambda/stocktrail/{name}:*"): BY_LAMBDA for name in LAMBDAS for action in LOGS},
    **{("loader", action, queue): BY_LAMBDA for action in POLLS for queue in ("Queue", "PartsQueue")},
    **{("sweeper", action, "DeadLetterQueue"): BY_LAMBDA for action in POLLS},
    **{(name, action, "InventoryTable/stream/*"): BY_LAMBDA for name in ("recorder", "checker") for action in READS},
    **{(name, "sqs:SendMessage", "DeadLetterQueue"): BY_LAMBDA for name in ("recorder", "checker")},
    ("loader", "s3:ListBucket", "bucket"): UNASKED,
    ("loader", "sqs:SendMessage", "Queue"): "a run that has no time left, after some 14 minutes, hands over to another",
    ("dashboard", "s3:GetObject", "bucket/uploads/*"): "asked when a PUT was answered, the answer lost, and sent again",
}
"""What is granted and was not asked for, by role, action and resource, and why it stays."""


def granted(owner: Stack, role: str) -> set[tuple[str, str]]:
    """Every action and resource that a role's policies allow."""
    iam, name = owner.client("iam"), role.rsplit("/", 1)[-1]
    own = iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in own]
    for one in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=one["PolicyArn"])["Policy"]["DefaultVersionId"]
        said = iam.get_policy_version(PolicyArn=one["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
        documents.append(said)
    return {
        (action, resource)
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in _many(statement["Action"])
        for resource in _many(statement["Resource"])
    }


def _many(said: str | list[str]) -> list[str]:
    return [said] if isinstance(said, str) else said


def test_no_role_holds_a_right_that_is_never_used(owner: Stack, roles: dict[str, str], played: Played):
    held = {name: granted(owner, role) for name, role in roles.items()}
    held["operator"] -= held["dashboard"]
    unused = {
        (name, action, short(resource))
        for name, own in held.items()
        for action, resource in own
        if not any(did == action and fnmatchcase(on, resource) for did, on in played.used[name])
    }
    assert sorted(unused) == sorted(EXCEPT)


def short(resource: str) -> str:
    """What the template calls it."""
    tail = re.sub(r"^arn:aws:\w+:[\w-]*:\d*:+(table/|log-group:)?", "", resource)
    return re.sub(r"stocktrail-(\w+)-[0-9A-Fa-f]{13}", r"\1", tail)


def test_a_policy_is_small_enough_for_aws(owner: Stack):
    """6,144 characters without the spaces; AWS's names are longer than the engine's by some ten characters each."""
    iam = owner.client("iam")
    for arn in policies(owner).values():
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        text = json.dumps(document, separators=(",", ":"))
        assert len(text) + 10 * text.count("arn:") < 6_144, (arn, len(text))


def test_every_function_has_a_role_of_its_own_and_no_right_to_everything(roles: dict[str, str], owner: Stack):
    assert len({roles[name] for name in LAMBDAS}) == len(LAMBDAS)
    for name, role in roles.items():
        for action, resource in granted(owner, role):
            assert "*" not in action, (name, action)
            assert resource != "*" or action in TAKE_NO_RESOURCE, (name, action)
            assert not resource.endswith(("table/*", ":::*")), (name, resource)


TAKE_NO_RESOURCE = (
    "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe", "dynamodb:ListTables",
)  # fmt: skip
"""https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html"""


def test_what_holds_data_is_encrypted():
    """The engine takes this and does nothing; the tools check its spelling."""
    template = yaml.load((stacks.ROOT / "template.yaml").read_text(), Loader)  # noqa: S506 (a safe one)
    found: dict[str, list[Any]] = {}
    for one in template["Resources"].values():
        found.setdefault(one["Type"].removeprefix("AWS::"), []).append(one.get("Properties", {}))
    for table in found["DynamoDB::Table"]:
        assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    for queue in found["SQS::Queue"]:
        assert queue["SqsManagedSseEnabled"] is True
    alerts, operators = found["SNS::Topic"]
    assert (alerts["KmsMasterKeyId"], operators["KmsMasterKeyId"]) == ("alias/aws/sns", "OperatorsKey")
    assert [key["EnableKeyRotation"] for key in found["KMS::Key"]] == [True]
    for bucket in found["S3::Bucket"]:
        [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


# --- what is refused -----------------------------------------------------------------------------------------------

Call = Callable[[Stack], object]
KEY = {"Store": {"S": STORE}, "Item": {"S": "Tea"}}
TALE = {"Bucket": {"S": "x"}, "Position": {"S": "x"}}


def put(table: str, **item: Any) -> Call:
    return lambda by: by.dynamodb.put_item(TableName=getattr(by.settings, table), Item=item or KEY)


def delete(table: str, key: dict[str, Any] = KEY) -> Call:
    return lambda by: by.dynamodb.delete_item(TableName=getattr(by.settings, table), Key=key)


def scan(table: str) -> Call:
    return lambda by: by.dynamodb.scan(TableName=getattr(by.settings, table))


def query(table: str) -> Call:
    asked = {"KeyConditionExpression": "ItemKey = :k", "ExpressionAttributeValues": {":k": {"S": "x"}}}
    return lambda by: by.dynamodb.query(TableName=getattr(by.settings, table), **asked)


def upload(key: str, **how: str) -> Call:
    return lambda by: by.s3.put_object(Bucket=by.settings.bucket, Key=key, Body=b"x", **how)


def download(key: str) -> Call:
    return lambda by: by.s3.get_object(Bucket=by.settings.bucket, Key=key)


def remove(key: str, **how: str) -> Call:
    return lambda by: by.s3.delete_object(Bucket=by.settings.bucket, Key=key, **how)


def ask(service: str, operation: str, **given: str) -> Call:
    """A call; what begins with a colon is the name of a setting."""

    def call(by: Stack) -> object:
        said = {k: getattr(by.settings, v[1:]) if v.startswith(":") else v for k, v in given.items()}
        return getattr(_client(by, service), operation)(**said)

    return call


_client = cache(Stack.client)


def moved(by: Stack) -> object:
    """An item of the stock, within a transaction that begins with what is allowed."""
    nowhere = {"TableName": by.settings.settings_table, "Key": {"Kind": {"S": "x"}, "Id": {"S": "x"}}}
    update = {"TableName": by.settings.inventory_table, "Key": KEY, "UpdateExpression": "SET Note = :n"}
    return by.dynamodb.transact_write_items(
        TransactItems=[
            {"ConditionCheck": nowhere | {"ConditionExpression": "attribute_not_exists(Kind)"}},
            {"Update": update | {"ExpressionAttributeValues": {":n": {"S": "x"}}}},
        ]
    )


def rewritten(by: Stack) -> object:
    made = [{"PutRequest": {"Item": TALE}}]
    return by.dynamodb.batch_write_item(RequestItems={by.settings.changes_table: made})


def emptied(by: Stack) -> object:
    gone = {"Objects": [{"Key": "uploads/x"}, {"Key": "audit/x"}]}
    return by.s3.delete_objects(Bucket=by.settings.bucket, Delete=gone)


def opened(by: Stack) -> object:
    return by.s3.put_bucket_policy(Bucket=by.settings.bucket, Policy='{"Version": "2012-10-17", "Statement": []}')


changed_password = ask(
    "cognito-idp",
    "admin_set_user_password",
    UserPoolId=":user_pool",
    Username="anna@example.org",
    Password="Guessed-7x",  # noqa: S106
)
REFUSED: list[tuple[str, str, Call]] = [
    ("loader", "dynamodb:DeleteItem", delete("inventory_table")),
    ("loader", "dynamodb:Scan", scan("inventory_table")),
    ("loader", "dynamodb:Query", query("alerts_table")),
    ("loader", "dynamodb:PutItem", put("changes_table", **TALE)),
    ("loader", "dynamodb:PutItem", put("settings_table", Kind={"S": "x"}, Id={"S": "x"})),
    ("loader", "s3:PutObject", upload("uploads/x", IfNoneMatch="*")),
    ("loader", "s3:PutObject", upload("grants/x")),
    ("loader", "s3:GetObject", download("audit/x")),
    ("loader", "s3:DeleteObject", remove("uploads/x")),
    ("loader", "sns:Publish", ask("sns", "publish", TopicArn=":topic", Message="x")),
    ("loader", "sqs:ReceiveMessage", ask("sqs", "receive_message", QueueUrl=":dead_letter_queue")),
    ("recorder", "dynamodb:PutItem", put("inventory_table")),
    ("recorder", "dynamodb:PutItem", put("uploads_table", UploadId={"S": "x"})),
    ("recorder", "dynamodb:DeleteItem", delete("changes_table", TALE)),
    ("recorder", "dynamodb:Query", query("alerts_table")),
    ("recorder", "s3:GetObject", download("uploads/x")),
    ("recorder", "s3:PutObject", upload("uploads/x", IfNoneMatch="*")),
    ("recorder", "sns:Publish", ask("sns", "publish", TopicArn=":topic", Message="x")),
    ("checker", "dynamodb:PutItem", put("inventory_table")),
    ("checker", "dynamodb:BatchWriteItem", rewritten),
    ("checker", "dynamodb:PutItem", put("settings_table", Kind={"S": "x"}, Id={"S": "x"})),
    ("checker", "dynamodb:UpdateItem", moved),
    ("checker", "s3:PutObject", upload("receipts/x")),
    ("checker", "sns:Subscribe", ask("sns", "subscribe", TopicArn=":topic", Protocol="sms", Endpoint="+491512345678")),
    ("sweeper", "dynamodb:PutItem", put("inventory_table")),
    ("sweeper", "dynamodb:DeleteItem", delete("changes_table", TALE)),
    ("sweeper", "s3:GetObject", download("uploads/x")),
    ("sweeper", "s3:DeleteObject", remove("uploads/x")),
    ("sweeper", "lambda:InvokeFunction", ask("lambda", "invoke", FunctionName=":loader")),
    ("dashboard", "dynamodb:PutItem", put("inventory_table")),
    ("dashboard", "dynamodb:DeleteItem", delete("inventory_table")),
    ("dashboard", "dynamodb:UpdateItem", moved),
    ("dashboard", "dynamodb:BatchWriteItem", rewritten),
    ("dashboard", "dynamodb:DeleteItem", delete("changes_table", TALE)),
    ("dashboard", "dynamodb:DeleteItem", delete("uploads_table", {"UploadId": {"S": "x"}})),
    ("dashboard", "dynamodb:PutItem", put("tallies_table", UploadId={"S": "x"}, Batch={"S": "x"})),
    ("dashboard", "dynamodb:Scan", scan("uploads_table")),
    ("dashboard", "s3:PutObject", upload("uploads/x")),
    ("dashboard", "s3:PutObject", upload("receipts/x")),
    ("dashboard", "s3:PutObject", upload("audit/x")),
    ("dashboard", "s3:DeleteObject", remove("uploads/x")),
    ("dashboard", "s3:DeleteObject", remove("audit/x")),
    ("dashboard", "s3:DeleteObjectVersion", remove("audit/x", VersionId="x")),
    ("dashboard", "s3:DeleteObject", emptied),
    ("dashboard", "s3:PutBucketPolicy", opened),
    ("dashboard", "lambda:InvokeFunction", ask("lambda", "invoke", FunctionName=":sweeper")),
    ("dashboard", "logs:FilterLogEvents", ask("logs", "filter_log_events", logGroupName="/aws/lambda/x")),
    ("dashboard", "sqs:ReceiveMessage", ask("sqs", "receive_message", QueueUrl=":queue")),
    ("dashboard", "sqs:SendMessage", ask("sqs", "send_message", QueueUrl=":dead_letter_queue", MessageBody="x")),
    ("dashboard", "sns:DeleteTopic", ask("sns", "delete_topic", TopicArn=":topic")),
    ("dashboard", "dynamodb:DeleteTable", ask("dynamodb", "delete_table", TableName=":inventory_table")),
    ("dashboard", "cloudformation:DeleteStack", ask("cloudformation", "delete_stack", StackName=NAME)),
    ("dashboard", "iam:ListRoles", ask("iam", "list_roles")),
    ("operator", "dynamodb:DeleteTable", ask("dynamodb", "delete_table", TableName=":inventory_table")),
    ("operator", "dynamodb:PutItem", put("inventory_table")),
    ("operator", "lambda:InvokeFunction", ask("lambda", "invoke", FunctionName=":loader")),
    ("operator", "logs:FilterLogEvents", ask("logs", "filter_log_events", logGroupName="/aws/lambda/x")),
    ("operator", "s3:DeleteObject", remove("audit/x")),
    ("dashboard", "cognito-idp:AdminSetUserPassword", changed_password),
    ("operator", "cognito-idp:AdminSetUserPassword", changed_password),
    ("users", "dynamodb:Scan", scan("inventory_table")),
    ("users", "cognito-idp:DeleteUserPool", ask("cognito-idp", "delete_user_pool", UserPoolId=":user_pool")),
    ("whoever may do everything", "s3:PutObject", upload("audit/x")),
    ("whoever may do everything", "s3:DeleteObject", remove("audit/x")),
    ("whoever may do everything", "s3:DeleteObjectVersion", remove("audit/x", VersionId="x")),
    ("whoever may do everything", "s3:DeleteObject", emptied),
]


@pytest.fixture(scope="module")
def trying(owner: Stack, roles: dict[str, str]) -> dict[str, Stack]:
    """Each principal, in a session of its own; and one of whom only the resources' own policies demand anything."""
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    people = {"Version": "2012-10-17", "Statement": [_trust({"AWS": "arn:aws:iam::100000000000:root"})]}
    iam = owner.client("iam")
    admin = iam.create_role(RoleName="everything", AssumeRolePolicyDocument=json.dumps(people))["Role"]["Arn"]
    iam.put_role_policy(RoleName="everything", PolicyName="all", PolicyDocument=json.dumps(everything))
    every = {**roles, "whoever may do everything": admin}
    return {name: acting(owner, assumed(owner, role, TRYING)) for name, role in every.items()}


def refusal(of: Callable[[], object]) -> str:
    """The error's code and its words; empty when it was done."""
    try:
        of()
    except ClientError as error:
        return "{Code}: {Message}".format(**error.response["Error"])
    return ""


@pytest.mark.parametrize("principal", sorted({name for name, *_ in REFUSED}))
def test_each_principal_is_refused_what_is_not_its_work(trying: dict[str, Stack], principal: str):
    by = trying[principal]
    for action, call in [(action, call) for name, action, call in REFUSED if name == principal]:
        said = refusal(lambda call=call: call(by)).casefold()
        assert "not authorized to perform: " + action.casefold() in said, (principal, action, said)
        assert said.startswith(("accessdenied", "authorizationerror")), said


@pytest.mark.usefixtures("played")
def test_what_is_written_to_the_audit_stays_as_it_is(trying: dict[str, Stack]):
    by, key = trying["dashboard"], "audit/2026-11-27/120000-a.json"
    assert "AccessDenied" in refusal(lambda: upload(key)(by))
    assert "PreconditionFailed" in refusal(lambda: upload(key, IfNoneMatch="*")(by))
    assert download(key)(by)["Body"].read() == b"{}"  # type: ignore[index]


# --- the way to it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        download("audit/x"),
        ask("sqs", "send_message", QueueUrl=":queue", MessageBody="x"),
        ask("sqs", "receive_message", QueueUrl=":dead_letter_queue"),
        ask("sns", "publish", TopicArn=":topic", Message="x"),
    ],
    ids=["bucket", "queue", "dead letters", "topic"],
)
def test_what_comes_in_the_clear_is_refused_whoever_asks(trying: dict[str, Stack], call: Call):
    """As the engine's front would say of what came over a network without TLS."""
    by = trying["whoever may do everything"]
    assert "AccessDenied" not in refusal(lambda: call(by))
    assert "explicit deny in a resource-based policy" in refusal(lambda: call(_in_the_clear(by)))


def _in_the_clear(by: Stack) -> Stack:
    session = sessions.session(
        aws_access_key_id=(held := by.session.get_credentials()).access_key, aws_secret_access_key=held.secret_key,
        aws_session_token=held.token, region_name=by.session.region_name,
    )  # fmt: skip
    session.events.register("before-sign", lambda request, **_: request.headers.add_header("X-Forwarded-Proto", "http"))
    own = replace(by, session=session)
    return replace(own, s3=own.client("s3"))


def test_people_sign_in_at_an_engine_that_asks_iam_as_at_any_other(owner: Stack):
    made = signing.secrets(os.environ | {"STOCKTRAIL_SIGN_IN": "cognito"})["auth"]
    metadata = made["server_metadata_url"].removeprefix(owner.endpoint)
    found = json.loads(browse(owner, "GET", metadata, made["client_kwargs"]["headers"])[2])
    assert found["authorization_endpoint"] == f"{owner.endpoint}/oauth2/authorize"
    status, _, page = browse(owner, "GET", authorize(owner), GOES)
    assert (status, 'action="/login"' in page) == (200, True)


def test_a_sessions_token_opens_nothing_without_its_signature(owner: Stack, roles: dict[str, str]):
    environ = assumed(owner, roles["dashboard"], TRYING)
    root = acting(owner, environ | {"AWS_ACCESS_KEY_ID": "100000000000"})
    forged = acting(owner, environ | {"AWS_SECRET_ACCESS_KEY": "guessed"})
    assert "403" in refusal(lambda: scan("inventory_table")(root))
    assert "signature" in refusal(lambda: scan("inventory_table")(forged)).casefold()
    assert scan("inventory_table")(acting(owner, environ))

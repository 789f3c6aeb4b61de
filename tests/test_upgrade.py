"""An upgrade keeps the data: the last release's stack becomes today's by a change set, then one for production, and
what it held outlives even the stack.

One engine plays it all, each test on what the one before it left. Not shown by this, because the engine does not do it:
it takes no PointInTimeRecoverySpecification and no LifecycleConfiguration, has none of AWS's own metrics, and knows no
Budget, which is therefore never made here. The code is today's throughout.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas import failures as kept
from lambdas import settings, tables, times
from lambdas.stream import item_key
from lambdas.world import dynamodb
from local import engine, sessions
from services import alerts, changes, failures, logs, stock, uploads
from services import stack as stacks
from services.stack import NAME, ROOT, Stack
from tests import laws
from tests.conftest import csv, own_home, sent, told
from tests.topic import Listener
from tests.waiting import until

LAST = Path(__file__).parent / "releases" / "2026-11-28.yaml"
"""The template of the last release. A newer one is put here with each release."""
STORE, LATE = "Berlin", "Oslo"
PRODUCTION = {
    "Production": "true",
    "OperatorsEmail": "ops@example.org",
    "LogDays": "90",
    "LoadersAtOnce": "7",
    "PartsAtOnce": "9",
}
KEPT = ("DynamoDB::Table", "S3::Bucket", "Cognito::UserPool", "SQS::Queue", "SNS::Topic", "Lambda::EventSourceMapping")
"""What an upgrade must not replace, as it holds something: data, messages, subscriptions, places in the stream."""


@dataclass(frozen=True)
class Past:
    """What the last release's stack held, and the names of what it held it in. ``late``: sent just before its end."""

    receipts: list[str]
    held: list[Any]
    resources: dict[str, str]
    late: str


_QUEUE = "          QUEUE: !Ref Queue\n"
"""Of the loader's environment."""


def held(stack: Stack, receipts: list[str]) -> list[Any]:
    """All that is known of the one store."""
    items = stock.of_store(stack, STORE)
    return [
        items,
        [changes.of_item(stack, stock.key(one)) for one in items],
        [one for one in alerts.history(stack) if one.store == STORE],
        [uploads.receipt(stack, one) for one in receipts],
    ]


def resources(stack: Stack, kinds: tuple[str, ...]) -> dict[str, str]:
    """The physical names of the stack's resources of these types, by their logical ones."""
    found = stack.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
    kept = [one for one in found if one["ResourceType"].removeprefix("AWS::") in kinds]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in kept}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with own_home(tmp_path_factory.mktemp("upgrade")) as folder:
        yield folder
        engine.stop(folder)
        engine.detach(folder)


@pytest.fixture(scope="module")
def past(home: Path) -> Past:
    before = _of_last_release(home)
    receipts = [sent(before, data) for data in (csv(STORE, "Tea,3", "Rolls,0", "Jam,1"), csv(STORE, "Tea,5", "Jam,0"))]
    assert [one.alerts for one in receipts] == [1, 1]
    ids = [one.upload_id or "" for one in receipts]
    late = uploads.send(before, "late.csv", csv(LATE, *(f"Item {number},{number}" for number in range(500))))
    return Past(ids, held(before, ids), resources(before, KEPT), late)


def _of_last_release(home: Path) -> Stack:
    """The stack as that release deploys it, with what today's loader has to be told besides; of what the outputs have
    learned to name since, nothing is asked."""
    template = home.parent / f"{home.name}.yaml"
    text = LAST.read_text().replace("CodeUri: lambdas/", f"CodeUri: {ROOT}/lambdas/")
    template.write_text(text.replace(_QUEUE, f'{_QUEUE}          PART_ROWS: "250000"\n', 1))
    running = engine.attach(home, template=template, code=ROOT / "lambdas", stack=NAME)
    of = running.environ
    session = sessions.session(
        aws_access_key_id=of["AWS_ACCESS_KEY_ID"], aws_secret_access_key=of["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=of["AWS_SESSION_TOKEN"], region_name=of["AWS_REGION"],
    )  # fmt: skip
    cloud, table, bucket = (
        session.client(name, endpoint_url=running.endpoint) for name in ("cloudformation", "dynamodb", "s3")
    )
    said = cloud.describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
    learned = dict.fromkeys(("Logs", "PartsQueue", "PartRows"), "")
    names = settings.from_outputs(learned | {one["OutputKey"]: one["OutputValue"] for one in said})
    return Stack(session, running.endpoint, names, dynamodb(table), bucket, running.since)


@pytest.fixture(scope="module")
def upgraded(past: Past) -> Stack:  # noqa: ARG001 (it comes first)
    """Today's template, by a change set on the last one's stack, as whoever starts the newer release gets it."""
    return stacks.connect(os.environ)


@pytest.fixture(scope="module")
def production(upgraded: Stack, past: Past) -> Stack:
    """The same stack with the parameters for production, by a change set that names them alone."""
    until(lambda: uploads.receipt(upgraded, past.late).settled)
    cloud = upgraded.client("cloudformation")
    what = _changed(cloud, "production", PRODUCTION)
    until(lambda: cloud.describe_change_set(**what)["Status"] == "CREATE_COMPLETE")
    cloud.execute_change_set(**what)
    until(lambda: not (status := _status(cloud)).endswith("IN_PROGRESS") and status)
    assert _status(cloud) == "UPDATE_COMPLETE"
    return stacks.connect(os.environ)


def _changed(cloud: Any, name: str, parameters: dict[str, str]) -> dict[str, str]:
    """A change set of the parameters alone."""
    what = {"StackName": NAME, "ChangeSetName": name}
    cloud.create_change_set(
        **what, UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )  # fmt: skip
    return what


def _status(cloud: Any) -> str:
    return str(cloud.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"])


def goes_on(stack: Stack, past: Past) -> None:
    """All that was there is there, in the same places, and what was on its way arrives."""
    assert held(stack, past.receipts) == past.held
    assert past.resources.items() <= resources(stack, KEPT).items()
    late = until(lambda: one if (one := uploads.receipt(stack, past.late)).settled else None)
    assert (told(late), late.records_seen) == ({"inserted": 500}, 500)
    assert laws.broken(stack, LATE, [late]) == []


def test_todays_template_keeps_what_the_last_release_held_and_the_stream_goes_on(upgraded: Stack, past: Past):
    goes_on(upgraded, past)
    assert [one.state for one in alerts.of_item(upgraded, item_key(STORE, "Rolls"))] == ["open"]


def test_the_parameters_for_production_keep_it_too_and_the_stream_goes_on(production: Stack, past: Past):
    goes_on(production, past)
    again, after = sent(production, csv(STORE, "Tea,5", "Jam,0")), sent(production, csv(STORE, "Tea,0", "Rolls,8"))
    assert [told(one) for one in (again, after)] == [{"unchanged": 2}, {"changed": 2}]
    assert (after.records_seen, after.alerts) == (2, 1)
    of_rolls = alerts.of_item(production, item_key(STORE, "Rolls"))
    assert [one.state for one in of_rolls] == ["closed"]  # by the last release's episode
    receipts = [uploads.receipt(production, one) for one in past.receipts]
    assert laws.broken(production, STORE, [*receipts, again, after]) == []


def test_in_production_nobody_can_delete_a_table_or_the_pool(production: Stack):
    names = resources(production, ("DynamoDB::Table", "Cognito::UserPool"))
    pool = names.pop("UserPool")
    for table in names.values():
        with pytest.raises(ClientError, match="protected against deletion"):
            production.dynamodb.delete_table(TableName=table)
    described = production.client("cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]
    assert described["DeletionProtection"] == "ACTIVE"


def test_in_production_runs_are_traced_logs_end_and_so_many_files_at_once_are_loaded(production: Stack):
    functions = production.client("lambda")
    for name in logs.FUNCTIONS:
        made = functions.get_function(FunctionName=getattr(production.settings, name))["Configuration"]
        assert (made["TracingConfig"]["Mode"], made["LoggingConfig"]["LogGroup"]) == (
            "Active", f"{production.settings.logs}/{name}"
        )  # fmt: skip
        role = made["Role"].rsplit("/", 1)[-1]
        own = production.client("iam").get_role_policy(RoleName=role, PolicyName=name.title())["PolicyDocument"]
        assert [one for one in own["Statement"] if "xray:PutTraceSegments" in one["Action"]]
    groups = production.client("logs").describe_log_groups(logGroupNamePrefix=f"{production.settings.logs}/")
    assert [one["retentionInDays"] for one in groups["logGroups"]] == [90] * 4
    sources = functions.list_event_source_mappings(FunctionName=production.settings.loader)["EventSourceMappings"]
    assert {int(one["ScalingConfig"]["MaximumConcurrency"]) for one in sources} == {7, 9}


def test_each_alarm_is_about_something_that_is_there_and_tells_the_operators(production: Stack):
    found = production.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
    names = {one["PhysicalResourceId"].rsplit("/", 1)[-1].rsplit(":", 1)[-1] for one in found} | {"sweeper"}
    operators = resources(production, ("SNS::Topic",))["OperatorsTopic"]
    alarms = production.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {one["AlarmName"] for one in alarms} == set(resources(production, ("CloudWatch::Alarm",)).values())
    for alarm in alarms:
        assert {one["Value"] for one in alarm["Dimensions"]} <= names, alarm["AlarmName"]
        assert alarm["AlarmActions"] == [operators]
    [told] = production.client("sns").list_subscriptions_by_topic(TopicArn=operators)["Subscriptions"]
    assert (told["Protocol"], told["Endpoint"]) == ("email", "ops@example.org")


def test_the_dashboard_names_what_is_there(production: Stack):
    cloud = production.client("cloudwatch")
    [shown] = cloud.list_dashboards()["DashboardEntries"]
    body = json.loads(cloud.get_dashboard(DashboardName=shown["DashboardName"])["DashboardBody"])
    assert "${" not in json.dumps(body)
    alarms = {one["AlarmArn"] for one in cloud.describe_alarms()["MetricAlarms"]}
    assert set(body["widgets"][0]["properties"]["alarms"]) == alarms


def test_the_sweeper_measures_what_does_not_get_on_as_the_alarms_ask_for_it(production: Stack):
    """The engine does not make metrics of such lines, so what they say is put there by hand; the rest is its own."""
    _stick(production)
    cloud = production.client("cloudwatch")
    listener = Listener(production)
    listener.topic = resources(production, ("SNS::Topic",))["OperatorsTopic"]
    with listener:
        failures.sweep(production)
        said = until(lambda: [one for one in _measured(production) if _counts(one) == [1.0, 1.0, 1.0]])[-1]
        [told] = said["_aws"]["CloudWatchMetrics"]
        [dimensions] = told["Dimensions"]
        where = {"Namespace": told["Namespace"], "Dimensions": [{"Name": n, "Value": said[n]} for n in dimensions]}
        alarms = {
            one["MetricName"]: one
            for one in cloud.describe_alarms()["MetricAlarms"]
            if one["Namespace"] == told["Namespace"]
        }
        assert set(alarms) == {one["Name"] for one in told["Metrics"]} == {"Hanging", "Failed", "Failures"}
        for alarm in alarms.values():
            assert sorted(alarm["Dimensions"], key=str) == sorted(where["Dimensions"], key=str)
        cloud.put_metric_data(
            Namespace=told["Namespace"],
            MetricData=[{"MetricName": "Failed", "Dimensions": where["Dimensions"], "Value": said["Failed"][0]}],
        )
        text = until(lambda: listener.received("Files could not be loaded", 1))[-1]
        assert json.loads(text)["NewStateValue"] == "ALARM"
    assert not [one for one in logs.before(production, 15) if "_aws" in one.message]


def _stick(stack: Stack) -> None:
    """An upload that was driven and still waits, one that failed, and a record that can't be kept. A file that can't be
    read does not count: that is its own fault."""
    sent(stack, b"%PDF-1.4", name="no-stock.pdf")
    one = next(one for one in stack.dynamodb.scan(TableName=stack.settings.uploads_table)["Items"] if "LoadedAt" in one)
    for name, waiting in (("hangs", "loader"), ("failed", "help")):
        own = {"UploadId": name, "Waiting": waiting, "Drives": 1, "DrivenAt": times.now()}
        stack.dynamodb.put_item(TableName=stack.settings.uploads_table, Item=one | tables.to_item(own))
    kept.keep(stack.world, kept.RECORD, "of a test", "on purpose", {})


def _counts(said: dict[str, Any]) -> list[float]:
    return [count for name in ("Hanging", "Failed", "Failures") for count in said[name]]


def _measured(stack: Stack) -> list[dict[str, Any]]:
    found = stack.client("logs").filter_log_events(logGroupName=f"{stack.settings.logs}/sweeper", startTime=0)["events"]
    return [json.loads(one["message"]) for one in found if '"_aws"' in one["message"]]


def test_the_engine_knows_no_budget_and_says_so_before_it_changes_anything(production: Stack):
    """The day it does, a budget is to be made here too."""
    cloud = production.client("cloudformation")
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::Budgets::Budget\]"):
        _changed(cloud, "budget", PRODUCTION | {"MonthlyBudget": "50"})
    assert _status(cloud) == "UPDATE_COMPLETE"


def test_what_the_stack_held_is_there_when_the_stack_is_gone(production: Stack, past: Past):
    cloud = production.client("cloudformation")
    cloud.delete_stack(StackName=NAME)
    until(lambda: not cloud.list_stacks(StackStatusFilter=["UPDATE_COMPLETE", "DELETE_IN_PROGRESS"])["StackSummaries"])
    [key] = [one["Key"] for one in production.s3.list_objects_v2(
        Bucket=production.settings.bucket, Prefix=f"uploads/{past.receipts[0]}"
    )["Contents"]]  # fmt: skip
    assert production.s3.get_object(Bucket=production.settings.bucket, Key=key)["Body"].read().startswith(b"store,item")
    assert len(stock.of_store(production, STORE)) == 3
    assert uploads.receipt(production, past.late).records_seen == 500
    pool = production.client("cognito-idp").describe_user_pool(UserPoolId=production.settings.user_pool)["UserPool"]
    assert pool["Id"] == production.settings.user_pool
    with pytest.raises(ClientError, match="ResourceNotFound"):
        production.client("lambda").get_function(FunctionName=production.settings.loader)

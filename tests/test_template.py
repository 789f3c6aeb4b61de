"""template.yaml: sound by the tools, one set of names with the code, a zip that is complete, and applied in full."""

import itertools
import json
import os
import platform
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from lambdas import settings
from lambdas.settings import Settings
from services.stack import ENVIRONMENT, ROOT, Stack

TOOLS = Path(sys.executable).parent


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, `!Ref X`, as plain values."""


Loader.add_multi_constructor("!", lambda loader, _tag, node: _plain(loader, node))


def _plain(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader)  # noqa: S506 (a safe one)
    return found


def tool(*command: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> str:
    """Run a program and give what it printed; AssertionError with all of it when it fails."""
    environ = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"} if env is None else env
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_cfn_lint_and_sam_validate_find_nothing():
    strict = (
        "--include-checks",
        "I",
        "--include-experimental",
    )  # what is not said of each resource that holds something
    assert tool(TOOLS / "cfn-lint", *strict, "--", "template.yaml") == ""
    assert "is a valid SAM Template" in tool(TOOLS / "sam", "validate", "--lint", "--template", "template.yaml")


def test_the_built_zip_is_complete_and_holds_neither_pandas_nor_streamlit(tmp_path: Path):
    """Built for the processor of this machine: parts of it are compiled, and are to be imported here."""
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    ours = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    text = (ROOT / "template.yaml").read_text()
    assert text.count("Architectures: [arm64]") == text.count("CodeUri: lambdas/") == 1
    text = text.replace("Architectures: [arm64]", f"Architectures: [{ours}]")
    (tmp_path / "template.yaml").write_text(text.replace("CodeUri: lambdas/", f"CodeUri: {ROOT}/lambdas/"))
    where = ("--build-dir", tmp_path / "build", "--cache-dir", tmp_path / "cache", "--base-dir", ROOT)
    tool(TOOLS / "sam", "build", "--template", tmp_path / "template.yaml", *where, env=environ)
    tool("make", "slim", f"BUILD={tmp_path / 'build'}")
    functions = yaml.safe_load((tmp_path / "build" / "template.yaml").read_text())["Resources"]
    handlers = {
        one["Properties"]["Handler"]: tmp_path / "build" / one["Properties"]["CodeUri"]
        for one in functions.values()
        if one["Type"] == "AWS::Serverless::Function"
    }
    built, *others = handlers.values()
    assert all(_listing(other) == _listing(built) for other in others)  # what is shown of one zip is shown of each
    inside = {place.name for place in built.iterdir()}
    assert {"lambdas", "aws_lambda_powertools", "boto3"} <= inside
    assert not inside & {"pandas", "streamlit", "plotly", "ministack", "services", "ui"}
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for file in built.rglob("*"):
            out.write(file, file.relative_to(built))
    assert archive.stat().st_size < 20 * 2**20  # AWS takes 50 MB at once
    unpacked = tmp_path / "task"
    zipfile.ZipFile(archive).extractall(unpacked)
    modules = sorted(handler.removesuffix(".handler") for handler in handlers)
    assert len(modules) >= 4
    code = "".join(path.read_text() for path in (ROOT / "lambdas").glob("*.py"))
    asked = sorted(set(re.findall(r'\bclient\("(\w+)"', code)))
    assert len(asked) >= 5
    does = [f"import {name}; {name}.handler" for name in modules]
    does += ["import boto3", *(f"boto3.client({name!r}, region_name='us-east-1')" for name in asked)]
    alone = f"import sys; sys.path.insert(0, {str(unpacked)!r}); {'; '.join(does)}; print(lambdas.__file__)"
    printed = tool(sys.executable, "-I", "-S", "-c", alone, env={}, cwd=unpacked)  # -S: no site-packages at all
    assert printed.strip() == str(unpacked / "lambdas" / "__init__.py")


def _listing(folder: Path) -> dict[str, int]:
    """Every file below a folder, and its size."""
    return {str(one.relative_to(folder)): one.stat().st_size for one in folder.rglob("*") if one.is_file()}


def test_the_settings_are_the_templates_variables_and_outputs(template: dict[str, Any]):
    names = {field.name for field in fields(Settings)}
    outputs = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in template["Outputs"]}
    assert (
        outputs - {"dashboard_policy", "operator_policy", "users_policy"} == names
    )  # but for what only who hosts it asks for
    functions = ("Loader", "Recorder", "Checker", "Sweeper")
    given = {name: set(_variables(template["Globals"]["Function"])) for name in functions}
    for name in given:
        given[name] |= set(_variables(template["Resources"][name]["Properties"]))
        assert given[name] <= {field.upper() for field in names}


@pytest.mark.parametrize("function", ["loader", "recorder", "checker", "sweeper"])
def test_each_lambda_is_given_the_settings_that_its_code_uses(function: str, template: dict[str, Any]):
    code = "".join((ROOT / "lambdas" / f"{name}.py").read_text() for name in USES[function])
    used = set(re.findall(r"(?:settings|names)\.(\w+)\b", code)) & {field.name for field in fields(Settings)}
    given = {*_variables(template["Globals"]["Function"])}
    given |= {*_variables(template["Resources"][function.title()]["Properties"])}
    assert used == {name.lower() for name in given}


_KEPT = ("failures", "objects")
USES = {
    "loader": ("loader", "loading", "applying", "others", "reruns", "mappings", "objects"),
    "recorder": ("recorder", "recording", *_KEPT),
    "checker": ("checker", "checking", "episodes", "lows", "notifying", "points", "quiet", *_KEPT),
    "sweeper": (
        "sweeper", "sweeping", "bucket", "deadletters", "episodes", "lows", "notifying", "points", "quiet", "recording",
        *_KEPT,
    ),
}  # fmt: skip


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of each resource of a type, by its name."""
    return {n: one.get("Properties", {}) for n, one in template["Resources"].items() if one["Type"] == f"AWS::{kind}"}


def test_what_holds_data_stays_when_the_stack_goes_and_is_protected_in_production(template: dict[str, Any]):
    """The engine takes no PointInTimeRecoverySpecification; the rest of this is seen there, in test_upgrade.py."""
    tables, pools = of_type(template, "DynamoDB::Table"), of_type(template, "Cognito::UserPool")
    for name in (*tables, *pools, *of_type(template, "S3::Bucket")):
        both = template["Resources"][name]
        assert (both["DeletionPolicy"], both["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), name
    for name, table in tables.items():
        on = ["IsProduction", True, False]
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": on}, name
        assert table["DeletionProtectionEnabled"] == on, name
    assert [pool["DeletionProtection"] for pool in pools.values()] == [["IsProduction", "ACTIVE", "INACTIVE"]]


def test_no_file_line_grant_mapping_or_audit_entry_ever_expires_in_the_bucket(template: dict[str, Any]):
    [bucket] = of_type(template, "S3::Bucket").values()
    expiring = set()
    for rule in bucket["LifecycleConfiguration"]["Rules"]:
        what = rule.keys() - {"Id", "Status", "Prefix"}
        assert what in ({"AbortIncompleteMultipartUpload"}, {"NoncurrentVersionExpiration"}), rule
        if "NoncurrentVersionExpiration" in what:
            assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] >= 30
            expiring.add(rule["Prefix"])
    assert expiring == {"receipts/", "answers/", "notices/", "failures/", "verify/"}
    policies = [one for kind in ("IAM::Role", "IAM::ManagedPolicy") for one in of_type(template, kind).values()]
    read = {resource for policy in policies for resource in _resources_of("s3:GetObjectVersion", policy)}
    assert read == {"${Bucket.Arn}/uploads/*"}  # older versions of anything else nobody may even read


def _resources_of(action: str, part: Any) -> Iterator[str]:
    """What statements anywhere within a part of the template allow an action on."""
    if isinstance(part, dict):
        if action in ([said] if isinstance(said := part.get("Action", []), str) else said):
            yield from [on] if isinstance(on := part["Resource"], str) else on
        part = list(part.values())
    for one in part if isinstance(part, list) else []:
        yield from _resources_of(action, one)


def test_each_function_logs_to_a_group_of_its_own_that_forgets_and_makes_none_itself(template: dict[str, Any]):
    groups, functions = of_type(template, "Logs::LogGroup"), of_type(template, "Serverless::Function")
    assert {one["LoggingConfig"]["LogGroup"] for one in functions.values()} == set(groups)
    assert len(groups) == len(functions)
    assert {group["RetentionInDays"] for group in groups.values()} == {"LogDays"}
    assert "logs:CreateLogGroup" not in (ROOT / "template.yaml").read_text()


def test_whatever_runs_queues_or_tells_has_an_alarm_and_every_alarm_reaches_the_operators(template: dict[str, Any]):
    alarms = of_type(template, "CloudWatch::Alarm")
    watched = {
        (alarm["MetricName"], dimension["Value"])
        for alarm in alarms.values()
        for dimension in alarm.get("Dimensions", [])
    }
    for name, function in of_type(template, "Serverless::Function").items():
        assert ("Errors", name) in watched
        for event in function["Events"].values():
            assert event["Type"] != "DynamoDB" or ("IteratorAge", name) in watched
    for name in of_type(template, "SQS::Queue"):
        assert any(on == f"{name}.QueueName" for _, on in watched), name
    assert ("NumberOfNotificationsFailed", "Topic.TopicName") in watched
    for name, alarm in alarms.items():
        assert template["Resources"][name]["Condition"] == "IsProduction"
        assert (alarm["AlarmActions"], alarm["OKActions"]) == (["OperatorsTopic"], ["OperatorsTopic"]), name


def test_the_dashboard_shows_every_alarm(template: dict[str, Any]):
    [dashboard] = of_type(template, "CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    assert {one["type"] for one in widgets} == {"alarm", "metric"}
    [shown] = [one["properties"]["alarms"] for one in widgets if one["type"] == "alarm"]
    assert sorted(shown) == sorted(f"${{{name}.Arn}}" for name in of_type(template, "CloudWatch::Alarm"))
    places = sorted((one["y"], one["x"], one["width"]) for one in widgets)
    for (y, x, width), (below, right, _) in itertools.pairwise(places):
        assert below > y or right >= x + width  # none lies on another
    assert max(x + width for _, x, width in places) == 24


def _variables(part: dict[str, Any]) -> dict[str, Any]:
    found = part.get("Environment", {}).get("Variables", {})
    return {name: value for name, value in found.items() if not name.startswith("POWERTOOLS_")}


def test_a_missing_output_is_named():
    with pytest.raises(KeyError, match="InventoryTable"):
        settings.from_outputs({})


def test_the_readme_lists_every_setting_of_the_environment_and_no_other():
    readme = (ROOT / "README.md").read_text()
    table = readme[readme.index("## Settings") :]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(ENVIRONMENT)


def test_what_was_deployed_is_what_the_template_says(stack: Stack):
    """CloudFormation may say COMPLETE while a detail was left out."""
    names = stack.settings
    ttl = stack.dynamodb.describe_time_to_live(TableName=names.changes_table)["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "Expires")
    table = stack.dynamodb.describe_table(TableName=names.inventory_table)["Table"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert stack.s3.get_bucket_versioning(Bucket=names.bucket)["Status"] == "Enabled"
    [told] = stack.s3.get_bucket_notification_configuration(Bucket=names.bucket)["QueueConfigurations"]
    assert told["Filter"]["Key"]["FilterRules"][0]["Value"] == "uploads/"
    for url in (names.queue, names.parts_queue):
        queue = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert '"maxReceiveCount": 5' in queue["RedrivePolicy"].replace('"5"', "5").replace('":5', '": 5')
    sources = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert len(sources) == 5
    of_queue = {one["EventSourceArn"].rpartition(":")[2]: one for one in sources if ":sqs:" in one["EventSourceArn"]}
    urls = (names.queue, names.parts_queue, names.dead_letter_queue)
    files, parts, dead = (of_queue[url.rpartition("/")[2]] for url in urls)
    assert dead["FunctionArn"].endswith(names.sweeper)
    streams = [source for source in sources if ":dynamodb:" in source["EventSourceArn"]]
    assert {source["MaximumRecordAgeInSeconds"] for source in streams} == {1800}
    assert all(source["BisectBatchOnFunctionError"] for source in streams)
    [rule] = stack.client("events").list_rules()["Rules"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    for source in (files, parts):
        assert source["FunctionArn"].endswith(names.loader)
        assert int(source["ScalingConfig"]["MaximumConcurrency"]) == 4
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

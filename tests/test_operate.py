"""Operating: a stage is deployed by `sam`, deleted, restored to an earlier moment, taken up again, and erased.

One engine, on which nothing is but what `make deploy` puts there. The engine's point-in-time recovery knows one moment,
which is now; and it runs Lambdas with this machine's packages, so that the zip is the code alone.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from local import engine
from operate import adopting, kept
from operate.__main__ import main
from operate.kept import BUCKET, TABLE, Refused
from services import stack as stacks
from services import stock, uploads, verifying
from services.stack import ROOT, Stack
from tests.conftest import csv, gaps, invoke, sent
from tests.waiting import until

STAGE = "trial"
NOTHING = "Resources: {Quiet: {Type: AWS::SNS::Topic}}\n"


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An engine without a stack of ours, to which boto3 speaks in this process meanwhile."""
    place = tmp_path_factory.mktemp("operate")
    (place / "code").mkdir()
    (place / "template.yaml").write_text(NOTHING)
    running = engine.attach(place / "home", template=place / "template.yaml", code=place / "code", stack="nothing")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        for name, value in running.environ.items():
            patch.setenv(name, value)
        yield dict(running.environ)
    engine.stop(place / "home")
    engine.detach(place / "home")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, with the code as it is zipped: `sam build` would bring the packages of AWS's processors too."""
    place = tmp_path_factory.mktemp("template")
    shutil.copytree(ROOT / "lambdas", place / "code" / "lambdas")
    text = (ROOT / "template.yaml").read_text()
    (place / "template.yaml").write_text(text.replace("CodeUri: lambdas/", "CodeUri: code/"))
    return place / "template.yaml"


def make(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"SAM_CLI_POLL_DELAY": "0.2"}
    installed = ("-o", ".venv/testing-installed")
    return subprocess.run(
        ["make", "--no-print-directory", *installed, *words],  # noqa: S607
        cwd=ROOT, env=environ, input=typed, capture_output=True, text=True, check=False,
    )  # fmt: skip


def connected() -> Stack:
    return stacks.connect(dict(os.environ) | {"STOCKTRAIL_STACK": f"stocktrail-{STAGE}"})


def deployed(template: Path) -> Stack:
    done = make("deploy", f"STAGE={STAGE}", "CONFIRM=no", f"TEMPLATE={template}")
    assert done.returncode == 0, done.stdout + done.stderr
    found = connected()
    assert f"Files that are put below uploads/ in the bucket {found.settings.bucket} are loaded." in done.stdout
    return found


def counts(stack: Stack, store: str) -> dict[str, int]:
    return {one.item: int(one.count) for one in stock.of_store(stack, store)}


def stacks_there() -> dict[str, str]:
    found = boto3.client("cloudformation").list_stacks()["StackSummaries"]
    return {one["StackName"]: one["StackStatus"] for one in found if one["StackStatus"] != "DELETE_COMPLETE"}


@pytest.mark.usefixtures("environ")
def test_a_stage_is_deployed_restored_deleted_taken_up_again_with_its_laws_and_erased(
    template: Path, capsys: pytest.CaptureFixture[str]
):
    parameters = kept.STAGES / f"{STAGE}.yaml"
    parameters.parent.mkdir(exist_ok=True)
    parameters.write_text("DashboardUrl: http://localhost:8765\n")
    done = make("deploy", f"STAGE={STAGE}", f"TEMPLATE={template}", typed="n\n")
    assert (done.returncode != 0, "Nothing was deployed." in done.stderr) == (True, True), done.stdout + done.stderr
    stack = deployed(template)
    [found] = boto3.client("cloudformation").describe_stacks(StackName=f"stocktrail-{STAGE}")["Stacks"]
    assert {"ParameterKey": "DashboardUrl", "ParameterValue": "http://localhost:8765"} in found["Parameters"]
    parameters.unlink()
    assert sent(stack, csv("Rome", "Tea,5", "Milk,0")).alerts == 1
    until(lambda: not gaps(stack))

    # the past of this moment, in tables beside; then a file comes that they do not know of
    main(["restore", STAGE])
    restored = kept.STAGES / f"{STAGE}.restored.json"
    assert f"listed in {restored}" in capsys.readouterr().out
    assert sent(stack, csv("Rome", "Tea,0", "Milk,7")).alerts == 1
    until(lambda: not gaps(stack))

    # deleting asks for the stage's name, and leaves the data
    assert make("destroy", f"STAGE={STAGE}", typed="yes\n").returncode != 0
    assert f"stocktrail-{STAGE}" in stacks_there()
    done = make("destroy", f"STAGE={STAGE}", typed=f"{STAGE}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"stocktrail-{STAGE}" not in stacks_there()
    left = kept.load(kept.STAGES / f"{STAGE}.kept.json")
    assert all(f"{name:18} {physical}" in done.stdout for name, physical in left.items())
    assert left == {**left, "InventoryTable": stack.settings.inventory_table, "Bucket": stack.settings.bucket}

    # a new stack begins with what was, and loads what came since from the bucket
    again_under_their_names(kept.load(restored), left)
    main(["adopt", STAGE, str(kept.STAGES / f"{STAGE}.kept.json")])
    back = deployed(template)
    assert back.settings == replace(stack.settings, **_made_anew(back))
    assert counts(back, "Rome") == {"Tea": 5, "Milk": 0}
    invoke(back, back.settings.sweeper, {})
    until(lambda: counts(back, "Rome") == {"Tea": 0, "Milk": 7}, seconds=60)
    until(lambda: [one.settled for one in uploads.recent(back)] == [True, True], seconds=60)
    found = verifying.verify(back, again_after=0)
    assert verifying.in_words(found) == "2 uploads, 4 rows, 2 items: everything agrees."
    assert (found.changes, found.alerts) == (4, 2)
    assert sent(back, csv("Rome", "Tea,3")).records_seen == 1  # the new stream is followed

    # once more, without a restore: a stack goes and comes, and all is as it was
    kept.delete(kept.stack_of(STAGE))
    main(["adopt", STAGE, str(kept.STAGES / f"{STAGE}.kept.json")])
    assert kept.names_in(kept.stack_of(STAGE)) == left
    kept.delete(kept.stack_of(STAGE))

    # for good
    answers = iter(("no\n", f"erase {STAGE}\n", f"erase {STAGE}\n"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", SimpleNamespace(readline=lambda: next(answers)))
        with pytest.raises(SystemExit, match="Nothing was done"):
            main(["erase", STAGE, str(restored)])
        only = {name: table for name, table in kept.load(restored).items() if name.endswith("Table")}
        kept.save(restored, only)
        main(["erase", STAGE, str(restored)])
        assert sorted(tables_there()) == sorted(table for name, table in left.items() if name.endswith("Table"))
        main(["erase", STAGE, str(kept.STAGES / f"{STAGE}.kept.json")])
    assert tables_there() == []
    assert not [one for one in boto3.client("s3").list_buckets()["Buckets"] if f"-{STAGE}-" in one["Name"]]
    assert not list(kept.STAGES.glob(f"{STAGE}.*"))


def again_under_their_names(restored: kept.Names, left: kept.Names) -> None:
    """When a stack changes a table that it has imported, the engine gives it the name that it would have made up; AWS
    leaves it its name. So here what was restored gets that name first."""
    client = boto3.client("dynamodb")
    for name in restored:
        if name.endswith("Table"):
            kept.erase({name: left[name]})
            client.restore_table_to_point_in_time(
                SourceTableName=restored[name], TargetTableName=left[name], UseLatestRestorableTime=True
            )


def _made_anew(stack: Stack) -> dict[str, Any]:
    """The names of what a new stack does not take up."""
    theirs = asdict(stack.settings)
    return {name: value for name, value in theirs.items() if not name.endswith(("table", "bucket", "user_pool"))}


def tables_there() -> list[str]:
    return [name for name in boto3.client("dynamodb").list_tables()["TableNames"] if STAGE in name]


@pytest.mark.usefixtures("environ")
def test_without_a_stage_nothing_is_deployed_and_what_is_not_there_is_said():
    assert "Which stage?" in make("deploy").stdout
    assert "Which stage?" in make("destroy").stdout
    with pytest.raises(Refused, match="There is no stack stocktrail-nowhere in us-east-1"):
        kept.names_in(kept.stack_of("nowhere"))
    with pytest.raises(Refused, match="is no stage"):
        kept.stack_of("prod; true")


def test_what_a_stack_keeps_is_every_table_the_bucket_and_the_users():
    keeps = kept.kept_by(kept.template())
    declared = kept.template()["Resources"]
    holds = {name for name, one in declared.items() if one["Type"] in (TABLE, BUCKET, kept.POOL)}
    assert holds <= set(keeps)


def test_the_first_step_says_of_a_table_only_what_it_has():
    declared: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Things": {
                "Type": TABLE,
                "DeletionPolicy": "Retain",
                "Properties": {
                    "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
                    "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
                    "TimeToLiveSpecification": {"AttributeName": "Expires", "Enabled": True},
                    "BillingMode": {"Ref": "Billing"},
                    "ResourcePolicy": {
                        "PolicyDocument": {"Statement": [{"Resource": {"Fn::GetAtt": ["Other", "Arn"]}}]}
                    },
                    "SSESpecification": {"SSEEnabled": True},
                },
            },
            "Other": {"Type": "AWS::SNS::Topic"},
        },
    }
    first = adopting.first_template(declared, {"Things": {"StreamSpecification": True}})
    assert list(first["Resources"]) == ["Things"]
    things = first["Resources"]["Things"]
    assert things["DeletionPolicy"] == "Retain"
    assert set(things["Properties"]) == {"KeySchema", "StreamSpecification", "SSESpecification"}

"""What a stack keeps when it is deleted: its tables, its bucket and its pool of users.

Owns how these are found, copied as of an earlier moment, and erased. Knows nothing of stock, nor of how a new stack
takes them up. What is kept is told by a file, stages/STAGE.kept.json: the physical name of each by its logical one.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent
STAGES = ROOT / "stages"
TABLE, BUCKET, POOL = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"
LOGS = "AWS::Logs::LogGroup"
Names = dict[str, str]
"""Physical by logical names."""


class Refused(Exception):
    """It can't be done; the sentence says why."""


def stack_of(stage: str) -> str:
    """The name of a stage's stack."""
    if not stage.replace("-", "").isalnum():
        raise Refused(f"“{stage}” is no stage: a stage is a word such as test or prod.")
    return f"stocktrail-{stage}"


@cache
def template() -> dict[str, Any]:
    """This checkout's template; !Ref and its like as CloudFormation's JSON has them."""
    found: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return found


def kept_by(declared: Mapping[str, Any]) -> dict[str, str]:
    """The types, by logical name, of what this template's stack does not take with it."""
    parts = declared["Resources"].items()
    return {name: one["Type"] for name, one in parts if one.get("DeletionPolicy", "Delete") != "Delete"}


def names_in(stack: str) -> Names:
    """What the stack would leave behind. Raises Refused when there is no such stack."""
    cloud, keeps = boto3.client("cloudformation"), kept_by(template())
    try:
        pages = cloud.get_paginator("list_stack_resources").paginate(StackName=stack)
        every = [one for page in pages for one in page["StackResourceSummaries"]]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise Refused(f"There is no stack {stack} in {cloud.meta.region_name}.") from error
    there = {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in every}
    return {name: there[name] for name in keeps if there.get(name)}


def output(stack: str, name: str) -> str:
    """An output of the stack. Raises Refused when it is not there, or nothing was ever made of it."""
    cloud: Any = boto3.client("cloudformation")
    try:
        [found] = cloud.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        found = {"StackStatus": "REVIEW_IN_PROGRESS"}
    if found["StackStatus"] == "REVIEW_IN_PROGRESS":
        raise Refused("Nothing was deployed.")
    return next(str(one["OutputValue"]) for one in found["Outputs"] if one["OutputKey"] == name)


def delete(stack: str) -> None:
    """Delete the stack and wait for the end. Raises Refused with CloudFormation's reasons when it fails."""
    cloud = boto3.client("cloudformation")
    cloud.delete_stack(StackName=stack)
    try:
        cloud.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 2, "MaxAttempts": 900})
    except WaiterError as error:
        events = cloud.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [one for one in events if one["ResourceStatus"] == "DELETE_FAILED"]
        reasons = [f"  {one['LogicalResourceId']}: {one.get('ResourceStatusReason')}" for one in failed]
        raise Refused("\n".join([f"The stack {stack} could not be deleted whole:", *dict.fromkeys(reasons)])) from error


def copies(stack: str, at: datetime | None) -> Names:
    """New tables that hold what the stack's tables held at this moment (None: as late as can be), the rest as it is.

    The tables of the stack stay as they are. Takes minutes; DynamoDB restores each table by itself, to the second.
    Raises Refused when a table has no point-in-time recovery, or none so far back.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery.Tutorial.html
    """
    found, keeps = names_in(stack), kept_by(template())
    mark = f"{at or datetime.now(UTC):%Y%m%dT%H%M%S}"
    tables = {name: physical for name, physical in found.items() if keeps[name] == TABLE}
    targets = {name: f"{stack}-{name}-{mark}" for name in tables}
    client = boto3.client("dynamodb")
    moment: dict[str, Any] = {"RestoreDateTime": at} if at else {"UseLatestRestorableTime": True}
    try:
        for name, source in tables.items():
            client.restore_table_to_point_in_time(SourceTableName=source, TargetTableName=targets[name], **moment)
    except ClientError as error:
        raise Refused(f"{name} can't be restored: {error}") from error
    waiter = client.get_waiter("table_exists")
    with ThreadPoolExecutor(len(targets)) as pool:  # on AWS it may take an hour
        wait = partial(waiter.wait, WaiterConfig={"Delay": 5, "MaxAttempts": 2000})
        list(pool.map(lambda target: wait(TableName=target), targets.values()))
    return found | targets


def erase(names: Names) -> None:
    """Delete all of these for good, with everything in them. What is gone already is passed over."""
    keeps, tables = kept_by(template()), boto3.client("dynamodb")
    for name, physical in names.items():
        try:
            if keeps[name] == TABLE:
                tables.update_table(TableName=physical, DeletionProtectionEnabled=False)
                tables.get_waiter("table_exists").wait(TableName=physical)
                tables.delete_table(TableName=physical)
            elif keeps[name] == BUCKET:
                bucket = boto3.resource("s3").Bucket(physical)
                bucket.object_versions.delete()
                bucket.delete()
            elif keeps[name] == POOL:
                pools = boto3.client("cognito-idp")
                pools.update_user_pool(UserPoolId=physical, DeletionProtection="INACTIVE")
                pools.delete_user_pool(UserPoolId=physical)
            elif keeps[name] == LOGS:
                boto3.client("logs").delete_log_group(logGroupName=physical)
            else:
                print(f"{name}, {physical}: delete it by hand.")
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "NoSuchBucket"):
                raise


def save(file: Path, names: Names) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(names, indent=1) + "\n")


def load(file: Path) -> Names:
    """The names that ``save`` wrote. Raises Refused."""
    try:
        names: Names = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise Refused(f"{file} does not tell what was kept: {error}") from error
    if unknown := sorted(set(names) - set(kept_by(template()))):
        raise Refused(f"{file} names {', '.join(unknown)}, which the template does not keep.")
    return names

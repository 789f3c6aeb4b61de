"""A new stack begins with tables, a bucket and a pool that are there already: CloudFormation's import.

Owns the template of that first step. It says of each of them what it is, and no more: what the template wants besides
(a restored table has neither stream nor time to live) and everything else comes with the deploy after it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
"""

import json
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from operate.kept import BUCKET, LOGS, POOL, TABLE, Names, Refused, kept_by

_IDENTIFIERS = {TABLE: "TableName", BUCKET: "BucketName", POOL: "UserPoolId", LOGS: "LogGroupName"}
_CHANGE_SET = "adopt"


def first_template(declared: Mapping[str, Any], actual: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The template that imports. ``actual``: by logical name of each, those of its properties that may be on or off,
    and are on."""
    parts = {}
    for name in actual:
        one = declared["Resources"][name]
        told = {key: value for key, value in one.get("Properties", {}).items() if not _refers(value)}
        switches = {key: value for key, value in told.items() if key in _SWITCHES}
        told = {key: value for key, value in told.items() if key not in switches or key in actual[name]}
        kept = {key: one[key] for key in ("DeletionPolicy", "UpdateReplacePolicy") if key in one}
        parts[name] = {"Type": one["Type"], **kept, "Properties": told}
    return {"AWSTemplateFormatVersion": declared["AWSTemplateFormatVersion"], "Resources": parts}


_SWITCHES = frozenset(
    {
        "StreamSpecification", "TimeToLiveSpecification", "PointInTimeRecoverySpecification",
        "DeletionProtectionEnabled", "ContributorInsightsSpecification", "Tags",
    }
)  # fmt: skip
"""Properties of a table that a restored one comes without. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_HowItWorks.html"""


def _refers(value: Any) -> bool:
    """Whether a property speaks of a parameter or of another resource."""
    if isinstance(value, dict):
        return any(key == "Ref" or key.startswith("Fn::") or _refers(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_refers, value))


def switched_on(table: str) -> dict[str, Any]:
    """Those of a table's switches that are on, and that may not be switched on twice."""
    client = boto3.client("dynamodb")
    found = client.describe_table(TableName=table)["Table"]
    lives = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
    on = {"StreamSpecification": found.get("StreamSpecification", {}).get("StreamEnabled", False)}
    on |= {"TimeToLiveSpecification": lives in ("ENABLING", "ENABLED")}
    return {name: True for name, yes in on.items() if yes}


def adopt(stack: str, declared: Mapping[str, Any], names: Names) -> None:
    """Make a stack of these alone. Raises Refused when there is such a stack, or CloudFormation refuses."""
    keeps = kept_by(declared)
    actual = {name: switched_on(physical) if keeps[name] == TABLE else {} for name, physical in names.items()}
    listed = [
        {
            "ResourceType": keeps[name],
            "LogicalResourceId": name,
            "ResourceIdentifier": {_IDENTIFIERS[keeps[name]]: physical},
        }
        for name, physical in names.items()
    ]
    cloud: Any = boto3.client("cloudformation")
    change = {"StackName": stack, "ChangeSetName": _CHANGE_SET}
    try:
        cloud.create_change_set(
            **change, ChangeSetType="IMPORT", ResourcesToImport=listed,
            TemplateBody=json.dumps(first_template(declared, actual)),
        )  # fmt: skip
        cloud.get_waiter("change_set_create_complete").wait(**change, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
        cloud.execute_change_set(**change)
        cloud.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 900})
    except (ClientError, WaiterError) as error:
        raise Refused(f"The stack {stack} could not take them up: {error}{_reason(cloud, change)}") from error


def _reason(cloud: Any, change: Mapping[str, str]) -> str:
    try:
        return f" ({cloud.describe_change_set(**change).get('StatusReason', 'no reason given')})"
    except ClientError:
        return ""

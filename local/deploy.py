"""Bringing a stack to where its package says, through CloudFormation, and warming its functions.

Owns the artifacts bucket, change sets and their failures. Must not know processes, locks or MiniStack.
"""

import os
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import botocore.session
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import sessions
from local.errors import EngineError
from local.package import Package

ARTIFACTS = "engine-artifacts"
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NEVER_MADE = ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
_USELESS = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
_NO_CHANGE = ("didn't contain changes", "No updates are to be performed")
_SECONDS = 300.0
_STEP_SECONDS = 0.05

T = TypeVar("T")


def deploy(package: Package, stack: str, environ: Mapping[str, str]) -> None:
    """Create `stack` or change it to `package`. Raises EngineError with the reasons of what failed."""
    try:
        _Stack(stack, environ).deploy(package)
    except (BotoCoreError, ClientError) as error:
        raise EngineError(f"The stack {stack} could not be deployed: {error}") from error


def warm(stack: str, environ: Mapping[str, str]) -> None:
    """Call every function of the stack once, without waiting, so that no user waits for its first start."""
    try:
        resources = _client("cloudformation", environ).describe_stack_resources(StackName=stack)["StackResources"]
        functions = [r["PhysicalResourceId"] for r in resources if r["ResourceType"] == "AWS::Lambda::Function"]
        lambdas = _client("lambda", environ)
        for name in functions:
            lambdas.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"Records": []}')
    except (BotoCoreError, ClientError) as error:
        raise EngineError(f"The functions of the stack {stack} could not be called: {error}") from error


class _Stack:
    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name = name
        self._environ = environ
        self._cloud = _client("cloudformation", environ)

    def deploy(self, package: Package) -> None:
        template = self._upload(package)
        status = self._settled()
        if status in _USELESS:  # what a failed first deploy leaves can only be deleted
            self._cloud.delete_stack(StackName=self._name)
            status = self._settled()
        created = status is None or status in _NEVER_MADE
        if self._prepared(change := self._request("CREATE" if created else "UPDATE", template)):
            self._execute(change)
        self._expire(package.expiring_tables())

    def _expire(self, attributes: Mapping[str, str]) -> None:
        """Set the tables' time to live, which MiniStack's CloudFormation reports as done and leaves out."""
        tables = _client("dynamodb", self._environ)
        for name, attribute in attributes.items():
            found = self._cloud.describe_stack_resource(StackName=self._name, LogicalResourceId=name)
            table = found["StackResourceDetail"]["PhysicalResourceId"]
            if tables.describe_time_to_live(TableName=table)["TimeToLiveDescription"].get("AttributeName") != attribute:
                wanted = {"Enabled": True, "AttributeName": attribute}
                tables.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)

    def _upload(self, package: Package) -> str:
        """The address of the template, which a request itself could hold up to 51,200 bytes of."""
        storage = _client("s3", self._environ)
        code, template = f"{package.archive_digest}.zip", f"{package.digest}.yaml"
        text = package.text_with_code_at(f"s3://{ARTIFACTS}/{code}")
        storage.create_bucket(Bucket=ARTIFACTS)
        storage.put_object(Bucket=ARTIFACTS, Key=code, Body=package.archive)
        storage.put_object(Bucket=ARTIFACTS, Key=template, Body=text.encode())
        return f"{self._environ['AWS_ENDPOINT_URL']}/{ARTIFACTS}/{template}"

    def _request(self, kind: str, template: str) -> dict[str, str]:
        name = f"change-{uuid.uuid4().hex}"
        self._cloud.create_change_set(
            StackName=self._name,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateURL=template,
            Capabilities=_CAPABILITIES,
        )
        return {"StackName": self._name, "ChangeSetName": name}

    def _prepared(self, change: dict[str, str]) -> bool:
        """Wait for a change set; False when there is nothing to change."""
        found = _poll(
            lambda: self._cloud.describe_change_set(**change),
            lambda answer: not answer["Status"].endswith(("_PENDING", "_IN_PROGRESS")),
        )
        if found["Status"] == "CREATE_COMPLETE":
            return True
        reason = found.get("StatusReason", "no reason given")
        if any(text in reason for text in _NO_CHANGE):
            self._cloud.delete_change_set(**change)
            return False
        raise EngineError(f"The stack {self._name} can't be deployed: {reason}")

    def _execute(self, change: dict[str, str]) -> None:
        before = {event["EventId"] for event in self._events()}
        self._cloud.execute_change_set(**change)
        status = self._settled(left=change["ChangeSetName"])
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            new = [event for event in self._events() if event["EventId"] not in before]
            raise EngineError(f"The deploy of the stack {self._name} failed ({status}):\n{_reasons(new)}")

    def _events(self) -> list[dict[str, Any]]:
        """What happened to the resources, and what a validation before the deploy found."""
        try:
            resources = self._cloud.describe_stack_events(StackName=self._name)["StackEvents"]
            validation = self._cloud.describe_events(StackName=self._name)["OperationEvents"]
        except ClientError:  # no stack, no events
            return []
        return [*reversed(resources), *reversed(validation)]

    def _settled(self, left: str = "") -> str | None:
        """The stack's status once nothing goes on any more; None when there is no stack."""

        def status() -> str | None:
            try:
                stacks = self._cloud.describe_stacks(StackName=self._name)["Stacks"]
            except ClientError as error:
                if "does not exist" in str(error):
                    return None
                raise
            return str(stacks[0]["StackStatus"])

        def settled(status: str | None) -> bool:
            waiting = ("_IN_PROGRESS", "_STARTED")
            return status is None or (status in _NEVER_MADE and not left) or not status.endswith(waiting)

        return _poll(status, settled)


def _reasons(events: list[dict[str, Any]]) -> str:
    lines = dict.fromkeys(
        f"  {event.get('LogicalResourceId', 'the stack')}: {reason}"
        for event in events
        if event.get("ResourceStatus", "").endswith("_FAILED") or event.get("ValidationStatus") == "FAILED"
        if (reason := event.get("ValidationStatusReason") or event.get("ResourceStatusReason"))
    )
    return "\n".join(lines) or "  the engine gives no reason"


def _poll(ask: Callable[[], T], done: Callable[[T], bool]) -> T:
    deadline = time.monotonic() + _SECONDS
    while not done(answer := ask()):
        if time.monotonic() > deadline:
            raise EngineError(f"CloudFormation has not finished in {_SECONDS:.0f} s; it says {answer!r}.")
        time.sleep(_STEP_SECONDS)
    return answer


def _client(service: Any, environ: Mapping[str, str]) -> Any:
    # Whatever profile or files the user has for the real AWS: they must not reach, nor break, what is done here.
    none, empty = (None, None, None, None), (None, None, os.devnull, None)
    session = botocore.session.Session({"profile": none, "config_file": empty, "credentials_file": empty})
    return sessions.session(session).client(
        service,
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        region_name=environ["AWS_DEFAULT_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environ["AWS_SESSION_TOKEN"],
        config=Config(connect_timeout=5, read_timeout=60, s3={"addressing_style": "path"}),
    )

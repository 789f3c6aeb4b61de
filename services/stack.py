"""The stack that is asked: on AWS when the environment names it, else on the embedded engine, which is started.

The one place that decides between the two; from here on they differ by an endpoint only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from lambdas import settings, times
from lambdas.settings import Settings
from lambdas.world import World, dynamodb
from local import engine, sessions
from services.access import MACHINE, Person
from services.errors import NotFound, mapped

ROOT = Path(__file__).resolve().parent.parent
NAME = "stocktrail"

ENVIRONMENT = {
    "STOCKTRAIL_STACK": "name of the CloudFormation stack on AWS; set, it is used instead of the embedded engine",
    "AWS_ENDPOINT_URL": "address of an AWS-compatible engine; set, it is used instead of the embedded engine",
    "STOCKTRAIL_HOME": "state folder of the embedded engine (.stocktrail in this folder)",
    "STOCKTRAIL_ENGINE_LOG": "log level of the embedded engine (WARNING)",
    "STOCKTRAIL_ENGINE_AUTH": "1: the embedded engine asks IAM, and its Lambdas have only their roles' rights",
    "STOCKTRAIL_SIGN_IN": "`cognito`, or the address of an OpenID Connect provider's metadata; set, one has to sign in",
    "STOCKTRAIL_CLIENT_ID": "what that provider calls this dashboard",
    "STOCKTRAIL_CLIENT_SECRET": "the secret that goes with it",
    "STOCKTRAIL_ADDRESS": "where people open the dashboard (http://localhost:8501)",
    "STOCKTRAIL_COOKIE_SECRET": "what signs the cookie of who has signed in: 32 characters or more, made at random",
    "STOCKTRAIL_SESSION_HOURS": "how long one stays signed in (12)",
}
"""The settings that a user may set; the README lists the same."""


@dataclass(frozen=True, slots=True)
class Stack:
    """boto3 clients of one stack, the names of its resources, and the person that every service asks for.

    ``begun``: when the embedded engine began, in seconds since the epoch: another one may have another past.
    """

    session: boto3.Session
    endpoint: str | None
    settings: Settings
    dynamodb: Any
    s3: Any
    begun: float | None = None
    person: Person = MACHINE

    def acting(self, person: Person) -> "Stack":
        """The same stack, asked by this person."""
        return replace(self, person=person)

    @property
    def world(self) -> World:
        return World(self.dynamodb, self.s3, self.settings)

    def client(self, service: str) -> Any:
        return _client(self.session, service, self.endpoint)


def home(environ: Mapping[str, str]) -> Path:
    """The embedded engine's state folder."""
    return Path(environ.get("STOCKTRAIL_HOME") or ROOT / ".stocktrail").resolve()


def on_aws(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("AWS_ENDPOINT_URL") or environ.get("STOCKTRAIL_STACK"))


@mapped
def connect(environ: Mapping[str, str]) -> Stack:
    """The stack that the environment names. Starts the embedded engine when it names none and none runs.

    Raises NotFound when there is no such stack, Unavailable when it can't be reached or started.
    """
    begun = None
    if not on_aws(environ):
        running = attach(environ)
        environ, begun = {**environ, **running.environ}, running.since
    session = sessions.session(
        aws_access_key_id=environ.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=environ.get("AWS_SESSION_TOKEN"),
        region_name=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
    )
    endpoint = environ.get("AWS_ENDPOINT_URL")
    names = _settings(_client(session, "cloudformation", endpoint), environ.get("STOCKTRAIL_STACK") or NAME)
    dynamodb, s3 = (_client(session, name, endpoint) for name in ("dynamodb", "s3"))
    return Stack(session, endpoint, names, dynamodb, s3, begun)


def attach(environ: Mapping[str, str], *, stay: bool = False) -> engine.Engine:
    """The embedded engine, started if it does not run, with the stack deployed on it."""
    where = {"template": ROOT / "template.yaml", "code": ROOT / "lambdas", "stack": NAME}
    return engine.attach(home(environ), stay=stay, **where)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Recovery:
    """The embedded engine was ended hard, and came back. Times are fixed-width UTC text.

    ``saved_at``: what was sent since then is loaded again by itself. ``refused``: sentences about newer states.
    """

    at: str
    saved_at: str | None
    refused: tuple[str, ...]


def recovery(environ: Mapping[str, str]) -> Recovery | None:
    """How the embedded engine came back; None after a clean start, and on AWS."""
    found = None if on_aws(environ) else engine.status(home(environ))
    if found is None or found.since is None or not (found.recovered or found.refused):
        return None
    saved_at = times.of_epoch(found.saved_at) if found.saved_at else None
    return Recovery(times.of_epoch(found.since), saved_at, found.refused)


def _client(session: boto3.Session, service: Any, endpoint: str | None) -> Any:
    config = Config(retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=16)
    client = session.client(service, endpoint_url=endpoint, config=config)
    return dynamodb(client) if service == "dynamodb" else client


def _settings(cloudformation: Any, stack: str) -> Settings:
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except cloudformation.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise NotFound(f"There is no stack “{stack}” there. Deploy it first: see the README, “On AWS”.") from error
    try:
        return settings.from_outputs({output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]})
    except KeyError as error:
        raise NotFound(f"The stack “{stack}” has no {error}: it is of another version. Deploy it again.") from error

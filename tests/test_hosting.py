"""The dashboard, hosted: the image's files and packages are enough, the template is sound and is deployed, changed and
deleted on the engine, and what runs by it answers a load balancer, and lets people in through it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from services import audit, ended, people
from services.access import Role
from services.stack import ROOT, Stack
from tests.dashboard import free_port
from tests.test_template import TOOLS, Loader, tool
from tests.waiting import until
from ui import door

HOSTING = ROOT / "hosting"
DOMAIN = "stock.example.com"
PROVIDER = "https://id.example.com/.well-known/openid-configuration"
NOT_ON_THE_ENGINE = "AWS::ApplicationAutoScaling::"
"""These its CloudFormation does not know; cfn-lint alone has looked at them."""
BALANCER, TASK = "127.0.0.2", "127.0.0.3"
"""Addresses of this machine that stand for the two. Neither is the one that uvicorn takes for a proxy of its own."""


# --- the image -------------------------------------------------------------------------------------------------------


def test_hadolint_and_cfn_lint_find_nothing():
    assert tool(TOOLS / "hadolint", HOSTING / "Dockerfile") == ""
    assert tool(TOOLS / "cfn-lint", "--include-checks", "I", "--", HOSTING / "template.yaml") == ""


def test_the_image_has_the_packages_of_the_dashboard_and_not_the_engines():
    whole = _required(ROOT / "requirements.txt")
    assert set(_required(HOSTING / "requirements.txt")) - set(whole) == {"pyyaml"}  # which comes with the engine there
    engines = {"ministack", "aws-sam-translator", "uvicorn", "httptools"}  # Streamlit brings one of them
    assert set(whole) - set(_required(HOSTING / "requirements.txt")) == engines


def _required(file: Path) -> dict[str, Requirement]:
    """What a requirements file names, and the files that it leads to."""
    found: dict[str, Requirement] = {}
    for line in (line.partition("#")[0].strip() for line in file.read_text().splitlines()):
        if line.startswith("-r "):
            found |= _required(file.parent / line.removeprefix("-r "))
        elif line:
            found[canonicalize_name(Requirement(line).name)] = Requirement(line)
    return found


def _files() -> list[Path]:
    """The files of this folder that go into the image: nothing, but for what is named."""
    lines = [
        line for line in (HOSTING / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in ("", "#")
    ]
    assert lines[0] == "**"
    assert all(line.startswith("!") for line in lines[1:])
    return sorted({file for line in lines[1:] for file in ROOT.glob(line[1:]) if file.is_file()})


def _missing() -> list[str]:
    """The modules that are installed here and not in the image: of no package that it has or one of these needs."""
    wanted = list(_required(HOSTING / "requirements.txt").values())
    there: set[str] = set()
    done: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        one = wanted.pop()
        name, extras = canonicalize_name(one.name), frozenset(one.extras)
        if (name, extras) in done:
            continue
        done.add((name, extras))
        there.add(name)
        for line in metadata.requires(name) or ():
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras or {""}):
                wanted.append(need)
    by_module = metadata.packages_distributions()
    return [top for top, of in by_module.items() if not {canonicalize_name(name) for name in of} & there]


BEGIN = """
import ast, importlib, sys
from pathlib import Path
missing, command = set({missing!r}), {command!r}

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"{{name}} is not in the image", name=name)

sys.meta_path.insert(0, Missing())
for file in Path().rglob("*.py"):
    if file.parts[0] == "local":
        continue  # but what the others need of it
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            for name in node.names:
                importlib.import_module(name.name)
        elif isinstance(node, ast.ImportFrom):
            found = importlib.import_module(node.module)
            for name in node.names:
                hasattr(found, name.name) or importlib.import_module(f"{{node.module}}.{{name.name}}")
from ui import sessions
sessions.EVERY_SECONDS = 0.2
sys.argv = command
from streamlit.web.cli import main
main()
"""
"""What is begun in place of the image's command: it lacks what that lacks, and tells of its sessions more often."""


# --- the template on the engine --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((HOSTING / "template.yaml").read_text(), Loader)  # noqa: S506 (a safe one)
    return found


class Hosted:
    """The template's stack on the engine."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.name = stack, f"hosted-{uuid.uuid4().hex[:6]}"
        self._cloud = stack.client("cloudformation")
        parts = re.split(r"(?m)^(?=  \w+:\n)", (HOSTING / "template.yaml").read_text())
        self._text = "".join(part for part in parts if NOT_ON_THE_ENGINE not in part)
        subnets = stack.client("ec2").describe_subnets()["Subnets"][:2]
        made = stack.client("secretsmanager").create_secret(Name=f"{self.name}-client", SecretString="the client's")
        self.client_secret = made["ARN"]
        where = ",".join(one["SubnetId"] for one in subnets)
        self._given = {name: self.main(name) for name in ("DashboardPolicy", "OperatorPolicy")} | {
            "MainStack": "stocktrail", "Tag": "1", "Domain": DOMAIN, "Vpc": subnets[0]["VpcId"],
            "Certificate": "arn:aws:acm:us-east-1:100000000000:certificate/a", "BalancerSubnets": where,
            "TaskSubnets": where, "SignIn": PROVIDER, "ClientId": "stock", "ClientSecret": self.client_secret,
        }  # fmt: skip

    def main(self, output: str) -> str:
        return self._outputs("stocktrail")[output]

    def deploy(self, kind: str, **more: str) -> None:
        """By a change set, as `aws cloudformation deploy` does it."""
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in (self._given | more).items()]
        change = {"StackName": self.name, "ChangeSetName": f"change-{uuid.uuid4().hex[:6]}"}
        self._cloud.create_change_set(
            **change, ChangeSetType=kind, TemplateBody=self._text, Parameters=given, Capabilities=["CAPABILITY_IAM"]
        )
        until(lambda: self._cloud.describe_change_set(**change)["Status"] == "CREATE_COMPLETE")
        self._cloud.execute_change_set(**change)
        until(lambda: self.status() not in ("REVIEW_IN_PROGRESS", f"{kind}_IN_PROGRESS", ""))
        assert until(lambda: self.status().endswith("_COMPLETE") and self.status()) == f"{kind}_COMPLETE"

    def status(self) -> str:
        try:
            return str(self._cloud.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])
        except self._cloud.exceptions.ClientError:
            return ""

    def delete(self) -> None:
        self._cloud.delete_stack(StackName=self.name)
        until(lambda: not self.status())
        self.stack.client("secretsmanager").delete_secret(SecretId=self.client_secret, ForceDeleteWithoutRecovery=True)

    @property
    def outputs(self) -> dict[str, str]:
        return self._outputs(self.name)

    def _outputs(self, name: str) -> dict[str, str]:
        found = self._cloud.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        return {one["OutputKey"]: one["OutputValue"] for one in found}

    def made(self, name: str) -> str:
        """A resource's physical id."""
        found = self._cloud.describe_stack_resource(StackName=self.name, LogicalResourceId=name)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def task(self) -> dict[str, Any]:
        """The task's definition, as the service has it."""
        ecs = self.stack.client("ecs")
        [service] = ecs.describe_services(cluster=self.outputs["Cluster"], services=[self.outputs["Service"]])[
            "services"
        ]
        found: dict[str, Any] = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        return found

    def secret(self) -> str:
        found = self.stack.client("secretsmanager").get_secret_value(SecretId=self.outputs["CookieSecret"])
        return str(found["SecretString"])


@pytest.fixture(scope="module")
def hosted(stack: Stack) -> Iterator[Hosted]:
    found = Hosted(stack)
    found.deploy("CREATE")
    yield found
    if found.status():
        found.delete()


def test_what_is_deployed_keeps_people_in_one_task_until_it_has_drained(hosted: Hosted):
    balancers, target = hosted.stack.client("elbv2"), hosted.made("Tasks")
    kept = _attributes(balancers.describe_target_group_attributes(TargetGroupArn=target))
    assert (kept["stickiness.enabled"], kept["stickiness.type"]) == ("true", "lb_cookie")
    assert int(kept["stickiness.lb_cookie.duration_seconds"]) >= 12 * 3600
    assert kept["deregistration_delay.timeout_seconds"] == "300"
    [found] = balancers.describe_target_groups(TargetGroupArns=[target])["TargetGroups"]
    assert (found["HealthCheckPath"], found["TargetType"]) == ("/_stcore/health", "ip")
    ecs, names = hosted.stack.client("ecs"), hosted.outputs
    [service] = ecs.describe_services(cluster=names["Cluster"], services=[names["Service"]])["services"]
    deploys = service["deploymentConfiguration"]
    assert (deploys["minimumHealthyPercent"], deploys["maximumPercent"]) == (100, 200)
    assert deploys["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert service["loadBalancers"] == [
        {"targetGroupArn": target, "containerName": "dashboard", "containerPort": 8501}
    ]  # fmt: skip
    assert hosted.task()["containerDefinitions"][0]["stopTimeout"] == 120


def test_people_come_in_by_https_and_the_balancer_alone_reaches_the_tasks(hosted: Hosted):
    balancers, balancer = hosted.stack.client("elbv2"), hosted.made("Balancer")
    by_port = {one["Port"]: one for one in balancers.describe_listeners(LoadBalancerArn=balancer)["Listeners"]}
    assert set(by_port) == {80, 443}
    sent_on = by_port[80]["DefaultActions"][0]
    assert (sent_on["Type"], sent_on["RedirectConfig"]["Protocol"]) == ("redirect", "HTTPS")
    assert (by_port[443]["Protocol"], by_port[443]["DefaultActions"][0]["Type"]) == ("HTTPS", "forward")
    assert "TLS13-1-2" in by_port[443]["SslPolicy"]
    told = _attributes(balancers.describe_load_balancer_attributes(LoadBalancerArn=balancer))
    assert told["routing.http.preserve_host_header.enabled"] == "true"
    assert told["routing.http.xff_header_processing.mode"] == "append"
    groups = {name: hosted.made(name) for name in ("BalancerGroup", "TaskGroup")}
    ask = hosted.stack.client("ec2").describe_security_groups
    [tasks] = ask(GroupIds=[groups["TaskGroup"]])["SecurityGroups"]
    [way_in] = tasks["IpPermissions"]
    assert (way_in["FromPort"], way_in["ToPort"], way_in["IpRanges"]) == (8501, 8501, [])
    assert [one["GroupId"] for one in way_in["UserIdGroupPairs"]] == [groups["BalancerGroup"]]
    assert {one["FromPort"] for one in tasks["IpPermissionsEgress"]} == {443}


def _attributes(answer: dict[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in answer["Attributes"]}


def test_the_task_may_what_the_main_stack_says_and_ecs_what_begins_it(hosted: Hosted):
    iam = hosted.stack.client("iam")
    role, begins = hosted.made("TaskRole"), hosted.made("ExecutionRole")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert {one["PolicyArn"] for one in attached} == {hosted.main("DashboardPolicy"), hosted.main("OperatorPolicy")}
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []
    assert iam.list_attached_role_policies(RoleName=begins)["AttachedPolicies"] == []
    [name] = iam.list_role_policies(RoleName=begins)["PolicyNames"]
    said = iam.get_role_policy(RoleName=begins, PolicyName=name)["PolicyDocument"]["Statement"]
    may = {action: one["Resource"] for one in said for action in _all(one["Action"])}
    assert set(may) == {
        "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer", "secretsmanager:GetSecretValue", "logs:CreateLogStream", "logs:PutLogEvents",
    }  # fmt: skip
    assert [action for action, of in may.items() if of == "*"] == ["ecr:GetAuthorizationToken"]
    assert may["ecr:BatchGetImage"].endswith(":repository/stocktrail-dashboard")
    assert set(may["secretsmanager:GetSecretValue"]) == {hosted.made("CookieSecret"), hosted.client_secret}
    assert f"log-group:{hosted.outputs['Log']}" in may["logs:PutLogEvents"]


def _all(of: str | list[str]) -> list[str]:
    return [of] if isinstance(of, str) else of


def test_no_secret_is_a_parameter_or_stands_in_the_task(hosted: Hosted, template: dict[str, Any]):
    [container] = template["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    named = {one["Name"] for one in (_then(one) for one in container["Secrets"])}
    assert named == {"STOCKTRAIL_COOKIE_SECRET", "STOCKTRAIL_CLIENT_SECRET"}
    assert len(hosted.secret()) == 64
    said = json.dumps(hosted.task(), default=str)
    assert hosted.secret() not in said
    assert "the client's" not in said
    given = hosted.stack.client("cloudformation").describe_stacks(StackName=hosted.name)["Stacks"][0]["Parameters"]
    assert [one["ParameterValue"] for one in given if "Secret" in one["ParameterKey"]] == [hosted.client_secret]


def _then(one: Any) -> Any:
    """Of an `!If`, what it is when it is so."""
    return one[1] if isinstance(one, list) else one


def test_with_the_stacks_own_pool_nothing_is_said_of_another_provider(hosted: Hosted):
    ours = Hosted(hosted.stack)
    ours.deploy("CREATE", SignIn="cognito", ClientId="", ClientSecret="", OperatorPolicy="")
    try:
        environ = _environment(ours.task())
        assert environ["STOCKTRAIL_SIGN_IN"] == "cognito"
        assert "STOCKTRAIL_CLIENT_ID" not in environ
        iam = ours.stack.client("iam")
        [attached] = iam.list_attached_role_policies(RoleName=ours.made("TaskRole"))["AttachedPolicies"]
        assert attached["PolicyArn"] == ours.main("DashboardPolicy")
    finally:
        ours.delete()


def _environment(task: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in task["containerDefinitions"][0]["environment"]}


# --- what runs by it, as a load balancer asks it ---------------------------------------------------------------------


class Served:
    """The dashboard in a process of its own, with the image's files, packages and settings, on the engine."""

    def __init__(self, hosted: Hosted, folder: Path, role: str) -> None:
        self.stack, self.port, self.log = hosted.stack, free_port(), folder / "dashboard.log"
        self._secret = hosted.secret()
        for file in _files():
            (folder / "app" / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            copy(file, folder / "app" / file.relative_to(ROOT))
        image = dict(re.findall(r"^    (STREAMLIT_\w+)=(\S+)", (HOSTING / "Dockerfile").read_text(), re.MULTILINE))
        given = image | _environment(hosted.task()) | {
            "STOCKTRAIL_COOKIE_SECRET": self._secret, "STOCKTRAIL_CLIENT_SECRET": "the client's",  # from their secrets
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE", "AWS_CONTAINER_CREDENTIALS_FULL_URI": role,  # as ECS gives them
            "AWS_ENDPOINT_URL": str(hosted.stack.endpoint), "STREAMLIT_SERVER_PORT": str(self.port),  # for this test
            "PATH": os.environ["PATH"], "HOME": str(folder / "none"), "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        command = ["streamlit", "run", "app.py"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", BEGIN.format(missing=_missing(), command=command)],
                cwd=folder / "app", env=given, stdout=log, stderr=log,
            )  # fmt: skip

    def ask(self, path: str, **headers: str) -> tuple[int, str, Mapping[str, str]]:
        """Status, text and headers of an answer to the balancer."""
        with closing(HTTPConnection(TASK, self.port, timeout=30, source_address=(BALANCER, 0))) as connection:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())

    def healthy(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.ask("/_stcore/health", Host=f"{TASK}:{self.port}", User_Agent="ELB-HealthChecker/2.0")[0] == 200
        except OSError:  # nobody listens there yet
            return False

    def cookie(self, claims: Mapping[str, Any]) -> str:
        """As Streamlit signs it for who has signed in, at whatever task."""
        signed = create_signed_value(self._secret, USER_COOKIE_NAME, json.dumps(claims)).decode()
        return f"{USER_COOKIE_NAME}={signed}"

    @contextmanager
    def page(self, claims: Mapping[str, Any], origin: str = f"https://{DOMAIN}") -> Iterator[ClientConnection]:
        """A browser's websocket as the balancer hands it on, behind whatever the browser has said of its address."""
        cookies = self.ask("/_stcore/health", Host=DOMAIN)[2]["set-cookie"].partition(";")[0]
        line = socket.create_connection((TASK, self.port), source_address=(BALANCER, 0))
        with connect(
            f"ws://{DOMAIN}/_stcore/stream", sock=line, origin=origin,  # type: ignore[arg-type]
            subprotocols=["streamlit", cookies.partition("=")[2]],  # type: ignore[list-item]
            additional_headers={
                "Cookie": f"{cookies}; {self.cookie(claims)}", "X-Forwarded-For": "198.51.100.7, 203.0.113.9",
                "X-Forwarded-Proto": "https",
            },
            max_size=None,
        ) as found:  # fmt: skip
            yield found

    def sessions(self) -> list[float]:
        """The values of the metric, as its log lines tell them."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        assert {line["Stack"] for line in lines} <= {"stocktrail"}
        told = [line["_aws"]["CloudWatchMetrics"][0] for line in lines]
        assert all((one["Namespace"], one["Dimensions"]) == ("Stocktrail", [["Stack"]]) for one in told)
        return [line["Sessions"][0] for line in lines]


@pytest.fixture
def served(hosted: Hosted, tmp_path: Path) -> Iterator[Served]:
    with _role(hosted.stack) as role:
        found = Served(hosted, tmp_path, role)
        try:
            until(found.healthy, seconds=60)
            yield found
        finally:
            found.process.kill()
            found.process.wait(30)


@contextmanager
def _role(stack: Stack) -> Iterator[str]:
    """Where a task asks for its role's credentials, which live an hour."""
    keys = stack.session.get_credentials()
    assert keys
    told = {"AccessKeyId": keys.access_key, "SecretAccessKey": keys.secret_key, "Token": keys.token}
    told["Expiration"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/role"
    finally:
        server.shutdown()
        server.server_close()


def drawn(page: ClientConnection) -> str:
    """Ask for the page, and give all that was drawn until its run has ended, as text."""
    page.send(BackMsg(rerun_script=ClientState(page_name="")).SerializeToString())
    found = []
    while True:
        message = ForwardMsg.FromString(bytes(page.recv(timeout=60)))  # type: ignore[arg-type]
        found.append(str(message))
        if message.WhichOneof("type") == "script_finished" and not message.metadata.run.fragment_ids:
            return "\n".join(found)


def ended_with(page: ClientConnection) -> int | None:
    """The code that the server closes the page's websocket with."""
    try:
        while True:
            page.recv(timeout=30)
    except ConnectionClosed as closed:
        return closed.rcvd and closed.rcvd.code


def test_what_is_hosted_serves_people_through_the_balancer_and_ends_as_ecs_ends_it(served: Served, store: str):
    name = f"{store.replace(' ', '.').lower()}@example.com"
    people.put(served.stack, name, Role.VIEWER)
    claims = {
        "is_logged_in": True, "email": name, "email_verified": True, "iss": "https://id.example.com", "sub": store,
        "iat": time.time(), "origin": f"https://{DOMAIN}",
    }  # fmt: skip
    # The balancer's own question goes by the task's address, and nothing else does.
    assert served.ask("/_stcore/health", Host=f"10.0.1.5:{served.port}")[:2] == (200, "ok")
    assert served.ask("/", Host=f"10.0.1.5:{served.port}")[0] == 400
    assert served.ask("/", Host="balancer-1.us-east-1.elb.amazonaws.com")[0] == 400
    status, _, told = served.ask("/stock", Host=DOMAIN, X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.9")
    assert (status, told["strict-transport-security"]) == (200, "max-age=31536000")
    assert "; Secure" in served.ask("/_stcore/health", Host=DOMAIN)[2]["set-cookie"]
    # Files are for who has signed in, at whatever task.
    assert served.ask("/_stcore/metrics", Host=DOMAIN)[0] == 403
    assert served.ask("/_stcore/metrics", Host=DOMAIN, Cookie=served.cookie(claims))[0] == 200
    with served.page(claims) as page:
        assert name in drawn(page)
        [entry] = audit.latest(served.stack, 1, wanted=audit.Wanted(by=name)).entries
        assert (entry.did, entry.via) == ("signed in", "203.0.113.9")  # as the balancer has it, whatever they said
        until(lambda: served.sessions()[-1:] == [1])
        # Somebody signs out at another task: some seconds later neither the page nor a copy of the cookie counts here.
        ended.put(served.stack, door._mark(claims), time.time() + 3600)
        until(lambda: served.ask("/_stcore/metrics", Host=DOMAIN, Cookie=served.cookie(claims))[0] == 403)
        after = drawn(page)
        assert (name in after, "Sign in with the account" in after) == (False, True)
        # Its time has come: the browser is told at once, and looks for another task.
        served.process.send_signal(signal.SIGTERM)
        assert ended_with(page) == 1012  # restarting
    assert served.process.wait(30) == -signal.SIGTERM  # uvicorn is done, and ends as it was told to
    assert served.sessions()[0] == 0
    assert "Traceback" not in served.log.read_text()


# --- changing and deleting it ----------------------------------------------------------------------------------------


def test_a_deploy_replaces_the_task_and_keeps_sign_ins_and_the_address_and_a_delete_leaves_nothing(hosted: Hosted):
    before = hosted.secret(), hosted.made("Balancer"), hosted.outputs["BalancerName"], hosted.made("Tasks")
    hosted.deploy("UPDATE", Tag="2", DrainSeconds="60", Processor="X86_64")
    assert (hosted.secret(), hosted.made("Balancer"), hosted.outputs["BalancerName"], hosted.made("Tasks")) == before
    task = hosted.task()
    assert task["containerDefinitions"][0]["image"].endswith("/stocktrail-dashboard:2")
    balancers = hosted.stack.client("elbv2")
    kept = _attributes(balancers.describe_target_group_attributes(TargetGroupArn=before[3]))
    assert kept["deregistration_delay.timeout_seconds"] == "60"
    made = {name: hosted.made(name) for name in ("CookieSecret", "Log", "Balancer", "TaskRole")}
    hosted.delete()
    secrets = hosted.stack.client("secretsmanager").list_secrets()["SecretList"]
    assert not [one for one in secrets if hosted.name in one["Name"]]
    logs = hosted.stack.client("logs").describe_log_groups(logGroupNamePrefix=made["Log"])["logGroups"]
    roles = hosted.stack.client("iam").list_roles()["Roles"]
    assert (logs, [one for one in roles if one["RoleName"] == made["TaskRole"]]) == ([], [])
    assert made["Balancer"] not in {
        one["LoadBalancerArn"] for one in balancers.describe_load_balancers()["LoadBalancers"]
    }
    policy = hosted.stack.client("iam").get_policy(PolicyArn=hosted.main("DashboardPolicy"))["Policy"]
    assert policy["Arn"] == hosted.main("DashboardPolicy")  # the main stack has lost nothing

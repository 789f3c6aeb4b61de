"""The embedded engine, run for real on a small stack of its own: a table with a stream, queues, a bucket, Lambdas."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import processes
from local.engine import Engine, EngineError, attach, checkpoint, detach, status, stop
from local.gate import Gate
from local.package import Package

PROJECT = Path(__file__).resolve().parent.parent
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.11, CodeUri: work/, Timeout: 60}
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: things
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
  Seen:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: seen
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs, VisibilityTimeout: 90}}
  Kept: {Type: AWS::SQS::Queue, Properties: {QueueName: kept, VisibilityTimeout: 600}}
  Files: {Type: AWS::S3::Bucket, Properties: {BucketName: files}}
  OnChange:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: on-change
      Handler: work.app.on_change
      Events:
        Stream:
          Type: DynamoDB
          Properties: {Stream: !GetAtt Things.StreamArn, StartingPosition: TRIM_HORIZON, BatchSize: 3}
  OnJob:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: on-job
      Handler: work.app.on_job
      Environment: {Variables: {KEPT: !Ref Kept}}
      Events:
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 1}}
"""
CODE = """
import os, time
import boto3

def on_change(event, context):
    print("on-change", len(event["Records"]))
    if event["Records"] and "Item" in seen("broken"):
        raise RuntimeError("broken on purpose")
    for record in event["Records"]:
        count(record["dynamodb"]["Keys"]["id"]["S"])

def on_job(event, context):
    print("on-job", sorted(os.environ))
    if event.get("environ"):
        return dict(os.environ)
    for record in event["Records"]:
        count("begun " + record["body"])
        time.sleep(float(record["body"]))
        count("done " + record["body"])

def seen(key):
    return boto3.client("dynamodb").get_item(TableName="seen", Key={"id": {"S": key}})

def count(key):
    boto3.client("dynamodb").update_item(
        TableName="seen", Key={"id": {"S": key}}, UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}})
"""
ATTACHED = """
import json, signal, sys
from pathlib import Path
from local.engine import attach, status
signal.signal(signal.SIGINT, signal.default_int_handler)  # where it was ignored, as in a shell's background
home, source = map(Path, sys.argv[1:])
engine = attach(home, template=source / "template.yaml", code=source / "work", stack="small")
print(json.dumps({"pid": status(home).pid, "started": engine.started}), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small_stack(tmp_path / "source")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    detach(folder)
    stop(folder)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Engine]]:
    """One engine for the tests that only ask."""
    folder = tmp_path_factory.mktemp("shared")
    yield folder / "home", begin(folder / "home", small_stack(folder / "source"))
    detach(folder / "home")


def small_stack(source: Path, template: str = TEMPLATE) -> Path:
    (source / "work").mkdir(parents=True)
    (source / "work" / "app.py").write_text(CODE)
    (source / "template.yaml").write_text(template)
    return source


def begin(home: Path, source: Path, stay: bool = False) -> Engine:
    return attach(home, template=source / "template.yaml", code=source / "work", stack="small", stay=stay)


def client(engine: Engine, service: str) -> Any:
    return cached_client(service, engine.endpoint, engine.environ["AWS_SESSION_TOKEN"])


@cache
def cached_client(service: str, endpoint: str, token: str) -> Any:
    keys = {"aws_access_key_id": "100000000000", "aws_secret_access_key": "any", "aws_session_token": token}
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **keys)


def put(engine: Engine, *names: str, table: str = "things") -> None:
    for name in names:
        client(engine, "dynamodb").put_item(TableName=table, Item={"id": {"S": name}})


def seen(engine: Engine) -> dict[str, int]:
    items = client(engine, "dynamodb").scan(TableName="seen", ConsistentRead=True)["Items"]
    return {item["id"]["S"]: int(item["n"]["N"]) for item in items if "n" in item}


def send(engine: Engine, queue: str, body: str) -> None:
    queues = client(engine, "sqs")
    queues.send_message(QueueUrl=queues.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=body)


def receive(engine: Engine, queue: str) -> list[str]:
    queues = client(engine, "sqs")
    url = queues.get_queue_url(QueueName=queue)["QueueUrl"]
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return sorted(message["Body"] for message in messages)


def eventually(claim: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether a claim comes true in time; asked again and again, with a breath in between for those it waits for."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (true := claim()) and time.monotonic() < deadline:
        pause.wait(0.02)
    return true


def pid_of(home: Path) -> int:
    pid = status(home).pid
    assert pid is not None
    return pid


def restarted(home: Path, source: Path) -> Engine:
    assert stop(home)
    return begin(home, source)


def killed(home: Path) -> int:
    """Kill the server as a crash would and wait until it is dead. Its pid."""
    pid = pid_of(home)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: pid not in processes.group_members(pid))
    return pid


def another_process(home: Path, source: Path, **environ: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", ATTACHED, str(home), str(source)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=PROJECT, env=os.environ | environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def end(process: "subprocess.Popen[str]", kill: bool = False) -> None:
    with process:  # closes its standard input, upon which it ends
        if kill:
            process.kill()


def servers(home: Path) -> list[int]:
    """Living processes whose command line names the state folder, without those that they forked."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            pid = int(entry.parent.name)
            if f"local.server\0{home}\0".encode() in entry.read_bytes() and os.getpgid(pid) == pid:
                found.append(pid)
    return found


# --- serving -------------------------------------------------------------------------------------------------------


def test_boto3_works_and_a_change_reaches_the_function_on_the_stream(shared: tuple[Path, Engine]) -> None:
    _, engine = shared
    put(engine, "first")
    assert eventually(lambda: seen(engine).get("first") == 1)


def test_a_second_attach_finds_the_same_engine(shared: tuple[Path, Engine]) -> None:
    home, engine = shared
    source = home.parent / "source"
    again = begin(home, source)
    other = another_process(home, source)
    answer = told(other)
    end(other)
    assert engine.started
    assert not again.started
    assert again.endpoint == engine.endpoint
    assert answer == {"pid": pid_of(home), "started": False}


def test_the_state_folder_and_the_secret_are_for_the_owner_alone(shared: tuple[Path, Engine]) -> None:
    home, _ = shared
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "secret").stat().st_mode & 0o777 == 0o600


def test_two_racing_starts_end_in_one_server(home: Path, source: Path) -> None:
    racers = [another_process(home, source) for _ in range(2)]
    answers = [told(racer) for racer in racers]
    running = servers(home)
    for racer in racers:
        end(racer)
    assert sorted(answer["started"] for answer in answers) == [False, True]
    assert {answer["pid"] for answer in answers} == set(running)
    assert len(running) == 1


def test_the_functions_get_nothing_of_the_callers_environment(home: Path, source: Path) -> None:
    process = another_process(home, source, BANK_PIN="1234", AWS_PROFILE="someone", LC_TIME="C")
    told(process)
    engine = begin(home, source)
    payload = client(engine, "lambda").invoke(FunctionName="on-job", Payload=b'{"environ": true}')["Payload"].read()
    end(process)
    environ = json.loads(payload)
    assert environ["KEPT"].endswith("/kept")
    assert environ["LC_TIME"] == "C"
    assert not {"BANK_PIN", "AWS_PROFILE"} & environ.keys()
    assert environ["AWS_SESSION_TOKEN"] != engine.environ["AWS_SESSION_TOKEN"]


# --- the gate ------------------------------------------------------------------------------------------------------

Answer = tuple[int, dict[str, str], bytes]


def ask(engine: Engine, method: str = "GET", path: str = "/", **headers: str) -> Answer:
    """A request that the engine serves (it lists the buckets) but for what the arguments make different."""
    host = engine.endpoint.removeprefix("http://")
    sent = {"Host": host, "X-Amz-Security-Token": engine.environ["AWS_SESSION_TOKEN"]}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(HTTPConnection(host, timeout=10)) as connection:
        connection.request(method, path, headers={name: value for name, value in sent.items() if value})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_the_gate_lets_the_owner_in_and_shows_nothing_to_other_origins(shared: tuple[Path, Engine]) -> None:
    answer, headers, body = ask(shared[1])
    assert answer == 200
    assert b"ListAllMyBucketsResult" in body
    assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("different", "reason"),
    [
        ({"Origin": "http://localhost:8501"}, "web pages"),
        ({"Origin": "null"}, "web pages"),
        ({"Sec_Fetch_Site": "same-origin"}, "web pages"),
        ({"Sec_Fetch_Mode": "navigate"}, "web pages"),
        ({"Host": "evil.example"}, "host name"),
        ({"Host": "127.0.0.1:1"}, "host name"),
        ({"X_Amz_Security_Token": ""}, "token"),
        ({"X_Amz_Security_Token": "wrong"}, "token"),
        ({"method": "OPTIONS"}, "preflight"),
        ({"method": "POST", "path": "/_ministack/reset"}, "closed"),
        ({"method": "POST", "path": "//_ministack/reset"}, "closed"),
        ({"method": "POST", "path": "/%5Fministack/reset"}, "closed"),
        ({"path": "/_localstack/health"}, "closed"),
        ({"path": "/health"}, "closed"),
        ({"path": "/?X-Amz-Security-Token=wrong", "X_Amz_Security_Token": ""}, "token"),
    ],
    ids=str,
)
def test_the_gate_refuses(shared: tuple[Path, Engine], different: dict[str, str], reason: str) -> None:
    answer, headers, body = ask(shared[1], **different)
    assert (answer, headers["content-type"]) == (403, "text/plain; charset=utf-8")
    assert reason in body.decode()
    assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize(("token", "let_in"), [(b"the secret", True), (b"wrong", False), (b"", False)])
def test_the_gate_refuses_a_websocket_without_the_secret(token: bytes, let_in: bool) -> None:
    sent: list[Any] = []

    async def accepting(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "websocket", "path": "/", "headers": [(b"host", b"127.0.0.1:9"), (b"x-amz-security-token", token)]}
    asyncio.run(Gate(accepting, "the secret", 9)(scope, None, send))  # type: ignore[arg-type]
    assert sent == ["websocket.accept" if let_in else "websocket.close"]


def test_a_presigned_url_opens_just_what_it_signs(shared: tuple[Path, Engine]) -> None:
    engine = shared[1]
    storage = client(engine, "s3")
    storage.put_object(Bucket="files", Key="note.txt", Body=b"hello")
    url = storage.generate_presigned_url("get_object", Params={"Bucket": "files", "Key": "note.txt"})
    path = url.removeprefix(engine.endpoint)
    assert ask(engine, path=path, X_Amz_Security_Token="")[::2] == (200, b"hello")
    assert ask(engine, path=path, X_Amz_Security_Token="", Origin="http://evil.example")[0] == 403


# --- what is kept --------------------------------------------------------------------------------------------------


def test_a_restart_keeps_items_objects_and_messages(home: Path, source: Path) -> None:
    engine = begin(home, source)
    put(engine, "kept item", table="seen")
    client(engine, "s3").put_object(Bucket="files", Key="a/b.txt", Body=b"kept object", Metadata={"by": "me"})
    send(engine, "kept", "in flight")
    assert receive(engine, "kept") == ["in flight"]  # nobody deletes it, and it stays hidden for ten minutes
    send(engine, "kept", "waiting")

    engine = restarted(home, source)

    found = client(engine, "s3").get_object(Bucket="files", Key="a/b.txt")
    assert (found["Body"].read(), found["Metadata"]) == (b"kept object", {"by": "me"})
    assert "Item" in client(engine, "dynamodb").get_item(TableName="seen", Key={"id": {"S": "kept item"}})
    assert receive(engine, "kept") == ["in flight", "waiting"]
    assert engine.started


def test_over_a_restart_every_stream_record_is_delivered_exactly_once(home: Path, source: Path) -> None:
    """Delivered before the stop, written but not delivered before it, and written after it."""
    engine = begin(home, source)
    before, between, after = ([f"{word} {n}" for n in range(7)] for word in ("before", "between", "after"))
    put(engine, *before)
    assert eventually(lambda: seen(engine) == dict.fromkeys(before, 1))
    put(engine, "broken", table="seen")
    put(engine, *between)

    engine = restarted(home, source)

    put(engine, *after)
    assert seen(engine) == dict.fromkeys(before, 1)
    client(engine, "dynamodb").delete_item(TableName="seen", Key={"id": {"S": "broken"}})
    assert eventually(lambda: len(seen(engine)) == 21)
    assert seen(engine) == dict.fromkeys([*before, *between, *after], 1)


def test_records_that_every_event_source_has_passed_are_not_carried_over(home: Path, source: Path) -> None:
    engine = begin(home, source)
    put(engine, "one", "two")
    assert eventually(lambda: len(seen(engine)) == 2)
    assert stop(home)
    saved = max((home / "state").glob("generation-*/dynamodb-streams.json"))
    streams = json.loads(saved.read_text())["payload"]
    assert list(streams["records"]["data"].values()) == [[]]
    assert list(streams["trimmed"]["data"].values()) == [2]


def test_a_stop_lets_the_functions_finish_what_they_have_begun(home: Path, source: Path) -> None:
    engine = begin(home, source)
    send(engine, "jobs", "1")
    assert eventually(lambda: "begun 1" in seen(engine))
    engine = restarted(home, source)
    assert seen(engine) == {"begun 1": 1, "done 1": 1}


def test_a_checkpoint_outlives_a_kill(home: Path, source: Path) -> None:
    engine = begin(home, source)
    put(engine, "saved", table="seen")
    checkpoint(home)
    killed(home)
    engine = begin(home, source)
    assert "Item" in client(engine, "dynamodb").get_item(TableName="seen", Key={"id": {"S": "saved"}})


def saved_tables(home: Path) -> str:
    """The tables as they lie on the disk; empty while one state takes another's place."""
    for file in sorted((home / "state").glob("generation-*/dynamodb.json"), reverse=True):
        with suppress(FileNotFoundError):
            return file.read_text()
    return ""


def test_by_itself_it_saves_while_something_changes(home: Path, source: Path) -> None:
    engine = begin(home, source)
    put(engine, "not saved by hand", table="seen")
    assert eventually(lambda: "not saved by hand" in saved_tables(home), seconds=60)
    killed(home)
    engine = begin(home, source)
    assert "Item" in client(engine, "dynamodb").get_item(TableName="seen", Key={"id": {"S": "not saved by hand"}})


def test_when_no_state_can_be_read_the_engine_refuses_and_changes_nothing(home: Path, source: Path) -> None:
    begin(home, source)
    detach(home)
    before, last = sorted((home / "state").glob("generation-*/dynamodb.json"))
    before.write_text("{}")
    intact = last.read_text()
    for damage in (lambda: last.write_text(intact[:-20]), lambda: last.write_text("{}"), last.unlink):
        damage()
        held = contents(home / "state")
        with pytest.raises(EngineError, match=rf"can't be read: {last}.*Move the folder {home / 'state'} away"):
            begin(home, source)
        assert contents(home / "state") == held
        assert not status(home).running
    (home / "state").rename(home / "aside")
    assert begin(home, source).started


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- coming and going ----------------------------------------------------------------------------------------------


def test_when_the_last_user_is_killed_the_engine_saves_and_ends(home: Path, source: Path) -> None:
    first, second = another_process(home, source), another_process(home, source)
    pid = told(first)["pid"]
    assert told(second)["pid"] == pid
    end(first, kill=True)
    endpoint = str(status(home).endpoint)
    token = (home / "secret").read_text()
    assert not eventually(lambda: not status(home).running, 0.8)  # the second one still uses it
    put(Engine(endpoint, {"AWS_SESSION_TOKEN": token}, False, 0.0), "the last one's", table="seen")
    end(second, kill=True)
    assert eventually(lambda: not status(home).running)
    assert eventually(lambda: not processes.group_members(pid))
    assert not (home / "tmp").exists()
    engine = begin(home, source)
    assert "Item" in client(engine, "dynamodb").get_item(TableName="seen", Key={"id": {"S": "the last one's"}})


def test_an_engine_that_is_to_stay_stays_until_it_is_stopped(home: Path, source: Path) -> None:
    begin(home, source, stay=True)
    pid = pid_of(home)
    detach(home)
    assert not eventually(lambda: not status(home).running, 1.2)
    assert status(home).stay
    assert stop(home)
    assert not processes.group_members(pid)
    assert not status(home).running
    assert not stop(home)


def test_after_a_kill_a_new_server_starts_and_nothing_of_the_old_one_is_left(home: Path, source: Path) -> None:
    engine = begin(home, source)
    send(engine, "jobs", "55")
    assert eventually(lambda: "begun 55" in seen(engine))
    old = killed(home)
    assert not status(home).running
    engine = begin(home, source)
    assert engine.started
    assert pid_of(home) != old
    assert not processes.group_members(old)
    put(engine, "new")  # the stack outlived the kill
    assert eventually(lambda: seen(engine).get("new") == 1)


def test_a_stale_record_is_not_believed(home: Path, source: Path) -> None:
    begin(home, source)
    record = json.loads((home / "engine.json").read_text())
    stop(home)
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as stranger:
        (home / "engine.json").write_text(json.dumps(record | {"pid": stranger.pid}))
        assert not status(home).running
        assert not stop(home)
        assert begin(home, source).started
        assert stranger.poll() is None
        stranger.kill()


def test_a_removed_state_folder_is_not_made_again(home: Path, source: Path) -> None:
    begin(home, source)
    pid = pid_of(home)
    home.rename(home.with_name("elsewhere"))
    assert eventually(lambda: not processes.group_members(pid))
    assert not home.exists()
    home.with_name("elsewhere").rename(home)


# --- the stack -----------------------------------------------------------------------------------------------------


def test_changed_code_is_deployed_and_a_failed_deploy_is_told_and_can_be_mended(home: Path, source: Path) -> None:
    taken = "  Bad: {Type: AWS::S3::Bucket, Properties: {BucketName: engine-artifacts}}\n"
    (source / "template.yaml").write_text(TEMPLATE + taken)
    with pytest.raises(EngineError, match=r"Bad: .*already exists"):
        begin(home, source)
    (source / "template.yaml").write_text(TEMPLATE)
    engine = begin(home, source)
    [stack] = client(engine, "cloudformation").describe_stacks(StackName="small")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"  # what a failed first deploy leaves can't be changed, on AWS
    (source / "work" / "app.py").write_text("def on_job(event, context):\n    print('new')\n    return 'new code'\n")
    begin(home, source)
    answer = client(engine, "lambda").invoke(FunctionName="on-job", Payload=b"{}")["Payload"].read()
    assert json.loads(answer) == "new code"


def test_a_package_is_the_same_bytes_every_time_and_changes_nothing_but_the_code_uri(source: Path) -> None:
    package = Package.read(source / "template.yaml", source / "work")
    (source / "work" / "__pycache__").mkdir()
    (source / "work" / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"x")
    os.utime(source / "work" / "app.py", (1, 1))
    again = Package.read(source / "template.yaml", source / "work")
    assert (again.digest, again.archive) == (package.digest, package.archive)
    assert package.text_with_code_at("s3://b/k") == TEMPLATE.replace("CodeUri: work/", 'CodeUri: "s3://b/k"')
    (source / "work" / "app.py").write_text(CODE + "# changed\n")
    assert Package.read(source / "template.yaml", source / "work").digest != package.digest

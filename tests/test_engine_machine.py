"""What the engine promises of the machine it runs on: its clock, its processes, other machines, other versions."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from local import processes
from local.engine import Engine, EngineError, checkpoint, detach, status, stop
from local.folder import Folder
from tests.test_engine import (
    PROJECT,
    TEMPLATE,
    another_process,
    begin,
    client,
    end,
    eventually,
    killed,
    pid_of,
    put,
    receive,
    seen,
    send,
    small_stack,
    told,
)

SCHEDULED = """
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 1}}
        More: {Type: SQS, Properties: {Queue: !GetAtt MoreJobs.Arn, BatchSize: 1}}
  MoreJobs: {Type: AWS::SQS::Queue, Properties: {QueueName: more-jobs, VisibilityTimeout: 90}}
  OnTick:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: on-tick
      Handler: work.tick.on_tick
      Events: {Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}}
"""
TICK = """
from work.app import count

def on_tick(event, context):
    print("on-tick")
    if event.get("source"):  # not the first call, which only warms
        count("tick " + event["source"])
"""
BY_HAND = """
import os, sys, time
from pathlib import Path
home, shift = map(Path, sys.argv[1:3])
real = time.time
time.time = lambda: real() + float(shift.read_text() or 0)
from local import folder, server
{patch}
os._exit(server.main(home))
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = small_stack(tmp_path / "source")
    (folder / "work" / "tick.py").write_text(TICK)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    detach(folder)
    stop(folder)


@pytest.fixture
def shift(tmp_path: Path) -> Path:
    """The seconds by which the clock of a `server_by_hand` goes wrong; may be changed while it runs."""
    path = tmp_path / "shift"
    path.write_text("0")
    return path


@contextmanager
def server_by_hand(home: Path, shift: Path, patch: str = "") -> "Iterator[subprocess.Popen[bytes]]":
    """A real server in whose process something of the machine is not as it is here."""
    home.mkdir(mode=0o700, exist_ok=True)
    command = [sys.executable, "-c", BY_HAND.replace("{patch}", patch), str(home), str(shift)]
    before = Folder(home).running()
    with (home / "engine.log").open("ab") as log:
        server = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log, start_new_session=True)
    try:
        assert eventually(lambda: Folder(home).running() not in (None, before))
        yield server
    finally:
        server.terminate()
        server.wait(60)


def forked(server: int) -> set[int]:
    """Living copies of a server: its guard, and who saves for it."""
    line = Path(f"/proc/{server}/cmdline").read_bytes()
    found = set()
    for pid in processes.group_members(server):
        with suppress(OSError):
            if pid != server and Path(f"/proc/{pid}/cmdline").read_bytes() == line:
                found.add(pid)
    return found


# --- the clock -----------------------------------------------------------------------------------------------------


def records(engine: Engine) -> list[tuple[str, float]]:
    """Number and time of every record that the stream still holds."""
    streams = client(engine, "dynamodbstreams")
    [stream] = streams.list_streams(TableName="things")["Streams"]
    [shard] = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    start = {"StreamArn": stream["StreamArn"], "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    found = streams.get_records(ShardIterator=streams.get_shard_iterator(**start)["ShardIterator"])["Records"]
    told = [one["dynamodb"] for one in found]
    return [(one["SequenceNumber"], one["ApproximateCreationDateTime"].timestamp()) for one in told]


def test_stream_records_never_run_backwards_when_the_clock_is_set_back(home: Path, source: Path, shift: Path) -> None:
    with server_by_hand(home, shift):
        engine = begin(home, source)
        put(engine, "first")
        shift.write_text("-3600")
        put(engine, "second")
        found = records(engine)
    with server_by_hand(home, shift):
        engine = begin(home, source)
        put(engine, "third")
        found += records(engine)
        assert len(found) == 3
        assert [number for number, _ in found] == sorted({number for number, _ in found})
        assert [at for _, at in found] == sorted(at for _, at in found)


def test_a_clock_that_is_set_back_holds_up_no_message_and_no_function(home: Path, source: Path, shift: Path) -> None:
    with server_by_hand(home, shift):
        engine = begin(home, source)
        put(engine, "broken", table="seen")
        put(engine, "fails at first")
        queues = client(engine, "sqs")
        send(engine, "kept", "comes back")
        url = queues.get_queue_url(QueueName="kept")["QueueUrl"]
        assert queues.receive_message(QueueUrl=url, VisibilityTimeout=2)["Messages"]
        shift.write_text("-3600")
        client(engine, "dynamodb").delete_item(TableName="seen", Key={"id": {"S": "broken"}})
        assert eventually(lambda: seen(engine).get("fails at first") == 1)
        assert eventually(lambda: receive(engine, "kept") == ["comes back"])
        send(engine, "jobs", "0")
        assert eventually(lambda: seen(engine).get("done 0") == 1)


def test_a_scheduled_rule_and_two_queues_go_on_after_a_kill(home: Path, source: Path, shift: Path) -> None:
    old = "\n        Queue: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 1}}\n"
    (source / "template.yaml").write_text(TEMPLATE.replace(old, SCHEDULED))
    begin(home, source)
    killed(home)
    detach(home)
    shift.write_text("3600")  # so that a minute has passed
    with server_by_hand(home, shift):
        engine = begin(home, source)
        send(engine, "more-jobs", "0")
        assert eventually(lambda: seen(engine).get("done 0") == 1)
        assert eventually(lambda: seen(engine).get("tick aws.events") == 1, 25)
        began = monotonic()
        assert stop(home)
        assert monotonic() - began < 8  # a schedule is nothing to wait for


# --- other versions, other machines --------------------------------------------------------------------------------


def test_an_engine_of_another_version_is_not_used_and_named(home: Path, source: Path, shift: Path) -> None:
    with server_by_hand(home, shift, "from local import life; life.VERSION = '1 on MiniStack 1.0.0'"):
        with pytest.raises(EngineError, match=r"in use by an engine of version 1 on MiniStack 1\.0\.0, .*Close the"):
            begin(home, source)
        assert status(home).running
    assert begin(home, source).started


ELSEWHERE = "folder.socket.gethostname = lambda: 'till-3'"


def test_a_folder_in_use_by_another_machine_is_refused_until_that_is_silent(
    home: Path, source: Path, shift: Path
) -> None:
    record = home / "engine.json"
    with server_by_hand(home, shift, ELSEWHERE) as other:
        with pytest.raises(EngineError, match="in use by the machine till-3, where"):
            begin(home, source)
        before = record.stat().st_mtime
        assert eventually(lambda: record.stat().st_mtime > before)
        other.kill()
        other.wait()
    with pytest.raises(EngineError, match="in use by the machine till-3, where"):
        begin(home, source)
    os.utime(record, (before - 31, before - 31))
    assert begin(home, source).started


def test_a_server_whose_folder_another_machine_took_over_ends_and_writes_nothing(home: Path, source: Path) -> None:
    engine = begin(home, source)
    pid = pid_of(home)
    mine = Folder(home).running()
    assert mine is not None
    theirs = replace(mine, host="till-3")
    Folder(home).publish(theirs)
    held = {path: path.stat().st_mtime_ns for path in (home / "state").glob("generation-*")}
    with suppress(Exception):  # it may have ended already
        put(engine, "too late")
    assert eventually(lambda: not processes.group_members(pid))
    assert {path: path.stat().st_mtime_ns for path in (home / "state").glob("generation-*")} == held
    assert Folder(home).running() == theirs
    (home / "engine.json").unlink()


# --- processes -----------------------------------------------------------------------------------------------------


def test_a_killed_server_leaves_no_process_even_if_nobody_starts_another(home: Path, source: Path) -> None:
    engine = begin(home, source)
    put(engine, "makes a function wait for more")
    send(engine, "jobs", "55")
    assert eventually(lambda: len(seen(engine)) == 2)
    pid = killed(home)
    assert eventually(lambda: not processes.group_members(pid) and not processes.marked(home), 3)


def test_a_function_that_is_killed_is_called_again(home: Path, source: Path) -> None:
    quick = TEMPLATE.replace("VisibilityTimeout: 90", "VisibilityTimeout: 3").replace("Timeout: 60", "Timeout: 3")
    (source / "template.yaml").write_text(quick)
    engine = begin(home, source)
    put(engine, "first")
    send(engine, "jobs", "1")
    assert eventually(lambda: {"first", "begun 1"} <= seen(engine).keys())
    for worker in processes.marked(home):  # one that waits, one that works
        os.kill(worker, signal.SIGKILL)
    put(engine, "second")
    assert eventually(lambda: {"second", "done 1"} <= seen(engine).keys(), 30)
    assert seen(engine)["begun 1"] == 2


def test_a_killed_save_is_told_and_stands_in_the_way_of_none(home: Path, source: Path) -> None:
    begin(home, source)
    server = pid_of(home)
    outcome: list[EngineError] = []

    def ask() -> None:
        try:
            checkpoint(home)
        except EngineError as error:
            outcome.append(error)

    def killed_in_time() -> bool:
        before = forked(server)
        asking = threading.Thread(target=ask)
        asking.start()
        while asking.is_alive():
            for child in forked(server) - before:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        return bool(outcome)

    assert eventually(killed_in_time)
    assert "could not be saved (500)" in str(outcome[0])
    checkpoint(home)
    assert not list((home / "state").glob("draft-*"))
    assert eventually(lambda: len(forked(server)) == 1)  # the guard


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signalled_server_saves_ends_and_leaves_nothing(home: Path, source: Path, number: signal.Signals) -> None:
    engine = begin(home, source)
    put(engine, "kept", table="seen")
    pid = pid_of(home)
    os.kill(pid, number)
    assert eventually(lambda: not processes.group_members(pid))
    assert not (home / "engine.json").exists()
    assert not (home / "tmp").exists()
    engine = begin(home, source)
    assert not status(home).recovered
    assert "Item" in client(engine, "dynamodb").get_item(TableName="seen", Key={"id": {"S": "kept"}})


def test_ctrl_c_for_the_last_user_ends_the_engine_cleanly(home: Path, source: Path) -> None:
    user = another_process(home, source)
    pid = told(user)["pid"]
    user.send_signal(signal.SIGINT)
    assert user.wait(10) == -signal.SIGINT
    end(user)
    assert eventually(lambda: not processes.group_members(pid))
    begin(home, source)
    assert not status(home).recovered

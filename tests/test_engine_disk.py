"""What the engine promises of the disk: objects that are there when PUT answers, two states, and full disks."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError

from local import objects, processes, staging
from local.engine import Engine, EngineError, checkpoint, detach, status, stop
from tests.test_engine import (
    CODE,
    PROJECT,
    TEMPLATE,
    begin,
    client,
    eventually,
    killed,
    pid_of,
    put,
    receive,
    saved_tables,
    small_stack,
)

VERSIONED = """      BucketName: files
      VersioningConfiguration: {Status: Enabled}
      NotificationConfiguration: {QueueConfigurations: [{Event: "s3:ObjectCreated:*", Queue: !GetAtt Kept.Arn}]}"""
WITH_VERSIONS = TEMPLATE.replace(
    "Files: {Type: AWS::S3::Bucket, Properties: {BucketName: files}}",
    f"Files:\n    Type: AWS::S3::Bucket\n    Properties:\n{VERSIONED}",
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small_stack(tmp_path / "source", WITH_VERSIONS)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    detach(folder)
    stop(folder)


@contextmanager
def full_disk(home: Path) -> Iterator[None]:
    """Every write to a file fails for the server, and for the children that it starts meanwhile."""
    pid = pid_of(home)
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # a test may have stopped it
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def storage(engine: Engine) -> Any:
    """A client that does not try again."""
    return boto3.client(
        "s3",
        endpoint_url=engine.endpoint,
        region_name="us-east-1",
        aws_access_key_id="100000000000",
        aws_secret_access_key="any",  # noqa: S106
        aws_session_token=engine.environ["AWS_SESSION_TOKEN"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def generations(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "state").iterdir() if path.name.startswith(("gen", "draft", "refused")))


def content(engine: Engine, key: str) -> tuple[bytes, dict[str, str]]:
    found = storage(engine).get_object(Bucket="files", Key=key)
    return found["Body"].read(), found["Metadata"]


def files(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in (home / "state").rglob("*") if path.is_file())


# --- objects -------------------------------------------------------------------------------------------------------


def test_an_object_and_its_metadata_outlive_a_kill_right_after_the_answer(home: Path, source: Path) -> None:
    engine = begin(home, source)
    for body in (b"old", b"new"):
        storage(engine).put_object(Bucket="files", Key="a/b", Body=body, Metadata={"is": body.decode()})
    killed(home)
    engine = begin(home, source)
    assert content(engine, "a/b") == (b"new", {"is": "new"})
    versions = storage(engine).list_object_versions(Bucket="files")["Versions"]
    bodies = [
        storage(engine).get_object(Bucket="files", Key="a/b", VersionId=one["VersionId"])["Body"].read()
        for one in versions
    ]
    assert sorted(bodies) == [b"new", b"old"]


def test_a_full_disk_refuses_what_it_can_not_store_and_forgets_it(home: Path, source: Path) -> None:
    engine = begin(home, source)
    s3 = storage(engine)
    s3.put_object(Bucket="files", Key="a", Body=b"old", Metadata={"is": "old"})
    assert heard(engine, 1) == ["a"]
    upload = s3.create_multipart_upload(Bucket="files", Key="parts")["UploadId"]
    whole = {"Bucket": "files", "Key": "parts", "UploadId": upload}
    tag = s3.upload_part(**whole, PartNumber=1, Body=b"part")["ETag"]
    whole["MultipartUpload"] = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    writes: list[Callable[[], Any]] = [
        lambda: s3.put_object(Bucket="files", Key="a", Body=b"new"),
        lambda: s3.put_object(Bucket="files", Key="new folder/b", Body=b"new"),
        lambda: s3.copy_object(Bucket="files", Key="copy", CopySource="files/a"),
        lambda: s3.complete_multipart_upload(**whole),
        lambda: s3.delete_object(Bucket="files", Key="a"),
    ]
    before = files(home)
    with full_disk(home):
        for write in writes:
            with pytest.raises(ClientError, match="SlowDown") as refused:
                write()
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert content(engine, "a") == (b"old", {"is": "old"})
        assert [one["Key"] for one in s3.list_objects_v2(Bucket="files")["Contents"]] == ["a"]
    assert [name for name in files(home) if "objects" in name] == [name for name in before if "objects" in name]
    s3.put_object(Bucket="files", Key="last", Body=b"fits again")
    s3.complete_multipart_upload(**whole)
    assert heard(engine, 2) == ["last", "parts"]  # nobody heard of what was not stored
    assert len(s3.list_object_versions(Bucket="files", Prefix="a")["Versions"]) == 1


def heard(engine: Engine, count: int) -> list[str]:
    """The keys of the first so many objects that the bucket told the queue of."""
    keys: list[str] = []

    def enough() -> bool:
        bodies = [json.loads(body) for body in receive(engine, "kept")]
        keys.extend(record["s3"]["object"]["key"] for body in bodies for record in body.get("Records", []))
        return len(keys) >= count

    assert eventually(enough)
    return sorted(keys)


@pytest.mark.parametrize("old", [{}, {"data": b"old", "data.meta.json": b"old meta"}], ids=["new key", "overwritten"])
def test_killed_at_any_step_an_object_is_wholly_the_old_or_the_new_one(tmp_path: Path, old: dict[str, bytes]) -> None:
    new = {"data": b"new", "data.meta.json": b"new meta"}
    outcomes = []
    for step in range(1, 60):
        bucket = tmp_path / str(step) / "objects" / "bucket"
        bucket.mkdir(parents=True)
        (bucket.parent.parent / "objects-on-their-way").mkdir()
        for name, data in old.items():
            (bucket / name).write_bytes(data)
        answered = not killed_while_storing(bucket, new, step)
        staging.finish(bucket.parent)
        found = {path.name: path.read_bytes() for path in bucket.iterdir()}
        assert found == new or (found == old and not answered)
        assert not list((bucket.parent.parent / "objects-on-their-way").iterdir())
        outcomes.append(found == new)
        if answered:
            break
    assert outcomes == sorted(outcomes)  # once it is there, a later kill takes it away no more
    assert not outcomes[0]
    assert answered


def killed_while_storing(bucket: Path, new: dict[str, bytes], step: int) -> bool:
    """Store in a child that ends, as if killed, before its n-th change to the disk. Whether it did not get through."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
            left -= bool(writes) or event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir")
            if left == 0:
                os._exit(9)

        sys.addaudithook(count)
        staging.store({str(bucket / name): data for name, data in new.items()}, bucket.parent)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_every_file_and_name_is_synced_before_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, done = tmp_path.resolve(), []
    sync, rename = os.fsync, Path.rename
    (home / "objects-on-their-way").mkdir()

    def spied(descriptor: int) -> None:
        done.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        sync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        done.append("valid")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", spied)
    monkeypatch.setattr(Path, "rename", renamed)
    staging.store(
        {str(home / "objects" / "deep" / "data"): b"1", str(home / "objects" / "deep" / "meta"): b"2"}, home / "objects"
    )
    valid = done.index("valid")
    draft = next(name for name in done if name.startswith("draft-"))
    assert set(done[:valid]) == {"0", "1", "places.json", draft}
    assert done[valid + 1] == "objects-on-their-way"
    assert done[-1] == "deep"
    assert {home.name, "objects"} < set(done[valid:])  # the new folders' names in their parents


def test_a_name_of_ministacks_that_is_gone_is_noticed_at_the_start() -> None:
    script = """
from local import clock, objects
from local.modules import module
s3 = module("services.s3")
for name in objects.REPLACED:
    kept = getattr(s3, name)
    delattr(s3, name)
    try:
        objects.install()
    except AttributeError as error:
        print(error.name)
    setattr(s3, name, kept)
module("services.sqs").time = None
try:
    clock.install()
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()
    assert told[:-1] == list(objects.REPLACED)
    assert "ministack.services.sqs.time is None" in told[-1]


# --- states --------------------------------------------------------------------------------------------------------


def test_a_checkpoint_that_fails_keeps_the_last_one_and_is_done_once_there_is_room(home: Path, source: Path) -> None:
    engine = begin(home, source)
    put(engine, "before", table="seen")
    checkpoint(home)
    good = generations(home)
    with full_disk(home):
        put(engine, "while full", table="seen")
        for _ in range(2):
            with pytest.raises(EngineError, match="could not be saved"):
                checkpoint(home)
        assert generations(home) == good
    assert eventually(lambda: "while full" in saved_tables(home))  # by itself
    killed(home)
    engine = begin(home, source)
    assert "Item" in client(engine, "dynamodb").get_item(TableName="seen", Key={"id": {"S": "while full"}})


def test_a_failed_last_save_is_told_and_the_one_before_is_used(home: Path, source: Path) -> None:
    engine = begin(home, source)
    put(engine, "saved", table="seen")
    checkpoint(home)
    with full_disk(home), pytest.raises(EngineError, match="did not save its last state"):
        stop(home)
    engine = begin(home, source)
    assert "Item" in client(engine, "dynamodb").get_item(TableName="seen", Key={"id": {"S": "saved"}})
    assert status(home).recovered


def test_the_last_two_states_are_kept_and_no_more(home: Path, source: Path) -> None:
    begin(home, source)
    for _ in range(3):
        checkpoint(home)
    assert [name[:10] for name in generations(home)] == ["generation"] * 2


def test_a_damaged_state_is_put_aside_and_the_one_before_is_used(home: Path, source: Path) -> None:
    engine = begin(home, source)
    put(engine, "older", table="seen")
    checkpoint(home)
    put(engine, "newest", table="seen")
    detach(home)
    for turn in range(2):
        newest = home / "state" / generations(home)[-2 if turn else -1]
        damage(newest)

        engine = begin(home, source)

        assert "Item" in client(engine, "dynamodb").get_item(TableName="seen", Key={"id": {"S": "older"}})
        [told] = status(home).refused
        aside = newest.with_name(newest.name.replace("generation", "refused"))
        assert "missing, added or changed" in told
        assert str(aside) in told
        assert told in (home / "engine.log").read_text()
        assert aside.is_dir()
        assert [name for name in generations(home) if name.startswith("refused")] == [aside.name]
        put(engine, "work goes on")
        checkpoint(home)
        detach(home)


def damage(generation: Path) -> None:
    with (generation / "dynamodb.json").open("r+b") as file:
        file.truncate(100)


def test_a_state_of_a_newer_version_is_put_aside_and_the_one_before_is_used(home: Path, source: Path) -> None:
    begin(home, source)
    detach(home)
    manifest = home / "state" / generations(home)[-1] / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 99}))
    begin(home, source)
    [told] = status(home).refused
    assert "a newer version of the engine wrote it (format 99)" in told


def test_a_state_from_before_the_last_deploy_is_deployed_upon(home: Path, source: Path) -> None:
    begin(home, source)
    detach(home)
    (source / "work" / "app.py").write_text(CODE + "def on_job(event, context):\n    print(1)\n    return 'new code'\n")
    begin(home, source)
    old = killed(home)
    assert eventually(lambda: not processes.group_members(old))  # a child of it may be writing one more state
    damage(home / "state" / generations(home)[-1])
    engine = begin(home, source)
    answer = client(engine, "lambda").invoke(FunctionName="on-job", Payload=b"{}")["Payload"].read()
    assert (json.loads(answer), len(status(home).refused)) == ("new code", 1)


# --- what is told of a start ---------------------------------------------------------------------------------------


def test_a_first_start_and_one_after_a_clean_stop_recover_nothing(home: Path, source: Path) -> None:
    begin(home, source)
    first = status(home)
    assert (first.recovered, first.saved_at, first.refused) == (False, None, ())
    detach(home)
    stopped = (home / "state" / generations(home)[-1]).stat().st_mtime
    again = begin(home, source)
    second = status(home)
    assert (second.recovered, second.refused, second.since) == (False, (), again.since)
    assert second.saved_at == pytest.approx(stopped, abs=5)
    assert again.since > (first.since or 0)


def test_after_a_kill_the_start_tells_that_it_recovered_and_from_when(home: Path, source: Path) -> None:
    begin(home, source)
    detach(home)
    begin(home, source)
    assert not (home / "state" / "clean").exists()  # even if nothing has been saved since: something may be lost
    killed(home)
    begin(home, source)
    found = status(home)
    assert (found.recovered, found.refused) == (True, ())
    assert found.saved_at is not None
    assert found.saved_at < (found.since or 0)
    detach(home)
    begin(home, source)
    assert not status(home).recovered


FORKED = """
import io, os, sys, threading
from pathlib import Path
from local import life
from local.folder import Folder
begun = threading.Event()
class Stuck(io.RawIOBase):
    def writable(self):
        return True
    def write(self, data):
        begun.set()
        threading.Event().wait()
sys.stderr = io.TextIOWrapper(io.BufferedWriter(Stuck()), write_through=True)
threading.Thread(target=lambda: print("x" * 10_000, file=sys.stderr, flush=True), daemon=True).start()
begun.wait()
child = os.fork()
if not child:
    life._save_and_exit(Folder(Path(sys.argv[1])))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
os._exit(0)
"""
"""A state that can't be saved, while a thread is in the middle of a line of the log."""


def test_a_save_that_fails_ends_and_says_so_whoever_was_writing_to_the_log(tmp_path: Path):
    command = [sys.executable, "-c", FORKED, str(tmp_path / "gone")]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "1\n"
    assert (
        f"ERROR [engine] the state could not be written: [Errno 2] No such file or directory: '{tmp_path}"
        in done.stderr
    )

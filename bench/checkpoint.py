"""What the embedded engine's safety costs with 100,000 items and 100,000 stream records in it.

    python -m bench.checkpoint [--items 100000] [--runs 5]

A process of its own asks for one small item without a pause. The longest time that it waits for an answer while the
engine saves its state is how long a checkpoint blocks requests; beside it stands the longest wait in as much time
without one. Then the server is killed, and a start is timed until its first answer. All figures are medians.
"""

import argparse
import json
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
from botocore.client import Config

from local import processes
from local.engine import Engine, attach, checkpoint, detach, status

PROJECT = Path(__file__).resolve().parent.parent
QUIET_SECONDS = 3.0
TEMPLATE = """
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: things
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
"""
Asked = tuple[float, float]
"""When a request was sent, by the system's monotonic clock, and how long its answer took: seconds."""
FIGURES = {
    "checkpoint_s": "a checkpoint, from the request to its answer, s",
    "blocked_ms": "longest wait for an item during it, ms",
    "alone_ms": "longest wait in as much time without one, ms",
    "median_ms": "median wait during it, ms",
    "median_alone_ms": "median wait without one, ms",
    "restart_s": "from the start after a kill to the first answer, s",
    "memory_mb": "the server's memory after that start, MB",
}


def begin(place: Path) -> Engine:
    (place / "code").mkdir(exist_ok=True)
    (place / "template.yaml").write_text(TEMPLATE)
    return attach(place / "home", template=place / "template.yaml", code=place / "code", stack="bench")


def item(number: int) -> dict[str, Any]:
    """As the inventory's are: two short texts, a number and a time."""
    at = f"2026-11-{1 + number % 20:02}T{number % 24:02}:{number % 60:02}:00.000000Z"
    key = f"Store {number % 40:02} item {number:06}"
    upload = f"20261123T120000-{number % 977:06}"
    return {"id": {"S": key}, "Count": {"N": str(number % 500)}, "UpdatedAt": {"S": at}, "UploadId": {"S": upload}}


def fill(engine: Engine, items: int) -> None:
    """Each of the items is a record of the stream, too, which nobody takes."""
    os.environ.update(engine.environ)
    tables = boto3.client("dynamodb", config=Config(max_pool_connections=8))

    def write(first: int) -> None:
        puts = [{"PutRequest": {"Item": item(number)}} for number in range(first, min(first + 25, items))]
        tables.batch_write_item(RequestItems={"things": puts})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(0, items, 25)))


def ask(connection: HTTPConnection, token: str) -> Asked:
    """Ask for the first item."""
    signed = "AWS4-HMAC-SHA256 Credential=100000000000/20261123/us-east-1/dynamodb/aws4_request, "
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.GetItem",
        "X-Amz-Security-Token": token,
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": signed + "SignedHeaders=host, Signature=none",
    }
    sent = time.monotonic()
    connection.request("POST", "/", json.dumps({"TableName": "things", "Key": {"id": item(0)["id"]}}), headers)
    answer = connection.getresponse().read()
    if b"UploadId" not in answer:
        sys.exit(f"not the item: {answer[:200]!r}")
    return sent, time.monotonic() - sent


def connected(environ: Mapping[str, str]) -> HTTPConnection:
    return HTTPConnection(environ["AWS_ENDPOINT_URL"].removeprefix("http://"), timeout=60)


def hammer() -> None:
    """Ask again and again until a line comes in, and print every Asked."""
    asked = []
    with closing(connected(os.environ)) as connection:
        while not select.select([sys.stdin], [], [], 0)[0]:
            asked.append(ask(connection, os.environ["AWS_SESSION_TOKEN"]))
    print(json.dumps(asked))


@contextmanager
def hammered(engine: Engine) -> Iterator[list[Asked]]:
    """Another process hammers the engine meanwhile; the list is filled at the end."""
    asked: list[Asked] = []
    command, pipe = [sys.executable, "-m", "bench.checkpoint", "--hammer"], subprocess.PIPE
    environ = os.environ | engine.environ
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=PROJECT, env=environ) as process:  # noqa: S603
        yield asked
        asked += [(sent, took) for sent, took in json.loads(process.communicate("\n")[0])]


def saved(engine: Engine, place: Path) -> dict[str, float]:
    """One checkpoint under fire, and as long before it."""
    with hammered(engine) as asked:
        time.sleep(2 * QUIET_SECONDS)
        started = time.monotonic()
        checkpoint(place / "home")
        ended = time.monotonic()
    during = [took for sent, took in asked if sent + took >= started and sent <= ended]
    alone = [took for sent, took in asked if sent >= 2 * started - ended and sent + took < started]
    return {
        "checkpoint_s": ended - started,
        "blocked_ms": 1000 * max(during),
        "alone_ms": 1000 * max(alone),
        "median_ms": 1000 * statistics.median(during),
        "median_alone_ms": 1000 * statistics.median(alone),
    }


def killed_and_restarted(place: Path) -> dict[str, float]:
    pid = status(place / "home").pid or 0
    os.kill(pid, signal.SIGKILL)
    while processes.group_members(pid):
        time.sleep(0.01)
    started = time.monotonic()
    engine = begin(place)
    with closing(connected(engine.environ)) as connection:
        sent, took = ask(connection, engine.environ["AWS_SESSION_TOKEN"])
    return {"restart_s": sent + took - started, "memory_mb": memory(status(place / "home").pid or 0)}


def memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def table(runs: list[dict[str, float]]) -> str:
    lines = [f"{'':58}{'median':>10}{'min':>10}{'max':>10}"]
    for name, words in FIGURES.items():
        found = [run[name] for run in runs]
        lines.append(f"{words:58}{statistics.median(found):10.2f}{min(found):10.2f}{max(found):10.2f}")
    return "\n".join(lines)


def measure(place: Path, items: int, runs: int) -> None:
    engine = begin(place)
    started = time.monotonic()
    fill(engine, items)
    print(f"{items:,} items and {items:,} stream records, written in {time.monotonic() - started:.1f} s", flush=True)
    results = []
    for number in range(runs):
        results.append(saved(engine, place) | killed_and_restarted(place))
        engine = begin(place)
        print(f"run {number + 1} of {runs}", flush=True)
    print(table(results))
    detach(place / "home")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--hammer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hammer:
        hammer()
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.items, options.runs)


if __name__ == "__main__":
    main()

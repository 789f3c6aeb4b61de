"""What it costs to hand out the parts of a big file: by a queue, or by Step Functions' Distributed Map.

    python -m bench.dispatch [--parts 200]

The same Lambda, which does nothing, is called once for each part, four at a time. Then each of the two is begun once
more, and the engine is killed when a fifth of the parts are through: who goes on? Besides: whether rows that are read
from a CSV by the Map come in batches, as ItemBatcher asks for. Seconds of the embedded engine, which says nothing of
those of AWS.
"""

import argparse
import io
import json
import os
import signal
import time
import zipfile
from typing import Any

from bench.loading import running
from local import engine
from services import stack as stacks
from services.stack import Stack
from tests.chaos import processes

AT_ONCE = 4
_CODE = "def handler(event, context):\n    print('part')\n"
_ROLE = "arn:aws:iam::000000000000:role/anybody"
_STILL = 30.0  # seconds without a call: then nobody goes on


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.dispatch", description=__doc__)
    parser.add_argument("--parts", type=int, default=200)
    parts = parser.parse_args().parts
    with running(followed=False) as (stack, home):
        arn = _function(stack)
        queue, machine = _queue(stack, arn), _machine(stack, arn, parts)
        for name, begin in (("queue", lambda: _send(stack, queue, parts)), ("map", lambda: _start(stack, machine))):
            for _ in range(2):  # the first time warms the function up
                before, at = _calls(stack), time.monotonic()
                begin()
                seconds = _called(stack, before + parts, _STILL) - at
            print(name, "seconds", round(seconds, 1), "calls", _calls(stack) - before, flush=True)
        print("calls for", parts, "rows in batches of", max(1, parts // 10), _batched(stack, arn, parts), flush=True)
    for name in ("queue", "map"):
        with running(followed=False) as (stack, home):
            arn = _function(stack)
            if name == "queue":
                _send(stack, _queue(stack, arn), parts)
            else:
                _start(stack, _machine(stack, arn, parts))
            _called(stack, parts // 5, _STILL)
            engine.checkpoint(home)
            os.kill(processes.server(home) or 0, signal.SIGKILL)
            after = stacks.connect({"STOCKTRAIL_HOME": str(home)})
            _called(after, parts, _STILL)
            print(name, "with a kill, calls", _calls(after), "of", parts, flush=True)


def _function(stack: Stack) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("part.py", _CODE)
    made = stack.client("lambda").create_function(
        FunctionName="part", Runtime="python3.11", Role=_ROLE, Handler="part.handler",
        Code={"ZipFile": packed.getvalue()},
    )  # fmt: skip
    return str(made["FunctionArn"])


def _queue(stack: Stack, arn: str) -> str:
    sqs = stack.client("sqs")
    url = str(sqs.create_queue(QueueName="parts")["QueueUrl"])
    own = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack.client("lambda").create_event_source_mapping(
        FunctionName=arn, EventSourceArn=own, BatchSize=1, ScalingConfig={"MaximumConcurrency": AT_ONCE}
    )
    return url


def _send(stack: Stack, queue: str, parts: int) -> None:
    for low in range(0, parts, 10):
        entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(low, min(low + 10, parts))]
        stack.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries)


def _machine(stack: Stack, arn: str, parts: int, **more: Any) -> str:
    rows = "part,of\n" + "".join(f"{n},{parts}\n" for n in range(parts))
    stack.s3.put_object(Bucket=stack.settings.bucket, Key="parts.csv", Body=rows.encode())
    call = {"Type": "Task", "Resource": arn, "End": True}
    mapped = {
        "Type": "Map", "MaxConcurrency": AT_ONCE, "End": True,
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "Parameters": {"Bucket": stack.settings.bucket, "Key": "parts.csv"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Call", "States": {"Call": call},
        },
    }  # fmt: skip
    made = stack.client("stepfunctions").create_state_machine(
        name=f"parts{len(more)}", roleArn=_ROLE,
        definition=json.dumps({"StartAt": "Each", "States": {"Each": mapped | more}}),
    )  # fmt: skip
    return str(made["stateMachineArn"])


def _start(stack: Stack, machine: str) -> None:
    stack.client("stepfunctions").start_execution(stateMachineArn=machine)


def _batched(stack: Stack, arn: str, parts: int) -> int:
    before = _calls(stack)
    _start(stack, _machine(stack, arn, parts, ItemBatcher={"MaxItemsPerBatch": max(1, parts // 10)}))
    _called(stack, before + parts, _STILL)
    return _calls(stack) - before


def _calls(stack: Stack) -> int:
    """How often the function has been called: a line of its log each."""
    logs = stack.client("logs")
    asked = {"logGroupName": "/aws/lambda/part", "filterPattern": '"REPORT"', "startTime": 0}
    try:
        return sum(len(page["events"]) for page in logs.get_paginator("filter_log_events").paginate(**asked))
    except logs.exceptions.ResourceNotFoundException:  # not yet once
        return 0


def _called(stack: Stack, calls: int, still: float) -> float:
    """When it has been called so often, or not once more for so many seconds."""
    seen, moved = 0, time.monotonic()
    while time.monotonic() < moved + still:
        now = _calls(stack)
        if now != seen:
            seen, moved = now, time.monotonic()
        if now >= calls:
            break
        time.sleep(0.2)
    return time.monotonic()


if __name__ == "__main__":
    main()

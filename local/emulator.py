"""MiniStack's running parts: switched on, watched until they have nothing left to do, and switched off.

Touches MiniStack's internals like `snapshot`. Must not know processes, signals or the network.
"""

import re
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from local import clock, objects, queries
from local.clock import CLOCK
from local.environment import MINISTACK
from local.errors import EngineError
from local.modules import module

_PASSING_THREAD = re.compile(r"\(run\)$")  # how MiniStack's fire-and-forget work is named: notifications, retries
_STUCK = ("FAILED", "partial failures")


def prepare() -> None:
    """Import MiniStack so that it neither loads nor saves states itself, and runs no scripts it finds.

    Its S3 loads the objects now; what it writes from here on is on the disk when it answers.
    """
    if (found := version("ministack")) != MINISTACK:
        raise EngineError(f"MiniStack {found} is installed; the engine needs {MINISTACK} (it rests on its internals).")
    app = module("app")
    app.PERSIST_STATE = False  # it would start empty on a damaged file, and overwrite that file when it stops
    app._collect_scripts = lambda *_folders: []
    lambdas = module("services.lambda_svc")
    lambdas._poller_started = True  # no event source runs before everything is restored
    lambdas._sqs_esm_concurrency = _by_number(lambdas._sqs_esm_concurrency)
    clock.install()
    objects.install()
    queries.install()


def _by_number(concurrency: Callable[..., int]) -> Callable[..., int]:
    """How many batches a queue's event source may have under way. What a template's parameter says of that reaches
    MiniStack as text, and its poller would take nothing more from the queue for failing to compare that with a number.
    """

    def of(source: dict[str, Any], *more: Any) -> int:
        scaling = {name: int(value) for name, value in (source.get("ScalingConfig") or {}).items()}
        return concurrency({**source, "ScalingConfig": scaling}, *more)

    return of


def start_pollers() -> None:
    """Let the event sources run."""
    lambdas = module("services.lambda_svc")
    lambdas._poller_started = False
    lambdas._ensure_poller()


def is_idle() -> bool:
    """Whether no Lambda runs or is about to, because every event source has taken all that its source holds.

    A source whose last batch failed is not waited for: it will try again after the next start.
    """
    lambdas = module("services.lambda_svc")
    if lambdas.executions_in_flight()[0] or lambdas._esm_inflight:
        return False
    if any(_PASSING_THREAD.search(thread.name) for thread in threading.enumerate()):
        return False
    return not any(_has_work(*item) for item in lambdas._esms.all_items())


def is_deploying() -> bool:
    """Whether a stack is half-way between two templates: restored like that it would stay so for ever."""
    statuses = [str(stack.get("StackStatus")) for stack in module("services.cloudformation")._stacks.all_values()]
    return any(status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS" for status in statuses)


def halt() -> None:
    """Stop the event sources for good, end the Lambdas' processes, and let nothing new run."""
    lambdas = module("services.lambda_svc")
    parked = threading.Event()
    lambdas._acquire_execution_slot = lambda _function, _config: (None, "account")

    def no_sources() -> tuple[()]:
        # Asked only once the poller's pass with the old list is over: then nothing of it is on its way.
        parked.set()
        return ()

    lambdas._iter_all_esms = no_sources
    lambdas._esm_wake.set()
    module("core.lambda_runtime").reset()
    parked.wait(5)
    _wait_while(lambda: lambdas.executions_in_flight()[0] or lambdas._esm_inflight, 5)


def _has_work(key: tuple[str, str, str], source: dict[str, Any]) -> bool:
    result = source.get("LastProcessingResult") or ""
    if not source.get("Enabled", True) or any(word in result for word in _STUCK):
        return False
    arn = source["EventSourceArn"]
    return _queue_has_work(arn) if ":sqs:" in arn else _stream_has_work(key, arn)


def _queue_has_work(arn: str) -> bool:
    queue = module("services.sqs")._queue_by_arn(arn)
    now = CLOCK.time()
    return any(m["receive_count"] or m["visible_at"] <= now for m in (queue or {"messages": []})["messages"])


def _stream_has_work(key: tuple[str, str, str], arn: str) -> bool:
    if ":dynamodb:" not in arn:
        return False
    account, region, uuid = key
    table = arn.split("/stream/")[0].rpartition("/")[2]
    dynamodb = module("services.dynamodb")
    end: int = dynamodb.stream_end_position(table, account_id=account, region=region)
    position: int = module("services.lambda_svc")._dynamodb_stream_positions.get_scoped(account, region, uuid, 0)
    start: int = dynamodb.stream_start_position(table, account_id=account, region=region)
    return end > max(position, start)


def _wait_while(busy: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while busy() and time.monotonic() < deadline:
        time.sleep(0.02)

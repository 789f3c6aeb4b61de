"""MiniStack's state as files: what every service keeps, and the stream records that MiniStack itself leaves out.

Owns writing and restoring. Touches MiniStack's internals, so the version is pinned and checked here. Must not
know when a state is saved, nor how its folder becomes the newest.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local.clock import CLOCK
from local.environment import MINISTACK
from local.generations import MANIFEST, damaged
from local.modules import module

_STREAMS = "dynamodb-streams"
_BLOBS = "lambda-blobs"
_FORMAT = "__ministack_format__"
_LAST = "lambda"  # restoring it may look at tables, queues and streams


def write(folder: Path) -> None:
    """Write every loaded service's state into `folder`. To be run where nothing changes it: after a fork.

    Stream records that all their event sources have passed are not written, and count as trimmed.
    """
    persistence = module("core.persistence")
    module("services.dynamodb").copy = SimpleNamespace(deepcopy=lambda value: value)  # the fork was the copy
    module("services.lambda_svc").CODE_BLOB_DIR = str(folder / _BLOBS)
    for service, get_state in module("app")._build_persistence_save_dict().items():
        if (state := get_state()) is not None:
            _write(folder, service, persistence._state_format_version(service), state)
    _write(folder, _STREAMS, 1, _streams())


def read(folder: Path) -> dict[str, Any]:
    """What `write` wrote, by service, without loading any of it. Damaged when a file can't be used."""
    supported = module("core.persistence")._state_format_version
    files = {path.stem: path for path in folder.glob("*.json") if path.stem != MANIFEST.stem}
    if _STREAMS not in files:
        raise damaged(folder / f"{_STREAMS}.json", "missing")
    return {name: _read(path, 1 if name == _STREAMS else supported(name)) for name, path in files.items()}


def restore(folder: Path, states: Mapping[str, Any]) -> None:
    """Load what `read` read from `folder` into freshly imported services. Damaged when one can't be loaded."""
    app = module("app")
    module("services.lambda_svc").CODE_BLOB_DIR = str(folder / _BLOBS)
    _restore_streams(states[_STREAMS])
    for service in sorted(states.keys() - {_STREAMS}, key=lambda name: (name == _LAST, name)):
        service_module = app._get_module(app._state_map.get(service, service))
        if isinstance(service_module, app._ErrorModule):
            raise damaged(folder / f"{service}.json", f"the service can't be loaded: {service_module._error}")
        if states[service]:
            service_module.load_persisted_state(states[service])
    _make_messages_visible()
    _make_rules_due()
    _make_indexes()


def _write(folder: Path, name: str, version: int, state: Any) -> None:
    document = {_FORMAT: version, "payload": state}
    text = json.dumps(document, default=module("core.persistence")._json_default)
    (folder / f"{name}.json").write_text(text)


def _read(path: Path, supported: int) -> Any:
    try:
        document = json.loads(path.read_text(), object_hook=module("core.persistence")._json_object_hook)
        version, state = document[_FORMAT], document["payload"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error
    if version > supported:
        raise damaged(path, f"MiniStack {MINISTACK} does not know its format {version}, only {supported}")
    return state


def _streams() -> dict[str, Any]:
    dynamodb = module("services.dynamodb")
    for (account, region, table), records in dynamodb._stream_records.all_items():
        passed = _passed_by_all(account, region, table)
        start = dynamodb.stream_start_position(table, account_id=account, region=region)
        if passed > start:
            del records[: passed - start]
            dynamodb._stream_trimmed.set_scoped(account, region, table, passed)
    return {
        "records": dynamodb._stream_records,
        "trimmed": dynamodb._stream_trimmed,
        "closed": dynamodb._closed_streams,
        "sequence": dynamodb._stream_seq_counter,
        "clock": CLOCK.time(),
    }


def _passed_by_all(account: str, region: str, table: str) -> int:
    """The position that every event source of a table's stream has reached; 0 when one has none."""
    lambdas = module("services.lambda_svc")
    described = module("services.dynamodb")._tables.get_scoped(account, region, table) or {}
    stream = described.get("LatestStreamArn")
    sources = [key[2] for key, source in lambdas._esms.all_items() if source["EventSourceArn"] == stream]
    positions = [lambdas._dynamodb_stream_positions.get_scoped(account, region, uuid, 0) for uuid in sources]
    return min(positions, default=0)


def _restore_streams(state: dict[str, Any]) -> None:
    dynamodb = module("services.dynamodb")
    dynamodb._stream_records.update(state["records"])
    dynamodb._stream_trimmed.update(state["trimmed"])
    dynamodb._closed_streams.update(state["closed"])
    dynamodb._stream_seq_counter = state.get("sequence", 0)
    CLOCK.not_before(state.get("clock", 0.0))


def _make_messages_visible() -> None:
    """A message in flight has no consumer after a restart: give it to the next one at once."""
    now = CLOCK.time()
    for queue in module("services.sqs")._queues.all_values():
        for message in queue["messages"]:
            if message["receive_count"] and message["visible_at"] > now:
                message["visible_at"] = now


def _make_indexes() -> None:
    """MiniStack would make a table's indexes when one is first asked, and everybody would wait for it."""
    dynamodb = module("services.dynamodb")
    for table in dynamodb._tables.all_values():
        dynamodb._index_members(table)


def _make_rules_due() -> None:
    """When a scheduled rule last ran is not kept: one that CloudFormation made would wait a whole interval again."""
    for rule in module("services.eventbridge")._rules.all_values():
        rule.setdefault("CreationTime", 0.0)

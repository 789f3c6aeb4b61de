"""MiniStack's state as files: what every service keeps, and the stream records that MiniStack itself leaves out.

Owns writing and restoring. Touches MiniStack's internals, so the version is pinned and checked here. Must not
know when a state is saved, nor how its folder becomes the newest.
"""

import importlib
import json
import time
from pathlib import Path
from typing import Any

from local.generations import damaged

VERSION = "1.5.33"
_STREAMS = "dynamodb-streams"
_BLOBS = "lambda-blobs"
_FORMAT = "__ministack_format__"
_LAST = "lambda"  # restoring it may look at tables, queues and streams


def module(name: str) -> Any:
    """A module of MiniStack, e.g. `services.sqs`. Imported late: it reads its settings at import."""
    return importlib.import_module(f"ministack.{name}")


def write(folder: Path) -> None:
    """Write every loaded service's state into `folder`. To be run where nothing changes it: after a fork.

    Stream records that all their event sources have passed are not written, and count as trimmed.
    """
    persistence = module("core.persistence")
    module("services.lambda_svc").CODE_BLOB_DIR = str(folder / _BLOBS)
    for service, get_state in module("app")._build_persistence_save_dict().items():
        if (state := get_state()) is not None:
            _write(folder, service, persistence._state_format_version(service), state)
    _write(folder, _STREAMS, 1, _streams())


def restore(folder: Path) -> None:
    """Load what `write` wrote into freshly imported services. EngineError when a file can't be used."""
    app = module("app")
    lambdas = module("services.lambda_svc")
    lambdas.CODE_BLOB_DIR = str(folder / _BLOBS)
    files = {path.stem: path for path in folder.glob("*.json") if path.stem != "manifest"}
    streams = files.pop(_STREAMS)
    _restore_streams(_read(streams, 1))
    for service in sorted(files, key=lambda name: (name == _LAST, name)):
        supported = module("core.persistence")._state_format_version(service)
        state = _read(files[service], supported)
        service_module = app._get_module(app._state_map.get(service, service))
        if isinstance(service_module, app._ErrorModule):
            raise damaged(files[service], f"the service can't be loaded: {service_module._error}")
        if state:
            service_module.load_persisted_state(state)
    _make_messages_visible()


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
        raise damaged(path, f"MiniStack {VERSION} does not know its format {version}, only {supported}")
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


def _make_messages_visible() -> None:
    """A message in flight has no consumer after a restart: give it to the next one at once."""
    now = time.time()
    for queue in module("services.sqs")._queues.all_values():
        for message in queue["messages"]:
            if message["receive_count"] and message["visible_at"] > now:
                message["visible_at"] = now

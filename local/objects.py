"""Objects in buckets that are on the disk when their PUT is answered, whole or not at all.

MiniStack writes an object's bytes and its metadata one after the other, syncs neither, and answers 200 when the disk
is full. Here both go through `staging` as one. A write that fails undoes what MiniStack noted in memory and is
answered with 503, which clients try again.

Touches MiniStack's internals like `snapshot`. Must not know generations, processes or the gate.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import durable, staging
from local.modules import module

_log = logging.getLogger("engine.objects")

Event = tuple[tuple[Any, ...], dict[str, Any]]
_staged: ContextVar[dict[str, bytes] | None] = ContextVar("staged", default=None)
_events: ContextVar[list[Event] | None] = ContextVar("events", default=None)


class _NotStored(BaseException):
    """The disk refused. Not an Exception: MiniStack's writers log those and go on as if all were well."""


def install() -> None:
    """Put our writing in place of MiniStack's. Fails loudly when one of the names is gone."""
    s3 = module("services.s3")
    originals = {name: getattr(s3, name) for name in REPLACED}
    for name, original in originals.items():
        setattr(s3, name, REPLACED[name](original))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _NotStored(str(error)) from error


def _write(path: str, data: bytes | str, *, text: bool = False) -> None:
    """In place of `_atomic_write`: at once when it is one file, or noted for `_whole` to write together."""
    content = data.encode() if text and isinstance(data, str) else bytes(data)  # type: ignore[arg-type]
    if (staged := _staged.get()) is not None:
        staged[path] = content
        return
    with _refusing():
        staging.store({path: content}, Path(module("services.s3").DATA_DIR))


def _whole(persist: Callable[..., None]) -> Callable[..., None]:
    def persist_whole(bucket: str, key: str, obj: Any) -> None:
        s3 = module("services.s3")
        staged: dict[str, bytes] = {}
        body = obj.get("body") if isinstance(obj, dict) else None
        token = _staged.set(staged)
        try:
            with _refusing():
                _make_folder(s3._object_disk_path(bucket, key))
                persist(bucket, key, obj)
                staging.store(staged, Path(s3.DATA_DIR))
        except _NotStored:
            if isinstance(obj, dict):
                obj["body"] = body  # MiniStack lets it go, believing that it is on the disk
            raise
        finally:
            _staged.reset(token)

    return persist_whole


def _make_folder(path: str) -> None:
    # First of all where the way goes through, without its parents: a state folder that was removed stays removed.
    staging.way(Path(module("services.s3").DATA_DIR)).mkdir(mode=0o700, exist_ok=True)
    durable.make_folder(Path(path).parent)


def _with_folder(path_of: Callable[..., str | None]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The folder is made before MiniStack does it, which would let a failure pass."""

    def wrapped(persist: Callable[..., None]) -> Callable[..., None]:
        def persist_in_folder(*arguments: Any) -> None:
            if path := path_of(*arguments):
                with _refusing():
                    _make_folder(path)
            persist(*arguments)

        return persist_in_folder

    return wrapped


def _old_path(bucket: str, key: str, prior: dict[str, Any] | None, _versioning: str) -> str | None:
    """Where the version goes that is not the current one any more; None when there was none."""
    if prior is None:
        return None
    path: str = module("services.s3")._version_disk_path(bucket, key, prior.get("version_id") or "null")
    return path


def _marker_path(bucket: str, key: str, _marker: Any) -> str:
    path: str = module("services.s3")._object_disk_path(bucket, key)
    return path


def _when_stored(fire: Callable[..., None]) -> Callable[..., None]:
    """MiniStack tells of an object before it is stored; nobody shall hear of one that then is not."""

    def fire_when_stored(*arguments: Any, **named: Any) -> None:
        held = _events.get()
        if held is None:
            fire(*arguments, **named)
        else:
            held.append((arguments, named))

    return fire_when_stored


def _answered(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    def answer(method: str, bucket: str, key: str, headers: Any, body: bytes, query: dict[str, Any]) -> Any:
        if method in ("GET", "HEAD"):
            return dispatch(method, bucket, key, headers, body, query)
        s3 = module("services.s3")
        before = _Memory.of(bucket, key, query)
        held: list[Event] = []
        token = _events.set(held)
        try:
            result = dispatch(method, bucket, key, headers, body, query)
        except _NotStored as error:
            before.restore()
            _log.error("%s %s/%s was refused, as it could not be stored: %s", method, bucket, key, error)
            return s3._error("SlowDown", f"The engine could not store this: {error}", 503)
        finally:
            _events.reset(token)
        for arguments, named in held:
            s3._fire_s3_event_async(*arguments, **named)
        return result

    return answer


@dataclass(frozen=True)
class _Memory:
    """What MiniStack holds in memory of one key and one multipart upload."""

    bucket: str
    key: str
    upload_id: Any
    record: Any
    versions: list[dict[str, Any]] | None
    upload: Any

    @classmethod
    def of(cls, bucket: str, key: str, query: dict[str, Any]) -> "_Memory":
        s3 = module("services.s3")
        record = (s3._buckets.get(bucket) or {"objects": {}})["objects"].get(key)
        versions = s3._object_versions.get((bucket, key))
        copied = None if versions is None else [dict(version) for version in versions]
        upload_id = s3._qp(query, "uploadId")
        return cls(bucket, key, upload_id, record and dict(record), copied, s3._multipart_uploads.get(upload_id))

    def restore(self) -> None:
        s3 = module("services.s3")
        if bucket := s3._buckets.get(self.bucket):
            _put_back(bucket["objects"], self.key, self.record)
        _put_back(s3._object_versions, (self.bucket, self.key), self.versions)
        _put_back(s3._multipart_uploads, self.upload_id, self.upload)


def _put_back(store: Any, key: Any, value: Any) -> None:
    if value is None:
        store.pop(key, None)
    else:
        store[key] = value


REPLACED: dict[str, Callable[[Any], Any]] = {
    "_atomic_write": lambda _original: _write,
    "_persist_object": _whole,
    "_persist_displaced_version": _with_folder(_old_path),
    "_persist_delete_marker": _with_folder(_marker_path),
    "_fire_s3_event_async": _when_stored,
    "_dispatch": _answered,
}
"""What is put in place of names in MiniStack's services/s3.py, made from what stood there."""

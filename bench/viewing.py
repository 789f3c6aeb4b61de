"""Sessions without browsers: each asks a Streamlit server for what a browser would, and times how soon it comes.

    python -m bench.viewing ADDRESS [--page changes] [--sessions 300] [--seconds 60] [--over 20]

Opens them over some seconds, prints `ready`, measures, and prints what it found as JSON. Owns Streamlit's protocol as
the browser's own script speaks it (1.67, `static/js/index.*.js`): the first run of a page, a rerun of each fragment
whenever its interval is over, and which large messages it holds already and need not be sent again. It sends no states
of widgets, which nobody touches here. Knows nothing of pages or stock.
"""

import argparse
import asyncio
import json
import statistics
import time
from array import array
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

_OPENING_SECONDS = 90.0
"""So long they may take to show the page for the first time; those that still have not are counted as lost."""
_LATE_SECONDS = 10.0
"""So long it waits, after the end, for what was asked for before."""
_TICK = 0.05


@dataclass
class Told:
    """What all sessions met while ``measuring``: seconds of each refresh, and when it was asked for."""

    measuring: bool = False
    seconds: "array[float]" = field(default_factory=lambda: array("d"))
    asked_at: "array[float]" = field(default_factory=lambda: array("d"))
    first: "array[float]" = field(default_factory=lambda: array("d"))  # from connecting to a page that is complete
    late: "array[float]" = field(default_factory=lambda: array("d"))  # by how much this process itself was late
    missed: int = 0
    lost: int = 0
    errors: int = 0
    messages: int = 0
    size: int = 0


class Viewer(asyncio.Protocol):
    """One session that looks at a page."""

    def __init__(self, address: str, page: str, told: Told) -> None:
        self.shown = asyncio.Event()
        self.waits: dict[str, float] = {}  # since when, by fragment
        self._url, self._page, self._told = address, page, told
        self._loop = asyncio.get_running_loop()
        uri = f"ws://{urlsplit(address).netloc}/_stcore/stream"
        self._socket = ClientProtocol(parse_uri(uri), subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
        self._hash, self._query, self._kept_for, self._runs = "", "", 2, 0
        self._timers: dict[str, tuple[float, asyncio.TimerHandle]] = {}
        self._held: dict[
            str, tuple[str, int]
        ] = {}  # large messages: their fragment, and the run they were last used in

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport, self._since = transport, time.monotonic()
        self._socket.send_request(self._socket.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._socket.receive_data(data)
        for event in self._socket.events_received():
            if not isinstance(event, Frame):
                if self._socket.handshake_exc:
                    raise self._socket.handshake_exc
                self._ask(page_name=self._page)
            elif event.opcode is Opcode.BINARY:
                self._hear(event.data)
        self._flush()  # pings are answered by it

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._told.lost += 1
        self._forget_timers()

    def close(self) -> None:
        self._forget_timers()
        self._transport.abort()

    def _flush(self) -> None:
        for data in self._socket.data_to_send():
            self._transport.write(data)

    def _ask(self, **what: Any) -> None:
        asked = ClientState(query_string=self._query, cached_message_hashes=list(self._held), **what)
        seen = asked.context_info
        seen.timezone, seen.timezone_offset, seen.locale, seen.url = "Europe/Berlin", -60, "en-GB", self._url
        seen.is_embedded, seen.color_scheme = False, "light"
        self._socket.send_binary(BackMsg(rerun_script=asked).SerializeToString())
        self._flush()

    def _hear(self, payload: bytes | bytearray | memoryview) -> None:
        message = ForwardMsg.FromString(bytes(payload))
        if self._told.measuring:
            self._told.messages += 1
            self._told.size += len(payload)
        kind = message.WhichOneof("type")
        if heard := getattr(self, f"_hear_{kind}", None):
            heard(message)

    def _hear_new_session(self, message: ForwardMsg) -> None:
        if not message.metadata.run.fragment_ids:  # the whole page begins anew
            self._forget_timers()
            self._hash = message.new_session.page_script_hash
            self._kept_for = message.new_session.config.max_cached_message_age

    def _hear_page_info_changed(self, message: ForwardMsg) -> None:
        self._query = message.page_info_changed.query_string

    def _hear_delta(self, message: ForwardMsg) -> None:
        if message.metadata.cacheable:
            self._held.setdefault(message.hash, (message.delta.fragment_id, self._runs))
        self._told.errors += message.delta.new_element.WhichOneof("type") == "exception"

    def _hear_ref_hash(self, message: ForwardMsg) -> None:
        self._held[message.ref_hash] = (self._held[message.ref_hash][0], self._runs)

    def _hear_auto_rerun(self, message: ForwardMsg) -> None:
        name, seconds = message.auto_rerun.fragment_id, message.auto_rerun.interval
        if name in self._timers and self._timers[name][0] == seconds:
            return
        self._forget(name)
        self._later(name, seconds, self._loop.time() + seconds)

    def _hear_stop_auto_rerun(self, message: ForwardMsg) -> None:
        for name in message.stop_auto_rerun.fragment_ids:
            self._forget(name)

    def _hear_script_finished(self, message: ForwardMsg) -> None:
        ended = message.metadata.run.fragment_ids
        for name in ended:
            if since := self.waits.pop(name, None):
                self._told.seconds.append(time.monotonic() - since)
                self._told.asked_at.append(since)
        if not ended and not self.shown.is_set():
            self._told.first.append(time.monotonic() - self._since)
            self.shown.set()
        if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self._runs += 1
            for name, (fragment, used) in list(self._held.items()):
                if (not ended or fragment in ended) and self._runs - used > self._kept_for:
                    del self._held[name]

    def _later(self, name: str, seconds: float, at: float) -> None:
        self._timers[name] = seconds, self._loop.call_at(at, partial(self._refresh, name, seconds, at))

    def _refresh(self, name: str, seconds: float, at: float) -> None:
        self._later(name, seconds, at + seconds)
        if self._told.measuring:
            if name in self.waits:
                self._told.missed += 1  # the last one has not come yet
            self.waits.setdefault(name, time.monotonic())
        self._ask(fragment_id=name, is_auto_rerun=True, page_script_hash=self._hash)

    def _forget(self, name: str) -> None:
        if found := self._timers.pop(name, None):
            found[1].cancel()

    def _forget_timers(self) -> None:
        for name in list(self._timers):
            self._forget(name)


async def view(address: str, page: str, sessions: int, seconds: float, over: float) -> dict[str, Any]:
    """What so many sessions met in so many seconds; they are opened one after the other before."""
    told, parts = Told(), urlsplit(address)
    viewers = [Viewer(f"{address}/{page}", page, told) for _ in range(sessions)]
    for viewer in viewers:
        await asyncio.get_running_loop().create_connection(lambda one=viewer: one, parts.hostname, parts.port)  # type: ignore[misc]
        await asyncio.sleep(over / sessions)
    opening = [asyncio.create_task(viewer.shown.wait()) for viewer in viewers]
    shown, waiting = await asyncio.wait(opening, timeout=_OPENING_SECONDS)
    for task in waiting:
        task.cancel()
    print("ready", flush=True)
    begin, busy = time.monotonic(), time.process_time()
    told.measuring = True
    await _measure(told, begin + seconds)
    told.measuring, spent = False, time.process_time() - busy
    await _the_last(viewers)
    told.missed += sum(len(viewer.waits) for viewer in viewers)
    lost = told.lost + len(waiting)
    for viewer in viewers:
        viewer.close()
    return {"shown": len(shown), "cpu": spent / seconds} | summary(told, begin) | {"lost": lost}


async def _measure(told: Told, end: float) -> None:
    """Wait, and note how late one is woken: so late is whatever is heard here."""
    while (before := time.monotonic()) < end:
        await asyncio.sleep(min(_TICK, max(0.0, end - before)))
        told.late.append(max(0.0, time.monotonic() - before - _TICK))


async def _the_last(viewers: list[Viewer]) -> None:
    deadline = time.monotonic() + _LATE_SECONDS
    while any(viewer.waits for viewer in viewers) and time.monotonic() < deadline:
        await asyncio.sleep(_TICK)


def summary(told: Told, begin: float) -> dict[str, Any]:
    """In milliseconds; `minutes`: the p95 of each minute, by when it was asked for."""
    minutes: dict[int, list[float]] = {}
    for at, seconds in zip(told.asked_at, told.seconds, strict=True):
        minutes.setdefault(int((at - begin) // 60), []).append(seconds)
    return {
        "refreshes": len(told.seconds), "missed": told.missed, "errors": told.errors,
        "p50": quantile(told.seconds, 50), "p95": quantile(told.seconds, 95), "p99": quantile(told.seconds, 99),
        "max": quantile(told.seconds, 100),
        "first p50": quantile(told.first, 50), "first p95": quantile(told.first, 95),
        "own delay p95": quantile(told.late, 95),
        "minutes": [quantile(minutes[n], 95) for n in sorted(minutes)],
        "messages": told.messages / max(1, len(told.seconds)), "bytes": told.size / max(1, len(told.seconds)),
    }  # fmt: skip


def quantile(seconds: "array[float] | list[float]", percent: int) -> float | None:
    """In milliseconds; None of nothing."""
    if not seconds:
        return None
    if percent == 100 or len(seconds) == 1:
        return round(max(seconds) * 1000, 1)
    return round(statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000, 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.viewing", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--page", default="")
    parser.add_argument("--sessions", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--over", type=float, default=20)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(view(given.address, given.page, given.sessions, given.seconds, given.over))))


if __name__ == "__main__":
    main()

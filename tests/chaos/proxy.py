"""A small HTTP proxy between boto3 and the engine, which spoils what passes as it is told.

Owns the sockets and the counting of what struck. Knows the engine's port only by asking, anew for each connection,
because it changes at a restart; and writes the Host header itself, because the engine's gate checks it. Must not know
what is tested.
"""

import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.chaos.answers import NETWORK, Request, Response, any_request, operation

_ANSWER_SECONDS = 60.0
_OF_THE_WAY = {"host", "connection", "expect", "transfer-encoding", "content-length", "keep-alive"}


@dataclass(frozen=True)
class Rule:
    """A fault that strikes a share of the requests: of the Lambdas' only (True), of the others' (False), of all."""

    name: str
    share: float = 1.0
    by_lambda: bool | None = None


class Proxy:
    """Serves on ``port`` of this computer; ``upstream`` says where the engine is, None while there is none."""

    def __init__(self, upstream: Callable[[], int | None], worker_token: str, seed: int, port: int = 0) -> None:
        self.upstream, self._token = upstream, worker_token
        self.struck: Counter[str] = Counter()
        self._rules: tuple[Rule, ...] = ()
        self._rng, self._lock = random.Random(seed), threading.Lock()  # noqa: S311
        self._server = _Server(("127.0.0.1", port), self)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="chaos-proxy", daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self, rule: Rule) -> None:
        with self._lock:
            self._rules += (rule,)

    def finish(self, rule: Rule) -> None:
        with self._lock:
            self._rules = tuple(one for one in self._rules if one is not rule)

    def clear(self) -> None:
        with self._lock:
            self._rules = ()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def is_lambda(self, headers: list[tuple[str, str]]) -> bool:
        return any(name.lower() == "x-amz-security-token" and value == self._token for name, value in headers)

    def answer(self, request: Request, forward: Callable[[Request], Response]) -> Response | None:
        """What the caller gets; None: the connection is cut. OSError when there is no engine."""
        rule = self._rule_for(request)
        if rule is None:
            return forward(request)
        act, _ = NETWORK[rule.name]
        found = act(request, forward, self._rng)
        with self._lock:
            self.struck[rule.name] += 1
        return found

    def _rule_for(self, request: Request) -> Rule | None:
        with self._lock:
            for rule in sorted(self._rules, key=lambda one: NETWORK[one.name][1] is any_request):  # picky ones first
                concerned = rule.by_lambda in (None, request.by_lambda) and NETWORK[rule.name][1](request)
                if concerned and self._rng.random() < rule.share:
                    return rule
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], proxy: Proxy) -> None:
        self.proxy = proxy
        super().__init__(address, _Connection)

    def handle_error(self, *_: Any) -> None:
        """A caller that went away, as killed ones do."""


class _Connection(BaseHTTPRequestHandler):
    """One caller's connection: request after request, each over one of our own to the engine."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server
    _engine: HTTPConnection | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method is the same to us
            return self._pass_on
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Nothing: struck faults are counted."""

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def finish(self) -> None:
        self._forget()
        with suppress(OSError, ValueError):
            super().finish()

    def _pass_on(self) -> None:
        headers, body = list(self.headers.items()), self._body()
        proxy = self.server.proxy
        request = Request(
            self.command, self.path, headers, body, operation(self.command, headers, body), proxy.is_lambda(headers)
        )
        try:
            answer = proxy.answer(request, self._forward)
        except (OSError, HTTPException):  # no engine, or it died over this
            answer = None
        if answer is None:
            self._cut()
        else:
            self._send(answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _forward(self, request: Request) -> Response:
        engine = self._engine or self._connected()
        engine.putrequest(request.method, request.path, skip_accept_encoding=True)  # it writes Host itself
        for name, value in request.headers:
            if name.lower() not in _OF_THE_WAY:
                engine.putheader(name, value)
        if request.body or request.method in ("PUT", "POST"):
            engine.putheader("Content-Length", str(len(request.body)))
        try:
            engine.endheaders(request.body)
            found = engine.getresponse()
            return Response(found.status, found.getheaders(), found.read())
        except BaseException:
            self._forget()
            raise

    def _connected(self) -> HTTPConnection:
        port = self.server.proxy.upstream()
        if port is None:
            raise ConnectionRefusedError("no engine runs")
        self._engine = HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
        return self._engine

    def _forget(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _send(self, answer: Response) -> None:
        self.send_response_only(answer.status)
        length = str(len(answer.body))
        for name, value in answer.headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            if name.lower() not in _OF_THE_WAY:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else answer.body)
        self.wfile.flush()

    def _cut(self) -> None:
        """End the connection as a reset, with no answer and no goodbye."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

"""The gate in front of MiniStack, which by itself serves any web page without asking who calls.

Owns who may pass: only a caller that sends the secret, and never a browser's page; but for three pages of Cognito's, to
which a person's browser goes to sign in and out. Must not know MiniStack.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from local.environment import worker_secret

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

OPEN, DRAINING, CLOSED = "open", "draining", "closed"
_READING = (b"BatchGet", b"Describe", b"Filter", b"Get", b"List", b"Query", b"Scan")
_CLOSED_TREES = ("_ministack", "_localstack", "health")
_REFUSED = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),  # nor may a page use it without reading it
]
_SIGN_IN_PAGES = {("GET", "/oauth2/authorize"), ("POST", "/login"), ("GET", "/logout")}
"""All that a browser is served. What the dashboard's server asks besides (keys, tokens) it asks with the secret."""
_OF_A_PAGE = {b"host", b"content-type", b"content-length", b"accept"}
_FORM_BYTES = 65_536
_PAGE_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]
_log = logging.getLogger("engine.gate")


class Gate:
    """ASGI middleware: 403 to whoever may not pass, 503 while the engine stops.

    `state` is OPEN, DRAINING (only the Lambdas, which must finish) or CLOSED; `active` counts requests inside,
    `changes` those let in so far that may have changed something.
    """

    def __init__(self, app: App, secret: str, port: int) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode()}
        self._secret = secret.encode()
        self._workers = worker_secret(secret).encode()
        self.state = OPEN
        self.active = 0
        self.changes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif _is_sign_in(scope, self._hosts):
            await self._sign_in(scope, receive, send)
        elif refusal := self._refusal(scope):
            _log.info("refused %s: %s", scope.get("path"), refusal[1])
            await refuse(scope, send, *refusal)
        else:
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.active += 1
        self.changes += not _only_reads(scope)
        try:
            await self._app(scope, receive, _without_cors(send))
        finally:
            self.active -= 1

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page for anybody: nothing of what AWS's clients send goes along, and no other page can frame it."""
        if self.state != OPEN:
            await refuse(scope, send, 503, "The engine is stopping.")
            return
        kept = [(name, value) for name, value in scope["headers"] if name in _OF_A_PAGE]
        await self._pass({**scope, "headers": kept}, receive, _with(_PAGE_HEADERS, send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers: Headers = list(scope["headers"])
        if scope.get("method") == "OPTIONS":  # no AWS client asks; browsers do, before they send
            return 403, "The engine does not answer preflight requests."
        if any(name == b"origin" or name.startswith(b"sec-fetch-") for name, _ in headers):
            return 403, "The engine does not answer web pages."
        if not _only_in(_values(headers, b"host"), self._hosts):
            return 403, "The engine does not answer to this host name."
        if scope["path"].lstrip("/").lower().split("/")[0] in _CLOSED_TREES:
            return 403, "This path is closed."
        token = token_of(headers, scope.get("query_string", b""))
        if hmac.compare_digest(token, self._workers):
            return None if self.state != CLOSED else (503, "The engine is stopping.")
        if not hmac.compare_digest(token, self._secret):
            return 403, "The session token is missing or wrong."
        return None if self.state == OPEN else (503, "The engine is stopping.")


def _is_sign_in(scope: Scope, hosts: set[bytes]) -> bool:
    """Whether a browser's window goes to a sign-in page, or sends the form of one that came from here.

    A browser says so itself, in headers that no page can set: https://www.w3.org/TR/fetch-metadata/.
    """
    headers: Headers = list(scope["headers"])
    if scope["type"] != "http" or (scope["method"], scope["path"]) not in _SIGN_IN_PAGES:
        return False
    host = _values(headers, b"host")
    said = [_values(headers, name) for name in (b"sec-fetch-mode", b"sec-fetch-dest")]
    if not _only_in(host, hosts) or said != [[b"navigate"], [b"document"]]:
        return False
    if scope["method"] == "GET":
        return not _values(headers, b"origin")
    length = b"".join(_values(headers, b"content-length"))
    ours = _values(headers, b"origin") == [b"http://" + host[0].lower()]
    return ours and length.isdigit() and int(length) <= _FORM_BYTES


def _only_reads(scope: Scope) -> bool:
    """By the method, or by the operation that the JSON services name in a header; in doubt it changes something."""
    operations = [target.rpartition(b".")[2] for target in _values(list(scope["headers"]), b"x-amz-target")]
    return scope.get("method") in ("GET", "HEAD") or any(operation.startswith(_READING) for operation in operations)


def _values(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


def _only_in(values: list[bytes], allowed: set[bytes]) -> bool:
    return len(values) == 1 and values[0].lower() in allowed


def token_of(headers: Headers, query: bytes) -> bytes:
    """The one session token of a request: in a header, or in the query of a presigned URL. Empty if not one."""
    found = _values(headers, b"x-amz-security-token")
    if not found:
        pairs = parse_qsl(query.decode("latin-1"))  # its case depends on the signature's version
        found = [value.encode() for name, value in pairs if name.lower() == "x-amz-security-token"]
    return found[0] if len(found) == 1 else b""


async def refuse(scope: Scope, send: Send, status: int, text: str) -> None:
    """Answer a request with this status and sentence instead of passing it on."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the peer sees a 403
        return
    body = text.encode() + b"\n"
    headers = [*_REFUSED, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _with(more: Headers, send: Send) -> Send:
    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = {name for name, _ in more}
            kept = [(name, value) for name, value in message["headers"] if name.lower() not in names]
            message = {**message, "headers": kept + more}
        await send(message)

    return adding


def _without_cors(send: Send) -> Send:
    """MiniStack lets every origin read its answers; a browser must never learn that."""

    async def clean(message: Message) -> None:
        if "headers" in message:
            kept = [(n, v) for n, v in message["headers"] if not n.lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return clean

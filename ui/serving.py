"""How the dashboard is served: whether it may begin, and the entrance before Streamlit's own server.

Owns who may ask for what over HTTP, and what each answer tells the browser to forbid. Knows nothing of stock or pages,
and of sign-in only that whoever has signed in holds a cookie that Streamlit has signed; `ui.door` says if it counts.
"""

import asyncio
import json
import os
import re
import webbrowser
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from services import signing
from services.errors import NotPossible, StocktrailError
from ui import door, sessions

_HERE = ("localhost", "127.0.0.1", "[::1]")
_EVERYWHERE = "0.0.0.0"  # noqa: S104 (what Streamlit takes when it is told nothing)
_HEALTH = "/_stcore/health"
_OF_WHO_SIGNED_IN = ("/_stcore/upload_file/", "/_stcore/metrics", "/media/")
_NO_PAGES = ("/_stcore/", "/auth/", "/component/", "/media/", "/static/")
_YEAR = 365 * 24 * 60 * 60

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_FILE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cache-Control": "no-store",
}
"""Of a file that is taken away: whatever is in it is no page of ours, and nobody keeps it on the way."""


def may_begin(environ: Mapping[str, str]) -> None:
    """Say where the dashboard is, and for whom. Raises NotPossible where anybody on the network could come in."""
    host = st.get_option("server.address") or _EVERYWHERE
    if signing.configured(environ):
        print(f"Stocktrail is at {_address(environ)}, for who signs in.", flush=True)
    elif _of_this_machine(host):
        print(f"Stocktrail is at {_address(environ)}, for this machine alone: nobody has to sign in.", flush=True)
    else:
        raise NotPossible(
            f"It was to listen on {host}, where other machines can reach it, and nobody would have to sign in to read "
            "or change the stock. Set up sign-in (STOCKTRAIL_SIGN_IN, see the README), or keep it on this machine with "
            "--server.address 127.0.0.1."
        )


def _address(environ: Mapping[str, str]) -> str:
    """Where one opens it: the public address, else the one that it listens on."""
    host = st.get_option("server.address") or _HERE[0]
    named = f"[{host}]" if ":" in host else host
    return signing.address(environ) or f"http://{named}:{st.get_option('server.port')}"


@asynccontextmanager
async def opened(_app: object) -> AsyncIterator[None]:
    """Open a browser where there is one, as Streamlit does for a script and not for an app. On ECS, count who looks."""
    loop = asyncio.get_running_loop()
    if not st.get_option("server.headless"):
        loop.run_in_executor(None, webbrowser.open, _address(os.environ))
    telling = loop.create_task(sessions.tell(os.environ)) if sessions.hosted(os.environ) else None
    yield
    if telling:
        telling.cancel()


def middleware(environ: Mapping[str, str]) -> list[Middleware]:
    """What stands before Streamlit's own server."""
    return [Middleware(Entrance, address=signing.address(environ), signed=signing.configured(environ))]


class Entrance:
    """ASGI middleware: 403 to who may not ask (400 under a foreign name), and the headers by which browsers guard us.

    ``address``: the public one, such as https://stock.example.com, or None. ``signed``: whether people sign in.
    """

    def __init__(self, app: ASGIApp, address: str | None, signed: bool) -> None:
        public = urlsplit(address or "")
        names = [*_HERE, public.hostname] if public.hostname else _HERE
        self._app = app
        self._known = TrustedHostMiddleware(app, names, www_redirect=False)  # against DNS rebinding
        self._public, self._name = f"{public.scheme}://{public.netloc}", public.netloc
        self._signed = signed
        self._base = ("/" + st.get_option("server.baseUrlPath").strip("/")).rstrip("/")
        self._secure = public.scheme == "https"
        self._headers = _HEADERS | {"Content-Security-Policy": _policy()}
        if self._secure:
            self._headers["Strict-Transport-Security"] = f"max-age={_YEAR}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self._base)
        guarded = self._guarding(send, path)
        if refusal := self._refusal(scope, path) or await self._unsigned(scope, path):
            await PlainTextResponse(f"{refusal}\n", 403)(scope, receive, guarded)
        else:  # a load balancer asks for the health by an address
            await (self._app if path == _HEALTH else self._known)(scope, receive, guarded)

    def _refusal(self, scope: Scope, path: str) -> str | None:
        headers = Headers(scope=scope)
        here = (scope.get("server") or _HERE)[0]
        if not self._signed and not _of_this_machine(here):  # served by something else than `streamlit run`
            return "This dashboard is for its own machine alone, as nobody has to sign in."
        origin, host = headers.get("origin"), headers.get("host", "")
        if origin is not None and not self._is_ours(origin, host):
            return "The dashboard does not answer pages of others."
        if _sent_by_another_site(scope, headers) and not _is_visit(scope, headers, path):
            return "The dashboard answers pages of others only when somebody follows a link."
        return None

    async def _unsigned(self, scope: Scope, path: str) -> str | None:
        """Asked apart from the loop that serves everybody: the stack may be slow to say who has signed out."""
        if not self._signed or not path.startswith(_OF_WHO_SIGNED_IN):
            return None
        try:
            return None if await run_in_threadpool(_signed_in, scope) else "Sign in first."
        except StocktrailError:
            return "It can't be found out right now whether your sign-in still counts."

    def _is_ours(self, origin: str, host: str) -> bool:
        """Streamlit itself would let any page of localhost in, whatever its port."""
        return origin in ((self._public,) if host == self._name else (f"http://{host}", f"https://{host}"))

    def _guarding(self, send: Send, path: str) -> Send:
        more = self._headers | _FILE_HEADERS if path.startswith("/media/") else self._headers

        async def guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).update(more)
                if self._secure:
                    message["headers"] = [_secure(name, value) for name, value in message["headers"]]
            await send(message)

        return guarded


def _of_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sent_by_another_site(scope: Scope, headers: Headers) -> bool:
    """As the browser says (https://www.w3.org/TR/fetch-metadata/). Of websockets the Origin tells it."""
    return scope["type"] == "http" and headers.get("sec-fetch-site") in ("cross-site", "same-site")


def _is_visit(scope: Scope, headers: Headers, path: str) -> bool:
    """Somebody comes to one of our pages by a link, or back from where one signs in."""
    to_a_window = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return to_a_window and scope["method"] == "GET" and not path.startswith(_NO_PAGES)


def _signed_in(scope: Scope) -> bool:
    """Whether the cookie is there that Streamlit gives to who signs in, signed by it, and the sign-in still counts."""
    cookies, secret = HTTPConnection(scope).cookies, get_cookie_secret()

    def one(name: str) -> bytes | None:
        return decode_signed_value(secret, name, cookies.get(name, "").encode("latin-1"))

    found = get_cookie_with_chunks(one, USER_COOKIE_NAME)
    return found is not None and door.counts(json.loads(found))


def _secure(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return name, value + b"; Secure" if name.lower() == b"set-cookie" else value


def _policy() -> str:
    """Nothing from other hosts, and no script but Streamlit's own files and the lines in its index.html."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text()
    lines = [sha256(line.encode()).digest() for line in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)]
    scripts = " ".join(["'self'", *(f"'sha256-{b64encode(line).decode()}'" for line in lines)])
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",  # Streamlit, its tables and plotly write styles as they draw
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )

"""Signing out with Cognito: it asks for `logout_uri` where OpenID Connect has `post_logout_redirect_uri`.

Owns that one parameter, which Streamlit does not send. Knows nothing of who signs out.
https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
"""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import signing

_PATH = "/auth/logout"  # Streamlit's
_SENT = b"post_logout_redirect_uri="


def middleware(environ: Mapping[str, str]) -> list[Middleware]:
    """What `st.App(middleware=…)` takes; nothing when it is not Cognito that signs people in."""
    at = signing.address(environ) or signing.AT_FIRST
    return [Middleware(Leaving, at=at)] if signing.by_cognito(environ) else []


class Leaving:
    """ASGI middleware. ``at``: where Cognito sends back to who has signed out."""

    def __init__(self, app: ASGIApp, at: str) -> None:
        self._app = app
        self._more = b"&logout_uri=" + quote(at, safe="").encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = scope["type"] == "http" and scope["path"].endswith(_PATH)
        await self._app(scope, receive, self._saying(send) if leaving else send)

    def _saying(self, send: Send) -> Send:
        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, self._whole(name, value)) for name, value in message["headers"]]
                message = {**message, "headers": headers}
            await send(message)

        return said

    def _whole(self, name: bytes, value: bytes) -> bytes:
        return value + self._more if name.lower() == b"location" and _SENT in value else value

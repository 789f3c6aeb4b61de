"""The served app: where it refuses to start, whom its entrance lets in, and what each answer forbids the browser."""

import asyncio
import json
import os
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import streamlit as st
from streamlit import config
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import TOKENS_COOKIE_NAME, USER_COOKIE_NAME

from services.errors import NotPossible
from services.stack import ROOT, Stack
from tests.dashboard import serving as served
from ui import serving
from ui.serving import Entrance

PUBLIC = "https://stock.example.com"
ALONE = "for this machine alone: nobody has to sign in."
EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where Streamlit is told to listen."""
    before = st.get_option("server.address")
    config.set_option("server.address", request.param)
    yield request.param
    config.set_option("server.address", before)


@pytest.fixture
def asked(stack: Stack) -> Stack:
    """The stack that is asked who has signed out, and not one that another test's pages were connected to."""
    st.cache_resource.clear()
    return stack


# --- where it may begin ----------------------------------------------------------------------------------------------


def test_on_a_network_without_sign_in_it_ends_with_a_sentence_and_serves_nothing(tmp_path: Path):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STOCKTRAIL_")}
    command = [sys.executable, "-m", "streamlit", "run", ROOT / "app.py", "--server.headless=true", "--server.port=0"]
    command.append(f"--server.address={EVERYWHERE}")
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Stocktrail does not start. It was to listen on 0.0.0.0" in done.stderr
    assert "STOCKTRAIL_SIGN_IN" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("address", ["", EVERYWHERE, "::", "192.168.1.5", "stock.example.com"], indirect=True)
def test_what_others_can_reach_needs_sign_in(address: str):
    with pytest.raises(NotPossible, match=f"listen on {address or EVERYWHERE}, where other machines"):
        serving.may_begin({})
    serving.may_begin({"STOCKTRAIL_SIGN_IN": "cognito"})


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "localhost"], indirect=True)
def test_what_is_for_this_machine_alone_says_so_in_one_line(address: str, capsys: pytest.CaptureFixture[str]):
    serving.may_begin({})
    at = f"http://{address.replace('::1', '[::1]')}:{st.get_option('server.port')}"
    assert capsys.readouterr().out == f"Stocktrail is at {at}, {ALONE}\n"


@pytest.mark.parametrize("address", ["127.0.0.1"], indirect=True)
def test_a_browser_is_opened_where_there_is_one(address: str, monkeypatch: pytest.MonkeyPatch):
    class Browser(webbrowser.BaseBrowser):
        def open(self, url: str, _new: int = 0, _autoraise: bool = True) -> bool:
            seen.append(url)
            return True

    async def begin() -> None:
        async with serving.opened(None):
            pass

    seen: list[str] = []
    webbrowser.register("test", None, Browser(), preferred=True)
    monkeypatch.delenv("STOCKTRAIL_ADDRESS", raising=False)
    for headless, expected in ((True, []), (False, [f"http://{address}:{st.get_option('server.port')}"])):
        config.set_option("server.headless", headless)
        asyncio.run(begin())
        assert seen == expected
    config.set_option("server.headless", True)


# --- whom the entrance lets in ---------------------------------------------------------------------------------------


def ask(path: str = "/", *, address: str | None = None, signed: bool = False, **more: Any) -> tuple[int, str, Any]:
    """Status, text and headers of what an entrance answers; the app behind it says “inside” and sets a cookie.

    ``more``: headers, with _ for -; ``method``, ``server`` and ``kind`` of the request.
    """
    heard: list[Any] = []

    async def inside(scope: Any, _receive: Any, send: Any) -> None:
        kind = "http" if scope["type"] == "http" else "websocket.http"
        told = [(b"set-cookie", b"a=b; Path=/"), (b"content-type", b"text/html")]
        await send({"type": f"{kind}.response.start", "status": 200, "headers": told})
        await send({"type": f"{kind}.response.body", "body": b"inside"})

    async def send(message: Any) -> None:
        heard.append(message)

    scope = {
        "type": more.pop("kind", "http"), "method": more.pop("method", "GET"), "path": path, "query_string": b"",
        "server": more.pop("server", ("127.0.0.1", 8501)), "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    headers = {"host": "localhost:8501"} | {name.replace("_", "-").lower(): value for name, value in more.items()}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in headers.items() if value is not None]
    asyncio.run(Entrance(inside, address, signed)(scope, None, send))  # type: ignore[arg-type]
    told = {name.decode(): value.decode() for name, value in heard[0]["headers"]}
    return heard[0]["status"], b"".join(one["body"] for one in heard[1:]).decode(), told


VISIT = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"Host": "127.0.0.1:8501"},
        {"Host": "[::1]:8501"},
        {"Host": "localhost"},
        {"method": "PUT", "path": "/_stcore/upload_file/a/b", "Origin": "http://localhost:8501"},
        {"kind": "websocket", "path": "/_stcore/stream", "Origin": "http://localhost:8501"},
        {"kind": "websocket", "path": "/_stcore/stream"},
        {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "no-cors", "path": "/static/js/index.js"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate", "path": "/media/file.csv"},
        VISIT | {"path": "/stock"},
        VISIT | {"path": "/oauth2callback", "Host": "stock.example.com", "address": PUBLIC},
        {"Host": "stock.example.com", "Origin": PUBLIC, "address": PUBLIC, "method": "PUT"},
        {"Host": "10.0.0.7:8501", "path": "/_stcore/health"},  # a load balancer
        {"server": ("10.0.0.7", 8501), "signed": True},
    ],
    ids=str,
)
def test_the_entrance_lets_in(asked: dict[str, Any]):
    assert ask(**asked)[:2] == (200, "inside")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"Host": "evil.example:8501"}, 400),
        ({"Host": "localhost.evil.example"}, 400),
        ({"Host": "127.0.0.1.evil.example"}, 400),
        ({"Host": "localhost@evil.example"}, 400),
        ({"Host": "stock.example.com"}, 400),
        ({"Host": None}, 400),
        (
            {"Host": "evil.example", "kind": "websocket", "path": "/_stcore/stream", "Origin": "http://evil.example"},
            400,
        ),
        ({"kind": "websocket", "path": "/_stcore/stream", "Origin": "http://localhost:9000"}, 403),
        ({"kind": "websocket", "path": "/_stcore/stream", "Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:8501"}, 403),
        ({"Origin": "http://localhost:9000", "path": "/_stcore/health"}, 403),
        ({"Origin": "http://localhost:9000", "method": "OPTIONS", "path": "/_stcore/upload_file/a/b"}, 403),
        ({"Origin": "http://stock.example.com", "Host": "stock.example.com", "address": PUBLIC}, 403),
        (VISIT | {"Sec_Fetch_Dest": "iframe"}, 403),
        (VISIT | {"Sec_Fetch_Dest": "image", "Sec_Fetch_Mode": "no-cors", "path": "/media/chart.png"}, 403),
        (VISIT | {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"}, 403),
        (VISIT | {"method": "POST"}, 403),
        (VISIT | {"path": "/media/file.csv"}, 403),
        (VISIT | {"path": "/auth/logout"}, 403),
        ({"server": ("10.0.0.7", 8501)}, 403),  # as `uvicorn app:app --host 0.0.0.0` would have it
    ],
    ids=str,
)
def test_the_entrance_refuses(asked: dict[str, Any], status: int):
    answer, text, headers = ask(**asked)
    assert (answer, "inside" in text) == (status, False)
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"


def cookie(user: dict[str, Any], name: str = USER_COOKIE_NAME, key: str | None = None) -> str:
    """The cookie as Streamlit signs it for who has signed in."""
    return f"{USER_COOKIE_NAME}={create_signed_value(key or get_cookie_secret(), name, json.dumps(user)).decode()}"


@pytest.mark.parametrize("path", ["/_stcore/upload_file/session/file", "/media/1234.csv", "/_stcore/metrics"])
@pytest.mark.usefixtures("asked")
def test_with_sign_in_files_are_for_who_has_signed_in(path: str):
    anna = {"is_logged_in": True, "email": "anna@example.com", "origin": PUBLIC, "iat": time.time()}
    signed = cookie(anna)
    unknown: list[str | None] = [
        None, f"{USER_COOKIE_NAME}=", f"{USER_COOKIE_NAME}=é", signed[:-1], cookie(anna, key="another"),
        cookie(anna, name=TOKENS_COOKIE_NAME), cookie(anna | {"is_logged_in": False}),
        cookie(anna | {"iat": time.time() - 13 * 3600}),
    ]  # fmt: skip
    assert [ask(path, signed=True, Cookie=one)[0] for one in unknown] == [403] * len(unknown)
    assert ask(path, signed=True, Cookie=signed)[:2] == (200, "inside")
    assert ask(path, signed=False)[:2] == (200, "inside")  # for this machine alone: nobody signs in
    assert ask("/", signed=True)[:2] == (200, "inside")  # where one signs in


@pytest.mark.usefixtures("asked")
def test_a_cookie_in_parts_is_put_together():
    value = json.dumps({"is_logged_in": True, "iat": time.time(), "email": "a" * 5000})
    parts = {"": "chunks-2", "_1": value[:3000], "_2": value[3000:]}
    names = {f"{USER_COOKIE_NAME}{end}": part for end, part in parts.items()}
    jar = {name: create_signed_value(get_cookie_secret(), name, part).decode() for name, part in names.items()}
    assert ask("/media/a", signed=True, Cookie="; ".join(f"{name}={one}" for name, one in jar.items()))[0] == 200
    jar.popitem()
    assert ask("/media/a", signed=True, Cookie="; ".join(f"{name}={one}" for name, one in jar.items()))[0] == 403


# --- what each answer forbids the browser ----------------------------------------------------------------------------


def test_every_answer_of_a_served_dashboard_forbids_framing_sniffing_and_whatever_is_not_its_own(tmp_path: Path):
    with served(tmp_path, ROOT / "app.py", {"STOCKTRAIL_HOME": str(tmp_path / "state")}, folder=tmp_path) as place:
        paths = ("/", "/stock", "/_stcore/health", "/favicon.png", "/media/none", "/stock/", "/_stcore/upload_file/a/b")
        for path in paths:
            with answer(f"{place}{path}") as told:
                headers = {name.lower(): value for name, value in told.headers.items()}
                assert headers["x-content-type-options"] == "nosniff", path
                assert headers["x-frame-options"] == "DENY", path
                assert "frame-ancestors 'none'" in headers["content-security-policy"], path
                assert "'unsafe-inline'" not in headers["content-security-policy"].split("style-src")[0], path
                assert "http" not in headers["content-security-policy"], path
                assert headers["cross-origin-resource-policy"] == "same-origin", path
                assert headers["cross-origin-opener-policy"] == "same-origin", path
                assert headers["referrer-policy"] == "same-origin", path
                assert "camera=()" in headers["permissions-policy"], path
                assert "access-control-allow-origin" not in headers or path.startswith("/_stcore/upload"), path
        said = (tmp_path / "dashboard.log").read_text()
        assert said.splitlines() == [f"Stocktrail is at {place}, {ALONE}"]


def answer(url: str) -> Any:
    try:
        return urlopen(url, timeout=10)  # noqa: S310 (the dashboard of this test)
    except HTTPError as refused:
        return refused


def test_under_an_https_address_browsers_keep_to_it_and_cookies_with_it():
    plain, public = ask()[2], ask(address=PUBLIC, Host="stock.example.com")[2]
    assert (plain["set-cookie"], "strict-transport-security" in plain) == ("a=b; Path=/", False)
    assert public["set-cookie"] == "a=b; Path=/; Secure"
    assert public["strict-transport-security"] == "max-age=31536000"


def test_what_is_in_a_file_is_no_page_of_ours_and_stays_in_no_cache():
    headers = ask("/media/1234.html")[2]
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert headers["cache-control"] == "no-store"

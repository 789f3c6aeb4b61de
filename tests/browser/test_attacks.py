"""What a page of somebody else's can do to the dashboard, and to the engine beside it: nothing.

Played in Chromium, from a page of this machine on another port (any program here may serve one), from one of another
site, and from one whose name was made to lead here (DNS rebinding). The attacker knows every address, and the engine's
secret as well, so that not the secret alone keeps him out.
"""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from local import engine
from services import uploads
from services.stack import Stack
from tests.dashboard import CHROMIUM
from tests.waiting import until

ATTACKS = """async ({urls, forms, sockets, pieces}) => {
    const nothing = () => "nothing"
    const read = (url, more) => fetch(url, more).then(answer => answer.text()).then(text => "read " + text, nothing)
    const sent = (url, more) => fetch(url, {mode: "no-cors", ...more}).then(() => "answered", nothing)
    const made = (kind, more) => document.body.appendChild(Object.assign(document.createElement(kind), more))
    const added = (kind, more) => new Promise(done => made(kind, {
        ...more, onload: () => done("loaded"), onerror: () => done("nothing"),
    }))
    const socket = url => new Promise(done => Object.assign(new WebSocket(url, ["streamlit"]), {
        onopen: () => done("open"), onerror: () => done("nothing"),
    }))
    const form = (url, fields) => new Promise(done => {
        const frame = made("iframe", {name: "into " + url})
        frame.onload = () => done("nothing")
        const one = made("form", {method: "POST", action: url, target: frame.name})
        for (const [name, value] of Object.entries(fields)) {
            one.append(Object.assign(document.createElement("input"), {name, value}))
        }
        one.submit()
    })
    document.cookie = "_streamlit_xsrf=2|00000000|00|1"
    const token = {"X-Xsrftoken": "2|00000000|00|1"}
    const tried = {}
    for (const url of urls) {
        tried["GET " + url] = read(url, {credentials: "include"})
        tried["GET unread " + url] = sent(url)
        tried["POST " + url] = sent(url, {method: "POST", body: "x", credentials: "include"})
        tried["PUT " + url] = read(url, {method: "PUT", body: "x", headers: token, credentials: "include"})
        tried["DELETE " + url] = read(url, {method: "DELETE"})
    }
    for (const [kind, more] of pieces) tried[kind + " " + JSON.stringify(more)] = added(kind, more)
    for (const url of sockets) tried["socket " + url] = socket(url)
    for (const [url, fields] of forms) tried["form " + url] = form(url, fields)
    const got = {}
    for (const [name, outcome] of Object.entries(tried)) got[name] = await outcome
    return got
}"""
"""Each way to reach another origin, by its name: what came of it."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of a server of somebody else's, which has an empty page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Somebody else's</title><body>")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def misled(browser: Browser) -> Iterator[BrowserContext]:
    """A browser to which evil.example is this machine."""
    rebound = ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    with browser.browser_type.launch(executable_path=CHROMIUM, args=rebound) as other:
        yield other.new_context()


def pieces(dashboard: str) -> list[tuple[str, dict[str, str]]]:
    """Of the dashboard, what a page can have in it without reading it: an image, a script, a style."""
    with urlopen(dashboard, timeout=10) as answer:  # noqa: S310 (the dashboard of this test)
        page = answer.read().decode()
    script, style = (re.findall(rf'{name}="\./(static/[^"]+\.{ending})"', page)[0] for name, ending in
                     (("src", "js"), ("href", "css")))  # fmt: skip
    return [
        ("img", {"src": f"{dashboard}/favicon.png"}),
        ("script", {"src": f"{dashboard}/{script}", "type": "module"}),
        ("script", {"src": f"{dashboard}/{script}"}),
        ("link", {"href": f"{dashboard}/{style}", "rel": "stylesheet"}),
    ]


def resources(stack: Stack) -> list[Any]:
    """What the engine holds, by name."""
    buckets = [one["Name"] for one in stack.s3.list_buckets()["Buckets"]]
    return [buckets, stack.dynamodb.list_tables()["TableNames"], stack.client("sqs").list_queues()["QueueUrls"]]


def test_no_page_of_others_reads_or_changes_anything(
    misled: BrowserContext, elsewhere: int, dashboard: str, state: Path, stack: Stack
):
    running = engine.status(state)
    address, token = str(running.endpoint), f"X-Amz-Security-Token={stack.session.get_credentials().token}"
    before, came = resources(stack), len(running.log.read_text())
    answered: list[tuple[str, int]] = []
    misled.on("response", lambda answer: answered.append((answer.url, answer.status)))
    for host in ("localhost", "127.0.0.1", "evil.example"):
        page = misled.new_page()
        page.goto(f"http://{host}:{elsewhere}/")
        got = page.evaluate(ATTACKS, {
            "urls": [
                f"{dashboard}/", f"{dashboard}/_stcore/health", f"{dashboard}/_stcore/host-config",
                f"{dashboard}/_stcore/upload_file/session/file", f"{address}/?{token}",
                f"{address}/_ministack/reset?{token}", f"{address}/_engine/checkpoint?{token}",
                f"{address}/stolen?{token}",
            ],
            "forms": [
                (f"{dashboard}/_stcore/upload_file/session/file", {"file": "x"}),
                (f"{address}/?{token}", {"Action": "CreateQueue", "QueueName": "stolen", "Version": "2012-11-05"}),
                (f"{address}/_ministack/reset?{token}", {}),
            ],
            "sockets": [
                f"{dashboard.replace('http', 'ws')}/_stcore/stream", f"{address.replace('http', 'ws')}/?{token}",
            ],
            "pieces": [*pieces(dashboard), ("img", {"src": f"{address}/_ministack/reset?{token}"}),
                       ("script", {"src": f"{address}/?{token}"})],
        })  # fmt: skip
        assert {name: outcome for name, outcome in got.items() if outcome != "nothing"} == {}, host
        assert not framed(page, f"{dashboard}/stock"), host
        assert "does not answer web pages" in visited(page, f"{address}/_ministack/reset?{token}")
        assert "only when somebody follows a link" in visited(page, f"{dashboard}/auth/logout")
    assert not kept_open(page, dashboard)
    refused = {status for url, status in answered if url.startswith((dashboard, address)) and "/?" not in url}
    assert refused <= {200, 403}
    assert resources(stack) == before
    for path in ("/_ministack/reset", "/_engine/checkpoint", "/stolen"):
        assert f"refused {path}: The engine does not answer" in running.log.read_text()[came:], path


def framed(page: Page, url: str) -> bool:
    """Whether a page has the other one in it."""
    page.evaluate(
        """url => new Promise(done => document.body.append(
            Object.assign(document.createElement("iframe"), {src: url, id: "framed", onload: done})))""",
        url,
    )
    frame = page.locator("#framed").element_handle().content_frame()
    return frame is not None and not frame.url.startswith("chrome-error:")


def kept_open(page: Page, url: str) -> bool:
    """Whether a page that opens another one in a window keeps a hand on that."""
    with page.expect_popup() as opened:
        page.evaluate("url => { window.other = window.open(url) }", url)
    expect(opened.value.get_by_role("heading", level=1, name="Overview")).to_be_visible()  # one may come by a link
    held = not page.evaluate("window.other.closed")
    opened.value.close()
    return held


def visited(page: Page, url: str) -> str:
    """What a page of another address leads its reader to."""
    page.evaluate("url => { window.location = url }", url)
    page.wait_for_url(lambda here: here == url)
    text = page.inner_text("body")
    page.go_back()
    return text


def test_a_name_that_was_made_to_lead_here_is_not_answered_to(
    misled: BrowserContext, dashboard: str, state: Path, stack: Stack
):
    page, port = misled.new_page(), urlsplit(dashboard).port
    page.goto(f"http://evil.example:{port}/")
    assert page.inner_text("body") == "Invalid host header"
    assert page.evaluate("fetch('/_stcore/host-config').then(answer => answer.status)") == 400
    assert (
        page.evaluate("""new Promise(done => Object.assign(new WebSocket("/_stcore/stream", ["streamlit"]), {
        onopen: () => done("open"), onerror: () => done("nothing")}))""")
        == "nothing"
    )
    token = stack.session.get_credentials().token
    page.goto(f"http://evil.example:{urlsplit(str(engine.status(state).endpoint)).port}/?X-Amz-Security-Token={token}")
    assert page.inner_text("body").strip() == "The engine does not answer to this host name."


def test_a_page_that_was_sent_as_a_file_is_taken_away_and_never_shown(
    misled: BrowserContext, dashboard: str, stack: Stack
):
    body = b"<!doctype html><script>document.title = 'ran'</script>"
    stack.s3.put_object(Bucket=stack.settings.bucket, Key="uploads/page.html", Body=body)
    [sent] = until(lambda: [one for one in uploads.recent(stack) if one.file == "page.html" and one.settled], 60)
    page = misled.new_page()
    page.goto(f"{dashboard}/uploads?upload={sent.upload_id}")
    with page.expect_download() as taken:
        page.get_by_role("button", name="The file as it was sent").click()
    assert taken.value.suggested_filename == "page.html"
    assert taken.value.path().read_bytes() == body
    answer = page.request.get(taken.value.url)
    assert answer.headers["content-disposition"] == 'attachment; filename="page.html"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-security-policy"].endswith("sandbox")
    with pytest.raises(Error, match="Download is starting"):
        page.goto(taken.value.url)

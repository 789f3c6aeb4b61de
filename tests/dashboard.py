"""A dashboard of its own: `streamlit run` on a state folder, and what a browser does with it."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect, sync_playwright

from local import engine
from services import uploads
from services.stack import Stack
from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium-headless-shell"
"""Debian's chromium without its windows' frames, which nobody sees: a sixth less of the processor."""
PAGES = {
    "": "Overview", "upload": "Upload", "uploads": "Uploads", "stock": "Stock", "changes": "Changes",
    "why": "Why?", "alerts": "Alerts", "pipeline": "Pipeline", "lesson": "Streams explained", "audit": "Audit",
    "access": "Access",
}  # fmt: skip
"""Each page's address and its heading."""


@contextmanager
def running(home: Path) -> Iterator[str]:
    """The address of a dashboard on a state folder; at the end it, and then its engine, are gone."""
    try:
        with serving(home, ROOT / "app.py", {"STOCKTRAIL_HOME": str(home / "state")}, folder=ROOT) as address:
            yield address
    finally:
        until(lambda: not engine.status(home / "state").running, seconds=300)  # it saves what it holds


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(home: Path, script: Path, more: Mapping[str, str], folder: Path, port: int | None = None) -> Iterator[str]:
    """The address of `streamlit run script`, run in a folder; its log is home/dashboard.log."""
    port = port or free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "STOCKTRAIL_"))}
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true", f"--server.port={port}"]
    with (home / "dashboard.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ | more, stdout=log, stderr=log)
    try:
        until(lambda: healthy(port), seconds=60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:  # nobody listens there yet, or it is slow to answer
        return False


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def at_rest(page: Page) -> None:
    """Wait until the page's script has ended: till then what it replaces, an old file picker say, is still there."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def pick(page: Page, path: Path, mode: str = "") -> None:
    """Pick a file on a page that is at rest, and then a mode.

    Not the other way round: a file picked in the instant in which a run of the script begins is lost, because
    Streamlit empties the queue in which the address to upload it to is on its way to the browser.
    """
    at_rest(page)
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("what it will do")).to_be_visible()
    if mode:
        page.get_by_role("radiogroup").get_by_text(mode, exact=True).click()
        expect(page.get_by_text(f"what it will do · {mode}")).to_be_visible()


def cells(page: Page, text: str) -> Locator:
    """The cells of the page's tables that hold exactly this text."""
    return page.locator("canvas td", has_text=re.compile(f"^{re.escape(text)}$"))


def by_keyboard(page: Page, label: str, text: str) -> None:
    """Choose the first option of a select, which has this text, without a mouse. Drawn anew just then it closes again:
    then once more."""
    box, offered = page.get_by_role("combobox", name=label, exact=True), page.get_by_role("option", name=text).first

    def found() -> bool:
        box.press("ArrowDown")
        with suppress(TimeoutError):
            offered.wait_for(timeout=3_000)
            return True
        return False

    until(found, seconds=30)
    box.press("Enter")


def send(page: Page, path: Path, mode: str = "") -> None:
    """Send a file on the Upload page, and wait for its receipt."""
    pick(page, path, mode)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("what it will do")).to_have_count(0)
    expect(page.get_by_role("link", name="Its changes")).to_be_visible()


def holds(page: Page, *texts: str) -> None:
    for text in texts:
        expect(page.get_by_text(text).first).to_be_visible()


def file(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text("\n".join(["store,item,count", *rows, ""]))
    return path


def drop(stack: Stack, name: str, data: bytes) -> None:
    """Put a file into the bucket, as a till would, and wait until the loader has seen it."""
    stack.s3.put_object(Bucket=stack.settings.bucket, Key=f"uploads/{name}", Body=data)
    until(lambda: [one for one in uploads.waiting(stack) if one.file == name])


def first_box(page: Page) -> None:
    """Click the box of a table's first row, as a reader picks it."""
    grid = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert grid
    page.mouse.click(grid["x"] + 15, grid["y"] + 52)

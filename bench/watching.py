"""What a manager waits for: a file of six rows through the chain, and the pages in a real browser.

Six rows: from the PUT until the receipt says loaded, and until the alert that the file raises has been opened, on a
warm engine. Pages: a dashboard over 10,000 items and their 10,000 changes, Chromium, 1440 pixels wide; from asking for
an address in a new browser context until its heading stands there and the script has ended; a rerun, by Streamlit's
key “r”; and on the Upload page from the click on Send until the receipt stands there, and until it tells of the alert.
"""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from bench.loading import running
from bench.ways import file
from local import engine
from services import stack as stacks
from services import uploads
from services.stack import Stack
from tests import dashboard
from tests.dashboard import PAGES
from tests.waiting import until

Times = dict[str, list[float]]
"""Seconds, by what was waited for."""
_WATCH = """() => {
    const app = document.querySelector('[data-testid=stApp]')
    window.reruns = []
    new MutationObserver(() => {
        const running = app.getAttribute('data-test-script-state') === 'running'
        if (!running && window.pressed) { window.reruns.push(performance.now() - window.pressed); window.pressed = 0 }
    }).observe(app, {attributes: true, attributeFilter: ['data-test-script-state']})
    document.addEventListener('keydown', () => { window.pressed = performance.now() }, true)
}"""


def six_rows(count: int) -> Times:
    found: Times = defaultdict(list)
    with running(followed=True) as (stack, _):
        _small(stack, 5, out=False)
        for n in range(count):
            _small(stack, n, out=False)
            loaded, alerted = _small(stack, n, out=True)
            found["receipt"].append(loaded)
            found["alert"].append(alerted)
    return found


def _small(stack: Stack, n: int, *, out: bool) -> tuple[float, float]:
    """Seconds from the PUT until it is loaded, and until its records are checked: with ``out``, its alert is open."""
    begin = time.monotonic()
    upload_id = uploads.send(stack, "six.csv", _six(f"Small {n}", out=out))
    until(lambda: uploads.receipt(stack, upload_id).state == "loaded")
    loaded = time.monotonic() - begin
    done = until(lambda: (now := uploads.receipt(stack, upload_id)).settled and now)
    if done.alerts != out:
        raise AssertionError(f"{done.alerts} alerts of a file that should raise {int(out)}")
    return loaded, time.monotonic() - begin


def _six(store: str, *, out: bool) -> bytes:
    rows = (f"{store},Item {n},{0 if out and n == 0 else n + 1 + out}" for n in range(6))
    return "\n".join(["Store,Item,Count", *rows]).encode()


def pages(runs: int, items: int = 10_000) -> Times:
    found: Times = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as name,
        dashboard.running(Path(name)) as address,
        dashboard.chromium() as chrome,
    ):
        expect.set_options(timeout=60_000)
        state = Path(name) / "state"
        stack = stacks.connect({"STOCKTRAIL_HOME": str(state)})
        list(uploads.follow(stack, uploads.send(stack, "stock.csv", file("Page", items)), timeout=600))
        for _ in range(runs):
            for path, heading in PAGES.items():
                with painted(chrome, f"{address}/{path}", heading) as (page, seconds):
                    found[f"{heading}, first paint"].append(seconds)
                    found[f"{heading}, rerun"].append(_rerun(page))
        for n in range(runs):
            _sent(chrome, f"{address}/upload", Path(name), n, found)
        engine.detach(state)
    return found


@contextmanager
def painted(chrome: Browser, address: str, heading: str) -> Iterator[tuple[Page, float]]:
    """A page in a new browser context; and the seconds until its heading stood there and its script had ended."""
    context = chrome.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    yield page, paint(page, address, heading)
    context.close()


def paint(page: Page, address: str, heading: str) -> float:
    """The seconds from asking for an address until its heading stands there and its script has ended."""
    begin = time.monotonic()
    page.goto(address)
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    dashboard.at_rest(page)
    return time.monotonic() - begin


def _rerun(page: Page) -> float:
    """The median of five: from the key that asks for it until the script has ended."""
    page.evaluate(_WATCH)
    for n in range(5):
        page.keyboard.press("r")
        page.wait_for_function(f"window.reruns.length > {n}", timeout=10_000)
    return statistics.median(page.evaluate("window.reruns")) / 1000


def _sent(chrome: Browser, address: str, place: Path, n: int, found: Times) -> None:
    context = chrome.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    for out in (False, True):  # the first brings the items in, the second brings one of them to nothing
        (place / "six.csv").write_bytes(_six(f"Clicked {n}", out=out))
        dashboard.pick(page, place / "six.csv")
        said = f"6 rows: 6 {'changed' if out else 'new'}. 6 stream records expected,"  # a preview ends there
        loaded, alerted = _clicked(page, said, f"6 seen. {int(out)} alert")
    found["click to receipt"].append(loaded)
    found["click to alert"].append(alerted)
    context.close()


def _clicked(page: Page, loaded: str, done: str) -> tuple[float, float]:
    button = page.get_by_role("button", name="Send", exact=True)
    expect(button).to_be_enabled()
    begin = time.monotonic()
    button.click()
    expect(page.get_by_text("Rows applied · ")).to_be_visible()
    receipt = time.monotonic() - begin
    expect(page.get_by_text(loaded)).to_be_visible()
    expect(page.get_by_text(done)).to_be_visible()
    return receipt, time.monotonic() - begin

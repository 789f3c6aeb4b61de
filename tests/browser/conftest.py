"""What the tests in a real browser share: Chromium, its windows, and a dashboard of its own for each module."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from local import engine
from services import stack as stacks
from services.stack import Stack
from tests.dashboard import PAGES, at_rest, chromium, running

Open = Callable[..., Page]
_MILLISECONDS = 30_000  # what is waited for comes in far less


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=_MILLISECONDS)
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dashboard")


@pytest.fixture(scope="module")
def dashboard(home: Path) -> Iterator[str]:
    with running(home) as address:
        yield address


@pytest.fixture
def state(home: Path, dashboard: str) -> Iterator[Path]:
    """The state folder of the running dashboard; whoever connects to its engine lets go of it again."""
    assert dashboard
    yield home / "state"
    engine.detach(home / "state")


@pytest.fixture
def stack(state: Path) -> Stack:
    """The dashboard's own."""
    return stacks.connect({"STOCKTRAIL_HOME": str(state)})


@pytest.fixture(scope="session")
def windows(browser: Browser) -> list[Page]:
    """Those that nobody looks into at the moment. What was loaded for one test is at hand for the next."""
    assert browser
    return []


@pytest.fixture(scope="session")
def blocked() -> list[str]:
    """What the windows said was against the pages' own Content-Security-Policy."""
    return []


@pytest.fixture
def opened(browser: Browser, windows: list[Page], blocked: list[str], request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a page, drawn to its heading; of two in one test each in a browser context of its own.

    Whatever a test does there, nothing of ours is against the Content-Security-Policy.
    """
    open_now = []

    def heard(page: Page) -> Page:
        page.on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    def open_one(path: str = "", width: int = 1440, at: str = "") -> Page:
        page = windows.pop() if windows else heard(browser.new_context(timezone_id="Europe/Berlin").new_page())
        open_now.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{at or request.getfixturevalue('dashboard')}/{path}")
        expect(page.get_by_role("heading", level=1, name=PAGES[path])).to_be_visible()
        at_rest(page)
        return page

    yield open_one
    for page in open_now:
        page.goto("about:blank")
    windows.extend(open_now)
    said, blocked[:] = blocked[:], []
    assert said == []

"""A page as a reader has it before him: opened at a width and in a theme, drawn to its end, and what is wrong with it.

Knows the pages by `tests.dashboard.PAGES`, and nothing of what is on them.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

from lambdas.stream import item_key
from local import engine
from services import changes, uploads
from services import stack as stacks
from services.stack import Stack
from tests.dashboard import PAGES, at_rest

WIDTHS, THEMES = (1440, 390), ("light", "dark")
HEIGHT = 900
_LATEST = 300


@dataclass(frozen=True)
class View:
    """What is looked at. ``name`` is for files and messages; ``heading`` None: the page has one, whichever."""

    name: str
    path: str
    heading: str | None = None


def views(stack: Stack) -> list[View]:
    """Every page; and, where there is anything yet, an upload's own, an item's own and why it is so, picked from the
    data."""
    found = [View(named(heading), path, heading) for path, heading in PAGES.items()]
    latest = [one for one in uploads.recent(stack, _LATEST) if one.state == "loaded"]
    moved = Counter(item_key(one.store, one.item) for one in changes.newest(stack, _LATEST))
    if latest:
        told = max(latest, key=lambda one: (sum(map(bool, one.fates.values())), one.rows))
        found.append(View("an-upload", f"uploads?upload={told.upload_id}"))
    if moved:
        found.append(View("an-item", f"stock?item={quote(moved.most_common(1)[0][0], safe='')}"))
    if last := next((one for one in changes.newest(stack, _LATEST) if one.upload_id), None):
        item = quote(item_key(last.store, last.item), safe="")
        found.append(View("a-why", f"why?upload={last.upload_id}&item={item}"))
    return found


def named(heading: str) -> str:
    """A page's name, by its heading."""
    return heading.lower().removesuffix("?")


@contextmanager
def attached(state: Path) -> Iterator[Stack]:
    """The stack of a running dashboard's state folder; its engine may end after that."""
    try:
        yield stacks.connect({"STOCKTRAIL_HOME": str(state)})
    finally:
        engine.detach(state)


def window(browser: Browser) -> Page:
    """What the pages are looked at in, one after the other: what was loaded for one is at hand for the next."""
    return browser.new_context(timezone_id="Europe/Berlin", locale="en-GB").new_page()


@contextmanager
def shown(page: Page, address: str, view: View, width: int, theme: str) -> Iterator["Shown"]:
    """The page, drawn in the window."""
    one = Shown(page, [])
    heard: dict[str, Callable[[Any], None]] = {
        "console": lambda said: one.errors.append(said.text) if _is_error(said) else None,
        "response": lambda told: one.errors.append(f"{told.status} {told.url}") if _is_refusal(told) else None,
        "pageerror": lambda error: one.errors.append(str(error)),
    }
    for event, hear in heard.items():
        page.on(event, hear)
    seen_as(page, width, theme)
    page.goto(f"{address}/{view.path}")
    drawn(page, view.heading)
    yield one
    for event, hear in heard.items():
        page.remove_listener(event, hear)


def seen_as(page: Page, width: int, theme: str) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")


def _is_error(said: ConsoleMessage) -> bool:
    return said.type == "error" and not said.text.startswith("Failed to load resource")  # its answer tells the address


def _is_refusal(answer: Response) -> bool:
    """Streamlit looks for its server below a page's own address first, and is refused there."""
    return answer.status >= 400 and "/_stcore/" not in answer.url


def drawn(page: Page, heading: str | None = None) -> None:
    """Wait until the page is drawn: heading, script, tables, charts."""
    named = {"name": heading} if heading else {}
    expect(page.get_by_role("heading", level=1, **named).first).to_be_visible()
    at_rest(page)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.locator("[data-testid=stPlotlyChart]:not(:has(.main-svg))")).to_have_count(0)
    expect(page.locator("[data-testid=stDataFrame]:not(:has(canvas))")).to_have_count(0)
    page.evaluate("document.fonts.ready.then(() => null)")
    page.wait_for_function(_STEADY, polling=100)
    page.wait_for_function(_NO_COLOUR_FADES)
    at_rest(page)


_NO_COLOUR_FADES = "() => !document.getAnimations().some(one => one.transitionProperty && one.playState === 'running')"
_STEADY = """() => {
    const main = document.querySelector('[data-testid=stMain]')
    const size = [main.clientWidth, main.scrollWidth, main.scrollHeight].join()
    const last = window.lookedAt || {size: '', times: 0}
    window.lookedAt = {size, times: size === last.size ? last.times + 1 : 0}
    return window.lookedAt.times >= (main.scrollWidth > main.clientWidth ? 50 : 5)
}"""
"""A table that is still as wide as the window was is given five seconds to follow it."""


@dataclass
class Shown:
    """A page that is drawn. ``errors``: what the browser's console has said, and what it was refused."""

    page: Page
    errors: list[str]

    def wrong(self) -> list[str]:
        """What a reader would trip over, each in a line; empty: nothing."""
        told: list[str] = self.page.evaluate(_WRONG)
        return [*told, *(f"console: {one}" for one in self.errors)]


_WRONG = r"""() => {
    const found = []
    const main = document.querySelector('[data-testid=stMain]')
    const named = element => {
        const holder = element.closest('[data-testid]')
        const text = (element.innerText || element.textContent || '').trim().replace(/\s+/g, ' ').slice(0, 60)
        return `${holder ? holder.dataset.testid : element.tagName.toLowerCase()} “${text}”`
    }
    const seen = element => element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})
    for (const box of [document.documentElement, main])
        if (box.scrollWidth > box.clientWidth)
            found.push(`scrolls sideways: ${box.scrollWidth} px wide in ${box.clientWidth}`)

    const clips = element => {
        for (let one = element.parentElement; one && one !== main; one = one.parentElement)
            if (getComputedStyle(one).overflowX !== 'visible') return true
        return false
    }
    for (const element of main.querySelectorAll('*')) {
        const box = element.getBoundingClientRect()
        if (box.width && box.right > innerWidth + 1 && seen(element) && !clips(element))
            { found.push(`beyond the right edge: ${named(element)}`); break }
    }

    const whole = 'button, [data-testid=stMetric], [data-testid=stPageLink], [data-testid=stBadge], [role=tab], ' +
        '[data-testid=stAlert], [data-testid=stHeading], [data-testid=stWidgetLabel]'
    for (const part of main.querySelectorAll(whole))
        for (const element of [part, ...part.querySelectorAll('*')]) {
            const style = getComputedStyle(element)
            if (style.overflowX === 'visible' || !seen(element) || element.clientWidth < 8) continue
            if (element.scrollWidth > element.clientWidth + 1 && element.innerText)
                { found.push(`cut off: ${named(element)}`); break }
        }

    for (const one of document.querySelectorAll('[data-testid=stException]'))
        found.push(`an exception: ${named(one)}`)

    const texts = []
    const walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT)
    while (walk.nextNode()) {
        const node = walk.currentNode, holder = node.parentElement
        if (!node.data.trim() || !holder || !seen(holder) || holder.closest('canvas, .modebar, style')) continue
        const range = document.createRange()
        range.selectNodeContents(node)
        for (const box of range.getClientRects())
            if (box.width > 2 && box.height > 2) texts.push({box, holder, text: node.data.trim()})
    }
    let shown = 0
    for (let a = 0; a < texts.length && shown < 8; a++)
        for (let b = a + 1; b < texts.length && shown < 8; b++) {
            if (texts[a].holder === texts[b].holder) continue
            const one = texts[a].box, other = texts[b].box
            const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left)
            const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)
            if (wide > 3 && high > Math.min(one.height, other.height) * 0.4) {
                shown += 1
                found.push(`one over the other: “${texts[a].text.slice(0, 40)}” and “${texts[b].text.slice(0, 40)}”`)
            }
        }
    return found
}"""
"""Wider than the window, cut off, broken, or one text over another."""

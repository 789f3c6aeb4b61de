"""Names that try to be more than text, before a real browser: nothing runs, nothing is fetched, no element comes of
them, and they are to be read as they stand."""

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from lambdas.fates import Mode
from lambdas.oneline import oneline
from lambdas.reorder import Scope
from lambdas.stream import item_key
from services import alerts, reorder, uploads
from services.stack import Stack
from tests import dashboard, hostile, looking
from tests.conftest import sent
from tests.dashboard import ROOT, at_rest, drop, first_box
from tests.looking import THEMES, WIDTHS, View, drawn, seen_as, shown
from tests.waiting import until
from ui import plain

Q = "zzq"
"""What stands alone in an element only where a name has become one."""
MARKUP = (
    f"<img src=https://{hostile.HOST}/x onerror=window.owned=1><b>{Q}</b> **{Q}** _{Q}_ ~~{Q}~~ `{Q}` $ {Q}$ $${Q}$$ "
    f"[{Q}](https://{hostile.HOST}) :red[{Q}] :material/warning: :smile: WWW.{hostile.HOST.upper()} a@{hostile.HOST} "
    f"https://{hostile.HOST}/ -> <script>window.owned=1</script>"
)
BLOCKS = f"# {Q}\n- {Q}\n\n> {Q}\n\n| {Q} | b |\n|---|---|\n| {Q} | 1 |\n\n```\n{Q}\n```\n    {Q}\n[^1]: {Q}"
UNSEEN = "gpj.\u202eexe \u2067x Z" + "\u0300\u0323" * 60 + " \u200bמילק \x1b[2J\x00end"
ITEMS = (MARKUP, BLOCKS, UNSEEN, "W" * 700, "w " * 300 + "w", "=1+1", "__proto__")
STORES = (f'<b>{Q}</b> **{Q}** $x$ & "q" WWW.{hostile.HOST.upper()}', "S" * 500, "../%2e%2e/x?a=b#c", f"_{Q}_ \u202ex")
FILE = f"<img src=x onerror=window.owned=1> **{Q}** $x^2$ :smile: WWW.{hostile.HOST.upper()} {'f' * 60}.json"


@dataclass
class Watched:
    """What a window has done that it should not. ``foreign``: addresses that are not the dashboard's own."""

    own: str
    foreign: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def on(self, page: Page) -> None:
        page.on("request", self._asked)
        page.on("dialog", lambda said: (self.dialogs.append(said.message), said.dismiss()))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.own, self.own.replace("http", "ws"), "data:", "blob:", "about:")):
            self.foreign.append(request.url)

    def wrong(self, page: Page) -> list[str]:
        found = [f"asked for {url}" for url in self.foreign] + [f"said {text}" for text in self.dialogs]
        told: list[str] = page.evaluate(_INJECTED, [Q, hostile.HOST])
        return found + told


_INJECTED = r"""([word, host]) => {
    const found = window.owned === undefined ? [] : ['a script has run']
    const told = element => `an element of a name: ${element.outerHTML.slice(0, 120)}`
    const main = document.querySelector('[data-testid=stMain]')
    for (const element of main.querySelectorAll('iframe, object, embed, script, .katex, math, pre > code'))
        found.push(told(element))
    for (const element of main.querySelectorAll('[href], [src], [action]'))
        for (const name of ['href', 'src', 'action']) {
            const address = element.getAttribute(name) || ''
            if (/^\s*(javascript|mailto):/i.test(address) || new URL(address, location).hostname.endsWith(host))
                found.push(told(element))
        }
    for (const element of main.querySelectorAll('*'))
        if (element.textContent.trim() === word && !element.closest('canvas')) found.push(told(element))
    return found
}"""


@pytest.fixture(scope="module")
def filled(home: Path, dashboard: str) -> Iterator[Stack]:
    """Items by such names, of which some ran out; files by such names that wait, failed, and have rows to mend."""
    assert dashboard
    with looking.attached(home / "state") as stack:
        keys = [(store, item) for store in STORES for item in ITEMS]
        things = [{"store": store, "item": item, "count": 5, f"**{Q}**": item} for store, item in keys]
        sent(stack, _json(things), name=FILE)
        out = [thing | {"count": 0 if n < 8 else f"<b>{Q}</b>" if n < 12 else 5} for n, thing in enumerate(things)]
        sent(stack, _json(out), name=FILE)
        sent(stack, _json(things[:3]), Mode.STAMP, name=FILE)
        sent(stack, b"%PDF-1.4", name=FILE)
        drop(stack, FILE.replace("/", ""), _json([{f"**{Q}**": "1", f"<b>{Q}</b>": "2"}]))
        until(lambda: len(alerts.open_now(stack)) >= 5)
        alerts.acknowledge(stack, alerts.open_now(stack)[0], f"**{Q}** <b>{Q}</b>\n$x$ WWW.{hostile.HOST}")
        reorder.save(stack, {Scope(*keys[-1]): Decimal(9), Scope(STORES[0]): Decimal(2)})
        yield stack


def _json(things: list[dict[str, object]]) -> bytes:
    return json.dumps(things).encode()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Page:
    return looking.window(browser)


def views(stack: Stack) -> Iterator[View]:
    """Every page; each kind of item's own; why it is so; the uploads' own."""
    for path, heading in dashboard.PAGES.items():
        if path != "lesson":
            yield View(looking.named(heading), path, heading)
    changed = next(one for one in uploads.recent(stack) if one.fates["rejected"])
    for number, item in enumerate(ITEMS[:4]):
        address = quote(item_key(STORES[number % 4], unicodedata.normalize("NFC", item)), safe="")
        yield View(f"item-{number}", f"stock?item={address}")
    yield View("why", f"why?upload={changed.upload_id}&ids=true&item={quote(item_key(STORES[0], MARKUP), safe='')}")
    yield View("upload", f"uploads?upload={changed.upload_id}")
    made_up = quote(MARKUP, safe="")
    yield View("made-up", f"stock?item={made_up}&q={made_up}&store={made_up}")
    yield View("made-up-why", f"why?upload={made_up}&row={made_up}")


def test_no_name_becomes_more_than_text_on_any_page(window: Page, dashboard: str, filled: Stack):
    watched, wrong = Watched(dashboard), []
    watched.on(window)
    for view in views(filled):
        with shown(window, dashboard, view, WIDTHS[0], THEMES[0]) as one:
            for width in WIDTHS:
                seen_as(window, width, THEMES[0])
                drawn(window, view.heading)
                # A link is one line, and what has no room in it is gone: that of a name as that of any other.
                misplaced = [said for said in one.wrong() if not said.startswith("cut off: stPageLink")]
                wrong += [f"{view.name} at {width} px: {said}" for said in (*misplaced, *watched.wrong(window))]
    assert not wrong, "\n".join(wrong)


def test_neither_does_a_picked_alert_nor_a_picked_change_nor_a_file_that_is_previewed_and_sent(
    window: Page, dashboard: str, filled: Stack
):
    assert filled
    watched, wrong = Watched(dashboard), []
    watched.on(window)

    def look(where: str) -> None:
        at_rest(window)
        for width in WIDTHS:
            seen_as(window, width, THEMES[0])
            drawn(window)
            wrong.extend(f"{where} at {width} px: {said}" for said in watched.wrong(window))
            if window.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{where} at {width} px scrolls sideways")
        seen_as(window, WIDTHS[0], THEMES[0])

    for path, sign in (("alerts", "Acknowledge"), ("changes", "Its upload")):
        window.goto(f"{dashboard}/{path}")
        drawn(window)
        first_box(window)
        expect(window.get_by_text(sign).first).to_be_visible()
        look(path)
    window.goto(f"{dashboard}/upload")
    drawn(window)
    window.locator("input[type=file]").set_input_files(
        {
            "name": FILE,
            "mimeType": "application/json",
            "buffer": _json([{"store": STORES[0], "item": MARKUP, "count": 0}]),
        }
    )
    expect(window.get_by_text("what it will do")).to_be_visible()
    look("a preview")
    window.get_by_role("button", name="Send", exact=True).click()
    expect(window.get_by_role("link", name="Its changes")).to_be_visible()
    look("a receipt")
    assert not wrong, "\n".join(wrong)


CONTROL = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from services.standing import Sums
from tests.hostile import TRICKS
from ui import charts, plain

for number, name in enumerate(TRICKS):
    said = plain.escaped(name)
    with st.container(key=f"name-{{number}}"):
        st.markdown(said)
        st.markdown(f"**{{said}}** · {{said}}")
        st.button(said, key=f"button-{{number}}")
        st.header(said, anchor=False)
found = [Sums(name, 3, 1, 1, "") for name in TRICKS[:charts.BARS]]
st.plotly_chart(charts._bars(found).figure, config=charts.CONFIG)
st.title("Drawn")
"""


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page of nothing but names, as our pages give them to Streamlit."""
    folder: Path = tmp_path_factory.mktemp("names")
    (folder / "names.py").write_text(CONTROL.format(root=str(ROOT)))
    with dashboard.serving(folder, folder / "names.py", {}, folder=ROOT) as address:
        yield address


_READ = """() => [...document.querySelectorAll('[class*=st-key-name-]')].map(one => ({
    texts: [...one.querySelectorAll('[data-testid=stMarkdownContainer], [data-testid=stHeading] :is(h1, h2, h3)')]
        .map(text => text.textContent),
    inside: [...one.querySelectorAll('[data-testid=stMarkdownContainer] *')]
        .filter(part => !part.closest('[data-testid=stHeading]') || !['DIV', 'H2', 'SPAN'].includes(part.tagName))
        .map(part => part.tagName.toLowerCase()).filter(name => !['p', 'strong'].includes(name)),
}))"""


def test_every_trick_reads_as_it_stands_wherever_streamlit_reads_markdown(window: Page, control: str):
    watched = Watched(control)
    watched.on(window)
    window.goto(control)
    expect(window.get_by_role("heading", name="Drawn")).to_be_visible()
    at_rest(window)
    found = window.evaluate(_READ)
    assert len(found) == len(hostile.TRICKS)
    wrong = []
    for name, one in zip(hostile.TRICKS, found, strict=True):
        said = _line(oneline(name))
        texts = {_line(text) for text in one["texts"]}
        wrong += [f"{name!r} reads {text!r}" for text in texts - {said, _line(f"{said} · {said}")}]
        wrong += [f"{name!r} makes <{part}>" for part in one["inside"]]
    assert not wrong, "\n".join(wrong)
    expect(window.locator(".ytick text")).to_have_count(14)
    ticks = window.locator(".ytick text").all_text_contents()
    assert [_line(tick) for tick in ticks] == [_line(oneline(plain.cut(name, 24))) for name in hostile.TRICKS[:14]]
    assert watched.wrong(window) == []


def _line(text: str) -> str:
    """In one line, without the joiners, which have no width."""
    return " ".join(text.split()).replace("\u2060", "")

"""Where the time of a page's first paint goes: what the browser fetches, and how long its scripts keep it busy.

    python -m bench.apart --home FOLDER [--page upload] [--runs 3]

FOLDER/state has been filled before (`python -m tests.past`). Milliseconds since the address was asked for.
"""

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from bench.watching import paint, painted
from tests import dashboard
from tests.dashboard import PAGES


def taken_apart(chrome: Browser, address: str, heading: str) -> dict[str, Any]:
    """One first paint in a new browser context."""
    context = chrome.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    with closing(context):
        session = context.new_cdp_session(page)
        session.send("Performance.enable")
        messages = _messages(page)
        seconds = paint(page, address, heading)
        spent = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        told: dict[str, Any] = page.evaluate(_TOLD)
        told |= {name: round(spent[name] * 1000) for name in ("ScriptDuration", "LayoutDuration", "TaskDuration")}
        return told | {
            "whole": round(seconds * 1000),
            "messages": len(messages),
            "bytes over the socket": sum(messages),
        }


def _messages(page: Page) -> list[int]:
    sizes: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda payload: sizes.append(len(payload))))
    return sizes


_TOLD = """() => {
    const of = performance.getEntriesByType('resource').filter(one => one.initiatorType !== 'xmlhttprequest')
    const kept = of.sort((a, b) => b.decodedBodySize - a.decodedBodySize)
    const paint = performance.getEntriesByName('first-contentful-paint')[0]
    return {
        'first contentful paint': paint ? Math.round(paint.startTime) : null,
        'page loaded': Math.round(performance.timing.loadEventEnd - performance.timing.navigationStart),
        'files': kept.length,
        'KB': Math.round(kept.reduce((sum, one) => sum + one.decodedBodySize, 0) / 1024),
        'KB fetched': Math.round(kept.reduce((sum, one) => sum + one.transferSize, 0) / 1024),
        'last file at': Math.round(Math.max(...kept.map(one => one.responseEnd))),
        'largest': kept.slice(0, 12).map(one => [
            one.name.split('/').pop(), `${Math.round(one.decodedBodySize / 1024)} KB`, Math.round(one.startTime),
            Math.round(one.responseEnd)]),
    }
}"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.apart", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--page", choices=PAGES, default="")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with dashboard.running(given.home) as address, dashboard.chromium() as chrome:
        expect.set_options(timeout=120_000)
        with painted(chrome, address, "Overview") as (page, _):  # the first one has the stock read, and the last weeks
            expect(page.get_by_text("is being worked out")).to_have_count(0, timeout=300_000)
        for _ in range(given.runs):
            for what, value in taken_apart(chrome, f"{address}/{given.page}", PAGES[given.page]).items():
                print(f"{what:26}{value}")


if __name__ == "__main__":
    main()

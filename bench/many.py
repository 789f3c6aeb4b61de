"""The pages over many items, in a real browser: 100,000 items in 300 stores, loaded through the whole chain.

    python -m bench.many [--runs 5] [--home FOLDER]

Each page's first paint in a new browser context and in one that has been there before, as `bench.watching` times it;
and on the Stock page from the Enter behind a search until the caption of the table has changed. With --home, over a
folder whose `state` has been filled before (`python -m tests.past`).
"""

import argparse
import statistics
import tempfile
from collections import defaultdict
from itertools import cycle, islice
from pathlib import Path

from playwright.sync_api import Browser, expect

from bench.watching import Times, paint, painted
from local import engine
from services import stack as stacks
from services import stock, uploads
from services.stack import Stack
from tests import dashboard
from tests.dashboard import PAGES

STORES, ITEMS = 300, 334
FIRST, KNOWN, FILTER = "first paint", "known browser", "Stock, a search answered"
START = "the first visitor after a start"
_SEARCH = """() => {
    const told = () => [...document.querySelectorAll('[data-testid=stCaptionContainer]')]
        .map(one => one.innerText).filter(text => /item/i.test(text)).join()
    window.answers = []
    document.addEventListener('keydown', event => {
        if (event.key !== 'Enter') return
        const begin = performance.now(), before = told()
        const watch = new MutationObserver(() => {
            if (told() === before) return
            watch.disconnect()
            window.answers.push(performance.now() - begin)
        })
        watch.observe(document.body, {subtree: true, childList: true, characterData: true})
    }, true)
}"""


def pages(runs: int, home: Path | None = None) -> Times:
    """Seconds, by what was waited for."""
    found: Times = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        place = home or Path(name)
        with dashboard.running(place) as address, dashboard.chromium() as chrome:
            expect.set_options(timeout=120_000)
            stack = stacks.connect({"STOCKTRAIL_HOME": str(place / "state")})
            if home is None:
                list(uploads.follow(stack, uploads.send(stack, "stock.csv", _file()), timeout=900))
            with painted(chrome, address, "Overview") as (page, seconds):
                found[START].append(seconds)
                # For a minute or so it reads the last four weeks beside the pages.
                expect(page.get_by_text("is being worked out")).to_have_count(0, timeout=300_000)
            for _ in range(runs):
                for path, heading in PAGES.items():
                    with painted(chrome, f"{address}/{path}", heading) as (page, seconds):
                        found[f"{heading}, {FIRST}"].append(seconds)
                        found[f"{heading}, {KNOWN}"].append(paint(page, f"{address}/{path}", heading))
            found[FILTER] += _searched(chrome, f"{address}/stock", _texts(stack), runs)
            engine.detach(place / "state")
    return found


def _file() -> bytes:
    lines = [f"Store {n // ITEMS:03},Item {n % ITEMS:04},{n % 97}" for n in range(STORES * ITEMS)]
    return "\n".join(["Store,Item,Count", *lines]).encode()


def _texts(stack: Stack) -> list[str]:
    """Words to search for, each found in another number of items than any other: from a few to most of them."""
    names = [f"{one.item}\n{one.store}".casefold() for one in stock.table(stack)]
    words = sorted({word for name in names for word in name.split()})
    by_count = {sum(word in name for name in names): word for word in words[:: max(1, len(words) // 50)]}
    found = [by_count[count] for count in sorted(by_count)]
    return found[:: max(1, len(found) // 6)]


def _searched(chrome: Browser, address: str, texts: list[str], runs: int) -> list[float]:
    """From the Enter behind a search until the caption has changed."""
    with painted(chrome, address, "Stock") as (page, _):
        page.evaluate(_SEARCH)
        box = page.get_by_role("textbox", name="Search")
        for n, text in enumerate(islice(cycle(texts), runs + 1)):  # the first one makes what the others find made
            box.fill(text)
            page.keyboard.press("Enter")
            page.wait_for_function(f"window.answers.length > {n}")
            dashboard.at_rest(page)
        return [one / 1000 for one in page.evaluate("window.answers")[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.many", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    for what, seconds in pages(given.runs, given.home).items():
        print(f"{what:40}{statistics.median(seconds):.3f}  {' '.join(f'{one:.3f}' for one in seconds)}")


if __name__ == "__main__":
    main()

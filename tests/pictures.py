"""Pictures of every page, to be looked at:

    python -m tests.pictures --home FOLDER --out FOLDER [--pages overview stock an-item …]
                             [--widths 1440 390] [--themes light dark]

FOLDER/state is the engine's state folder, new or with a past (`python -m tests.past`). A page is pictured as long as it
is. Each line tells what is wrong with one; sheet.png in the out folder has all of them, a page in a row.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests import dashboard
from tests.looking import HEIGHT, THEMES, WIDTHS, View, attached, drawn, shown, views, window

_SCALE, _MARGIN, _LONGEST = 2, 24, 6_000
_SECONDS = 60_000


def take(home: Path, out: Path, pages: Sequence[str], widths: Sequence[int], themes: Sequence[str]) -> bool:
    """Take the pictures; whether nothing was wrong."""
    out.mkdir(parents=True, exist_ok=True)
    rows, good = [], True
    with dashboard.running(home) as address, dashboard.chromium() as chrome, attached(home / "state") as stack:
        expect.set_options(timeout=_SECONDS)
        page = window(chrome)
        for view in (one for one in views(stack) if one.name in pages or not pages):
            row = []
            for width, theme in product(widths, themes):
                place = out / f"{view.name}-{width}-{theme}.png"
                with shown(page, address, view, width, theme) as one:
                    wrong = one.wrong()
                    _whole(one.page, view, width, place)
                good = good and not wrong
                print(place.name, "ok" if not wrong else "", *(f"\n    {line}" for line in wrong), flush=True)
                row.append(place)
            rows.append(row)
    sheet(rows, out / "sheet.png")
    return good


def _whole(page: Page, view: View, width: int, place: Path) -> None:
    """The page's main part scrolls by itself: the window is made as high as it is."""
    high = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(_LONGEST, max(HEIGHT, high))})
    drawn(page, view.heading)
    page.screenshot(path=place)


def sheet(rows: Sequence[Sequence[Path]], place: Path) -> None:
    """All pictures in one, half as wide."""
    drawn_rows = [[_small(path) for path in row] for row in rows]
    wide = max(sum(one.width + _MARGIN for one in row) for row in drawn_rows) + _MARGIN
    high = sum(max(one.height for one in row) + 2 * _MARGIN for row in drawn_rows) + _MARGIN
    whole = Image.new("RGB", (wide, high), "#808080")
    pen, top = ImageDraw.Draw(whole), _MARGIN
    for row, paths in zip(drawn_rows, rows, strict=True):
        left = _MARGIN
        for one, path in zip(row, paths, strict=True):
            pen.text((left, top - 14), path.stem, fill="white")
            whole.paste(one, (left, top))
            left += one.width + _MARGIN
        top += max(one.height for one in row) + 2 * _MARGIN
    whole.save(place)


def _small(path: Path) -> Image.Image:
    with Image.open(path) as one:
        return one.convert("RGB").resize((one.width // _SCALE, one.height // _SCALE), Image.Resampling.LANCZOS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pages", nargs="+", default=[], metavar="NAME", help="such as overview, an-upload, an-item")
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--themes", nargs="+", choices=THEMES, default=THEMES)
    given = parser.parse_args()
    (given.home / "state").mkdir(parents=True, exist_ok=True)
    sys.exit(not take(given.home.resolve(), given.out, given.pages, given.widths, given.themes))


if __name__ == "__main__":
    main()

"""The figures as a page: docs/performance.md and its plot, drawn from bench/results.json.

Owns the words and the tables. Measures nothing.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from bench import many, told
from bench.loading import CHAIN, LAST, ROOT
from bench.ways import FILES
from lambdas.spending import Units, price
from services.words import dollars
from tests.dashboard import PAGES, chromium

Results = dict[str, Any]
"""`machine`; `loading` by rows, as `bench.loading` gives it; `writing`; seconds, by what: `six rows`, `pages` and
`many`; `viewers`."""
PAGE, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.png"
RIVALS = ("row by row", "batch_writer")


def write(results: Results) -> None:
    _plot(results)
    PAGE.write_text("\n".join(page(results)) + "\n")


def page(results: Results) -> Iterator[str]:
    yield _HEAD.format(**results["machine"])
    for rows, figures in sorted(results["loading"].items(), key=lambda one: int(one[0])):
        yield from _loading(int(rows), figures)
    yield from _growth(results["loading"])
    if huge := results.get("huge"):
        yield from _huge(huge)
    if writing := results.get("writing"):
        yield from _writing(writing)
    if waited := results.get("six rows"):
        yield from _six_rows(waited)
    if pages := results.get("pages"):
        yield from _pages(pages)
    if wide := results.get("many"):
        yield from _many(wide)
    if watched := results.get("viewers"):
        yield from told.viewers(watched)


_HEAD = """# Performance

`make bench` wrote this page: every way loads the same file three times (into a table that does not know its stores, the
same file again, and with one row in a hundred changed), the ways take turns, each in a process of its own and with
stores of its own (1,000 items a store), on an embedded engine; then the same file goes through the whole chain on a
second one. Medians; each table says of how many.

- **row by row**: csv.DictReader and a PutItem for each row, the loader of the class
- **conditional put in 8 threads**: the same with a condition on UpdatedAt, in threads
- **batch_writer** (boto3) and **awswrangler** (put_df): 25 rows a request, without a condition
- **ours**: all that the loader does, from fetching the object to the receipt, every row with its fate
- **chain**: from the PUT until the receipt says loaded, and until the last stream record has been kept and checked;
  real Lambdas, and the units of DynamoDB are those of all three of them

Money: on-demand list prices, $0.625 for a million write units and $0.125 for a million read units. Memory: of the
process that loads, at its peak; of the chain, the loader's. Those who make a request for each row are left out where
that would take hours.

Machine, when the last part was measured: {machine}. {software}. {date}.

![Rows a second of each way](performance.png)
"""


def _loading(rows: int, figures: dict[str, Any]) -> Iterator[str]:
    runs = len(next(iter(figures.values()))["files"][0]["seconds"])
    yield f"\n## {rows:,} rows\n\nMedians of {runs}: seconds (rows a second).\n"
    yield "| | " + " | ".join(FILES) + " | peak MB |"
    yield "|---|" + "---|" * (len(FILES) + 1)
    for way, one in figures.items():
        yield f"| {way} | " + " | ".join(_rate(rows, s) for s in _seconds(one)) + f" | {one['peak_mb']:,} |"
    for way, rival in [("ours", rival) for rival in RIVALS] + [(CHAIN, "ours"), (LAST, "ours")]:
        if rival in figures:
            yield f"| {_compared(way, rival)} | " + " | ".join(_ratios(figures, way, rival)) + " | |"
    yield "\nWrite units / read units, and what they cost.\n"
    yield "| | " + " | ".join(FILES) + " |"
    yield "|---|" + "---|" * len(FILES)
    for way, one in figures.items():
        if "units" in one["files"][0]:
            yield f"| {way} | " + " | ".join(_cost(file["units"]) for file in one["files"]) + " |"
    yield "| **the whole chain costs … of a write for each row** | " + " | ".join(_share(rows, figures)) + " |"


def _seconds(one: dict[str, Any]) -> list[float]:
    return [statistics.median(file["seconds"]) for file in one["files"]]


def _rate(rows: int, seconds: float) -> str:
    return f"{seconds:.3f} ({rows / seconds:,.0f})"


def _compared(way: str, rival: str) -> str:
    return (
        f"**{way} takes … times as long as {rival}**" if rival == "ours" else f"**ours is … times as fast as {rival}**"
    )


def _ratios(figures: dict[str, Any], way: str, rival: str) -> Iterator[str]:
    for mine, theirs in zip(_seconds(figures[way]), _seconds(figures[rival]), strict=True):
        yield f"{mine / theirs:.2f}" if rival == "ours" else f"{theirs / mine:.1f}"


def _cost(units: list[float]) -> str:
    reads, writes = units
    return f"{writes:,.0f} / {reads:,.0f}, {dollars(price(Units(reads, writes)))}"


def _share(rows: int, figures: dict[str, Any]) -> Iterator[str]:
    for file in figures[LAST]["files"]:
        yield f"{price(Units(*file['units'])) / price(Units(0, rows)):.2%}"


def _growth(loading: dict[str, Any]) -> Iterator[str]:
    sizes = [rows for rows in sorted(map(int, loading)) if rows >= 10_000]
    if len(sizes) < 2:
        return
    yield "\n## A row of a big file\n\nMicroseconds for a row; and how many times as many as at 10,000 rows.\n"
    yield "| | " + " | ".join(f"{rows:,} rows" for rows in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    for way in ("ours", CHAIN, LAST):
        for n, which in enumerate(FILES):
            each = [_seconds(loading[str(rows)][way])[n] / rows * 1e6 for rows in sizes]
            yield f"| {way}: {which} | " + " | ".join(f"{one:.0f} ({one / each[0]:.2f})" for one in each) + " |"


def _huge(huge: dict[str, Any]) -> Iterator[str]:
    yield """
## A file that is loaded in parts

`python -m bench.huge --kill`, one run, from the PUT, on the embedded engine. The rows lie across a thousand stores;
one in a thousand can't be used, and one in a thousand comes again. A loader's process was killed when a fifth of the
parts were through, and the engine when half of them were. Afterwards each row's fate was read back: every row is told
once, and the fates are those that the file was made with. Memory is of a loader's process at its peak. “Not yet”: not
within an hour.
"""
    yield "| " + " | ".join(["rows", "MB", "in parts", "parts", *_HUGE.values(), "killed meanwhile"]) + " |"
    yield "|---" * (len(_HUGE) + 5) + "|"
    for rows, found in sorted(huge.items(), key=lambda one: int(one[0])):
        for which in ("first load", "same again"):
            if one := found.get(which):
                said = [
                    f"{int(rows):,}, {which}",
                    f"{found['MB of the file']}",
                    f"{one['parted']:.0f} s",
                    str(one["parts"]),
                ]
                said += [f"{one[name]:,.0f}" if name in one else "not yet" for name in _HUGE] + [
                    ", ".join(one["killed"]) or "nothing"
                ]
                yield "| " + " | ".join(said) + " |"


_HUGE = {
    "loaded": "loaded, s", "settled": "last record checked, s", "MB while it was parted": "MB, while parted",
    "MB at most": "MB, at most", "records seen": "records", "reads": "read units", "writes": "write units",
}  # fmt: skip


def _writing(writing: dict[str, Any]) -> Iterator[str]:
    yield "\n## A hundred rows a transaction, or one a request\n"
    yield "Under the same condition, 10,000 rows; medians.\n"
    yield "| | new items, rows/s | new counts, rows/s | write units a row |\n|---|---|---|---|"
    for way, one in writing.items():
        yield f"| {way} | {one['new']:,.0f} | {one['changed']:,.0f} | {one['units']:.0f} |"


def _six_rows(waited: dict[str, list[float]]) -> Iterator[str]:
    yield "\n## Six rows, one of which runs out\n\nFrom the PUT, on a warm engine: seconds.\n"
    yield "| until | median | p95 | of |\n|---|---|---|---|"
    for what, seconds in waited.items():
        p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
        yield f"| the {what} | {statistics.median(seconds):.3f} | {p95:.3f} | {len(seconds)} |"


def _pages(pages: dict[str, list[float]]) -> Iterator[str]:
    yield f"""
## In the browser

Chromium, 10,000 items and their 10,000 changes; medians of {min(map(len, pages.values()))}: seconds. A first paint is
of a new browser context, from asking for the address until the heading stands there and the script has ended.
"""
    yield "| | seconds |\n|---|---|"
    for what, seconds in pages.items():
        yield f"| {what} | {statistics.median(seconds):.3f} |"


def _many(times: dict[str, list[float]]) -> Iterator[str]:
    yield f"""
## In the browser, over {many.STORES * many.ITEMS:,} items

In {many.STORES} stores, loaded through the whole chain just before. Medians of {len(times[many.FILTER])}: seconds; of a
new browser, and of one that has been there before and holds Streamlit's files. The first visitor after a start waits
until the table has been read: {times[many.START][0]:.1f} s. From the Enter behind a search on the Stock page until the
caption of the table tells how many are left: **{statistics.median(times[many.FILTER]):.3f} s**.
"""
    yield "| | new browser | known browser |\n|---|---|---|"
    for heading in (one for one in PAGES.values() if f"{one}, {many.FIRST}" in times):  # a page may be newer
        both = (times[f"{heading}, {which}"] for which in (many.FIRST, many.KNOWN))
        yield f"| {heading} | " + " | ".join(f"{statistics.median(one):.3f}" for one in both) + " |"


def _plot(results: Results) -> None:
    rows, figures = max(((int(rows), one) for rows, one in results["loading"].items() if "batch_writer" in one))
    slow, slow_figures = max(((int(r), one) for r, one in results["loading"].items() if "row by row" in one))
    both = {way: (slow, one) for way, one in slow_figures.items()} | {way: (rows, one) for way, one in figures.items()}
    chart = go.Figure()
    for n, which in enumerate(FILES):
        rates = [count / _seconds(one)[n] for count, one in both.values()]
        text = [f"{rate:,.0f}" for rate in rates]
        chart.add_bar(
            name=which, y=list(both), x=rates, orientation="h", text=text, textposition="outside", cliponaxis=False
        )
    chart.update_layout(
        template="plotly_white", barmode="group", font={"family": "sans-serif", "size": 14}, width=1000, height=620,
        title=f"Rows a second: {rows:,} rows ({slow:,} where each row is a request)",
        xaxis={"title": "rows a second"}, yaxis={"autorange": "reversed"}, margin={"l": 220, "r": 80},
        legend={"orientation": "h", "y": -0.15},
    )  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".html") as html, chromium() as browser:
        html.write(chart.to_html(include_plotlyjs=True))
        html.flush()
        page = browser.new_page(viewport={"width": 1000, "height": 620})
        page.goto(Path(html.name).as_uri())
        page.locator(".main-svg").first.wait_for()
        page.screenshot(path=PLOT)

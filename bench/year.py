"""A simulated year: some stores and days of it through the real pipeline, and what that comes to at the full size.

    python -m bench.year [--stores 20] [--items 200] [--days 7] [--seed 1]

The files of `bench.chain` are sent to an embedded engine in their order, four at a time, each followed until its last
stream record is checked. At the end the laws are checked (each store by `tests.laws`, everything by `verify`, and the
table against what is really on the shelves), and what each kind of file took is kept in bench/year.json: units as the
receipts count them. `bench.scale` carries them to ten thousand stores.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import costs, scale
from bench.__main__ import machine
from bench.chain import KINDS, Chain, File, Till
from bench.loading import ROOT, running
from bench.requests import requests_of_a_file, sizes, sweep
from services import stock, uploads, verifying
from services.outcome import Receipt
from services.stack import Stack
from tests import laws

RESULTS = ROOT / "bench" / "year.json"
_AT_ONCE = 4
"""As many as the template lets load at once."""
Figures = dict[str, Any]


def drive(stack: Stack, files: Iterable[File]) -> Iterator[tuple[File, Receipt]]:
    """Send files, a few at a time, and give each with its settled receipt."""

    def through(file: File) -> tuple[File, Receipt]:
        name = f"{file.store} {file.kind} {file.sent:%Y-%m-%d %H%M}.csv"
        *_, last = uploads.follow(stack, uploads.send(stack, name, file.data), timeout=600)
        return file, last

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(through, files)


def summed(driven: Iterable[tuple[File, Receipt]]) -> dict[str, Counter[str]]:
    """By kind of file: files, rows, records, reads, writes, bytes, alerts, and each fate."""
    found: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for file, receipt in driven:
        one = found[file.kind]
        one.update(files=1, rows=receipt.rows, records=receipt.records_expected, alerts=receipt.alerts)
        one.update({fate: count for fate, count in receipt.fates.items() if count})
        one["reads"] += float(receipt.reads)  # type: ignore[assignment]
        one["writes"] += float(receipt.writes)  # type: ignore[assignment]
        one["bytes"] += len(file.data)
    return found


def logged(stack: Stack, since: float) -> dict[str, dict[str, float]]:
    """Of each Lambda: its runs since then, their milliseconds by their REPORT lines, and the bytes of all lines."""
    logs, found = stack.client("logs"), {}
    for name in ("loader", "recorder", "checker", "sweeper"):
        group = f"{stack.settings.logs}/{name}"
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
        lines = [one["message"] for page in pages for one in page["events"]]
        took = [float(line.split("Duration: ")[1].split()[0]) for line in lines if line.startswith("REPORT")]
        found[name] = {"runs": len(took), "ms": sum(took), "bytes": sum(len(line.encode()) for line in lines)}
    return found


def broken(stack: Stack, tills: list[Till], receipts: dict[str, list[Receipt]]) -> tuple[list[str], float]:
    """How the laws were broken; and the seconds that `verify` took of it."""
    found = [text for till in tills for text in laws.broken(stack, till.name, receipts[till.name])]
    found += [text for till in tills for text in off_shelf(stack, till)]
    verified = verifying.verify(stack)
    return found + [one.said for one in verified.differences], verified.seconds


def off_shelf(stack: Stack, till: Till) -> list[str]:
    """Where the table says something else than what lies on a store's shelf."""
    held = {one.item: (one.count, (one.updated_at or "")[:19]) for one in stock.of_store(stack, till.name)}
    true = {one.item: (one.count, one.at[:19]) for one in till.shelf.values()}
    wrong = sorted(item for item in held.keys() | true.keys() if held.get(item) != true.get(item))
    return [f"{till.name} · {item}: {held.get(item)}, and {true.get(item)} is true" for item in wrong]


def measure(stores: int, items: int, days: int, seed: int) -> Figures:
    """Drive so much of the year, check the laws, and give what was measured."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    chain = Chain(stores, items, midnight - timedelta(days=days + 3), seed)
    tills = [chain.till(number) for number in range(stores)]
    receipts: dict[str, list[Receipt]] = {till.name: [] for till in tills}
    first, later = None, {kind: Counter[str]() for kind in KINDS}
    begin = time.monotonic()
    with running(followed=True) as (stack, _):
        for number, files in enumerate(chain.days(tills, days)):
            driven = list(drive(stack, files))
            for file, receipt in driven:
                receipts[file.store].append(receipt)
            counted = summed(driven)
            if number:
                for kind in KINDS:
                    later[kind].update(counted[kind])
            else:
                first = counted
            print(f"{datetime.now():%H:%M:%S} day {number + 1}: {len(driven)} files", flush=True)
        seconds = time.monotonic() - begin
        wrong, verified = broken(stack, tills, receipts)
    every = [one for own in receipts.values() for one in own]
    return {
        "stores": stores, "items": items, "days": days, "seed": seed, "seconds": seconds, "broken": wrong,
        "uploads": len(every), "rows": sum(one.rows for one in every), "verify seconds": verified,
        "records": sum(one.records_seen or 0 for one in every), "first day": first, "kinds": later,
    }  # fmt: skip


def beside(items: int) -> Figures:
    """What is measured on small engines of their own: the requests of a file, what it leaves in tables, bucket and
    logs, and a look of the sweeper."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    chain = Chain(1, items, midnight - timedelta(days=3))
    with running(followed=True) as (stack, _):
        files = next(chain.days([chain.till(0)], 1))
        since = time.time()
        for _ in drive(stack, files):
            pass
        lines, size, look = logged(stack, since), sizes(stack), sweep(stack)
    with running(followed=False) as (alone, _):
        asked = requests_of_a_file(alone)
    runs = lines.pop("sweeper")
    return {
        "requests": asked, "sizes": size, "log bytes": sum(one["bytes"] for one in lines.values()) / len(files),
        "sweep": look | {"log_bytes": runs["bytes"] / max(1, runs["runs"])},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.year", description=__doc__)
    parser.add_argument("--stores", type=int, default=20)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", action="store_true", help="only what is measured on engines of their own")
    given = parser.parse_args()
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not given.beside:
        found |= measure(given.stores, given.items, given.days, given.seed)
        found |= {"machine": machine(("ministack", "boto3"))}
    found |= beside(found["items"])
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    results = json.loads((ROOT / "bench" / "results.json").read_text())
    scale.write(found, results)
    costs.write(found, results)
    if found["broken"]:
        sys.exit("\n".join(found["broken"]))


if __name__ == "__main__":
    main()

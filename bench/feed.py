"""What it costs to ask a million changes: the first page of the feed, each filter's first page, an item's history.

    python -m bench.feed [--changes 1000000] [--runs 7] [--home FOLDER]

The changes are laid straight into the table, in the product's own shape, over 30 days, with one hour that holds a tenth
of them; with --home, into that state folder, or none where they lie there already. Asked from the services, in one
process, as a page asks them.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from lambdas import recording, tables, times
from lambdas.stream import Change, item_key
from lambdas.upload import new_id
from local import engine
from services import changes
from services import stack as stacks
from services.changes import Counted
from services.lately import Lately
from services.stack import Stack
from services.stock import Mirror
from services.trail import News, Trail
from services.wanted import Wanted
from tests.waiting import until

STORES, ITEMS, DAYS = 300, 334, 30
_BUSY_HOURS_AGO, _AN_UPLOAD, _PAGE, _AT_ONCE = 5, 300, 50, 5_000


def past(many: int, now: str) -> Iterator[Change]:
    """Changes, a tenth of them in one hour, the others over all days; each upload has some hundreds."""
    dice = random.Random(7)  # noqa: S311
    busy = times.later(now, hours=-_BUSY_HOURS_AGO)
    for n in range(many):
        span = (busy, 3600) if n % 10 == 0 else (times.later(now, days=-DAYS), DAYS * 86400)
        if n % _AN_UPLOAD == 0:
            begun = times.later(span[0], seconds=dice.random() * span[1])
            upload = new_id(times.moment(begun))
        at = times.later(span[0], seconds=int(dice.random() * span[1]))[:20] + "000000Z"
        store, item = f"Store {dice.randrange(STORES):03}", f"Item {dice.randrange(ITEMS):04}"
        old, new = dice.randrange(200), max(0, dice.randrange(-20, 200))
        images = [_image(store, item, old, at, None), _image(store, item, new, at, upload)]
        sequence = f"{dice.randrange(10**21):030}"
        yield Change(f"{dice.getrandbits(128):032x}", sequence, "MODIFY", at, store, item, *images, None)


def _image(store: str, item: str, count: int, at: str, upload: str | None) -> dict[str, dict[str, str]]:
    image = {"Store": {"S": store}, "Item": {"S": item}, "Count": {"N": str(count)}, "UpdatedAt": {"S": at}}
    return image | ({"UploadId": {"S": upload}} if upload else {})


def lay(stack: Stack, many: int) -> None:
    """Put them into the table, and a marker for each hour and shard."""
    hours: dict[str, Change] = {}
    for part in tables.chunks(past(many, times.now()), _AT_ONCE):
        tables.batch_put(stack.dynamodb, stack.settings.changes_table, map(recording.item_of, part))
        hours |= {one.bucket: one for one in part}
    markers = (
        tables.to_item({"Bucket": recording.MARKERS, "Position": bucket, "Expires": one.expires})
        for bucket, one in hours.items()
    )
    tables.batch_put(stack.dynamodb, stack.settings.changes_table, markers)


def measure(stack: Stack, runs: int) -> Iterator[tuple[str, list[float]]]:
    """What was asked, and how many seconds each time took."""

    def timed(what: str, ask: Callable[[], object]) -> tuple[str, list[float]]:
        found = []
        for _ in range(runs):
            begin = time.perf_counter()
            ask()
            found.append(time.perf_counter() - begin)
        return what, found

    latest = changes.newest(stack, 1)[0]
    yield timed(
        "an item's history, its latest 100", partial(changes.of_item, stack, item_key(latest.store, latest.item))
    )
    yield timed("first page with nothing in memory yet: the latest 400", partial(changes.newest, stack, 400))
    yield timed("a page of 29 days ago, out of the table", partial(changes.newest, stack, 400, _days_ago(29)))
    trail, mirror = Trail(), Mirror(stack)
    mirror.refresh()
    begin = time.perf_counter()
    lately = Lately(stack, mirror, rest=lambda _: None, trail=trail)  # a dashboard rests as long as it works
    lately.begin()
    until(lambda: lately.reached is None, seconds=7200)
    yield f"28 days into memory, without a rest: {len(trail):,} changes", [time.perf_counter() - begin]
    some = trail.page(Wanted(), 1000).lines[-1]
    for what, wanted in _filters(some).items():
        yield timed(f"first page, {what}", partial(trail.page, wanted, _PAGE))
    jump = times.later(times.now(), hours=-_BUSY_HOURS_AGO, minutes=30)
    yield timed("a page after a jump into the last hours", partial(trail.page, Wanted(), _PAGE, jump))
    yield timed("a record's images", partial(changes.kept, stack, [some]))
    mark = News(trail.mark())
    trail.add([some._replace(position=some.position + str(n), event_id=some.event_id + str(n)) for n in range(10)])
    yield timed("ten new ones, told of to a reader", partial(trail.news, Wanted(some.store), mark))


def _days_ago(days: int) -> str:
    return times.later(times.now(), days=-days)


def _filters(some: Counted) -> dict[str, Wanted]:
    return {
        "no filter": Wanted(), "a store": Wanted(some.store), "a part of a name": Wanted(text="item 0123"),
        "a store and an item": Wanted(some.store, some.item), "an event": Wanted(event="MODIFY"),
        "an event that there is none of": Wanted(event="REMOVE"), "an upload": Wanted(upload_id=some.upload_id),
        "only real changes": Wanted(real=True), "only to zero": Wanted(zero=True),
        "a store, an item, only to zero": Wanted(some.store, some.item, zero=True),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.feed", description=__doc__)
    parser.add_argument("--changes", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = (given.home or Path(name)).resolve()
        stack = stacks.connect({"STOCKTRAIL_HOME": str(home)})
        try:
            if not changes.newest(stack, 1):
                begin = time.perf_counter()
                lay(stack, given.changes)
                print(f"{given.changes:,} changes laid in {time.perf_counter() - begin:.0f} s", flush=True)
            for what, seconds in measure(stack, given.runs):
                told = " ".join(f"{1000 * one:.1f}" for one in seconds)
                print(f"{what:75} {1000 * statistics.median(seconds):9.1f} ms  ({told})", flush=True)
        finally:
            engine.detach(home)
            until(lambda: not engine.status(home).running, seconds=600)


if __name__ == "__main__":
    main()

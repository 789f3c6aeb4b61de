"""After the faults: time passes, somebody connects again, the sweeper runs; until every upload is settled, or not.

Owns the deadline and what help there is: none but time, a reconnect when the engine is dead, and the sweeper's call.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from lambdas import episodes, times
from local import engine
from services import alerts, failures, uploads
from services.errors import FOREIGN, StocktrailError
from services.uploads import Receipt
from tests.chaos import processes
from tests.chaos.faults import lift
from tests.chaos.senders import Sent
from tests.chaos.world import World

DEADLINE_SECONDS = 90.0
_SWEEP_SECONDS = 2.0
_EXPECTED = (StocktrailError, *FOREIGN, OSError)
Receipts = Mapping[str, list[Receipt]]  # by the file's name, which the plan gives only once


@dataclass
class Settled:
    """How it ended: the receipts, after how many seconds, what had failed and was run again, what is amiss."""

    receipts: Receipts
    seconds: float
    failed: list[str]
    problems: list[str]


def settle(world: World, sent: Iterable[Sent]) -> Settled:
    """Wait until every upload there is has settled and every acknowledged one is there."""
    begin, last_sweep = time.monotonic(), -_SWEEP_SECONDS  # once in any case: it also finds files nobody knows of
    names = [one.file.name for one in sent if one.acknowledged]
    receipts: Receipts = {}
    failed: set[str] = set()
    open_ones = ["nothing could be asked"]
    while open_ones and time.monotonic() < begin + DEADLINE_SECONDS:
        time.sleep(0.25)
        with suppress(*_EXPECTED):
            _revive(world)
            receipts = _all(world)
            failed |= _retried(world)
            if last_sweep < begin:
                last_sweep = time.monotonic()
                sweep(world)
                receipts = _all(world)
            open_ones = [*_not_settled(receipts, names), *_not_told(world), *_failing(world)]
            if open_ones and time.monotonic() > last_sweep + _SWEEP_SECONDS:
                last_sweep = time.monotonic()
                sweep(world)
    problems = [f"after {DEADLINE_SECONDS:.0f} s {one}" for one in open_ones]
    return Settled(receipts, time.monotonic() - begin, sorted(failed), problems)


def sweep(world: World) -> None:
    """Call the function that looks for what was left lying, if this tree has one."""
    _hurry(world)
    if name := getattr(world.direct.settings, "sweeper", None):
        world.direct.client("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"].read()


def _hurry(world: World) -> None:
    """What is held need not wait for its time: that has nothing to do with faults. What a sweeper has just taken on
    (due in fifteen minutes, from then) is left to it."""
    now = times.now()
    soon, later = (times.later(now, seconds=seconds) for seconds in (880, 960))
    for one in episodes.held(world.direct.world):
        if now < one["Due"] < soon or one["Due"] > later:
            episodes.hold(world.direct.world, episodes.opening_of(one), now, one["HeldFor"])


def _revive(world: World) -> None:
    if engine.status(world.home).running:
        lift(_limited(world))
    else:
        world.connect()


def _limited(world: World) -> list[int]:
    server = processes.server(world.home)
    return [server, *processes.children(server)] if server else []


def _all(world: World) -> Receipts:
    found: defaultdict[str, list[Receipt]] = defaultdict(list)
    for one in uploads.recent(world.direct, 100_000):
        found[one.file].append(one)
    return found


def _retried(world: World) -> set[str]:
    """Run again what failed visibly, as a person would; what there was. No file of the plan is unusable by itself."""
    found = failures.every(world.direct)
    for one in found:
        failures.retry(world.direct, one.id)
    return {f"{one.what}: {one.about}: {one.reason}" for one in found}


def _failing(world: World) -> list[str]:
    return [f"{one.what}: {one.about}: {one.reason}" for one in failures.every(world.direct)]


def _not_told(world: World) -> list[str]:
    """The alerts whose message SNS has not taken yet, and that were not over before it could go."""
    found = alerts.history(world.direct, 100_000)
    return [f"no message was sent for {one.store}/{one.item}, out since {one.opened_at}" for one in found if one.unsent]


def _not_settled(receipts: Receipts, names: Iterable[str]) -> list[str]:
    moving = [one for found in receipts.values() for one in found if not one.settled]
    missing = [f"there is no receipt of {name}, which was acknowledged" for name in names if not receipts.get(name)]
    return missing + [
        f"{one.file} ({one.upload_id}) is {one.state}: expected {one.records_expected}, seen {one.records_seen}, "
        f"checked {one.records_checked}; {one.reason or ''}"
        for one in moving
    ]

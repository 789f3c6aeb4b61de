"""One round: uploads and faults at once, then calm, then the books.

Owns the order of these, and what is told of a round.
"""

import importlib
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from local import engine
from tests.chaos import accounts, listening, settling
from tests.chaos.accounts import Books
from tests.chaos.faults import Faults
from tests.chaos.plan import Plan
from tests.chaos.senders import Senders, Sent
from tests.chaos.world import World


@dataclass
class Told:
    """What is told of a round, as JSON between the processes."""

    number: int
    kinds: list[str]
    struck: dict[str, int] = field(default_factory=dict)
    uploads: int = 0
    acknowledged: int = 0
    failed: int = 0
    alerts: int = 0
    alerts_lost: int = 0
    second_episodes: int = 0
    twice_marked: int = 0
    twice_unmarked: int = 0
    acted_seconds: float = 0.0
    settled_seconds: float = 0.0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def play(world: World, plan: Plan, books: Books) -> Told:
    """A whole round. Whatever is wrong stands in `problems`."""
    begin = time.monotonic()
    told = Told(plan.number, sorted(plan.kinds))
    fresh = _act(world, plan, told)
    books.sent += fresh
    told.acted_seconds = time.monotonic() - begin
    told.struck = dict(world.taken())
    settled = settling.settle(world, books.sent)
    told.settled_seconds, told.failed = settled.seconds, len(settled.failed)
    told.notes += settled.failed
    told.problems += settled.problems
    _balance(world, books, told, settled.receipts, fresh)
    told.seconds = time.monotonic() - begin
    return told


def _act(world: World, plan: Plan, told: Told) -> list[Sent]:
    senders, faults = Senders(world, plan.sendings), Faults(world, plan.steps)
    senders.start()
    faults.start()
    faults.join()
    senders.join()
    world.calm()
    told.uploads = len(senders.sent)
    told.acknowledged = sum(one.acknowledged for one in senders.sent)
    told.notes += faults.unexpected + [f"{one.file.name}: {one.error}" for one in senders.sent if one.error]
    return senders.sent


def _balance(world: World, books: Books, told: Told, receipts: settling.Receipts, fresh: list[Sent]) -> None:
    if not receipts:
        told.problems.append("the receipts could not be read")
        return
    books.messages |= listening.received(world.direct)
    found = accounts.account(world.direct, books, receipts, fresh, crossed="kill server" in told.struck)
    told.problems += found.problems + verified(world)
    told.alerts, told.alerts_lost, told.second_episodes = found.alerts, found.alerts_lost, found.second_episodes
    told.twice_marked, told.twice_unmarked = found.twice_marked, found.twice_unmarked
    try:
        engine.checkpoint(world.home)  # what the listener took out of its queue is not to come back
    except engine.EngineError as error:
        told.problems.append(f"CHECKPOINT {error}")
        return
    world.kept = frozenset(one.upload_id or "" for same in receipts.values() for one in same)


def verified(world: World) -> list[str]:
    """What the tree's own verification finds, if it has one."""
    try:
        verify = importlib.import_module("services.verifying").verify
    except ModuleNotFoundError:
        return []
    result = verify(world.direct)
    return [f"VERIFY {one}" for one in result.differences] + [f"VERIFY under way: {one}" for one in result.under_way]

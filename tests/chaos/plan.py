"""What is to happen in one round: which files are sent when, and which faults begin when. Pure, from the seed alone."""

import random
from collections.abc import Collection
from dataclasses import dataclass

from tests.chaos import files
from tests.chaos.answers import NETWORK
from tests.chaos.files import File

SECONDS = 4.0
"""For so long things begin to happen in a round."""
KILLS = ("kill server", "kill worker", "kill saver", "kill dashboard", "kill uploader")
OTHERS = ("events again", "records again", "disk full", "engine's clock", "people's clock")
KINDS = (*KILLS, *NETWORK, *OTHERS)
_RARE = {"kill dashboard": 0.3}
_SELDOM_ASKED = ("conflict", "unprocessed", "topic refuses")
_FOR_ANYONE = ("reset before", "reset after", "latency", "5xx", "throttled")
_WAYS = ("send", "send", "send", "drop", "drop", "command", "embedded")
_JUMPS = (1, 5, 60, 600, 7200)


@dataclass(frozen=True)
class Sending:
    at: float
    file: File
    kill_after: float | None = None  # seconds after its start that the uploading process is killed


@dataclass(frozen=True)
class Step:
    """A fault: begins ``at`` seconds into the round and lasts ``seconds`` where it can last. ``size``: the share of
    the requests that it strikes, or the seconds that a clock jumps."""

    at: float
    kind: str
    seconds: float
    size: float
    by_lambda: bool | None = None
    seed: int = 0
    sure: bool = False  # of the network's: stays until it has struck


@dataclass(frozen=True)
class Plan:
    seed: int
    number: int
    sendings: tuple[Sending, ...]
    steps: tuple[Step, ...]

    @property
    def kinds(self) -> set[str]:
        return {step.kind for step in self.steps}


def draw(seed: int, number: int, only: Collection[str] | None = None) -> Plan:
    """The plan of a round. ``only``: exactly these kinds of faults, each in earnest, in place of some at random."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 (a plan, no secret)
    kinds = _kinds(rng) if only is None else sorted(only)
    sendings = _sendings(rng, number, "kill uploader" in kinds)
    steps = [_step(rng, kind, forced=only is not None) for kind in kinds if kind != "kill uploader"]
    return Plan(seed, number, tuple(sendings), tuple(sorted(steps, key=lambda step: step.at)))


def _kinds(rng: random.Random) -> list[str]:
    drawn = rng.sample(KINDS, rng.randint(2, 5))
    kinds = [kind for kind in drawn if rng.random() < _RARE.get(kind, 1.0)]
    return kinds + [kind for kind in kinds if rng.random() < 0.3]  # some of them twice


def _step(rng: random.Random, kind: str, *, forced: bool) -> Step:
    at, seconds = rng.uniform(0, SECONDS * 0.8), rng.choice((0.3, 1.0, 2.5))
    size = rng.choice((0.05, 0.3, 0.3, 1.0))
    if "clock" in kind:
        size = rng.choice((1, -1)) * rng.choice(_JUMPS)
    elif forced and kind in _SELDOM_ASKED:
        at, seconds, size = 0.0, SECONDS, 0.5
    elif forced and kind in NETWORK:
        at, seconds, size = 0.2, SECONDS, 0.15
    by_lambda = rng.choice((None, True, False)) if kind in _FOR_ANYONE and not forced else None
    return Step(at, kind, seconds, size, by_lambda, rng.randrange(2**32), sure=forced)


def _sendings(rng: random.Random, number: int, kills: bool) -> list[Sending]:
    made: list[Sending] = []
    for n in range(rng.randint(8, 13)):
        name, way = f"r{number}-{n}.csv", rng.choice(_WAYS)
        if made and rng.random() < 0.2:
            file = files.again(rng, rng.choice(made).file, name, way)
        else:
            file = files.draw(rng, name, rng.choice(files.NEWEST_STORES), way)
        made.append(Sending(rng.uniform(0, SECONDS), file))
    if rng.random() < 0.15:
        big = files.draw(rng, f"r{number}-big.csv", files.BIG_STORE, "send")
        made.append(Sending(rng.uniform(0, SECONDS / 2), big))
    for store in files.ONE_AT_A_TIME:
        in_turn = [files.draw(rng, f"r{number}-{store}-{n}.csv", store, "send") for n in range(rng.randint(1, 3))]
        made += [Sending(SECONDS * n / len(in_turn), file) for n, file in enumerate(in_turn)]
    return made + ([_killed(rng, number, n) for n in range(2)] if kills else [])


def _killed(rng: random.Random, number: int, n: int) -> Sending:
    file = files.draw(rng, f"r{number}-killed-{n}.csv", rng.choice(files.NEWEST_STORES), rng.choice(_WAYS[-2:]))
    return Sending(rng.uniform(0, SECONDS * 0.6), file, rng.uniform(0.2, 1.4))

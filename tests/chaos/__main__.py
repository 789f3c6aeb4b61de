"""All rounds: state folders one after the other, some side by side; a line per round, at the end a table.

Exit 1 when anything was wrong; the state folder of a round that failed is kept, and its path printed.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos import plan, world
from tests.chaos.clock import Clock

SOURCE = Path(__file__).resolve().parent.parent.parent
_SUMS = (
    "uploads", "acknowledged", "failed", "alerts_lost", "second_episodes", "twice_marked", "twice_unmarked",
)  # fmt: skip
Line = dict[str, Any]


@dataclass
class Total:
    """What all rounds came to."""

    seed: int
    rounds: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    in_rounds: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    alerts: int = 0
    left: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    settled: list[float] = field(default_factory=list)

    def add(self, folder: Path, told: list[Line]) -> None:
        for line in told:
            if "left" in line:
                self.left += line["left"]
                self.failures += [f"{folder}: {one}" for one in line["left"]]
            else:
                self._add_round(folder, line)
        self.alerts += max((line.get("alerts", 0) for line in told), default=0)  # each round counts the whole folder's

    def _add_round(self, folder: Path, line: Line) -> None:
        self.rounds += 1
        self.struck.update(line["struck"])
        self.in_rounds.update(line["struck"].keys())
        self.sums.update({name: line[name] for name in _SUMS})
        self.settled.append(line["settled_seconds"])
        where = f"seed {self.seed} round {line['number']}, {folder}"
        self.failures += [f"{where}: {problem}" for problem in line["problems"]]


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    where = Path(tempfile.mkdtemp(prefix="chaos-", dir=arguments.where))
    total = Total(arguments.seed)
    numbers = list(range(arguments.first, arguments.first + arguments.rounds))
    parts = [numbers[n : n + arguments.each] for n in range(0, len(numbers), arguments.each)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for folder, told in pool.map(lambda part: run(where / f"from-{part[0]}", arguments.seed, part), parts):
            total.add(folder, told)
            if not _failed(told):
                shutil.rmtree(folder)
    if not any(where.iterdir()):
        where.rmdir()
    print(table(total))
    return 1 if total.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Uploads while everything breaks.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="number of the first round: to run one again")
    parser.add_argument("--jobs", type=int, default=1, help="state folders side by side")
    parser.add_argument("--each", type=int, default=10, help="rounds on one state folder")
    parser.add_argument("--where", type=Path, help="folder for the state folders (the system's)")
    return parser


def run(
    folder: Path, seed: int, numbers: Sequence[int], kinds: Sequence[str] = (), source: Path = SOURCE
) -> tuple[Path, list[Line]]:
    """The rounds of one state folder, in a process of its own. What it told; a process that broke is told as well."""
    world.prepare(folder, source)
    command = [str(Clock(folder / "clock").python), "-m", "tests.chaos.folder", str(folder), "--seed", str(seed)]
    command += ["--numbers", *map(str, numbers)] + [part for each in kinds for part in ("--kinds", each)]
    told: list[Line] = []
    with (folder / "errors").open("wb") as errors, (folder / "told").open("w") as kept:
        process = subprocess.Popen(command, cwd=folder / "tree", stdout=subprocess.PIPE, stderr=errors, text=True)
        with process:
            for line in process.stdout or ():
                told.append(json.loads(line))
                print(line, end="", file=kept, flush=True)  # evidence beside the state that it speaks of
                print(_said(seed, told[-1], folder), flush=True)
    if not told or "left" not in told[-1]:
        said = (folder / "errors").read_text()[-2000:]
        told.append({"left": [f"the process of the rounds {numbers} broke ({process.returncode}): {said}"]})
        print(_said(seed, told[-1], folder), flush=True)
    return folder, told


def _said(seed: int, line: Line, folder: Path) -> str:
    if "left" in line:
        return "\n".join(f"  LEFT BEHIND in {folder}: {one}" for one in line["left"]) or f"  {folder.name}: closed"
    struck = ", ".join(f"{kind} {count}" for kind, count in sorted(line["struck"].items())) or "nothing"
    result = "ok" if not line["problems"] else f"FAILED, evidence in {folder}"
    first = (
        f"seed {seed} round {line['number']}: {line['acknowledged']}/{line['uploads']} acknowledged; {struck}; "
        f"{line['acted_seconds']:.0f} s + {line['settled_seconds']:.1f} s to settle, {line['seconds']:.0f} s in all; "
        f"{result}"
    )
    shown = [f"    {one}" for one in line["problems"][:12]]
    return "\n".join(
        [first, *shown] + ([f"    … {len(line['problems'])} in all"] if len(line["problems"]) > 12 else [])
    )


def _failed(told: Sequence[Line]) -> bool:
    return any(line.get("problems") or line.get("left") for line in told)


def table(total: Total) -> str:
    """What struck how often, and what it came to."""
    return "\n".join(_table(total))


def _table(total: Total) -> Iterator[str]:
    yield f"\n{'fault':<18}{'struck':>8}{'in rounds':>11}"
    for kind in plan.KINDS:
        yield f"{kind:<18}{total.struck[kind]:>8}{total.in_rounds[kind]:>11}"
    yield f"\n{'rounds':<28}{total.rounds:>8}"
    for name, words in zip(_SUMS[:3], ("uploads", "uploads acknowledged", "failed and run again"), strict=True):
        yield f"{words:<28}{total.sums[name]:>8}"
    yield f"{'uploads lost':<28}{sum('LOST' in one and 'ALERT' not in one for one in total.failures):>8}"
    yield f"{'alerts expected':<28}{total.alerts:>8}"
    for name in _SUMS[3:]:
        yield f"{name.replace('_', ' '):<28}{total.sums[name]:>8}"
    yield f"{'left behind':<28}{len(total.left):>8}"
    yield f"{'slowest to settle, s':<28}{max(total.settled, default=0):>8.1f}"
    yield f"{'failures':<28}{len(total.failures):>8}"
    yield from (f"  {one[:400]}" for one in total.failures[:40])


if __name__ == "__main__":
    sys.exit(main())

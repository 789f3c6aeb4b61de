"""The same rounds on a tree without one of its safety measures: a harness that finds nothing then proves nothing.

Owns the measures, each as the text of the code that is it and what stands there without it. `python -m
tests.chaos.without` takes them out one at a time and plays rounds until one fails. Exit 1 when the lack of one was not
noticed.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.__main__ import SOURCE, Line, run


@dataclass(frozen=True)
class Measure:
    """A measure: ``code`` stands exactly once in ``file``. ``kinds``: the faults that it is there for, by comma."""

    name: str
    file: str
    code: str
    instead: str
    kinds: str

    def taken_out(self, tree: Path) -> None:
        """Take it out of a copy of the tree. ValueError when the code is not there (any more), or more than once."""
        place = tree / self.file
        text = place.read_text()
        if text.count(self.code) != 1:
            raise ValueError(f"{self.name}: {self.file} holds the measure's code {text.count(self.code)} times")
        place.write_text(text.replace(self.code, self.instead))


_BROKEN_OFF = "kill worker,kill worker,kill worker,kill worker,latency,latency,latency"
_REPLAYS = "records again,records again,records again"
MEASURES = (
    Measure(
        "the bucket is looked through", "lambdas/sweeping.py",
        "bucket.missing(self.world) if everything else []", "[]", "kill server",
    ),
    Measure(
        "a full disk is refused", "local/objects.py",
        "raise _NotStored(str(error)) from error", "return", "disk full,kill server",
    ),
    Measure(
        "stream records are saved", "local/snapshot.py",
        '    _restore_streams(states[_STREAMS])\n', "", "kill server,kill server,latency",
    ),
    Measure(
        "the engine's clock never goes back", "local/clock.py",
        "max(time.time(), self._now + at - self._at)", "time.time()", "engine's clock",
    ),
    Measure(
        "a repeated PUT is not a second file", "services/uploads.py",
        ', IfNoneMatch="*")', ")", "reset after",
    ),
    Measure(
        "a write is conditional on what was read", "lambdas/inventory.py",
        'parts.append(f"{name} = {key}")\n', 'parts.append(f"({name} = {key} OR attribute_exists({name}))")\n',
        "latency,latency,latency",
    ),
    Measure(
        "a run after a crash asks what was written", "lambdas/applying.py",
        "if not self.rerun:", "if True:", _BROKEN_OFF,
    ),
    Measure(
        "what DynamoDB left undone is sent again", "lambdas/tables.py",
        '["UnprocessedItems"].get(table, [])', "and []", "unprocessed",
    ),
    Measure(
        "the same record is the same episode", "lambdas/episodes.py",
        '            ConditionExpression="attribute_not_exists(ItemKey)",\n', "", _REPLAYS,
    ),
    Measure(
        "an episode is closed by what came after it", "lambdas/episodes.py",
        'if int(episode["Sequence"]) < int(change.sequence):', "if True:", _REPLAYS,
    ),
    Measure(
        "a refused notification is kept", "lambdas/notifying.py",
        "        unsent.keep(world)\n", "        pass\n", "topic refuses",
    ),
    Measure(
        "what was held is sent", "lambdas/sweeping.py",
        "notifying.send_held(self.world, self.sns)", "0", _REPLAYS,
    ),
    Measure(
        "an attempted notification is noted first", "lambdas/notices.py",
        "return {name for prefix, own in groups.items() for name in _attempted(world, prefix, own)}",
        "return set()", _BROKEN_OFF,
    ),
    Measure(
        "SNS is not asked twice in silence", "lambdas/handling.py",
        ', config=Config(retries={"total_max_attempts": 1}))', ")", "reset after,5xx",
    ),
    Measure(
        "what hangs is driven again", "lambdas/sweeping.py",
        "hanging = [*self._hanging({upload.id for upload in lost}), *self._answered()]", "hanging: list[Receipt] = []",
        "kill server",
    ),
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.without", description=__doc__)
    parser.add_argument("names", nargs="*", help="words of the measures' names (all)")
    parser.add_argument("--rounds", type=int, default=20, help="at most so many for each")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args(argv)
    chosen = [one for one in MEASURES if not arguments.names or any(word in one.name for word in arguments.names)]
    unnoticed = 0
    for measure in chosen:
        found = failure_without(measure, arguments.seed, arguments.rounds)
        unnoticed += found is None
        said = found or "NOTHING NOTICED"
        print(f"WITHOUT {measure.name} (seed {arguments.seed}, {measure.kinds}): {said}", flush=True)
    return 1 if unnoticed else 0


def failure_without(measure: Measure, seed: int, rounds: int) -> str | None:
    """What the first round that failed said; None when all were clean."""
    with tempfile.TemporaryDirectory(prefix="chaos-without-") as name:
        tree = Path(name) / "source"
        shutil.copytree(
            SOURCE, tree, ignore=shutil.ignore_patterns(".git", ".venv", ".stocktrail", "*_cache", "__pycache__")
        )
        measure.taken_out(tree)
        numbers = list(range(1, rounds + 1))
        _, told = run(Path(name) / "world", seed, numbers, [measure.kinds] * rounds, source=tree)
    return next((words for line in told if (words := _wrong(line))), None)


def _wrong(line: Line) -> str | None:
    if "left" in line:
        return f"left behind: {line['left'][0]}" if line["left"] else None
    return f"round {line['number']}: {line['problems'][0]}" if line["problems"] else None


if __name__ == "__main__":
    sys.exit(main())

"""Some rounds on one state folder: a process of its own, `python -m tests.chaos.folder`, in the folder's copied tree.

Prints a line of JSON for each round, and a last one with what was left behind at the end.
"""

import argparse
import faulthandler
import json
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from local import engine
from tests.chaos import listening, plan, processes, rounds
from tests.chaos.accounts import Books
from tests.chaos.rounds import Told
from tests.chaos.world import World

_GONE_SECONDS = 5.0
_STUCK_SECONDS = 300.0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--numbers", type=int, nargs="+", required=True)
    parser.add_argument("--kinds", action="append", help="for each round in turn: exactly these, by comma")
    arguments = parser.parse_args(argv)
    world = World(arguments.folder.resolve(), arguments.seed * 1_000_003 + arguments.numbers[0])
    listening.subscribe(world.direct)
    engine.checkpoint(world.home)  # or a kill in the first moments takes the listener with it
    books, good = Books(), True
    for place, number in enumerate(arguments.numbers):
        only = [kind for kind in arguments.kinds[place].split(",") if kind] if arguments.kinds else None
        told = _round(world, plan.draw(arguments.seed, number, only), books)
        _print(told.as_json())
        if not (good := not told.problems):
            break  # the folder is evidence now, and the next rounds would only find the same
    _print({"left": _closed(world, good=good)})
    return 0


def _round(world: World, drawn: plan.Plan, books: Books) -> Told:
    faulthandler.dump_traceback_later(_STUCK_SECONDS, exit=True)  # the harness must end, whatever hangs
    try:
        return rounds.play(world, drawn, books)
    except Exception:  # noqa: BLE001 (whatever it is, it is this round's result)
        return Told(drawn.number, sorted(drawn.kinds), problems=[f"BROKEN {traceback.format_exc()}"])
    finally:
        faulthandler.cancel_dump_traceback_later()


def _closed(world: World, *, good: bool) -> list[str]:
    """Stop everything; what is left of it."""
    try:
        world.close()
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the folder's result)
        return [f"closing failed: {error}"]
    deadline = time.monotonic() + _GONE_SECONDS
    while (left := processes.of_folder(world.home)) and time.monotonic() < deadline:
        time.sleep(0.05)
    found = [f"process {pid} is left: {said}" for pid, said in left.items()]
    return found + ([f"{world.home / 'tmp'} is left"] if (world.home / "tmp").exists() and good else [])


def _print(told: dict[str, object]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    sys.exit(main())

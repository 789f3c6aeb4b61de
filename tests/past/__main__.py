"""A state folder with a past:

    python -m tests.past --home FOLDER [--stores 6] [--items 333] [--days 365] [--seed 1]

FOLDER/state becomes the engine's state folder, as tests/dashboard.py and tests/pictures.py use it. It must be new.
"""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from lambdas import times
from lambdas.stream import KEPT_DAYS
from local import engine
from services import stack as stacks
from services.stack import Stack
from tests.past.books import Books
from tests.past.laying import Laying, at_rest
from tests.past.shops import Chain


def lay(stack: Stack, chain: Chain) -> dict[str, int]:
    """Give a stack, in which there is nothing yet, the past of a chain of stores. How many items each table has got."""
    laying = Laying(stack)
    with at_rest(stack):
        for shop in chain.shops():
            kept_from = times.text(chain.now - timedelta(days=KEPT_DAYS))
            books = Books(kept_from, Random(f"{chain.seed} books {shop.store}"))  # noqa: S311
            laying.uploads(map(books.enter, shop.sent()))
            laying.ends(books)
        laying.finish()
    return {table: count for table, count in laying.laid.items() if count}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.past", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--stores", type=int, default=6)
    parser.add_argument("--items", type=int, default=333, help="of each store")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    state = (given.home / "state").resolve()
    if state.exists() and any(state.iterdir()):
        sys.exit(f"{state} is there already: a past needs a new folder.")
    state.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    stack = stacks.connect({"STOCKTRAIL_HOME": str(state)})
    try:
        laid = lay(stack, Chain(datetime.now(UTC), given.stores, given.items, given.days, given.seed))
        for table, count in sorted(laid.items()):
            print(f"{count:9,}  {table}")
    finally:
        engine.detach(state)
    print(f"{time.monotonic() - begin:.0f} s; the state is in {state}")


if __name__ == "__main__":
    main()

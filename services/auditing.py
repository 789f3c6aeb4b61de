"""The command about the audit: its arguments, what it prints, and the file that it writes."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambdas import times
from lambdas.upload import time_of
from services import audit, deeds, options
from services.audit import AT_MOST, Did, Page, Wanted
from services.errors import NotPossible
from services.printing import print_json
from services.stack import Stack, connect

_FILES: dict[str, Callable[[Page], bytes]] = {".csv": deeds.as_csv, ".jsonl": deeds.as_json_lines}
_FIRST = "2000-01-01T00:00:00.000000Z"


def add(commands: Any, command: Callable[..., argparse.ArgumentParser], moment: Callable[[str], str]) -> None:
    """Give the command line this command. ``command`` makes one that takes --json; ``moment`` reads a time."""
    made = command(commands, "audit", _run, "print who did what, from where and when, the latest first")
    made.add_argument("--by", type=options.name, metavar="NAME", help="what this person did")
    made.add_argument("--did", choices=[did.value for did in Did], metavar="DEED", help=f"one of: {', '.join(Did)}")
    made.add_argument("--store", type=options.name, metavar="NAME", help="what names this store")
    made.add_argument("--since", type=moment, metavar="TIME", help='for example "2026-11-24 18:00" (UTC)')
    made.add_argument("--until", type=moment, metavar="TIME", help="what was done before")
    made.add_argument("--limit", type=_count, default=100, metavar="N", help="so many at most (100)")
    made.add_argument("--out", type=Path, metavar="FILE", help="write all of it to a new file: .csv or .jsonl")


def _count(given: str) -> int:
    if not (given.isdecimal() and 0 < int(given) <= AT_MOST):
        raise argparse.ArgumentTypeError(f"is to be a number from 1 to {AT_MOST}")
    return int(given)


def _run(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    wanted = Wanted(arguments.by, arguments.did, arguments.store)
    if arguments.out:
        return _write(stack, arguments, wanted)
    page = audit.latest(stack, arguments.limit, arguments.until, arguments.since, wanted)
    if arguments.json:
        print_json([one.as_json() for one in page.entries])
    else:
        known = deeds.uploads_of(stack, page.entries)
        for one in page.entries:
            print(deeds.clocked(one, known))
    _say_more(page)
    return 0


def _write(stack: Stack, arguments: argparse.Namespace, wanted: Wanted) -> int:
    path: Path = arguments.out
    if path.suffix not in _FILES:
        raise NotPossible(f"{path} is to end with {' or '.join(_FILES)}.")
    end = arguments.until or times.later(times.now(), hours=24)
    page = audit.export(stack, arguments.since or _FIRST, end, wanted)
    try:
        with path.open("xb") as out:  # never over a file that is there
            out.write(_FILES[path.suffix](page))
    except OSError as error:
        raise NotPossible(f"{path}: {error.strerror}") from error
    print(path)
    _say_more(page)
    return 0


def _say_more(page: Page) -> None:
    if page.before:
        print(f'There are more: --until "{time_of(page.before)}" goes on.', file=sys.stderr)

"""The command `lesson`: four files, three modes, and what came out of each table's stream, printed.

Owns its arguments. What it prints is `services.lesson.telling`'s.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from services.errors import BadFile
from services.lesson.run import lesson
from services.lesson.story import File, own, story
from services.lesson.telling import as_json, in_words
from services.printing import print_json
from services.stack import connect


def add(commands: Any, command: Any) -> None:
    """Add it to the commands; ``command`` makes one."""
    made = command(commands, "lesson", _lesson, "show with three scratch tables what comes out of a stream, and why")
    made.add_argument("files", nargs="*", type=Path, metavar="FILE", help="two of your own, the second one newer")


def _lesson(arguments: argparse.Namespace) -> int:
    files = _own(arguments.files) if arguments.files else story()
    print("Four files go into scratch tables, which are deleted at the end.", file=sys.stderr, flush=True)
    *_, last = lesson(connect(os.environ), files)
    if arguments.json:
        print_json(as_json(last))
    else:
        print(in_words(last))
    return 0


def _own(paths: list[Path]) -> tuple[File, ...]:
    if len(paths) != 2:
        raise BadFile("The lesson takes two files, the second one newer; or none.")
    first, newer = paths
    return own(first.name, _contents(first), newer.name, _contents(newer))


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path} can't be read: {error.strerror}.") from error

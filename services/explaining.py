"""The command `why`: what became of an item of an upload, or of a row, and why no more.

Owns its arguments and what it prints; times are UTC.
"""

import argparse
import os
from collections.abc import Callable

from lambdas.oneline import oneline
from lambdas.stream import of_item_key
from services import words
from services.printing import print_json
from services.stack import connect
from services.why import STEPS, Asked, Chain, Link, why


def add(command: argparse.ArgumentParser, item: Callable[[str], str]) -> None:
    """``item``: what reads STORE/ITEM."""
    command.add_argument("upload_id", metavar="UPLOAD")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("item", nargs="?", type=item, metavar="STORE/ITEM")
    what.add_argument(
        "--row", type=int, metavar="N", help="a row of its file; of those that are not usable, no item is known"
    )
    command.add_argument(
        "--column", metavar="HEADING", help="which cell of that row, in a file with a column for each store"
    )


def run(arguments: argparse.Namespace) -> int:
    store, item = of_item_key(arguments.item) if arguments.item else (None, None)
    asked = Asked(arguments.upload_id, store, item, arguments.row, arguments.column)
    chain = why(connect(os.environ), asked)
    if arguments.json:
        print_json(chain.as_json())
    else:
        print(in_words(chain))
    return 0


def in_words(chain: Chain) -> str:
    """The sentence, and a line for each link."""
    what = f"{chain.store} · {chain.item}" if chain.item else f"row {chain.row}"
    head = f"{oneline(chain.file)}  {chain.upload_id}  {oneline(what)}"
    return "\n".join([head, f"  {oneline(words.timed(chain.sentence))}", *map(_line, chain.links)])


def _line(link: Link) -> str:
    """`done  2026-11-23 12:53:44  change: kept until …; position …`, in columns."""
    at, ids = words.clock(link.at) if link.at else "", [" ".join(one) for one in link.ids]
    said = oneline("; ".join([part for part in (words.timed(link.saw), *ids) if part]))
    return f"  {STEPS[link.step]:12}  {at:19}  {link.name}{': ' if said else ''}{said}"

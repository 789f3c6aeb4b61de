"""The commands about reorder points: what they print, and what they end with."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lambdas.alerts import plain
from lambdas.inventory import Key
from lambdas.oneline import oneline
from lambdas.reorder import ALL, Points, Scope
from services import options, pointfile, reorder, stock, words
from services.changes import number
from services.errors import BadFile
from services.printing import print_json
from services.reorder import Outcome
from services.stack import Stack, connect

_REMOVED = "-"
_FINISH = "Save them once more, in part or whole: that finishes it."


def add(to: argparse.ArgumentParser) -> None:
    """Give the command `reorder` what it knows."""
    parts = to.add_subparsers(metavar="WHAT")
    one = parts.add_parser("set", help="set a reorder point, or remove it", description="Set a reorder point.")
    one.add_argument("--store", type=options.name, metavar="NAME", help="the store (all)")
    one.add_argument("--item", type=options.name, metavar="NAME", help="an item of that store (all of them)")
    one.add_argument("point", type=_point, metavar="POINT", help=f"a number; 0: never low, only out; {_REMOVED}: none")
    one.set_defaults(run=_set)
    many = parts.add_parser("import", help="set those of a file", description="Set the reorder points of a file.")
    many.add_argument("file", type=Path, metavar="FILE", help="with columns store, item and reorder point")
    many.add_argument("--dry-run", action="store_true", help="say what it would set, and set nothing")
    many.set_defaults(run=_import)


def listed(arguments: argparse.Namespace) -> int:
    """Every reorder point that is set."""
    followed = reorder.Followed(connect(os.environ))
    found = followed.refresh()
    if at := followed.broke_off:
        print(f"{words.broke_off(at)} {_FINISH}", file=sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print_json([_as_json(scope, point) for scope, point in _every(found)])
        return 0
    for scope, point in _every(found):
        print(f"{words.scope(scope)}  {plain(point)}")
    if not found.moved:
        print("No reorder point is set: nothing is ever low, only out.")
    return 0


def _every(found: Points) -> Iterator[tuple[Scope, Decimal]]:
    yield ALL, found.default
    yield from sorted((Scope(store), point) for store, point in found.stores.items())
    yield from sorted((Scope(*key), point) for key, point in found.items.items())


def _as_json(scope: Scope, point: Decimal) -> dict[str, Any]:
    return {"store": scope.store, "item": scope.item, "point": number(point)}


def _set(arguments: argparse.Namespace) -> int:
    if arguments.item and not arguments.store:
        raise BadFile("Say whose item it is: --store NAME.")
    scope = Scope(arguments.store, arguments.item)
    _print_outcome(reorder.save(connect(os.environ), {scope: arguments.point}))
    return 0


def _import(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    try:
        contents = arguments.file.read_bytes()
    except OSError as error:
        raise BadFile(f"{arguments.file} can't be read: {error.strerror}.") from error
    followed = reorder.Followed(stack)
    plan = pointfile.plan(contents, followed.refresh(), _stocked(stack))
    print(oneline(" ".join(plan.why)))
    for line in plan.lines:
        print(f"  {words.scope(line.scope)}: {words.point(line.was)} -> {words.point(line.now)}")
    for wrong in plan.errors:
        print(f"  {words.reject(wrong)}")
    print(words.planned(plan))
    if not arguments.dry_run and (plan.lines or (followed.unsettled and plan.same)):
        _print_outcome(reorder.save(stack, plan.given))
    return 1 if plan.errors and not plan.lines else 0


def _stocked(stack: Stack) -> Iterable[Key]:
    return [(one.store, one.item) for one in stock.table(stack)]


def _print_outcome(done: Outcome) -> None:
    print(words.outcome(done))
    for mark, keys in (("low", done.low), ("no longer low", done.ended)):
        for key in keys:
            print(f"  {oneline(' · '.join(key))}: {mark}")


def _point(given: str) -> Decimal | None:
    if given == _REMOVED:
        return None
    try:
        return reorder.checked(Decimal(given))
    except (InvalidOperation, ValueError) as error:
        raise argparse.ArgumentTypeError(f"is to be a number from 0 up, or {_REMOVED}") from error

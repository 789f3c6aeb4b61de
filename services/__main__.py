"""The command line: python -m services …

Owns arguments, printing and exit codes: 0 done, 1 nothing could be done (or a question is open, or `verify` found a
difference), 2 wrong usage. The commands that bring files in are in `services.delivery`.
"""

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lambdas import times
from lambdas.fates import OF_FILES, Mode
from lambdas.oneline import oneline
from lambdas.stream import item_key
from local import engine
from services import (
    alerts,
    auditing,
    changes,
    delivery,
    explaining,
    failures,
    loglines,
    logs,
    options,
    past,
    reordering,
    stock,
    telling,
    trust,
    uploads,
    users,
    verifying,
    words,
)
from services.errors import FOREIGN, StocktrailError, of
from services.follower import Follower
from services.lesson import command
from services.printing import harmless, print_json, print_receipt
from services.stack import Stack, attach, connect, home, on_aws


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    if not on_aws(os.environ) and any(os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE")):
        print(
            "This is the embedded engine on this machine. For AWS, name a stack in STOCKTRAIL_STACK.", file=sys.stderr
        )
    try:
        with harmless():
            code: int = arguments.run(arguments)
    except StocktrailError as error:
        with harmless():
            print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has enough: `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or its flush at exit fails once more
        return 0
    finally:
        if not on_aws(os.environ):
            engine.detach(home(os.environ))
    return code


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m services", description="Stocktrail on the command line.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    send = _command(commands, "upload", delivery.upload, "send stock files, wait for their receipts and print them")
    send.add_argument("files", nargs="+", type=Path, metavar="FILE")
    send.add_argument("--mode", choices=[mode.value for mode in OF_FILES], default=Mode.NEWEST.value)
    send.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")
    send.add_argument("--no-wait", action="store_true", help="end when the files are received")
    options.add(send)
    reply = _command(commands, "answer", delivery.answer, "say how an upload that waits is to be read")
    reply.add_argument("upload_id", metavar="ID")
    options.add(reply)
    back = _command(commands, "undo", delivery.undo, "put back what an upload changed, but for what changed since")
    back.add_argument("upload_id", metavar="ID")
    back.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")
    mended = _command(commands, "mend", delivery.mend, "write the rows that could not be used to a file, with reasons")
    mended.add_argument("upload_id", metavar="ID")
    mended.add_argument("--out", type=Path, metavar="FILE", help="its name (the upload's own with -to-mend)")
    known = _command(commands, "mappings", delivery.mappings, "list what is remembered for files of a shape")
    known.add_argument("--forget", metavar="SHAPE", help="read files of this shape automatically again")

    one = _command(commands, "receipt", _receipt, "print an upload's receipt")
    one.add_argument("upload_id", metavar="ID")
    _command(commands, "uploads", _uploads, "list the latest uploads")
    held = _command(commands, "stock", _stock, "print what is in stock")
    held.add_argument("--store", type=options.name, metavar="NAME")
    held.add_argument("--at", type=_moment, metavar="TIME", help='as it was then, for example "2026-11-24 18:00" (UTC)')
    recount = _command(commands, "correct", delivery.correct, "correct one count by hand: an upload of one row")
    recount.add_argument("item", type=_item, metavar="STORE/ITEM")
    recount.add_argument("count", type=_number, metavar="COUNT")
    recount.add_argument("--reason", default="", metavar="TEXT", help="becomes a part of the upload's name")
    recount.add_argument("--release", action="store_true", help="when a time that lies ahead locks it: give it now's")
    feed = _command(commands, "changes", _changes, "print changes, the latest first")
    which = feed.add_mutually_exclusive_group()
    which.add_argument("--item", type=_item, metavar="STORE/ITEM")
    which.add_argument("--upload", metavar="ID")
    which.add_argument("--follow", action="store_true", help="print them as they come, until interrupted")
    _command(commands, "alerts", _alerts, "print the alerts, the latest first")
    telling.add(commands, _command)
    points = _command(commands, "reorder", reordering.listed, "list the reorder points, or set them")
    reordering.add(points)
    explaining.add(_command(commands, "why", explaining.run, "say what became of an item of an upload, and why"), _item)
    _command(commands, "failed", _failed, "list what failed and was not lost")
    once_more = commands.add_parser("retry", help="run what failed again", description="Run what failed again.")
    once_more.add_argument("failure_id", metavar="ID", help="as listed by “failed”")
    once_more.set_defaults(run=_retry)
    lines = _command(commands, "log", _log, "print what the Lambdas logged in the last 15 minutes, the latest first")
    lines.add_argument("--upload", metavar="ID", help="all lines of the runs that worked on it, in their order")
    lines.add_argument("--search", default="", metavar="TEXT", help="only lines that hold this")
    audit = _command(commands, "verify", _verify, "work out from the files what there should be, and name what differs")
    audit.add_argument("--store", type=options.name, metavar="NAME", help="of this store alone; it is not kept")

    users.commands(commands, _command)
    auditing.add(commands, _command, _moment)
    command.add(commands, _command)
    motor = commands.add_parser("engine", help="the embedded engine on this machine")
    motor.add_argument(
        "what", choices=["start", "stop", "status", "env"], help="env: what lets AWS's own tools speak to it"
    )
    motor.set_defaults(run=_engine)
    return top


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    made.add_argument("--json", action="store_true", help="print JSON")
    made.set_defaults(run=run)
    return made


def _item(given: str) -> str:
    store, slash, item = given.partition("/")
    if not (store and slash and item):
        raise argparse.ArgumentTypeError("is to be STORE/ITEM, for example “Berlin/Echo Dot”")
    return item_key(store, item)


def _moment(given: str) -> str:
    try:
        return times.parse(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError('is to be a time such as "2026-11-24 18:00"') from error


def _number(given: str) -> Decimal:
    try:
        number = Decimal(given)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError("is to be a number such as 12, 39.5 or -3") from error
    if not number.is_finite():
        raise argparse.ArgumentTypeError("is to be a number such as 12, 39.5 or -3")
    return number


def _receipt(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    receipt = uploads.receipt(stack, arguments.upload_id)
    errors = uploads.rejected(stack, receipt)
    if arguments.json:
        print_json([receipt.as_json(errors)])
    else:
        print_receipt(receipt, errors)
        if receipt.state == "loaded":
            print(f"  {words.cost(receipt)}")
    return 0


def _uploads(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    found = uploads.recent(stack)
    if arguments.json:
        print_json([one.as_json(uploads.rejected(stack, one)) for one in found])
    for one in [] if arguments.json else found:
        print(f"{one.upload_id}  {oneline(one.file)}\n  {words.receipt(one)}")
    return 0


def _stock(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    if arguments.at:
        found = past.table(stack, arguments.at, arguments.store)
    else:
        found = stock.of_store(stack, arguments.store) if arguments.store else stock.table(stack)
    return _print(arguments, found, words.stocked)


def _changes(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    if arguments.follow:
        return _follow(stack, arguments)
    if arguments.item:
        found = changes.of_item(stack, arguments.item)
    elif arguments.upload:
        found = changes.of_upload(stack, arguments.upload)
    else:
        found = changes.newest(stack)
    return _print(arguments, found, words.change)


def _follow(stack: Stack, arguments: argparse.Namespace) -> int:
    follower = Follower(stack)
    follower.start()
    print("Following the changes; Ctrl+C ends it.", file=sys.stderr, flush=True)
    while True:
        for change in follower.fresh():
            print(json.dumps(change.as_json()) if arguments.json else words.change(change), flush=True)
        time.sleep(0.5)


def _alerts(arguments: argparse.Namespace) -> int:
    return _print(arguments, alerts.history(connect(os.environ)), words.episode)


def _failed(arguments: argparse.Namespace) -> int:
    return _print(arguments, failures.every(connect(os.environ)), words.failure)


def _retry(arguments: argparse.Namespace) -> int:
    reason = failures.retry(connect(os.environ), arguments.failure_id)
    print(f"Not done: {reason}" if reason else "Done, or on its way: “receipt” and “failed” tell.")
    return 1 if reason else 0


def _log(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    if arguments.upload:
        receipt = uploads.receipt(stack, arguments.upload)
        trace = logs.of_upload(stack, arguments.upload, receipt.received_at or "")
        found = loglines.fitting(trace.lines, arguments.search)[::-1]
    else:
        found = loglines.fitting(logs.before(stack, logs.MINUTES), arguments.search)
    return _print(arguments, found, words.logged)


def _verify(arguments: argparse.Namespace) -> int:
    result = trust.verify(connect(os.environ), arguments.store)
    if arguments.json:
        print_json(result.as_json())
    else:
        print(verifying.in_words(result))
    return 0 if result.agrees else 1


def _print(arguments: argparse.Namespace, found: Sequence[Any], line: Callable[[Any], str]) -> int:
    if arguments.json:
        print_json([one.as_json() for one in found])
    for one in [] if arguments.json else found:
        print(line(one))
    return 0


def _engine(arguments: argparse.Namespace) -> int:
    try:
        does = {"start": _engine_start, "stop": _engine_stop, "status": _engine_status, "env": _engine_env}
        return does[arguments.what]()
    except FOREIGN as error:
        raise of(error) from error


def _engine_start() -> int:
    running = attach(os.environ, stay=True)
    print(f"{'Started' if running.started else 'Already running'}: {running.endpoint}")
    return 0


def _engine_stop() -> int:
    stopped = engine.stop(home(os.environ))
    print("Stopped." if stopped else "It was not running.")
    return 0


def _engine_status() -> int:
    found = engine.status(home(os.environ))
    print(f"Running: process {found.pid}, {found.endpoint}" if found.running else "Not running.")
    return 0


def _engine_env() -> int:
    """Lines for a shell. The engine goes on running, as whoever reads them is no user that it knows of."""
    for name, value in attach(os.environ, stay=True).environ.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

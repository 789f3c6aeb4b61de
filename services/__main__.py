"""The command line: python -m services …

Owns arguments, printing and exit codes: 0 done, 1 nothing could be done, 2 wrong usage.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lambdas.fates import Mode
from lambdas.stream import item_key
from local import engine
from services import alerts, changes, stock, uploads, words
from services.changes import Follower
from services.errors import FOREIGN, BadFile, StocktrailError, of
from services.stack import Stack, attach, connect, home, on_aws
from services.uploads import Receipt


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except StocktrailError as error:
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

    send = _command(commands, "upload", _upload, "send stock files, wait for their receipts and print them")
    send.add_argument("files", nargs="+", type=Path, metavar="FILE")
    send.add_argument("--store", type=_name, metavar="NAME", help="the store, for files or rows that name none")
    send.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.NEWEST.value)
    send.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")
    send.add_argument("--no-wait", action="store_true", help="end when the files are received")

    one = _command(commands, "receipt", _receipt, "print an upload's receipt")
    one.add_argument("upload_id", metavar="ID")
    _command(commands, "uploads", _uploads, "list the latest uploads")
    held = _command(commands, "stock", _stock, "print what is in stock")
    held.add_argument("--store", type=_name, metavar="NAME")
    feed = _command(commands, "changes", _changes, "print changes, the latest first")
    which = feed.add_mutually_exclusive_group()
    which.add_argument("--item", type=_item, metavar="STORE/ITEM")
    which.add_argument("--upload", metavar="ID")
    which.add_argument("--follow", action="store_true", help="print them as they come, until interrupted")
    _command(commands, "alerts", _alerts, "print the alerts, the latest first")

    motor = commands.add_parser("engine", help="the embedded engine on this machine")
    motor.add_argument("what", choices=["start", "stop", "status"])
    motor.set_defaults(run=_engine)
    return top


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    made.add_argument("--json", action="store_true", help="print JSON")
    made.set_defaults(run=run)
    return made


def _name(given: str) -> str:
    if not given.strip():
        raise argparse.ArgumentTypeError("is blank")
    return given.strip()


def _item(given: str) -> str:
    store, slash, item = given.partition("/")
    if not (store and slash and item):
        raise argparse.ArgumentTypeError("is to be STORE/ITEM, for example “Berlin/Echo Dot”")
    return item_key(store, item)


def _upload(arguments: argparse.Namespace) -> int:
    files = [(path.name, _read(path)) for path in arguments.files]
    stack = connect(os.environ)
    step = _preview if arguments.dry_run else _send
    outcomes = step(stack, files, arguments)
    shown, took = [], False
    for receipt, errors in outcomes:
        took = took or receipt.state in ("received", "loading") or receipt.usable > 0
        shown.append(receipt.as_json(errors))
        if not arguments.json:
            _print_receipt(receipt, errors)
    if arguments.json:
        _print_json(shown)
    return 0 if took else 1


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        print(f"python -m services: {path}: {error.strerror}", file=sys.stderr)
        raise SystemExit(2) from error


Outcome = tuple[Receipt, list[dict[str, Any]]]


def _preview(stack: Stack, files: list[tuple[str, bytes]], arguments: argparse.Namespace) -> Iterator[Outcome]:
    for name, data in files:
        try:
            receipt, lines = uploads.preview(stack, name, data, Mode(arguments.mode), arguments.store)
            yield receipt, uploads.errors(lines)
        except BadFile as error:
            yield uploads.refused(name, Mode(arguments.mode), arguments.store, str(error)), []


def _send(stack: Stack, files: list[tuple[str, bytes]], arguments: argparse.Namespace) -> Iterator[Outcome]:
    """One after the other, so that the files of one command take effect in the order given."""
    for name, data in files:
        upload_id = uploads.send(stack, name, data, Mode(arguments.mode), arguments.store)
        last = uploads.receipt(stack, upload_id)
        if not arguments.no_wait:
            *_, last = uploads.follow(stack, upload_id)
        yield last, uploads.rejected(stack, last)


def _print_receipt(receipt: Receipt, errors: Iterable[dict[str, Any]]) -> None:
    print(f"{receipt.file}  {receipt.upload_id or '(a dry run: nothing was sent)'}")
    print(f"  {words.receipt(receipt)}")
    for error in errors:
        print(f"  {words.reject(error)}")


def _receipt(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    receipt = uploads.receipt(stack, arguments.upload_id)
    errors = uploads.rejected(stack, receipt)
    if arguments.json:
        _print_json([receipt.as_json(errors)])
    else:
        _print_receipt(receipt, errors)
    return 0


def _uploads(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    found = uploads.recent(stack)
    if arguments.json:
        _print_json([one.as_json(uploads.rejected(stack, one)) for one in found])
    for one in [] if arguments.json else found:
        print(f"{one.upload_id}  {one.file}\n  {words.receipt(one)}")
    return 0


def _stock(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
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


def _print(arguments: argparse.Namespace, found: Sequence[Any], line: Callable[[Any], str]) -> int:
    if arguments.json:
        _print_json([one.as_json() for one in found])
    for one in [] if arguments.json else found:
        print(line(one))
    return 0


def _print_json(shown: list[Any]) -> None:
    print(json.dumps(shown, indent=2, ensure_ascii=False))


def _engine(arguments: argparse.Namespace) -> int:
    try:
        return {"start": _engine_start, "stop": _engine_stop, "status": _engine_status}[arguments.what]()
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


if __name__ == "__main__":
    sys.exit(main())

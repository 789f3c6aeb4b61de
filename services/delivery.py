"""The commands that bring files in: upload, answer, correct, mend, mappings.

Owns what they print. A file is read with what was said on the command line, else with what is saved for its shape.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from lambdas.fates import Mode
from lambdas.stockfile import Mapping
from lambdas.stream import of_item_key
from services import correcting, options, undoing, uploads, words
from services.errors import BadFile, NotFound, Unclear
from services.printing import print_json, print_receipt
from services.stack import Stack, connect
from services.uploads import Receipt

T = TypeVar("T")
File = tuple[str, bytes]
Outcome = tuple[Receipt, list[dict[str, Any]], tuple[str, ...]]  # with its errors, and how the file was understood


def upload(arguments: argparse.Namespace) -> int:
    files = [(path.name, _on_disk(path.read_bytes, path)) for path in arguments.files]
    stack = connect(os.environ)
    step = _preview if arguments.dry_run else _send
    return _tell(arguments, step(stack, files, arguments))


def _tell(arguments: argparse.Namespace, outcomes: Iterable[Outcome]) -> int:
    """Print each outcome as it comes; the exit code."""
    shown, took = [], False
    for receipt, errors, why in outcomes:
        took = took or receipt.state in ("received", "loading") or receipt.usable > 0
        shown.append(receipt.as_json(errors))
        if not arguments.json:
            print_receipt(receipt, errors, why)
    if arguments.json:
        print_json(shown)
    return 0 if took else 1


def _on_disk(do: Callable[[], T], path: Path) -> T:
    try:
        return do()
    except OSError as error:
        print(f"python -m services: {path}: {error.strerror}", file=sys.stderr)
        raise SystemExit(2) from error


def _preview(stack: Stack, files: list[File], arguments: argparse.Namespace) -> Iterator[Outcome]:
    mode, store, said = Mode(arguments.mode), arguments.store, options.mapping(arguments)
    for name, data in files:
        why: tuple[str, ...] = ()
        try:
            opened = uploads.opened(stack, data, said)
            why = (
                *(["Read with what is saved for files of this shape."] if opened.saved else []),
                *opened.understood.why,
            )
            receipt, lines = uploads.preview(stack, name, data, mode, store, opened.mapping)
            yield receipt, uploads.errors(lines), why
        except BadFile as error:
            about = error.about if isinstance(error, Unclear) else None
            yield uploads.refused(name, mode, store, str(error), about), [], why


def _send(stack: Stack, files: list[File], arguments: argparse.Namespace) -> Iterator[Outcome]:
    """One after the other, so that the files of one command take effect in the order given."""
    said = options.mapping(arguments)
    for name, data in files:
        if said is not None and not arguments.once:
            _remember(stack, data, said)
        upload_id = uploads.send(stack, name, data, Mode(arguments.mode), arguments.store, said)
        yield _settled(stack, upload_id, wait=not arguments.no_wait)


def _remember(stack: Stack, data: bytes, said: Mapping, by: str | None = None) -> None:
    """For files of this shape, if that is enough to read them; if not, the receipt will say why."""
    try:
        opened = uploads.opened(stack, data, said)
    except BadFile:
        return
    if opened.understood.question is None:
        uploads.remember(stack, opened.understood, said, by)


def _settled(stack: Stack, upload_id: str, *, wait: bool = True) -> Outcome:
    last = uploads.receipt(stack, upload_id)
    if wait:
        *_, last = uploads.follow(stack, upload_id)
    return last, uploads.rejected(stack, last), ()


def answer(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    said = options.mapping(arguments)
    data = uploads.contents(stack, uploads.receipt(stack, arguments.upload_id))
    mapping = uploads.opened(stack, data).mapping if said is None else said
    try:
        uploads.answer(stack, arguments.upload_id, mapping, arguments.store)
    except Unclear as error:
        print(f"{error}\nSay it as well: {options.answer_to(error.about)}", file=sys.stderr)
        return 1
    if said is not None and not arguments.once:
        _remember(stack, data, said, arguments.upload_id)
    return _tell(arguments, [_settled(stack, arguments.upload_id)])


def undo(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    if not arguments.dry_run:
        return _tell(arguments, [_settled(stack, undoing.send(stack, arguments.upload_id))])
    receipt, lines = undoing.preview(stack, arguments.upload_id)
    return _tell(arguments, [(receipt, uploads.errors(lines), ())])


def correct(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    one = correcting.one(stack, *of_item_key(arguments.item))
    outcomes = []
    if correcting.locked(one):
        if not arguments.release:
            print(
                f"{one.store} · {one.item} is as of {words.clock(one.updated_at)}, which lies ahead: a count of now is "
                "older, and would change nothing. Say --release to give it the time of now first.",
                file=sys.stderr,
            )
            return 1
        outcomes.append(_settled(stack, correcting.release(stack, one)))
    outcomes.append(_settled(stack, correcting.correct(stack, one, arguments.count, arguments.reason)))
    return _tell(arguments, outcomes)


def mend(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    made = uploads.mend(stack, uploads.receipt(stack, arguments.upload_id))
    if made is None:
        raise NotFound(f"Upload {arguments.upload_id} has no rows to mend.")
    name, data = made
    path: Path = arguments.out or Path(name)

    def write() -> None:
        with path.open("xb") as out:  # never over a file that is there
            out.write(data)

    _on_disk(write, path)
    print(path)
    return 0


def mappings(arguments: argparse.Namespace) -> int:
    stack = connect(os.environ)
    found = uploads.saved(stack)
    if arguments.forget is not None:
        if arguments.forget not in {one.shape for one in found}:
            raise NotFound(f"Nothing is saved for the shape “{arguments.forget}”.")
        uploads.forget(stack, arguments.forget)
        found = [one for one in found if one.shape != arguments.forget]
    if arguments.json:
        print_json([one.as_json() for one in found])
    for one in [] if arguments.json else found:
        print(words.saved(one))
    return 0

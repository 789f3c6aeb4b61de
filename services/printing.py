"""What the commands print: receipts and JSON, and that no name from a file steers the terminal that shows it."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast

from lambdas.oneline import CONTROLS, INSTEAD, oneline
from services import options, words
from services.uploads import Receipt

_STEERS = re.compile(rf"(?![\n\t]){CONTROLS.pattern}")


class _Harmless:
    """A stream whose text has a sign in the place of each control character, but for the ends of lines and tabs."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_STEERS.sub(INSTEAD, text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def harmless() -> Iterator[None]:
    """Nothing that is printed in here is a command to the terminal, to hide what follows say."""
    out, err = (cast(TextIO, _Harmless(stream)) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(err):
        yield


def print_receipt(receipt: Receipt, errors: Iterable[dict[str, Any]], why: Iterable[str] = ()) -> None:
    """A receipt in words. ``why``: how the file was understood."""
    print(f"{oneline(receipt.file)}  {receipt.upload_id or '(a dry run: nothing was sent)'}")
    if why := list(why):
        print(f"  Understood: {oneline(' '.join(why))}")
    print(f"  {words.receipt(receipt)}")
    if receipt.question:
        again = f"python -m services answer {receipt.upload_id} " if receipt.upload_id else ""
        print(f"  Answer it: {again}{options.answer_to(receipt.question)}")
    for error in errors:
        print(f"  {words.reject(error)}")


def print_json(shown: Any) -> None:
    """As JSON, whose control characters are all written as their numbers."""
    text = json.dumps(shown, indent=2, ensure_ascii=False)
    print(_STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))

"""What the commands print: receipts and JSON."""

import json
from collections.abc import Iterable
from typing import Any

from services import options, words
from services.uploads import Receipt


def print_receipt(receipt: Receipt, errors: Iterable[dict[str, Any]], why: Iterable[str] = ()) -> None:
    """A receipt in words. ``why``: how the file was understood."""
    print(f"{receipt.file}  {receipt.upload_id or '(a dry run: nothing was sent)'}")
    if why := list(why):
        print(f"  Understood: {' '.join(why)}")
    print(f"  {words.receipt(receipt)}")
    if receipt.question:
        again = f"python -m services answer {receipt.upload_id} " if receipt.upload_id else ""
        print(f"  Answer it: {again}{options.answer_to(receipt.question)}")
    for error in errors:
        print(f"  {words.reject(error)}")


def print_json(shown: Any) -> None:
    print(json.dumps(shown, indent=2, ensure_ascii=False))

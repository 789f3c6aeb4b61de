"""How a mapping is said on the command line.

Owns the spelling of these options and what answers which question. Knows nothing of files.
"""

import argparse
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from lambdas.stockfile import AUTOMATIC, Mapping, Unreadable
from lambdas.stockfile.encoding import known
from lambdas.stockfile.mapping import of_text

_ANSWERS = {
    "sheet": "--sheet NAME",
    "header": "--no-header --map item=1,count=2, or the columns by name with --map",
    "item": "--map item=COLUMN",
    "count": "--map count=COLUMN",
    "store": "--store NAME, or --map store=COLUMN",
    "decimal": "--decimal . or --decimal ,",
    "dates": "--dates dmy or --dates mdy",
}
"""Each question that a file may leave open, and the option that answers it."""
_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


def add(to: argparse.ArgumentParser) -> None:
    """Give a command the options that say how a file is to be read."""
    to.add_argument("--store", type=name, metavar="NAME", help="the store, for files or rows that name none")
    group = to.add_argument_group(
        "how the file is to be read", "Any of these is remembered for files of the same shape, unless --once is given."
    )
    group.add_argument(
        "--map", type=_columns, metavar="TEXT", help='item=SKU,count="On hand",store=Location or stores="A|B"'
    )
    group.add_argument("--always", type=name, metavar="NAME", help="the store that every file of this shape is for")
    group.add_argument("--no-header", action="store_true", help="the file has no headings: columns go by number")
    group.add_argument("--decimal", choices=[".", ","], help="what stands before the decimals of a count")
    group.add_argument("--dates", choices=["dmy", "mdy"], help="whether the day or the month stands first")
    group.add_argument("--encoding", type=_encoding, metavar="NAME", help="of a text file, for example cp1252")
    group.add_argument("--sheet", type=name, metavar="NAME", help="of a workbook")
    group.add_argument("--delimiter", type=_delimiter, metavar="MARK", help="between the cells: one character, or tab")
    group.add_argument("--repeats", choices=["last", "sum"], help="of an item's rows the last counts, or their sum")
    group.add_argument("--word", type=_word, action="append", metavar="TEXT=COUNT", help='such as "not stocked=0"')
    group.add_argument("--once", action="store_true", help="do not remember it")


def mapping(arguments: argparse.Namespace) -> Mapping | None:
    """What was said; None when nothing was. The store is said for one file, and is no part of it."""
    given: dict[str, Any] = {
        "always": arguments.always, "decimal": arguments.decimal, "dates": arguments.dates,
        "encoding": arguments.encoding, "sheet": arguments.sheet, "delimiter": arguments.delimiter,
        "repeats": arguments.repeats, "header": False if arguments.no_header else None,
        "words": tuple(arguments.word or ()),
    }  # fmt: skip
    said = replace(arguments.map or AUTOMATIC, **given)
    return None if said == AUTOMATIC else said


def answer_to(question: str) -> str:
    """The option that answers a question."""
    return _ANSWERS.get(question, "--map TEXT")


def name(given: str) -> str:
    if not given.strip():
        raise argparse.ArgumentTypeError("is blank")
    return given.strip()


def _columns(given: str) -> Mapping:
    try:
        return of_text(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _encoding(given: str) -> str:
    try:
        return known(given)
    except Unreadable as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _delimiter(given: str) -> str:
    mark = _DELIMITERS.get(given.lower(), given)
    if len(mark) != 1:
        raise argparse.ArgumentTypeError("is to be one character, or tab")
    return mark


def _word(given: str) -> tuple[str, str]:
    text, equals, count = (part.strip() for part in given.rpartition("="))
    try:
        if text and equals and Decimal(count).is_finite():
            return text, count
    except InvalidOperation:
        pass
    raise argparse.ArgumentTypeError('is to be TEXT=COUNT, for example "not stocked=0"')

"""Correcting one item by hand: a count, or a time that lies ahead and locks it. Each is an upload of one row.

Owns what such a file holds. A correction is applied like any file, newest wins; a release is a stamp.
"""

import codecs
import csv
import io
import re
from dataclasses import dataclass
from decimal import Decimal

from lambdas import inventory, times
from lambdas.fates import Mode
from lambdas.stockfile import Mapping
from lambdas.stockfile.counts import Unusable, exact
from lambdas.stockfile.formulas import marked
from services import audit, uploads
from services.access import Right, needs
from services.audit import Did
from services.errors import BadFile, NotFound, mapped
from services.stack import Stack
from services.stock import Stocked

MAPPING = Mapping(
    item=(("item",),), count="count", store="store", updated_at="updated_at", encoding="utf-8", delimiter=",",
    decimal=".", exact=True,
)  # fmt: skip
"""How these files are read: nothing is left to be found."""
LONGEST_REASON = 80


@dataclass(frozen=True, slots=True)
class File:
    """A file of one row, as it is to be sent."""

    name: str
    data: bytes
    mapping: Mapping
    mode: Mode


def locked(of: Stocked, now: str | None = None) -> bool:
    """Whether the table holds a time that lies ahead: what is counted now is older than that, and changes nothing."""
    return (of.updated_at or "") > (now or times.now())


def correction(of: Stocked, count: Decimal, reason: str = "", now: str | None = None) -> File:
    """The file that says: so many, as of now. ``reason`` goes into its name, where every page tells of it.

    Raises BadFile for a count that DynamoDB can't keep.
    """
    try:
        kept = exact(count)
    except Unusable as error:
        raise BadFile(f"{count} can't be kept: {error}.") from error
    tidy = " ".join(re.sub(r"[\x00-\x1f\x7f/\\]", " ", reason).split())[:LONGEST_REASON].strip()
    return _file(f"correction ({tidy}).csv" if tidy else "correction.csv", of, kept, now, Mode.NEWEST)


def unlocking(of: Stocked, now: str | None = None) -> File:
    """The file that gives an item the time of its load, with the count that it has. BadFile when it has none."""
    if of.count is None:
        raise BadFile(f"“{of.item}” of “{of.store}” has no count: correct it first.")
    return _file("release.csv", of, of.count, now, Mode.STAMP)


def _file(name: str, of: Stocked, count: Decimal, now: str | None, mode: Mode) -> File:
    out = io.StringIO(newline="")
    row = marked(of.store), marked(of.item), f"{count:f}", now or times.now()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("store", "item", "count", "updated_at"), row])
    return File(name, codecs.BOM_UTF8 + out.getvalue().encode(), MAPPING, mode)


@mapped
@needs(Right.SEND)
def correct(stack: Stack, of: Stocked, count: Decimal, reason: str = "") -> str:
    """Send a count, as of now; the upload's id."""
    return _send(stack, of, correction(of, count, reason), Did.CORRECTED, {"now": count, "reason": reason or None})


@mapped
@needs(Right.SEND)
def release(stack: Stack, of: Stocked) -> str:
    """Give an item the time of now, with its own count; the upload's id.

    Raises BadFile when the count has moved since ``of`` was read: a stamp would put the old one back.
    """
    if one(stack, of.store, of.item).count != of.count:
        raise BadFile(f"The count of “{of.item}” of “{of.store}” has just moved: look at it again.")
    return _send(stack, of, unlocking(of), Did.RELEASED, {})


@mapped
@needs(Right.SEE)
def one(stack: Stack, store: str, item: str) -> Stocked:
    """An item as the table holds it, read consistently. NotFound when there is none, or none with a count."""
    stack.person.must(Right.SEE, [store])
    table, key = stack.settings.inventory_table, (store, item)
    held = inventory.held(inventory.read(stack.dynamodb, table, [key]).get(key))
    if held is None or held.count is None:
        raise NotFound(f"There is no item “{item}” in “{store}”. A file that names it brings it in.")
    return Stocked(store, item, held.count, held.updated_at or None, held.upload_id or None, held.was)


def _send(stack: Stack, of: Stocked, file: File, did: Did, more: audit.About) -> str:
    stack.person.must(Right.SEND, [of.store])
    about = {"store": of.store, "item": of.item, "was": of.count, **more}
    return uploads.send(
        stack, file.name, file.data, file.mode, mapping=file.mapping, by_hand=True, did=did, about=about
    )  # fmt: skip

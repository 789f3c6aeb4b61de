"""The entries of the audit as people and programs read them: a sentence for each deed, CSV, and JSON lines.

Owns the words, and that each entry is one line: a file's name must not look like another entry. An entry may be of
another version, or made by somebody who only has the right to add: whatever is in it, or is not, it has its line.
"""

import codecs
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas import tables
from lambdas.fates import Mode
from lambdas.oneline import oneline
from services import words
from services.access import Right, needs
from services.audit import Did, Entry, Page
from services.errors import mapped
from services.exporting import csv_text
from services.stack import Stack
from services.subscriptions import PROTOCOLS

_LONGEST_ID = 100
COLUMNS = ("time", "who", "role", "from", "deed", "store", "item", "upload id", "in words", "details")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an upload: its file's name, and how many rows it had, once it is loaded."""

    file: str
    rows: int | None


NOTHING: Mapping[str, Known] = {}


@needs(Right.ADMINISTER)
@mapped
def uploads_of(stack: Stack, entries: Iterable[Entry]) -> dict[str, Known]:
    """What is known of the uploads that entries name, by id: a request for each hundred."""
    named = (one.about.get("upload") for one in entries)
    ids = dict.fromkeys(one for one in named if isinstance(one, str) and 0 < len(one) < _LONGEST_ID)
    keys = [tables.to_item({"UploadId": upload_id}) for upload_id in ids]
    found = map(tables.from_item, tables.batch_get(stack.dynamodb, stack.settings.uploads_table, keys))
    return {one["UploadId"]: Known(one.get("Name", ""), _rows(one)) for one in found}


def _rows(receipt: Mapping[str, Any]) -> int | None:
    return int(receipt["Rows"]) if "LoadedAt" in receipt and "Rows" in receipt else None


def told(of: Entry, known: Mapping[str, Known] = NOTHING) -> str:
    """`maria@example.com corrected Berlin · Tea: 3 -> 5`."""
    return f"{oneline(of.by)} {deed(of, known)}"


def deed(of: Entry, known: Mapping[str, Known] = NOTHING) -> str:
    """`corrected Berlin · Tea: 3 -> 5`."""
    how = _TOLD.get(of.did)
    return oneline(how(_Said(of.about, known)) if how else of.did)


def clocked(of: Entry, known: Mapping[str, Known] = NOTHING) -> str:
    """A line of the command line: time in UTC, who, from where, what."""
    via = f" from {of.via}" if of.via else ""
    return f"{words.clock(of.at)}  {told(of, known)}  ({oneline(of.role + via)})"


def as_csv(page: Page) -> bytes:
    """UTF-8 with its mark, times as fixed-width UTC text; text that could be taken for a formula is escaped. Entries
    that are left out are told of in the last line."""
    rows = [_row(one) for one in page.entries]
    if page.before:
        rows.append([None] * (len(COLUMNS) - 2) + [f"Only the latest {len(rows):,} are here: there are more.", None])
    return codecs.BOM_UTF8 + csv_text([COLUMNS, *rows]).encode()


def _row(of: Entry) -> list[Any]:
    said = _Said(of.about, NOTHING)
    about = json.dumps(of.about, ensure_ascii=False)
    return [of.at, of.by, of.role, of.via, of.did, of.store, said["item"], said["upload"], deed(of), about]


def as_json_lines(page: Page) -> bytes:
    """An entry a line; the last one says so when there are more."""
    lines = [one.as_json() for one in page.entries]
    lines += [{"more": "before this"}] if page.before else []
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in lines).encode()


@dataclass(frozen=True, slots=True)
class _Said:
    """What an entry tells, as text: blank where it tells nothing."""

    about: Mapping[str, Any]
    known: Mapping[str, Known]

    def __getitem__(self, name: str) -> str:
        value = self.about.get(name)
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value))
        return "" if value is None else str(value)

    @property
    def upload(self) -> Known:
        return self.known.get(self["upload"], Known("", None))

    @property
    def file(self) -> str:
        return self["file"] or self.upload.file or (f"upload {self['upload']}" if self["upload"] else "a file")

    @property
    def rows(self) -> str:
        return "" if self.upload.rows is None else f": {words.some(self.upload.rows, 'row')}"

    @property
    def thing(self) -> str:
        """`Berlin · Tea`, `Berlin`, `all stores`."""
        return " · ".join(filter(None, (self["store"], self["item"]))) or "all stores"

    @property
    def moved(self) -> str:
        return f"{self['was'] or 'none'} -> {self['now'] or 'none'}"

    @property
    def endpoint(self) -> str:
        return f"{PROTOCOLS.get(self['protocol'], self['protocol'])} {self['endpoint']}".strip() or "somebody"

    def more(self, name: str, before: str, after: str = "") -> str:
        """What is told, with words around it; blank when nothing is."""
        return f"{before}{self[name]}{after}" if self[name] else ""


def _sent(said: _Said) -> str:
    way = "" if said["mode"] in ("", Mode.NEWEST) else f", {said['mode']}"
    return f"sent {said.file}{said.more('store', ' for ')}{way}{said.rows}"


def _points(said: _Said) -> str:
    count = said["count"]
    if count == "0":
        return "finished a saving of reorder points that had broken off"
    if count != "1":
        return f"set {count or 'some'} reorder points{said.more('store', ' of ')}"
    return f"set the reorder point of {said.thing}{'' if said['item'] else ', each item'}: {said.moved}"


_TOLD: Mapping[str, Callable[[_Said], str]] = {
    Did.SENT: _sent,
    Did.ANSWERED: lambda said: f"said how {said.file} is to be read{said.more('store', ' for ')}",
    Did.UNDONE: lambda said: f"undid {said['of'] or said['undoes'] or said.file}{said.rows.replace('row', 'item')}",
    Did.CORRECTED: lambda said: f"corrected {said.thing}: {said.moved}{said.more('reason', ' (', ')')}",
    Did.RELEASED: lambda said: f"released {said.thing}, whose time lay ahead",
    Did.ACKNOWLEDGED: lambda said: f"acknowledged the alert of {said.thing}{said.more('note', ': ')}",
    Did.PUT_ASIDE: lambda said: f"put {said.file} aside: it is not to be loaded",
    Did.RUN_AGAIN: lambda said: f"ran {said.upload.file or said['failure'] or 'what had failed'} again",
    Did.VERIFIED: lambda said: f"verified the numbers of {said.thing}",
    Did.POINTS_SET: _points,
    Did.QUIET_SET: lambda said: f"set the quiet hours of {said.thing}: {said.moved}",
    Did.SUBSCRIBED: lambda said: f"subscribed {said.endpoint} to the alerts of {said['stores'] or 'all stores'}",
    Did.RESUBSCRIBED: lambda said: f"changed whose alerts {said.endpoint} gets: {said.moved}",
    Did.UNSUBSCRIBED: lambda said: f"ended the subscription of {said.endpoint}",
    Did.CONFIRMED: lambda _: "confirmed a subscription",
    Did.TESTED: lambda said: f"sent a test message to who gets the alerts of {said.thing}",
    Did.REMEMBERED: lambda said: f"remembered how files of the shape {said['shape']} are read",
    Did.FORGOTTEN: lambda said: f"forgot how files of the shape {said['shape']} are read",
    Did.GIVEN: lambda said: f"gave {said['name']} access: {said['now']}",
    Did.CHANGED: lambda said: f"changed the access of {said['name']}: {said.moved}",
    Did.TAKEN: lambda said: f"took all access from {said['name']}{said.more('was', ', ', ' till then')}",
    Did.USER_MADE: lambda said: f"made the user {said['name']}",
    Did.USER_DELETED: lambda said: f"deleted the user {said['name']}",
    Did.ADDRESS_SET: lambda said: f"had the sign-in lead back to {said['now']}",
    Did.SIGNED_IN: lambda _: "signed in",
    Did.SIGNED_OUT: lambda _: "signed out",
    Did.REFUSED: lambda said: f"was refused{said.more('what', ': ')}",
}
"""Each deed in words, after the name of who did it."""

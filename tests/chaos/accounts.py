"""The books after a round: what the tables hold against what was acknowledged and what the laws demand.

Each check answers with a list of what is wrong, in words. Asks the engine directly; the model of the stores is the
harness's own.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from lambdas.recording import MARKERS, change_of
from lambdas.stream import item_key
from lambdas.tables import from_item
from lambdas.upload import time_of
from services.stack import Stack
from tests import messages
from tests.chaos import files
from tests.chaos.files import Statement
from tests.chaos.listening import Heard
from tests.chaos.senders import Sent
from tests.chaos.settling import Receipts

Row = dict[str, Any]


@dataclass
class Books:
    """What the harness itself knows, over all rounds of a state folder."""

    sent: list[Sent] = field(default_factory=list)
    in_turn: dict[tuple[str, str], set[int]] = field(default_factory=dict)  # of plain and stamp: what may stand
    messages: dict[str, Heard] = field(default_factory=dict)  # by SQS's message id, so that one that comes back is one


@dataclass
class Found:
    """What a round's accounting came to."""

    problems: list[str] = field(default_factory=list)
    alerts: int = 0
    alerts_lost: int = 0
    second_episodes: int = 0
    twice_marked: int = 0
    twice_unmarked: int = 0


def rows(stack: Stack, table: str) -> list[Row]:
    """Every item of a table."""
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    read = TypeDeserializer().deserialize
    return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def kept(stack: Stack) -> list[Row]:
    """Every change."""
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=stack.settings.changes_table, ConsistentRead=True)
    found = (change_of(item) for page in pages for item in page["Items"] if item["Bucket"]["S"] != MARKERS)
    return [
        {
            "Store": one.store, "Item": one.item, "ItemKey": item_key(one.store, one.item), "Position": one.position,
            "UploadId": one.upload_id, "OldCount": one.old_count, "NewCount": one.new_count,
            "Old": one.old and from_item(one.old), "New": one.new and from_item(one.new),
        }
        for one in found
    ]  # fmt: skip


def account(stack: Stack, books: Books, receipts: Receipts, fresh: Iterable[Sent], *, crossed: bool) -> Found:
    """All of the checks. ``fresh``: what this round sent; ``crossed``: the engine was killed, so that files sent in
    turn may have crossed after all."""
    inventory = rows(stack, stack.settings.inventory_table)
    changes = kept(stack)
    found = Found()
    found.problems += lost(books, receipts)
    found.problems += twice(books, receipts, rows(stack, stack.settings.uploads_table))
    found.problems += gaps(receipts)
    found.problems += newest_stores(books, receipts, inventory)
    found.problems += stores_in_turn(books, fresh, inventory, crossed=crossed)
    found.problems += chains(inventory, changes)
    found.problems += misjudged(changes)
    every = rows(stack, stack.settings.alerts_table)  # no reorder point is set, so that none of them is low
    episodes = [row for row in every if "OpenedAt" in row and row.get("Kind", "out") == "out"]
    check_episodes(found, inventory, changes, episodes)
    check_messages(found, episodes, books.messages.values())
    return found


def lost(books: Books, receipts: Receipts) -> Iterator[str]:
    for one in books.sent:
        states = [receipt.state for receipt in receipts.get(one.file.name, ())]
        if one.acknowledged and not {"loaded", "failed"} & set(states):
            yield f"LOST {one.file.name} ({one.file.way}) was acknowledged and is {states or 'nowhere'}"


def twice(books: Books, receipts: Receipts, uploads: Iterable[Row]) -> Iterator[str]:
    """A file that was sent once is one upload, whatever became of the answers. A till that drops it may do so again;
    but one version of an object is one upload."""
    for one in books.sent:
        if one.file.way != "drop" and len(receipts.get(one.file.name, ())) > 1:
            yield f"TWICE {one.file.name} ({one.file.way}) was sent once and is more than one upload"
    versions = Counter((row["Key"], row.get("Version")) for row in uploads if "Key" in row)
    yield from (f"TWICE {key}, version {version}: {n} uploads" for (key, version), n in versions.items() if n > 1)


def gaps(receipts: Receipts) -> Iterator[str]:
    for one in (receipt for found in receipts.values() for receipt in found):
        figures = (one.records_expected, one.records_seen, one.records_checked)
        if one.state == "loaded" and len(set(figures)) > 1:
            yield f"GAP {one.file} ({one.upload_id}): expected, seen, checked are {figures}"
        if one.state == "loaded" and one.rows != sum(one.fates.values()):
            yield f"FATES {one.file} ({one.upload_id}): {one.rows} rows, {sum(one.fates.values())} fates"


def newest_stores(books: Books, receipts: Receipts, inventory: Iterable[Row]) -> Iterator[str]:
    """Each store that only knows the newest statement holds just that, whatever came in between."""
    said: defaultdict[str, list[tuple[tuple[str, str], Statement]]] = defaultdict(list)
    for one in books.sent:
        for receipt in receipts.get(one.file.name, ()):
            if receipt.state == "loaded" and one.file.mode == "newest":
                by = (time_of(receipt.upload_id or ""), receipt.upload_id or "")
                said[one.file.store] += [(by, statement) for statement in one.rendered.statements]
    held: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for row in inventory:
        held[row["Store"]][row["Item"]] = row["Count"]
    for store, statements in said.items():
        wanted = files.newest(statements)
        for item in sorted(wanted.keys() | held[store].keys()):
            if wanted.get(item) != held[store].get(item):
                yield f"STOCK {store}/{item} is {held[store].get(item)} and not {wanted.get(item)}"


def stores_in_turn(books: Books, fresh: Iterable[Sent], inventory: Iterable[Row], *, crossed: bool) -> Iterator[str]:
    """Each item of a store whose files came in turn is what the last file said; where files crossed, what one said."""
    held = {(row["Store"], row["Item"]): int(row["Count"]) for row in inventory}
    may = books.in_turn
    for one in fresh:
        if one.file.store in files.ONE_AT_A_TIME:
            for said in one.rendered.statements:
                key = (one.file.store, said.item)
                sure = one.clean and not crossed
                may[key] = {said.count} if sure else may.get(key, set()) | {said.count}
                if not one.acknowledged and key not in held:
                    may.pop(key)
    for key, counts in may.items():
        if held.get(key) not in counts:
            yield f"STOCK {'/'.join(key)} is {held.get(key)} and not of {sorted(counts)}"
        elif key in held:
            may[key] = {held[key]}


def chains(inventory: Iterable[Row], changes: Iterable[Row]) -> Iterator[str]:
    """The kept changes of each item lead from nothing to what the table holds, none missing and none too many."""
    balance: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in inventory:
        balance[f"{row['Store']}/{row['Item']}"][_image(row)] -= 1
    for change in changes:
        key = f"{change['Store']}/{change['Item']}"
        balance[key][_image(change.get("New"))] += 1
        balance[key][_image(change.get("Old"))] -= 1
    for key, images in balance.items():
        images[_image(None)] = 0
        odd = {image: count for image, count in images.items() if count}
        if odd:
            yield f"CHAIN {key}: the changes do not lead to the item: {str(odd)[:300]}"


def misjudged(changes: Iterable[Row]) -> Iterator[str]:
    """A write says which count it replaces, and its row's fate is told by that; the stream says which one it was."""
    for change in changes:
        if change.get("UploadId") and change["New"].get("Was") != (change.get("Old") or {}).get("Count"):
            yield f"MISJUDGED {change['ItemKey']} {change['Position']}: {change['New']} replaced {change.get('Old')}"


def _image(image: Row | None) -> str:
    return json.dumps(image, sort_keys=True, default=str)


def check_episodes(found: Found, inventory: Iterable[Row], changes: Iterable[Row], episodes: list[Row]) -> None:
    """One episode for each change that ran an item out, none besides; open just where the item is out now."""
    wanted = {(c["ItemKey"], c["Position"]) for c in changes if _out(c.get("NewCount")) and not _out(c.get("OldCount"))}
    there = Counter((one["ItemKey"], one["Position"]) for one in episodes)
    found.alerts = len(wanted)
    missing, beyond = wanted - there.keys(), there.keys() - wanted
    found.alerts_lost, found.second_episodes = len(missing), len(beyond)
    found.problems += [f"ALERT LOST {one}" for one in missing] + [f"SECOND EPISODE {one}" for one in beyond]
    found.problems += [f"NOT NOTIFIED {one['ItemKey']} {one['Position']}" for one in episodes if not _told(one)]
    opened = Counter((one["Store"], one["Item"]) for one in episodes if "ClosedAt" not in one)
    for row in inventory:
        key = (row["Store"], row["Item"])
        if opened[key] != _out(row["Count"]):
            found.problems.append(f"EPISODES {'/'.join(key)}: count {row['Count']} and {opened[key]} open episodes")


def _out(count: Decimal | None) -> bool:
    return count is not None and count <= 0


def _told(episode: Row) -> bool:
    """Whether somebody was told of it; or it waited, and had ended when its message could have gone."""
    return "NotifiedAt" in episode or ("DroppedAt" in episode and "ClosedAt" in episode)


def check_messages(found: Found, episodes: Iterable[Row], heard: Iterable[Heard]) -> None:
    """A message for each episode, and no second one that does not say that it may be a repeat. What a digest counts and
    does not name is what the episodes say that it told of."""
    of_message: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for one in episodes:
        of_message[one.get("MessageId") or ""].append((one["Store"], one["Item"], one.get("OpenedBy") or ""))
    demanded = Counter(key for message_id, keys in of_message.items() if message_id for key in keys)
    plain, marked = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for one in heard:
        if (said := messages.read(one.text)) is None:
            found.problems.append(f"MESSAGE not understood: {one.text[:200]}")
            continue
        unnamed = Counter(of_message[one.message_id]) - Counter(said.of) if said.more else Counter[Any]()
        if unnamed.total() > said.more:  # fewer: whoever sent it was killed before all of them had it written down
            found.problems.append(f"DIGEST counts {said.more} and told of {unnamed.total()} more: {one.text[:200]}")
        (marked if said.again else plain).update([*said.of, *unnamed.elements()])
    for key, count in demanded.items():
        if plain[key] + marked[key] < count:
            found.problems.append(f"NO MESSAGE of {key}")
        if plain[key] > count:
            found.problems.append(f"MESSAGE TWICE, unmarked: {key}")
        found.twice_unmarked += max(0, plain[key] - count)
        found.twice_marked += min(marked[key], max(0, plain[key] + marked[key] - count))

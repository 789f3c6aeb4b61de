"""The files that are uploaded, and what each of them states: the harness's own model of a store.

Pure. Owns how a file looks and what of it can be used; must not use the code under test to tell. Counts lie around 0,
so that alerts open and close.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NEWEST_STORES = ("North", "South", "East")
BIG_STORE = "Depot"
ONE_AT_A_TIME = {"Plain": "plain", "Stamp": "stamp"}
"""Stores whose files are sent one after the other, because their mode promises nothing when files cross."""
_ITEMS = tuple(f"Item {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_UNUSABLE = ("", "many", "1.2.3")
_STATED_SECONDS = (-7200, 60)


@dataclass(frozen=True)
class Row:
    """One row: its count as written, and the time that it states, in seconds from when the file is sent."""

    item: str
    count: str
    stated: int | None


@dataclass(frozen=True)
class File:
    """One file of the plan. ``name`` is no other file's; ``way``: send, command, embedded or drop."""

    name: str
    store: str
    mode: str
    way: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Statement:
    """What a file says of an item; ``stated`` is fixed-width UTC text or None."""

    item: str
    count: int
    stated: str | None


@dataclass(frozen=True)
class Rendered:
    data: bytes
    statements: tuple[Statement, ...]


def draw(rng: random.Random, name: str, store: str, way: str) -> File:
    """A file at random."""
    mode = ONE_AT_A_TIME.get(store, "newest")
    timed = rng.random() < 0.35
    rows = [_row(rng, item, timed, big=store == BIG_STORE) for item in _items(rng, store)]
    rows.append(_row(rng, f"Only in {name}", timed, big=False))
    if rng.random() < 0.3:
        rows += [_row(rng, rng.choice(rows).item, timed, big=False) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        rows += [Row(rng.choice(_ITEMS), rng.choice(_UNUSABLE), _stated(rng, timed)) for _ in range(2)]
    rng.shuffle(rows)
    return File(name, store, mode, way, tuple(rows))


def again(rng: random.Random, file: File, name: str, way: str) -> File:
    """The same rows once more, as an upload of its own; at times in another order."""
    rows = list(file.rows)
    if rng.random() < 0.3:
        rng.shuffle(rows)
    return File(name, file.store, file.mode, way, tuple(rows))


def _items(rng: random.Random, store: str) -> list[str]:
    if store == BIG_STORE:
        return [f"Part {n:04}" for n in range(2000)]
    return rng.sample(_ITEMS, rng.randint(2, len(_ITEMS)))


def _row(rng: random.Random, item: str, timed: bool, *, big: bool) -> Row:
    count = rng.choice((0, 7, 8, 9)) if big and rng.random() < 0.02 else 9 if big else rng.randint(-1, 3)
    return Row(item, str(count), _stated(rng, timed))


def _stated(rng: random.Random, timed: bool) -> int | None:
    return rng.randint(*_STATED_SECONDS) if timed else None


def render(file: File, now: datetime) -> Rendered:
    """The file's bytes as sent at ``now``, and what it states once its own rows are settled among themselves."""
    timed = any(row.stated is not None for row in file.rows)
    lines = ["store,item,count" + (",updated_at" if timed else "")]
    held: dict[str, Statement] = {}
    for row in file.rows:
        stated = None if row.stated is None else _text(now + timedelta(seconds=row.stated))
        lines.append(f"{file.store},{row.item},{row.count}" + (f",{stated}" if timed else ""))
        if row.count in _UNUSABLE:
            continue
        said, earlier = Statement(row.item, int(row.count), stated), held.get(row.item)
        if not (earlier and file.mode == "newest" and (stated or "") < (earlier.stated or "")):
            held[row.item] = said
    return Rendered("\n".join([*lines, ""]).encode(), tuple(held.values()))


def newest(statements: Iterable[tuple[tuple[str, str], Statement]]) -> dict[str, int]:
    """What stays of each item, given every statement with the (time, id) of the upload that made it."""
    best: dict[str, tuple[str, str, int]] = {}
    for (sent, upload_id), one in statements:
        best[one.item] = max(best.get(one.item, ("", "", 0)), (one.stated or sent, upload_id, one.count))
    return {item: count for item, (_, _, count) in best.items()}


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"

"""A big file's rows, laid down in the bucket in parts, so that many loaders can apply them at once.

Owns how they are sorted without being in memory, and the objects that hold them. Knows nothing of receipts or queues.

An external sort: so many rows as are held at a time are sorted by store and item, and written as a run, in blocks of
some hundred rows that can be read by themselves. When all are there, the blocks' first keys tell where the parts begin.
So a part is a stretch of the stores, as of a smaller file; all rows of an item are in one part; and a part is read as a
stretch of each run. What can't be used has parts of its own, before the others.

`parts/<upload>/<token>/<run>.jsonl.gz` are the runs, and `parts/<upload>/index.json` says where everything lies; the
first one that is written counts. `parts/<upload>/begun/<part>`: a loader has begun to apply that part.
"""

import gzip
import json
import secrets
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from lambdas import objects, tables
from lambdas.fates import Key, Mode, split_duplicates
from lambdas.files import Statement
from lambdas.objects import PARTS
from lambdas.stockfile import Reading, Reject, Row, Unreadable
from lambdas.world import World

BLOCK = 250
"""Rows that are packed together: of each run a part reads up to two blocks that are only half its own."""
MOST_PARTS = 2_000
"""A receipt names its parts, some 45 bytes each, and an item of DynamoDB holds 400 KB. More rows make larger parts."""
MOST_ROWS = 20_000_000
"""The run that lays a million down took 13 seconds on the embedded engine: these are five of its 15 minutes."""
MOST_OF_PART = 500_000
"""Rows that a loader holds in memory. Only a file that names an item again and again has such parts."""
_KNOWN = 200_000  # stores that are remembered as told
_STORE, _ITEM = Row._fields.index("store"), Row._fields.index("item")


class Section(NamedTuple):
    """Bytes of a run: its number, the place of the first one, and the place behind the last one."""

    run: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """``low``: the first key that belongs to it, None for what can't be used."""

    low: Key | None
    sections: Sequence[Section]


@dataclass(frozen=True, slots=True)
class Index:
    """Where a file's rows lie. ``adds``: as of a Reading."""

    token: str
    adds: bool
    parts: Sequence[Part]

    def number_of(self, key: Key) -> int:
        """The part in which an item's rows are, if there are any."""
        rejects = sum(part.low is None for part in self.parts)
        lows = [part.low for part in self.parts[rejects:] if part.low]
        return rejects + max(0, bisect_right(lows, key) - 1)

    def has(self, number: int) -> Callable[[Key], bool]:
        """Whether a key belongs to this part."""
        low = self.parts[number].low or ("", "")
        high = self.parts[number + 1].low if number + 1 < len(self.parts) else None
        return lambda key: low <= key and (high is None or key < high)


@dataclass(frozen=True, slots=True)
class Written:
    """``rows``: how many rows and rejects the file has. ``stores``: those that it speaks of; None: more than many."""

    index: Index
    rows: int
    stores: set[str] | None


class _Block(NamedTuple):
    """``low`` and ``high``: its first and last key; None: of rejects."""

    low: Key | None
    high: Key | None
    rows: int
    section: Section


def write(
    world: World, upload_id: str, said: Statement, *, run: int, part: int, tell: Callable[[set[str]], None]
) -> Written:  # fmt: skip
    """Lay the rows down, ``run`` of them in memory at a time, in parts of about ``part``. Safe to repeat.

    ``tell`` is told of each store before this returns. Raises Unreadable when the file can't be read to its end, and
    when it has too many rows.
    """
    token, blocks, count = secrets.token_hex(4), list[_Block](), 0
    known, all_known = set[str](), True
    for number, rows in enumerate(tables.chunks(said.rows(), run)):
        count += len(rows)
        if count > MOST_ROWS:
            raise Unreadable(f"The file has more than {MOST_ROWS:,} rows. Send it in pieces; nothing was loaded.")
        blocks += _written(world, upload_id, token, number, rows)
        fresh = {row.store for row in rows if isinstance(row, Row)} - known
        tell(fresh)
        if len(known) > _KNOWN:
            known, all_known = set(), False
        known |= fresh
    found = Index(token, said.adds, _parts(blocks, max(part, -(-count // MOST_PARTS))))
    objects.put(world, _index_key(upload_id), _as_json(found), once=True)
    first = index(world, upload_id)
    assert first  # noqa: S101 (it has just been put)
    return Written(first, count, known if all_known else None)


def _written(world: World, upload_id: str, token: str, run: int, both: list[Row | Reject]) -> list[_Block]:
    """The blocks of a run, which is put into the bucket."""
    rows = [one for one in both if isinstance(one, Row)]
    rows.sort(key=itemgetter(_ITEM))  # both sorts leave what is equal in the file's order
    rows.sort(key=itemgetter(_STORE))
    packed, found, end = list[bytes](), list[_Block](), 0
    rejects = [one for one in both if isinstance(one, Reject)]
    blocks: Iterator[Sequence[Row | Reject]] = chain(tables.chunks(rows, BLOCK), tables.chunks(rejects, BLOCK))
    for block in blocks:
        packed.append(gzip.compress("".join(map(_line, block)).encode(), 1, mtime=0))
        begin, end = end, end + len(packed[-1])
        keys = (_key(block[0]), _key(block[-1]))
        found.append(_Block(*keys, len(block), Section(run, begin, end)))
    world.s3.put_object(Bucket=world.settings.bucket, Key=_run_key(upload_id, token, run), Body=b"".join(packed))
    return found


def _key(one: Row | Reject) -> Key | None:
    return (one.store, one.item) if isinstance(one, Row) else None


def _parts(blocks: Iterable[_Block], most: int) -> list[Part]:
    """The parts, of about so many rows: first those of what can't be used, then the others by store and item."""
    rejects, runs = list[_Block](), defaultdict[int, list[_Block]](list)
    for block in blocks:
        (rejects if block.low is None else runs[block.section.run]).append(block)
    found = [Part(None, [one.section for one in some]) for some in tables.chunks(rejects, max(1, most // BLOCK))]
    lows, rows = list[Any](), most
    for block in sorted((block for of in runs.values() for block in of), key=itemgetter(0)):
        if rows >= most and block.low not in lows[-1:]:
            lows.append(block.low)
            rows = 0
        rows += block.rows
    reach = [(of, [block.low for block in of], [block.high for block in of]) for of in runs.values()]
    return found + [Part(low, _sections(reach, low, high)) for low, high in pairwise((*lows, None))]


def _sections(reach: Iterable[tuple[list[_Block], list[Any], list[Any]]], low: Key, high: Key | None) -> list[Section]:
    """Where the keys from ``low`` to below ``high`` lie in each run. ``reach``: its blocks, and their keys."""
    found, rows = list[Section](), 0
    for blocks, lows, highs in reach:
        own = blocks[bisect_left(highs, low) : None if high is None else bisect_left(lows, high)]
        if own:
            rows += sum(block.rows for block in own)
            found.append(Section(own[0].section.run, own[0].section.begin, own[-1].section.end))
    if rows > MOST_OF_PART:
        raise Unreadable(
            f"The file has hundreds of thousands of rows of one item, “{low[1][:60]}” of “{low[0][:60]}” or one next "
            "to it: it is no list of stock. Nothing was loaded."
        )
    return found


def index(world: World, upload_id: str) -> Index | None:
    """Where an upload's rows lie; None when they have not been laid down to their end."""
    said = objects.get(world, _index_key(upload_id))
    if said is None:
        return None
    parts = [Part(tuple(low) if low else None, [Section(*one) for one in sections]) for low, sections in said["parts"]]
    return Index(said["token"], said["adds"], parts)


def read(world: World, upload_id: str, of: Index, number: int) -> Reading:
    """What a part holds."""
    reading, belongs = Reading(adds=of.adds), of.has(number)
    for section in of.parts[number].sections:
        for one in _of_section(world, upload_id, of, section):
            if isinstance(one, Reject):
                reading.rejects.append(one)
            elif belongs((one.store, one.item)):
                reading.rows.append(one)
    return reading


def stated(world: World, upload_id: str, mode: Mode, keys: Collection[Key]) -> list[tuple[int, Row]]:
    """The rows of these items that count, each with its part's number. None when the parts are not all there: then none
    has been judged, and none will be before they are."""
    if (of := index(world, upload_id)) is None:
        return []
    wanted: defaultdict[int, set[Key]] = defaultdict(set)
    for key in keys:
        wanted[of.number_of(key)].add(key)
    found = []
    for number, own in sorted(wanted.items()):
        rows = [row for row in read(world, upload_id, of, number).rows if (row.store, row.item) in own]
        found += [(number, row) for row in split_duplicates(rows, mode, adds=of.adds)[0]]
    return found


def begin(world: World, upload_id: str, number: int) -> bool:
    """Say that a loader begins to apply a part. False when one has begun before, and may have written some of it."""
    return objects.put(world, f"{PARTS}{upload_id}/begun/{number:05}", {}, once=True)


def _of_section(world: World, upload_id: str, of: Index, section: Section) -> Iterator[Row | Reject]:
    stretch = f"bytes={section.begin}-{section.end - 1}"
    key = _run_key(upload_id, of.token, section.run)
    body = world.s3.get_object(Bucket=world.settings.bucket, Key=key, Range=stretch)["Body"].read()
    return map(_of_line, gzip.decompress(body).splitlines())


def _line(one: Row | Reject) -> str:
    """A row has seven values, and a reject four."""
    return json.dumps(one, default=str) + "\n"  # a Decimal's text is the Decimal


def _of_line(line: bytes) -> Row | Reject:
    values = json.loads(line)
    if len(values) == len(Reject._fields):
        return Reject(*values)
    number, store, item, count, *others = values
    return Row(number, store, item, count and Decimal(count), *others)


def _as_json(of: Index) -> dict[str, Any]:
    return {"token": of.token, "adds": of.adds, "parts": [[part.low, part.sections] for part in of.parts]}


def _index_key(upload_id: str) -> str:
    return f"{PARTS}{upload_id}/index.json"


def _run_key(upload_id: str, token: str, run: int) -> str:
    return f"{PARTS}{upload_id}/{token}/{run:05}.jsonl.gz"

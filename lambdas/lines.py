"""An upload's lines: the fate of each row of its file, kept in the bucket in parts.

Owns the shape of a line and of a part. Knows nothing of when a part is written.

A line is a dict: row, fate, store, item, count, was, updated_at, reason, value, and column, which is of the rejected
and of each row of a wide file. A part holds the lines of some of the file's rows; of each part the receipt keeps a
word: the token in its key, and how many lines have each of the seven fates.
"""

import gzip
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from lambdas.fates import WRITES, Fate, Verdict
from lambdas.objects import RECEIPTS
from lambdas.stockfile import Reject
from lambdas.world import World

Line = dict[str, Any]
Parts = Mapping[str, str]


def of(verdicts: Iterable[Verdict], rejects: Iterable[Reject] = ()) -> list[Line]:
    """The lines of rows, by row number and column."""
    return sorted((*map(_line, verdicts), *map(_rejected, rejects)), key=place)


def place(line: Line) -> tuple[int, str]:
    """What tells a line from the others of its file: in a wide file a row number stands more than once."""
    return line["row"], line.get("column", "")


def _line(verdict: Verdict) -> Line:
    row, new, held = verdict.row, verdict.new, verdict.held
    line: Line = {"row": row.number, "store": row.store, "item": row.item, "count": spelled(row.count)}
    line |= {"fate": verdict.fate.value, "updated_at": new.updated_at if new else row.updated_at}
    if held and held.count is not None:
        line["was"] = f"{held.count:f}"
    if row.column:
        line["column"] = row.column
    return line | ({"reason": verdict.reason} if verdict.reason else {})


def spelled(count: Decimal | None) -> str | None:
    """A row's count as its line has it; None for an item that is to be gone."""
    return None if count is None else f"{count:f}"


def _rejected(reject: Reject) -> Line:
    line: Line = {"row": reject.number, "fate": Fate.REJECTED.value, "column": reject.column}
    return line | {"value": reject.value, "reason": reject.reason}


def count(lines: Iterable[Line]) -> dict[str, int]:
    """How many rows have each of the seven fates."""
    fates = Counter(line["fate"] for line in lines)
    return {fate.value: fates[fate.value] for fate in Fate}


def expected(fates: Mapping[str, int]) -> int:
    """How many stream records DynamoDB emits for these fates."""
    return sum(fates[fate] for fate in WRITES)


def merged(fresh: Iterable[Line], earlier: Iterable[Line]) -> list[Line]:
    """The lines of a part after one more run of its upload. A write that one of them made stays made."""
    kept = {place(line): line for line in earlier}
    for line in fresh:
        before = kept.get(place(line))
        if before is None or before["fate"] not in WRITES or line["fate"] in WRITES:
            kept[place(line)] = line
    return sorted(kept.values(), key=place)


def write(world: World, upload_id: str, number: int, lines: Iterable[Line]) -> str:
    """Put a part into the bucket; the word for the receipt."""
    lines = list(lines)
    token = secrets.token_hex(4)
    body = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), 5)
    world.s3.put_object(Bucket=world.settings.bucket, Key=_key(upload_id, number, token), Body=body)
    return " ".join([token, *map(str, count(lines).values())])


def read(world: World, upload_id: str, parts: Parts) -> list[Line]:
    """The lines of these parts, by row number and column."""
    found: list[Line] = []
    for number, word in parts.items():
        key = _key(upload_id, int(number), word.split()[0])
        body = world.s3.get_object(Bucket=world.settings.bucket, Key=key)["Body"].read()
        found += [json.loads(line) for line in gzip.decompress(body).splitlines()]
    return sorted(found, key=place)


def first(parts: Parts, most: int) -> Parts:
    """The first parts, as many as hold ``most`` lines together; one at least."""
    found, held = dict[str, str](), 0
    for number, word in sorted(parts.items(), key=lambda part: int(part[0])):
        held += sum(totals({number: word}).values())
        if found and held > most:
            break
        found[number] = word
    return found


def those_with(parts: Parts, fate: Fate) -> Parts:
    """The parts in which a line has this fate."""
    return {number: word for number, word in parts.items() if totals({number: word})[fate]}


def totals(parts: Parts) -> dict[str, int]:
    """How many lines of all parts have each of the seven fates."""
    counts = [map(int, word.split()[1:]) for word in parts.values()]
    return dict(zip(Fate, (sum(column) for column in zip(*counts, strict=True)), strict=True))


def _key(upload_id: str, number: int, token: str) -> str:
    return f"{RECEIPTS}{upload_id}/{number:05}-{token}.jsonl.gz"

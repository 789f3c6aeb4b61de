"""The simulated year at its full size: what was measured on a few stores, carried to ten thousand of them.

    python -m bench.scale      # writes docs/scale.md from bench/year.json and bench/results.json

Owns the arithmetic: how much of each limited thing a store takes at its busiest, and so with how many stores it is used
up. Measures nothing. AWS's limits are its documentation's; nothing here has been seen on AWS.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.chain import FULL, SENT_WITHIN_SECONDS
from bench.costs import File, _one, files_of, month, record_seconds
from bench.loading import ROOT
from bench.many import ITEMS, START, STORES
from lambdas.stream import KEPT_DAYS, SHARDS

PAGE = ROOT / "docs" / "scale.md"
PARTITION_WRITES, NEW_TABLE_WRITES, TABLE_WRITES = 1_000, 4_000, 40_000
"""Write units a second: of a partition, of a new on-demand table at once, of a table by default.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html and ServiceQuotas.html"""
PARTITION_BYTES = 10 * 2**30
LOADERS = 4
"""As the template's default has it."""
FILTERS = 200
"""Subscriptions of a topic that have a filter. https://docs.aws.amazon.com/general/latest/gr/sns.html"""
FULL_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest moment of so many stores: a file of each within the hour's first minutes, or before dawn."""

    name: str
    files: float  # a second
    records: float  # a second
    seconds: float  # of a loader, for each file

    @property
    def loaders(self) -> float:
        """How many are at work at once, if each takes as long as on this machine."""
        return self.files * self.seconds

    def drained(self, count: float, loaders: int = LOADERS, slower: float = 1) -> float:
        """Seconds until so many files are through."""
        return count * self.seconds * slower / loaders


def peaks(stores: int, files: Mapping[str, tuple[float, File]]) -> dict[str, Peak]:
    """By kind: full ones before dawn, partial ones at the hour."""
    found = {}
    for kind, within in SENT_WITHIN_SECONDS.items():
        _, one = files[kind]
        found[kind] = Peak(kind, stores / within, stores * one.records / within, one.seconds)
    return found


def partitions(bytes_: float, writes: float) -> int:
    """How many of a table DynamoDB needs for so much data, and so many write units a second."""
    return max(1, math.ceil(bytes_ / PARTITION_BYTES), math.ceil(writes / PARTITION_WRITES))


@dataclass(frozen=True, slots=True)
class Limit:
    """Something of which there is so much (``there``), and of which a store takes so much (``each``)."""

    name: str
    there: float
    each: float
    unit: str
    then: str

    @property
    def stores(self) -> float:
        """With so many it is used up."""
        return self.there / self.each if self.each else math.inf


_WRITES = "write units a second"
_AT_THE_HOUR = "loaders at once, at the hour"
_FILTERS = (
    "SNS refuses one more, and `subscribe` says so. Ask AWS for more, or let who has many stores have one subscription "
    "for up to 150 of them."
)
_FIRST = (
    "More than a minute until the first visitor sees stock, for each dashboard that starts. Later visitors share what "
    "was read."
)
_LOADERS = "Files wait in the queue, nothing is lost, they are through later. Raise `LoadersAtOnce`."
_MONTH = (
    "DynamoDB throttles, the writes are tried again, loading takes longer (alarm FilesWait). Then the key needs a "
    "shard, as that of the changes has."
)
_CHANGES = "The recorder is throttled: batches are tried again, changes are shown later (alarm RecorderBehind)."
_NEW = "DynamoDB throttles for minutes, then has grown; transactions are tried again."
_VERIFY = "It takes longer than a night. `verify --store NAME` takes as long as ever."
_SHARDS = (
    "There is a shard for each of the table's partitions, four at first, each with two readers of its own: with four, "
    "four times as many stores. Then set ParallelizationFactor (alarms RecorderBehind, CheckerBehind)."
)


def limits(year: Mapping[str, Any], results: Mapping[str, Any]) -> list[Limit]:
    """What is used up first comes first."""
    files = files_of(year, results)
    hour = peaks(1, files)["partial"]
    first_read = results["many"][START][0] / (STORES * ITEMS)
    records = sum(count * one.records for count, one in files.values())
    found = [
        Limit("subscriptions that name a store", FILTERS, 1, "filters of the topic", _FILTERS),
        Limit("the first page after a start reads the whole table", 60, first_read * year["items"], "seconds", _FIRST),
        Limit(_AT_THE_HOUR, LOADERS, hour.loaders, "loaders busy", _LOADERS),
        Limit("one key for all receipts of a month", PARTITION_WRITES, hour.files * receipt_writes(year),
              "write units a second of the index by month", _MONTH),
        Limit("changes of an hour, four shards", SHARDS * PARTITION_WRITES, hour.records, _WRITES, _CHANGES),
        Limit("a new Inventory table, before it has grown", NEW_TABLE_WRITES, hour.records * 2, _WRITES, _NEW),
        Limit("`verify` of everything", 12 * 3600, _verify_seconds(year, records), "seconds of half a day", _VERIFY),
        Limit("both readers of one shard", 1, hour.records * record_seconds(results), "of their time", _SHARDS),
        Limit("Lambdas at once in the account", 1_000, hour.loaders, "runs", "Lambda throttles; the queue holds."),
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.stores)


def receipt_writes(year: Mapping[str, Any]) -> int:
    """How often an upload writes its receipt, and with it the index by month: the loader, by `bench.requests`; who
    sends it, once; and who first lists it when its records are all seen."""
    return int(year["requests"]["new"]["loader: dynamodb UpdateItem"]) + 2


def _verify_seconds(year: Mapping[str, Any], records: float) -> float:
    """Of a store: as long as the simulated ones took, for each stream record; and for those of ninety days."""
    return float(year["verify seconds"]) / year["records"] * records * KEPT_DAYS


def page(year: Mapping[str, Any], results: Mapping[str, Any]) -> Iterator[str]:
    wrong = "**none was broken**" if not year["broken"] else f"**broken: {len(year['broken'])}**"
    told = {"uploads": year["uploads"], "rows": year["rows"], "seconds": year["seconds"], "records": year["records"]}
    yield _HEAD.format(**year["machine"], **{**told, "stores": year["stores"], "items": year["items"]},
                       days=year["days"], wrong=wrong, rate=year["uploads"] / year["seconds"],
                       verify=year["verify seconds"])  # fmt: skip
    yield from _kinds(year)
    yield from _full_size(year, results)
    yield from _breaking(year, results)


def _kinds(year: Mapping[str, Any]) -> Iterator[str]:
    fates = ("inserted", "changed", "touched", "unchanged", "stale", "duplicate", "rejected")
    yield "| kind | files | rows | " + " | ".join(fates) + " | records | alerts | write units | read units |"
    yield "|---|" + "---|" * (len(fates) + 6)
    first = {f"{kind}, on the first day": one for kind, one in year["first day"].items()}
    for kind, one in (first | year["kinds"]).items():
        if one.get("files"):
            names = ("files", "rows", *fates, "records", "alerts", "writes", "reads")
            yield f"| {kind} | " + " | ".join(f"{one.get(name, 0):,.0f}" for name in names) + " |"


def _full_size(year: Mapping[str, Any], results: Mapping[str, Any]) -> Iterator[str]:
    files, work = files_of(year, results), month(FULL_SIZE, year, results)
    a_day = {name: FULL_SIZE * sum(count * getattr(one, name) for count, one in files.values())
             for name in ("rows", "records", "writes", "reads", "size", "alerts")}  # fmt: skip
    uploads = FULL_SIZE * sum(count for count, _ in files.values())
    hour, dawn = peaks(FULL_SIZE, files)["partial"], peaks(FULL_SIZE, files)[FULL]
    sizes, items = year["sizes"], FULL_SIZE * year["items"]
    changes = sizes["changes"] / 3 * a_day["records"] * KEPT_DAYS
    yield f"\n## {FULL_SIZE:,} stores with {year['items']} items\n\n| | |\n|---|---|"
    yield f"| files a day, a year | {uploads:,.0f}, {uploads * 365:,.0f} |"
    yield f"| rows a day, a year | {a_day['rows']:,.0f}, {a_day['rows'] * 365:,.0f} |"
    yield f"| stream records a day | {a_day['records']:,.0f} |"
    yield f"| alerts a day | {a_day['alerts']:,.0f} |"
    yield f"| write and read units a day | {a_day['writes']:,.0f} and {a_day['reads']:,.0f} |"
    for peak, when in ((hour, "at the hour, for five minutes"), (dawn, "before dawn, for two hours")):
        rates = f"{peak.files:.1f} files and {peak.records:,.0f} records a second"
        yield f"| {when} | {rates}; {peak.loaders:.1f} loaders busy |"
    slow = hour.drained(FULL_SIZE, slower=10)
    yield (
        f"| an hour's files, by {LOADERS} loaders | through in {hour.drained(FULL_SIZE):,.0f} s, if a file takes "
        f"{hour.seconds * 1000:.0f} ms as here; in {slow:,.0f} s, if it takes ten times as long |"
    )
    readers = hour.records * record_seconds(results)
    yield f"| both readers, at the hour | {readers:.2f} of one shard's time; the table has four shards or more |"
    spread = {"Inventory": (sizes["inventory"] * items, hour.records * 2), "Changes": (changes, hour.records)}
    for name, (size, writes) in spread.items():
        needs = f"partitions: {partitions(size, writes)} or more"
        yield f"| {name} | {size / 2**30:,.1f} GB, {writes:,.0f} write units a second at the hour: {needs} |"
    yield f"| in tables and in the bucket after a year | {work.table_gb:,.0f} GB and {work.bucket_gb:,.0f} GB |"
    yield f"| a month | {_one(work.dollars)}: docs/costs.md |"


def _breaking(year: Mapping[str, Any], results: Mapping[str, Any]) -> Iterator[str]:
    found = limits(year, results)
    busy = next(one for one in found if one.name == _AT_THE_HOUR)
    yield _BREAKING.format(slow=busy.stores / 10)
    yield "| used up with … stores | what | there is | then |\n|---|---|---|---|"
    for one in found:
        yield f"| **{one.stores:,.0f}** | {one.name} | {one.there:,.0f} {one.unit} | {one.then} |"
    yield "\nLimits that do not grow with the stores, and what happens at each: docs/limits.md."


_HEAD = """# A simulated year

`python -m bench.year` writes this page. It sends the files of a made-up chain (`bench/chain.py`: 200 items a store, the
whole shelf before dawn, what moved at each of twelve hours; one partial file in fifty hours late and one file in
thirty-three twice) through the real pipeline on the embedded engine, as many stores and days as that holds in a few
minutes, checks the laws, and carries what was measured to ten thousand stores.

Machine: {machine}. {software}. {date}.

{stores} stores of {items} items, {days} days: {uploads:,} files, {rows:,} rows, {records:,} stream records in
{seconds:,.0f} s ({rate:.1f} files a second, four at a time, each followed to its last record). At the end every store
was held against its shelf, `tests/laws.py` and, in {verify:.1f} s, `verify`: {wrong}.
"""
_BREAKING = """
## Where it breaks first

Each line: something of which there is so much, divided by what a store takes of it at the hour, when the files of all
stores come within five minutes. Seconds are those of this machine: on AWS a file takes longer, by how much was not
measured. If it takes ten times as long, the loaders are all busy at the hour with {slow:,.0f} stores; the other lines
stay.
"""


def write(year: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    PAGE.write_text("\n".join(page(year, results)) + "\n")


def main() -> None:
    write(*(json.loads((ROOT / "bench" / name).read_text()) for name in ("year.json", "results.json")))


if __name__ == "__main__":
    main()

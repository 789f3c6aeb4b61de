"""What Stocktrail costs on AWS: list prices, what a file and an idle stack ask for, and the bill.

    python -m bench.costs      # writes docs/costs.md from bench/results.json and bench/year.json

Owns the prices and the arithmetic. Measures nothing: units come from receipts, requests and sizes from
`bench.requests`, seconds from `bench.loading`. Nothing here has been held against a bill of AWS's.
"""

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from bench.loading import LAST, ROOT
from lambdas.spending import READ_DOLLARS, WRITE_DOLLARS
from lambdas.stream import KEPT_DAYS
from operate.kept import TABLE, template

PAGE = ROOT / "docs" / "costs.md"
DAYS = 365 / 12
"""Of a month."""
MINUTES = DAYS * 24 * 60
GB = 2**30
LOADER_GB, OTHER_GB = 1769 / 1024, 512 / 1024
"""The memory of the Lambdas, as the template has it."""


class Price(NamedTuple):
    dollars: float
    of: str
    source: str


_REPEATED = (
    "aws.amazon.com/dynamodb/pricing/on-demand as repeated by airbyte.com/data-engineering-resources/dynamodb-pricing"
    " (July 2025)"
)
_LAMBDA = "aws.amazon.com/lambda/pricing as repeated by cloudchipr.com/blog/aws-lambda-pricing (2024); arm64"
_S3 = "aws.amazon.com/s3/pricing as repeated by cloudburn.io/blog/amazon-s3-pricing (March 2026) and devnotes.tech"
_SQS = "aws.amazon.com/sqs/pricing as repeated by cloudburn.io/blog/amazon-sqs-pricing (March 2026)"
_SNS = "aws.amazon.com/sns/pricing as repeated by factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols"
_WATCH = "aws.amazon.com/cloudwatch/pricing as repeated by factualminds.com (June 2026) and signoz.io (February 2026)"
_KEYS = "aws.amazon.com/kms/pricing as repeated in the cost notes of several public repositories (2025, 2026)"
_RECOVERY = "AWS's Price List, usage TimedPITRStorage-ByteHrs, as repeated in public repositories (2026)"
PRICES = {
    "reads": Price(READ_DOLLARS, "a read unit", _REPEATED),
    "writes": Price(WRITE_DOLLARS, "a write unit", _REPEATED),
    "table_gb": Price(0.25, "a GB and month in tables", _REPEATED),
    "recovery_gb": Price(0.20, "a GB and month of point-in-time recovery", _RECOVERY),
    "runs": Price(0.20e-6, "a Lambda's run", _LAMBDA),
    "gb_seconds": Price(0.0000133334, "a GB and second of a Lambda", _LAMBDA),
    "puts": Price(0.005e-3, "a PUT or LIST of S3", _S3),
    "gets": Price(0.0004e-3, "a GET of S3", _S3),
    "bucket_gb": Price(0.023, "a GB and month in the bucket", _S3),
    "queued": Price(0.40e-6, "a request of SQS", _SQS),
    "published": Price(0.50e-6, "a message to SNS", _SNS),
    "mails": Price(2.00e-5, "an e-mail that SNS sends", _SNS),
    "log_gb": Price(0.50, "a GB of logs", _WATCH),
    "alarms": Price(0.10, "an alarm and month", _WATCH),
    "metrics": Price(0.30, "a metric of our own and month", _WATCH),
    "dashboards": Price(3.00, "a CloudWatch dashboard and month", _WATCH),
    "keys": Price(1.00, "a key of KMS and month", _KEYS),
    "key_calls": Price(0.03e-4, "a call of KMS", _KEYS),
}
"""us-east-1, without the free allowances, looked up on 28 November 2026."""
LINES = {
    "DynamoDB": ("reads", "writes", "table_gb", "recovery_gb"),
    "Lambda": ("runs", "gb_seconds"),
    "S3": ("puts", "gets", "bucket_gb"),
    "SQS and SNS": ("queued", "published", "mails"),
    "watching": ("log_gb", "alarms", "metrics", "dashboards", "keys", "key_calls"),
}


@dataclass(frozen=True, slots=True)
class Work:
    """How much of each thing that has a price, under the same name."""

    reads: float = 0
    writes: float = 0
    table_gb: float = 0
    recovery_gb: float = 0
    runs: float = 0
    gb_seconds: float = 0
    puts: float = 0
    gets: float = 0
    bucket_gb: float = 0
    queued: float = 0
    published: float = 0
    mails: float = 0
    log_gb: float = 0
    alarms: float = 0
    metrics: float = 0
    dashboards: float = 0
    keys: float = 0
    key_calls: float = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __mul__(self, times: float) -> "Work":
        return Work(*(getattr(self, one.name) * times for one in fields(self)))

    @property
    def dollars(self) -> float:
        return sum(self.bill.values())

    @property
    def bill(self) -> dict[str, float]:
        """US dollars by line."""
        return {
            line: sum(getattr(self, name) * PRICES[name].dollars for name in names) for line, names in LINES.items()
        }


NOTHING = Work()


@dataclass(frozen=True, slots=True)
class File:
    """An average file of a kind: what it took. ``seconds``: of the loader."""

    rows: float
    records: float
    reads: float
    writes: float
    size: float
    alerts: float
    seconds: float


def of_file(file: File, log_bytes: float, record_seconds: float, mails: float = 1) -> Work:
    """What one file asks for, from its PUT to the last of its messages. ``record_seconds``: of the recorder and the
    checker together, for a record; ``mails``: how many are told of an alert.

    Its requests, by `bench.requests`: two PUTs (the file, its receipt's lines) and the entry in the audit, one GET; the
    queue's message is sent, received and deleted. Its records are of one store, and so in one shard: a run of both
    readers for a thousand of them. Each alert is noted in the bucket (a LIST, a PUT) before it is sent.
    """
    batches = -(-file.records // 1000)
    return Work(
        reads=file.reads, writes=file.writes, runs=1 + 2 * batches,
        gb_seconds=file.seconds * LOADER_GB + file.records * record_seconds * OTHER_GB,
        puts=3 + 2 * file.alerts, gets=1, queued=3, published=file.alerts, mails=file.alerts * mails,
        log_gb=log_bytes / GB,
    )  # fmt: skip


_POLLS_A_MINUTE = 5 * 3
"""Lambda asks an idle queue in five connections, each for twenty seconds.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
_READERS = 5
"""The four Lambdas and who looks at the dashboard: each has a table's key used once in five minutes."""


def idle(sweep: Mapping[str, float], *, production: bool) -> Work:
    """A month in which nothing is sent. ``sweep``: `reads`, `writes` and `seconds` of one run of the sweeper."""
    parts = [one["Type"] for one in template()["Resources"].values()]
    work = Work(
        reads=sweep["reads"] * MINUTES, writes=sweep["writes"] * MINUTES, runs=MINUTES,
        gb_seconds=sweep["seconds"] * OTHER_GB * MINUTES, puts=24 * DAYS,
        queued=parts.count("AWS::SQS::Queue") * _POLLS_A_MINUTE * MINUTES,
        log_gb=sweep["log_bytes"] * MINUTES / GB, key_calls=parts.count(TABLE) * _READERS * MINUTES / 5,
    )  # fmt: skip
    if not production:
        return work
    watching = {"alarms": "AWS::CloudWatch::Alarm", "dashboards": "AWS::CloudWatch::Dashboard", "keys": "AWS::KMS::Key"}
    counted = {name: parts.count(kind) for name, kind in watching.items()}
    return work + Work(**counted, metrics=3 if counted["alarms"] else 0)


def kept(
    sizes: Mapping[str, float], files_a_day: float, records_a_day: float, bytes_a_day: float, items: float
) -> Work:
    """What lies in tables and bucket after a year, for a month. ``sizes``: bytes, by table; with their indexes.

    Changes stay for 90 days, receipts, their counts and the files for ever.
    """
    tables = sizes["inventory"] * items + sizes["changes"] * records_a_day * KEPT_DAYS
    tables += sum(sizes[name] for name in ("uploads", "tallies", "store_uploads")) * files_a_day * 365
    return Work(
        table_gb=tables / GB, recovery_gb=tables / GB, bucket_gb=(bytes_a_day + sizes["lines"] * files_a_day) * 365 / GB
    )


def loader_seconds(results: Mapping[str, Any], rows: float, which: int) -> float:
    """How long the loader's own code took in `make bench`, between its files of 6 and of 1,000 rows. ``which``: 0 the
    first load, 1 the same again, 2 one row in a hundred changed."""
    low, high = (
        statistics.median(results["loading"][of]["ours"]["files"][which]["seconds"]) for of in ("6", "1000")
    )  # fmt: skip
    return low + (high - low) * (rows - 6) / 994


def record_seconds(results: Mapping[str, Any]) -> float:
    """How long the recorder and the checker together took for a record: of 100,000 new rows `make bench` waited so long
    for the last one; the engine serves both from one thread."""
    return statistics.median(results["loading"]["100000"][LAST]["files"][0]["seconds"]) / 100_000


def thousand(results: Mapping[str, Any], year: Mapping[str, Any]) -> dict[str, Work]:
    """1,000 uploads of 1,000 rows: by what is in them."""
    found = {}
    names = ("all rows new", "the same again", "one row in 100 changed")
    for which, (name, records) in enumerate(zip(names, (1000, 0, 10), strict=True)):
        reads, writes = results["loading"]["1000"][LAST]["files"][which]["units"]
        file = File(1000, records, reads, writes, 0, 0, loader_seconds(results, 1000, which))
        found[name] = of_file(file, year["log bytes"], record_seconds(results)) * 1000
    return found


def files_of(year: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, tuple[float, File]]:
    """By kind: how many files a store sends in a day, and the average one; as the simulated days after the first had
    them."""
    found, store_days = {}, year["stores"] * (year["days"] - 1)
    for kind, one in year["kinds"].items():
        if not (count := one.get("files", 0)):
            continue
        names = ("rows", "records", "reads", "writes", "bytes", "alerts")
        mean = {name: one.get(name, 0) / count for name in names}
        seconds = loader_seconds(results, mean["rows"], 2)
        found[kind] = count / store_days, File(*mean.values(), seconds)
    return found


def month(
    stores: int, year: Mapping[str, Any], results: Mapping[str, Any], *, slower: float = 1, production: bool = True
) -> Work:  # fmt: skip
    """A month of so many stores like the simulated ones. ``slower``: how many times as long the Lambdas take."""
    work, files, records, size = NOTHING, 0.0, 0.0, 0.0
    for a_day, file in files_of(year, results).values():
        work += of_file(file, year["log bytes"], record_seconds(results)) * (a_day * DAYS * stores)
        files, records, size = files + a_day, records + a_day * file.records, size + a_day * file.size
    work += idle(year["sweep"], production=production)
    work += Work(gb_seconds=work.gb_seconds * (slower - 1))
    keeps = kept(year["sizes"], files * stores, records * stores, size * stores, year["items"] * stores)
    return work + (keeps if production else Work(table_gb=keeps.table_gb, bucket_gb=keeps.bucket_gb))


def page(year: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    files = files_of(year, results)
    lines = [_HEAD.format(**year["machine"], stores=year["stores"], days=year["days"])]
    lines += ["## 1,000 uploads of 1,000 rows\n", "| | write units | read units | " + " | ".join(LINES) + " | in all |"]
    lines += ["|---|" + "---|" * (len(LINES) + 3)]
    for name, work in thousand(results, year).items():
        money = f"{_money(work.bill.values())} | **{_one(work.dollars)}** |"
        lines.append(f"| {name} | {work.writes:,.0f} | {work.reads:,.0f} | {money}")
    lines += ["\nSending them costs no storage here; what is kept is in the months below.\n", "## A month\n"]
    lines += ["| stores | " + " | ".join(LINES) + " | in all | a store | Lambdas five times as slow |"]
    lines += ["|---|" + "---|" * (len(LINES) + 3)]
    for stores in (0, 1, 100, 10_000):
        work = month(stores, year, results)
        slow = month(stores, year, results, slower=5)
        each = _one(work.dollars / stores) if stores else "–"
        lines.append(
            f"| {stores:,} | {_money(work.bill.values())} | **{_one(work.dollars)}** | {each} | {_one(slow.dollars)} |"
        )
    lines.append(_MONTH.format(bare=_one(month(0, year, results, production=False).dollars)))
    lines += [
        "| kind | a store and day | rows | stream records | write units | read units | KB |",
        "|---|" + "---|" * 6,
    ]
    for kind, (a_day, one) in files.items():
        told = (one.rows, one.records, one.writes, one.reads, one.size / 1024)
        lines.append(f"| {kind} | {a_day:.2f} | " + " | ".join(f"{number:,.1f}" for number in told) + " |")
    lines += [_FORMULA.format(**_numbers(year, results)), "| what | US dollars | source |", "|---|---|---|"]
    for price in PRICES.values():
        lines.append(f"| {price.of} | {f'{price.dollars:.10f}'.rstrip('0').rstrip('.')} | {price.source} |")
    return "\n".join(lines) + "\n"


def _numbers(year: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, str]:
    sweep, sizes = year["sweep"], year["sizes"]
    numbers = {"log": f"{year['log bytes']:,.0f}", "sweep_reads": f"{sweep['reads']:.1f}"}
    numbers |= {"sweep_ms": f"{sweep['seconds'] * 1000:.0f}", "sweep_log": f"{sweep['log_bytes']:,.0f}"}
    numbers |= {name: f"{number:,.0f}" for name, number in sizes.items()}
    return numbers | {"record_ms": f"{1000 * record_seconds(results):.2f}"}


def _money(amounts: Any) -> str:
    return " | ".join(map(_one, amounts))


def _one(amount: float) -> str:
    return f"${amount:,.0f}" if amount >= 100 else f"${amount:.2f}" if amount >= 0.01 else f"${amount:.4f}"


_HEAD = """# What it costs on AWS

`python -m bench.costs` writes this page from list prices and from what `make bench` and `python -m bench.year` measured
on the embedded engine ({machine}; {software}; {date}; {stores} simulated stores for {days} days).
**None of it has been held against a bill: Stocktrail has not run in an AWS account.** Prices are for us-east-1, without
the free allowances, looked up on 28 November 2026 in pages that repeat AWS's (named at the end): **check each one
against AWS's own page before you count on it.** The dashboard's own host is not among them: see docs/hosting.md.
"""
_MONTH = """
With `Production=true` (point-in-time recovery, alarms, a CloudWatch dashboard), after a first year of files. A stack
that is not, and to which nothing is sent, is {bare} a month. Each alert is one e-mail here. Lambda's seconds are those
of this machine: DynamoDB and S3 of AWS answer later than an engine on the same machine, by how much was not measured;
hence the last column.

A store is one of the simulated ones (`bench/chain.py`): {{}}
""".replace(
    "{{}}",
    "200 items, all of them sent before dawn, what moved sent every hour for twelve hours, some late, some twice.",
)
_FORMULA = """
## The formula

    a file    = reads × R + writes × W                              as its receipt counts them
              + (1 + 2 × ⌈records / 1,000⌉) runs                     loader; recorder and checker
              + loader's seconds × 1.73 GB + records × {record_ms} ms × 0.5 GB (both)
              + (3 + 2 × alerts) PUTs + 1 GET + 3 SQS requests + alerts × (message + e-mails)
              + {log} bytes of logs
    idle      = 43,800 runs of the sweeper ({sweep_reads} read units, {sweep_ms} ms, {sweep_log} bytes of logs each)
              + 15 polls a minute and queue + the tables' keys + alarms, dashboard
    kept      = items × {inventory} bytes + records of 90 days × {changes} bytes (with two indexes)
              + files of all time × ({uploads} + {tallies} + {store_uploads}) bytes in tables
              + the files themselves and {lines} bytes of lines for each in the bucket
    a changed or new row is about 5 write units: 2 to write it in a transaction, 3 to keep its change with two indexes

The units are DynamoDB's own reports for writes and its published rule for reads (`lambdas/spending.py`); the requests
of S3 and SNS were counted in the Lambdas' own code (`bench/requests.py`); what Lambda itself asks of SQS, and that it
reads streams for nothing, is AWS's documentation.

## The prices
"""


def write(year: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    PAGE.write_text(page(year, results))


def main() -> None:
    write(*(json.loads((ROOT / "bench" / name).read_text()) for name in ("year.json", "results.json")))


if __name__ == "__main__":
    main()

"""What it costs to read 1,000,000 rows with 0.1 % bad ones: our reader beside what people write instead.

    python -m pip install -r bench/requirements.txt
    python -m bench.reading [--rows 1000000] [--runs 5] [--only NAME]

Each run is a process of its own, from its start to its end: seconds for the reading alone and the process's peak
memory, its imports with it. The contenders take turns, so that a slow minute of the machine is everybody's. Each one
says how many rows it took for good and for bad; only ours says which, and why.
"""

import argparse
import csv
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

NOW = "2026-11-23T12:00:00.000000Z"
SEED = 20261123
BAD = ("", "n/a", "NaN", "twelve", "0x1F", "1,2,3")
Counts = tuple[int, int]
"""Good rows and bad rows."""


def write(path: Path, rows: int) -> None:
    """A file of that many rows, 40 stores, the same at every call; one row in 1,000 has a count that is none."""
    chance = random.Random(SEED)  # noqa: S311  # not a secret
    bad = set(chance.sample(range(rows), rows // 1000))
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("Store", "SKU", "Product name", "On hand", "Price", "Updated at"))
        for number in range(rows):
            count = chance.choice(BAD) if number in bad else _count(chance)
            minute = f"2026-11-{1 + number % 20:02} {number % 24:02}:{number % 60:02}:00"
            name = f'Thing "{number % 977}", boxed' if number % 10 == 0 else f"Thing {number % 977}"
            out.writerow((f"Store {number % 40:02}", f"{number:07}", name, count, f"{number % 90}.95", minute))


def _count(chance: random.Random) -> str:
    return f"{chance.randrange(-5, 2000)}" if chance.random() < 0.9 else f"{chance.randrange(0, 40000) / 100:.2f}"


def ours(path: Path) -> Counts:
    """StockFile(...).rows(), taken as they come."""
    from lambdas.stockfile import Row, StockFile

    good = bad = 0
    for row in StockFile(path.read_bytes()).rows(uploaded_at=NOW):
        if isinstance(row, Row):
            good += 1
        else:
            bad += 1
    return good, bad


def ours_in_lists(path: Path) -> Counts:
    """read(): all rows and rejects at once, as the loader needs them."""
    from lambdas.stockfile import read

    reading = read(path.read_bytes(), uploaded_at=NOW)
    return len(reading.rows), len(reading.rejects)


def plain_csv(path: Path) -> Counts:
    """csv.reader, Decimal and fromisoformat in a loop: the least that Python can do, for this file alone."""
    from datetime import datetime
    from decimal import Decimal, InvalidOperation

    good = bad = 0
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        next(lines)
        for store, sku, _, count, _, at in lines:
            try:
                usable = Decimal(count).is_finite() and datetime.fromisoformat(at) and store and sku
            except (InvalidOperation, ValueError):
                usable = False
            good += bool(usable)
            bad += not usable
    return good, bad


def pydantic_rows(path: Path) -> Counts:
    """csv.DictReader and a pydantic model for each row."""
    from datetime import datetime
    from decimal import Decimal

    from pydantic import BaseModel, Field, ValidationError

    class Stock(BaseModel):
        store: str = Field(alias="Store", min_length=1)
        sku: str = Field(alias="SKU", min_length=1)
        count: Decimal = Field(alias="On hand", allow_inf_nan=False)
        at: datetime = Field(alias="Updated at")

    good = bad = 0
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                Stock.model_validate(row)
                good += 1
            except ValidationError:
                bad += 1
    return good, bad


def pandas_frame(path: Path) -> Counts:
    """read_csv as text, then to_numeric and to_datetime for a column at a time."""
    import pandas as pd

    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    count = pd.to_numeric(frame["On hand"], errors="coerce")
    at = pd.to_datetime(frame["Updated at"], format="%Y-%m-%d %H:%M:%S", errors="coerce", utc=True)
    good = int((count.notna() & at.notna() & (frame["Store"] != "") & (frame["SKU"] != "")).sum())
    return good, len(frame) - good


def polars_frame(path: Path) -> Counts:
    """read_csv as text, then casts that give null for what they can't take."""
    import polars as pl

    frame = pl.read_csv(path, infer_schema=False).with_columns(
        pl.col("On hand").cast(pl.Decimal(38, 6), strict=False).alias("count"),
        pl.col("Updated at").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).alias("at"),
    )
    good = frame.drop_nulls(["count", "at", "Store", "SKU"]).height
    return good, frame.height - good


CONTENDERS: dict[str, Callable[[Path], Counts]] = {
    "ours, as a stream": ours,
    "ours, read() into lists": ours_in_lists,
    "csv.reader, this file only": plain_csv,
    "csv.DictReader + pydantic": pydantic_rows,
    "pandas": pandas_frame,
    "polars": polars_frame,
}


def alone(name: str, path: Path) -> dict[str, float]:
    """One run in this process."""
    started = time.perf_counter()
    good, bad = CONTENDERS[name](path)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "linux" else 1024)
    return {"seconds": seconds, "mb": peak / 1024, "good": good, "bad": bad}


def measured(name: str, path: Path) -> dict[str, float]:
    """One run in a new process."""
    command = [sys.executable, "-m", "bench.reading", "--alone", name, "--file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{name}: {done.stderr.strip()[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def table(results: dict[str, list[dict[str, float]]]) -> str:
    """The medians, and how often as long and as much memory as our stream."""
    middle = {n: {k: statistics.median(run[k] for run in runs) for k in runs[0]} for n, runs in results.items()}
    base = next(iter(middle.values()))
    lines = [
        f"{'reader':28}{'seconds':>9}{'min-max':>14}{'rows/s':>12}{'MB':>7}{'good':>11}{'bad':>7}{'time':>8}{'memory':>8}"
    ]
    for name, one in middle.items():
        seconds = [run["seconds"] for run in results[name]]
        rows = one["good"] + one["bad"]
        lines.append(
            f"{name:28}{one['seconds']:9.2f}{f'{min(seconds):.2f}-{max(seconds):.2f}':>14}"
            f"{rows / one['seconds']:12,.0f}"
            f"{one['mb']:7.0f}{one['good']:11,.0f}{one['bad']:7,.0f}"
            f"{one['seconds'] / base['seconds']:7.2f}x{one['mb'] / base['mb']:7.2f}x"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", choices=CONTENDERS, help="may be given several times")
    parser.add_argument("--alone", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(alone(options.alone, options.file)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stock.csv"
        write(path, options.rows)
        print(f"{options.rows:,} rows, {path.stat().st_size / 2**20:.0f} MB, median of {options.runs}", flush=True)
        results: dict[str, list[dict[str, float]]] = {name: [] for name in options.only or CONTENDERS}
        for _ in range(options.runs):
            for name, runs in results.items():
                runs.append(measured(name, path))
        print(table(results))


if __name__ == "__main__":
    main()

"""make bench: everything that is measured side by side, and the page that tells of it.

    python -m bench [--rows 6 1000 10000 100000] [--runs 5] [--ways WAY…] [--seconds 1800] [--only PART…]

Each part's figures go into bench/results.json as soon as there are any, in the place of what stood there of the same
size, and docs/performance.md is written anew: so a million rows can be added on a day that has the time for it
(`--rows 1000000 --runs 1 --only loading --ways ours`). Ways that make a request for each row are measured up to 10,000
rows, unless they are asked for. Viewers are watched for `--seconds` (half an hour), which shows whether memory grows.
"""

import argparse
import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import loading, many, report, viewers, watching, writing
from bench.ways import SLOW, WAYS

RESULTS = loading.ROOT / "bench" / "results.json"
SLOW_TO = 10_000
SOFTWARE = ("ministack", "boto3", "awswrangler", "streamlit")
PARTS = ("loading", "writing", "six", "pages", "many", "viewers")


def machine(names: Sequence[str] = SOFTWARE) -> dict[str, str]:
    """What it ran on, in words; and the versions of these packages."""
    cpus = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":")[1].strip() for line in cpus.splitlines() if line.startswith("model name")), "")
    count, memory = cpus.count("processor\t"), Path("/proc/meminfo").read_text().split()[1] if cpus else "0"
    said = f"{count} cores ({model or platform.processor()}), {int(memory) / 2**20:.0f} GB, {platform.system()}"
    software = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)])
    return {"machine": said, "software": software, "date": f"{datetime.now(UTC):%d %B %Y}"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[6, 1000, 10_000, 100_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ways", nargs="+", choices=WAYS)
    parser.add_argument("--seconds", type=float, default=viewers.HALF_AN_HOUR)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    given = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"loading": {}}
    ran_on = machine()  # first: what is missing for it must not be found out when all is measured

    def keep() -> None:
        results["machine"] = ran_on
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        print(f"{datetime.now():%H:%M:%S} written", flush=True)

    if "six" in given.only:
        results["six rows"] = watching.six_rows(50)
        keep()
    if "pages" in given.only:
        results["pages"] = watching.pages(given.runs)
        keep()
    if "many" in given.only:
        results["many"] = many.pages(given.runs)
        keep()
    if "viewers" in given.only:
        results["viewers"] = viewers.measure(seconds=given.seconds)
        keep()
    if "writing" in given.only:
        results["writing"] = writing.measure(10_000, given.runs)
        keep()
    for rows in given.rows if "loading" in given.only else ():
        ways = given.ways or [way for way in WAYS if rows <= SLOW_TO or way not in SLOW]
        results["loading"][str(rows)] = loading.measure(rows, given.runs, ways)
        keep()
    report.write(results)


if __name__ == "__main__":
    main()

"""A file of more rows than one loader holds: parted, loaded by many at once, and killed in the middle.

    python -m bench.huge [--rows 1000000] [--kill] [--again] [--keep]

The rows lie across the stores, so that none is where it is to be applied; one in a thousand can't be used, and one in a
thousand comes again at the end of the file, with another count. From the PUT: until the rows lie in parts, until the
receipt says loaded, and, as only then all is settled, until the last stream record has been kept and checked. `--kill`:
a loader's process is killed when a fifth of the parts are through, and the engine's server when half of them are. At
the end every row's fate is read back: each row once, and the figures are those that the file was made with. `--again`:
the same file once more, which changes nothing. Seconds, MB and rows, as JSON; with `--keep` they go to
bench/results.json and docs/performance.md.
"""

import argparse
import json
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench import report
from bench.loading import ROOT, _peaks, running
from lambdas import lines, receipts
from lambdas.upload import new_id, object_key
from services import stack as stacks
from services import uploads
from services.stack import Stack
from tests.chaos import processes

RESULTS = ROOT / "bench" / "results.json"
ODD = 1000
"""One row in so many can't be used, and one is told twice."""
_DEADLINE = 3600.0


def write(path: Path, rows: int) -> dict[str, int]:
    """A file of so many rows; the fates that they have in a table that knows none of them."""
    repeats = rows // ODD
    single = rows - repeats
    with path.open("w") as out:
        out.write("store,item,count,updated_at\n")
        for n in range(single):
            count = "many" if n % ODD == 7 else str(n % 97)
            out.write(f"Store {n % ODD:05},Item {n // ODD:06},{count},2026-11-01T08:00:00Z\n")
        for n in range(repeats):
            out.write(f"Store {n % (ODD - 8) + 8:05},Item {n // ODD:06},{n % 97},2026-11-02T08:00:00Z\n")
    return {"inserted": single - rejected(single), "duplicate": repeats, "rejected": rejected(single)}


def rejected(single: int) -> int:
    return len(range(7, single, ODD))


def put(stack: Stack, path: Path) -> str:
    upload_id = new_id()
    with path.open("rb") as body:
        stack.s3.put_object(Bucket=stack.settings.bucket, Key=object_key(upload_id, "huge.csv"), Body=body)
    return upload_id


def through(stack: Stack, home: Path, upload_id: str, *, kill: bool) -> dict[str, Any]:
    """What was seen of an upload, from its PUT on."""
    begin, found, killed = time.monotonic(), dict[str, Any](), list[str]()
    peak = 0
    while time.monotonic() < begin + _DEADLINE:
        with suppress(Exception):  # the engine may be gone at the moment
            receipt = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload_id) or {}
            seconds, parts = time.monotonic() - begin, int(receipt.get("Parted", 0))
            done = len(receipt.get("Through", ()))
            peak = max([peak, *_peaks(home)])
            if parts and "parted" not in found:
                found |= {"parted": seconds, "parts": parts, "MB while it was parted": peak}
            if kill and not killed and parts and done >= parts // 5:
                killed += _kill_loader(home)
            elif kill and len(killed) == 1 and done >= parts // 2:
                os.kill(processes.server(home) or 0, signal.SIGKILL)
                killed.append("the server")
                found["parts when the server was killed"] = done
                stack = stacks.connect({"STOCKTRAIL_HOME": str(home)})
            if "LoadedAt" in receipt and "loaded" not in found:
                found["loaded"] = seconds
            if "loaded" in found and uploads.receipt(stack, upload_id).settled:
                found["settled"] = time.monotonic() - begin
                break
        time.sleep(1)
    return found | {"MB at most": peak, "killed": killed}


def _kill_loader(home: Path) -> Iterator[str]:
    for pid in processes.workers(home):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"Loader" in command and processes.kill(pid):
            yield "a loader"
            return


def told(stack: Stack, upload_id: str) -> Counter[str]:
    """How many rows have each fate, read from the lines of the parts; ValueError when a row is told twice or not."""
    receipt = receipts.get(stack.dynamodb, stack.settings.uploads_table, upload_id) or {}
    fates, rows = Counter[str](), set[int]()
    for number, word in receipt["Parts"].items():
        for line in lines.read(stack.world, upload_id, {number: word}):
            if line["row"] in rows:
                raise ValueError(f"row {line['row']} is told twice")
            rows.add(line["row"])
            fates[line["fate"]] += 1
    if rows != set(range(2, int(receipt["Whole"]) + 2)):
        raise ValueError("a row is not told")
    return fates


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.huge", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running(followed=True) as (stack, home):
        path = Path(name) / "huge.csv"
        expected, now = write(path, given.rows), stack
        found: dict[str, Any] = {"rows": given.rows, "MB of the file": path.stat().st_size // 2**20}
        for which in ["first load", *(["same again"] if given.again else [])]:
            upload_id = put(now, path)
            found[which] = through(now, home, upload_id, kill=given.kill and which == "first load")
            receipt = uploads.receipt(now := stacks.connect({"STOCKTRAIL_HOME": str(home)}), upload_id)
            fates = told(now, upload_id)
            found[which] |= {"fates": dict(fates), "records seen": receipt.records_seen, "runs": receipt.tries}
            found[which] |= {"reads": float(receipt.reads), "writes": float(receipt.writes)}
            print(json.dumps({which: found[which]}), flush=True)
            if which == "first load" and dict(fates) != expected:
                raise ValueError(f"{expected} was expected")
    if given.keep:
        keep(found)


def keep(found: dict[str, Any]) -> None:
    """Among all results, and on the page that tells of them."""
    results = json.loads(RESULTS.read_text())
    results.setdefault("huge", {})[str(found["rows"])] = found
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    report.PAGE.write_text("\n".join(report.page(results)) + "\n")


if __name__ == "__main__":
    main()

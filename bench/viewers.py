"""Many who look at the feed at once: how soon it is drawn anew, what the database is asked, what stays in memory.

    python -m bench.viewers [--sessions 300] [--seconds 1800] [--rate 10] [--page changes] [--items 3000]

A dashboard on an engine of its own, while a process of its own changes so many counts a second. First one session,
then all of them, without browsers (`bench.viewing`, a process of its own too). Then as many on a bare script of
Streamlit's: as it comes, without the garbage collection after each run, and without watching its files as well.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from bench.loading import ROOT
from bench.served import BARE, Served, bare, ours

Figures = dict[str, Any]
HALF_AN_HOUR, SHORT = 1800.0, 60.0
"""Seconds: of the matter itself, and of what is only beside it."""
_SAMPLE_SECONDS, _SETTLED_SECONDS = 10.0, 120.0
_A_MINUTE = 6  # samples
_OPENED_A_SECOND = 4


def measure(
    sessions: int = 300, seconds: float = HALF_AN_HOUR, rate: float = 10, page: str = "changes", items: int = 3000
) -> Figures:
    """`one` session and `all` of them on the dashboard; and all of them on the bare script."""
    found: Figures = {"page": page, "rate": rate, "items": items}
    with ours(items, rate) as served:
        found["one"] = _say("one session", watched(served, page, 1, min(SHORT, seconds)))
        found["all"] = _say(f"{sessions} sessions", watched(served, page, sessions, seconds))
    for what, environ in BARE.items():
        with bare(environ) as served:
            found[what] = _say(what, watched(served, "", sessions, min(SHORT, seconds)))
    return found


def watched(served: Served, page: str, sessions: int, seconds: float, over: float | None = None) -> Figures:
    """What so many sessions met, as `bench.viewing` tells it, and what that took.

    `asked`: requests a minute, by operation. `cpu`: processors, by who was at work. `each`: milliseconds of the
    dashboard's processor for a refresh. `memory`: see `_rise`. ``over``: seconds in which they are opened.
    """
    over = sessions / _OPENED_A_SECOND if over is None else over
    command = [sys.executable, "-m", "bench.viewing", served.address, "--page", page, "--sessions", str(sessions)]
    command += ["--seconds", str(seconds), "--over", str(over)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as viewing:  # noqa: S603
        assert viewing.stdout is not None  # noqa: S101
        if viewing.stdout.readline() != "ready\n":
            raise RuntimeError(f"the sessions could not be opened: {viewing.wait()}")
        before, asked, begin = served.spent(), Counter(served.asked), time.monotonic()
        memory = _sampled(served, begin, seconds)
        took, after, fresh = time.monotonic() - begin, served.spent(), Counter(served.asked) - asked
        found: Figures = json.loads(viewing.stdout.read())
    cpu = {who: (after[who] - before[who]) / took for who in after}
    found |= {"sessions": sessions, "seconds": seconds, "cpu": cpu | {"sessions": found.pop("cpu")}}
    found |= {"each": 1000 * cpu["dashboard"] * took / max(1, found["refreshes"]), "memory": _rise(memory)}
    return found | {"asked": {what: count * 60 / took for what, count in sorted(fresh.items())}}


def _sampled(served: Served, begin: float, seconds: float) -> list[tuple[float, ...]]:
    """Every ten seconds: the seconds since it began, and the MB of the dashboard and of the engine."""
    found = [(0.0, *served.memory())]
    while (left := begin + seconds - time.monotonic()) > 0:
        time.sleep(min(_SAMPLE_SECONDS, left))
        found.append((time.monotonic() - begin, *served.memory()))
    return found


def _rise(samples: list[tuple[float, ...]]) -> Figures:
    """MB of the dashboard and of the engine: `settled`, after two minutes, at the `end`, and what they grow by in `an
    hour` from then on, by a line through all samples (None of a short run); and one sample a minute."""
    settled = [one for one in samples if one[0] >= _SETTLED_SECONDS]
    found: Figures = {"each minute": [[round(value) for value in one] for one in samples[::_A_MINUTE]]}
    for n, who in enumerate(("dashboard", "engine"), 1):
        values = [one[n] for one in settled]
        hours = [one[0] / 3600 for one in settled]
        rise = statistics.linear_regression(hours, values).slope if len(values) > _A_MINUTE else None
        found[who] = {"settled": (values or [samples[0][n]])[0], "end": samples[-1][n], "an hour": rise}
    return found


def _say(what: str, found: Figures) -> Figures:
    told = {name: value for name, value in found.items() if name not in ("minutes", "memory")}
    print(f"{what}: {json.dumps(told)}\n  memory: {json.dumps(found['memory'])}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.viewers", description=__doc__)
    parser.add_argument("--sessions", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=HALF_AN_HOUR)
    parser.add_argument("--rate", type=float, default=10)
    parser.add_argument("--page", default="changes")
    parser.add_argument("--items", type=int, default=3000)
    given = parser.parse_args()
    measure(given.sessions, given.seconds, given.rate, given.page, given.items)


if __name__ == "__main__":
    main()

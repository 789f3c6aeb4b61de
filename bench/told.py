"""What is told of many viewers: a section of docs/performance.md. Measures nothing."""

from collections.abc import Callable, Iterator
from typing import Any

from bench.served import BARE


def viewers(watched: dict[str, Any]) -> Iterator[str]:
    one, crowd = watched["one"], watched["all"]
    columns = {"1 session": one, f"**{crowd['sessions']} sessions**": crowd} | {what: watched[what] for what in BARE}
    yield _HEAD.format(rate=watched["rate"], items=watched["items"], page=watched["page"].capitalize(), **crowd)
    yield "| | " + " | ".join(columns) + " |"
    yield "|---|" + "---|" * len(columns)
    for what, told in _ROWS.items():
        yield f"| {what} | " + " | ".join(told(found) for found in columns.values()) + " |"
    yield "\nThe p95 of each minute of the {sessions} sessions, in ms: ".format(**crowd) + ", ".join(
        "–" if one is None else f"{one:.0f}" for one in crowd["minutes"]
    )
    yield f"\nWhat the database is asked, requests a minute.\n\n| | 1 session | {crowd['sessions']} sessions |"
    yield "|---|---|---|"
    for operation in sorted(one["asked"].keys() | crowd["asked"].keys()):
        yield f"| {operation} | {one['asked'].get(operation, 0):.1f} | {crowd['asked'].get(operation, 0):.1f} |"


_HEAD = """
## Many who look at the feed

Sessions without browsers, which speak to Streamlit as its browser code does, have the {page} page open for
{seconds:,.0f} seconds, while {rate:g} of {items:,} items change each second. Timed from a browser asking for
a refresh until it is told that the refresh is complete. Missed: not there when the next one was due. At work on the
same cores: the engine with its Lambdas, the process that writes, the sessions, and the proxy that counts what the
database is asked. Beside it as many sessions on a bare script, for a minute: a table of 20 rows in a fragment, drawn
anew every two seconds.
"""


def _ms(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda found: "–" if found[name] is None else f"{found[name]:,.0f}"


def _cores(who: str) -> Callable[[dict[str, Any]], str]:
    return lambda found: f"{found['cpu'][who]:.2f}" if who in found["cpu"] else "–"


def _mb(who: str) -> Callable[[dict[str, Any]], str]:
    def told(found: dict[str, Any]) -> str:
        one = found["memory"][who]
        grows = "" if one["an hour"] is None else f" ({one['an hour']:+.0f} an hour)"
        return f"{one['settled']:.0f} to {one['end']:.0f}{grows}" if one["end"] else "–"

    return told


_ROWS: dict[str, Callable[[dict[str, Any]], str]] = {
    "refreshes": _ms("refreshes"),
    "p50, ms": _ms("p50"),
    "**p95, ms**": _ms("p95"),
    "p99, ms": _ms("p99"),
    "longest, ms": _ms("max"),
    "missed": _ms("missed"),
    "until a new session's page stands there, p50, ms": _ms("first p50"),
    "until a new session's page stands there, p95, ms": _ms("first p95"),
    "sessions lost": _ms("lost"),
    "messages of a refresh": _ms("messages"),
    "bytes of a refresh": _ms("bytes"),
    "the dashboard's processor for a refresh, ms": lambda found: f"{found['each']:.1f}",
    "processors: dashboard": _cores("dashboard"),
    "processors: engine": _cores("engine"),
    "processors: who writes": _cores("changes"),
    "processors: who counts": _cores("counting"),
    "processors: the sessions": _cores("sessions"),
    "MB of the dashboard": _mb("dashboard"),
    "MB of the engine's server": _mb("engine"),
}

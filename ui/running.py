"""What the Pipeline page reads of queues, runs and logs, cached for all browsers together.

The logs are asked for only while somebody looks at them, and then for what has come since the last time.
"""

import streamlit as st

from lambdas import times
from services import logs, pipeline, runs
from services.loglines import LogLine
from services.logs import Tail, Trace
from services.pacing import Paced
from services.runs import Function, Reader
from ui import reads
from ui.reads import BY_THE_CLOCK, Link

_SECONDS = 2.0


@st.cache_resource(show_spinner=False, max_entries=1, hash_funcs=BY_THE_CLOCK)
def _tail(held: Link) -> Paced[list[LogLine]]:
    return Paced(Tail(held.stack).refresh, every=_SECONDS)


@reads.for_operators
@st.cache_resource(show_spinner=False, ttl=_SECONDS, hash_funcs=BY_THE_CLOCK)
def log(held: Link) -> list[LogLine]:
    """The log lines of the last minutes, in order."""
    return _tail(held).get()


def functions(held: Link) -> list[Function]:
    """Each Lambda with its runs of the last minutes."""
    log(held)
    return _functions(held, _tail(held).version)


@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs=BY_THE_CLOCK)
def _functions(held: Link, version: int) -> list[Function]:  # noqa: ARG001 (a part of the key)
    return runs.functions(log(held))


@reads.for_operators
@st.cache_resource(show_spinner=False, ttl=_SECONDS, hash_funcs=BY_THE_CLOCK)
def readers(held: Link) -> list[Reader]:
    """The recorder and the checker: how far behind the stream."""
    return runs.readers(log(held), reads.receipts(held), times.now())


@reads.for_operators
@st.cache_resource(show_spinner=False, ttl=30, max_entries=4, hash_funcs=BY_THE_CLOCK)
def log_before(held: Link, minutes: float) -> list[LogLine]:
    """The log lines of a longer while, in order: a question that takes its time."""
    return logs.before(held.stack, minutes)


@reads.for_operators
@st.cache_resource(show_spinner=False, ttl=_SECONDS, max_entries=20, hash_funcs=BY_THE_CLOCK)
def trace(held: Link, upload_id: str, since: str) -> Trace:
    """What the Lambdas logged in the runs of one upload."""
    return logs.of_upload(held.stack, upload_id, since)


@reads.for_operators
@st.cache_resource(show_spinner=False, ttl=1, hash_funcs=BY_THE_CLOCK)
def queue(held: Link) -> dict[str, int]:
    """How many messages wait, are at the loader, and were given up."""
    return pipeline.waiting(held.stack)

"""What the Pipeline page is told: the Lambdas' runs and logs, one upload's lines, the stream's readers, the queues."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lambdas import batch, times
from lambdas import failures as kept
from services import failures, loglines, logs, pipeline, runs, uploads
from services.loglines import ERROR, LogLine
from services.logs import Tail, Trace
from services.outcome import Receipt
from services.runs import Function, Run
from services.stack import Stack
from tests.conftest import csv, deployed, invoke, sent
from tests.records import record_of
from tests.waiting import until

NOW = "2026-11-27T12:00:00.000000Z"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An engine for these tests alone: what other tests let fail waits in the queue for minutes."""
    with deployed(tmp_path_factory.mktemp("runs")) as found:
        yield found


def ran(stack: Stack, name: str) -> Function:
    [found] = [one for one in runs.functions(logs.before(stack, logs.MINUTES)) if one.name == name]
    return found


def traced(stack: Stack, receipt: Receipt) -> Trace:
    return logs.of_upload(stack, receipt.upload_id or "", receipt.received_at or "")


def whole(stack: Stack, receipt: Receipt) -> Trace | None:
    """An upload's lines, once all three Lambdas' runs with it are over."""
    found = traced(stack, receipt)
    over = {one.function for one in found.lines if one.took is not None}
    return found if over >= {"loader", "recorder", "checker"} else None


# --- one upload's lines ------------------------------------------------------------------------------------------


def test_an_uploads_lines_are_all_those_of_its_runs_in_all_three_lambdas_in_order(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,0", "Bread,1"))
    found = until(lambda: whole(stack, receipt)).lines
    said = [(line.function, line.message) for line in found if line.took is None]
    assert [one for one in said if one[0] == "loader"] == [
        ("loader", "messages: 1"),  # it does not name the upload
        ("loader", "loading stock.csv"),
        ("loader", "done with stock.csv"),
    ]
    assert {message.split(":")[0] for function, message in said if function == "checker"} == {
        "stream records", "alerts opened"
    }  # fmt: skip
    assert [line.at for line in found] == sorted(line.at for line in found)
    for run in {line.request_id for line in found}:
        assert [line for line in found if line.request_id == run][-1].took is not None


def test_a_batch_that_holds_other_uploads_records_too_is_told_as_shared(stack: Stack, store: str):
    mine, other = sent(stack, csv(store, "Tea,3")), sent(stack, csv(store, "Jam,4"))
    until(lambda: whole(stack, mine))
    assert not {run for run, many in traced(stack, mine).shared.items() if many > 1}
    records = [record_of(stack, store, item) for item in ("Tea", "Jam")]
    invoke(stack, stack.settings.recorder, {"Records": records})

    def shared() -> Trace | None:
        found = traced(stack, mine)
        return found if found.shared else None

    found = until(shared)
    [run] = found.shared
    assert found.shared[run] == 1
    assert {by for line in found.lines if line.request_id == run for by in line.uploads} == {
        mine.upload_id, other.upload_id
    }  # fmt: skip


def test_what_failed_in_a_run_is_among_an_uploads_lines_with_its_traceback(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,3"))
    record = record_of(stack, store, "Tea")
    invoke(stack, stack.settings.recorder, {"Records": [record, None]})
    found = until(lambda: [one for one in traced(stack, receipt).lines if one.level == ERROR])
    assert found[0].message == "a record can't be worked on"
    assert found[0].detail.endswith("TypeError: 'NoneType' object is not subscriptable")
    for failure in failures.every(stack):
        if "NoneType" in failure.reason:
            kept.mended(stack.world, failure.kind, failure.id.split("/", 1)[1])


def test_what_the_sweeper_did_with_an_upload_is_among_its_lines(stack: Stack):
    upload_id = uploads.send(stack, "no-stock.csv", b"%PDF-1.4")
    *_, receipt = uploads.follow(stack, upload_id)
    assert failures.retry(stack, f"file/{upload_id}") == ""

    def swept() -> list[str]:
        return [one.message for one in traced(stack, receipt).lines if one.function == "sweeper"]

    assert "run again, as was asked" in until(swept)
    until(lambda: failures.every(stack))
    failures.put_aside(stack, f"file/{upload_id}")


# --- runs --------------------------------------------------------------------------------------------------------


def test_a_run_that_failed_shows_as_failed_with_its_duration_and_its_traceback(stack: Stack):
    before = {run.request_id for run in ran(stack, "recorder").runs}
    with pytest.raises(AssertionError, match="Records"):
        invoke(stack, stack.settings.recorder, {"no": "batch of a stream"})

    def failed() -> list[Run]:
        return [run for run in ran(stack, "recorder").runs if run.failed and run.request_id not in before]

    [run] = until(failed)
    assert run.duration > 0
    assert run.at > times.later(times.now(), minutes=-2)
    told = [one for one in logs.before(stack, 5) if one.request_id == run.request_id and one.level == ERROR]
    assert any(one.detail.startswith("Traceback") and one.detail.endswith("KeyError: 'Records'") for one in told)


def test_a_run_of_a_new_process_is_a_cold_start_and_the_next_one_is_none(stack: Stack):
    with pytest.raises(AssertionError, match="Records"):
        invoke(stack, stack.settings.checker, {"no": "batch"})  # what fails ends its process
    known = {run.request_id for run in ran(stack, "checker").runs}
    for _ in range(2):
        invoke(stack, stack.settings.checker, {"Records": []})

    def later() -> list[bool]:
        fresh = [run.cold for run in ran(stack, "checker").runs if run.request_id not in known]
        return fresh if len(fresh) >= 2 else []

    found = until(later)
    assert True in found
    assert False in found


def test_percentiles_are_durations_that_some_run_took():
    made = [Run(str(n), NOW, float(n), failed=False) for n in range(1, 101)]
    assert Function("loader", made[::-1]).percentile(0.5) == 50
    assert Function("loader", made[::-1]).percentile(0.95) == 95
    assert Function("loader", made[:1]).percentile(0.95) == 1
    assert Function("loader", []).percentile(0.5) is None


def report(more: str = "") -> list[LogLine]:
    """A run as AWS logs it: text of several lines in one event, and a REPORT of its own form."""
    run = "8f5b0d3e-0000-4000-8000-000000000000"
    texts = [
        "INIT_START Runtime Version: python:3.11.v50",
        f"START RequestId: {run} Version: $LATEST\n",
        '{"_aws":{"Timestamp":1000,"CloudWatchMetrics":[]},"Hanging":[0.0]}',  # for CloudWatch, and nobody else
        "[ERROR] KeyError: 'Records'\nTraceback (most recent call last):\n  File \"/var/task/lambdas/recorder.py\"",
        f"END RequestId: {run}\n",
        f"REPORT RequestId: {run}\tDuration: 12.34 ms\tBilled Duration: 412 ms\tMemory Size: 512 MB\t"
        f"Max Memory Used: 90 MB\tInit Duration: 398.71 ms\t{more}\n",
    ]
    made = [{"timestamp": 1_000 + n, "logStreamName": "s", "message": text} for n, text in enumerate(texts)]
    return loglines.lines(loglines.event("recorder", one) for one in made)


def test_what_aws_reports_of_a_run_is_read():
    [error, over] = report()
    assert (error.level, error.message) == (ERROR, "[ERROR] KeyError: 'Records'")
    assert "recorder.py" in error.detail
    assert (over.took, over.init, over.cold) == (12.34, 398.71, True)
    [recorder] = [one for one in runs.functions([error, over]) if one.name == "recorder"]
    assert (recorder.errors, recorder.cold_starts) == (1, 1)
    assert report("Status: timeout")[-1].level == ERROR


def test_of_a_busy_function_the_latest_runs_are_told(stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "_AT_MOST", 8)  # events: of two runs
    for count in range(1, 6):
        sent(stack, csv(store, f"Tea,{count}"))
    before = times.now()
    sent(stack, csv(store, "Tea,0"))

    def latest() -> bool:
        found = ran(stack, "recorder").runs
        return len(found) <= 2 and bool(found) and found[0].at > before

    assert until(latest)


# --- the log -----------------------------------------------------------------------------------------------------


def test_the_log_is_searched_in_what_it_says_in_tracebacks_and_ids_the_latest_first(stack: Stack, store: str):
    name = f"{uuid.uuid4().hex}.csv"
    receipt = sent(stack, csv(store, "Tea,3"), name=name)

    def found(text: str, **more: Any) -> list[LogLine]:
        return loglines.fitting(logs.before(stack, 5), text, **more)

    done = until(lambda: [one for one in found(name.upper()) if one.message.startswith("done")])
    assert [one.message for one in found(name)] == [f"done with {name}", f"loading {name}"]
    assert {one.function for one in found(receipt.upload_id or "")} == {"loader", "recorder", "checker"}
    assert {one.function for one in found("", function="checker")} == {"checker"}
    assert not found(done[0].request_id, levels=(ERROR,))
    traceback = LogLine(NOW, "loader", ERROR, "try 1 failed", "", detail="Traceback\n  ReadTimeout: s3")
    assert loglines.fitting([traceback], "readtimeout", (ERROR,)) == [traceback]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From when on each question asks."""
    found: list[int] = []
    real = logs._events

    def noted(client: Any, of: Any, start: int, *more: Any) -> Iterator[Any]:
        found.append(start)
        return real(client, of, start, *more)

    monkeypatch.setattr(logs, "_events", noted)
    return found


def test_who_follows_the_log_asks_only_for_what_has_come_since_and_misses_nothing(
    stack: Stack, store: str, asked: list[int]
):
    sent(stack, csv(store, "Tea,3"))
    clock = [0.0]
    tail = Tail(stack, lambda: clock[0])
    first = tail.refresh()
    window = min(asked)
    asked.clear()
    sent(stack, csv(store, "Tea,4"))

    def grown() -> list[LogLine]:
        found = tail.refresh()
        return found if found == logs.before(stack, logs.MINUTES) else []

    assert len(until(grown)) > len(first)
    followed = [start for start in asked if start > window + 600_000]
    assert len(followed) >= len(logs.FUNCTIONS)  # the others are the comparison's
    asked.clear()
    clock[0] += 61
    tail.refresh()
    assert len(asked) == len(logs.FUNCTIONS)


# --- the stream's readers ----------------------------------------------------------------------------------------


def told(at: int, oldest: int, run: str = "a", *, function: str = "recorder", failed: bool = False) -> list[LogLine]:
    """A batch: taken up so many seconds ago, its oldest record made so many seconds ago."""
    moment = times.later(NOW, seconds=-at)
    line = LogLine(moment, function, "INFO", "", run, records=2, oldest=times.later(NOW, seconds=-oldest))
    return [line, *([LogLine(moment, function, ERROR, "failed", run)] if failed else [])]


def behind(found: list[LogLine], sent: list[Receipt] | None = None) -> tuple[float, bool]:
    [recorder, _] = runs.readers(found, sent or [], NOW)
    return recorder.behind, recorder.stuck


def test_a_reader_is_as_far_behind_as_its_latest_batch_was_old():
    assert behind([]) == (0, False)
    assert behind(told(at=5, oldest=9)) == (4, False)
    assert behind(told(at=60, oldest=90)) == (0, False)  # it has had nothing to do since then


def test_a_reader_whose_batch_fails_falls_further_behind_until_that_batch_is_through():
    failing = told(at=100, oldest=110, failed=True)
    assert behind(failing) == (110, True)
    assert behind(failing + told(at=50, oldest=110, run="b")) == (0, False)
    newer = told(at=50, oldest=52, run="b")  # of another shard of the stream: the batch itself has not come through
    assert behind(failing + newer) == (110, True)


def test_a_reader_that_is_never_called_is_as_far_behind_as_records_are_missed(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,3"))
    now = times.later(receipt.loaded_at or "", minutes=4)
    assert [one.behind for one in runs.readers([], [receipt], now)] == [0, 0]
    missing = replace(receipt, records_seen=0)
    assert [one.behind for one in runs.readers([], [missing], now)] == [240, 0]
    long_after = times.later(now, minutes=60)  # by then it was given up, and is an incident
    assert [one.behind for one in runs.readers([], [missing], long_after)] == [0, 0]


def test_a_batch_says_how_old_it_is_and_whose_whatever_its_records_are():
    good = {"dynamodb": {"ApproximateCreationDateTime": 1795793540, "NewImage": {"UploadId": {"S": "u1"}}}}
    older = {"dynamodb": {"ApproximateCreationDateTime": 1795793530.0}}
    put_back = {"dynamodb": {name: {"UploadId": {"S": "u0"}} for name in ("OldImage", "NewImage")}}
    bad: list[Any] = [None, {}, {"dynamodb": None}, {"dynamodb": {"ApproximateCreationDateTime": "soon"}}]
    assert batch.told([good, older, put_back, *bad]) == {
        "records": 7, "uploads": ["u1"], "oldest": "2026-11-27T15:32:10.000000Z"
    }  # fmt: skip
    assert batch.told([]) == {"records": 0, "uploads": []}


def test_the_deployed_readers_log_how_old_their_batches_are(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,3"))
    lines = until(lambda: whole(stack, receipt)).lines
    for name in runs.READERS:
        [first, *_] = [one for one in lines if one.function == name]
        assert first.oldest
        assert (receipt.received_at or "")[:19] <= first.oldest[:19] <= first.at[:19]
        assert receipt.upload_id in first.uploads


# --- the queues --------------------------------------------------------------------------------------------------


def test_nothing_waits_when_every_upload_is_through(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,1"))
    none = {"waiting": 0, "parts": 0, "loading": 0, "given up": 0}
    until(lambda: pipeline.waiting(stack) == none, seconds=90)  # what another test let fail is tried again meanwhile

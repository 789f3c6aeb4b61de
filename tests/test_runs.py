"""What the Pipeline page is told: the Lambdas' runs, an upload's log lines, the queues."""

import pytest

from lambdas import times
from services import pipeline
from services.stack import Stack
from tests.conftest import csv, invoke, sent
from tests.waiting import until


def test_an_uploads_log_lines_come_from_all_three_lambdas_in_order(stack: Stack, store: str):
    receipt = sent(stack, csv(store, "Tea,0", "Bread,1"))

    def lines() -> list[pipeline.LogLine]:
        found = pipeline.log(stack, receipt.upload_id or "", receipt.received_at or "")
        return found if len({line.function for line in found}) == 3 else []

    found = until(lines)
    said = {(line.function, line.message) for line in found}
    assert said >= {("loader", "loading stock.csv"), ("loader", "done with stock.csv")}
    assert [line.at for line in found] == sorted(line.at for line in found)
    assert found[0].message == "loading stock.csv"
    assert {line.request_id for line in found if line.function == "loader"} == {found[0].request_id}


def test_a_run_that_failed_shows_as_failed_with_its_duration(stack: Stack):
    before = {run.request_id for function in pipeline.functions(stack) for run in function.runs}
    with pytest.raises(AssertionError, match="Records"):
        invoke(stack, stack.settings.recorder, {"no": "batch of a stream"})

    def failed() -> list[pipeline.Run]:
        [recorder] = [one for one in pipeline.functions(stack) if one.name == "recorder"]
        return [run for run in recorder.runs if run.failed and run.request_id not in before]

    [run] = until(failed)
    assert run.duration > 0
    assert run.at > times.later(times.now(), minutes=-2)


def test_of_a_busy_function_the_latest_runs_are_told(stack: Stack, store: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pipeline, "_AT_MOST", 3)
    for count in range(1, 6):
        sent(stack, csv(store, f"Tea,{count}"))

    def latest() -> bool:
        [recorder] = [one for one in pipeline.functions(stack) if one.name == "recorder"]
        return bool(recorder.runs) and recorder.runs[0].at > before

    before = times.now()
    sent(stack, csv(store, "Tea,0"))
    assert until(latest)


def test_nothing_waits_when_every_upload_is_through(stack: Stack, store: str):
    sent(stack, csv(store, "Tea,1"))
    none = {"waiting": 0, "loading": 0, "given up": 0}
    until(lambda: pipeline.waiting(stack) == none, seconds=90)  # what another test let fail is tried again meanwhile

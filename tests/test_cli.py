"""The command line: python -m services …

Its words are played in this process: to start one for each takes longer than most of them. Processes of their own are
in `tests.test_readme` and `tests.test_restart`.
"""

import io
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest

from lambdas import failures
from local.engine import EngineError
from services.__main__ import main
from services.errors import StocktrailError
from services.stack import ROOT, Stack, attach, on_aws
from tests.conftest import SAMPLES, csv
from tests.records import dynamo_change

pytestmark = pytest.mark.usefixtures("stack")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if not on_aws(os.environ):
        with suppress(StocktrailError, EngineError):  # it will say so itself
            attach(os.environ, stay=True)  # as it lets go of the engine when it ends
    words, out, err = list(map(str, arguments)), io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as wrong_usage:
            code = int(wrong_usage.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def asked(*arguments: str | Path) -> list[dict[str, Any]]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture
def file(store: str, tmp_path: Path) -> Path:
    path = tmp_path / "stock.csv"
    path.write_bytes(csv(store, "Tea,3", "Rye bread,0", "Jam,some"))
    return path


def test_upload_prints_the_receipt_with_every_figure(file: Path):
    [first] = asked("upload", file)
    assert first.pop("upload_id")
    assert first.pop("write_units") >= 2 * 2 + 2 * 3  # two items in a transaction, two changes with two indexes
    assert first.pop("read_units") >= 2
    assert first == {
        "file": "stock.csv", "mode": "newest", "state": "loaded", "rows": 3, "inserted": 2, "changed": 0, "touched": 0,
        "unchanged": 0, "stale": 0, "duplicate": 0, "rejected": 1, "records_expected": 2, "records_seen": 2,
        "alerts": 1, "reason": None, "question": None, "undoes": None, "undone_by": None, "by": None, "errors": [
            {"row": 4, "column": "count", "value": "some", "reason": "not a number such as 12, 39.5 or -3"}
        ],
    }  # fmt: skip


def test_in_words_the_second_upload_says_why_nothing_happened(file: Path):
    asked("upload", file)
    said = run("upload", file).stdout
    assert "3 rows: 2 already up to date, 1 not usable. No stream record is expected: nothing changed" in said
    assert "row 4, column count “some”: not a number" in said


def test_a_dry_run_foresees_the_same_figures_and_writes_nothing(file: Path, store: str):
    [foreseen] = asked("upload", "--dry-run", file)
    assert asked("stock", "--store", store) == []
    [done] = asked("upload", file)
    apart = {"upload_id", "state", "records_seen", "read_units", "write_units"}
    assert {k: v for k, v in foreseen.items() if k not in apart} == {k: v for k, v in done.items() if k not in apart}
    assert foreseen["state"] == "preview"
    assert [foreseen[name] for name in apart - {"state"}] == [None] * 4


def test_stock_changes_alerts_uploads_and_receipt_tell_of_it(file: Path, store: str):
    [sent] = asked("upload", file)
    held = asked("stock", "--store", store)
    assert [(one["item"], one["count"]) for one in held] == [("Rye bread", 0), ("Tea", 3)]
    assert set(held[0]) == {"store", "item", "count", "updated_at", "upload_id"}
    [change] = asked("changes", "--item", f"{store}/Tea")
    assert (change["event"], change["old_count"], change["new_count"]) == ("INSERT", None, 3)
    assert len(asked("changes", "--upload", sent["upload_id"])) == 2
    [alert] = [one for one in asked("alerts") if one["store"] == store]
    assert (alert["item"], alert["state"], alert["opened_by"]) == ("Rye bread", "open", sent["upload_id"])
    assert asked("receipt", sent["upload_id"]) == [sent]
    assert sent in asked("uploads")


def test_several_files_take_effect_in_the_order_given(tmp_path: Path, store: str):
    paths = [tmp_path / name for name in ("b.csv", "a.csv")]
    for path, count in zip(paths, (1, 2), strict=True):
        path.write_bytes(csv(store, f"Tea,{count}"))
    assert [one["file"] for one in asked("upload", *paths)] == ["b.csv", "a.csv"]
    assert [one["count"] for one in asked("stock", "--store", store)] == [2]


def test_without_waiting_it_ends_when_the_file_is_received(file: Path):
    [sent] = asked("upload", "--no-wait", file)
    assert sent["state"] in ("received", "loading", "loaded")


def test_follow_prints_each_change_as_it_comes(file: Path, store: str):
    command = [sys.executable, "-m", "services", "changes", "--follow", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as follower:
        assert follower.stderr
        assert follower.stderr.readline() == "Following the changes; Ctrl+C ends it.\n"
        asked("upload", file)
        assert follower.stdout
        found = [json.loads(follower.stdout.readline()) for _ in range(2)]
        follower.terminate()
    assert {one["store"] for one in found} == {store}


def test_a_file_that_can_not_be_used_is_exit_code_1_with_the_reason(tmp_path: Path):
    path = tmp_path / "sales.csv"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    for option in ([], ["--dry-run"]):
        done = run("upload", *option, path)
        assert done.returncode == 1
        assert "Could not be loaded. This is a Git LFS pointer" in done.stdout


def test_a_file_of_which_no_row_can_be_used_is_exit_code_1(tmp_path: Path, store: str):
    path = tmp_path / "blank.csv"
    path.write_bytes(csv(store, "Tea,"))
    assert run("upload", path).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["upload"], "FILE"),
        (["upload", "no such file.csv"], "No such file"),
        (["upload", "--mode", "guess", SAMPLES / "berlin.csv"], "invalid choice"),
        (["upload", "--store", " ", SAMPLES / "berlin.csv"], "is blank"),
        (["changes", "--item", "Berlin"], "STORE/ITEM"),
        (["upload", "--map", "sku", SAMPLES / "berlin.csv"], "is to be NAME=COLUMN"),
        (["upload", "--map", "price=3", SAMPLES / "berlin.csv"], "“price” is none of item, count"),
        (["upload", "--encoding", "klingon", SAMPLES / "berlin.csv"], "is not one of these"),
        (["upload", "--delimiter", "::", SAMPLES / "berlin.csv"], "is to be one character"),
        (["upload", "--word", "none", SAMPLES / "berlin.csv"], "is to be TEXT=COUNT"),
        (["upload", "--word", "none=nothing", SAMPLES / "berlin.csv"], "is to be TEXT=COUNT"),
        (["upload", "--decimal", ";", SAMPLES / "berlin.csv"], "invalid choice"),
        (["answer"], "ID"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_wrong(arguments: list[str | Path], says: str):
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr


@pytest.fixture
def shop(tmp_path: Path, store: str) -> Path:
    """A file whose headings say nothing, of a shape of its own: two columns could be the count."""
    path = tmp_path / "shop.csv"
    tail = store[-4:]
    path.write_text(f"Ding {tail};Ort;Zahl;Rest\nTea;{store};1,5;7,25\nJam;{store};none;8,5\n", "cp1252")
    return path


MAPPED = ("--map", "item=1,store=Ort,count=Zahl", "--word", "none=0")


def held(store: str) -> dict[str, float]:
    return {one["item"]: one["count"] for one in asked("stock", "--store", store)}


def test_an_open_question_says_what_answers_it_and_the_answer_loads_the_same_upload(shop: Path, store: str):
    foreseen = run("upload", "--dry-run", shop)
    assert foreseen.returncode == 1
    assert "Answer it: --map " in foreseen.stdout
    done = run("upload", shop)
    assert done.returncode == 1
    upload_id = re.search(r"answer (\S+) --map ", done.stdout)
    assert upload_id, done.stdout
    assert "Waits for an answer. " in done.stdout
    [waits] = asked("receipt", upload_id[1])
    assert (waits["state"], waits["rows"]) == ("waiting", 0)
    assert waits["question"] in ("item", "count")
    short = run("answer", upload_id[1], "--map", "item=1")
    assert short.returncode == 1
    assert "Say it as well: --map " in short.stderr
    [loaded] = asked("answer", upload_id[1], *MAPPED)
    assert (loaded["upload_id"], loaded["state"], loaded["inserted"]) == (upload_id[1], "loaded", 2)
    assert held(store) == {"Tea": 1.5, "Jam": 0}
    [known] = [one for one in asked("mappings") if one["columns"][1:] == ["Ort", "Zahl", "Rest"]][:1]
    assert known["by"] == upload_id[1]
    [again] = asked("upload", shop)
    assert again["unchanged"] == 2


def test_what_is_said_is_remembered_for_the_shape_unless_only_once_and_can_be_forgotten(shop: Path, store: str):
    mine = f"Ding {store[-4:]}"
    [first] = asked("upload", "--once", *MAPPED, shop)
    assert first["inserted"] == 2
    assert run("upload", "--dry-run", shop).returncode == 1
    asked("upload", *MAPPED, shop)
    said = run("upload", "--dry-run", shop)
    assert "Read with what is saved for files of this shape." in said.stdout
    assert "2 rows: 2 already up to date." in said.stdout
    [known] = [one for one in asked("mappings") if mine in one["columns"]]
    assert known["mapping"]["words"] == [["none", "0"]]
    assert mine in run("mappings").stdout
    assert mine not in str(asked("mappings", "--forget", known["shape"]))
    gone = run("mappings", "--forget", known["shape"])
    assert gone.returncode == 1
    assert "Nothing is saved for the shape" in gone.stderr
    assert run("upload", "--dry-run", shop).returncode == 1


def test_a_store_is_said_for_one_file_and_only_always_for_all_of_its_shape(tmp_path: Path, store: str):
    path = tmp_path / "till.csv"
    path.write_text(f"item,count,note {store[-4:]}\nTea,3,\n")
    assert run("upload", path).returncode == 1
    assert asked("upload", "--store", store, path)[0]["inserted"] == 1
    assert run("upload", "--dry-run", path).returncode == 1
    assert asked("upload", "--always", store, path)[0]["unchanged"] == 1
    assert asked("upload", path)[0]["unchanged"] == 1
    asked("mappings", "--forget", next(one["shape"] for one in asked("mappings") if store[-4:] in str(one["columns"])))


def test_every_option_reaches_the_loader(tmp_path: Path, store: str):
    path = tmp_path / "odd.csv"
    path.write_text(f"Käse|{store}|1.234|03/04/2026\nKäse|{store}|2|04/04/2026\n", "cp1252")
    [done] = asked(
        "upload", "--once", "--no-header", "--map", "item=1,store=2,count=3,updated_at=4", "--decimal", ",",
        "--dates", "mdy", "--encoding", "cp1252", "--delimiter", "|", "--repeats", "sum", path,
    )  # fmt: skip
    assert (done["inserted"], done["duplicate"]) == (1, 1)
    [one] = asked("stock", "--store", store)
    assert (one["item"], one["count"], one["updated_at"][:10]) == ("Käse", 1236, "2026-04-04")


def test_mend_writes_the_rejected_rows_and_never_over_a_file(file: Path, store: str, tmp_path: Path):
    [sent] = asked("upload", file)
    out = tmp_path / "mended.csv"
    done = run("mend", sent["upload_id"], "--out", out)
    assert (done.returncode, done.stdout.strip()) == (0, str(out))
    assert out.read_text().splitlines() == [
        "store,item,count,reason", f'{store},Jam,some,"count: not a number such as 12, 39.5 or -3"',
    ]  # fmt: skip
    again = run("mend", sent["upload_id"], "--out", out)
    assert again.returncode == 2
    assert "File exists" in again.stderr
    out.write_text(out.read_text().replace("some", "5"))
    [mended] = asked("upload", out)
    assert mended["inserted"] == 1
    nothing = run("mend", mended["upload_id"])
    assert nothing.returncode == 1
    assert "has no rows to mend" in nothing.stderr


def test_an_upload_that_does_not_exist_is_said():
    done = run("receipt", "20260101T000000000000-00000000")
    assert done.returncode == 1
    assert "There is no upload" in done.stderr


def test_the_engine_says_how_it_is():
    assert "Running: process" in run("engine", "status").stdout
    assert "Already running" in run("engine", "start").stdout


def test_a_stack_that_does_not_exist_is_said(monkeypatch: pytest.MonkeyPatch):
    for name, value in attached().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STOCKTRAIL_STACK", "no-such-stack")
    done = run("stock")
    assert done.returncode == 1
    assert "There is no stack “no-such-stack”" in done.stderr


def test_the_engine_says_what_lets_awss_own_tools_speak_to_it():
    told = dict(line.removeprefix("export ").split("=", 1) for line in run("engine", "env").stdout.splitlines())
    assert {name: value.strip("'") for name, value in told.items()} == attached()


def test_with_credentials_of_aws_and_no_stack_it_is_said_that_this_is_the_engine(monkeypatch: pytest.MonkeyPatch):
    assert "embedded engine" not in run("stock").stderr
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    assert run("stock").stderr == (
        "This is the embedded engine on this machine. For AWS, name a stack in STOCKTRAIL_STACK.\n"
    )


def test_a_state_folder_that_can_not_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("STOCKTRAIL_HOME", str(tmp_path / "file"))
    done = run("stock")
    assert done.returncode == 1
    assert "can't be made: File exists. Name another one." in done.stderr


def test_an_engine_that_can_not_be_reached_is_said(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    done = run("stock")
    assert done.returncode == 1
    assert "Could not connect" in done.stderr


def attached() -> dict[str, str]:
    """The environment that names the running engine as if it were AWS."""
    return dict(attach(os.environ).environ)


def test_what_failed_is_listed_run_again_and_gone(stack: Stack, store: str):
    asked("upload", "--no-wait", SAMPLES / "berlin.csv")
    bad = {"eventID": store, "dynamodb": {"Keys": {"Store": {"S": store}, "Item": {"S": "Rye"}}}}
    failures.keep(stack.world, failures.RECORD, store, "on purpose", bad)
    [failed] = [one for one in asked("failed") if one["about"] == f"{store} · Rye"]
    assert (failed["id"], failed["reason"]) == (f"record/{store}", "on purpose")
    assert f"{store} · Rye: a stream record could not be kept. on purpose" in run("failed").stdout
    again = run("retry", failed["id"])
    assert (again.returncode, again.stdout) == (1, "Not done: 'SequenceNumber'\n")
    failures.mended(stack.world, failures.RECORD, store)
    assert run("retry", failed["id"]).returncode == 0
    assert run("retry", "nonsense").returncode == 1


def test_verify_names_what_does_not_agree_and_exits_1(stack: Stack, store: str, file: Path):
    asked("upload", file)
    found = run("verify", "--store", store)
    assert (found.returncode, "everything agrees" in found.stdout) == (0, True)
    change = dynamo_change(stack, store, "Tea")
    key = {name: change[name] for name in ("Bucket", "Position")}
    stack.dynamodb.delete_item(TableName=stack.settings.changes_table, Key=key)
    found = run("verify", "--store", store, "--json")
    assert found.returncode == 1
    assert {f"{store} · Tea" in one["where"] for one in json.loads(found.stdout)["differences"]} == {True}
    stack.dynamodb.put_item(TableName=stack.settings.changes_table, Item=change)
    assert run("verify", "--store", store).returncode == 0


def test_log_prints_every_line_of_an_uploads_runs_in_order_and_finds_words_the_latest_first(file: Path, store: str):
    file = file.rename(file.with_name(f"{store[-8:]}.csv"))
    [receipt] = asked("upload", file)
    lines = asked("log", "--upload", receipt["upload_id"])
    assert {one["function"] for one in lines} == {"loader", "recorder", "checker"}
    assert [one["message"] for one in lines if one["function"] == "loader"][:2] == [
        "messages: 1",
        f"loading {file.name}",
    ]
    assert [one["at"] for one in lines] == sorted(one["at"] for one in lines)
    said = run("log", "--search", file.name).stdout.splitlines()
    assert [line.split("INFO     ")[1] for line in said] == [f"done with {file.name}", f"loading {file.name}"]
    assert run("log", "--upload", "no-such-upload").returncode == 1

"""The fault harness itself: its proxy, its clocks' plan and model; and a short run in which each kind of fault strikes.

`make chaos` is the long run.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.chaos import files, plan
from tests.chaos.__main__ import run
from tests.chaos.files import File, Row, Statement
from tests.chaos.proxy import Proxy, Rule
from tests.chaos.without import MEASURES, SOURCE, Measure

NETWORK_ROUND = (
    "reset before", "reset after", "latency", "5xx", "throttled", "conflict", "unprocessed", "topic refuses",
    "kill saver",
)  # fmt: skip
OTHER_ROUND = (
    "kill worker", "kill uploader", "kill server", "kill dashboard", "disk full", "events again", "records again",
    "engine's clock", "people's clock",
)  # fmt: skip


def test_whatever_strikes_nothing_acknowledged_is_lost_and_the_books_agree(tmp_path: Path):
    struck = _struck(tmp_path / "world", range(1, 3), NETWORK_ROUND, OTHER_ROUND)
    if missed := [kind for kind in plan.KINDS if not struck[kind]]:  # by chance: when it came there was nothing to hit
        struck += _struck(tmp_path / "again", range(3, 4), missed)
    assert [kind for kind in plan.KINDS if not struck[kind]] == []


def _struck(folder: Path, numbers: range, *rounds: Sequence[str]) -> Counter[str]:
    _, told = run(folder, 1, numbers, [",".join(kinds) for kinds in rounds])
    assert [problem for one in told[:-1] for problem in one["problems"]] == []
    assert told[-1] == {"left": []}
    return sum((Counter(one["struck"]) for one in told[:-1]), Counter[str]())


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_what_the_harness_takes_out_is_still_there_to_be_taken_out(measure: Measure, tmp_path: Path):
    copy = tmp_path / measure.file
    copy.parent.mkdir(parents=True)
    before = (SOURCE / measure.file).read_text()
    copy.write_text(before)
    measure.taken_out(tmp_path)
    assert measure.code in before
    assert measure.code not in copy.read_text()


class Engine(ThreadingHTTPServer):
    """Stands for the engine: keeps what it is asked, and answers with ``answer``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.asked: list[tuple[str, bytes]] = []
        self.answer = b"{}"


class _Asked(BaseHTTPRequestHandler):
    server: Engine

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.headers["Host"], body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy(engine: Engine) -> Iterator[Proxy]:
    made = Proxy(lambda: int(engine.server_address[1]), "the workers' token", seed=1)
    yield made
    made.close()


def client(proxy: Proxy, service: Any, who: str = "anyone") -> Any:
    once = Config(retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "1" * 12, "aws_secret_access_key": "any", "aws_session_token": who}
    return boto3.client(service, region_name="us-east-1", endpoint_url=proxy.endpoint, config=once, **keys)


def put(proxy: Proxy, who: str = "anyone") -> None:
    client(proxy, "dynamodb", who).put_item(TableName="things", Item={"id": {"S": "a"}})


def test_without_a_rule_the_engine_is_asked_under_its_own_name(engine: Engine, proxy: Proxy):
    put(proxy)
    [(host, body)] = engine.asked
    assert host == f"127.0.0.1:{engine.server_address[1]}"
    assert b'"id"' in body
    assert not proxy.struck


def test_while_there_is_no_engine_the_connection_is_cut_and_nothing_counts_as_struck(proxy: Proxy):
    proxy.upstream = lambda: None
    with pytest.raises(BotoCoreError):
        put(proxy)
    assert not proxy.struck


@pytest.mark.parametrize(("name", "asked"), [("reset before", 0), ("reset after", 1), ("5xx", 0), ("throttled", 0)])
def test_a_rule_spoils_a_request_before_or_after_the_engine_has_acted(
    engine: Engine, proxy: Proxy, name: str, asked: int
):
    proxy.begin(Rule(name))
    with pytest.raises((BotoCoreError, ClientError)):
        put(proxy)
    assert (len(engine.asked), proxy.struck) == (asked, Counter({name: 1}))
    proxy.clear()
    put(proxy)
    assert len(engine.asked) == asked + 1


def test_a_rule_for_the_lambdas_leaves_the_others_alone(proxy: Proxy):
    proxy.begin(Rule("throttled", by_lambda=True))
    put(proxy)
    with pytest.raises(ClientError, match="ProvisionedThroughputExceeded"):
        put(proxy, who="the workers' token")


def test_what_is_left_unprocessed_never_reached_the_engine_and_is_named_in_the_answer(engine: Engine, proxy: Proxy):
    proxy.begin(Rule("unprocessed"))
    wanted = [{"PutRequest": {"Item": {"id": {"S": f"item-{n:02}"}}}} for n in range(12)]
    answer = client(proxy, "dynamodb").batch_write_item(RequestItems={"things": wanted})
    left = answer["UnprocessedItems"]["things"]
    [(_, body)] = engine.asked
    for one in wanted:
        assert (one in left) != (one["PutRequest"]["Item"]["id"]["S"].encode() in body)
    assert 0 < len(left) < 12


def test_a_conflict_names_the_items_that_another_transaction_held(proxy: Proxy):
    proxy.begin(Rule("conflict"))
    puts = [{"Put": {"TableName": "things", "Item": {"id": {"S": str(n)}}}} for n in range(5)]
    with pytest.raises(ClientError) as told:
        client(proxy, "dynamodb").transact_write_items(TransactItems=puts)
    codes = [reason["Code"] for reason in told.value.response["CancellationReasons"]]
    assert len(codes) == 5
    assert set(codes) <= {"TransactionConflict", "None"}
    assert "TransactionConflict" in codes


def test_a_topic_that_refuses_a_part_says_which_messages_it_did_not_take(engine: Engine, proxy: Proxy):
    taken = "".join(f"<member><MessageId>m{n}</MessageId><Id>{n}</Id></member>" for n in range(1))
    engine.answer = (
        f"<PublishBatchResponse><PublishBatchResult><Successful>{taken}</Successful><Failed/></PublishBatchResult>"
        "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishBatchResponse>"
    ).encode()
    proxy.begin(Rule("topic refuses"))
    entries = [{"Id": str(n), "Message": f"text-{n}"} for n in range(8)]
    partly = 0
    for _ in range(20):
        try:
            answer = client(proxy, "sns").publish_batch(
                TopicArn="arn:aws:sns:x:y:z", PublishBatchRequestEntries=entries
            )
        except ClientError:  # refused as a whole
            continue
        partly += 1
        for one in answer["Failed"]:
            assert f"text-{one['Id']}".encode() not in engine.asked[-1][1]
        assert answer["Failed"]
    assert partly
    assert len(engine.asked) <= partly


def test_a_plan_is_a_matter_of_seed_and_number_alone():
    assert plan.draw(7, 3) == plan.draw(7, 3)
    assert plan.draw(7, 3) != plan.draw(7, 4)
    assert plan.draw(7, 3, only=plan.KINDS).kinds == set(plan.KINDS) - {"kill uploader"}


def test_over_many_rounds_every_kind_of_fault_is_drawn():
    drawn = [plan.draw(1, number) for number in range(200)]
    kinds = {kind for one in drawn for kind in one.kinds}
    killed = any(sending.kill_after is not None for one in drawn for sending in one.sendings)
    assert kinds == set(plan.KINDS) - {"kill uploader"}
    assert killed


def test_the_model_reads_a_file_as_the_laws_demand():
    rows = (Row("Tea", "3", -50), Row("Rye", "", -5), Row("Tea", "0", -60), Row("Oats", "1", -9), Row("Oats", "2", -9))
    file = File("x.csv", "North", "newest", "send", rows)
    rendered = files.render(file, datetime(2026, 11, 1, tzinfo=UTC))
    assert [(one.item, one.count) for one in rendered.statements] == [("Tea", 3), ("Oats", 2)]
    assert rendered.data.splitlines()[1] == b"North,Tea,3,2026-10-31T23:59:10.000000Z"


def test_the_newest_statement_stays_and_among_equally_new_ones_the_later_upload():
    early, late = ("2026-11-01T00:00:01", "1"), ("2026-11-01T00:00:02", "2")
    said = [(late, Statement("Tea", 1, None)), (early, Statement("Tea", 2, None))]
    assert files.newest(said) == {"Tea": 1}
    stated = [(early, Statement("Tea", 5, "2026-11-01T00:00:03")), (late, Statement("Tea", 6, "2026-11-01T00:00:03"))]
    assert files.newest([*said, *stated]) == {"Tea": 6}

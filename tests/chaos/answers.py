"""What the network does to a request: each kind of fault as a function of the request and of the way to the engine.

Owns the wording of AWS's refusals. Knows nothing of sockets: a fault returns the answer, or None to cut the connection.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
"""

import json
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """One request. ``operation``: `dynamodb:PutItem`, `s3:PUT`, `sns:PublishBatch`."""

    method: str
    path: str
    headers: Headers
    body: bytes
    operation: str
    by_lambda: bool


@dataclass(frozen=True)
class Response:
    status: int
    headers: Headers
    body: bytes


Forward = Callable[[Request], Response]
Answer = Response | None
Act = Callable[[Request, Forward, random.Random], Answer]


def operation(method: str, headers: Headers, body: bytes) -> str:
    """Which service is asked for what: by the signature's scope, and by target, form or method."""
    fields = {name.lower(): value for name, value in headers}
    scope = fields.get("authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    service = scope[3] if len(scope) > 3 else ""
    if target := fields.get("x-amz-target"):
        return f"{service}:{target.rpartition('.')[2]}"
    if body.startswith(b"Action="):
        return f"{service}:{dict(parse_qsl(body.decode())).get('Action', '')}"
    return f"{service}:{method}"


def refusal(request: Request, status: int, code: str, **more: Any) -> Response:
    """An error as the request's service words it."""
    service, message = request.operation.partition(":")[0], "The harness refuses this."
    if service in ("dynamodb", "sqs", "logs"):
        body = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": message, **more}).encode()
        return Response(status, [("Content-Type", "application/x-amz-json-1.0")], body)
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    text = f"<Error>{inner}</Error>" if service == "s3" else f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>"
    return Response(status, [("Content-Type", "text/xml")], text.encode())


def cut_before(_request: Request, _forward: Forward, _rng: random.Random) -> Answer:
    return None


def cut_after(request: Request, forward: Forward, _rng: random.Random) -> Answer:
    """The engine has done it, and nobody hears of it."""
    forward(request)
    return None


def slow(request: Request, forward: Forward, rng: random.Random) -> Answer:
    time.sleep(rng.uniform(0.05, 0.6))
    return forward(request)


def server_error(request: Request, _forward: Forward, rng: random.Random) -> Answer:
    status, code = rng.choice([(500, "InternalServerError"), (503, "ServiceUnavailable")])
    if rng.random() < 0.2:  # something on the way that is not AWS
        return Response(status, [("Content-Type", "text/html")], b"<html>Bad gateway</html>")
    return refusal(request, status, code)


def throttled(request: Request, _forward: Forward, _rng: random.Random) -> Answer:
    return refusal(request, 400, "ProvisionedThroughputExceededException")


def conflict(request: Request, _forward: Forward, rng: random.Random) -> Answer:
    """Another transaction was at some of the items."""
    count = len(json.loads(request.body)["TransactItems"])
    hit = rng.randrange(count)
    reasons = [{"Code": "TransactionConflict" if n == hit or rng.random() < 0.2 else "None"} for n in range(count)]
    return refusal(request, 400, "TransactionCanceledException", CancellationReasons=reasons)


def unprocessed(request: Request, forward: Forward, rng: random.Random) -> Answer:
    """A part of a batch is left undone: it never reaches the engine, and the answer says so."""
    asked = json.loads(request.body)
    writes = request.operation == "dynamodb:BatchWriteItem"
    [(table, wanted)] = asked["RequestItems"].items()
    done, left = _parted(wanted if writes else wanted["Keys"], rng)
    if not done:  # a batch that is left undone as a whole is a throttled one
        return refusal(request, 400, "ProvisionedThroughputExceededException")
    part = {table: done} if writes else {table: {**wanted, "Keys": done}}
    found = forward(replace(request, body=json.dumps({**asked, "RequestItems": part}).encode()))
    if found.status != 200:
        return found
    name, rest = ("UnprocessedItems", left) if writes else ("UnprocessedKeys", {**wanted, "Keys": left})
    body = json.dumps({**json.loads(found.body), name: {table: rest}}).encode()
    return Response(200, [(n, v) for n, v in found.headers if n.lower() != "x-amz-crc32"], body)


def _parted(things: list[Any], rng: random.Random) -> tuple[list[Any], list[Any]]:
    keep = [rng.random() < 0.6 for _ in things]
    keep[rng.randrange(len(things))] = False
    pairs = list(zip(things, keep, strict=True))
    return [thing for thing, kept in pairs if kept], [thing for thing, kept in pairs if not kept]


def topic_refuses(request: Request, forward: Forward, rng: random.Random) -> Answer:
    """SNS refuses the call, or takes some of the messages and lists the others as failed."""
    form = parse_qsl(request.body.decode(), keep_blank_values=True)
    ids = [value for name, value in form if name.startswith(_ENTRY) and name.endswith(".Id")]
    if not ids or rng.random() < 0.6:
        return refusal(request, *rng.choice([(400, "Throttled"), (500, "InternalError"), (503, "ServiceUnavailable")]))
    taken, failed = _parted(ids, rng)
    if not taken:
        return _failing(_EMPTY, failed)
    found = forward(replace(request, body=_form_of(form, taken)))
    return found if found.status != 200 else _failing(found, failed)


_ENTRY = "PublishBatchRequestEntries.member."
_EMPTY = Response(
    200,
    [("Content-Type", "text/xml")],
    b'<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Successful/>'
    b"<Failed></Failed></PublishBatchResult><ResponseMetadata/></PublishBatchResponse>",
)


def _form_of(form: Iterable[tuple[str, str]], taken: list[str]) -> bytes:
    """The form with the entries of these ids only, numbered anew."""
    form = list(form)
    numbers = {n.removeprefix(_ENTRY).split(".")[0]: v for n, v in form if n.startswith(_ENTRY) and n.endswith(".Id")}
    place = {old: taken.index(v) + 1 for old, v in numbers.items() if v in taken}
    kept = []
    for name, value in form:
        number, _, rest = name.removeprefix(_ENTRY).partition(".")
        if not name.startswith(_ENTRY):
            kept.append((name, value))
        elif number in place:
            kept.append((f"{_ENTRY}{place[number]}.{rest}", value))
    return urlencode(kept).encode()


def _failing(found: Response, ids: list[str]) -> Response:
    said = "<Code>InternalError</Code><Message>The harness refuses this.</Message><SenderFault>false</SenderFault>"
    members = "".join(f"<member><Id>{one}</Id>{said}</member>" for one in ids).encode()
    body = found.body.replace(b"<Failed/>", b"<Failed></Failed>")
    if b"<Failed>" not in body:
        body = body.replace(b"</PublishBatchResult>", b"<Failed></Failed></PublishBatchResult>")
    return replace(found, body=body.replace(b"<Failed>", b"<Failed>" + members))


def any_request(_request: Request) -> bool:
    return True


def asks(*operations: str) -> Callable[[Request], bool]:
    return lambda request: request.operation in operations


NETWORK: dict[str, tuple[Act, Callable[[Request], bool]]] = {
    "reset before": (cut_before, any_request),
    "reset after": (cut_after, any_request),
    "latency": (slow, any_request),
    "5xx": (server_error, any_request),
    "throttled": (throttled, lambda request: request.operation.startswith("dynamodb:")),
    "conflict": (conflict, asks("dynamodb:TransactWriteItems")),
    "unprocessed": (unprocessed, asks("dynamodb:BatchWriteItem", "dynamodb:BatchGetItem")),
    "topic refuses": (topic_refuses, asks("sns:Publish", "sns:PublishBatch")),
}
"""The faults of the network by name: what is done, and to which requests it can be done."""

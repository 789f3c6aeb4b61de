"""Who calls, and what that one may do: MiniStack's signatures, roles and policies, switched on and made to hold.

Owns `STOCKTRAIL_ENGINE_AUTH`: with it each Lambda works with its own role's credentials, a role can be assumed, and
what a policy does not allow is refused. The owner's secret stays above all that, as the root of an AWS account is.
MiniStack alone takes a root key without looking at its signature, gives Lambdas secrets that anybody can work out, and
knows neither the condition of a write that must not overwrite nor the stream that a call is about. Here it does. Each
kind of call that a policy decided on is logged once.

Touches MiniStack's internals like `snapshot`. Must not know which roles there are, nor what they are for.
"""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from local.environment import worker_secret
from local.gate import App, Headers, Receive, Scope, Send, refuse, token_of
from local.modules import module

_METADATA = "/.well-known/openid-configuration"
_SESSION_KEY = re.compile(rb"AWS4-HMAC-SHA256 Credential=ASIA\w+/")  # how the temporary keys of roles begin
_ORIGIN = ContextVar("origin", default=("127.0.0.1", True))
_log = logging.getLogger("engine.identities")


def install(secret: str) -> None:
    """Let MiniStack's identities hold. `secret` is the state folder's. Fails loudly when a name is gone."""
    runtime, sts = module("core.lambda_runtime"), module("services.sts")
    evaluator, actions = module("core.iam_evaluator"), module("core.iam_actions")
    credentials = _secret_credentials(runtime.execution_credentials, sts, secret)
    for of in (runtime, module("services.lambda_svc")):
        _replace(of, "execution_credentials", credentials)
    # The gate lets a session in by the Lambdas' token, whoever it is of: key and signature tell who that is.
    _replace(sts, "_gen_session_token", lambda: worker_secret(secret))
    _replace(evaluator, "_request_origin", _ORIGIN)  # the engine's own calls do not come over a network either
    _replace(evaluator, "enforce", _logged(evaluator.enforce, sts))
    _replace(actions, "_s3_object_context", _with_conditions_of_writes(actions._s3_object_context))
    _replace(actions, "extract_iam_action", _as_aws_calls_it(actions.extract_iam_action))
    streams = module("services.dynamodb_streams")
    _replace(actions, "extract_resource_arn", _with_streams(actions.extract_resource_arn, streams._decode_iterator))


def only_signed(app: App, secret: str) -> App:
    """MiniStack, reached only with the owner's secret or a signature by a session's key: never as root without it.

    What comes over the loopback crosses no network: it counts as encrypted (`aws:SecureTransport`), unless it says of
    itself that it was not.
    """

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        headers: Headers = list(scope["headers"])
        token = token_of(headers, scope.get("query_string", b""))  # without one the gate lets in sign-in pages alone
        owner = hmac.compare_digest(token, secret.encode())
        if token and not owner and not _is_signed_by_a_session(headers):
            await refuse(scope, send, 403, "A role's session must sign its requests.")
            return
        metadata = scope["path"].endswith(_METADATA)  # it says where browsers are to go, and that is no https
        if not metadata and all(name != b"x-forwarded-proto" for name, _ in headers):
            scope = {**scope, "headers": [*headers, (b"x-forwarded-proto", b"https")]}
        await app(scope, receive, send)

    return asked


def _is_signed_by_a_session(headers: Headers) -> bool:
    """Whether the request is to be judged by the signature of a temporary key; MiniStack then checks it."""
    signed = [value for name, value in headers if name == b"authorization"]
    return len(signed) == 1 and _SESSION_KEY.match(signed[0]) is not None


def _replace(of: Any, name: str, by: Any) -> None:
    getattr(of, name)
    setattr(of, name, by)


def _secret_credentials(original: Callable[..., dict[str, str]], sts: Any, secret: str) -> Callable[..., Any]:
    """MiniStack works a Lambda's secret out of its name and its role's."""

    def credentials(config: Mapping[str, Any]) -> dict[str, str]:
        key = original(config)["AWS_ACCESS_KEY_ID"]
        own = hmac.new(secret.encode(), f"lambda {key}".encode(), hashlib.sha256).hexdigest()
        said = {"SecretAccessKey": own, "SessionToken": worker_secret(secret)}
        sts._sessions[key].update(said)
        return {
            "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": own, "AWS_SESSION_TOKEN": said["SessionToken"],
        }  # fmt: skip

    return credentials


def _logged(enforce: Callable[..., Any], sts: Any) -> Callable[..., Any]:
    """`allowed` or `denied`, the session's ARN, the action and the resource: one line for each, however often."""
    told: set[tuple[str, str, str, bool]] = set()

    def decided(key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any) -> Any:
        refusal = enforce(key, action, service, region, resource_arn=resource_arn, **more)
        if session := sts._sessions.get(key):
            line = (session["Arn"], action, resource_arn, refusal is None)
            if line not in told:
                told.add(line)
                _log.info("%s %s %s %s", "allowed" if refusal is None else "denied", *line[:3])
        return refusal

    return decided


def _with_conditions_of_writes(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The keys by which a bucket policy asks for conditional writes.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """

    def context(action: str, query: Mapping[str, Any], path: str, headers: Mapping[str, str]) -> dict[str, Any]:
        found = original(action, query, path, headers)
        if action == "s3:PutObject":
            found |= {f"s3:{name}": headers[name] for name in ("if-none-match", "if-match") if headers.get(name)}
        return found

    return context


_AS_ONE = {"sns:PublishBatch": "sns:Publish", "sqs:SendMessageBatch": "sqs:SendMessage"}


def _as_aws_calls_it(original: Callable[..., str | None]) -> Callable[..., str | None]:
    """To publish many messages at once is the right to publish, and to send many the right to send; there is no other.
    https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
    """

    def action(*request: Any) -> str | None:
        found = original(*request)
        return _AS_ONE.get(found or "", found)

    return action


def _with_streams(original: Callable[..., str], iterator: Callable[[str], Any]) -> Callable[..., str]:
    """A stream's ARN is in the request, or in the iterator that the engine gave out for it."""

    def resource(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        if service != "dynamodbstreams":
            return original(service, method, path, headers, body, *rest)
        try:
            said = json.loads(body)
            return str(said.get("StreamArn") or (iterator(said.get("ShardIterator", "")) or {}).get("arn") or "*")
        except (AttributeError, TypeError, ValueError):
            return "*"

    return resource

"""DynamoDB's batches as JSON says them, past botocore's walk through every value of them.

botocore checks, copies and renders each attribute value by the service's model, and reads each answer the same way:
for a batch of a hundred items that takes several times as long as DynamoDB does. Attribute values are what the model
describes already, so a request's parameters are its body, and an answer's body is the result. Everything else stays
botocore's: endpoints, signatures, retries, tokens, errors. Binary values would stay base64 text; we have none.
"""

import json
from typing import Any

_SHELLS: dict[str, dict[str, Any]] = {
    "BatchGetItem": {"RequestItems": {"-": {"Keys": [{}]}}},
    "BatchWriteItem": {"RequestItems": {"-": [{}]}},
    "Query": {"TableName": "---"},
    "Scan": {"TableName": "---"},
    "TransactWriteItems": {"TransactItems": [{}]},
}
"""The operations, and the least that botocore takes for the parameters of each."""
_BODY = "stocktrail-body"


def plain(client: Any) -> Any:
    """The DynamoDB client, with the bodies of batches passed through as they are."""
    events = client.meta.events
    for operation in _SHELLS:
        events.register(f"provide-client-params.dynamodb.{operation}", _set_aside)
        events.register(f"before-call.dynamodb.{operation}", _put_back)
        events.register(f"before-parse.dynamodb.{operation}", _read)
    return client


def _set_aside(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context[_BODY] = params
    return dict(_SHELLS[model.name])


def _put_back(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    body = json.loads(params["body"]) | context[_BODY]  # botocore adds a token to a transaction
    params["body"] = json.dumps(body, separators=(",", ":")).encode()


def _read(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] == 200:
        customized_response_dict.update(json.loads(response_dict["body"]))
        response_dict["body"] = b"{}"

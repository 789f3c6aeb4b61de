"""Small JSON documents in the bucket, beside the files: what must be there before anything is said to be received.

Owns the prefixes, and writing a document once. On AWS and on the embedded engine an object is safe when its PUT has
answered; a table of the embedded engine is saved every few seconds only. Knows nothing of what the documents mean.
"""

import json
from collections.abc import Iterator
from typing import Any

from lambdas.world import World

RECEIPTS, MAPPINGS, ANSWERS, NOTICES, FAILURES = "receipts/", "mappings/", "answers/", "notices/", "failures/"
GRANTS, AUDIT, PARTS = "grants/", "audit/", "parts/"
VERIFIED = "verify/latest.json"


def put(world: World, key: str, document: Any, *, once: bool = False) -> bool:
    """Keep a document. ``once``: the first one of this key stays, because what is under it is always the same. False
    when there is one, which may be this very one: an answer that is lost on its way is asked for again."""
    only = {"IfNoneMatch": "*"} if once else {}
    try:
        world.s3.put_object(Bucket=world.settings.bucket, Key=key, Body=json.dumps(document).encode(), **only)
    except world.s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise
        return False
    return True


def get(world: World, key: str) -> Any:
    """The document of a key, or None."""
    try:
        answer = world.s3.get_object(Bucket=world.settings.bucket, Key=key)
    except world.s3.exceptions.NoSuchKey:
        return None
    return json.loads(answer["Body"].read())


def keys(world: World, prefix: str) -> Iterator[str]:
    """Every key that begins so, in order."""
    pages = world.s3.get_paginator("list_objects_v2").paginate(Bucket=world.settings.bucket, Prefix=prefix)
    for page in pages:
        yield from (found["Key"] for found in page.get("Contents", []))

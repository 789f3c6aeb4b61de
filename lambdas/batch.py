"""What a batch of the stream says before it is worked on: how old it is, and whose it is; for the log.

Pure. Any of the records may be of a shape that can't be worked on: what such a one does not say is left out.
"""

from collections.abc import Iterable
from typing import Any

from lambdas import times


def told(records: Iterable[Any]) -> dict[str, Any]:
    """Of a batch: how many `records`; when the `oldest` was made, where any says (fixed-width UTC text, AWS tells whole
    seconds); and `uploads`, the ids of those that wrote them."""
    bodies = [_body(record) for record in records]
    ages = [made for made in map(_made, bodies) if made]
    said: dict[str, Any] = {"records": len(bodies), "uploads": sorted({by for by in map(_upload, bodies) if by})}
    return said | ({"oldest": min(ages)} if ages else {})


def _body(record: Any) -> dict[str, Any]:
    found = record.get("dynamodb") if isinstance(record, dict) else None
    return found if isinstance(found, dict) else {}


def _made(body: dict[str, Any]) -> str | None:
    try:
        return times.of_epoch(float(body["ApproximateCreationDateTime"]))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _upload(body: dict[str, Any]) -> str | None:
    """Who wrote it: the upload whose id came into the item with this very write."""
    new, old = (_id_in(body.get(image)) for image in ("NewImage", "OldImage"))
    return new if new != old else None


def _id_in(image: Any) -> str | None:
    try:
        found = image["UploadId"]["S"]
    except (KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None

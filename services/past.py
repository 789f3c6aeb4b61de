"""The stock as it was at a past moment: the table of now, walked back by the changes since then.

Owns why that is exact. The table and the changes are two tables, and what is in one may not have come to the other.

1. The table is read first, consistently, and the changes after it. An item that has changed since the moment is what
   it was before the first of these changes, whatever the table says of it. One that has not is what the table says,
   if no change of it is missing.
2. A change may be missing while it is on its way from the stream, or while others of its batch are being kept. But an
   item says which upload made it what it is. So each item of the result is to be one that its upload had made by then:
   that is certain of an upload that was sent before the moment and had settled before the changes were read, because
   an upload settles after its changes are kept. Of any other upload (there is seldom one) the change itself is looked
   for. If it is not there by then the answer is not given: it is worked out again until it is, or refused.
3. What a hand changed in the table, past any upload, bears no upload's name, and may be missed while it is on its way
   for a second or so.

DynamoDB tells a change's time in whole seconds: a moment is the end of its second.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from lambdas import times
from lambdas.inventory import Key
from lambdas.stream import KEPT_DAYS, item_key
from lambdas.upload import lowest_id
from services import changes, stock, uploads
from services.access import MACHINE, Right, needs
from services.errors import NotFound, Unavailable, mapped
from services.stack import Stack
from services.stock import Stocked

_PATIENCE_SECONDS = 30
_LATEST = 50  # uploads that are looked through for such as are not settled
_FEW = 20


@mapped
@needs(Right.SEE)
def table(stack: Stack, at: str, store: str | None = None) -> list[Stocked]:
    """Every item as it was at the end of the second of ``at``, fixed-width UTC text; of all stores, or of one.

    By store and item. Raises NotFound for a moment that is not kept any more, or lies ahead, and Unavailable while it
    can't be told.
    """
    stack.person.must(Right.SEE, [store] if store else ())
    second, person = _second(at), stack.person
    stack = stack.acting(MACHINE)  # whether it can be told depends on what is under way in all stores
    now = stock.of_store(stack, store) if store else stock.table(stack)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        moving = _moving(stack)  # before the changes are read: see above
        found = _walked_back(now, changes.images_before(stack, second), store)
        doubtful = _in_doubt(stack, found, moving, second)
        if doubtful is None:
            return person.only(found)
        if time.monotonic() > deadline:
            raise Unavailable(
                f"The changes of upload {doubtful} have not come through yet, so how the stock was then can't be told. "
                "The Pipeline page shows its way."
            )
        time.sleep(0.2)


def earliest() -> str:
    """The first moment that can be told. An hour's grace: what is about to go is not read."""
    return times.later(times.now(), days=-KEPT_DAYS, hours=1)


def _second(at: str) -> str:
    if at[:19] >= times.now()[:19]:  # within this second there may be more to come
        raise NotFound(f"{at} lies ahead, or is just now: a moment of the past is wanted.")
    if at < (first := earliest()):
        raise NotFound(f"Changes are kept for {KEPT_DAYS} days: the stock can be told as it was from {first} on.")
    return at[:19]


def _moving(stack: Stack) -> set[str]:
    """The latest uploads of which changes may be on their way. One that failed may have written before it did."""
    recent = uploads.recent(stack, _LATEST)
    return {one.upload_id or "" for one in recent if one.state == "failed" or not one.settled}


def _walked_back(
    now: Iterable[Stocked], before: Mapping[Key, dict[str, Any] | None], store: str | None
) -> list[Stocked]:
    """``before``: what the items that have changed were before that; None: not there."""
    found = [one for one in now if (one.store, one.item) not in before]
    images = (image for key, image in before.items() if store is None or key[0] == store)
    found += [stock.stocked(image) for image in images if image and "Count" in image]
    return sorted(found, key=lambda one: (one.store, one.item))


def _in_doubt(stack: Stack, found: Iterable[Stocked], moving: set[str], second: str) -> str | None:
    """The first upload that may have made an item what it is only after that second, or None."""
    after = lowest_id(times.later(f"{second}.000000Z", seconds=1))
    suspects: defaultdict[str, list[Key]] = defaultdict(list)
    for one in found:
        if one.upload_id and (one.upload_id > after or one.upload_id in moving):
            suspects[one.upload_id].append((one.store, one.item))
    return next((by for by, keys in suspects.items() if not _made_by_then(stack, by, keys, second)), None)


def _made_by_then(stack: Stack, upload_id: str, keys: list[Key], second: str) -> bool:
    """Whether the changes by which the upload made these items what they are have been kept, and are of that time."""
    if len(keys) > _FEW:
        kept = changes.of_upload(stack, upload_id)
        return set(keys) <= {(one.store, one.item) for one in kept if one.at[:19] <= second}
    return all(
        any(one.upload_id == upload_id and one.at[:19] <= second for one in changes.of_item(stack, item_key(*key)))
        for key in keys
    )

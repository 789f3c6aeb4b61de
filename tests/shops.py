"""Two stores, of which a person has one, and all that there may be of the other one to be told."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from lambdas import times
from lambdas.quiet import Hours
from lambdas.reorder import Scope
from lambdas.stockfile import Mapping
from lambdas.stream import item_key
from services import opening, quiet, reorder, subscriptions, uploads
from services.access import Person, Role
from services.stack import Stack
from tests.waiting import until


@dataclass(frozen=True)
class Shop:
    """Two stores, `own` and `foreign`; every name of what is only the foreign one's holds `mark`."""

    mark: str
    own: str
    foreign: str
    both: str  # ids of uploads: of both stores, of the foreign one, one that waits, one that failed
    secret: str
    waits: str
    failed: str
    begun: str
    subscriber: str

    @property
    def key(self) -> str:
        return item_key(self.foreign, "Gold")


@contextmanager
def two_stores(stack: Stack) -> Iterator[Shop]:
    mark, begun = f"secret{uuid.uuid4().hex[:8]}", times.now()
    own, foreign = f"Own {mark[6:]}", f"Foreign {mark}"
    rows = f"store,item,count\n{own},Tea,3\n{own},Milk,0\n{foreign},Tea,5\n{foreign},Gold,0\n"
    both = uploads.send(stack, "both.csv", rows.encode())
    secret = uploads.send(stack, f"{mark}.csv", f"store,item,count\n{foreign},Jam,7\n{foreign},,1\n".encode())
    waits = uploads.send(stack, f"waits-{mark}.csv", f"SKU,Shop,Qty,Stock\nP1,{foreign},4,3\n".encode())
    failed = uploads.send(stack, f"failed-{mark}.csv", b"%PDF-1.4")
    for one in (both, secret, waits, failed):
        until(lambda one=one: uploads.receipt(stack, one).settled, seconds=60)  # the first one starts the Lambdas
    reorder.save(stack, {Scope(foreign, "Tea"): Decimal(9)})
    quiet.put(stack, Hours("22:00", "07:00", "UTC"), foreign)
    number = "+4915" + f"{int(mark[6:], 16) % 10**8:08}"
    subscriptions.subscribe(stack, "sms", number, [foreign])
    opened = opening.opened(stack, b"a;b\nx;1\n")
    opening.remember(stack, opened.understood, Mapping(item=(("a",),), count="b", always=foreign))
    yield Shop(mark, own, foreign, both, secret, waits, failed, begun, number)
    quiet.forget(stack, foreign)
    subscriptions.unsubscribe(stack, arn(stack, number))
    opening.forget(stack, opened.understood.shape)


def arn(stack: Stack, number: str) -> str:
    return next(one.arn or "" for one in subscriptions.every(stack) if one.endpoint == number)


def persons(shop: Shop) -> list[Person]:
    some = frozenset({shop.own})
    return [
        Person("nobody@example.org", None), Person("viewer@example.org", Role.VIEWER, some),
        Person("manager@example.org", Role.MANAGER, some), Person("none@example.org", Role.MANAGER, frozenset()),
        Person("all@example.org", Role.VIEWER), Person("chief@example.org", Role.MANAGER),
        Person("operator@example.org", Role.OPERATOR), Person("admin@example.org", Role.ADMIN),
    ]  # fmt: skip

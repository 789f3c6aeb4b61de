"""The law of conservation, as a check over what the tables really hold."""

from collections.abc import Iterable

from services import changes, stock
from services.stack import Stack
from services.uploads import Receipt


def broken(stack: Stack, store: str, receipts: Iterable[Receipt]) -> list[str]:
    """How the uploads of a store, all of them, break the law: every row has a fate, every fate its stream record,
    and every stream record its fate."""
    receipts = list(receipts)
    found = [
        f"{one.upload_id}: {one.rows} rows and {sum(one.fates.values())} fates"
        for one in receipts
        if one.rows != sum(one.fates.values())
    ]
    found += [
        f"{one.upload_id}: {one.records_expected} records expected and {one.records_seen} seen"
        for one in receipts
        if one.records_expected != one.records_seen
    ]
    kept = sum(len(changes.of_item(stack, stock.key(one))) for one in stock.of_store(stack, store))
    expected = sum(one.records_expected for one in receipts)
    return found + ([f"{kept} stream records kept and {expected} expected"] if kept != expected else [])

"""Which uploads a person sees, how much of one, and what of a file somebody may load.

An upload is seen by who sees all stores, by who sent it, and by who has a store that it speaks of; of its rows each
sees those of the own stores. Owns that rule. Receipts name their stores, unless these are many or the
file has not been read yet: then it is asked for by key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lambdas import tables
from lambdas.fates import Mode
from lambdas.grants import Grant
from services.access import Person, Right
from services.outcome import Line, Receipt
from services.stack import Stack


def is_own(of: Receipt, person: Person) -> bool:
    return bool(of.by) and of.by == person.name


def seen(stack: Stack, found: Sequence[Receipt]) -> list[Receipt]:
    """Those of the receipts that the person sees, in their order. Only for an upload of many stores something is asked,
    a BatchGetItem for all of them together."""
    person = stack.person
    if person.stores is None:
        return list(found) if person.role else []
    certain = {one.upload_id for one in found if is_own(one, person) or (one.stores or frozenset()) & person.stores}
    doubtful = [one.upload_id for one in found if one.stores is None and one.whole and one.upload_id not in certain]
    certain |= _spoke(stack, [one for one in doubtful if one], person.stores)
    return [_part(one, person) for one in found if one.upload_id in certain]


def _part(of: Receipt, person: Person) -> Receipt:
    """Without the names of stores that are not this person's; then it is not known which they are."""
    return of if of.stores is None or all(map(person.sees, of.stores)) else replace(of, stores=None)


def _spoke(stack: Stack, upload_ids: Iterable[str], stores: Iterable[str]) -> set[str]:
    keys = [tables.to_item({"Store": store, "UploadId": one}) for one in upload_ids for store in sorted(stores)]
    found = tables.batch_get(stack.dynamodb, stack.settings.store_uploads_table, keys) if keys else []
    return {item["UploadId"]["S"] for item in found}


def lines(of: Receipt, told: Iterable[Line], person: Person) -> list[Line]:
    """The rows of an upload that a person sees. One that could not be used names no store: it is the sender's."""
    own = is_own(of, person)
    return [line for line in told if person.sees(line.get("store")) or (own and "store" not in line)]


def sees_whole(of: Receipt, person: Person) -> bool:
    """Whether the person may have the file itself, with all that stands in it."""
    every = person.stores is None or (of.stores is not None and all(map(person.sees, of.stores)))
    return person.role is not None and (is_own(of, person) or every)


def must_see_whole(of: Receipt, person: Person) -> None:
    """Refused unless they may."""
    if not sees_whole(of, person):
        person.must_for_all(Right.SEE, f"{of.file} may hold more than your stores.")


_MODES_OF_ALL = (Mode.NEWEST, Mode.UNDO)
"""Whoever may send may send so; another mode can put back what a newer file has changed."""


def granted(person: Person, mode: Mode, *, by_hand: bool = False) -> Grant | None:
    """What a person may load of a file in this mode; None: all of it. Refused when the mode is not for this person."""
    if mode not in _MODES_OF_ALL and not by_hand:
        person.must(Right.OPERATE)
    every = person.stores is None and person.may(Right.OPERATE)
    return None if every else Grant(person.stores, frozenset({mode}))

"""Quiet hours: while they last nothing is sent, and what opened meanwhile is told when they end.

Owns their setting and unsetting, and that what is held follows at once. The hours themselves are in `lambdas.quiet`.
"""

from dataclasses import replace

from lambdas import holding, quiet
from lambdas.quiet import Hours, Quiet
from services import audit
from services.access import Person, Right, needs
from services.errors import NotPossible, mapped
from services.stack import Stack


@mapped
@needs(Right.SEE)
def hours(stack: Stack) -> Quiet:
    """All quiet hours that are set: one Query. Of the person's stores, and those of all."""
    return seen(quiet.read(stack.world), stack.person)


def seen(found: Quiet, person: Person) -> Quiet:
    """What a person sees of them."""
    return replace(found, stores={store: hours for store, hours in found.stores.items() if person.sees(store)})


@mapped
@needs(Right.MANAGE)
def put(stack: Stack, said: Hours | None, store: str | None = None) -> None:
    """Set the quiet hours of all stores, or of one; None: there are none. A store's own count for it, whatever is said
    for all. Raises NotPossible when they can't be quiet hours."""
    _must(stack, store)
    if said and (wrong := said.wrong()):
        raise NotPossible(wrong)
    audit.note(stack, audit.Did.QUIET_SET, store=store, was=_now(stack, store), now=_told(said))
    if said or (store is not None and quiet.read(stack.world).default):
        quiet.put(stack.world, store, said)
    else:
        quiet.forget(stack.world, store)
    holding.settle_anew(stack.world)


@mapped
@needs(Right.MANAGE)
def forget(stack: Stack, store: str) -> None:
    """A store has those of all again."""
    _must(stack, store)
    audit.note(stack, audit.Did.QUIET_SET, store=store, was=_now(stack, store), now="as for all stores")
    quiet.forget(stack.world, store)
    holding.settle_anew(stack.world)


def _must(stack: Stack, store: str | None) -> None:
    if store is None:
        stack.person.must_for_all(Right.MANAGE)
    else:
        stack.person.must(Right.MANAGE, [store])


def _now(stack: Stack, store: str | None) -> str:
    known = quiet.read(stack.world)
    return _told(known.of(store) if store is not None else known.default)


def _told(said: Hours | None) -> str:
    return f"{said.start} to {said.end}, {said.zone}" if said else "none"

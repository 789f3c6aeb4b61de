"""Quiet hours: while they last nothing is sent, and what opened meanwhile is told when they end.

Owns their setting and unsetting, and that what is held follows at once. The hours themselves are in `lambdas.quiet`.
"""

from lambdas import holding, quiet
from lambdas.quiet import Hours, Quiet
from services.errors import NotPossible, mapped
from services.stack import Stack


@mapped
def hours(stack: Stack) -> Quiet:
    """All quiet hours that are set: one Query."""
    return quiet.read(stack.world)


@mapped
def put(stack: Stack, said: Hours | None, store: str | None = None) -> None:
    """Set the quiet hours of all stores, or of one; None: there are none. A store's own count for it, whatever is said
    for all. Raises NotPossible when they can't be quiet hours."""
    if said and (wrong := said.wrong()):
        raise NotPossible(wrong)
    if said or (store is not None and quiet.read(stack.world).default):
        quiet.put(stack.world, store, said)
    else:
        quiet.forget(stack.world, store)
    holding.settle_anew(stack.world)


@mapped
def forget(stack: Stack, store: str) -> None:
    """A store has those of all again."""
    quiet.forget(stack.world, store)
    holding.settle_anew(stack.world)

"""Reorder points: the count at which an item is low. Of an item, else of its store, else of all.

Pure. Zero means that the item is never low, only out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from lambdas.inventory import Key

NONE = Decimal(0)


class Scope(NamedTuple):
    """What a reorder point is set for: an item of a store; a store, without an item; or all, without either."""

    store: str | None = None
    item: str | None = None


ALL = Scope()


@dataclass(frozen=True, slots=True)
class Points:
    """All reorder points that somebody set, or those that concern some items. ``moved`` tells one state of all of them
    from another; it is blank while none was ever set."""

    default: Decimal = NONE
    stores: Mapping[str, Decimal] = field(default_factory=dict)
    items: Mapping[Key, Decimal] = field(default_factory=dict)
    moved: str = ""

    def of(self, store: str, item: str) -> Decimal:
        """The reorder point that counts for an item."""
        own = self.items.get((store, item))
        return own if own is not None else self.stores.get(store, self.default)

    def own(self, scope: Scope) -> Decimal | None:
        """What is set for just this; None when nothing is, and what is set above it counts."""
        if scope.store is None:
            return self.default or None
        return self.stores.get(scope.store) if scope.item is None else self.items.get((scope.store, scope.item))

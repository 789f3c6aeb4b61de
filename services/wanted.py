"""What a reader of the changes asked for: which of them fit.

Pure. Owns the meaning of each filter; where the changes come from is no matter of its.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lambdas.alerts import Crossing, crossing
from services.changes import Counted, Seen

EVENTS = ("INSERT", "MODIFY", "REMOVE")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters. ``text``: a part of the item's name; ``real``: not those that only moved a time; ``zero``: only
    those by which an item ran out. ``stores``: those that the reader may see; None: all."""

    store: str | None = None
    text: str = ""
    event: str | None = None
    upload_id: str | None = None
    real: bool = False
    zero: bool = False
    stores: frozenset[str] | None = None

    def named(self, items: Iterable[tuple[str, str]]) -> list[bool]:
        """Of each item, a store and a name, whether its changes fit by that. Of 100,000 at once, when it is new."""
        store, text, own = self.store, self.text.casefold(), self.stores
        return [
            (not store or of == store) and (not text or text in item.casefold()) and (own is None or of in own)
            for of, item in items
        ]

    def fits(self, one: Counted | Seen) -> bool:
        return (
            self.named([(one.store, one.item)])[0]
            and self.event in (None, one.event)
            and self.upload_id in (None, one.upload_id)
            and not (self.real and is_touched(one))
            and not (self.zero and not ran_out(one))
        )

    @property
    def everything(self) -> bool:
        """Whether the reader has set no filter."""
        return self == Wanted(stores=self.stores)

    @property
    def of_changes(self) -> bool:
        """Whether it asks for what only a change has, so that an upload without any does not fit."""
        return bool(self.text or self.event or self.real or self.zero)


def is_touched(one: Counted | Seen) -> bool:
    """Whether only the time moved."""
    return one.event == "MODIFY" and one.old_count == one.new_count


def ran_out(one: Counted | Seen) -> bool:
    return crossing(one.old_count, one.new_count) is Crossing.OPENS

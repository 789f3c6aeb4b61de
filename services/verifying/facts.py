"""What verification knows: of each upload, and of each item what everybody says about it.

Pure values. Owns their shape, and the words for a place. Knows nothing of where they come from or of what is wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from lambdas import tables
from lambdas.alerts import plain
from lambdas.fates import Mode
from lambdas.stream import Change
from lambdas.tables import Item
from lambdas.upload import Upload
from services.outcome import Receipt
from services.verifying.result import Difference, What


@dataclass(frozen=True, slots=True)
class Known:
    """An upload. ``receipt`` None: there is none. ``begun``: when it may first have written (fixed-width UTC text);
    ``parts``: the words for its lines, as `lambdas.lines` keeps them; ``applying``: it may have written."""

    upload: Upload
    receipt: Receipt | None
    begun: str
    parts: Mapping[str, str] = field(default_factory=dict)
    applying: bool = False

    @property
    def id(self) -> str:
        return self.upload.id

    @property
    def state(self) -> str:
        return self.receipt.state if self.receipt else "unknown"

    @property
    def named(self) -> str:
        """`berlin.csv (20261123T…-0a1b2c3d)`."""
        return f"{self.upload.name} ({self.id})"


class Stated(NamedTuple):
    """The row of a file that counts for an item. ``at``: the time that it states; ``fate``: what the receipt says
    became of it, None when that is not known; ``was``: the count before, by the receipt."""

    store: str
    item: str
    upload_id: str
    row: int
    count: Decimal | None  # type: ignore[assignment]  # a tuple's own `count` is not meant; None: it is to be gone
    at: str | None
    fate: str | None
    was: Decimal | None


@dataclass(slots=True)
class Facts:
    """Everything about one item: what the table holds, what files state, its changes in the stream's order, and its
    episodes, as `lambdas.episodes` keeps them, by position."""

    store: str
    item: str
    held: Item | None = None
    stated: list[Stated] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    episodes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.store} · {self.item}"

    def at(self, upload_id: str | None) -> str:
        """The place of a difference between this item and an upload."""
        return f"{upload_id}, {self.name}" if upload_id else self.name

    def differs(self, what: What, said: str, upload_id: str | None = None) -> Difference:
        """A difference of this item, and of this upload if it has to do with one."""
        return Difference(what, self.at(upload_id), f"{self.name}: {said}")

    def uploads(self) -> Iterator[str]:
        """The ids of every upload that had to do with it, some of them several times."""
        yield from (one.upload_id for one in self.stated)
        yield from (one.upload_id for one in self.changes if one.upload_id)
        yield from (by for one in self.episodes for by in (one.get("OpenedBy"), one.get("ClosedBy")) if by)
        if held := text(self.held, "UploadId"):
            yield held


@dataclass(frozen=True, slots=True)
class Ground:
    """What the facts of an item are judged by. Changes from before ``cutoff`` may be kept no longer; ``notices``: the
    notifications that SNS refused, as `ItemKey#Position`; what was held until before ``overdue`` should be sent;
    ``undone``: the uploads that others undo."""

    uploads: Mapping[str, Known]
    under_way: frozenset[str]
    cutoff: str
    notices: frozenset[str] = frozenset()
    overdue: str = ""
    undone: frozenset[str] = frozenset()

    def named(self, upload_id: str | None) -> str:
        """An upload as people know it: `berlin.csv (20261123T…-0a1b2c3d)`."""
        known = self.uploads.get(upload_id or "")
        return known.named if known else upload_id or "no upload"

    def mode(self, upload_id: str | None) -> Mode | None:
        known = self.uploads.get(upload_id or "")
        return known.upload.mode if known else None

    def time(self, stated: Stated) -> str:
        """The time as of which a row counts, but for a `stamp`."""
        return stated.at or self.uploads[stated.upload_id].upload.time

    def expired(self, upload_id: str | None) -> bool:
        """Whether what this upload wrote may be kept no longer; of one that is not known: whether anything may."""
        known = self.uploads.get(upload_id or "")
        begun = known.begun if known else min((one.begun for one in self.uploads.values()), default=self.cutoff)
        return begun < self.cutoff


def text(image: Mapping[str, Any] | None, name: str) -> str | None:
    """An attribute of an image that is a text."""
    value: str | None = (image or {}).get(name, {}).get("S")
    return value


def same(one: Item | None, other: Item | None) -> bool:
    """Whether two images say the same, attribute by attribute; a number may be spelled in several ways."""
    return one == other or (one is not None and other is not None and tables.from_item(one) == tables.from_item(other))


def counted(count: Decimal | None) -> str:
    return "nothing" if count is None else plain(count)

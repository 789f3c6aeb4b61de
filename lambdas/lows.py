"""Low episodes: opened when an item's count falls to its reorder point or below, closed when it rises above it again.

Owns what keeps them to one at a time, although reorder points move while stock does. Knows nothing of SNS.

Besides what every episode has, a low one says its Point; Quiet where it needs no message of its own (`out`: the same
record ran the item out, and that message tells of it; `point`: not the stock moved, but the point); and ClosedHow
`point` where a point ended it. While one is open, a marker stands beside the item's episodes (ItemKey with #low,
Position `open`) and says which it is (Of, its Position). Each write is a transaction with the condition that no point
has moved since it was judged by. So whoever saves points, and looks at the items after that, sees what was judged by
the old ones; everything later is judged by the new.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lambdas import episodes, points, tables, times
from lambdas.alerts import THRESHOLD, Crossing, Kind, crossing
from lambdas.episodes import LOW_ENDS, Opening
from lambdas.inventory import Key
from lambdas.reorder import Points
from lambdas.stream import Change, item_key
from lambdas.world import World

OUT, POINT = episodes.BY_OUT, episodes.BY_POINT
_CLOCKS_MINUTES = 5
"""So far a clock of those who save points may be behind the stream's: AWS takes no request whose clock is off
by more."""
Episode = dict[str, Any]
Part = dict[str, Any]


class Stale(Exception):
    """What was judged by has moved since: it is to be read and judged again."""


@dataclass
class Lows:
    """The low episodes of a batch of changes. The reorder points are read once, and again when one moves meanwhile."""

    world: World
    changes: Sequence[Change]
    points: Points = field(init=False)

    def __post_init__(self) -> None:
        self._read()

    def _read(self) -> None:
        keys: Iterable[Key] = ((one.store, one.item) for one in self.changes if one.old_count != one.new_count)
        self.points = points.of_keys(self.world, keys)

    def settle(self, change: Change, *, quiet: bool) -> Decimal | None:
        """Open or close the episode of this change. The reorder point that it is low by, if that is still to be told.

        ``quiet``: another message tells of this change.
        """
        while True:
            point = self.points.of(change.store, change.item)
            what = crossing(change.old_count, change.new_count, point) if point > 0 else Crossing.NONE
            try:
                if what is Crossing.OPENS:
                    self._open(change, point, quiet=quiet)
                elif what is Crossing.CLOSES:
                    self._close(change)
            except Stale:
                self._read()
            else:
                return self._untold(change) if what is Crossing.OPENS or self._moved_since(change) else None

    def _moved_since(self, change: Change) -> bool:
        """Whether a change that opens nothing may have opened its episode all the same: a run that broke off before it
        sent the message judged it by a point that has moved meanwhile."""
        fell = change.new_count is not None and (change.old_count is None or change.new_count < change.old_count)
        return fell and self.points.moved > times.later(change.at, minutes=-_CLOCKS_MINUTES)

    def _untold(self, change: Change) -> Decimal | None:
        """The point of the episode that this change opened, if its message is still to be sent."""
        found = episodes.untold(self.world, Opening(change, THRESHOLD))  # whatever its point: it is only looked for
        return found["Point"] if found else None

    def _open(self, change: Change, point: Decimal, *, quiet: bool) -> None:
        known = list(episodes.latest(self.world, change.store, change.item, Kind.LOW))
        if all(one["Position"] != episodes.position(change, Kind.LOW) for one in known):
            if any(_covers(one, change) for one in known):
                return
            made = episodes.of_change(change, Kind.LOW) | {"Point": point, "Quiet": OUT if quiet else None}
            put_open(self.world, made, [points.still(self.world, self.points.moved)])

    def _close(self, change: Change) -> None:
        ends = {"ClosedAt": change.at, "ClosedBy": change.upload_id, "ClosedCount": change.new_count}
        ends |= {"ClosedPosition": change.position}
        for one in open_of(self.world, change.store, change.item):
            if int(one["Sequence"]) < int(change.sequence):
                end(self.world, one, ends, [points.still(self.world, self.points.moved)])


def _covers(one: Episode, change: Change) -> bool:
    """Whether a change lies within an episode, and so opens none of its own. One that is open covers every change: the
    change is of the past, or a reorder point has opened it before the change came here."""
    if "ClosedAt" not in one:
        return True
    last = one["ClosedPosition"].split("#")[1]
    return int(one["Sequence"]) <= int(change.sequence) <= int(last)


def open_of(world: World, store: str, item: str) -> list[Episode]:
    """An item's open low episodes: one, or none. The marker leads to it, however often the item ran out since."""
    key = {"ItemKey": item_key(store, item)}
    marker = episodes.get(world, *_marker(key).values())
    found = episodes.get(world, key["ItemKey"], marker["Of"]) if marker else None
    return [found] if found and "ClosedAt" not in found else []


def put_open(world: World, episode: Mapping[str, Any], checks: Sequence[Part]) -> bool:
    """Put an open episode there, unless it was there before, or another one is open. Raises Stale when one of the
    ``checks`` (ConditionChecks, as DynamoDB takes them) fails."""
    table, absent = world.settings.alerts_table, "attribute_not_exists(ItemKey)"
    both = (episode, _marker(episode) | {"Of": episode["Position"]})
    puts = ({"TableName": table, "Item": tables.to_item(one), "ConditionExpression": absent} for one in both)
    return _together(world, checks, [{"Put": one} for one in puts])


def end(world: World, episode: Episode, ends: Mapping[str, Any], checks: Sequence[Part]) -> bool:
    """End an episode, unless it has ended before. Raises Stale as ``put_open`` does."""
    said = {name: value for name, value in ends.items() if value is not None}
    update = {
        "TableName": world.settings.alerts_table,
        "Key": tables.to_item({name: episode[name] for name in ("ItemKey", "Position")}),
        "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in said) + " REMOVE #open",
        "ConditionExpression": "attribute_not_exists(ClosedAt)", "ExpressionAttributeNames": {"#open": "Open"},
        "ExpressionAttributeValues": tables.to_item({f":{name}": value for name, value in said.items()}),
    }  # fmt: skip
    gone = {"TableName": world.settings.alerts_table, "Key": tables.to_item(_marker(episode))}
    return _together(world, checks, [{"Update": update}, {"Delete": gone}])


def _marker(episode: Mapping[str, Any]) -> dict[str, str]:
    """The key of the marker of an episode's item."""
    return {"ItemKey": f"{episode['ItemKey']}{LOW_ENDS}", "Position": episodes.OPEN}


def _together(world: World, checks: Sequence[Part], writes: Sequence[Part]) -> bool:
    """All of the writes, or none: False when one of their own conditions fails."""
    attempt = 0
    while True:
        try:
            world.dynamodb.transact_write_items(TransactItems=[*({"ConditionCheck": one} for one in checks), *writes])
        except world.dynamodb.exceptions.TransactionCanceledException as error:
            codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
        else:
            return True
        if "ConditionalCheckFailed" in codes[: len(checks)]:
            raise Stale
        if "ConditionalCheckFailed" in codes:
            return False
        if "ValidationError" in codes:
            raise ValueError(f"DynamoDB takes a low episode for invalid: {codes}")
        attempt += 1
        tables.wait(attempt)

"""A follower of the changes: it gives each once, also those that come late, and asks for as little as it can.

Owns how far it looks back, and when.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lambdas import times
from services.changes import Seen, newest, positions_since, since
from services.stack import Stack

OVERLAP_SECONDS = 5
LONG_OVERLAP_SECONDS = 120
"""How far a follower looks back behind what it has seen, and how far once in a minute: the shards of
a stream do not arrive in step, and to read the long overlap every second would cost more than all the rest. The longer
nothing comes in, the rarer a follower looks back: else the last seconds of a big load would be read for ever."""


@dataclass
class Follower:
    """Follows the changes from the latest one on, and gives each once."""

    stack: Stack
    clock: Callable[[], float] = time.monotonic
    _position: str = ""
    _known: dict[str, str] = field(default_factory=dict)  # event id -> position, of what the overlaps bring again
    _looked_far: float = 0.0
    _found: float = 0.0

    @property
    def position(self) -> str:
        """Of the latest change that it gave; empty while there is none."""
        return self._position

    def start(self) -> None:
        """Begin behind the latest change that there is."""
        last = newest(self.stack, 1)
        self._position = last[0].position if last else ""
        known = positions_since(self.stack, back(self._position, LONG_OVERLAP_SECONDS))
        self._known = {position.split("#", 2)[2]: position for position in known}
        self._looked_far = self._found = self.clock()

    def fresh(self) -> list[Seen]:
        """The changes that have come in since the last call, oldest first."""
        now = self.clock()
        quiet = now - self._found
        far = now - self._looked_far > max(LONG_OVERLAP_SECONDS, quiet) / 2
        overlap = LONG_OVERLAP_SECONDS if far else OVERLAP_SECONDS if quiet <= 2 * OVERLAP_SECONDS else 0
        seen = since(self.stack, back(self._position, overlap))
        found = [one for one in seen if one.event_id not in self._known]
        self._found = now if found else self._found
        self._known |= {one.event_id: one.position for one in found}
        self._position = max([self._position, *(one.position for one in found)])
        if far and self._position:
            self._looked_far = now
            first = back(self._position, LONG_OVERLAP_SECONDS)
            self._known = {event_id: position for event_id, position in self._known.items() if position >= first}
        return found


def back(position: str, seconds: float) -> str:
    """The time so long before a position; with 0 the position itself. Empty, before everything, for an empty one."""
    return times.later(position.split("#")[0], seconds=-seconds) if position and seconds else position

"""Holding: which notifications wait, for what, and until when. Their episodes are opened and closed as ever.

Owns the two reasons to wait, quiet hours and flapping, and their numbers. Knows nothing of SNS or of words.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lambdas import episodes, quiet, tables, times
from lambdas.alerts import Kind
from lambdas.episodes import Opening
from lambdas.world import World

QUIET, FLAPPING = "quiet", "flapping"
OFTEN = 3
"""So many times within a day, and an item is flapping. Twice happens to any: sold out, filled, sold out by evening."""
WITHIN_HOURS = 24
PAUSE_MINUTES = 30
"""What flaps is mostly a count that is being put right, and back within minutes. What is still out then is told."""
_TURN_MINUTES = 15  # longer than a sweeper lives: what one has taken on and not sent comes up again


def let_through(world: World, openings: Sequence[Opening]) -> list[Opening]:
    """Of these crossings those whose messages may go now. The others are held, and their episodes say so."""
    going = []
    awake = not_quiet(world, openings)
    counts = tables.each(lambda one: times_out(world, one), awake)
    for one, count in zip(awake, counts, strict=True):
        if count >= OFTEN:
            episodes.hold(world, one, times.later(times.now(), minutes=PAUSE_MINUTES), FLAPPING)
        else:
            going.append(one)
    return going


def not_quiet(world: World, openings: Sequence[Opening]) -> list[Opening]:
    """Of these crossings those that no quiet hours hold; the others wait for the end of theirs."""
    if not openings:
        return []
    now, hours, going = times.now(), quiet.read(world), []
    for one in openings:
        if ends := hours.until(one.change.store, now):
            episodes.hold(world, one, ends, QUIET)
        else:
            going.append(one)
    return going


def times_out(world: World, one: Opening) -> int:
    """How often this item ran out, or low, within a day, with this time. A new one never did: nobody is asked."""
    if one.change.old is None:
        return 1
    return max(1, episodes.openings(world, one, times.later(one.change.at, hours=-WITHIN_HOURS)))


def due(world: World, keep: Callable[[Mapping[str, Any], Exception], None]) -> list[Opening]:
    """The crossings that have waited long enough and are still open. What has ended is never sent, and says so; what
    meets quiet hours by now waits for their end. Of an item that is no longer out, but low, that is told next time.
    One that can't be read holds up no other: it is given to ``keep`` with its error."""
    now = times.now()
    waiting = list(_readable(episodes.held(world, now), keep))
    if not waiting:
        return []
    later = times.later(now, minutes=_TURN_MINUTES)
    taken = tables.each(lambda one: episodes.take(world, one, later), waiting)
    hours, going = quiet.read(world), []
    for episode in taken:
        if episode is None:  # another sweeper has it, or it was sent
            continue
        one = episodes.opening_of(episode)
        if "ClosedAt" in episode:
            if one.kind is Kind.OUT:
                episodes.tell_low(world, episode)
            episodes.drop(world, one)
        elif ends := hours.until(one.change.store, times.now()):
            episodes.hold(world, one, ends, QUIET)
        else:
            going.append(one)
    return going


def settle_anew(world: World) -> None:
    """Quiet hours have been changed: what is held because of them waits for their end as it is now, or is due."""
    now, hours = times.now(), quiet.read(world)
    for episode in _readable(episodes.held(world), lambda *_: None):  # when it is due, it is kept
        ends = hours.until(episode["Store"], now) or now
        if episode.get("HeldFor") == QUIET and episode["Due"] != ends:
            episodes.hold(world, episodes.opening_of(episode), ends, QUIET)


def _readable(
    found: Iterable[Mapping[str, Any]], keep: Callable[[Mapping[str, Any], Exception], None]
) -> Iterator[Mapping[str, Any]]:
    for episode in found:
        try:
            episodes.opening_of(episode)
        except Exception as error:  # noqa: BLE001 (whatever a hand wrote, the others are not to wait for it)
            keep(episode, error)
        else:
            yield episode

"""For each ending: its sentence, at which link the chain stops, and whether more may come by itself."""

from collections.abc import Callable
from typing import NamedTuple

from services.why import aftermath, sentences
from services.why.chain import Moves, Name
from services.why.endings import Ending
from services.why.facts import Facts


class Way(NamedTuple):
    """``stops`` None: every link was reached."""

    sentence: Callable[[Facts], str]
    stops: Name | None
    moves: Moves = "never"


WAYS: dict[Ending, Way] = {
    Ending.RECEIVED: Way(sentences.received, Name.MESSAGE, "now"),
    Ending.LOADING: Way(sentences.loading, Name.RUN, "now"),
    Ending.RETRYING: Way(sentences.retrying, Name.RUN, "now"),
    Ending.ASKED: Way(sentences.asked, Name.RUN, "later"),
    Ending.UNREADABLE: Way(sentences.unreadable, Name.RUN),
    Ending.GIVEN_UP: Way(sentences.given_up, Name.RUN, "later"),
    Ending.ASIDE: Way(sentences.aside, Name.RUN),
    Ending.NO_OBJECT: Way(sentences.no_object, Name.OBJECT),
    Ending.NO_LINES: Way(sentences.no_lines, Name.FATE),
    Ending.NOT_MENTIONED: Way(sentences.not_mentioned, Name.ROW),
    Ending.NO_ROW: Way(sentences.no_row, Name.ROW),
    Ending.REJECTED: Way(sentences.rejected, Name.FATE),
    Ending.DUPLICATE: Way(sentences.duplicate, Name.FATE),
    Ending.UNCHANGED: Way(sentences.unchanged, Name.RECORD),
    Ending.STALE: Way(sentences.stale, Name.RECORD),
    Ending.RECORD_AWAITED: Way(aftermath.record_awaited, Name.RECORD, "now"),
    Ending.RECORD_MISSING: Way(aftermath.record_missing, Name.RECORD, "later"),
    Ending.RECORD_LOST: Way(aftermath.record_lost, Name.RECORD, "later"),
    Ending.RECORD_FAILED: Way(aftermath.record_failed, Name.CHANGE, "later"),
    Ending.EXPIRED: Way(aftermath.expired, Name.CHANGE),
    Ending.CHECK_AWAITED: Way(aftermath.check_awaited, Name.CHECK, "now"),
    Ending.CHECK_MISSING: Way(aftermath.check_missing, Name.CHECK, "later"),
    Ending.CHECK_LOST: Way(aftermath.check_lost, Name.CHECK, "later"),
    Ending.CHECK_FAILED: Way(aftermath.check_failed, Name.CHECK, "later"),
    Ending.TOUCHED: Way(aftermath.touched, Name.ALERT),
    Ending.ROSE: Way(aftermath.rose, Name.ALERT),
    Ending.STAYED: Way(aftermath.stayed, Name.ALERT),
    Ending.STILL_OUT: Way(aftermath.still_out, Name.ALERT),
    Ending.STILL_LOW: Way(aftermath.still_low, Name.ALERT),
    Ending.TAKEN_AWAY: Way(aftermath.taken_away, Name.ALERT),
    Ending.CAME_BACK: Way(aftermath.came_back, Name.ALERT),
    Ending.NO_LONGER_LOW: Way(aftermath.no_longer_low, Name.ALERT),
    Ending.LOW_BY_POINT: Way(aftermath.low_by_point, Name.ALERT),
    Ending.ALERT_MISSING: Way(aftermath.alert_missing, Name.ALERT, "later"),
    Ending.SENT: Way(aftermath.sent, None),
    Ending.SENT_LOW: Way(aftermath.sent_low, None),
    Ending.SENT_FOR_BOTH: Way(aftermath.sent_for_both, None),
    Ending.MESSAGE_AWAITED: Way(aftermath.message_awaited, Name.NOTIFICATION, "now"),
    Ending.MESSAGE_MISSING: Way(aftermath.message_missing, Name.NOTIFICATION, "later"),
    Ending.MESSAGE_REFUSED: Way(aftermath.message_refused, Name.NOTIFICATION, "later"),
    Ending.HELD_QUIET: Way(aftermath.held, Name.NOTIFICATION, "later"),
    Ending.HELD_FLAPPING: Way(aftermath.held, Name.NOTIFICATION, "later"),
    Ending.DROPPED: Way(aftermath.dropped, Name.NOTIFICATION),
}

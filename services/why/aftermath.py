"""The sentences behind a row's fate: stream record, change, check, alert, message.

Owns their words; times in them are fixed-width UTC text.
"""

from lambdas.alerts import Kind, plain
from lambdas.failures import Failure
from lambdas.fates import Mode
from lambdas.stream import KEPT_DAYS
from services import words
from services.alerts import Episode
from services.why.endings import tells
from services.why.facts import Facts
from services.why.sentences import moved, wrote


def record_awaited(of: Facts) -> str:
    return f"{wrote(of)}; its stream record is on its way, which takes a second or two."


def record_missing(of: Facts) -> str:
    return (
        f"{wrote(of)} at {of.applied_at}, but its stream record has not come through since. That is an incident: "
        f"“verify” on the Pipeline page names what is missing.{_besides(of)}"
    )


def record_lost(of: Facts) -> str:
    return (
        f"{wrote(of)} at {of.applied_at}, but its stream record has not come through; since then the stream gave up "
        f"records that are gone, and this may be one of them. “Verify” on the Pipeline page tells.{_besides(of)}"
    )


def record_failed(of: Facts) -> str:
    return f"{wrote(of)}, but its stream record could not be kept; {_again(of.failure)}{_besides(of)}"


def expired(of: Facts) -> str:
    return f"{wrote(of)} at {of.applied_at}; changes are kept for {KEPT_DAYS} days, and this one is gone.{_besides(of)}"


def check_awaited(of: Facts) -> str:
    return f"{moved(of)}; the change is kept, and its check for alerts is on its way."


def check_missing(of: Facts) -> str:
    return (
        f"{moved(of)}; the change is kept, but it has not been checked for alerts since {of.applied_at}. That is an "
        "incident: “verify” on the Pipeline page tells whether an alert is missing."
    )


def check_lost(of: Facts) -> str:
    return (
        f"{moved(of)}; the change is kept, but since then the stream gave up records before they were checked for "
        "alerts, and this may be one of them. “Verify” on the Pipeline page tells."
    )


def check_failed(of: Facts) -> str:
    return f"{moved(of)}; the change is kept, but it could not be checked for alerts; {_again(of.failure)}"


def touched(of: Facts) -> str:
    why = {Mode.STAMP: ", because mode stamp gives each row the time of its load", Mode.UNDO: ", back to what it was"}
    count = plain(of.change.new_count) if of.change else ""
    return (
        f"{of.item} is {count} as before and only its time moved{why.get(Mode(of.of.mode), '')}; DynamoDB wrote a "
        "record of that, but no count crossed zero, so no alert was raised."
    )


def rose(of: Facts) -> str:
    return f"{moved(of)}; it rose and was not out before, so there was no alert to raise or to end."


def stayed(of: Facts) -> str:
    new = of.change.new_count if of.change else None
    point = f" or to its reorder point, {plain(of.point)} now" if of.point and new and new > of.point else ""
    return f"{moved(of)}; it did not fall to zero{point}, so no alert was raised."


def still_out(of: Facts) -> str:
    since = _since(of.covering(low=False))
    return (
        f"{moved(of)}; it was out of stock already{since} and one time out is one alert, so no second one was raised."
    )


def still_low(of: Facts) -> str:
    since = _since(of.covering(low=True))
    return f"{moved(of)}; it was low already{since} and one time low is one alert, so no second one was raised."


def taken_away(of: Facts) -> str:
    return (
        f"{moved(of)}, as it had not been there before; what is not there is not out of stock, so no alert was raised."
    )


def came_back(of: Facts) -> str:
    return f"{moved(of)}; that ended its alert{_that(of.closed)}, and no message is sent when one ends."


def no_longer_low(of: Facts) -> str:
    return f"{moved(of)}; that ended its low alert{_that(of.closed)}, and no message is sent when that ends."


def low_by_point(of: Facts) -> str:
    one = of.by_point
    if one is None:
        return stayed(of)
    return (
        f"{moved(of)}, which raised no alert; it became low when its reorder point was set to {plain(one.point)} at "
        f"{one.opened_at}, and who set that was told on the spot, so no message was sent."
    )


def alert_missing(of: Facts) -> str:
    return (
        f"{moved(of)}, which was checked at {of.checked_at}, but its alert is not there. That is an incident: “verify” "
        "on the Pipeline page tells."
    )


def sent(of: Facts) -> str:
    return f"{moved(of)}, so it was out of stock; an alert opened{_told(of)}"


def sent_low(of: Facts) -> str:
    return f"{_low(of)}; a low alert opened{_told(of)}"


def sent_for_both(of: Facts) -> str:
    point = of.opened[Kind.LOW].point
    return (
        f"{moved(of)}, through its reorder point {plain(point)} to nothing; two alerts opened, and the one message "
        f"that it is out tells of both{_told(of)}"
    )


def message_awaited(of: Facts) -> str:
    return f"{_low(of)}; an alert opened, and its message is on its way."


def message_missing(of: Facts) -> str:
    return (
        f"{_low(of)}; an alert opened, but its message has not been sent since. That is an incident: “verify” on the "
        "Pipeline page names it."
    )


def message_refused(of: Facts) -> str:
    return f"{_low(of)}; an alert opened, but its message could not be sent; {_again(of.failure)}"


def held(of: Facts) -> str:
    one = tells(of)
    due = one.due if one else None
    return f"{_low(of)}; an alert opened, and its message waits until {due}: {_why(one)}.{_ended(one)}"


def dropped(of: Facts) -> str:
    one = tells(of)
    at = one.dropped_at if one else None
    return (
        f"{_low(of)}; an alert opened and its message waited ({_why(one)}), but it had ended before its time, so at "
        f"{at} the message was dropped.{_ended(one)}"
    )


def _low(of: Facts) -> str:
    one = tells(of)
    if one is None or not one.is_low:
        return f"{moved(of)}, so it was out of stock"
    return f"{moved(of)}, to its reorder point {plain(one.point)} or below"


def _told(of: Facts) -> str:
    one = tells(of)
    at = one.notified_at if one else None
    waited = f" after it had waited ({_why(one)})" if one and one.held_for else ""
    return f", and its message was sent at {at}{waited}.{_ended(one)}"


def _why(of: Episode | None) -> str:
    return words.HELD.get(of.held_for or "", "") if of else ""


def _ended(of: Episode | None) -> str:
    return f" It ended at {of.closed_at}: {words.ended(of)}." if of and of.closed_at else ""


def _since(of: Episode | None) -> str:
    return f", since {of.opened_at}," if of else ""


def _that(of: Episode | None) -> str:
    return f" of {of.opened_at}" if of else ""


def _again(of: Failure | None) -> str:
    """What is done about a failure."""
    if of and "NextAt" in of:
        return f"it is on the list of failures, and tried again by itself at {of['NextAt']}."
    return "it is on the list of failures on the Pipeline page, where it can be run again."


def _besides(of: Facts) -> str:
    """The alerts that it opened, though its change is not to be had: the checker reads the stream by itself."""
    one = next(iter(of.besides), None)
    if one is None:
        return ""
    sent = f", and its message was sent at {one.notified_at}" if one.notified_at else ""
    return f" Its alert opened all the same, at {one.opened_at}{sent}."

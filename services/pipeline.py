"""The queues of the pipeline: how many messages wait, and where."""

from typing import Any

from services.access import Right, needs
from services.errors import mapped
from services.stack import Stack

_VISIBLE, _HIDDEN = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


@mapped
@needs(Right.OPERATE)
def waiting(stack: Stack) -> dict[str, int]:
    """How many messages wait in the queue, are at the loader, and are on their way from there to the sweeper."""
    sqs = stack.client("sqs")
    queue, dead = (_depth(sqs, url) for url in (stack.settings.queue, stack.settings.dead_letter_queue))
    return {"waiting": queue[_VISIBLE], "loading": queue[_HIDDEN], "given up": dead[_VISIBLE] + dead[_HIDDEN]}


def _depth(sqs: Any, url: str) -> dict[str, int]:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_VISIBLE, _HIDDEN])["Attributes"]
    return {name: int(found[name]) for name in (_VISIBLE, _HIDDEN)}

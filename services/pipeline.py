"""The queues of the pipeline: how many messages wait, and where."""

from typing import Any

from services.access import Right, needs
from services.errors import mapped
from services.stack import Stack

_VISIBLE, _HIDDEN = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


@mapped
@needs(Right.OPERATE)
def waiting(stack: Stack) -> dict[str, int]:
    """How many files wait, how many parts of big files do, how many of both are at the loader, and how many are on
    their way from there to the sweeper."""
    sqs, names = stack.client("sqs"), stack.settings
    files, parts, dead = (_depth(sqs, url) for url in (names.queue, names.parts_queue, names.dead_letter_queue))
    return {
        "waiting": files[_VISIBLE], "parts": parts[_VISIBLE], "loading": files[_HIDDEN] + parts[_HIDDEN],
        "given up": dead[_VISIBLE] + dead[_HIDDEN],
    }  # fmt: skip


def _depth(sqs: Any, url: str) -> dict[str, int]:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_VISIBLE, _HIDDEN])["Attributes"]
    return {name: int(found[name]) for name in (_VISIBLE, _HIDDEN)}

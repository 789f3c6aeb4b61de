"""The sweeper: once a minute it finds what hangs and what failed; dead letters come to it; and people's “run again”."""

import time
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas import deadletters
from lambdas.handling import client, logger_of, sns, world
from lambdas.sweeping import Sweeper

_LOOK_SECONDS = 3600.0
logger = logger_of("sweeper")
metrics = Metrics(namespace="Stocktrail", service="sweeper")
looks: list[float] = []  # when this process has looked through the bucket, by its own clock


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> Any:
    """A message of the dead-letter queue, {"retry": {"kind", "id"}}, or anything else: the time to sweep.

    What came before this process it can't know, so it looks through the whole bucket first, and then once an hour.
    """
    logger.info("called: %s", ", ".join(event) or "nothing said")
    sweeper = Sweeper(world(), client("sqs"), sns(), lambda: context.get_remaining_time_in_millis() / 1000, _tell)
    if event.get("Records"):
        for message in event["Records"]:
            deadletters.take(world(), client("dynamodbstreams"), message["messageId"], message["body"])
        return None
    if "retry" in event:
        return sweeper.retry(**event["retry"])
    due = not looks or time.monotonic() - looks[-1] > _LOOK_SECONDS
    swept = sweeper.sweep(everything=due)
    if due:
        looks.append(time.monotonic())
    logger.info("swept: %s", swept)
    measure(sweeper.stuck(), context.function_name)
    return swept


def measure(found: dict[str, int], function: str) -> None:
    """Tell CloudWatch, for the alarms. A function's name is one stack's alone."""
    metrics.add_dimension("function_name", function)
    for name, count in found.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    metrics.flush_metrics()
    metrics.clear_metrics()  # switched off it keeps them, and prints them all the same once it has a hundred


def _tell(what: str, upload_id: str) -> None:
    logger.info(what, upload_id=upload_id)

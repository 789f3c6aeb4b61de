"""The checker: the stream tells which items ran out or came back; open and close their alerts."""

from typing import Any

from lambdas import checking, failures
from lambdas.handling import in_order, logger_of, sns, world
from lambdas.stream import of_record

logger = logger_of("checker")


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    """An error is raised for the whole batch, which is then delivered again: everything here is safe to repeat."""
    opened = in_order(
        event, failures.CHECK, lambda records: checking.check(world(), sns(), map(of_record, records)), logger
    )
    for upload_id, count in opened.items():
        logger.info("alerts opened: %d", count, upload_id=upload_id)

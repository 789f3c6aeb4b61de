"""The recorder: each stream record becomes a change, once."""

from typing import Any

from lambdas import failures, recording
from lambdas.handling import in_order, logger_of, world
from lambdas.stream import of_record

logger = logger_of("recorder")


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    """An error is raised for the whole batch, which is then delivered again: everything here is safe to repeat."""
    counts = in_order(
        event, failures.RECORD, lambda records: recording.record(world(), map(of_record, records)), logger
    )
    for upload_id, count in counts.items():
        logger.info("changes kept: %d", count, upload_id=upload_id)

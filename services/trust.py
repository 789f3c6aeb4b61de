"""Whether the numbers can be trusted: a verification is made and kept, and the last one is what pages show."""

from lambdas import objects
from services import audit, verifying
from services.access import Right, needs
from services.errors import mapped
from services.stack import Stack
from services.verifying import Result


@mapped
@needs(Right.OPERATE)
def verify(stack: Stack, store: str | None = None) -> Result:
    """Work everything out anew from the files; of one store, or of all, which is kept. Reads every file and table."""
    audit.note(stack, audit.Did.VERIFIED, store=store)
    result = verifying.verify(stack, store)
    if store is None:
        objects.put(stack.world, objects.VERIFIED, result.as_json())
    return result


@mapped
@needs(Right.OPERATE)
def latest(stack: Stack) -> Result | None:
    """The last verification of all stores; None when there was none."""
    said = objects.get(stack.world, objects.VERIFIED)
    return verifying.of_json(said) if said else None

"""How a file is understood, and what is remembered for files of its shape.

Knows nothing of uploads: a file is opened before it is sent.
"""

from dataclasses import replace

from lambdas import mappings
from lambdas.mappings import Saved
from lambdas.opening import Opened, open_file
from lambdas.stockfile import AUTOMATIC, Mapping
from lambdas.stockfile.parts import Understanding
from services import audit
from services.access import Person, Right, needs
from services.audit import Did
from services.errors import mapped
from services.stack import Stack

__all__ = ["Opened", "Saved", "forget", "opened", "remember", "saved", "whose"]


@mapped
@needs(Right.SEE)
def opened(stack: Stack, data: bytes, mapping: Mapping | None = None) -> Opened:
    """The file and how it is understood: with this mapping, else what is saved for its shape, else automatically.

    Raises BadFile when it can't be used at all. A question is not raised: it stands in ``understood``.
    """
    found = open_file(stack.world, data, mapping, whose(stack.person))
    if found.saved and found.mapping.always and not stack.person.sees(found.mapping.always):  # said of another's files
        return open_file(stack.world, data, replace(found.mapping, always=None))
    return found


@mapped
@needs(Right.SEND)
def remember(stack: Stack, understood: Understanding, mapping: Mapping, by: str | None = None) -> None:
    """Read files of this shape so from now on; the mapping that says nothing is forgotten instead.

    ``understood`` is what ``opened`` gave; ``by`` the upload that was answered with it.
    """
    stack.person.must(Right.SEND, [mapping.always] if mapping.always else ())
    did = Did.FORGOTTEN if mapping == AUTOMATIC else Did.REMEMBERED
    audit.note(stack, did, shape=understood.shape, upload=by)
    mappings.save(stack.world, understood.shape, mapping, understood.columns, by, whose(stack.person))


@mapped
@needs(Right.SEND)
def forget(stack: Stack, shape: str) -> None:
    """Read files of this shape automatically again. Harmless when nothing is saved for it."""
    audit.note(stack, Did.FORGOTTEN, shape=shape)
    mappings.forget(stack.world, shape, whose(stack.person))


@mapped
@needs(Right.SEE)
def saved(stack: Stack) -> list[Saved]:
    """What is saved for shapes of files, the latest first: one Query."""
    return mappings.saved(stack.world, whose(stack.person))


def whose(person: Person) -> str | None:
    """For whom it is remembered. Who is responsible for all stores says it for everybody, and for what comes in by
    itself; anybody else for the own files alone, or a store could have another's files misread."""
    return None if person.stores is None else person.name

"""How a file is understood, and what is remembered for files of its shape.

Knows nothing of uploads: a file is opened before it is sent.
"""

from lambdas import mappings
from lambdas.mappings import Saved
from lambdas.opening import Opened, open_file
from lambdas.stockfile import Mapping
from lambdas.stockfile.parts import Understanding
from services.errors import mapped
from services.stack import Stack

__all__ = ["Opened", "Saved", "forget", "opened", "remember", "saved"]


@mapped
def opened(stack: Stack, data: bytes, mapping: Mapping | None = None) -> Opened:
    """The file and how it is understood: with this mapping, else what is saved for its shape, else automatically.

    Raises BadFile when it can't be used at all. A question is not raised: it stands in ``understood``.
    """
    return open_file(stack.world, data, mapping)


@mapped
def remember(stack: Stack, understood: Understanding, mapping: Mapping, by: str | None = None) -> None:
    """Read files of this shape so from now on; the mapping that says nothing is forgotten instead.

    ``understood`` is what ``opened`` gave; ``by`` the upload that was answered with it.
    """
    mappings.save(stack.world, understood.shape, mapping, understood.columns, by)


@mapped
def forget(stack: Stack, shape: str) -> None:
    """Read files of this shape automatically again. Harmless when nothing is saved for it."""
    mappings.forget(stack.world, shape)


@mapped
def saved(stack: Stack) -> list[Saved]:
    """What is saved for shapes of files, the latest first: one Query."""
    return mappings.saved(stack.world)

"""Opening a file: which mapping it is read with.

Owns the order of precedence: what was said for this file, else what is saved for its shape, else automatic. Knows
nothing of rows. The pages, the command line and the loader open a file here.
"""

from dataclasses import dataclass, replace

from lambdas import mappings
from lambdas.stockfile import AUTOMATIC, Mapping, Source, StockFile, shape_of
from lambdas.stockfile.parts import Understanding
from lambdas.world import World


@dataclass(frozen=True, slots=True)
class Opened:
    """A file and how it is understood. ``mapping``: the one it is read with; ``saved``: it was saved for the shape.

    ``understood.shape`` is the shape that the file has before anything is said about it: next week's file is
    recognised by that one.
    """

    data: bytes
    file: StockFile
    mapping: Mapping
    understood: Understanding
    saved: bool = False


def open_file(world: World, data: bytes, given: Mapping | None = None, whose: str | None = None) -> Opened:
    """The file, read with what is ``given``, else saved (for the files of ``whose``, or all), else found. Raises
    Unreadable; a question is never raised, it stands in ``understood``. Asks the Mappings table once, of somebody's
    file twice at most, unless a mapping is given."""
    shape = shape_of(data)
    kept = _kept(world, shape, whose) if given is None else None
    mapping = given or kept or AUTOMATIC
    file = StockFile(data, mapping)
    understood = replace(file.understood, shape=shape or file.understood.shape)
    return Opened(data, file, mapping, understood, saved=kept is not None)


def mapping_of(world: World, data: bytes | Source) -> Mapping:
    """The mapping that a file is read with of which nothing was said: what is saved for its shape, or automatic."""
    return _kept(world, shape_of(data), None) or AUTOMATIC


def _kept(world: World, shape: str | None, whose: str | None) -> Mapping | None:
    return mappings.of_shape(world, shape, whose) if shape else None

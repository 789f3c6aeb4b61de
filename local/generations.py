"""Generations: whole states on disk, each a folder of files that appears in one step or not at all.

Owns how a state is written, found, checked, refused and let go. The newest two are kept: when the last one was torn,
the one before it is there. Must not know what the files mean.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from local import durable
from local.errors import EngineError

MANIFEST = Path("manifest.json")
_PREFIX = "generation-"
_DRAFT = "draft-"
_REFUSED = "refused-"
_CLEAN = "clean"
_KEPT = 2
_FORMAT = 2

T = TypeVar("T")


class Damaged(EngineError):
    """A state that can't be read. As a whole it is the refusal to start: starting empty would overwrite it."""

    def __init__(self, place: Path, reason: object) -> None:
        self.what = f"{place.name}: {reason}"
        state = next((folder for folder in place.parents if folder.name == "state"), place)
        super().__init__(
            f"The engine's state can't be read: {place}: {reason}. Nothing was changed and nothing was started. "
            f"Move the folder {state} away to begin empty, or put an intact copy of it in its place."
        )


@dataclass(frozen=True)
class Found(Generic[T]):
    """The newest generation that can be used, and what was read from it.

    `at` is the moment of its state in seconds since the epoch, `clean` whether a clean stop left it, `refused` says
    of each newer one in a sentence why it was not used and where it lies now.
    """

    place: Path
    content: T
    at: float | None
    clean: bool
    refused: tuple[str, ...]


def newest(state: Path) -> Path | None:
    """The newest complete generation below `state`, or None."""
    return max(state.glob(_PREFIX + "*"), default=None)


def find(state: Path, read: Callable[[Path], T]) -> Found[T] | None:
    """The newest generation that is whole and that `read` can read; None when there is none at all.

    Newer ones are put aside. Raises Damaged, and changes nothing, when there are some and none can be used.
    """
    refused: list[tuple[Path, Damaged]] = []
    clean = (last := newest(state)) is not None and last.name == _left_clean(state)
    for place in sorted(state.glob(_PREFIX + "*"), reverse=True):
        try:
            at = _check(place)
            content = read(place)
        except Damaged as error:
            refused.append((place, error))
        else:
            told = tuple(_put_aside(*one) for one in reversed(refused))
            return Found(place, content, at, clean, told)
    if refused:
        raise refused[0][1]
    return None


def publish(state: Path, write: Callable[[Path], None]) -> Path:
    """Let `write` fill a new folder, put it on the disk, make it the newest, and keep one before it.

    When that fails nothing of it is left.
    """
    _drop_drafts(state)  # of one that was killed
    older = sorted(state.glob(_PREFIX + "*"))
    number = int(older[-1].name.removeprefix(_PREFIX)) + 1 if older else 1
    draft = state / f"{_DRAFT}{number}"
    place = state / f"{_PREFIX}{number:08d}"
    at = time.time()
    draft.mkdir(mode=0o700)  # not parents: a state folder that was removed stays removed
    try:
        write(draft)
        manifest = {"format": _FORMAT, "at": at, "files": _digests(draft)}
        (draft / MANIFEST).write_text(json.dumps(manifest))
        durable.sync_tree(draft)
        draft.rename(place)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    durable.sync(state)
    for folder in older[: 1 - _KEPT]:
        _let_go(folder)
    return place


def mark_clean(state: Path) -> None:
    """Note that the newest generation is all that there is to keep: a clean stop published it."""
    if (last := newest(state)) is not None:
        mark = state / _CLEAN
        mark.unlink(missing_ok=True)
        durable.write_new(mark, last.name.encode())
        durable.sync(state)


def unmark(state: Path) -> None:
    """From now on the newest generation is not all any more."""
    (state / _CLEAN).unlink(missing_ok=True)
    durable.sync(state)


def damaged(place: Path, reason: object) -> Damaged:
    """What is raised by those who read a generation's file and can't."""
    return Damaged(place, reason)


def tidy(state: Path) -> None:
    """Remove drafts that a crash left, and objects that belong to no state."""
    _drop_drafts(state)
    objects = state / "objects"
    if newest(state) is None and objects.is_dir():
        # Objects outlive a kill in the first seconds, before anything else was saved. Their buckets would stand
        # in the way of the first deploy; they are put aside, not deleted, in case someone put them here.
        objects.rename(state / f"objects-without-state-{os.urandom(4).hex()}")


def _check(generation: Path) -> float | None:
    """The moment of a generation's state. Raises Damaged unless every file is there and is what was written."""
    try:
        manifest = json.loads((generation / MANIFEST).read_text())
        found = _digests(generation)
    except (OSError, ValueError) as error:
        raise damaged(generation, error) from error
    if manifest.get("format", 1) > _FORMAT:
        raise damaged(generation, f"a newer version of the engine wrote it (format {manifest['format']})")
    wanted = manifest.get("files", manifest)  # format 1 was the digests alone
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise damaged(generation / name, "missing, added or changed since it was written")
    at: float | None = manifest.get("at")
    return at


def _put_aside(place: Path, error: Damaged) -> str:
    """Rename a generation so that it counts no more; only one such is kept. What is told of it."""
    for earlier in place.parent.glob(_REFUSED + "*"):
        shutil.rmtree(earlier)
    aside = place.with_name(_REFUSED + place.name.removeprefix(_PREFIX))
    place.rename(aside)
    durable.sync(place.parent)
    return f"The last saved state could not be used ({error.what}), so the one before it was. It now lies in {aside}."


def _left_clean(state: Path) -> str | None:
    mark = state / _CLEAN
    return mark.read_text() if mark.exists() else None


def _drop_drafts(state: Path) -> None:
    for draft in state.glob(_DRAFT + "*"):
        shutil.rmtree(draft)


def _let_go(generation: Path) -> None:
    # Its name goes first: a kill in between must not leave half a generation that passes for one.
    gone = generation.with_name(generation.name.replace(_PREFIX, _DRAFT))
    generation.rename(gone)
    shutil.rmtree(gone)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST.name)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

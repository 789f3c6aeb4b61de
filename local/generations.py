"""Generations: whole states on disk, each a folder of files that appears in one step or not at all.

Owns how a state is written, found, checked and let go. Must not know what the files mean.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from local.errors import EngineError

_PREFIX = "generation-"
_DRAFT = "draft-"
_MANIFEST = "manifest.json"


def newest(state: Path) -> Path | None:
    """The newest complete generation below `state`, or None."""
    return max(state.glob(_PREFIX + "*"), default=None)


def publish(state: Path, write: Callable[[Path], None]) -> Path:
    """Let `write` fill a new folder, put it on the disk, make it the newest, and let the older ones go."""
    older = sorted(state.glob(_PREFIX + "*"))
    number = int(older[-1].name.removeprefix(_PREFIX)) + 1 if older else 1
    draft = state / f"{_DRAFT}{number}"
    draft.mkdir(mode=0o700)  # not parents: a state folder that was removed stays removed
    write(draft)
    (draft / _MANIFEST).write_text(json.dumps(_digests(draft)))
    _sync_tree(draft)
    place = state / f"{_PREFIX}{number:08d}"
    draft.rename(place)
    _sync(state)
    for folder in older:
        shutil.rmtree(folder)
    return place


def check(generation: Path) -> None:
    """Raise EngineError unless every file is there and is what was written."""
    try:
        wanted = json.loads((generation / _MANIFEST).read_text())
        found = _digests(generation)
    except (OSError, ValueError) as error:
        raise damaged(generation, error) from error
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise damaged(generation / name, "missing, added or changed since it was written")


def damaged(place: Path, reason: object) -> EngineError:
    """The refusal to start on a state that can't be read: starting empty would overwrite it."""
    state = next((folder for folder in place.parents if folder.name == "state"), place)
    return EngineError(
        f"The engine's state can't be read: {place}: {reason}. Nothing was changed and nothing was started. "
        f"Move the folder {state} away to begin empty, or put an intact copy of it in its place."
    )


def tidy(state: Path) -> None:
    """Remove drafts that a crash left, and objects that belong to no state."""
    for draft in state.glob(_DRAFT + "*"):
        shutil.rmtree(draft)
    objects = state / "objects"
    if newest(state) is None and objects.is_dir():
        # Objects outlive a kill in the first seconds, before anything else was saved. Their buckets would stand
        # in the way of the first deploy; they are put aside, not deleted, in case someone put them here.
        objects.rename(state / f"objects-without-state-{os.urandom(4).hex()}")


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _MANIFEST)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _sync_tree(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

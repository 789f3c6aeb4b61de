"""Several files that become valid as one, on their way to their places.

They are written and synced in a folder of their own, which one rename makes valid; from there they are moved to where
they belong, and a start completes a move that a kill cut short. Must not know what the files hold.
"""

import json
import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path

from local import durable

_READY = "ready-"
_DRAFT = "draft-"
_PLACES = "places.json"
_one_at_a_time = threading.Lock()


def finish(objects: Path) -> None:
    """Complete the writes that a kill cut short, and drop those that had not become valid.

    To be called before MiniStack's S3 is imported: it reads `objects` then.
    """
    for folder in sorted(way(objects).glob(_READY + "*")):
        _move_to_places(folder, objects)
    for folder in way(objects).glob(_DRAFT + "*"):
        shutil.rmtree(folder)


def way(objects: Path) -> Path:
    """The folder beside `objects` that the files go through."""
    return objects.with_name("objects-on-their-way")


def store(files: dict[str, bytes], objects: Path) -> None:
    """Write all of `files` or none: they are valid from the rename on, and moved to their places after it."""
    if not files:
        raise OSError("MiniStack's log says why")
    name = os.urandom(8).hex()
    draft, ready = (way(objects) / f"{prefix}{name}" for prefix in (_DRAFT, _READY))
    with _one_at_a_time:
        finish(objects)  # what a failing disk stopped half-way must not come after what is newer
        try:
            _fill(draft, files, objects)
            draft.rename(ready)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        durable.sync(ready.parent)
        _move_to_places(ready, objects)


def _fill(draft: Path, files: dict[str, bytes], objects: Path) -> None:
    draft.mkdir(mode=0o700)
    for number, data in enumerate(files.values()):
        durable.write_new(draft / str(number), data)
    places = [os.path.relpath(path, os.path.realpath(objects)) for path in files]
    durable.write_new(draft / _PLACES, json.dumps(places).encode())
    durable.sync(draft)


def _move_to_places(ready: Path, objects: Path) -> None:
    """May be done again after it was cut short at any point: what has been moved is not there any more."""
    if (ready / _PLACES).exists():  # else it was being removed
        places = [objects / place for place in json.loads((ready / _PLACES).read_text())]
        for number, place in enumerate(places):
            durable.make_folder(place.parent)
            with suppress(FileNotFoundError):
                os.replace(ready / str(number), place)
        for folder in {place.parent for place in places}:
            durable.sync(folder)
    shutil.rmtree(ready)

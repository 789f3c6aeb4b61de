"""Files that are on the disk, and not only on their way to it, when the call returns.

Owns the order of write, fsync and rename. Must not know what the files hold.
"""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        sync(path)


def make_folder(folder: Path) -> None:
    """Make `folder` and its missing parents, for the owner alone; their names are on the disk, too."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync(folder.parent)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet. The name itself is on the disk only after a `sync` of its folder."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

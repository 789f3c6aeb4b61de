"""Advisory locks on files (flock): held by an open file, so the kernel frees them when a process is killed.

Must not know what the locks are for.
"""

import fcntl
import os
import time
from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX
_STEP_SECONDS = 0.01


def acquire(path: Path, kind: int, seconds: float = 0.0) -> int | None:
    """Lock `path`, made if missing, trying for `seconds`. Returns the descriptor to `release`, or None."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + seconds
    while not _take(descriptor, kind):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            return None
        time.sleep(_STEP_SECONDS)
    return descriptor


def release(descriptor: int) -> None:
    """Give up a lock that `acquire` returned."""
    os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether someone holds `path` exclusively. Asks with a shared lock, so that askers don't see each other."""
    if not path.exists():
        return False
    descriptor = acquire(path, SHARED)
    if descriptor is None:
        return True
    release(descriptor)
    return False


def _take(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

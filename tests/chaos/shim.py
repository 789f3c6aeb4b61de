"""A process's clock, moved by what a file says (seconds): started by the interpreter itself, before anything else.

Copied beside the `.pth` that starts it, see `clock`; stands alone, knows nothing of the harness. Only the clock that
tells the date moves, never the monotonic one. Whoever runs a Lambda or the engine's server follows `engine`, all others
`people`.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

_STEP_SECONDS = 0.05
_following = threading.Lock()


def follow(folder: Path) -> None:
    """Put the clock where the file says, and keep it there while the file changes. In a venv a `.pth` runs twice."""
    if not _following.acquire(blocking=False):
        return
    engine = "local.server" in sys.orig_argv or "LOCAL_ENGINE_HOME" in os.environ
    hand = _Hand(folder / ("engine" if engine else "people"))
    hand.turn()
    threading.Thread(target=hand.run, name="chaos-clock", daemon=True).start()


class _Hand:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0.0
        self._clock: Any = None

    def run(self) -> None:
        while True:
            self.turn()
            time.sleep(_STEP_SECONDS)

    def turn(self) -> None:
        try:
            wanted = float(self._file.read_text())
        except (OSError, ValueError):  # gone, or just being written
            return
        if wanted != self._offset:
            self._move(wanted - self._offset)
            self._offset = wanted

    def _move(self, by: float) -> None:
        if self._clock is None:
            import time_machine  # only now: most processes never need it

            self._clock = time_machine.travel(time.time() + by, tick=True).start()
        else:
            self._clock.shift(by)

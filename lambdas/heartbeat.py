"""A heartbeat: while work goes on, its message stays hidden; when the process is gone, it soon comes back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def beating(beat: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call ``beat`` now, and every so often until the block is left. ``beat`` must not raise."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(seconds):
            beat()

    beat()
    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

"""The guard: a small process that outlives a killed server for a moment and ends what that leaves running.

A killed server's idle functions end when their pipe closes, but one that works goes on until it is done, and one that
hangs for ever. The guard waits for the end of a pipe that only the server and its saving children hold open, so that
a state that is being written is still written, and then kills the group. Must not know MiniStack or the folder.
"""

import os
import signal


def post() -> None:
    """Start the guard of this process, which must lead its group. To be called before any thread is started."""
    ear, mouth = os.pipe()  # neither end is passed on to programs that are started
    if os.fork():
        os.close(ear)
        return
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.close(mouth)
        os.read(ear, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)  # itself with it
    finally:
        os._exit(1)

"""Those who upload: in this process, by the command line, and by dropping files into the bucket.

Owns what counts as acknowledged: what `send` or `put_object` returned for, or a command ended well for. What was not
acknowledged may arrive all the same.
"""

import os
import subprocess
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from lambdas.fates import Mode
from services import uploads
from services.errors import FOREIGN, StocktrailError
from tests.chaos import files, processes
from tests.chaos.files import File, Rendered
from tests.chaos.plan import Sending
from tests.chaos.world import World

_COMMAND_SECONDS = 90
_SETTLED_SECONDS = 12
_KEPT = ("PATH", "HOME", "LANG")


@dataclass
class Sent:
    """A file that was sent, or was to be. ``upload_id`` where the sender learned it; ``clean``: nothing can cross it
    any more, because it settled before the next file of its store was sent."""

    file: File
    rendered: Rendered
    acknowledged: bool = False
    upload_id: str | None = None
    clean: bool = False
    error: str = ""


class Senders:
    """Sends a round's files at their times, each in a thread of its own, or in turn where the store demands it."""

    def __init__(self, world: World, sendings: Iterable[Sending]) -> None:
        self._world, self.sent, self._lock = world, list[Sent](), threading.Lock()
        self._over = threading.Event()
        self._ways = {"send": self._here, "drop": self._drop, "command": self._command, "embedded": self._embedded}
        alone = [[one] for one in sendings if one.file.store not in files.ONE_AT_A_TIME]
        in_turn = sorted((s for s in sendings if s.file.store in files.ONE_AT_A_TIME), key=lambda s: s.file.store)
        rows = alone + [sorted(row, key=lambda s: s.at) for _, row in groupby(in_turn, key=lambda s: s.file.store)]
        self._threads = [threading.Thread(target=self._row, args=(row,), daemon=True) for row in rows]

    def start(self) -> None:
        self._begin = time.monotonic()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _row(self, row: list[Sending]) -> None:
        for sending in row:
            self._over.wait(max(0.0, self._begin + sending.at - time.monotonic()))
            sent = self._send(sending)
            if sending.file.store not in files.ONE_AT_A_TIME:
                continue
            sent.clean = sent.acknowledged and self._settled(sent)
            if not sent.clean:
                return

    def _send(self, sending: Sending) -> Sent:
        rendered = files.render(sending.file, datetime.now(UTC))
        sent = Sent(sending.file, rendered)
        with self._lock:
            self.sent.append(sent)
        try:
            self._ways[sending.file.way](sent, sending)
        except (StocktrailError, *FOREIGN, OSError) as error:
            sent.error = f"{type(error).__name__}: {error}"
        return sent

    def _settled(self, sent: Sent) -> bool:
        deadline = time.monotonic() + _SETTLED_SECONDS
        while time.monotonic() < deadline:
            with suppress(StocktrailError):
                if uploads.receipt(self._world.direct, sent.upload_id or "").settled:
                    return True
            time.sleep(0.1)
        return False

    def _here(self, sent: Sent, sending: Sending) -> None:
        file = sending.file
        sent.upload_id = uploads.send(self._world.proxied, file.name, sent.rendered.data, Mode(file.mode))
        sent.acknowledged = True

    def _drop(self, sent: Sent, sending: Sending) -> None:
        stack, key = self._world.proxied, f"uploads/till/{sending.file.name}"
        stack.s3.put_object(Bucket=stack.settings.bucket, Key=key, Body=sent.rendered.data)
        sent.acknowledged = True

    def _command(self, sent: Sent, sending: Sending) -> None:
        self._run(sent, sending, self._world.through_proxy)

    def _embedded(self, sent: Sent, sending: Sending) -> None:
        self._run(sent, sending, {"STOCKTRAIL_HOME": str(self._world.home)})

    def _run(self, sent: Sent, sending: Sending, environ: dict[str, str]) -> None:
        path = self._world.folder / "files" / sending.file.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(sent.rendered.data)
        command = [str(self._world.clock.python), "-m", "services", "upload", "--no-wait", "--json", str(path)]
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=self._world.tree, env=kept | environ, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL
        ) as process:
            if sending.kill_after is not None:
                self._kill(process, sending.kill_after)
            try:
                _, said = process.communicate(timeout=_COMMAND_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                said = b"took too long"
        sent.acknowledged = process.returncode == 0
        sent.error = "" if sent.acknowledged else f"exit {process.returncode}: {said.decode()[-300:]}"

    def _kill(self, process: "subprocess.Popen[bytes]", after: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
            return
        if processes.kill(process.pid):
            self._world.strike("kill uploader")

"""The server process: `python -m local.server HOME`.

Owns its beginning and its end: environment, lock, leftovers, restored state, socket, and that nothing stays
behind. Must not know the stack. It ends with 0, or with 1 and a last line in its log that says what went wrong.
"""

import asyncio
import gc
import logging
import os
import shutil
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from uvicorn import Config, Server

from local import emulator, generations, guard, identities, locks, processes, snapshot, staging
from local.environment import CHECKPOINT_PATH, server_environ, user_environ, worker_secret
from local.errors import EngineError
from local.folder import Folder, write_whole
from local.gate import App, Gate, Receive, Scope, Send
from local.life import Beginning, Life
from local.modules import module

_log = logging.getLogger("engine")
_LOCK_SECONDS = 10.0  # the saving child of a killed server may hold the lock a little longer


def main(home: Path) -> int:
    """Be the server of `home` until it is stopped. Returns the exit status."""
    folder = Folder.at(home)
    if os.getpgrp() == os.getpid():
        guard.post()
    environ = server_environ(os.environ, folder)
    os.environ.clear()
    os.environ.update(environ)
    lock = locks.acquire(folder.engine_lock, locks.EXCLUSIVE, _LOCK_SECONDS)
    if lock is None:
        return _fail(f"Another engine runs on {folder.home}.")
    try:
        return _be_server(folder, lock)
    except EngineError as error:
        return _fail(str(error))
    except OSError as error:
        traceback.print_exc()
        return _fail(f"The engine of {folder.home} could not begin or go on: {error}.")


def _be_server(folder: Folder, lock: int) -> int:
    _clean(folder)
    found = generations.find(folder.state, snapshot.read)
    emulator.prepare()
    if module("app").AUTH:
        identities.install(folder.secret())
    logging.getLogger("engine").setLevel(logging.INFO if logging.root.level > logging.INFO else logging.NOTSET)
    beginning = _restore(folder, found)
    bound = _bind(folder)
    port = bound.getsockname()[1]
    _prepare_lambdas(folder, port)
    life = Life(folder, lock, port, beginning)
    try:
        asyncio.run(_serve(folder, life, bound, port))
    finally:
        processes.end(lambda: processes.marked(folder.home))
        _leave_nothing(folder, life)
    return 0 if life.saved else 1


def _leave_nothing(folder: Folder, life: Life) -> None:
    if life.home_is_ours():
        shutil.rmtree(folder.temporary, ignore_errors=True)
        folder.record.unlink(missing_ok=True)
    elif not folder.engine_lock.exists():
        # The folder was removed, and a function that was just starting may have made it again for its own files.
        shutil.rmtree(folder.temporary, ignore_errors=True)
        with suppress(OSError):  # gone, or there is something else in it
            folder.home.rmdir()


def _clean(folder: Folder) -> None:
    """Take away what a killed server left. The lock says that there is no other."""
    folder.record.unlink(missing_ok=True)
    processes.end(lambda: processes.marked(folder.home))
    shutil.rmtree(folder.temporary, ignore_errors=True)
    folder.temporary.mkdir(mode=0o700, exist_ok=True)
    staging.finish(folder.objects)
    generations.tidy(folder.state)


def _restore(folder: Folder, found: generations.Found[dict[str, Any]] | None) -> Beginning:
    """Load the state that was found. What is told of it to whoever asks for the engine's status."""
    if found is None:
        return Beginning()
    for sentence in found.refused:
        _log.error("%s", sentence)
    if found.refused:
        folder.deployed.unlink(missing_ok=True)  # it tells of a later state; deploying once more changes nothing
    snapshot.restore(found.place, found.content)
    gc.freeze()  # what was restored stays; looking through it again and again would hold up requests
    return Beginning(not found.clean, found.at, found.refused)


def _bind(folder: Folder) -> socket.socket:
    """A socket on this computer only: on the port of last time if it is free, so that saved links keep working."""
    last = int(folder.last_port.read_text()) if folder.last_port.exists() else 0
    for port in (last, 0):
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            bound.bind(("127.0.0.1", port))
        except OSError:
            bound.close()
            continue
        write_whole(folder.last_port, str(bound.getsockname()[1]))
        return bound
    raise EngineError("No port is free on 127.0.0.1.")


def _prepare_lambdas(folder: Folder, port: int) -> None:
    environ = user_environ(f"http://127.0.0.1:{port}", worker_secret(folder.secret()))
    os.environ.update(environ | {processes.MARK: str(folder.home)})


async def _serve(folder: Folder, life: Life, bound: socket.socket, port: int) -> None:
    ministack = module("app")
    app = identities.only_signed(ministack.app, folder.secret()) if ministack.AUTH else ministack.app
    gate = Gate(_with_checkpoint(app, life), folder.secret(), port)
    config = Config(
        gate, http="httptools", ws="none", loop="asyncio", timeout_keep_alive=75, timeout_graceful_shutdown=1,
        server_header=False, date_header=False, access_log=False, log_level="warning",
    )  # fmt: skip
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    while not (server.started or serving.done()):
        await asyncio.sleep(0.005)
    if server.started:
        await life.run(gate)
    server.should_exit = True
    await serving


def _with_checkpoint(app: App, life: Life) -> App:
    """MiniStack, and one request of ours: POST CHECKPOINT_PATH saves the state and answers 204."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != CHECKPOINT_PATH or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        await life.save()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return routed


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    status = 1
    try:
        status = main(Path(sys.argv[1]))
    finally:
        if sys.exc_info()[0]:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)  # MiniStack's threads would keep the process waiting

"""The engine for those who use it: attach, detach, stop, status, checkpoint.

    engine = attach(home, template=Path("template.yaml"), code=Path("lambdas"), stack="my-stack")
    os.environ.update(engine.environ)          # from here on boto3 speaks to the engine

A process that attached holds a shared lock for as long as it lives; the kernel frees it even after a kill. When the
last one is gone the engine saves its state and ends, unless it was asked to stay. Must not know MiniStack.
"""

import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from json import dumps, loads
from pathlib import Path

from local import launch, locks
from local.environment import CHECKPOINT_PATH, user_environ
from local.errors import EngineError
from local.folder import Folder, Running, write_whole
from local.package import Package

__all__ = ["Engine", "EngineError", "Status", "attach", "checkpoint", "detach", "status", "stop"]

_TURN_SECONDS = 600.0  # another process may be starting it, or stopping it with much to save
_users: dict[Path, int] = {}
_one_at_a_time = threading.RLock()


@dataclass(frozen=True)
class Engine:
    """A running engine with the stack deployed. `started`: whether this call started it.

    `since`: when its server began, in seconds since the epoch; another value is another server, even at the same port.
    """

    endpoint: str
    environ: Mapping[str, str]
    started: bool
    since: float


@dataclass(frozen=True)
class Status:
    """Whether an engine runs on a state folder; `since` is in seconds since the epoch, `stay` as in `attach`.

    Of a running one: `recovered`: the server before it ended without a clean stop. `saved_at`: the moment of the state
    that it began with, in seconds since the epoch. `refused`: a sentence for each newer state that could not be used.
    """

    running: bool
    pid: int | None
    endpoint: str | None
    since: float | None
    stay: bool
    log: Path
    recovered: bool = False
    saved_at: float | None = None
    refused: tuple[str, ...] = ()


def attach(home: Path, *, template: Path, code: Path, stack: str, stay: bool = False) -> Engine:
    """The engine of the state folder `home`, started if need be, with `stack` deployed from `template`.

    `template` is a SAM template whose CodeUri is the folder `code`; it is deployed when one of the two has changed
    since. `stay` keeps the engine running after its last user. May be called again. Raises EngineError.
    """
    with _one_at_a_time:
        package = Package.read(Path(template), Path(code))
        folder = Folder.at(home)
        newcomer = folder.home not in _users
        _enter(folder)
        try:
            engine = _attach(folder, package, stack, stay)
        except EngineError:
            if newcomer:
                _leave(folder)
            raise
        return engine


def detach(home: Path) -> None:
    """Give up this process's hold. If nobody else uses the engine and it is not to stay: stop it, and wait."""
    folder = Folder(Path(home).resolve())
    with _one_at_a_time:
        if folder.home not in _users:
            return
        _leave(folder)
        if not folder.home.is_dir() or folder.stay.exists():
            return
        # Held while it stops: whoever comes now waits. The server itself asks for a moment now and then.
        alone = locks.acquire(folder.users_lock, locks.EXCLUSIVE, 0.2)
        if alone is not None:
            launch.stop(folder)
            locks.release(alone)
        elif launch.current(folder) is None:
            launch.wait_until_free(folder)


def stop(home: Path) -> bool:
    """Stop the engine cleanly, whoever uses it, and wait until its processes are gone. False if none ran."""
    folder = Folder(Path(home).resolve())
    return folder.home.is_dir() and launch.stop(folder)


def status(home: Path) -> Status:
    """What runs on the state folder `home`; looking makes and starts nothing."""
    folder = Folder(Path(home).resolve())
    running = launch.current(folder)
    stay = folder.stay.exists()
    if running is None:
        return Status(False, None, None, None, stay, folder.log)
    told = (running.recovered, running.saved_at, running.refused)
    return Status(True, running.pid, running.endpoint, running.since, stay, folder.log, *told)


def checkpoint(home: Path) -> None:
    """Save the state of this moment, so that it outlives a kill. Objects in buckets are saved as they are put."""
    folder = Folder(Path(home).resolve())
    running = launch.current(folder)
    if running is None:
        raise EngineError(f"No engine runs on {folder.home}.")
    try:
        answer = _post(running, CHECKPOINT_PATH, folder.secret())
    except (OSError, HTTPException) as error:
        raise EngineError(f"The engine broke off while saving: {error}. Its log is {folder.log}.") from error
    if answer != HTTPStatus.NO_CONTENT:
        raise EngineError(f"The engine's state could not be saved ({answer}). Its log is {folder.log}.")


def _post(running: Running, path: str, secret: str) -> int:
    connection = HTTPConnection("127.0.0.1", running.port, timeout=_TURN_SECONDS)
    with closing(connection):
        connection.request("POST", path, headers={"X-Amz-Security-Token": secret})
        return connection.getresponse().status


def _attach(folder: Folder, package: Package, stack: str, stay: bool) -> Engine:
    turn = locks.acquire(folder.start_lock, locks.EXCLUSIVE, _TURN_SECONDS)
    if turn is None:
        raise EngineError(f"Another process has been starting the engine of {folder.home} for too long.")
    try:
        if stay:
            folder.stay.touch()
        running, started = launch.find_or_start(folder)
        environ = user_environ(running.endpoint, folder.secret())
        _bring_up_to_date(folder, package, stack, environ, started)
        return Engine(running.endpoint, environ, started, running.since)
    except OSError as error:
        raise EngineError(f"The state folder {folder.home} can't be used: {error}.") from error
    finally:
        locks.release(turn)


def _bring_up_to_date(folder: Folder, package: Package, stack: str, environ: Mapping[str, str], started: bool) -> None:
    wanted = {"stack": stack, "digest": package.digest}
    current = folder.deployed.exists() and loads(folder.deployed.read_text()) == wanted
    if current and not started:
        return
    from local import deploy  # boto3 takes a quarter of a second, which one who finds all in order need not wait

    if not current:
        deploy.deploy(package, stack, environ)
        checkpoint(folder.home)  # first the stack must outlive a kill, and then the mark may say that it is there
        write_whole(folder.deployed, dumps(wanted))
    if started:
        deploy.warm(stack, environ)


def _enter(folder: Folder) -> None:
    if folder.home in _users:
        return
    hold = locks.acquire(folder.users_lock, locks.SHARED, _TURN_SECONDS)
    if hold is None:
        raise EngineError(f"The engine of {folder.home} has been stopping for too long. See {folder.log}.")
    _users[folder.home] = hold


def _leave(folder: Folder) -> None:
    locks.release(_users.pop(folder.home))

"""The layout of a state folder and the small files in it.

Owns every path below the folder, the secret and the record of the running server. Must not know MiniStack.
"""

import json
import os
import secrets
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from local.errors import EngineError


@dataclass(frozen=True)
class Running:
    """The record that a server publishes once it is ready. `since` and `saved_at` are in seconds since the epoch.

    `host` and `boot` name the machine, `ending` says that it takes no new users. `recovered`: the server before this
    one ended without a clean stop. `saved_at`: the moment of the state that was restored, if there was one.
    `refused`: a sentence for each newer state that could not be used and was put aside.
    """

    pid: int
    port: int
    since: float
    version: str
    host: str = ""
    boot: str = ""
    recovered: bool = False
    saved_at: float | None = None
    refused: tuple[str, ...] = ()
    ending: bool = False

    @classmethod
    def read(cls, text: str) -> "Running":
        """From a record's text, which a newer or older version may have written. ValueError when it is none."""
        try:
            found = json.loads(text)
            known = {field.name: found[field.name] for field in fields(cls) if field.name in found}
            return cls(**known | {"refused": tuple(known.get("refused", ()))})
        except TypeError as error:
            raise ValueError(f"not a record: {text}") from error

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Folder:
    """One state folder: everything that an engine keeps lies below `home`."""

    home: Path

    @classmethod
    def at(cls, home: Path) -> "Folder":
        """The folder at `home`, made with mode 0700 if it is missing. Raises EngineError when it can't be."""
        folder = cls(Path(home).resolve())
        try:
            folder.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in (folder.state, folder.temporary):
                part.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise EngineError(f"The state folder {home} can't be made: {error.strerror}. Name another one.") from error
        return folder

    @property
    def state(self) -> Path:
        """What must be kept or moved away as one: generations, objects, and the mark of what is deployed."""
        return self.home / "state"

    @property
    def objects(self) -> Path:
        return self.state / "objects"

    @property
    def keys(self) -> Path:
        return self.state / "keys"

    @property
    def deployed(self) -> Path:
        return self.state / "deployed.json"

    @property
    def temporary(self) -> Path:
        return self.home / "tmp"

    @property
    def log(self) -> Path:
        return self.home / "engine.log"

    @property
    def engine_lock(self) -> Path:
        return self.home / "engine.lock"

    @property
    def users_lock(self) -> Path:
        return self.home / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.home / "start.lock"

    @property
    def stay(self) -> Path:
        return self.home / "stay"

    @property
    def record(self) -> Path:
        return self.home / "engine.json"

    @property
    def last_port(self) -> Path:
        return self.home / "port"

    def secret(self) -> str:
        """The folder's secret, 32 random bytes as URL-safe text; made on the first call, file mode 0600."""
        path = self.home / "secret"
        if not path.exists():
            draft = self.home / f"secret.{os.getpid()}"
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32))
            with suppress(FileExistsError):  # the first of two racing makers wins, and both read the winner's
                os.link(draft, path)
            draft.unlink()
        return path.read_text()

    def running(self) -> Running | None:
        """The record of the server, or None. It may be stale: only a held engine lock proves a server."""
        try:
            return Running.read(self.record.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def seconds_untouched(self) -> float | None:
        """How long ago a server touched the record, None if there is none. By the clock of where the folder lies."""
        now = self.home / f"now.{os.getpid()}.draft"
        try:
            now.touch()
            return now.stat().st_mtime - self.record.stat().st_mtime
        except FileNotFoundError:
            return None
        finally:
            now.unlink(missing_ok=True)

    def publish(self, record: Running) -> None:
        """Write the record so that a reader sees all of it or nothing."""
        write_whole(self.record, json.dumps(asdict(record)))


def machine() -> tuple[str, str]:
    """This machine's name, and its current boot's where there is one."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return socket.gethostname(), boot.read_text().strip() if boot.exists() else ""


def write_whole(path: Path, text: str) -> None:
    """Replace a small file in one step."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    draft.write_text(text)
    os.replace(draft, path)

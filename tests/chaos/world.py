"""One state folder with all that stands around it: a copy of the tree's code, clocks, the proxy, the engine.

Owns the folder's layout and how the engine is reached: directly, or through the proxy as those under test do.
"""

import re
import shutil
import socket
import threading
from collections import Counter
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from local import engine
from local.environment import user_environ, worker_secret
from local.folder import Folder
from services import stack as stacks
from services.stack import Stack
from tests.chaos.clock import Clock
from tests.chaos.proxy import Proxy

_SCRIPTS = ("app.py", "overview.py")
_COPIED = ("lambdas", "local", "pages", "services", "tests", "ui", ".streamlit", "template.yaml", *_SCRIPTS)
_ENVIRONMENT = re.compile(r"(Environment:\n +Variables:\n)( +)")
_BEATS = {"VisibleSeconds": 6, "HangSeconds": 6}
_SLOW_QUEUE = "VisibilityTimeout: 960"


def prepare(folder: Path, source: Path) -> None:
    """Make a world's folder from the tree ``source``: to be done before any of its processes starts."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        if (source / name).is_dir():
            shutil.copytree(source / name, tree / name, ignore=ignored)
        elif (source / name).exists():
            shutil.copy(source / name, tree / name)
    port = _free_port()
    (folder / "proxy-port").write_text(str(port))
    template = tree / "template.yaml"
    template.write_text(_hastened(template.read_text(), port))
    Clock(folder / "clock").make()


def _hastened(template: str, port: int) -> str:
    """The template with the proxy as its functions' way to AWS, and with shorter beats where it has them."""
    through = rf'\1\2AWS_ENDPOINT_URL: "http://127.0.0.1:{port}"\n\2'
    template, found = _ENVIRONMENT.subn(through, template, count=1)  # the first one is that of all functions
    assert found == 1, "the template's Globals hold no environment any more"
    for name, seconds in _BEATS.items():
        template = re.sub(rf"\b{name}: \d+", f"{name}: {seconds}", template)
    return template.replace(_SLOW_QUEUE, "VisibilityTimeout: 10")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class World:
    """A prepared folder, from inside: to be opened by a process that runs in its tree, with its clock's Python."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.home, self.tree = folder, folder / "home", folder / "tree"
        self.clock = Clock(folder / "clock")
        self.struck: Counter[str] = Counter()
        self.kept: frozenset[str] = frozenset()  # the uploads that were settled at a checkpoint: a kill leaves them be
        self._lock = threading.Lock()
        self.stream = threading.Lock()
        """Held while records are delivered again, and while the engine is killed: it comes back with an earlier state,
        and a record from after that is one of a stream that has never been."""
        secret = Folder.at(self.home).secret()
        port = int((folder / "proxy-port").read_text())
        self.proxy = Proxy(self._engine_port, worker_secret(secret), seed, port)
        self.through_proxy = {**user_environ(self.proxy.endpoint, secret)}
        self.direct: Stack = self.connect()

    def _engine_port(self) -> int | None:
        found = Folder(self.home).running()
        return found.port if found else None

    def connect(self) -> Stack:
        """Connect as a page does: starts the engine if none runs. May raise while faults are on."""
        self.direct = stacks.connect({"STOCKTRAIL_HOME": str(self.home)})
        return self.direct

    @cached_property
    def proxied(self) -> Stack:
        """The stack as the uploaders have it: they know nothing but the proxy."""
        shell = replace(self.direct, endpoint=self.proxy.endpoint)
        return replace(shell, dynamodb=shell.client("dynamodb"), s3=shell.client("s3"))

    def strike(self, kind: str, count: int = 1) -> None:
        with self._lock:
            self.struck[kind] += count

    def calm(self) -> None:
        """No faults any more."""
        self.proxy.clear()
        self.clock.engine(0)
        self.clock.people(0)

    def taken(self) -> Counter[str]:
        """What struck since the last call, the network's faults included."""
        with self._lock:
            found = self.struck + self.proxy.struck
            self.struck.clear()
            self.proxy.struck.clear()
        return found

    def close(self) -> None:
        """Stop the engine and everything else of this world."""
        self.calm()
        engine.stop(self.home)
        engine.detach(self.home)
        self.proxy.close()

"""One embedded engine for each test process, in a state folder of its own; each test keeps to a store of its own."""

import gc
import json
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

from lambdas.fates import Mode
from local import engine
from services import stack as stacks
from services import uploads
from services.stack import Stack
from services.uploads import Receipt
from tests.waiting import until

_FIRST = ("managers_day", "accessibility", "verify", "low_alerts", "hostile", "pages")
"""The longest files: begun late, one of them is all that still runs."""
_FILLS = ("repeats", "undoing", "newest_wins", "past_table")
"""What fills the common engine, which slows down who comes after."""
_OWN = (
    "engine", "engine_machine", "chaos", "engine_disk", "reading_laws", "restart", "readme", "past", "template",
    "viewers", "privileges", "engine_queries", "stockfile", "fates",
)  # fmt: skip
"""What has an engine of its own, or none."""
SAMPLES = Path(__file__).parent.parent / "samples"


def pytest_configure() -> None:
    """What each run of an AppTest does anew: it looks through all installed packages for components, which takes longer
    than most pages."""
    manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def pytest_collection_finish() -> None:
    gc.freeze()  # what has been imported stays: nobody need look through it again and again


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order in which all processes together are done soonest."""
    late = (*_FILLS, *_OWN)

    def place(item: pytest.Item) -> tuple[int, int]:
        name = item.path.stem.removeprefix("test_")
        return (0, _FIRST.index(name)) if name in _FIRST else (2, late.index(name)) if name in late else (1, 0)

    items.sort(key=place)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with own_home(tmp_path_factory.mktemp("engine")) as folder:
        yield folder


@contextmanager
def own_home(folder: Path) -> Iterator[Path]:
    """The engine's state folder, which the environment names meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "STOCKTRAIL_STACK", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("STOCKTRAIL_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def stack(home: Path) -> Iterator[Stack]:
    """The stack, deployed on a running engine."""
    with deployed(home) as found:
        yield found


@contextmanager
def deployed(home: Path) -> Iterator[Stack]:
    """The stack on an engine in this folder. At the end no upload may miss a stream record."""
    found = stacks.connect(os.environ | {"STOCKTRAIL_HOME": str(home)})
    yield found
    until(lambda: not gaps(found))
    engine.stop(home)  # a test may have asked it to stay
    engine.detach(home)


def gaps(stack: Stack) -> list[Receipt]:
    """The loaded uploads whose stream records are not the expected ones."""
    loaded = [one for one in uploads.recent(stack, 100_000) if one.state == "loaded"]
    return [one for one in loaded if one.records_seen != one.records_expected]


@pytest.fixture(scope="module", autouse=True)
def _nobody_looks_any_more() -> Iterator[None]:
    """The thread that follows the changes for a page ends by itself. Till then it disturbs who counts on `random`."""
    yield
    until(lambda: "watch" not in {one.name for one in threading.enumerate()}, seconds=60)


@pytest.fixture
def store() -> str:
    """The name of a store that no other test uses."""
    return f"Store {uuid.uuid4().hex[:8]}"


def csv(store: str, *rows: str, header: str = "store,item,count") -> bytes:
    """A file of rows such as `Tea,3`, all of one store."""
    return "\n".join([header, *(f"{store},{row}" for row in rows), ""]).encode()


def sent(stack: Stack, data: bytes, mode: Mode = Mode.NEWEST, name: str = "stock.csv") -> Receipt:
    """The settled receipt of a file sent for real."""
    *_, last = uploads.follow(stack, uploads.send(stack, name, data, mode))
    return last


def told(receipt: Receipt) -> dict[str, int]:
    """The fates that a receipt counts, without the zeros."""
    return {fate: count for fate, count in receipt.fates.items() if count}


def invoke(stack: Stack, function: str, event: dict[str, object]) -> object:
    answer = stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    said = json.loads(answer["Payload"].read() or "null")
    assert "FunctionError" not in answer, said
    return said


def forget_the_looks(stack: Stack) -> None:
    """A new process of the sweeper looks through the whole bucket."""
    names = {"FunctionName": stack.settings.sweeper}
    now = stack.client("lambda").get_function_configuration(**names)["Environment"]["Variables"]
    stack.client("lambda").update_function_configuration(
        **names, Environment={"Variables": now | {"NEW": str(time.time())}}
    )

"""The README's story: its commands are run, and what they print must be what stands there."""

import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import engine
from services import stack as stacks
from services.stack import ROOT

STORY = (ROOT / "README.md").read_text().split("## The story")[1].split("\n## On AWS")[0]
TOLD = re.findall(r"^    \$ python -m services (.+)\n((?:    (?!\$).*\n)*)", STORY, re.MULTILINE)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment that names a running engine with nothing in it yet."""
    environ = {"STOCKTRAIL_HOME": str(tmp_path / "state")}
    stacks.connect(environ)
    yield environ
    engine.detach(tmp_path / "state")


def masked(text: str) -> str:
    """Without upload ids and times, which differ each time, and without a margin."""
    text = re.sub(r"\d{8}T\d{12}-[0-9a-f]{8}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)
    return textwrap.dedent(text).strip()


def test_the_commands_of_the_story_print_what_the_readme_says(running: dict[str, str]):
    assert len(TOLD) == 10
    for command, printed in TOLD:
        line = [sys.executable, "-m", "services", *shlex.split(command)]
        done = subprocess.run(line, cwd=ROOT, env=running, capture_output=True, text=True, check=False)
        assert masked(done.stdout) == masked(printed), command

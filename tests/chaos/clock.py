"""Jumping clocks for the engine with its Lambdas, and for the people who upload; no patching of the code under test.

An interpreter of the harness's own, whose site-packages holds nothing but a `.pth`: it adds the real site-packages and
starts `shim`. Every process that is started with this interpreter, and every one that such a process starts with
`sys.executable`, follows the two files.
"""

import os
import shutil
import sys
import sysconfig
import time
from pathlib import Path

from tests.chaos import shim


class Clock:
    """The two clocks of one world, kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.python = folder / "bin" / "python"

    def make(self) -> None:
        """Make the interpreter and its two clocks, which go right at first."""
        site = self._folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        for folder in (self.python.parent, site):
            folder.mkdir(parents=True)
        base = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
        self.python.symlink_to(base)
        (self._folder / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
        shutil.copy(shim.__file__, site / "chaos_shim.py")
        begin = f"import pathlib, chaos_shim; chaos_shim.follow(pathlib.Path({str(self._folder)!r}))"
        real = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"
        (site / "chaos.pth").write_text(f"{real}\n{begin}\n")
        self.engine(0)
        self.people(0)

    def engine(self, seconds: float) -> None:
        """Set the engine and its Lambdas so many seconds ahead."""
        self._set("engine", seconds)

    def people(self, seconds: float) -> None:
        """Set everyone else, and this very process if it runs in this interpreter, so many seconds ahead."""
        self._set("people", seconds)

    def real(self) -> float:
        """The real time in seconds since the epoch, as far as this process's own clock has followed ``people``."""
        return time.time() - float((self._folder / "people").read_text())

    def _set(self, name: str, seconds: float) -> None:
        draft = self._folder / f"{name}.draft"
        draft.write_text(str(seconds))
        os.replace(draft, self._folder / name)

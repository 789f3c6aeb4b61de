"""What is known against the packages that are installed here: `python -m tests.advisories`, for `make check`.

Owns when that was really asked. pip-audit by itself says “No known vulnerabilities found”, and ends with 0, when its
service knows none of the packages, as an index without advisories does; then, and where nothing can be reached, this
says “pip-audit skipped” and why. A finding ends with 1. One package is asked first, so that a skip takes a second.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_SECONDS = 300
_AUDIT = (sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--timeout", "5")
Told = Mapping[str, Any]


def main() -> int:
    with TemporaryDirectory() as folder:
        one = Path(folder) / "one.txt"
        one.write_text(f"pip-audit=={version('pip-audit')}\n")
        found = _asked("--requirement", str(one), "--no-deps", "--disable-pip")
    if not isinstance(found, str) and _audited(found):
        found = _asked("--local", "--skip-editable")
    status, said = judged(found)
    print(said)
    return status


def judged(found: list[Told] | str) -> tuple[int, str]:
    """The exit status and what is printed: of pip-audit's list of packages, or of the reason why it has none."""
    if isinstance(found, str):
        return 0, f"pip-audit skipped: {found}"
    audited = _audited(found)
    if not audited:
        return 0, "pip-audit skipped: the advisory service that can be reached knows none of the packages"
    bad = [one for one in audited if one["vulns"]]
    lines = [f"pip-audit: {len(audited)} packages asked about, {len(bad)} with known vulnerabilities"]
    lines += [f"  {one['name']} {one['version']}: {', '.join(map(_vulnerability, one['vulns']))}" for one in bad]
    if skipped := [one["name"] for one in found if "skip_reason" in one]:
        lines.append(f"  not known to the advisory service: {', '.join(skipped)}")
    return int(bool(bad)), "\n".join(lines)


def _audited(found: Iterable[Told]) -> list[Told]:
    return [one for one in found if "skip_reason" not in one]


def _vulnerability(one: Told) -> str:
    return f"{one['id']} (mended in {', '.join(one['fix_versions']) or 'no version'})"


def _asked(*which: str) -> list[Told] | str:
    """pip-audit's list, or the reason why there is none."""
    try:
        done = subprocess.run([*_AUDIT, *which], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {_SECONDS} s"
    try:
        found: list[Told] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        lines = [line for line in done.stderr.splitlines() if line.strip() and "Tip:" not in line]
        return lines[-1][:300] if lines else f"it ended with {done.returncode} and no word"
    return found


if __name__ == "__main__":
    sys.exit(main())

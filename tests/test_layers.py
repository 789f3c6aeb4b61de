"""The house: who may import whom."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "lambdas": set(),
    "local": set(),
    "operate": set(),
    "services": {"lambdas", "local"},
    "ui": {"services", "lambdas"},
    "pages": {"ui", "services"},
    "overview.py": {"ui", "services"},
    "app.py": {"ui", "services"},
}


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in names}


def test_no_arrow_runs_back():
    ours = {name.removesuffix(".py") for name in MAY_IMPORT}
    for part, allowed in MAY_IMPORT.items():
        place = ROOT / part
        files = [place] if place.is_file() else sorted(place.rglob("*.py"))
        assert files, part
        for path in files:
            wrong = (imported(path) & ours) - allowed - {part}
            assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_streamlit_stays_in_the_pages():
    for part in ("lambdas", "services", "local"):
        for path in (ROOT / part).rglob("*.py"):
            assert "streamlit" not in imported(path), path

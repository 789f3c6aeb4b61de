"""axe-core on a page of the dashboard: what it finds serious or critical, and whose fault each finding is.

Streamlit draws every element of a page, and some of its own markup is at fault where no page can mend it. A finding is
told by its rule and by the kind of element that it is of, so that what is found on a page without anything of ours is
known again on ours.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import axe_playwright_python
from playwright.sync_api import Page

_SCRIPT = next(Path(axe_playwright_python.__file__).parent.rglob("axe*.js"))
_GRAVE = ("serious", "critical")


class Finding(NamedTuple):
    """``rule``: axe-core's name; ``of``: the data-testids of the Streamlit elements around it, the innermost last."""

    rule: str
    of: str


def found(page: Page) -> dict[Finding, str]:
    """The serious and critical findings, each with one example: the element's own markup and what is wrong with it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT.read_text())
    result = page.evaluate("axe.run({resultTypes: ['violations']})")
    return {Finding(rule, of): said for rule, of, said in _nodes(page, result["violations"])}


def _nodes(page: Page, violations: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for one in violations:
        for node in one["nodes"] if one["impact"] in _GRAVE else ():
            of = page.evaluate(_AROUND, node["target"][-1])
            yield one["id"], of, f"{node['html'][:200]}: {' '.join(node['failureSummary'].split())[:300]}"


_AROUND = """target => {
    const names = []
    for (let one = document.querySelector(target); one; one = one.parentElement)
        if (one.dataset.testid) names.unshift(one.dataset.testid)
    return names.slice(-2).join(' > ')
}"""

"""An upload's fates as a small bar, for tables and lists: a picture beside the words, never instead of them."""

from collections.abc import Mapping
from urllib.parse import quote

from lambdas.fates import Fate

COLOURS = {
    Fate.CHANGED: "#4f9a86", Fate.INSERTED: "#6f86b5", Fate.TOUCHED: "#c79a3a", Fate.UNCHANGED: "#b9c1bb",
    Fate.STALE: "#94708f", Fate.DUPLICATE: "#7d8a83", Fate.REJECTED: "#d0583f",
}  # fmt: skip
_WIDTH, _HEIGHT = 120, 28
"""A table draws an image as high as its row: one that is flatter would be cut off at the side."""
_TOP, _BAR = 8, 12


def image(fates: Mapping[str, int]) -> str:
    """The bar as a data address of an SVG, in the order in which a receipt tells the fates."""
    rows, left, parts = sum(fates.values()), 0.0, []
    for fate, colour in COLOURS.items():
        wide = _WIDTH * fates.get(fate, 0) / rows if rows else 0.0
        if wide:
            wide = max(wide, 2.0)  # one row of many is to be seen still
            parts.append(f'<rect x="{left:.1f}" y="{_TOP}" width="{wide:.1f}" height="{_BAR}" fill="{colour}"/>')
            left += wide
    box = f'viewBox="0 0 {max(left, _WIDTH):.1f} {_HEIGHT}" preserveAspectRatio="none"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" {box}>{"".join(parts)}</svg>'
    return f"data:image/svg+xml,{quote(svg)}"

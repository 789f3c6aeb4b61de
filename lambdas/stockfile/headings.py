"""The words that programs write over their columns, and what each says the column holds. Pure.

From the exports of 20 programs. A word must match as a whole: `Quantity` is a count, `Minimal quantity` and
`Quantity price 1` are not.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

CODES = (
    "sku", "item sku", "product sku", "variant sku", "item code", "item number", "item no", "product code",
    "article number", "article no", "artikelnummer", "artikelnr", "artikel nr", "артикул", "cve_prod", "codice",
    "code", "物料号", "reference #", "reference", "referencia", "asin", "fnsku", "barcode", "ean", "ean13", "gtin",
    "upc", "product id", "item id", "id",
)  # fmt: skip
"""A code names an item better than a name does; the first of these counts."""
NAMES = (
    "item name", "product name", "handle", "name", "title", "product", "artikelname", "artikelbezeichnung", "artikel",
    "articulo", "artículo", "produit", "номенклатура", "variation name",
)  # fmt: skip
VARIANTS = ("variation name", "option1 value", "option2 value", "option3 value")
"""They complete a name: a shirt has sizes."""
COUNTS = (
    "count", "quantity", "qty", "on hand", "on hand (current)", "available", "stock", "stock on hand", "current stock",
    "stock level", "quantity on hand", "qty on hand", "on hand quantity", "on hand qty", "stock quantity", "stock qty",
    "inventory", "inventory level", "inventory quantity", "new_count", "available quantity", "current quantity",
    "afn-fulfillable-quantity", "bestand", "lagerbestand", "existencia", "existencias", "cantidad", "quantita",
    "quantità", "quantite", "quantité", "кол-во", "количество", "остаток", "库存", "库存数量",
)  # fmt: skip
STORES = (
    "store", "store name", "store id", "location", "location name", "location id", "shop", "branch", "warehouse",
    "warehouse name", "outlet", "site", "source_code", "source_id", "filiale", "tienda", "sucursal", "negozio",
    "magasin", "lager", "склад", "магазин", "区域",
)  # fmt: skip
UPDATED = (
    "updated_at", "last updated", "last updated at", "modified date", "modified", "modified at", "last modified",
    "counted at", "as of",
)  # fmt: skip
TOTALS = frozenset((
    "total", "totals", "grand total", "sub total", "subtotal", "summe", "gesamt", "gesamtsumme", "zwischensumme",
    "итого", "всего", "totale", "总计", "合计",
))  # fmt: skip
"""What stands where the item should in a row that adds up the others."""

_WIDE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"inventory_(.+)",
        r"current quantity (.+)",
        r"in stock \[(.+)\]",
        r"(?:(?:lager)?bestand|stock|quantity|qty|on hand|available)(?: lager| location| store| warehouse)? \[(.+)\]",
    )
)
_UNTIL = re.compile(r"[\s_\-.]+")


def plain(heading: str) -> str:
    """A heading without what programs do differently: `On_Hand`, `on hand` and `OnHand` are one."""
    return _UNTIL.sub("", heading.strip().rstrip("*: ")).casefold()


def _ranks(words: Iterable[str]) -> dict[str, int]:
    return {plain(word): rank for rank, word in enumerate(words)}


_CODES, _NAMES, _VARIANTS = _ranks(CODES), _ranks(NAMES), _ranks(VARIANTS)
_COUNTS, _STORES, _UPDATED = _ranks(COUNTS), _ranks(STORES), _ranks(UPDATED)


def outlet(heading: str) -> str | None:
    """The store in the heading of a wide file's column: `Berlin` of `In stock [Berlin]`."""
    found = next((match for shape in _WIDE if (match := shape.fullmatch(heading.strip()))), None)
    return found[1].strip() or None if found else None


def _shape(heading: str) -> int:
    return next(i for i, shape in enumerate(_WIDE) if shape.fullmatch(heading.strip()))


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns (by index) the headings name for what, the better word first. ``wide``: those of each pattern."""

    own: tuple[int, ...] = ()  # called “item”, our own word
    codes: tuple[int, ...] = ()
    names: tuple[int, ...] = ()
    variants: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    stores: tuple[int, ...] = ()
    updated: tuple[int, ...] = ()
    wide: dict[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def score(self) -> int:
        """How much of a stock file's header this is."""
        items, counts = self.own or self.codes or self.names, self.counts or self.wide
        return 2 * bool(items) + 2 * bool(counts) + bool(self.stores) + bool(self.updated)


def roles(headings: Iterable[str]) -> Roles:
    """What each heading says of its column."""
    headings = list(headings)
    words = [plain(heading) for heading in headings]

    def ranked(ranks: dict[str, int]) -> tuple[int, ...]:
        return tuple(sorted((i for i, word in enumerate(words) if word in ranks), key=lambda i: (ranks[words[i]], i)))

    wide: dict[int, tuple[int, ...]] = {}
    for index, heading in enumerate(headings):
        if words[index] not in _COUNTS and outlet(heading):
            shape = _shape(heading)
            wide[shape] = (*wide.get(shape, ()), index)
    return Roles(
        ranked({"item": 0}), ranked(_CODES), ranked(_NAMES), ranked(_VARIANTS), ranked(_COUNTS), ranked(_STORES),
        ranked(_UPDATED), wide,
    )  # fmt: skip

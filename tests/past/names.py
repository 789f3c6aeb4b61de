"""What stores and items are called: umlauts, long names, quotes, Markdown and HTML among them. Pure."""

from collections.abc import Iterator
from itertools import count, islice, product

_STORES = (
    "Berlin", "Köln Ehrenfeld", "Wien", "São Paulo",
    "Flughafen Berlin Brandenburg „Willy Brandt“, Terminal 1, Ebene E0 (Abflug)", "Øst & Vest <b>Kiosk</b> *neu*",
)  # fmt: skip
_CITIES = (
    "Aachen", "Amsterdam", "Antwerpen", "Århus", "Augsburg", "Barcelona", "Basel", "Bern", "Bielefeld", "Bologna",
    "Bonn", "Bordeaux", "Bremen", "Brno", "Brugge", "Bruxelles", "Budapest", "Coimbra", "Dresden", "Dublin",
    "Düsseldorf", "Essen", "Gdańsk", "Genève", "Göteborg", "Graz", "Hamburg", "Hannover", "Helsinki", "Innsbruck",
    "Karlsruhe", "Kraków", "København", "Leipzig", "Lisboa", "Łódź", "Lübeck", "Luzern", "Lyon", "Málaga", "Malmö",
    "Milano", "München", "Münster", "Nantes", "Nürnberg", "Oslo", "Porto", "Praha", "Rīga", "Rotterdam", "Salzburg",
    "Sevilla", "Stockholm", "Stuttgart", "Tallinn", "Torino", "Trieste", "Vilnius", "Zürich",
)  # fmt: skip
_PLACES = ("", " Bahnhof", " Nord", " Altstadt", " Süd", " Flughafen", " Messe")
_ODD = (
    "Crème fraîche 30 % „Bauernhof“ aus der Region, im wiederverschließbaren Becher mit Deckel, 6 × 200 g, gekühlt",
    'Tee "Earl Grey" **extra**', "<i>Käse</i> & Brot <script>alert(1)</script>", "Müsli_ohne_Zucker #1",
    "Seife `Lavendel` :smile: $5$ [neu](x)", "Äpfel, Boskoop (kg)", "O'Brien's Stout 0,5 l",
    "Gewürz ~~scharf~~ -> mild",
)  # fmt: skip
_GOODS = (
    "Oat milk", "Espresso beans", "Cinnamon rolls", "Rye bread", "Olive oil", "Sparkling water", "Paper cups",
    "Napkins", "Dish soap", "Batteries AA", "Light bulbs E27", "Notebooks A5", "Green tea", "Honey", "Strawberry jam",
    "Butter", "Eggs", "Spaghetti", "Basmati rice", "Chickpeas", "Tomatoes", "Potatoes", "Onions", "Bananas",
    "Frozen peas", "Dark chocolate", "Salted almonds", "Rooibos", "Sunscreen", "Toothpaste", "Shampoo", "Candles",
    "Phone cases", "USB cables", "Umbrellas", "Postcards", "Playing cards", "Dog food", "Cat litter", "Potting soil",
)  # fmt: skip
_SIZES = ("", ", small", ", large", ", family pack", ", organic", " 6 ×", " 12 ×", ", gluten-free", ", travel size")


def stores(how_many: int) -> list[str]:
    """So many names of stores, all different, always the same ones."""
    return list(islice(_numbered(_STORES, (f"{city}{place}" for place, city in product(_PLACES, _CITIES))), how_many))


def items(how_many: int) -> list[str]:
    """So many names of items, all different, always the same ones; the odd ones come first."""
    return list(islice(_numbered(_ODD, (f"{goods}{size}" for size, goods in product(_SIZES, _GOODS))), how_many))


def _numbered(first: tuple[str, ...], more: Iterator[str]) -> Iterator[str]:
    known = [*first, *more]
    yield from known
    yield from (f"{known[n % len(known)]} {n // len(known) + 1}" for n in count(len(known)))

"""One small file of every dialect that stores were seen to export, and what is to be made of it.

Items, stores and counts are invented. Row numbers are those that a spreadsheet shows: the first record of a file is 1,
a blank line counts, a line break in quotes starts no row; the n-th object of a JSON file is n.
"""

import datetime as dt
import io
import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Mapping_
from dataclasses import dataclass, field

import openpyxl
import pandas as pd
import xlwt
from openpyxl.styles import PatternFill

from lambdas.stockfile import Mapping

ASKED = "Kiosk on the quay"
"""The store that a person names for the files that name none."""

Expected = tuple[int, str, str, str] | tuple[int, str, str, str, str]


@dataclass(frozen=True)
class Dialect:
    """A file and how it is to be read.

    ``rows``: number, store, item, count and, where it is of interest, updated_at; ``rejects``: number and column.
    ``asks``: the question while ``mapping``, a person's answer, is not given. ``refused``: a word of the refusal.
    ``store``: said with the file, which names none. ``understood``: parts of the mapping found; ``key`` is the first of
    the alternatives for the item.
    """

    name: str
    file: str
    data: bytes
    rows: Sequence[Expected] = ()
    rejects: Sequence[tuple[int, str]] = ()
    mapping: Mapping | None = None
    store: str | None = None
    asks: str | None = None
    refused: str | None = None
    adds: bool = False
    understood: Mapping_[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def text(*lines: str, end: str = "\n", encoding: str = "utf-8") -> bytes:
    """A text file of these lines."""
    return "".join(line + end for line in lines).encode(encoding)


def tabs(*lines: str) -> list[str]:
    """Lines that are written with `|` here, and with tabs in the file."""
    return [line.replace("|", "\t") for line in lines]


Cells = Iterable[Sequence[object]]


def xlsx(rows: Cells, *, merged: Sequence[str] = (), formatted: int = 0) -> bytes:
    """A workbook of one sheet. ``merged``: ranges; ``formatted``: so many rows under the data have a colour and nothing
    else."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for cells in merged:
        sheet.merge_cells(cells)
    last = sheet.max_row
    for number in range(last + 1, last + 1 + formatted):
        for column in (1, 2, 3):
            sheet.cell(number, column).fill = PatternFill("solid", fgColor="FFEEDDCC")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xls(rows: Cells) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Bestand")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(rows: Cells) -> bytes:
    out = io.BytesIO()
    pd.DataFrame(list(rows)).to_excel(out, engine="odf", header=False, index=False)
    return out.getvalue()


def png() -> bytes:
    """A picture of one grey pixel."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")


# The class: store,item,count, six rows, one store a file, and one of them is out.
CLASS_ROWS = (
    (2, "Tartu", "Desk lamp", "12"),
    (3, "Tartu", "Desk lamp (brass)", "19"),
    (4, "Tartu", "Wall clock", "18"),
    (5, "Tartu", "Egg timer", "0"),
    (6, "Tartu", "Door bell", "10"),
    (7, "Tartu", "Torch", "15"),
)  # fmt: skip


def of_class(heading: str, store: str, *, encoding: str = "utf-8", end: str = "\n") -> bytes:
    lines = (f"{store},{item},{count}" for _, _, item, count in CLASS_ROWS)
    return text(heading, *lines, encoding=encoding, end=end)


CLASS = [
    Dialect(
        "the class",
        "inventory-tartu.csv",
        of_class("store,item,count", "Tartu"),
        CLASS_ROWS,
        understood={"item": (("item",),), "count": "count", "store": "store"},
    ),
    Dialect(
        "the class, with a byte order mark and capitals",
        "inventory-narva.csv",
        of_class("Store,Item,Count", "Narva", encoding="utf-8-sig", end="\r\n"),
        [(number, "Narva", item, count) for number, _, item, count in CLASS_ROWS],
        understood={"item": (("Item",),), "count": "Count", "store": "Store"},
    ),
]

# Shopify, three generations.
OPTIONS = "Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value"
VARIANT = ("Handle", "Option1 Value", "Option2 Value", "Option3 Value")

SHOPIFY = [
    Dialect(
        "shopify, newest",
        "inventory_export_1.csv",
        text(
            f"Handle,Title,{OPTIONS},SKU,HS Code,COO,Location,Bin name,Incoming (not editable),"
            "Unavailable (not editable),Committed (not editable),Available (not editable),On hand (current),"
            "On hand (new)",
            'linen-apron,"Apron, linen",Colour,Sand,Size,M,,,,,,Quayside,,0,1,2,11,14,',
            'linen-apron,"Apron, linen",Colour,Sand,Size,L,,,,,,Quayside,,0,0,0,0,0,',
            'linen-apron,"Apron, linen",Colour,Sand,Size,M,,,,,,Hilltop,,6,0,5,-5,0,',
            "tea-towel,Tea towel,Title,Default Title,,,,,,,,Quayside,B-7,0,0,1,39,40,",
            "tea-towel,Tea towel,Title,Default Title,,,,,,,,Hilltop,,0,0,0,not stocked,not stocked,",
        ),
        [
            (2, "Quayside", "linen-apron / Sand / M", "14"),
            (3, "Quayside", "linen-apron / Sand / L", "0"),
            (4, "Hilltop", "linen-apron / Sand / M", "0"),
            (5, "Quayside", "tea-towel", "40"),
        ],
        rejects=[(6, "On hand (current)")],
        understood={"item": (VARIANT,), "count": "On hand (current)", "store": "Location", "updated_at": ""},
    ),
    Dialect(
        "shopify, middle",
        "inventory_export_2.csv",
        text(
            f"Handle,Title,{OPTIONS},SKU,HS Code,COO,Location,Incoming,Unavailable,Committed,Available,On hand",
            "oak-stool,Oak stool,Height,45 cm,,,,,OS-045,9401,SE,Brewery Yard,0,0,1,7,8",
            "oak-stool,Oak stool,Height,65 cm,,,,,OS-065,9401,SE,Brewery Yard,3,2,0,0,2",
            "oak-stool,Oak stool,Height,75 cm,,,,,,9401,SE,Brewery Yard,0,0,0,1,1",
            "oak-stool,Oak stool,Height,45 cm,,,,,OS-045,9401,SE,Lock Keeper,0,0,4,-1,3",
        ),
        [
            (2, "Brewery Yard", "OS-045", "8"),
            (3, "Brewery Yard", "OS-065", "2"),
            (4, "Brewery Yard", "oak-stool / 75 cm", "1"),
            (5, "Lock Keeper", "OS-045", "3"),
        ],
        mapping=Mapping(count="On hand"),
        asks="count",
        understood={"item": (("SKU",), VARIANT), "count": "On hand", "store": "Location"},
    ),
    Dialect(
        "shopify, oldest",
        "inventory_export_3.csv",
        text(
            f"Handle,Title,{OPTIONS},SKU,HS Code,COO,Main Street",
            "felt-hat,Felt hat,Size,56,,,,,FH-56,,IE,4",
            "felt-hat,Felt hat,Size,58,,,,,FH-58,,IE,not stocked",
            "felt-hat,Felt hat,Size,60,,,,,FH-60,,IE,-2",
            "wool-scarf,Wool scarf,Colour,Moss,,,,,WS-MO,,IE,0",
        ),
        [
            (2, "Main Street", "FH-56", "4"),
            (4, "Main Street", "FH-60", "-2"),
            (5, "Main Street", "WS-MO", "0"),
        ],
        rejects=[(3, "Main Street")],
        mapping=Mapping(stores=("Main Street",)),
        asks="count",
        understood={"item": (("SKU",), VARIANT), "stores": ("Main Street",)},
    ),
    Dialect(
        "shopify, oldest, with a meaning for its words",
        "inventory_export_4.csv",
        text(
            "Handle,Title,Option1 Name,Option1 Value,SKU,HS Code,COO,Castle Lane",
            "felt-hat,Felt hat,Size,56,FH-56,,IE,4",
            "felt-hat,Felt hat,Size,58,FH-58,,IE,not stocked",
        ),
        [(2, "Castle Lane", "FH-56", "4"), (3, "Castle Lane", "FH-58", "0")],
        mapping=Mapping(stores=("Castle Lane",), words=(("not stocked", "0"),)),
        asks="count",
        understood={"item": (("SKU",), ("Handle", "Option1 Value")), "stores": ("Castle Lane",)},
    ),
]

# A column for each store.
WIDE = [
    Dialect(
        "square",
        "catalog-2026-11-20.csv",
        text(
            "Token,Item Name,Variation Name,SKU,Description,Category,Price,"
            "Current Quantity Ferry Road,New Quantity Ferry Road,Stock Alert Enabled Ferry Road,"
            "Stock Alert Count Ferry Road,Current Quantity Orchard Gate,New Quantity Orchard Gate,"
            "Stock Alert Enabled Orchard Gate,Stock Alert Count Orchard Gate",
            "T1QX,Candle,Small,CND-S,Beeswax,Home,4.50,23,,Y,5,7,,N,",
            "T2QX,Candle,Large,CND-L,Beeswax,Home,9.00,0,,Y,3,,,N,",
            "T3QX,Matches,Regular,0042,,Home,1.20,many,,N,,-4,,N,",
        ),
        [
            (2, "Ferry Road", "CND-S", "23"),
            (2, "Orchard Gate", "CND-S", "7"),
            (3, "Ferry Road", "CND-L", "0"),
            (4, "Orchard Gate", "0042", "-4"),
        ],
        rejects=[(4, "Current Quantity Ferry Road")],
        understood={"key": ("SKU",), "stores": ("Current Quantity Ferry Road", "Current Quantity Orchard Gate")},
    ),
    Dialect(
        "vend",
        "product-export.csv",
        text(
            "id,handle,sku,name,description,supply_price,retail_price,inventory_Café Vézelay,"
            "reorder_point_Café Vézelay,restock_level_Café Vézelay,inventory_Entrepôt,reorder_point_Entrepôt,"
            "restock_level_Entrepôt",
            '7f1,theiere,10021,Théière émaillée,"Émail bleu\rlavable à la main",14,29.9,6,2,8,40,10,60',
            "7f2,creme,10022,Crème de châtaigne,Pot de verre,2.1,4.9,,3,12,0,24,96",
            "7f3,sables,10023,Sablés à l’épeautre,,1.8,3.6,-1,5,20,17,5,20",
            encoding="mac_roman",
        ),
        [
            (2, "Café Vézelay", "10021", "6"),
            (2, "Entrepôt", "10021", "40"),
            (3, "Entrepôt", "10022", "0"),
            (4, "Café Vézelay", "10023", "-1"),
            (4, "Entrepôt", "10023", "17"),
        ],
        understood={"key": ("sku",), "stores": ("inventory_Café Vézelay", "inventory_Entrepôt")},
    ),
    Dialect(
        "loyverse",
        "export_items.csv",
        text(
            "Handle,SKU,Name,Category,Sold by weight,Option 1 name,Option 1 value,Cost,Barcode,Track stock,"
            "Available for sale [Glasshouse],Price [Glasshouse],In stock [Glasshouse],Low stock [Glasshouse],"
            "Optimal stock [Glasshouse],Available for sale [Boathouse],Price [Boathouse],In stock [Boathouse],"
            "Low stock [Boathouse],Optimal stock [Boathouse]",
            "fern,10001,Fern in a pot,Plants,N,,,3.00,4006381333931,Y,Y,8.50,14.000,5,20,Y,8.50,-11.000,5,20",
            "soil,10002,Potting soil,Supplies,Y,,,0.40,,Y,Y,1.10,7.250,,,N,1.10,0.000,,",
            "advice,10003,Advice,Services,N,,,0.00,,N,Y,20.00,,,,Y,20.00,,,",
        ),
        [
            (2, "Glasshouse", "10001", "14"),
            (2, "Boathouse", "10001", "-11"),
            (3, "Glasshouse", "10002", "7.25"),
            (3, "Boathouse", "10002", "0"),
        ],
        understood={"key": ("SKU",), "stores": ("In stock [Glasshouse]", "In stock [Boathouse]")},
    ),
    Dialect(
        "jtl",
        "JTL-Export-Lager.csv",
        text(
            '"Artikelnummer";"Artikelname";"Lagerbestand Lager [Köln]";"Mindestbestand";'
            '"Lagerbestand Lager [Außenlager]";"Anmerkung";',
            '"00417";"Schürze, groß";"8,00";"2,00";"0,00";"nur auf Nachfrage";',
            '"00418";"Türöffner";"-1,00";"2,00";"";"zwei\r\nZeilen; mit Zeichen";',
            '"00419";"Kabel (Meter)";"1.250,50";"100,00";"39,5";"";',
            '"00420";"Öse";"ca. 30";"0,00";"12,00";"";',
            end="\r\n",
            encoding="cp1252",
        ),
        [
            (2, "Köln", "00417", "8"),
            (2, "Außenlager", "00417", "0"),
            (3, "Köln", "00418", "-1"),
            (4, "Köln", "00419", "1250.5"),
            (4, "Außenlager", "00419", "39.5"),
            (5, "Außenlager", "00420", "12"),
        ],
        rejects=[(5, "Lagerbestand Lager [Köln]")],
        understood={
            "key": ("Artikelnummer",),
            "stores": ("Lagerbestand Lager [Köln]", "Lagerbestand Lager [Außenlager]"),
            "decimal": ",",
        },
    ),
]  # fmt: skip

# Web shops and marketplaces.
WOO_HEADINGS = (
    "ID,Type,SKU,Name,Published,Is featured?,Short description,Description,Date sale price starts,"
    "Date sale price ends,Tax status,In stock?,Stock,Low stock amount,Backorders allowed?,Sold individually?,"
    "Weight (kg),Sale price,Regular price,Categories,Tags,Images,Position,"
) + ",".join(f"Meta: _note_{number}" for number in range(1, 25))


def woo(width: int, *cells: str) -> str:
    """A row of ``width`` fields: the plugin leaves out what is blank at the end."""
    return ",".join([*cells, *[""] * (width - len(cells))])


PRESTA = (
    "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax included;Tax rules ID;Wholesale price;"
    "On sale (0/1);Discount amount;Discount percent;Reference #;Supplier reference #;Supplier;Manufacturer;EAN13;UPC;"
    "Width;Height;Depth;Weight;Quantity;Minimal quantity;Low stock level;Visibility;Unit;Summary;Tags (x,y,z...);"
    "Advanced stock management;Depends on stock;Warehouse"
)

SHOPS = [
    Dialect(
        "woocommerce",
        "wc-product-export.csv",
        text(
            WOO_HEADINGS,
            woo(40, "311", "simple", "BAG-01", "Canvas bag", "1", "0", '"Strong.\nWashable."', '"Two\nlines"', "", "",
                "taxable", "1", "25", "", "0", "0", "0.4", "", "18"),
            woo(47, "312", "simple", "", '"Bag, leather ""City"""', "1", "0", "", "", "", "", "taxable", "0", "0", "2",
                "0", "0", "0.9", "", "120"),
            woo(44, "313", "variable", "BAG-02", "Rucksack", "1", "0", "", "", "", "", "taxable", "1", "", "", "0"),
            woo(47, "314", "variation", "BAG-02-R", "Rucksack - red", "1", "0", "", "", "", "", "taxable", "1", "3",
                "", "0", "0"),
            encoding="utf-8-sig",
        ),
        [
            (2, ASKED, "BAG-01", "25"),
            (3, ASKED, 'Bag, leather "City"', "0"),
            (5, ASKED, "BAG-02-R", "3"),
        ],
        rejects=[(4, "Stock")],
        store=ASKED,
        understood={"item": (("SKU",), ("Name",)), "count": "Stock", "updated_at": ""},
    ),
    Dialect(
        "amazon seller report",
        "Price+and+Quantity.csv",
        text(
            *tabs(
                "sku|asin|price|quantity|Business Price|Quantity Price Type|Quantity Lower Bound 1|Quantity Price 1|"
                "Quantity Lower Bound 2|Quantity Price 2",
                "LT-7|B0AAAA0001|19.99|14|18.99|FIXED|5|17.99|10|16.99",
                "0815|B0AAAA0002|7.49|0||||||",
                "LT-9|B0AAAA0003|3.00||||||||",
            ),
            encoding="utf-8-sig",
            end="\r\n",
        ),
        [(2, ASKED, "LT-7", "14"), (3, ASKED, "0815", "0")],
        rejects=[(4, "quantity")],
        store=ASKED,
        understood={"key": ("sku",), "count": "quantity"},
    ),
    Dialect(
        "amazon seller report, other columns",
        "listings.txt",
        text(
            *tabs(
                "item-name|quantity|seller-sku|sku|price|Quantity Price 1|open-date",
                "Reading lamp, brass|6|x1|RL-B|49.00|45.00|2025-02-03 10:11:12 PST",
                "Reading lamp, steel|120|x2|RL-S|39.00|35.00|2025-02-04 10:11:12 PST",
            ),
            encoding="utf-8-sig",
        ),
        [(2, ASKED, "RL-B", "6"), (3, ASKED, "RL-S", "120")],
        store=ASKED,
        understood={"key": ("sku",), "count": "quantity"},
    ),
    Dialect(
        "amazon fba",
        "fba-inventory.txt",
        text(
            *tabs(
                "sku|fnsku|asin|product-name|condition|your-price|mfn-listing-exists|mfn-fulfillable-quantity|"
                "afn-listing-exists|afn-warehouse-quantity|afn-fulfillable-quantity|afn-unsellable-quantity|"
                "afn-reserved-quantity|afn-total-quantity|per-unit-volume|afn-inbound-working-quantity|"
                "afn-inbound-shipped-quantity|afn-inbound-receiving-quantity",
                "KT-1|X001AAAA|B0BBBB0001|Kettle|New|25.00|No||Yes|30|27|1|2|42|0.2|0|12|0",
                "KT-2|X001AAAB|B0BBBB0002|Kettle, red|New|27.00|No||Yes|4|0|0|4|4|0.2|0|0|0",
            )
        ),
        [(2, ASKED, "KT-1", "27"), (3, ASKED, "KT-2", "0")],
        store=ASKED,
        understood={"key": ("sku",), "count": "afn-fulfillable-quantity"},
    ),
    Dialect(
        "magento, import",
        "stock_sources.csv",
        text(
            "source_code,sku,status,quantity",
            "north-1,TNT-2P,1,5.0000",
            "north-2,TNT-2P,1,10.0000",
            "north-1,TNT-4P,0,-11.0000",
            "north-2,TNT-4P,1,6.8800",
            "north-2,TNT-6P,1,1,000",
        ),
        [
            (2, "north-1", "TNT-2P", "5"),
            (3, "north-2", "TNT-2P", "10"),
            (4, "north-1", "TNT-4P", "-11"),
            (5, "north-2", "TNT-4P", "6.88"),
        ],
        rejects=[(6, "")],
        understood={"item": (("sku",),), "count": "quantity", "store": "source_code"},
    ),
    Dialect(
        "magento, export",
        "stock_sources_full.csv",
        text("source_id,sku,status,quantity", "901,TNT-2P,1,0.0000", "902,TNT-2P,0,3.0000", "902,TNT-4P,1,15"),
        [(2, "901", "TNT-2P", "0"), (3, "902", "TNT-2P", "3"), (4, "902", "TNT-4P", "15")],
        understood={"item": (("sku",),), "count": "quantity", "store": "source_id"},
    ),
    Dialect(
        "prestashop",
        "products_import.csv",
        text(
            PRESTA,
            "61;1;Paper kite;Toys,Outdoor;12,90;1;5,2;0;;;KIT-61;S-9;Windhaus;Windhaus;4006381333931;;60;90;1;0,3;18;"
            "1;5;both;;Flies well;kite,wind;0;0;0",
            "62;1;Box kite;Toys,Outdoor;32,90;1;15,2;0;;;KIT-62;S-9;Windhaus;Windhaus;4006381333948;;60;90;40;0,9;0;"
            "1;5;both;;;kite;0;0;0",
            "63;1;Kite string;Toys;2,50;1;0,9;0;;;;S-9;Windhaus;Windhaus;;;;;;0,1;240;10;50;both;;;;0;0;0",
        ),
        [(2, ASKED, "KIT-61", "18"), (3, ASKED, "KIT-62", "0"), (4, ASKED, "Kite string", "240")],
        store=ASKED,
        understood={"item": (("Reference #",), ("Name *",)), "count": "Quantity", "store": ""},
    ),
]  # fmt: skip

# ERPs and warehouses.
BINS = tabs(
    "V|701|81|A|1|408|{0A1B}|2014-08-08 00:00:00",
    "V|701|82|B|5|0|{0A1C}|2014-08-09 12:30:00",
    "V|702|81|A|2|-3|{0A1D}|2008-03-31 00:00:00",
    "V|703|81|N/A|0||{0A1E}|2008-03-31 00:00:00",
)
LOTS = (
    "CVE_PROD  ,DESCRIPCION          ,LOTE    ,CADUCIDAD ,EXISTENCIA  ,UNIDAD",
    "000123    ,Jabón de lavanda     ,L-881   ,31/12/2027,     12.50  ,kg    ",
    "000123    ,Jabón de lavanda     ,L-882   ,30/06/2028,      0.75  ,kg    ",
    "000124    ,Champú de ortiga     ,L-900   ,15/01/2028,     -2.00  ,pza   ",
    "000125    ,Piña en almíbar      ,L-901   ,01/02/2027,            ,pza   ",
)
LOT_ROWS = ((2, ASKED, "000123", "12.5"), (3, ASKED, "000123", "0.75"), (4, ASKED, "000124", "-2"))

ERPS = [
    Dialect(
        "adventureworks",
        "ProductInventory.csv",
        text(*tabs("OpFlag|ProductID|LocationID|Shelf|Bin|Quantity|rowguid|ModifiedDate"), *BINS, end="\r\n"),
        [
            (2, "81", "701", "408", "2014-08-08T00:00:00.000000Z"),
            (3, "82", "701", "0", "2014-08-09T12:30:00.000000Z"),
            (4, "81", "702", "-3", "2008-03-31T00:00:00.000000Z"),
        ],
        rejects=[(5, "Quantity")],
        understood={
            "item": (("ProductID",),),
            "count": "Quantity",
            "store": "LocationID",
            "updated_at": "ModifiedDate",
        },
    ),
    Dialect(
        "adventureworks, without a header",
        "ProductInventory-raw.csv",
        text(*(line.replace("\t81\t", "\t91\t").replace("\t82\t", "\t92\t")[2:] for line in BINS), end="\r\n"),
        [
            (1, "91", "701", "408", "2014-08-08T00:00:00.000000Z"),
            (2, "92", "701", "0", "2014-08-09T12:30:00.000000Z"),
            (3, "91", "702", "-3", "2008-03-31T00:00:00.000000Z"),
        ],
        rejects=[(4, "#5")],
        mapping=Mapping(header=False, item=(("#1",),), store="#2", count="#5", updated_at="#7"),
        asks="header",
        understood={"item": (("#1",),), "count": "#5", "store": "#2", "updated_at": "#7"},
    ),
    Dialect(
        "mexican erp",
        "existencias.csv",
        text(*LOTS, end="\r\n", encoding="cp1252"),
        LOT_ROWS,
        rejects=[(5, "EXISTENCIA")],
        store=ASKED,
        understood={"key": ("CVE_PROD",), "count": "EXISTENCIA", "updated_at": ""},
    ),
    Dialect(
        "mexican erp, lots added up",
        "existencias-lotes.csv",
        text(*LOTS, end="\r\n", encoding="cp1252"),
        LOT_ROWS,
        rejects=[(5, "EXISTENCIA")],
        mapping=Mapping(repeats="sum"),
        store=ASKED,
        adds=True,
        understood={"key": ("CVE_PROD",), "count": "EXISTENCIA", "updated_at": ""},
    ),
    Dialect(
        "1c",
        "Ведомость.xlsx",
        xlsx(
            [
                ("Ведомость по товарам на складах за ноябрь",),
                (),
                ("Артикул", "Номенклатура", "Начальный остаток", None, "Конечный остаток", None),
                (None, None, "Кол-во", "Сумма", "Кол-во", "Сумма"),
                (None, "Посуда", 30, 900, 24, 720),
                ("П-001", "Чашка белая", 20, 600, 17, 510),
                ("П-002", "Блюдце", 10, 300, 7, 210),
                (None, "Свет", 4, 400, 0, 0),
                ("00015", "Лампа", 4, 400, 0, 0),
                (None, "Итого", 34, 1300, 24, 720),
            ],
            merged=["A3:A4", "B3:B4", "C3:D3", "E3:F3"],
        ),
        [(6, ASKED, "П-001", "17"), (7, ASKED, "П-002", "7"), (9, ASKED, "00015", "0")],
        rejects=[(5, "Артикул"), (8, "Артикул"), (10, "Артикул")],
        mapping=Mapping(item=(("Артикул",),), count="Конечный остаток / Кол-во"),
        store=ASKED,
        asks="header",
        understood={"item": (("Артикул",),), "count": "Конечный остаток / Кол-во"},
    ),
]

# Whatever passed through Excel.
EXCEL = [
    Dialect(
        "excel, unicode text",
        "lager.txt",
        text(
            *tabs("store|item|count", "Malmö Öst|Ljus, vita|12", "Malmö Öst|Knäckebröd|0", "Malmö Öst|Lingon|"),
            end="\r\n",
            encoding="utf-16",
        ),
        [(2, "Malmö Öst", "Ljus, vita", "12"), (3, "Malmö Öst", "Knäckebröd", "0")],
        rejects=[(4, "count")],
        understood={"item": (("item",),), "count": "count", "store": "store"},
    ),
    Dialect(
        "excel, german",
        "bestand.csv",
        text(
            "Filiale;Artikel;Bestand",
            "Görlitz;Mehl Typ 405 (kg);39,5",
            "Görlitz;Zucker (kg);1.250,75",
            "Görlitz;Grieß (kg);-8,00",
            "",
            "Summe;;1282,25",
            end="\r\n",
            encoding="cp1252",
        ),
        [
            (2, "Görlitz", "Mehl Typ 405 (kg)", "39.5"),
            (3, "Görlitz", "Zucker (kg)", "1250.75"),
            (4, "Görlitz", "Grieß (kg)", "-8"),
        ],
        rejects=[(6, "Artikel")],
        understood={"item": (("Artikel",),), "count": "Bestand", "store": "Filiale", "decimal": ","},
    ),
    Dialect(
        "excel, german, thousands or decimals",
        "bestand-gross.csv",
        text(
            "Filiale;Artikel;Bestand",
            "Zittau;Schrauben;3.000",
            "Zittau;Muttern;12.000",
            "Zittau;Bolzen;17",
            end="\r\n",
            encoding="cp1252",
        ),
        [(2, "Zittau", "Schrauben", "3000"), (3, "Zittau", "Muttern", "12000"), (4, "Zittau", "Bolzen", "17")],
        mapping=Mapping(decimal=","),
        asks="decimal",
        understood={"item": (("Artikel",),), "count": "Bestand", "store": "Filiale"},
    ),
    Dialect(
        "excel, many formatted rows without anything in them",
        "stock-take.xlsx",
        xlsx(
            [("Shop", "SKU", "Qty"), ("Pierhead", "R-1", 4), ("Pierhead", "R-2", 0), ("Pierhead", "R-3", 2.5)],
            formatted=1500,
        ),
        [(2, "Pierhead", "R-1", "4"), (3, "Pierhead", "R-2", "0"), (4, "Pierhead", "R-3", "2.5")],
        understood={"item": (("SKU",),), "count": "Qty", "store": "Shop"},
    ),
    Dialect(
        "excel, counts stored as text",
        "stock-text.xlsx",
        xlsx(
            [
                ("Stock of Wharf 4",),
                ("Shop", "SKU", "Product name", "Qty", "Last updated"),
                ("Wharf 4", "00071", "Rope", "12", dt.datetime(2025, 3, 4, 9, 30)),
                ("Wharf 4", "21-4013", "Hook", " 8 ", dt.datetime(2025, 3, 4, 9, 31)),
                ("Wharf 4", 7501234567890, "Buoy", 3, dt.datetime(2025, 3, 5)),
                ("Wharf 4", "=1+1", None, 4, dt.datetime(2025, 3, 5)),
            ]
        ),
        [
            (3, "Wharf 4", "00071", "12", "2025-03-04T09:30:00.000000Z"),
            (4, "Wharf 4", "21-4013", "8", "2025-03-04T09:31:00.000000Z"),
            (5, "Wharf 4", "7501234567890", "3", "2025-03-05T00:00:00.000000Z"),
        ],
        rejects=[(6, "SKU")],  # a formula that was never calculated holds nothing
        understood={"key": ("SKU",), "count": "Qty", "store": "Shop", "updated_at": "Last updated"},
    ),
    Dialect(
        "excel, the old format",
        "bestand.xls",
        xls([("Filiale", "Artikelnummer", "Bestand"), ("Bautzen", "0071", 4), ("Bautzen", "0072", -1.5)]),
        [(2, "Bautzen", "0071", "4"), (3, "Bautzen", "0072", "-1.5")],
        understood={"item": (("Artikelnummer",),), "count": "Bestand", "store": "Filiale"},
    ),
    Dialect(
        "libreoffice",
        "stock.ods",
        ods([("Branch", "Item", "On hand"), ("Old Mill", "Flour", 12), ("Old Mill", "Bran", 0.5)]),
        [(2, "Old Mill", "Flour", "12"), (3, "Old Mill", "Bran", "0.5")],
        understood={"item": (("Item",),), "count": "On hand", "store": "Branch"},
    ),
]

# JSON, three kinds; the keyed one with objects and with bare numbers.
JSONS = [
    Dialect(
        "json, an array",
        "stock.json",
        json.dumps(
            [
                {"sku": "J-01", "location": "Annex", "quantity": 4, "price": 2.5},
                {"sku": "007", "location": "Annex", "quantity": "12"},
                {"sku": "J-03", "location": "Annex", "quantity": None},
                {"location": "Annex", "sku": "J-04", "quantity": -1.5},
            ],
            indent=1,
        ).encode(),
        [(1, "Annex", "J-01", "4"), (2, "Annex", "007", "12"), (4, "Annex", "J-04", "-1.5")],
        rejects=[(3, "quantity")],
        understood={"item": (("sku",),), "count": "quantity", "store": "location"},
    ),
    Dialect(
        "json, keyed by item",
        "stock-keyed.json",
        b'{"J-11": {"quantity": 4, "warehouse": "Attic"}, "0012": {"quantity": 0.0, "warehouse": "Attic"},'
        b' "J-13": {"quantity": true, "warehouse": "Attic"}}',
        [(1, "Attic", "J-11", "4"), (2, "Attic", "0012", "0")],
        rejects=[(3, "quantity")],
        understood={"count": "quantity", "store": "warehouse"},
    ),
    Dialect(
        "json, keyed by item, bare counts",
        "counts.json",
        b'{"J-21": 4, "0022": 10.50, "J-23": "n/a"}',
        [(1, ASKED, "J-21", "4"), (2, ASKED, "0022", "10.5")],
        rejects=[(3, "*")],
        store=ASKED,
    ),
    Dialect(
        "json, one object a line",
        "stock.jsonl",
        b'{"item": "J-31", "store": "Cellar", "count": 4}\n{"item": "J-32", "store": "Cellar", "count": 0}\n'
        b'{"item": "J-33", "store": "Cellar"}\n',
        [(1, "Cellar", "J-31", "4"), (2, "Cellar", "J-32", "0")],
        rejects=[(3, "count")],
        understood={"item": (("item",),), "count": "count", "store": "store"},
    ),
]

# Numbers and times that are decided for the whole column.
COLUMNS = [
    Dialect(
        "thousands with commas",
        "thousands.csv",
        text("shop,sku,qty", 'Tower,T-1,"1,250.50"', 'Tower,T-2,"12,000"', "Tower,T-3,7"),
        [(2, "Tower", "T-1", "1250.5"), (3, "Tower", "T-2", "12000"), (4, "Tower", "T-3", "7")],
        understood={"decimal": "."},
    ),
    Dialect(
        "commas, thousands or decimals",
        "commas.csv",
        text("shop,sku,qty", 'Cistern,C-1,"1,250"', 'Cistern,C-2,"12,000"', "Cistern,C-3,7"),
        [(2, "Cistern", "C-1", "1.25"), (3, "Cistern", "C-2", "12"), (4, "Cistern", "C-3", "7")],
        mapping=Mapping(decimal=","),
        asks="decimal",
        understood={"decimal": ","},
    ),
    Dialect(
        "points, thousands or decimals",
        "points.csv",
        text("shop,sku,qty", "Gantry,G-1,1.250", "Gantry,G-2,12.000", "Gantry,G-3,7"),
        [(2, "Gantry", "G-1", "1250"), (3, "Gantry", "G-2", "12000"), (4, "Gantry", "G-3", "7")],
        mapping=Mapping(decimal=","),
        asks="decimal",
        understood={"decimal": ","},
    ),
    Dialect(
        "what is no number",
        "nonsense.csv",
        text("shop,sku,qty", "Belfry,B-1,NaN", "Belfry,B-2,Infinity", "Belfry,B-3,0x10", 'Belfry,B-4,"1,2,3"',
             "Belfry,B-5,Ноль", "Belfry,B-6,7"),
        [(7, "Belfry", "B-6", "7")],
        rejects=[(2, "qty"), (3, "qty"), (4, "qty"), (5, "qty"), (6, "qty")],
    ),
    Dialect(
        "day first",
        "day-first.csv",
        text("shop,sku,qty,last updated", "Mint,M-1,1,03/04/2025 08:15", "Mint,M-2,2,23/04/2025 08:15"),
        [
            (2, "Mint", "M-1", "1", "2025-04-03T08:15:00.000000Z"),
            (3, "Mint", "M-2", "2", "2025-04-23T08:15:00.000000Z"),
        ],
        understood={"updated_at": "last updated", "dates": "dmy"},
    ),
    Dialect(
        "month first",
        "month-first.csv",
        text("shop,sku,qty,last updated", "Forge,F-1,1,03/04/2025", "Forge,F-2,2,03/24/2025"),
        [
            (2, "Forge", "F-1", "1", "2025-03-04T00:00:00.000000Z"),
            (3, "Forge", "F-2", "2", "2025-03-24T00:00:00.000000Z"),
        ],
        understood={"updated_at": "last updated", "dates": "mdy"},
    ),
    Dialect(
        "day or month first",
        "either.csv",
        text("shop,sku,qty,last updated", "Loft,L-1,1,03/04/2025", "Loft,L-2,2,05/04/2025"),
        [
            (2, "Loft", "L-1", "1", "2025-04-03T00:00:00.000000Z"),
            (3, "Loft", "L-2", "2", "2025-04-05T00:00:00.000000Z"),
        ],
        mapping=Mapping(dates="dmy"),
        asks="dates",
        understood={"updated_at": "last updated"},
    ),
    Dialect(
        "epoch seconds",
        "epoch.csv",
        text("shop,sku,qty,updated_at", "Vault,V-1,1,1741080600", "Vault,V-2,2,1741080660"),
        [
            (2, "Vault", "V-1", "1", "2025-03-04T09:30:00.000000Z"),
            (3, "Vault", "V-2", "2", "2025-03-04T09:31:00.000000Z"),
        ],
        understood={"updated_at": "updated_at"},
    ),
]  # fmt: skip

# Not stock at all. What is no table is refused; a table without a count is asked about.
OTHERS = [
    Dialect(
        "a git lfs pointer",
        "inventory.csv",
        text("version https://git-lfs.github.com/spec/v1", f"oid sha256:{'ab12' * 16}", "size 48213"),
        refused="LFS",
    ),
    Dialect("a picture", "stock.csv", png(), refused="picture"),
    Dialect(
        "status words only",
        "availability.csv",
        text("sku,title,availability", "A-1,Lamp,in stock", "A-2,Clock,out of stock", "A-3,Bell,preorder"),
        store=ASKED,
        asks="count",
    ),
    Dialect(
        "a sales file",
        "sales.csv",
        text(
            "order id,order date,sku,price,discount,total",
            "5001,2025-03-01,A-1,12.50,0.00,12.50",
            "5002,2025-03-01,A-2,8.00,1.00,7.00",
            "5003,2025-03-02,A-1,12.50,0.00,12.50",
        ),
        store=ASKED,
        asks="count",
    ),
    Dialect(
        "stock deltas",
        "movements.csv",
        text("store,sku,delta", "Depot,A-1,-3", "Depot,A-2,12", "Depot,A-3,-1"),
        asks="count",
    ),
]

DIALECTS = [*CLASS, *SHOPIFY, *WIDE, *SHOPS, *ERPS, *EXCEL, *JSONS, *COLUMNS, *OTHERS]

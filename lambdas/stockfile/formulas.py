"""Text that a spreadsheet program would take for a formula: how our CSV files mark it, and how that is read again.

An apostrophe goes before it, as such programs do themselves; what begins as if it were so marked gets one more. So what
is read is what was written, whatever it is. A program of another country parts cells by another character than the file
does, and then knows nothing of our quotes: behind such a one a formula would begin as well. Pure.
https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
from functools import cache

_SIGN = r"""(?:"|[^\S\t\r\n])*[=+\-@＝＋－＠﹦﹢﹣﹫]"""
_BEGINS = rf"(?:[\t\r\n]|{_SIGN})"
_PARTS = ",;\t"
_FIRST = {marks: re.compile(marks + _BEGINS) for marks in ("", "'*")}


def begins(text: str) -> bool:
    """Whether a cell may be a formula: also behind blanks and quotes, and in the full-width letters of East Asia."""
    return bool(_FIRST[""].match(text))


def marked(text: str, delimiter: str = ",") -> str:
    """A name as a cell of our files, which are parted by ``delimiter``."""
    return _marked(text, delimiter, "'*")


def inert(text: str, delimiter: str = ",") -> str:
    """The same of a cell as it stood in a file: what is marked there stays as it is."""
    return _marked(text, delimiter, "")


def unmarked(cell: str, delimiter: str = ",") -> str:
    """What our own files have marked, as it was."""
    if "'" not in cell:
        return cell
    first = cell[1:] if cell[0] == "'" and _FIRST["'*"].match(cell) else cell
    return _behind(delimiter, "'").sub(r"\1", first)


def _marked(text: str, delimiter: str, marks: str) -> str:
    first = "'" if _FIRST[marks].match(text) else ""
    return first + _behind(delimiter, "", marks).sub(r"\1'", text)


@cache
def _behind(delimiter: str, mark: str, marks: str = "'*") -> re.Pattern[str]:
    """What parts the cells or rows of other programs' files, and a formula behind it."""
    others = "".join(part for part in _PARTS if part != delimiter)
    return re.compile(rf"([{others}\r\n]){mark}(?={marks}{_SIGN})")

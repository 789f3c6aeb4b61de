"""In which encoding a text file is written: what its first bytes mark, else UTF-8 if it is that, else what is likely.

Pure. chardet does the guessing; which encodings stock files really come in is ours.
"""

import codecs
import re
from collections.abc import Callable, Sequence
from typing import IO

import chardet

from lambdas.stockfile.parts import Unreadable

ENCODINGS = (
    "utf-8", "utf-16", "cp1252", "iso8859-1", "mac-roman", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256",
    "cp1257", "cp437", "cp850", "cp852", "cp866", "koi8-r", "iso8859-2", "iso8859-15", "mac-latin2", "mac-cyrillic",
    "cp932", "gb18030", "big5", "cp949", "utf-16-le", "utf-16-be",
)  # fmt: skip
"""What may be said of a file; Python's names."""
_LATIN = ("cp1252", "mac-roman", "cp850", "cp1250", "cp1254")
_OTHERS = ("cp1251", "cp1253", "cp932", "gb18030", "big5", "cp949", "cp1250")
"""What is looked for in a file without a mark that is no UTF-8: few, since a short file fits many."""
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 2**16
_SURE = 0.12  # of chardet's confidence, which is small where there is little text, and 0.1 where nothing fits
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_LETTER = re.compile(rb"[A-Za-z]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1b\ud800-\uf8ff]")


def encoding(opener: Callable[[], IO[bytes]], said: str | None) -> str:
    """The encoding's Python name: what was ``said``, or what the bytes tell."""
    with opener() as stream:
        head = stream.read(_SAMPLE)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if said is not None:
        return _checked(said, marked)
    if marked:
        return marked
    if b"\0" in head:
        return _wide(head)
    return "utf-8" if (odd := _not_utf8(opener)) is None else _legacy(odd)


def known(said: str) -> str:
    """Python's name of an encoding that may be said. Raises Unreadable for any other."""
    try:
        name = codecs.lookup(said).name
    except LookupError:
        name = ""
    if name not in {codecs.lookup(one).name for one in ENCODINGS} | {"utf-8-sig", "utf-32"}:
        raise Unreadable(f"The encoding “{said[:40]}” is not one of these: {', '.join(ENCODINGS)}.")
    return name


def _checked(said: str, marked: str | None) -> str:
    name = known(said)
    return marked if marked and marked.startswith(name) else name  # a mark that is there is no part of the text


def _wide(head: bytes) -> str:
    """UTF-16 without its mark has a zero in every other byte where the text is Latin; else it is no text."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    name = "utf-16-be" if even > odd else "utf-16-le"
    if min(even, odd) * 50 < len(head) and not _CONTROL.search(head.decode(name, "ignore")):
        return name
    raise Unreadable("This is not a text file, and no workbook either. Export the list as CSV or XLSX.")


def _not_utf8(opener: Callable[[], IO[bytes]]) -> bytes | None:
    """Bytes around the first that is no UTF-8; None when all of it is."""
    decoder, last = codecs.getincrementaldecoder("utf-8")(), b""
    with opener() as stream:
        while True:
            part = stream.read(2**20)
            try:
                decoder.decode(part, final=not part)
            except UnicodeDecodeError as error:
                at = max(0, error.start - _SAMPLE // 2)
                return last[-100:] + part[at : at + _SAMPLE] + stream.read(0 if part else 1)
            if not part:
                return None
            last = part


def _legacy(sample: bytes) -> str:
    """chardet's choice among what makes sense of the words.

    It knows languages, and a list of goods has little of one: what it is sure of counts for scripts that are not Latin.
    """
    words = {word for word in _WORD.findall(sample) if not word.isascii()}
    latin = [word for word in words if _LETTER.search(word)]
    sense = {name: sum(_makes_sense(word, name) for word in latin) for name in _LATIN}
    others = _confidence(sample, _OTHERS)
    if 2 * max(sense.values()) < len(words) or max(others.values(), default=0) > _SURE:
        return max(others, key=lambda name: others[name], default=_LATIN[0])
    return _likelier(sample, [name for name in _LATIN if sense[name] == max(sense.values())])


def _makes_sense(word: bytes, name: str) -> bool:
    """Whether a word reads as one: `Größe`, and not `Gršáe` or `GRößE`; `it’s` too."""
    text = word.decode(name, "replace")
    for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if letter.isascii() or (letter == "’" and before.isalpha() and after.isalpha()):
            continue
        if not letter.isalpha() or (letter.isupper() and (before.islower() or (before.isalpha() and after.islower()))):
            return False
    return True


def _confidence(sample: bytes, names: Sequence[str]) -> dict[str, float]:
    """How sure chardet is of each of these encodings."""
    lines = b"\n".join(line for line in sample.splitlines() if not line.isascii())[:_SAMPLE]
    found = chardet.detect_all(
        lines, ignore_threshold=True, include_encodings=names, compat_names=False, no_match_encoding=names[0]
    )
    return {codecs.lookup(str(one["encoding"])).name: one["confidence"] for one in found if one["encoding"]}


def _likelier(sample: bytes, names: Sequence[str]) -> str:
    """The first of them, unless chardet finds another one twice as likely."""
    sure = _confidence(sample, names)
    first = codecs.lookup(names[0]).name
    best = max(sure, key=lambda name: sure[name], default=first)
    return best if sure.get(best, 0) > 2 * sure.get(first, 0) else first

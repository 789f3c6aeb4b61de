"""A name from outside in a line of ours: a message, a log line, a terminal, a sentence on a page.

Owns which characters can't stand there: they would begin another line, turn its direction, or steer a terminal. The
table and the exports keep every name as it is. Pure.
"""

import re
import unicodedata

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
"""What breaks a line, overrides its direction or steers a terminal; and what no text can be written with."""
INSTEAD = "\ufffd"
_STACKED = 4


def oneline(text: str) -> str:
    """The text as a part of one line, with a sign in the place of each control character.

    Of marks that are stacked on one letter only the first few: a hundred of them would cover the lines above.
    """
    text = CONTROLS.sub(INSTEAD, " ".join(text.split()))
    return text if text.isascii() else "".join(_unstacked(text))


def _unstacked(text: str) -> list[str]:
    kept, stacked = [], 0
    for letter in text:
        stacked = stacked + 1 if unicodedata.combining(letter) else 0
        if stacked <= _STACKED:
            kept.append(letter)
    return kept

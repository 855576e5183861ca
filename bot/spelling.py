"""Spelling, before anything is matched: digits of every script, invisible marks, letter variants."""

import re
import unicodedata
from typing import Final

_INVISIBLE: Final = {"Cf", "Mn", "Me", "Cc"}


def clean(text: str) -> str:
    """``text`` in NFKC, digits of any script as 0-9, without bidi marks, tatweel and diacritics."""
    if text.isascii() and text.isprintable():  # none of it there
        return text.strip()
    out: list[str] = []
    for char in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(char)
        if category == "Nd":
            out.append(str(unicodedata.digit(char)))
        elif char in "\n\t":
            out.append(" ")
        elif category not in _INVISIBLE and char != "ـ":
            out.append(char)
    return "".join(out).strip()


_FOLDS: Final = str.maketrans("أإآٱىةؤئگ", "اااايهويك")
_REPEATS: Final = re.compile(r"(\D)\1{2,}")


def fold(text: str) -> str:
    """``text`` for matching only: cleaned, lower case, Arabic letter variants and repeats folded."""
    folded = clean(text).lower().translate(_FOLDS)
    if _REPEATS.search(folded):  # seldom, and dear to replace in vain
        folded = _REPEATS.sub(r"\1", folded)
    return " ".join(folded.split())

"""Words people use, from the keyword files beside the catalogues, and which language they write in.

``locales/<language>/keywords.toml`` has three tables: ``commands``, ``dialogs`` and ``choices``. All
languages' files are read together: a resident may write Arabizi in an Arabic chat.
"""

import re
import tomllib
from importlib.resources.abc import Traversable
from typing import Final, Protocol

from bot.i18n.catalog import LANGUAGES, locales_dir
from bot.i18n.render import Renderer, bare
from bot.i18n.text import Arg
from bot.spelling import fold

_WORDS: Final = re.compile(r"[\w']+")
_TABLES: Final = ("commands", "dialogs", "choices")


class Speech(Protocol):
    """What the engine asks about words. A pure table: the same answer for the same text, always."""

    def command(self, text: str) -> str | None:
        """The command that the whole text means (``back``, ``menu``…), or None."""
        ...

    def dialog(self, text: str) -> str | None:
        """The id of the dialog the text asks for, or None."""
        ...

    def choices(self, text: str) -> frozenset[str]:
        """The choice tokens that the whole text may mean."""
        ...

    def same(self, text: str, label: Arg, language: str) -> bool:
        """Whether the text is the button's label, give or take spelling."""
        ...


class Keywords:
    """Implements `Speech` from the keyword files."""

    def __init__(self, renderer: Renderer, root: Traversable | None = None) -> None:
        root = root or locales_dir()
        self._renderer = renderer
        self._tables: dict[str, dict[str, list[str]]] = {table: {} for table in _TABLES}
        for language in LANGUAGES:
            words = tomllib.loads((root / language / "keywords.toml").read_text("utf-8"))
            for table in _TABLES:
                for target, phrases in words.get(table, {}).items():
                    for phrase in phrases:
                        key = _words(phrase) if table == "dialogs" else fold(phrase)
                        self._tables[table].setdefault(key, []).append(target)

    def command(self, text: str) -> str | None:
        """See `Speech`."""
        found = self._tables["commands"].get(fold(text))
        return found[0] if found else None

    def dialog(self, text: str) -> str | None:
        """See `Speech`. The longest phrase found among the text's words wins."""
        folded = f" {_words(text)} "
        table = self._tables["dialogs"]
        found = [phrase for phrase in table if f" {phrase} " in folded]
        return table[max(found, key=len)][0] if found else None

    def choices(self, text: str) -> frozenset[str]:
        """See `Speech`."""
        return frozenset(self._tables["choices"].get(fold(text), ()))

    def same(self, text: str, label: Arg, language: str) -> bool:
        """See `Speech`."""
        return fold(text) == fold(bare(self._renderer.plain(label, language)))


def _words(text: str) -> str:
    """The folded words of ``text``; scripts with vowel signs fall into the same parts on both sides."""
    return " ".join(_WORDS.findall(fold(text)))


_ADDRESS: Final = re.compile(r"//|www\.|\w\.\w")
"""What a pasted address holds, which is nobody's language. Looked for in one word after the other: to look for the word
around it as well takes a time that grows with the square of a word's length."""


def guess_language(text: str) -> str:
    """``ar`` or ``en`` by the letters and digits written, addresses aside; empty where they do not say."""
    text = " ".join(word for word in text.split() if _ADDRESS.search(word) is None)
    arabic = sum("\u0600" <= char <= "\u06ff" for char in text)
    latin = sum(char.isascii() and char.isalpha() for char in text)
    if arabic == latin:
        return ""
    return "ar" if arabic > latin else "en"

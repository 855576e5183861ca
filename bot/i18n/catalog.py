"""Catalogues: read from the ``.po`` files at start and compiled into templates.

There is no ``.mo`` step: nothing to forget, nothing to go stale (ADR 0004). A message that a catalogue
lacks is its own English text.
"""

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from babel.core import Locale
from babel.messages.pofile import read_po

from bot.errors import ConfigError
from bot.i18n.template import Template, compile_template
from bot.i18n.text import Msg, Plural
from bot.model import Span

LANGUAGES: Final = ("ar", "en")
RTL: Final = frozenset({"ar"})
_FORMS: Final = ("zero", "one", "two", "few", "many", "other")


def joined(runs: Iterable[tuple[str, str]]) -> tuple[Span, ...]:
    """Spans of ``runs`` (text, style) without empty ones, neighbours of one style joined."""
    out: list[Span] = []
    texts: list[str] = []
    styled = ""
    for text, style in runs:
        if not text:
            continue
        if texts and style != styled:
            out.append(Span("".join(texts), styled))
            texts = []
        styled = style
        texts.append(text)
    if texts:
        out.append(Span("".join(texts), styled))
    return tuple(out)


def locales_dir() -> Traversable:
    """The catalogues: inside the installed package, or beside it in a checkout."""
    packaged = files("bot") / "locales"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "locales"


class Catalog:
    """Every language's templates.

    Raises:
        ConfigError: a catalogue is missing.
    """

    def __init__(self, root: Traversable | None = None) -> None:
        root = root or locales_dir()
        self._single: dict[tuple[str, str], Template] = {}
        self._plural: dict[tuple[str, str, str], Template] = {}
        self._fixed: dict[tuple[str, Msg | Plural, int], tuple[Span, ...]] = {}
        self._rules = {language: Locale(language).plural_form for language in LANGUAGES}
        for language in LANGUAGES:
            self._read(root, language)

    def _read(self, root: Traversable, language: str) -> None:
        path = root / language / "LC_MESSAGES" / "bot.po"
        if not path.is_file():
            raise ConfigError(f"catalogue missing: locales/{language}/LC_MESSAGES/bot.po")
        with path.open("rb") as file:
            messages = read_po(file, locale=language)
        for message in messages:
            if not message.id or message.fuzzy:
                continue
            strings = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            if isinstance(message.id, str):
                if strings[0]:
                    self._single[language, message.id] = compile_template(strings[0])
            else:
                forms = _FORMS if len(strings) == len(_FORMS) else ("one", "other")
                for form, string in zip(forms, strings, strict=False):
                    if string:
                        self._plural[language, message.id[0], form] = compile_template(string)

    def template(self, msg: Msg | Plural, language: str, n: int = 0) -> Template:
        """The compiled template of ``msg``; English when ``language`` lacks it."""
        if isinstance(msg, str):
            found = self._single.get((language, msg))
            return found if found is not None else self._english(msg)
        form = self._rules[language](n)
        found = self._plural.get((language, msg.one, form))
        return found if found is not None else self._english(msg.one if n == 1 else msg.other)

    def fixed(self, msg: Msg | Plural, language: str, n: int) -> tuple[Span, ...]:
        """The spans of a message without arguments, made once.

        Raises:
            KeyError: it has some.
        """
        key = (language, msg, n)
        found = self._fixed.get(key)
        if found is None:
            template = self.template(msg, language, n)
            for piece in template:
                if piece.name:
                    raise KeyError(piece.name)
            found = self._fixed[key] = joined([(piece.text, piece.style) for piece in template])
        return found

    def _english(self, source: str) -> Template:
        key = ("en", source)
        if (template := self._single.get(key)) is None:
            template = self._single[key] = compile_template(source)
        return template

    def text(self, msg: Msg, language: str) -> str:
        """A message without arguments as plain text."""
        return "".join(piece.text for piece in self.template(msg, language))

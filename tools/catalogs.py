"""The catalogues beside the code: ``update`` takes in what the code says, ``check`` names every fault.

    python -m tools.catalogs update
    python -m tools.catalogs check

A message is marked in code with ``N_("…")``, or ``NP_("one", "other")`` where a number chooses the form.
Its English text is its id (ADR 0004), so an edited text is a new message in both languages.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).parents[1]
LANGUAGES: Final = ("ar", "en")
KEYWORDS: Final = {"N_": None, "NP_": (1, 2)}
PLURAL_RULES: Final = {
    "ar": (
        "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 :"
        " n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5);"
    ),
    "en": "nplurals=2; plural=(n != 1);",
}
FORMS: Final = {"ar": ("zero", "one", "two", "few", "many", "other"), "en": ("one", "other")}
FREE_OF_N: Final = frozenset({"zero", "one", "two"})
"""Forms that say the number in words: «مخالفة واحدة», «مخالفتان»."""

_PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ARABIC_DIGITS: Final = re.compile("[٠-٩۰-۹]")
_PREFIXES: Final = "(?:[وفبكل]{0,2}(?:ال|لل)?)"
FORBIDDEN: Final = {
    "الضمان الاجتماعي": "another body; the number is الرقم المدني, the fee الضمان الصحي",
    "التأمين الاجتماعي": "another body",
    "انتهاك": "مخالفة",
    "انتهاكات": "مخالفات",
    "تسوية": "الإقامة, or مبلغ الصلح",
    "سكن": "الإقامة",
    "مساكن": "الإقامة",
    "أجانب": "مقيمون",
    "مغتربين": "مقيمون",
    "وافدين": "مقيمون",
    "خدمة التحقيق": "خدمة الاستعلام",
    "انقر فوق": "اضغط",
    "سداد": "الدفع; سداد is a Saudi payment system",
    "ساحل": "سهل",
    "حظر": "مانع",
    "خدم": "عمالة منزلية",
    "هروب": "تغيب",
    "بعائلة": "بعائل",
    "شئون": "شؤون",
    "إستعلم": "استعلم",
    "إستعلام": "استعلام",
    "إدفع": "ادفع",
    "الكترونيا": "إلكترونياً",
    "الكترونياً": "إلكترونياً",
    "ريال": "دينار",
    "دولار": "دينار",
    "إليك إعادة": "a chat model's leftover",
}
"""Words the glossary forbids in our texts, and what to write."""

_FORBIDDEN: Final = {
    word: re.compile(rf"(?<![\w]){_PREFIXES}{re.escape(word)}(?![\w])") for word in FORBIDDEN
}


@dataclass(frozen=True)
class Found:
    """A message in the code: its texts (one, or two forms) and the files that say it."""

    texts: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def key(self) -> str:
        """What catalogues know it by."""
        return self.texts[0]

    @property
    def id(self) -> str | tuple[str, str]:
        """Babel's id."""
        return self.key if len(self.texts) == 1 else (self.texts[0], self.texts[1])


def path(language: str) -> Path:
    """Where a language's catalogue is."""
    return ROOT / "locales" / language / "LC_MESSAGES" / "bot.po"


def extract(folder: Path = ROOT / "bot") -> list[Found]:
    """Every marked message in ``folder``, by first file, then by text."""
    texts: dict[str, tuple[str, ...]] = {}
    files: dict[str, set[str]] = {}
    for name, _line, message, _comments, _context in extract_from_dir(
        folder, method_map=[("**.py", "python")], keywords=dict(KEYWORDS)
    ):
        forms = (message,) if isinstance(message, str) else tuple(message)
        texts[forms[0]] = max(texts.get(forms[0], ()), forms, key=len)
        files.setdefault(forms[0], set()).add(f"{folder.name}/{name}")
    found = [Found(forms, tuple(sorted(files[key]))) for key, forms in texts.items()]
    return sorted(found, key=lambda message: (message.files, message.key))


def read(language: str) -> dict[str, Message]:
    """A language's messages by key."""
    if not path(language).exists():
        return {}
    with path(language).open("rb") as file:
        catalog = read_po(file, locale=language)
    return {_key(message): message for message in catalog if message.id}


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def strings(message: Message) -> tuple[str, ...]:
    """Its translations, one a form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def render(language: str, found: list[Found], known: dict[str, Message]) -> bytes:
    """The catalogue of ``found`` with the translations of ``known``; always the same bytes for the same."""
    catalog = Catalog(locale=language)
    for message in found:
        old = known.get(message.key)
        kept = strings(old) if old is not None else ()
        count = 1 if len(message.texts) == 1 else len(FORMS[language])
        if len(kept) != count:
            kept = message.texts if language == "en" else ("",) * count
        catalog.add(
            message.id,
            kept[0] if count == 1 else kept,
            locations=[(file, 0) for file in message.files],
            flags=old.flags if old is not None else (),
            user_comments=old.user_comments if old is not None else (),
        )
    body = BytesIO()
    write_po(body, catalog, width=0, omit_header=True, include_lineno=False)
    header = (
        'msgid ""\nmsgstr ""\n'
        '"Project-Id-Version: iqamati\\n"\n'
        f'"Language: {language}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {PLURAL_RULES[language]}\\n"\n\n'
    )
    return header.encode() + body.getvalue()


def update() -> None:
    """Bring both catalogues up to the code: new messages in, unused ones out, translations kept."""
    found = extract()
    for language in LANGUAGES:
        content = render(language, found, read(language))
        path(language).parent.mkdir(parents=True, exist_ok=True)
        path(language).write_bytes(content)
        print(f"{path(language).relative_to(ROOT)}: {len(found)} messages")


# --- check ---------------------------------------------------------------------------------------


def check() -> list[str]:
    """Every fault of both catalogues, one line each."""
    found = {message.key: message for message in extract()}
    faults: list[str] = []
    for language in LANGUAGES:
        known = read(language)
        if not known:
            faults.append(f"{language}: no catalogue")
            continue
        if PLURAL_RULES[language] not in path(language).read_text("utf-8"):
            faults.append(f"{language}: Plural-Forms is not {PLURAL_RULES[language]!r}")
        faults += [f"{language}: missing: {key!r}" for key in found if key not in known]
        faults += [f"{language}: unused: {key!r}" for key in known if key not in found]
        for key, message in known.items():
            if key in found:
                faults += [
                    f"{language}: {fault}: {key!r}" for fault in message_faults(found[key], message, language)
                ]
    return faults


def message_faults(found: Found, message: Message, language: str) -> Iterator[str]:
    """What is wrong with one translation."""
    if message.fuzzy:
        yield "fuzzy"
    given = strings(message)
    forms = ("",) if len(found.texts) == 1 else FORMS[language]
    if len(given) != len(forms):
        yield f"{len(given)} forms instead of {len(forms)}"
        return
    for form, text in zip(forms, given, strict=True):
        name = f" ({form})" if form else ""
        if not text:
            yield f"untranslated{name}"
            continue
        for fault in _text_faults(found, form, text):
            yield f"{fault}{name}"


def _text_faults(found: Found, form: str, text: str) -> Iterator[str]:
    source = found.texts[0] if form in ("", "one") else found.texts[-1]
    wanted, given = _placeholders(found.texts[-1]), _placeholders(text)
    spare = {"n"} if form in FREE_OF_N else set[str]()
    if lost := sorted(wanted - given - spare):
        yield f"lacks {{{'}, {'.join(lost)}}}"
    if added := sorted(given - wanted):
        yield f"has unknown {{{'}, {'.join(added)}}}"
    for mark in "*`":
        if text.count(mark) != source.count(mark):
            yield f"{text.count(mark)} marks {mark} instead of {source.count(mark)}"
        elif text.count(mark) % 2:
            yield f"marks {mark} are not in pairs"
    if text.count("\n") != source.count("\n"):
        yield f"{text.count(chr(10))} line breaks instead of {source.count(chr(10))}"
    if _BIDI.search(text):
        yield "holds a bidi mark; the renderer isolates"
    if _ARABIC_DIGITS.search(text):
        yield "holds Arabic-Indic digits; the ministry's pages have Latin ones"
    for word, pattern in _FORBIDDEN.items():
        if pattern.search(text):
            yield f"says «{word}» (glossary: {FORBIDDEN[word]})"


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def main(arguments: list[str]) -> int:
    """Run a command; the exit status."""
    match arguments:
        case ["update"]:
            update()
            return 0
        case ["check"]:
            faults = check()
            print("\n".join(faults) or "catalogues are complete")
            return 1 if faults else 0
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

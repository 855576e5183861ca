"""What is asked of every dialog at once: soundness, labels, catalogues, diagrams, shapes."""

import re
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec
import pytest
from babel.messages.catalog import Message

from bot.dialogs import RETIRED
from bot.dialogs.violations import Search
from bot.graph import faults, mermaid
from bot.i18n.render import bare
from bot.i18n.text import N_, Money, Text, say
from bot.ports import Effect
from bot.spec import Ask, Call, Choose, Decide, Dialog, Do, End, Go, Pick, State, Upload, Waiting
from tests.dialogs.harness import CATALOG, RENDERER, SPEECH, Chat, message_id
from tests.dialogs.places import MANY, PLACES, SEARCH, stand
from tests.dialogs.shapes import DIAGRAMS, DIALOGS, shape, stored, unraised, unretired
from tools import catalogs

# --- soundness -----------------------------------------------------------------------------------


def test_the_dialogs_are_sound() -> None:
    assert faults(DIALOGS) == []


class S(StrEnum):
    ASKING = "asking"
    DOING = "doing"
    ENDED = "ended"


class Answers(msgspec.Struct, frozen=True):
    day: date = date.min
    name: str = ""
    chosen: tuple[str, ...] = ()


class Other(msgspec.Struct, frozen=True):
    day: date = date.min
    shoe_size: int = 0


class Act(Effect, frozen=True, tag="act"):
    pass


class Refused(StrEnum):
    NO = "no"


def a_day(_text: str, today: date) -> date:
    return today


def act(_answers: Answers) -> Act:
    return Act()


def other(_answers: Answers) -> Other:
    return Other()


def yes(_answers: Answers) -> bool:
    return True


def none(_answers: Answers) -> tuple[Any, ...]:
    return ()


def done(_answers: Answers, _picked: tuple[str, ...]) -> Text:
    return say(N_("Next"))


END = End[Answers]()
SOUND = Dialog[Answers](
    id="sound",
    version=1,
    title=N_("Next"),
    answers=Answers,
    start=S.ASKING,
    cancel=S.ENDED,
    states={
        S.ASKING: Ask(N_("Next"), parse=a_day, into="day", then=S.DOING),
        S.DOING: Do(Act, act, then=S.ENDED, otherwise=S.ENDED),
        S.ENDED: END,
    },
)


def with_state(name: S, state: State[Answers]) -> Dialog[Answers]:
    return replace(SOUND, states={**SOUND.states, name: state})


def asking(*choices: Go[Answers]) -> Ask[Answers]:
    return Ask(N_("Next"), parse=a_day, into="day", then=S.DOING, choices=choices)


class Long(StrEnum):
    LONG = "a_name_of_sixteen"


class Wide(StrEnum):
    ASKING = "asking"
    DOING = "doing"
    ENDED = "ended"
    FORGOTTEN = "forgotten"


class Lost(StrEnum):
    NOWHERE = "nowhere"


LONG = Long.LONG
BROKEN: dict[str, tuple[Dialog[Answers], list[str]]] = {
    "long id": (replace(SOUND, id="a_dialog_too_long"), ["a_dialog_too_long: id longer than 14"]),
    "long name": (
        Dialog[Answers]("sound", 1, N_("Next"), Answers, LONG, LONG, {LONG: END}),
        ["sound.a_name_of_sixteen: name longer than 14"],
    ),
    "undefined": (
        Dialog[Answers](
            "sound",
            1,
            N_("Next"),
            Answers,
            Wide.ASKING,
            Wide.ENDED,
            {Wide(k.value): v for k, v in SOUND.states.items()},
        ),
        ["sound.forgotten: declared and not defined"],
    ),
    "retired and there": (
        replace(SOUND, retired={"doing": S.ENDED}),
        ["sound.doing: retired and still there"],
    ),
    "retired to nowhere": (
        replace(SOUND, retired={"once": Lost.NOWHERE}),
        ["sound: retired 'once' leads to 'nowhere', which does not exist"],
    ),
    "no target": (
        with_state(S.ASKING, asking(Go(N_("Back"), Lost.NOWHERE))),
        ["sound.asking: 'Back' leads to 'nowhere', which does not exist"],
    ),
    "unreachable": (
        with_state(S.ASKING, Ask(N_("Next"), parse=a_day, into="day", then=S.ENDED)),
        ["sound.doing: cannot be reached"],
    ),
    "no end": (
        with_state(S.DOING, Do(Act, act, then=S.DOING, otherwise=S.DOING)),
        ["sound.asking: no way to an end", "sound.doing: no way to an end"],
    ),
    "circle": (
        with_state(S.DOING, Decide(((yes, S.DOING),), otherwise=S.ENDED)),
        ["sound.doing: decides in a circle"],
    ),
    "no migration": (
        replace(SOUND, version=3, migrations={2: dict}),
        ["sound: no migration from version 1"],
    ),
    "no field": (
        with_state(S.ASKING, Ask(N_("Next"), parse=a_day, into="days", then=S.DOING)),
        ["sound.asking: answers have no field 'days'"],
    ),
    "another type": (
        with_state(S.ASKING, Ask(N_("Next"), parse=a_day, into="name", then=S.DOING)),
        ["sound.asking: 'name' cannot hold what a_day reads"],
    ),
    "picks": (
        with_state(S.ASKING, Pick(N_("Next"), options=none, into="name", then=S.DOING, done=done)),
        ["sound.asking: 'name' cannot hold what is picked"],
    ),
    "refusal": (
        with_state(S.DOING, Do(Act, act, then=S.ENDED, otherwise=S.ENDED, refused=Refused)),
        ["sound.doing: refusal 'no' has no edge"],
    ),
    "no timeout": (
        with_state(S.DOING, Do(Act, act, then=S.ENDED, otherwise=S.ENDED, timeout=0)),
        ["sound.doing: no timeout"],
    ),
    "calls nothing": (
        with_state(S.DOING, Call("nobody", then=S.ENDED, left=S.ENDED)),
        ["sound.doing: calls 'nobody', which does not exist"],
    ),
    "gives too much": (
        with_state(S.DOING, Call("sound", then=S.ENDED, left=S.ENDED, given=other)),
        ["sound.doing: gives sound a field 'shoe_size' that it does not have"],
    ),
    "two of a name": (
        with_state(S.ASKING, asking(Go(N_("Back"), S.DOING), Go(N_("Next"), S.DOING))),
        ["sound.asking: two choices are called 'doing'"],
    ),
    "long choice": (
        with_state(S.ASKING, asking(Go(N_("Back"), S.DOING, id="a" * 25))),
        [f"sound.asking: choice '{'a' * 25}' is longer than 24"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_dialog_names_its_fault(name: str) -> None:
    assert faults([SOUND]) == []
    dialog, expected = BROKEN[name]
    assert faults([dialog]) == expected


# --- labels --------------------------------------------------------------------------------------

BUTTON, ROW, ROWS = 20, 24, 10
"""WhatsApp Cloud API, interactive messages: a reply button's title, a list row's title, rows in a list."""


@pytest.mark.parametrize(("dialog", "state"), PLACES)
def test_labels_fit_whatsapp(language: str, dialog: str, state: str) -> None:
    answers: Any = replace_fines(SEARCH) if dialog == "violations" else None
    chat = stand(language, dialog, state, answers)
    spec: Any = {n.value: s for n, s in chat.book.dialogs[dialog].states.items()}[state]
    if not isinstance(spec, Waiting):
        return
    labels = chat.says("/resume").last.labels
    assert len(labels) <= ROWS
    if isinstance(spec, Pick):
        return  # a row of data may be cut; it begins with the amount
    assert max(map(len, labels), default=0) <= ROW, labels
    fixed = (
        [choice.label for choice in spec.choices if isinstance(choice.label, str)]
        if isinstance(spec, Ask | Choose | Upload)
        else []
    )
    if isinstance(spec, Ask | Choose | Upload) and len(spec.choices) <= 3:
        assert all(len(CATALOG.text(label, language)) <= BUTTON for label in fixed)


def replace_fines(search: Search) -> Search:
    """Many fines, a total of over a thousand dinars, some not payable."""
    barred = tuple(msgspec.structs.replace(one, id=f"B{one.id}", barrier="court") for one in MANY)
    return msgspec.structs.replace(search, fines=(*MANY, *barred), chosen=("F1",))


def test_a_large_amount_fits_a_button(language: str) -> None:
    label = Text(message_id("Pay {total}"), {"total": Money(1_234_500)})
    assert len(bare(RENDERER.plain(label, language))) <= BUTTON


# --- catalogues ----------------------------------------------------------------------------------


def test_the_catalogues_are_complete() -> None:
    assert catalogs.check() == []


def test_updating_changes_nothing() -> None:
    for language in catalogs.LANGUAGES:
        known = catalogs.read(language)
        assert catalogs.render(language, catalogs.extract(), known) == catalogs.path(language).read_bytes()


def test_no_message_is_long(language: str) -> None:
    for message in catalogs.read(language).values():
        for text in catalogs.strings(message):
            assert len(text.split()) <= 60, text


@dataclass(frozen=True)
class Fault:
    texts: tuple[str, ...]
    given: tuple[str, ...]
    language: str
    says: str


FAULTS = [
    Fault(("Pay {total}",), ("",), "ar", "untranslated"),
    Fault(("Pay {total}",), ("دفع",), "ar", "lacks {total}"),
    Fault(("Pay {total}",), ("دفع {total} {n}",), "ar", "has unknown {n}"),
    Fault(("*Pay*",), ("دفع",), "ar", "0 marks * instead of 2"),
    Fault(("`x`",), ("`x",), "ar", "1 marks ` instead of 2"),
    Fault(("a\nb",), ("ا ب",), "ar", "0 line breaks instead of 1"),
    Fault(("one", "{n}"), ("ا", "ب"), "ar", "2 forms instead of 6"),
    Fault(("one", "{n}"), ("ا", "ب", "ج", "{n}", "د", "{n}"), "ar", "lacks {n} (many)"),
    Fault(("one", "{n}"), ("one", ""), "en", "untranslated (other)"),
    Fault(("Fine",), ("دفع الانتهاكات",), "ar", "says «انتهاكات» (glossary: مخالفات)"),
    Fault(("Pay",), ("سداد",), "ar", "says «سداد» (glossary: الدفع; سداد is a Saudi payment system)"),
    Fault(("Pay",), ("\u200fدفع",), "ar", "holds a bidi mark; the renderer isolates"),
    Fault(("15",), ("١٥",), "ar", "holds Arabic-Indic digits; the ministry's pages have Latin ones"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.says)
def test_the_check_finds(fault: Fault) -> None:
    found = catalogs.Found(fault.texts, ("bot/x.py",))
    string: Any = fault.given[0] if len(fault.texts) == 1 else fault.given
    message = Message(found.id, string)
    assert list(catalogs.message_faults(found, message, fault.language)) == [fault.says]


def test_the_check_finds_what_a_translator_did_not_look_at() -> None:
    found = catalogs.Found(("Pay",), ("bot/x.py",))
    message = Message("Pay", "دفع", flags=("fuzzy",))
    assert list(catalogs.message_faults(found, message, "ar")) == ["fuzzy"]


def test_service_is_no_servant() -> None:
    found = catalogs.Found(("Service",), ("bot/x.py",))
    assert not list(catalogs.message_faults(found, Message("Service", "الخدمة"), "ar"))


def test_arabic_paragraphs_begin_in_arabic() -> None:
    """The direction of a line follows its first strong letter, so an Arabic one comes first."""
    english = {"العربية 🇰🇼"}  # a label for readers of the other language
    for key, message in catalogs.read("ar").items():
        for text in catalogs.strings(message) if key not in english else ():
            for line in text.split("\n"):
                strong = re.search(r"[^\W\d_]", re.sub(r"\{\w+\}", "", line))
                assert strong is None or "\u0600" <= strong[0] <= "\u06ff", line


# --- keywords ------------------------------------------------------------------------------------


def test_keywords_name_what_exists() -> None:
    tables = SPEECH._tables
    commands = {target.split()[0] for targets in tables["commands"].values() for target in targets}
    assert commands == {"menu", "back", "cancel", "help", "language", "signout", "start"}
    assert {t for targets in tables["dialogs"].values() for t in targets} == {
        "violations",
        "renewal",
        "company",
        "overstay",
        "family_join",
        "find_reference",
        "receipts",
        "real_link",
        "reminders",
        "mydata",
        "forget",
    }
    tokens = {
        choice.token
        for dialog in DIALOGS
        for state in dialog.states.values()
        if isinstance(state, Ask | Choose | Upload)
        for choice in state.choices
        if isinstance(choice, Go)
    }
    assert {t for targets in tables["choices"].values() for t in targets} <= tokens | {"done"}


def test_a_word_means_one_command_and_one_dialog() -> None:
    for table in ("commands", "dialogs"):
        for phrase, targets in SPEECH._tables[table].items():
            assert len(targets) == 1, phrase


# --- diagrams and shapes -------------------------------------------------------------------------


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.id)
def test_the_diagram_is_fresh(dialog: Dialog[Any]) -> None:
    path = DIAGRAMS / f"{dialog.id}.mmd"
    assert path.read_text("utf-8") == mermaid(dialog), "run: python -m tests.dialogs.shapes"


def test_no_diagram_is_left_over() -> None:
    assert {path.stem for path in DIAGRAMS.glob("*.mmd")} == {dialog.id for dialog in DIALOGS}


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.id)
def test_the_shape_is_that_of_its_version(dialog: Dialog[Any]) -> None:
    assert not unraised(dialog, stored()), "states or answers changed: raise the version, with a migration"
    assert stored()[dialog.id] == shape(dialog), "run: python -m tests.dialogs.shapes"


def test_a_changed_shape_must_raise_the_version() -> None:
    golden = {SOUND.id: shape(SOUND)}
    assert not unraised(SOUND, golden)
    assert unraised(replace(SOUND, answers=Other), golden)  # type: ignore[arg-type]
    assert unraised(with_state(S.DOING, END), golden)
    assert not unraised(replace(with_state(S.DOING, END), version=2), golden)


def test_a_dialog_that_is_gone_is_called_retired() -> None:
    assert not RETIRED & {dialog.id for dialog in DIALOGS}
    assert unretired({"sound": shape(SOUND)}) == ["sound"]
    assert unretired(stored()) == []


def test_the_harness_sees_a_missing_translation() -> None:
    with pytest.raises(AssertionError):
        Chat("ar").says("hi").hears("Never said")

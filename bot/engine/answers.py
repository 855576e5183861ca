"""What a resident answers the current question with: words, numbers, buttons."""

from typing import Any, Final

import msgspec

from bot.engine import commands, words
from bot.engine.machine import Machine
from bot.engine.talk import Asking
from bot.engine.turn import Answered, Disarmed, Key
from bot.i18n.text import Arg, Lines, Ltr, Text, say
from bot.model import Attached, Pressed
from bot.spec import Ask, Choose, Go, Invalid, Pick, Upload, Waiting
from bot.spelling import clean

DOUBLE_TAP: Final = 5
"""Seconds within which the same button again is a slip of the finger, not a question. Before or after: another process may
have a fast clock."""

_PICTURES: Final = frozenset({"photo", "live_photo", "video", "animation", "sticker"})
"""What somebody sends who takes a picture of a list instead of sending it."""


def says_enough(machine: Machine, text: str) -> bool:
    """Whether ``text`` answers the question asked long ago, or is a whole request where one is heard."""
    state = machine.state
    if machine.book.open(text, machine.today, aside=True) is not None:
        return True
    if isinstance(state, Ask):
        return not isinstance(state.parse(text, machine.today), Invalid)
    if isinstance(state, Waiting) and state.listens:
        return machine.book.open(text, machine.today) is not None
    leaving = isinstance(state, Choose) and state.leaves is not None
    return leaving and machine.book.open(text, machine.today, sure=True) is not None


def by_label(machine: Machine, text: str) -> bool:
    """Take the button whose label was typed. It comes before commands: «Previous» may turn a page."""
    state = machine.state
    if not isinstance(state, Waiting):
        return False
    for key in (key for row in machine.rows(state) for key in row):
        if machine.book.speech.same(text, key.label, machine.language):
            _act(machine, state, key)
            return True
    return False


def _act(machine: Machine, state: Asking, key: Key) -> None:
    """What pressing ``key`` does; a link is written out."""
    if key.url:
        machine.note(Ltr(key.url))
        machine.ask()
    elif key.token.startswith("/"):
        commands.run(machine, key.token)
    else:
        _press(machine, state, key.token.split("/")[2], "")


def answer(machine: Machine, state: Ask[Any], text: str) -> None:
    """Take a typed answer, or say what is wrong with it."""
    if _by_word(machine, state, text):
        return
    value = state.parse(text, machine.today)
    if not isinstance(value, Invalid):
        machine.set(answers={**machine.top.answers, state.into: msgspec.to_builtins(value)})
        machine.go(str(state.then))
        return
    if answer_aside(machine, text):
        return
    misses = machine.top.misses + 1
    machine.set(misses=misses)
    parts: list[Arg] = [value.text]
    if misses > 1 and state.hint:
        parts.append(say(state.hint))
    if misses > 2:  # noqa: PLR2004 - the third miss offers a way round
        parts.append(say(words.LOST))
    machine.say(Lines(tuple(parts)), machine.rows(state))


def _by_word(machine: Machine, state: Ask[Any] | Choose[Any] | Upload[Any], text: str) -> bool:
    meant = machine.book.speech.choices(text)
    for choice in machine.visible(state):
        if isinstance(choice, Go) and choice.token in meant:
            _take(machine, choice)
            return True
    return False


def _take(machine: Machine, choice: Go[Any]) -> None:
    if choice.put:
        machine.keep(choice.put(machine.answers()))
    machine.go(choice.target)


# --- in words ----------------------------------------------------------------------------------


def choose_in_words(machine: Machine, state: Choose[Any] | Upload[Any] | Pick[Any], text: str) -> None:
    """A typed number, a word for a choice; where nothing is at stake also a whole new request."""
    if isinstance(state, Choose | Upload):
        understood = _by_word(machine, state, text) or _numbered(machine, state, text)
    elif state.done is None:
        understood = _numbered(machine, state, text)
    else:
        understood = _pick_in_words(machine, state, text)
    hears = (state.listens or state.rest) and not machine.keeps_place
    if (
        understood
        or (hears and ask_anew(machine, text))
        or answer_aside(machine, text)
        or _leave(machine, state, text)
    ):
        return
    misses = machine.top.misses + 1
    machine.set(misses=misses)
    if isinstance(state, Upload):
        machine.note(say(words.AWAITS_FILE))
    else:
        machine.note(say(words.NOT_A_CHOICE if misses == 1 else words.NOT_A_CHOICE_AGAIN))
    if misses > 2:  # noqa: PLR2004
        machine.note(say(words.LOST))
    machine.ask()


def ask_anew(machine: Machine, text: str) -> bool:
    """Begin what ``text`` asks for: a whole request, or the name of a service."""
    if frame := machine.book.open(text, machine.today):
        machine.open(frame)
        return True
    if (wanted := machine.book.speech.dialog(text)) and (door := machine.book.door(wanted)):
        machine.reset()
        machine.enter(door)
        return True
    return False


def _leave(machine: Machine, state: Asking, text: str) -> bool:
    """Answer a request that leaves no doubt, and say what becomes of the question that is left for it."""
    if not isinstance(state, Choose) or state.leaves is None:
        return False
    frame = machine.book.open(text, machine.today, sure=True)
    if frame is None:
        return False
    machine.note(machine.show(state.leaves, machine.answers()))
    machine.open(frame)
    return True


def answer_aside(machine: Machine, text: str) -> bool:
    """Answer what ``text`` asks for and come back to the question, where it is of that kind."""
    frame = machine.book.open(text, machine.today, aside=True)
    if frame is None:
        return False
    machine.begin_aside(frame)
    return True


def _numbered(machine: Machine, state: Choose[Any] | Upload[Any] | Pick[Any], text: str) -> bool:
    """``2``: the second button as it stands on the screen, links and the way back included."""
    keys = [key for row in machine.rows(state) for key in row]
    number = clean(text)
    if not number.isascii() or not number.isdecimal() or not 1 <= int(number) <= len(keys):
        return False
    _act(machine, state, keys[int(number) - 1])
    return True


def _pick_in_words(machine: Machine, state: Pick[Any], text: str) -> bool:
    """``1 3 4``: exactly those of the whole list; or a word that means it is enough."""
    if machine.top.picked and "done" in machine.book.speech.choices(text):
        return _picked(machine, state)
    options = state.options(machine.answers())
    numbers = clean(text.replace("،", " ")).replace(",", " ").split()
    if not numbers or not all(n.isdecimal() and 1 <= int(n) <= len(options) for n in numbers):
        return False
    wanted = {int(n) for n in numbers}
    machine.set(picked=tuple(o.value for i, o in enumerate(options, 1) if i in wanted))
    machine.ask()
    return True


def _picked(machine: Machine, state: Pick[Any]) -> bool:
    machine.set(answers={**machine.top.answers, state.into: list(machine.top.picked)})
    machine.go(str(state.then))
    return True


def _one(machine: Machine, state: Pick[Any], value: str) -> bool:
    machine.set(answers={**machine.top.answers, state.into: value})
    machine.go(str(state.then))
    return True


# --- files -------------------------------------------------------------------------------------


def attached(machine: Machine, event: Attached) -> None:
    """Take a file where one is asked for; say what to do where it is not one, or did not arrive."""
    state = machine.state
    if not isinstance(state, Upload):
        machine.note(say(words.READS_TEXT))
    elif event.kind not in state.kinds:
        machine.note(say(words.AS_FILE if event.kind in _PICTURES else words.AWAITS_FILE))
    elif event.file:
        machine.set(answers={**machine.top.answers, state.into: event.file})
        machine.go(str(state.then))
        return
    elif event.missing == "large":
        machine.note(say(words.FILE_LARGE, size=machine.book.megabytes))
    else:
        machine.note(words.TABLES if event.missing == "kind" else say(words.FILE_LOST))
    machine.ask()


# --- buttons -----------------------------------------------------------------------------------


def pressed(machine: Machine, event: Pressed) -> None:
    """Act on a button; an old one brings the current question again."""
    twice = event.token == machine.pressed != "" and abs(machine.now - machine.before.touched) <= DOUBLE_TAP
    if event.token.startswith("/"):
        if not twice:
            disarm(machine, event)
            machine.pressed = event.token
            commands.run(machine, event.token)
        return
    state = machine.state
    choice = _choice_of(machine, event.token)
    if choice and isinstance(state, Waiting) and _press(machine, state, choice, event.source):
        machine.pressed = event.token
    elif twice:
        return
    else:
        machine.pressed = ""  # something came between, as words do
        disarm(machine, event)
        machine.note(say(words.STALE))
        machine.ask()


def _choice_of(machine: Machine, token: str) -> str:
    """The choice in ``token`` when it belongs to the question on the screen, else nothing.

    A silent state has said nothing: on the screen are still the buttons of the question before it.
    """
    dialog, _, rest = token.partition("/")
    name, _, rest = rest.partition("/")
    choice, _, asked = rest.rpartition("/")
    if token == machine.token(choice):
        return choice
    state = machine.state
    behind = isinstance(state, Waiting) and state.silent and dialog == machine.top.dialog
    return choice if behind and name and asked and choice != "<" else ""


def disarm(machine: Machine, event: Pressed) -> None:
    """Take the buttons off the message that was pressed."""
    if event.source:
        machine.replies.append(Disarmed(event.source))


def _press(machine: Machine, state: Asking, choice: str, source: str) -> bool:
    """Act on a button of the current question; False when it is none of its choices now."""
    if choice == "<":
        _settled(machine, state, source, say(words.BACK))
        machine.back()
        return True
    if isinstance(state, Pick):
        return _press_pick(machine, state, choice, source)
    answers = machine.answers()
    for offered in machine.visible(state):
        if isinstance(offered, Go) and offered.token == choice:
            _settled(machine, state, source, machine.show(offered.label, answers))
            _take(machine, offered)
            return True
    return False


def _settled(machine: Machine, state: Asking, source: str, label: Arg) -> None:
    """The answered question keeps standing with what was chosen, so that the chat tells the story."""
    if not source:
        return
    if isinstance(state, Choose) and state.noun:
        text: Arg = Text(words.CHOSEN, {"noun": Text(state.noun), "choice": label})
    else:
        text = Lines((machine.prompt(state), Text(words.CHOSEN_BELOW, {"choice": label})))
    machine.replies.append(Answered(source, text))


def _press_pick(machine: Machine, state: Pick[Any], choice: str, source: str) -> bool:
    labels = {option.value: option.label for option in state.options(machine.answers())}
    picked = machine.top.picked
    mark, value = choice[:1], choice[1:]
    if mark == "=" and value in labels and state.done is None:
        _settled(machine, state, source, labels[value])
        return _one(machine, state, value)
    if choice == "done" and picked and state.done:
        _settled(machine, state, source, state.done(machine.answers(), picked))
        return _picked(machine, state)
    if mark == "p" and value.isdecimal():
        machine.set(page=int(value))
    elif mark == "+" and value in labels:
        machine.set(picked=(*(p for p in picked if p != value), value))
    elif mark == "-" and value in labels:
        machine.set(picked=tuple(p for p in picked if p != value))
    else:
        return False
    machine.ask(edits=source)
    return True

"""``step``: one event through the dialogs. Pure: no clock, no network, no store, no files."""

import hashlib
from typing import Any, Final

import msgspec

from bot.engine import words
from bot.engine.book import Book
from bot.engine.machine import Asking, Machine
from bot.engine.turn import Answered, Disarmed, Erased, Key, Turn
from bot.i18n.speech import guess_language
from bot.i18n.text import Arg, Lines, lines, say
from bot.model import Attached, Elapsed, Event, Outcome, Pressed, Session, Slow, Typed, Woken
from bot.spec import Ask, Choose, Command, Do, Go, Invalid, Pick, Waiting

SEEN: Final = 12
"""Event ids remembered; channels redeliver within a few messages."""
LONGEST_MESSAGE: Final = 1000
"""Characters. No question here needs more than a pasted list."""
FORGET_AFTER: Final = 24 * 3600
"""Seconds after which the answers of a dialog left half-way are gone (design, section 6)."""
REMIND_AFTER: Final = 3600
"""Seconds after which a resident is shown where they were before going on."""
DOUBLE_TAP: Final = 5
"""Seconds within which the same button again is a slip of the finger, not a question."""


def event_hash(event: Event) -> int:
    """What is remembered of an event's id: 56 bits of it."""
    return int.from_bytes(hashlib.blake2b(event.id.encode(), digest_size=7).digest())


def step(book: Book, session: Session, event: Event, now: int) -> Turn:
    """Take ``event`` at ``now`` (epoch seconds). An event seen before changes nothing.

    Raises:
        FromNewer: the session belongs to a newer release; it must be left alone.
    """
    mark = event_hash(event)
    if mark in session.seen:
        return Turn(session, changed=False)
    machine = Machine(book, session, now)
    machine.migrate()
    match event:
        case Typed() | Pressed() | Attached():
            _resident(machine, event)
        case Outcome():
            _outcome(machine, event)
        case Slow():
            _slow(machine, event)
        case Woken():
            _woken(machine, event)
        case Elapsed():
            _elapsed(machine, event)
        case _:
            pass
    return machine.turn((*session.seen, mark)[-SEEN:])


# --- the resident ------------------------------------------------------------------------------


def _resident(machine: Machine, event: Typed | Pressed | Attached) -> None:
    idle = machine.now - machine.touched
    first = not machine.frames
    if machine.frames and idle > FORGET_AFTER:
        machine.reset()
        first = True
    if first:
        machine.reset()
    machine.touched = machine.now
    _guess_language(machine, event)
    if first and not (isinstance(event, Typed) and event.text.lstrip().startswith("/")):
        _first(machine, event)
    elif isinstance(event, Pressed):
        _pressed(machine, event)
    elif isinstance(event, Typed):
        if idle > REMIND_AFTER and _half_way(machine) and not event.text.startswith("/"):
            _carry_on(machine)
        else:
            _typed(machine, event)
    else:
        machine.note(say(words.READS_TEXT))
        machine.ask()


def _guess_language(machine: Machine, event: Typed | Pressed | Attached) -> None:
    """Until the resident chooses: the language they write in, else the one the channel names."""
    if machine.chosen:
        return
    guess = ""
    if isinstance(event, Typed) and not event.text.lstrip().startswith("/"):
        guess = guess_language(event.text)
    if not guess and not machine.before.frames and event.language:
        guess = "ar" if event.language.lower().split("-")[0] == "ar" else "en"
    machine.language = guess or machine.language


def _first(machine: Machine, event: Typed | Pressed | Attached) -> None:
    """The first message of an empty chat: a whole request is answered at once, else the greeting."""
    if isinstance(event, Typed) and (frame := machine.book.open(event.text, machine.today, deep=False)):
        machine.note(machine.book.intro)
        machine.open(frame)
        return
    if isinstance(event, Pressed):
        _disarm(machine, event)
    machine.enter(machine.book.home.start.value)


def _half_way(machine: Machine) -> bool:
    state = machine.state
    return len(machine.frames) > 1 and not (isinstance(state, Waiting) and state.rest)


def _carry_on(machine: Machine) -> None:
    """Show where the resident was; nothing is lost, nothing is asked twice."""
    title = machine.book.dialogs[machine.frames[1].dialog].title
    machine.say(
        say(words.CARRY_ON, title=say(title)),
        ((Key(say(words.RESUME), "/resume"),), (Key(say(words.OVER), "/menu"),)),
    )


def _typed(machine: Machine, event: Typed) -> None:
    text = event.text.strip()
    state = machine.state
    if isinstance(state, Ask) and state.secret and event.source:
        machine.replies.append(Erased(event.source))
    if text.startswith("/"):
        _command(machine, text)
        return
    if len(text) > LONGEST_MESSAGE:
        machine.note(say(words.TOO_LONG))
        machine.ask()
        return
    if command := machine.book.speech.command(text):
        _command(machine, f"/{command}")
        return
    match state:
        case Ask():
            _answer(machine, state, text)
        case Choose() | Pick():
            _choose_in_words(machine, state, text)
        case _:
            machine.say(say(words.WORKING))


def _command(machine: Machine, text: str) -> None:
    name, _, argument = text[1:].partition(" ")
    name = name.split("@")[0].lower()
    match name:
        case "start":
            _start(machine, argument.strip())
        case "menu":
            machine.reset()
            machine.enter(machine.book.menu)
        case "back":
            machine.back()
        case "cancel":
            _cancel(machine)
        case "language":
            _language(machine, argument.strip().lower())
        case "help":
            parts: list[Arg] = [say(words.HELP, **words.COMMANDS)]
            if machine.dialog.help:
                parts.insert(0, say(machine.dialog.help))
            machine.note(Lines(tuple(parts)))
            machine.ask()
        case "resume":
            machine.ask()
        case _:
            machine.note(say(words.UNKNOWN_COMMAND, **words.COMMANDS))
            machine.ask()


def _start(machine: Machine, argument: str) -> None:
    if argument and (frame := machine.book.open(argument, machine.today, deep=True)):
        if not machine.before.frames:
            machine.note(machine.book.intro)
        machine.open(frame)
    elif _half_way(machine):
        _carry_on(machine)
    else:
        machine.reset()
        machine.enter(machine.book.home.start.value)


def _cancel(machine: Machine) -> None:
    if len(machine.frames) > 1:
        machine.set(trail=())
        machine.enter(machine.dialog.cancel.value)
    else:
        machine.enter(machine.book.menu)


def _language(machine: Machine, argument: str) -> None:
    other = "en" if machine.language == "ar" else "ar"
    machine.language = argument if argument in ("ar", "en") else other
    machine.chosen = True
    machine.note(say(words.LANGUAGE_SET))
    machine.ask()


# --- answers -----------------------------------------------------------------------------------


def _answer(machine: Machine, state: Ask[Any], text: str) -> None:
    for choice in machine.visible(state):
        if isinstance(choice, Go | Command) and _is(machine, choice, text):
            _take(machine, choice)
            return
    value = state.parse(text, machine.today)
    if not isinstance(value, Invalid):
        machine.set(answers={**machine.top.answers, **_field(state.into, value)})
        machine.go(state.then.value)
        return
    misses = machine.top.misses + 1
    machine.set(misses=misses)
    parts: list[Arg] = [value.text]
    if misses > 1 and state.hint:
        parts.append(say(state.hint))
    if misses > 2:  # noqa: PLR2004 - the third miss offers a way round
        parts.append(say(words.LOST))
    machine.say(Lines(tuple(parts)), machine.rows(state))


def _field(name: str, value: Any) -> dict[str, Any]:
    return {name: msgspec.to_builtins(value)}


def _is(machine: Machine, choice: Go[Any] | Command, text: str) -> bool:
    label = (
        say(choice.label) if isinstance(choice, Command) else machine.show(choice.label, machine.answers())
    )
    return machine.book.speech.same(text, label, machine.language)


def _choose_in_words(machine: Machine, state: Choose[Any] | Pick[Any], text: str) -> None:
    """A typed number, a label, a word for a choice; where nothing is at stake also a whole new request."""
    speech = machine.book.speech
    choices = [choice for choice in machine.visible(state) if isinstance(choice, Go | Command)]
    meant = speech.choices(text)
    for number, choice in enumerate(choices, 1):
        named = isinstance(choice, Go) and choice.token in meant
        if text == str(number) or named or _is(machine, choice, text):
            _take(machine, choice)
            return
    if isinstance(state, Pick) and _pick_in_words(machine, state, text):
        return
    if state.listens or state.rest:
        if frame := machine.book.open(text, machine.today, deep=False):
            machine.open(frame)
            return
        if (wanted := speech.dialog(text)) and (door := machine.book.door(wanted)):
            machine.reset()
            machine.enter(door)
            return
    misses = machine.top.misses + 1
    machine.set(misses=misses)
    machine.note(say(words.NOT_A_CHOICE if misses == 1 else words.NOT_A_CHOICE_AGAIN))
    if misses > 2:  # noqa: PLR2004
        machine.note(say(words.LOST))
    machine.ask()


def _pick_in_words(machine: Machine, state: Pick[Any], text: str) -> bool:
    """``1 3 4``: exactly those of the whole list."""
    options = state.options(machine.answers())
    numbers = text.replace(",", " ").replace("،", " ").split()
    if not numbers or not all(n.isdecimal() and 1 <= int(n) <= len(options) for n in numbers):
        return False
    wanted = {int(n) for n in numbers}
    machine.set(picked=tuple(o.value for i, o in enumerate(options, 1) if i in wanted))
    machine.ask()
    return True


def _take(machine: Machine, choice: Go[Any] | Command) -> None:
    if isinstance(choice, Command):
        _command(machine, choice.command)
        return
    if choice.put:
        machine.keep(choice.put(machine.answers()))
    machine.go(choice.to.value)


# --- buttons -----------------------------------------------------------------------------------


def _pressed(machine: Machine, event: Pressed) -> None:
    twice = event.token == machine.pressed and machine.now - machine.before.touched <= DOUBLE_TAP
    if event.token.startswith("/"):
        if not twice:
            _disarm(machine, event)
            machine.pressed = event.token
            _command(machine, event.token)
        return
    state = machine.state
    prefix, _, tail = machine.token("").rpartition("/")
    fits = event.token.startswith(prefix) and event.token.endswith(f"/{tail}")
    choice = event.token[len(prefix) : -len(tail) - 1] if fits else ""
    if fits and isinstance(state, Waiting) and _press(machine, state, choice, event):
        machine.pressed = event.token
    elif twice:
        return
    else:
        _disarm(machine, event)
        machine.note(say(words.STALE))
        machine.ask()


def _disarm(machine: Machine, event: Pressed) -> None:
    if event.source:
        machine.replies.append(Disarmed(event.source))


def _press(machine: Machine, state: Asking, choice: str, event: Pressed) -> bool:
    """Act on a button of the current question; False when it is none of its choices now."""
    if choice == "<":
        _settled(machine, state, event, say(words.BACK))
        machine.back()
        return True
    if isinstance(state, Pick):
        return _press_pick(machine, state, choice, event)
    answers = machine.answers()
    for offered in machine.visible(state):
        if isinstance(offered, Go) and offered.token == choice:
            _settled(machine, state, event, machine.show(offered.label, answers))
            _take(machine, offered)
            return True
    return False


def _settled(machine: Machine, state: Asking, event: Pressed, label: Arg) -> None:
    """The answered question keeps standing with what was chosen, so that the chat tells the story."""
    if not event.source:
        return
    if isinstance(state, Choose) and state.noun:
        text: Arg = say(words.CHOSEN, noun=say(state.noun), choice=label)
    else:
        text = lines(machine.prompt(state), say(words.CHOSEN_BELOW, choice=label))
    machine.replies.append(Answered(event.source, text))


def _press_pick(machine: Machine, state: Pick[Any], choice: str, event: Pressed) -> bool:
    values = {option.value for option in state.options(machine.answers())}
    picked = machine.top.picked
    mark, value = choice[:1], choice[1:]
    if choice == "done" and picked:
        answers = machine.answers()
        _settled(machine, state, event, state.done(answers, picked))
        machine.set(answers={**machine.top.answers, state.into: list(picked)})
        machine.go(state.then.value)
        return True
    if mark == "p" and value.isdecimal():
        machine.set(page=int(value))
    elif mark == "+" and value in values:
        machine.set(picked=(*(p for p in picked if p != value), value))
    elif mark == "-" and value in values:
        machine.set(picked=tuple(p for p in picked if p != value))
    else:
        return False
    machine.ask(edits=event.source)
    return True


# --- from outside ------------------------------------------------------------------------------


def _outcome(machine: Machine, event: Outcome) -> None:
    if not machine.frames or machine.top.pending != event.key or not isinstance(machine.state, Do):
        return  # the resident went elsewhere meanwhile
    state = machine.state
    if event.failure:
        if state.missed:
            machine.keep(state.missed(machine.answers()))
        named = {failure.value: to for failure, to in state.failed.items()}
        machine.enter(named.get(event.failure, state.otherwise).value)
        return
    if state.keep:
        machine.keep(state.keep(machine.answers(), event.value))
    machine.enter(state.then.value)


def _slow(machine: Machine, event: Slow) -> None:
    if machine.frames and machine.top.pending == event.key:
        state = machine.state
        if isinstance(state, Do) and state.slow:
            machine.say(say(state.slow))


def _woken(machine: Machine, event: Woken) -> None:
    if machine.frames and machine.top.dialog == event.dialog:
        state = machine.state
        edge = state.wakes.get(event.kind) if isinstance(state, Ask | Choose | Pick | Do) else None
        if edge is not None and edge.ref(machine.answers()) == event.ref:
            if edge.to is not None:
                if edge.keep:
                    machine.keep(edge.keep(machine.answers(), event.data))
                machine.enter(edge.to.value)
            return
    notice = machine.book.dialogs[event.dialog].notices.get(event.kind)
    if notice is not None:
        machine.say(notice(event.data))


def _elapsed(machine: Machine, event: Elapsed) -> None:
    if not machine.frames or machine.top.asked != event.asked:
        return
    state = machine.state
    if isinstance(state, Waiting) and state.after and machine.due and machine.now >= machine.due:
        machine.enter(state.after.to.value)

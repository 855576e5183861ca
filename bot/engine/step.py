"""``step``: one event through the dialogs. Pure: no clock, no network, no store, no files."""

import hashlib
from typing import Final

import msgspec

from bot.engine import answers, commands, words
from bot.engine.book import Book
from bot.engine.machine import Machine
from bot.engine.turn import Erased, Key, Turn
from bot.i18n.speech import guess_language
from bot.i18n.text import say
from bot.model import Attached, Elapsed, Event, Outcome, Pressed, Session, Slow, Typed, Woken
from bot.spec import Ask, Choose, Do, Notice, Pick, Upload, Waiting

SEEN: Final = 12
"""Event ids remembered; channels redeliver within a few messages."""
LONGEST_MESSAGE: Final = 1000
"""Characters. No question here needs more than a pasted list."""
FORGET_AFTER: Final = 24 * 3600
"""Seconds after which the answers of a dialog left half-way are gone (design, section 6)."""
REMIND_AFTER: Final = 3600
"""Seconds after which a resident is shown where they were before going on."""


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
    try:
        return _stepped(Machine(book, session, now), event, mark)
    except msgspec.ValidationError:  # answers that do not fit, under a version that says they do
        return _stepped(Machine(book, session, now), event, mark, doubted=True)


def _stepped(machine: Machine, event: Event, mark: int, *, doubted: bool = False) -> Turn:
    moved = machine.migrate(doubted=doubted)
    match event:
        case Typed() | Pressed() | Attached():
            _resident(machine, event, moved=moved)
        case _:
            if moved:
                machine.enter(machine.top.state)
            _outside(machine, event)
    return machine.turn((*machine.before.seen, mark)[-SEEN:])


def awaited(book: Book, session: Session, now: int) -> tuple[str, ...]:
    """Kinds of files that would answer the question of ``session`` now; a channel keeps no others."""
    if not session.frames or now - session.touched > FORGET_AFTER:
        return ()
    frame = session.frames[-1]
    dialog = book.dialogs.get(frame.dialog)
    state = {name.value: each for name, each in dialog.states.items()}.get(frame.state) if dialog else None
    return state.kinds if isinstance(state, Upload) else ()


# --- the resident ------------------------------------------------------------------------------


def _resident(machine: Machine, event: Typed | Pressed | Attached, *, moved: bool) -> None:
    idle = machine.now - machine.touched
    first = not machine.frames or idle > FORGET_AFTER
    if first:
        machine.reset()
    machine.touched = machine.now
    if machine.signed:
        machine.signed = msgspec.structs.replace(machine.signed, until=machine.now + machine.book.signed_for)
    if not isinstance(event, Pressed):
        machine.pressed = ""  # something came between: the same button again is meant
    _guess_language(machine, event)
    if moved and not first:
        machine.enter(machine.top.state)
    if first and not _commands(event):
        _first(machine, event)
    elif moved and not _commands(event):
        if isinstance(event, Pressed):
            answers.disarm(machine, event)
    elif isinstance(event, Pressed):
        answers.pressed(machine, event)
    elif isinstance(event, Typed):
        _typed(machine, event, long_ago=idle > REMIND_AFTER)
    else:
        answers.attached(machine, event)


def _commands(event: Typed | Pressed | Attached) -> bool:
    """Whether it is a command, typed or on a button: it means the same whatever came before."""
    match event:
        case Typed(text=text):
            return text.lstrip().startswith("/")
        case Pressed(token=token):
            return token.startswith("/")
        case _:
            return False


def _guess_language(machine: Machine, event: Typed | Pressed | Attached) -> None:
    """Until the resident chooses: the language they write in, else the one the channel names."""
    if machine.chosen:
        return
    guess = ""
    if isinstance(event, Typed) and not _commands(event) and not isinstance(machine.state, Ask):
        guess = guess_language(event.text)  # an answer such as a passport number says nothing of a language
    if not guess and not machine.before.frames and event.language:
        guess = "ar" if event.language.lower().split("-")[0] == "ar" else "en"
    machine.language = guess or machine.language


def _first(machine: Machine, event: Typed | Pressed | Attached) -> None:
    """The first message of an empty chat: a whole request is answered at once, else the greeting."""
    if isinstance(event, Typed) and len(event.text) <= LONGEST_MESSAGE:
        machine.note(machine.book.intro)
        if answers.ask_anew(machine, event.text.strip()):
            return
        machine.notes.clear()
    if isinstance(event, Pressed):
        answers.disarm(machine, event)
    machine.enter(str(machine.book.home.start))


def _typed(machine: Machine, event: Typed, *, long_ago: bool) -> None:
    text = event.text.strip()
    state = machine.state
    if isinstance(state, Ask) and state.secret and event.source:
        machine.replies.append(Erased(event.source))
    if text.startswith("/"):
        commands.run(machine, text)
    elif len(text) <= LONGEST_MESSAGE and answers.by_label(machine, text):
        return
    elif command := machine.book.speech.command(text):
        commands.run(machine, f"/{command}")
    elif len(text) > LONGEST_MESSAGE:
        machine.note(say(words.TOO_LONG))
        machine.ask()
    elif long_ago and commands.half_way(machine) and not answers.says_enough(machine, text):
        commands.carry_on(machine)
    elif isinstance(state, Ask):
        answers.answer(machine, state, text)
    elif isinstance(state, Choose | Upload | Pick):
        answers.choose_in_words(machine, state, text)
    else:
        machine.say(say(words.WORKING))


# --- from outside ------------------------------------------------------------------------------


def _outside(machine: Machine, event: Event) -> None:
    match event:
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


def _outcome(machine: Machine, event: Outcome) -> None:
    if not machine.frames or machine.top.pending != event.key or not isinstance(machine.state, Do):
        return  # the resident went elsewhere meanwhile
    state = machine.state
    if event.failure:
        if state.missed:
            machine.keep(state.missed(machine.answers()))
        named = {failure.value: to for failure, to in state.failed.items()}
        machine.enter(str(named.get(event.failure, state.otherwise)))
        return
    if state.signs:
        machine.sign(state.signs(event.value))
    if state.keep:
        machine.keep(state.keep(machine.answers(), event.value))
    machine.enter(str(state.then))


def _slow(machine: Machine, event: Slow) -> None:
    if machine.frames and machine.top.pending == event.key:
        state = machine.state
        if isinstance(state, Do) and state.slow:
            machine.say(say(state.slow))


def _woken(machine: Machine, event: Woken) -> None:
    _wake_below(machine, event)
    if machine.frames and machine.top.dialog == event.dialog:
        state = machine.state
        edge = state.wakes.get(event.kind) if isinstance(state, Waiting | Do) else None
        if edge is not None and edge.ref(machine.answers()) == event.ref:
            if edge.to is not None:
                if edge.keep:
                    machine.keep(edge.keep(machine.answers(), event.data))
                machine.enter(str(edge.to))
            return
    dialog = machine.book.dialogs.get(event.dialog)
    if dialog is not None and (notice := dialog.notices.get(event.kind)) is not None:
        machine.say(notice.text(event.data), _doors(notice, event))


def _wake_below(machine: Machine, event: Woken) -> None:
    """A question that was left for something aside hears it, too, and is asked as it stands by then."""
    if not machine.frames or not machine.aside or machine.frames[-2].dialog != event.dialog:
        return
    top = machine.frames.pop()
    state = machine.state
    edge = state.wakes.get(event.kind) if isinstance(state, Waiting | Do) else None
    if edge is not None and edge.to is not None and edge.ref(machine.answers()) == event.ref:
        if edge.keep:
            machine.keep(edge.keep(machine.answers(), event.data))
        machine.set(state=str(edge.to))
    machine.frames.append(top)


def _doors(notice: Notice, event: Woken) -> tuple[tuple[Key, ...], ...]:
    """The notice's buttons."""
    url = notice.link[1](event.data) if notice.link else ""
    page = (Key(say(notice.link[0]), url=url),) if notice.link and url else ()
    door = (Key(say(notice.door.label), notice.door.command),) if notice.door else ()
    return tuple(row for row in (page, door) if row)


def _elapsed(machine: Machine, event: Elapsed) -> None:
    if not machine.frames or machine.top.asked != event.asked:
        return
    state = machine.state
    if isinstance(state, Waiting) and state.after and machine.due and machine.now >= machine.due:
        machine.enter(str(state.after.to))

"""The engine's own commands, the same in every state: ``/menu /back /cancel /language /help /start``.

A service's name is a command, too: ``/receipts`` begins it, as its button in the menu does.
"""

from bot.engine import words
from bot.engine.machine import Machine
from bot.engine.turn import Key
from bot.i18n.text import Arg, Lines, Text, say
from bot.spec import Waiting


def run(machine: Machine, text: str) -> None:
    """Do the command ``text`` (``/language en``); an unknown one is told so."""
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
        case "signout":
            machine.note(say(words.SIGNED_OUT if machine.signed else words.NOT_SIGNED_IN))
            machine.signed = None
            machine.reset()
            machine.enter(machine.book.menu)
        case "help":
            parts: list[Arg] = [Text(words.HELP, words.COMMANDS)]
            if machine.dialog.help:
                parts.insert(0, say(machine.dialog.help))
            machine.note(Lines(tuple(parts)))
            machine.ask()
        case "resume":
            machine.ask()
        case _ if (door := machine.book.door(name)) is not None:
            machine.reset()
            machine.enter(door)
        case _:
            machine.note(Text(words.UNKNOWN_COMMAND, words.COMMANDS))
            machine.ask()


def half_way(machine: Machine) -> bool:
    """Whether something was begun and is not done."""
    state = machine.state
    return len(machine.frames) > 1 and not (isinstance(state, Waiting) and state.rest)


def carry_on(machine: Machine) -> None:
    """Show where the resident was; nothing is lost, nothing is asked twice."""
    title = machine.book.dialogs[machine.frames[1].dialog].title
    machine.say(
        say(words.CARRY_ON, title=say(title)),
        ((Key(say(words.RESUME), "/resume"),), (Key(say(words.OVER), "/menu"),)),
    )


def _start(machine: Machine, argument: str) -> None:
    if argument and (frame := machine.book.open(argument, machine.today, deep=True)):
        if not machine.before.frames:
            machine.note(machine.book.intro)
        machine.open(frame)
    elif half_way(machine):
        carry_on(machine)
    else:
        machine.reset()
        machine.enter(str(machine.book.home.start))


def _cancel(machine: Machine) -> None:
    if len(machine.frames) > 1:
        machine.set(trail=())
        machine.enter(str(machine.dialog.cancel))
    else:
        machine.enter(machine.book.menu)


def _language(machine: Machine, argument: str) -> None:
    other = "en" if machine.language == "ar" else "ar"
    machine.language = argument if argument in ("ar", "en") else other
    machine.chosen = True
    machine.note(say(words.LANGUAGE_SET))
    machine.ask()

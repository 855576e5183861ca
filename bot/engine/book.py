"""All dialogs together, with the words the engine needs: an immutable table given to every step."""

from datetime import date
from enum import StrEnum
from typing import Any, Final

import msgspec

from bot.i18n.speech import Speech
from bot.i18n.text import Arg
from bot.model import Frame
from bot.spec import Call, Dialog

ID_LENGTH: Final = 14
"""Longest id of a dialog and of a state, so that a button's token stays within Telegram's 64 bytes."""


class Book:
    """The dialogs by id.

    Args:
        dialogs: all of them.
        home: id of the root dialog, whose `Call` states are the services.
        menu: the home state that ``/menu`` leads to.
        speech: word tables.
        intro: said before a first answer that skips the greeting.
        signed_for: seconds without a message after which nobody is signed in any more.
        megabytes: the largest file that channels take.
        retired: ids of dialogs that earlier releases had. Any other unknown one is a newer release's.
    """

    def __init__(
        self,
        dialogs: tuple[Dialog[Any], ...],
        home: str,
        menu: StrEnum,
        speech: Speech,
        intro: Arg,
        signed_for: int = 1800,
        megabytes: int = 5,
        retired: frozenset[str] = frozenset(),
    ) -> None:
        self.dialogs = {dialog.id: dialog for dialog in dialogs}
        self.home = self.dialogs[home]
        self.speech = speech
        self.intro = intro
        self.menu = menu.value
        self.signed_for = signed_for
        self.megabytes = megabytes
        self.retired = retired
        self._doors = {
            state.dialog: name for name, state in self.home.states.items() if isinstance(state, Call)
        }

    def door(self, dialog: str) -> str | None:
        """The home state that calls ``dialog``."""
        return self._doors.get(dialog)

    def open(
        self, text: str, today: date, *, deep: bool = False, aside: bool = False, sure: bool = False
    ) -> Frame | None:
        """The frame of the first dialog that recognises ``text`` as a whole request, ``aside`` or any, ``sure`` or any."""
        for dialog in self.dialogs.values():
            for opening in dialog.openings:
                heard = (
                    opening.deep == deep and (opening.aside or not aside) and not (opening.doubtful and sure)
                )
                if heard and (answers := opening.recognise(text, today)) is not None:
                    return Frame(
                        dialog.id, dialog.version, str(opening.at), answers=msgspec.to_builtins(answers)
                    )
        return None

    def start(self, dialog: str, answers: msgspec.Struct | None = None) -> Frame:
        """A frame at the start of ``dialog``. Its answers are whole, whatever is given: a migration relies on each of them."""
        found = self.dialogs[dialog]
        if answers is None:
            answers = found.answers()
        given = msgspec.to_builtins(answers)
        if type(answers) is not found.answers:
            given = msgspec.to_builtins(msgspec.convert(given, found.answers))
        return Frame(found.id, found.version, str(found.start), answers=given)

"""What is said in one step: where a dialog is, the question asked there, its buttons."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final

import msgspec

from bot.clock import local
from bot.engine import words
from bot.engine.book import Book
from bot.engine.turn import Key, Reply, Said, Work
from bot.i18n.catalog import LANGUAGES
from bot.i18n.text import EMPTY, Arg, Lines, Msg, Text, say
from bot.model import Frame, Session, Signed
from bot.spec import (
    Ask,
    Call,
    Choice,
    Choose,
    Command,
    Dialog,
    Identify,
    Link,
    Option,
    Pick,
    Show,
    State,
    Upload,
    Waiting,
)

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

Asking = Ask[Any] | Choose[Any] | Upload[Any] | Pick[Any]


@lru_cache(maxsize=4096)  # a question's number, in each of its buttons and again when one is pressed
def base36(number: int) -> str:
    """``number`` in few characters, for button tokens."""
    out = ""
    while number:
        number, rest = divmod(number, 36)
        out = _DIGITS[rest] + out
    return out or "0"


class Talk:
    """Where one step is, and what it says."""

    def __init__(self, book: Book, session: Session, now: int) -> None:
        self.book = book
        self.now = now
        self.before = session
        self.rev = session.rev + 1 if session.rev else now
        self.frames = list(session.frames)
        self.language = session.language if session.language in LANGUAGES else LANGUAGES[0]
        self.chosen = session.chosen
        self.pressed = session.pressed
        self.touched = session.touched
        self.due = session.due
        self.signed: Signed | None = session.signed if session.signed and now < session.signed.until else None
        self.notes: list[Arg] = []
        self.replies: list[Reply] = []
        self.works: list[Work] = []
        # What was found out about a frame, which changes only by being replaced.
        self._read: tuple[Frame, Any] | None = None
        self._stood: tuple[Frame, State[Any]] | None = None

    # --- where we are ---------------------------------------------------------------------------

    @property
    def today(self) -> date:
        """Today in Kuwait."""
        return local(self.now).date()

    @property
    def top(self) -> Frame:
        """The frame that is talked to."""
        return self.frames[-1]

    @property
    def dialog(self) -> Dialog[Any]:
        """The dialog of the top frame."""
        return self.book.dialogs[self.top.dialog]

    @property
    def state(self) -> State[Any]:
        """The state of the top frame."""
        top = self.frames[-1]
        if self._stood is None or self._stood[0] is not top:
            self._stood = top, self._state(top)
        return self._stood[1]

    def _state(self, frame: Frame) -> State[Any]:
        states: Mapping[Any, State[Any]] = self.book.dialogs[frame.dialog].states
        return states[frame.state]

    def answers(self) -> Any:
        """The top frame's answers, in the dialog's own type.

        Asked for several times a step, and read once: they are values, which nobody changes in place.
        """
        top, read = self.frames[-1], self._read
        if read is None:
            read = top, self._answers_of(top)
        elif read[0] is not top:
            same = read[0].answers is top.answers and read[0].dialog == top.dialog
            read = top, read[1] if same else self._answers_of(top)
        self._read = read
        return read[1]

    def _answers_of(self, frame: Frame) -> Any:
        return msgspec.convert(frame.answers, self.book.dialogs[frame.dialog].answers)

    def set(self, **fields: Any) -> None:
        """Change the top frame."""
        self.frames[-1] = msgspec.structs.replace(self.frames[-1], **fields)

    def keep(self, answers: msgspec.Struct) -> None:
        """Take new answers into the top frame."""
        self.set(answers=msgspec.to_builtins(answers))
        if type(answers) is self.dialog.answers:
            self._read = self.frames[-1], answers

    @property
    def aside(self) -> bool:
        """Whether this dialog was begun in the middle of another one's question, to which it leads back."""
        return len(self.frames) > 1 and not isinstance(self._state(self.frames[-2]), Call | Identify)

    # --- talking --------------------------------------------------------------------------------

    def show(self, what: Show[Any], answers: Any) -> Arg:
        """The text of ``what``."""
        return Text(what) if isinstance(what, Msg) else what(answers)

    def note(self, text: Arg) -> None:
        """Say ``text`` above what is asked next."""
        self.notes.append(text)

    def say(
        self,
        text: Arg,
        rows: tuple[tuple[Key, ...], ...] = (),
        edits: str = "",
        awaits: tuple[str, ...] = (),
    ) -> None:
        """Say ``text`` under the notes gathered so far."""
        parts: list[Arg] = []
        for part in [*self.notes, text]:
            if part != EMPTY:
                parts += [EMPTY, part] if parts else [part]
        self.notes = []
        whole = parts[0] if len(parts) == 1 else Lines(tuple(parts))
        self.replies.append(Said(whole, rows, edits, awaits))

    def flush(self) -> None:
        """Say the notes that nothing followed."""
        if self.notes:
            self.say(EMPTY)

    def ask(self, edits: str = "") -> None:
        """Ask the current question (again), under the notes gathered so far."""
        state = self.state
        if isinstance(state, Waiting):
            awaits = state.kinds if isinstance(state, Upload) else ()
            self.say(self.prompt(state), self.rows(state), edits, awaits)
        else:
            self.say(say(words.WORKING))

    def prompt(self, state: Asking) -> Arg:
        """The question's text."""
        return self.show(state.prompt, self.answers())

    def visible(self, state: Asking) -> tuple[Choice[Any], ...]:
        """The choices that hold now."""
        if isinstance(state, Pick):
            return ()
        answers = self.answers()
        return tuple(
            [
                choice
                for choice in state.choices
                if isinstance(choice, Command) or choice.when is None or choice.when(answers)
            ]
        )

    def token(self, choice: str) -> str:
        """A button's token: which dialog, state, choice and asking it belongs to."""
        top = self.frames[-1]
        return f"{top.dialog}/{top.state}/{choice}/{base36(top.asked)}"

    def rows(self, state: Asking) -> tuple[tuple[Key, ...], ...]:
        """The question's buttons, the way back last."""
        answers = self.answers()
        if isinstance(state, Pick):
            rows = self._options(state, answers)
        else:
            rows = [(self._key(choice, answers),) for choice in self.visible(state)]
        way_back: list[Key] = []
        if self.can_go_back(state):
            way_back.append(Key(say(words.BACK), self.token("<")))
        if len(self.frames) > 1:
            way_back.append(Key(say(words.MENU), "/menu"))
        return (*rows, tuple(way_back)) if way_back else tuple(rows)

    def can_go_back(self, state: Asking) -> bool:
        """Whether a way back is offered (``/back`` itself always works)."""
        if state.rest:
            return self.aside
        return state.back is not None or (bool(self.top.trail) or len(self.frames) > 2)  # noqa: PLR2004 - home, caller

    def _key(self, choice: Choice[Any], answers: Any) -> Key:
        match choice:
            case Link():
                return Key(self.show(choice.label, answers), url=choice.url(answers))
            case Command():
                return Key(say(choice.label), choice.command)
            case _:
                return Key(self.show(choice.label, answers), self.token(choice.token))

    def pages(self, state: Pick[Any]) -> int:
        """How many pages the list has."""
        return max(1, -(-len(state.options(self.answers())) // state.page))

    def _options(self, state: Pick[Any], answers: Any) -> list[tuple[Key, ...]]:
        options = state.options(answers)
        pages = self.pages(state)
        page = min(self.top.page, pages - 1)
        shown = options[page * state.page : (page + 1) * state.page]
        rows: list[tuple[Key, ...]] = [(self._option(state, option),) for option in shown]
        turning = [
            Key(say(label), self.token(f"p{to}"))
            for label, to in ((words.PREVIOUS_PAGE, page - 1), (words.NEXT_PAGE, page + 1))
            if 0 <= to < pages
        ]
        if turning:
            rows.append(tuple(turning))
        if self.top.picked and state.done:
            rows.append((Key(state.done(answers, self.top.picked), self.token("done")),))
        return rows

    def _option(self, state: Pick[Any], option: Option) -> Key:
        if state.done is None:
            return Key(option.label, self.token(f"={option.value}"))
        picked = option.value in self.top.picked
        template = words.PICKED if picked else words.UNPICKED
        return Key(say(template, choice=option.label), self.token(f"{'-' if picked else '+'}{option.value}"))

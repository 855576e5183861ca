"""Moves through dialogs: entering states, asking questions, calling and leaving dialogs.

A `Machine` lives for one step. It changes only itself; `step` hands its result out as values.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final

import msgspec

from bot.clock import local
from bot.engine import words
from bot.engine.book import Book
from bot.engine.turn import Key, Reply, Said, Turn, Work
from bot.engine.versions import migrated
from bot.errors import BotError, FromNewer
from bot.i18n.catalog import LANGUAGES
from bot.i18n.text import EMPTY, Arg, Lines, Msg, say
from bot.model import Frame, Session, Signed
from bot.spec import (
    Ask,
    Call,
    Choice,
    Choose,
    Command,
    Decide,
    Dialog,
    Do,
    End,
    Identify,
    Link,
    Option,
    Pick,
    Show,
    State,
    Upload,
    Waiting,
)

_HOPS: Final = 64
"""More moves than this without a question is a fault of the dialogs (`bot.graph` finds it first)."""
_TRAIL: Final = 12
FRESH: Final = 300
"""Seconds after signing in within which nothing asks for it again."""
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


class Machine:
    """The moving parts of one step."""

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
        self.signed = session.signed if session.signed and now < session.signed.until else None
        self.notes: list[Arg] = []
        self.replies: list[Reply] = []
        self.works: list[Work] = []
        self._read: tuple[Frame, Any] | None = None

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
        return self._state(self.frames[-1])

    def _state(self, frame: Frame) -> State[Any]:
        states: Mapping[Any, State[Any]] = self.book.dialogs[frame.dialog].states
        return states[frame.state]

    def answers(self) -> Any:
        """The top frame's answers, in the dialog's own type.

        Asked for several times a step, and read once: they are values, which nobody changes in place.
        """
        top = self.frames[-1]
        if (
            self._read is None
            or self._read[0].answers is not top.answers
            or self._read[0].dialog != top.dialog
        ):
            self._read = top, msgspec.convert(top.answers, self.book.dialogs[top.dialog].answers)
        return self._read[1]

    def set(self, **fields: Any) -> None:
        """Change the top frame."""
        self.frames[-1] = msgspec.structs.replace(self.frames[-1], **fields)

    def keep(self, answers: msgspec.Struct) -> None:
        """Take new answers into the top frame."""
        self.set(answers=msgspec.to_builtins(answers))

    # --- moving ---------------------------------------------------------------------------------

    def go(self, to: str) -> None:
        """Leave the current question for ``to``, remembering it for ``/back``."""
        state = self.state
        if isinstance(state, Waiting) and state.entry:
            self.set(trail=(*self.top.trail, self.top.state)[-_TRAIL:])
        self.enter(to)

    def enter(self, to: str) -> None:
        """Enter ``to`` and go on until something is asked, waited for, or there is nothing left."""
        self.set(state=to, asked=self.rev, misses=0, page=0, picked=(), pending="")
        self._come_to_rest()

    def _come_to_rest(self) -> None:
        start = self.top
        for _ in range(_HOPS):
            if self._settle():
                return
        raise BotError(f"dialog {start.dialog} does not come to rest from {start.state}")

    def _settle(self) -> bool:
        """One move; True once the resident or an effect is waited for."""
        state = self.state
        match state:
            case Decide():
                answers = self.answers()
                to = next((to for guard, to in state.cases if guard(answers)), state.otherwise)
                self.set(state=to.value)
            case Do():
                self._start(state)
                return True
            case Call():
                given = state.given(self.answers()) if state.given else None
                self.push(self.book.start(state.dialog, given))
            case Identify():
                if self._known(state):
                    self.set(state=state.then.value)
                else:
                    self.push(self.book.start("identify"))
            case End():
                self._end(state)
            case _:
                self._arrive(state)
                return True
        return False

    @property
    def aside(self) -> bool:
        """Whether this dialog was begun in the middle of another one's question, to which it leads back."""
        return len(self.frames) > 1 and not isinstance(self._state(self.frames[-2]), Call | Identify)

    @property
    def keeps_place(self) -> bool:
        """Whether the question it leads back to would be lost by beginning something else."""
        below = self._state(self.frames[-2]) if self.aside else None
        return below is not None and not (isinstance(below, Waiting) and (below.rest or below.listens))

    def begin_aside(self, frame: Frame) -> None:
        """Put ``frame`` on top of the question under way; in place of an earlier one of its dialog."""
        if self.top.dialog == frame.dialog:
            self.frames.pop()
        self.push(frame)
        self.enter(frame.state)

    def _known(self, state: Identify[Any]) -> bool:
        """Whether whoever is signed in is enough for ``state``."""
        if self.signed is None:
            return False
        again = state.again is not None and state.again(self.answers())
        return not again or self.now - self.signed.at <= FRESH

    def sign(self, civil_id: str) -> None:
        """From now on the chat is signed in as ``civil_id``."""
        self.signed = Signed(civil_id, self.now, self.now + self.book.signed_for)

    def push(self, frame: Frame) -> None:
        """Put ``frame`` on the stack; it has just been entered."""
        self.frames.append(msgspec.structs.replace(frame, asked=self.rev))

    def open(self, frame: Frame) -> None:
        """Begin anew at home with ``frame`` on top, as if it had been chosen in the menu."""
        self.reset()
        if (door := self.book.door(frame.dialog)) is not None:
            self.set(state=door)
        self.push(frame)
        self.enter(frame.state)

    def reset(self) -> None:
        """An empty stack: home alone."""
        self.frames = [msgspec.structs.replace(self.book.start(self.book.home.id), asked=self.rev)]

    def _start(self, state: Do[Any]) -> None:
        key = f"{self.rev}:{len(self.works)}"
        self.works.append(Work(key, state.make(self.answers()), state.timeout, state.slow is not None))
        self.set(pending=key)
        self.due = 0

    def _arrive(self, state: Asking) -> None:
        self.due = state.after.at(self.answers(), self.now) if state.after else 0
        if state.silent:
            self.flush()
        else:
            self.ask()

    def _end(self, state: End[Any]) -> None:
        answers = self.answers()
        if state.message is not None:
            self.notes.append(self.show(state.message, answers))
        value = state.value(answers) if state.value else None
        self.leave(value)

    def leave(self, value: Any) -> None:
        """Pop the top frame and hand ``value`` (None for none) to the caller."""
        self.frames.pop()
        if not self.frames:
            self.reset()
            return
        caller = self.state
        if not isinstance(caller, Call | Identify):  # a question that was left for something aside
            self.set(asked=self.rev, misses=0)
            return
        if value is not None and isinstance(caller, Call) and caller.keep:
            self.keep(caller.keep(self.answers(), value))
        to = caller.then if value is not None else caller.left
        self.set(state=to.value, asked=self.rev, misses=0, page=0, picked=())

    def back(self) -> None:
        """To the question before, or to the caller's."""
        state = self.state
        if isinstance(state, Waiting) and state.back is not None:
            self.enter(state.back.value)
        elif self.top.trail:
            *trail, last = self.top.trail
            self.set(trail=tuple(trail))
            self.enter(last)
        elif len(self.frames) > 1:
            self.leave(None)
            self._come_to_rest()
        else:
            self.ask()

    # --- talking --------------------------------------------------------------------------------

    def show(self, what: Show[Any], answers: Any) -> Arg:
        """The text of ``what``."""
        return say(what) if isinstance(what, Msg) else what(answers)

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

    # --- versions -------------------------------------------------------------------------------

    def migrate(self, *, doubted: bool = False) -> bool:
        """Bring frames written by older dialogs up to date; what cannot be kept begins anew, said once.

        Args:
            doubted: look at the answers of today's dialogs, too.

        Returns:
            True when the top frame's state has to be entered: the one it stood in is gone.

        Raises:
            FromNewer: a newer release's dialog wrote a frame.
        """
        stood = self.top.state if self.frames else ""
        for index, frame in enumerate(self.frames):
            dialog = self.book.dialogs.get(frame.dialog)
            if dialog is None:
                if frame.version and frame.dialog not in self.book.retired:  # 0: the frame of a lost session
                    raise FromNewer(f"dialog {frame.dialog}")
                self.frames = self.frames[:index]
                self._without_callee()
                break
            if frame.version > dialog.version:
                raise FromNewer(f"dialog {dialog.id} version {frame.version}")
            if frame.version < dialog.version or doubted:
                self.frames[index] = migrated(frame, dialog)
            if self.frames[index].state not in dialog.states:  # a name is equal to its text
                start = msgspec.structs.replace(self.frames[index], state=dialog.start.value, trail=())
                self.frames = [*self.frames[:index], start]
                break
        else:
            # An effect under way goes on in the state that took its state's place.
            waits = bool(self.frames) and self.top.pending != "" and isinstance(self.state, Do)
            return bool(self.frames) and self.top.state != stood and not waits
        self.note(say(words.CHANGED))
        return True

    def _without_callee(self) -> None:
        """The dialog that was called is gone: its caller goes on as if it had been left."""
        if not self.frames:
            self.reset()
        elif isinstance(caller := self.state, Call | Identify):
            self.set(state=caller.left.value)

    def turn(self, seen: tuple[int, ...]) -> Turn:
        """The result of the step."""
        self.flush()
        session = msgspec.structs.replace(
            self.before,
            rev=self.rev,
            language=self.language,
            chosen=self.chosen,
            frames=tuple(self.frames),
            seen=seen,
            pressed=self.pressed,
            touched=self.touched,
            due=self.due,
            signed=self.signed,
        )
        return Turn(session, tuple(self.replies), tuple(self.works))

"""Moves through dialogs: entering states, asking questions, calling and leaving dialogs.

A `Machine` lives for one step. It changes only itself; `step` hands its result out as values.
"""

from typing import Any, Final

import msgspec

from bot.engine import words
from bot.engine.talk import Asking, Talk
from bot.engine.turn import Turn, Work
from bot.engine.versions import migrated
from bot.errors import BotError, FromNewer
from bot.i18n.text import say
from bot.model import Frame, Signed
from bot.spec import (
    Call,
    Decide,
    Do,
    End,
    Identify,
    Waiting,
)

_HOPS: Final = 64
"""More moves than this without a question is a fault of the dialogs (`bot.graph` finds it first)."""
_TRAIL: Final = 12
FRESH: Final = 300
"""Seconds after signing in within which nothing asks for it again."""


class Machine(Talk):
    """The moving parts of one step."""

    # --- moving ---------------------------------------------------------------------------------

    def go(self, to: str) -> None:
        """Leave the current question for ``to``, remembering it for ``/back``."""
        state, top = self.state, self.top
        trail = top.trail
        if isinstance(state, Waiting) and state.entry:
            trail = (*trail, top.state)[-_TRAIL:]
        self._enter(to, trail)

    def enter(self, to: str) -> None:
        """Enter ``to`` and go on until something is asked, waited for, or there is nothing left."""
        self._enter(to, self.top.trail)

    def _enter(self, to: str, trail: tuple[str, ...]) -> None:
        top = self.top  # all but where it stands begins anew
        self.frames[-1] = Frame(top.dialog, top.version, to, self.rev, top.answers, trail)
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
                self.set(state=str(to))
            case Do():
                self._start(state)
                return True
            case Call():
                given = state.given(self.answers()) if state.given else None
                self.push(self.book.start(state.dialog, given))
            case Identify():
                if self._known(state):
                    self.set(state=str(state.then))
                else:
                    self.push(self.book.start("identify"))
            case End():
                self._end(state)
            case _:
                self._arrive(state)
                return True
        return False

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
        self.set(state=str(to), asked=self.rev, misses=0, page=0, picked=())

    def back(self) -> None:
        """To the question before, or to the caller's."""
        state = self.state
        if isinstance(state, Waiting) and state.back is not None:
            self.enter(str(state.back))
        elif self.top.trail:
            *trail, last = self.top.trail
            self.set(trail=tuple(trail))
            self.enter(last)
        elif len(self.frames) > 1:
            self.leave(None)
            self._come_to_rest()
        else:
            self.ask()

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
                start = msgspec.structs.replace(self.frames[index], state=str(dialog.start), trail=())
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
            self.set(state=str(caller.left))

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

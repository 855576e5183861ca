"""The words dialogs are written in. A dialog is a value: it can be checked, drawn and walked without running.

States, questions, choices and targets are data; parsers, guards and message arguments are small pure
functions of the answers. ``/back``, ``/menu``, ``/cancel``, ``/language`` and ``/help`` are the engine's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from bot.i18n.text import Arg, Msg, Text
from bot.ports import Effect

A = TypeVar("A", bound=msgspec.Struct)
"""The dialog's answers."""


class Fault(StrEnum):
    """Failures any effect can have; a `Do` answers them in ``failed`` or in ``otherwise``."""

    UNAVAILABLE = "unavailable"  # the outside system does not answer
    TIMEOUT = "timeout"  # it did not answer within the effect's time
    BROKEN = "broken"  # it answered something its contract does not allow, or we failed
    UNSIGNED = "unsigned"  # nobody is signed in any more
    FORBIDDEN = "forbidden"  # whoever is signed in may not do this


class Invalid(msgspec.Struct, frozen=True):
    """What a parser returns for an answer it cannot take: what is wrong, and with which part."""

    text: Text


Show = Msg | Callable[[A], Arg]
"""What a state says: a message without arguments, or a function of the answers."""

Parse = Callable[[str, date], Any]
"""Reads what a resident wrote; the date is today in Kuwait. Returns the value or `Invalid`."""


@dataclass(frozen=True)
class Go(Generic[A]):
    """A choice that leads to ``to``; shown when ``when`` holds; ``put`` changes the answers on the way.

    Attributes:
        target: name of the state ``to``, asked for in every turn: an enumeration's takes long to tell its value.
        token: the choice's name in a button.
    """

    label: Show[A]
    to: StrEnum
    when: Callable[[A], bool] | None = None
    put: Callable[[A], A] | None = None
    id: str = ""  # distinguishes two choices with one target
    target: str = field(init=False, repr=False, compare=False)
    token: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", self.to.value)
        object.__setattr__(self, "token", self.id or self.to.value)


@dataclass(frozen=True)
class Link(Generic[A]):
    """A button that opens a page; shown when ``when`` holds."""

    label: Show[A]
    url: Callable[[A], str]
    when: Callable[[A], bool] | None = None


@dataclass(frozen=True)
class Command:
    """A button that does what typing ``command`` does, such as ``/language en``."""

    label: Msg
    command: str


Choice = Go[A] | Link[A] | Command


@dataclass(frozen=True)
class After(Generic[A]):
    """A timer edge: at the moment ``at`` (epoch seconds, from the answers and now) go ``to``."""

    at: Callable[[A, int], int]
    to: StrEnum


@dataclass(frozen=True)
class WakesTo(Generic[A]):
    """Where a happening from outside leads, when it concerns what these answers are about.

    ``to`` is None where the state already tells it; ``keep`` takes the happening's data into the answers.
    """

    ref: Callable[[A], str]
    to: StrEnum | None
    keep: Callable[[A, Mapping[str, Any]], A] | None = None


@dataclass(frozen=True, kw_only=True)
class Waiting(Generic[A]):
    """What every state that waits for the resident can have.

    Attributes:
        after: a timer edge.
        wakes: happenings from outside, by kind.
        back: where ``/back`` leads; by default the question before.
        entry: False where coming back makes no sense (the state is skipped by ``/back``).
        listens: a new request (a civil ID, the name of a service) is understood here.
        rest: the dialog has reached its aim; like ``listens``, and it counts as an end.
        silent: says nothing on arrival, only when the resident writes.
    """

    after: After[A] | None = None
    wakes: Mapping[str, WakesTo[A]] = field(default_factory=dict[str, WakesTo[A]])
    back: StrEnum | None = None
    entry: bool = True
    listens: bool = False
    rest: bool = False
    silent: bool = False


@dataclass(frozen=True)
class Ask(Waiting[A]):
    """A typed answer, read by ``parse`` into the answer ``into``; or one of the ``choices``.

    Attributes:
        hint: said at the second miss in a row: where to find what is asked.
        secret: the resident's message is deleted from the chat where the channel can.
    """

    prompt: Show[A]
    parse: Parse
    into: str
    then: StrEnum
    choices: tuple[Choice[A], ...] = ()
    hint: Msg | None = None
    secret: bool = False


@dataclass(frozen=True)
class Choose(Waiting[A]):
    """Buttons.

    Attributes:
        noun: what is chosen: the answered question shrinks to ``noun: choice ✓``.
        leaves: a whole request that leaves no doubt (a civil ID) is understood here, too, and this is said above its answer,
            of what becomes of the question.
    """

    prompt: Show[A]
    choices: tuple[Choice[A], ...] = ()
    noun: Msg | None = None
    leaves: Show[A] | None = None


@dataclass(frozen=True)
class Upload(Waiting[A]):
    """A file; its reference goes into the answer ``into``. Or one of the ``choices``.

    Attributes:
        kinds: what counts as one (`bot.model.Attached.kind`).
    """

    prompt: Show[A]
    into: str
    then: StrEnum
    kinds: tuple[str, ...] = ("document",)
    choices: tuple[Choice[A], ...] = ()


@dataclass(frozen=True)
class Option:
    """One of a computed list. ``value`` (at most 24 ASCII characters) goes into the answers."""

    value: str
    label: Arg


@dataclass(frozen=True)
class Pick(Waiting[A]):
    """Of a computed, paged list: several (a tap toggles, ``done`` goes on), or one without ``done``.

    ``into`` is a tuple of values for several, one value for one.
    """

    prompt: Show[A]
    options: Callable[[A], tuple[Option, ...]]
    into: str
    then: StrEnum
    done: Callable[[A, tuple[str, ...]], Arg] | None = None
    page: int = 6


@dataclass(frozen=True)
class Do(Generic[A]):
    """An effect, and where each outcome leads. Waiting for it is a state like any other.

    Attributes:
        effect: its type; `make` builds one.
        keep: takes the result into the answers.
        refused: the effect's own enumeration of refusals; each has an edge in ``failed``.
        otherwise: the edge of every failure that ``failed`` does not name.
        missed: changes the answers on any failure (counts tries).
        timeout: seconds until the failure `Fault.TIMEOUT`.
        slow: said once when the outcome takes longer than a resident waits without a word.
        signs: the civil ID that the result vouches for; from now on the chat is signed in as that.
    """

    effect: type[Effect]
    make: Callable[[A], Effect]
    then: StrEnum
    otherwise: StrEnum
    keep: Callable[[A, Any], A] | None = None
    refused: type[StrEnum] | None = None
    failed: Mapping[StrEnum, StrEnum] = field(default_factory=dict[StrEnum, StrEnum])
    missed: Callable[[A], A] | None = None
    timeout: float = 30.0
    slow: Msg | None = None
    signs: Callable[[Any], str] | None = None
    wakes: Mapping[str, WakesTo[A]] = field(default_factory=dict[str, WakesTo[A]])


@dataclass(frozen=True)
class Decide(Generic[A]):
    """Goes on by itself: the first case whose guard holds, else ``otherwise``."""

    cases: tuple[tuple[Callable[[A], bool], StrEnum], ...]
    otherwise: StrEnum


@dataclass(frozen=True)
class Call(Generic[A]):
    """Runs another dialog on top of this one and takes its value.

    Attributes:
        dialog: the other dialog's id.
        given: its first answers, as that dialog's own answers type; None for its defaults.
        then: where its value leads; ``left`` where it ended without one (cancelled, gone back from).
    """

    dialog: str
    then: StrEnum
    left: StrEnum
    given: Callable[[A], msgspec.Struct] | None = None
    keep: Callable[[A, Any], A] | None = None


@dataclass(frozen=True)
class Identify(Generic[A]):
    """Goes on to ``then`` once somebody is signed in; to ``left`` if they would not.

    ``again`` names answers for which an old sign-in is not enough, such as a large sum: then one of the last
    `bot.engine.machine.FRESH` seconds is asked for.
    """

    then: StrEnum
    left: StrEnum
    again: Callable[[A], bool] | None = None


@dataclass(frozen=True)
class End(Generic[A]):
    """The dialog is over. ``value`` is handed to the caller; without it, the caller goes to ``left``."""

    message: Show[A] | None = None
    value: Callable[[A], Any] | None = None


State = Ask[A] | Choose[A] | Upload[A] | Pick[A] | Do[A] | Decide[A] | Call[A] | Identify[A] | End[A]


@dataclass(frozen=True)
class Opening(Generic[A]):
    """A message that says enough: ``recognise`` reads it into answers (or None), the dialog starts ``at``.

    ``deep`` openings read the argument of ``/start`` instead of what was written. ``aside`` ones are heard where no other
    new request is: on top of the question under way, which is asked again afterwards. ``doubtful`` ones may mean something
    else, so no question with `Choose.leaves` is left for them.
    """

    recognise: Callable[[str, date], A | None]
    at: StrEnum
    deep: bool = False
    aside: bool = False
    doubtful: bool = False


@dataclass(frozen=True)
class Notice:
    """What is said of an outside happening where no state waits for it.

    Attributes:
        text: from the happening's data.
        link: a button that opens a page: its label, and its address (empty for no button).
        door: a button that leads to a service.
    """

    text: Callable[[Mapping[str, Any]], Arg]
    link: tuple[Msg, Callable[[Mapping[str, Any]], str]] | None = None
    door: Command | None = None


@dataclass(frozen=True)
class Dialog(Generic[A]):
    """One service.

    Attributes:
        id: short (16 characters at most) and lasting: it is stored and stands in buttons.
        version: raised with every change of states or answers, with a step in ``migrations``.
        title: what the resident was doing, for "carry on where you were" and help.
        answers: a frozen msgspec Struct whose fields all have defaults.
        start: first state.
        cancel: where ``/cancel`` leads; an `End` without a value, or an effect that ends in one.
        notices: for outside happenings that no waiting state takes, by kind.
        migrations: ``{1: step}`` turns version 1 answers (plain values) into version 2, and so on.
        retired: names of states that earlier versions had, and the state in which whoever stands there goes on: it
            is asked anew. Without one, the dialog begins anew and says so.
        help: said by ``/help`` inside this dialog.
    """

    id: str
    version: int
    title: Msg
    answers: type[A]
    start: StrEnum
    cancel: StrEnum
    states: Mapping[StrEnum, State[A]]
    openings: tuple[Opening[A], ...] = ()
    notices: Mapping[str, Notice] = field(default_factory=dict[str, Notice])
    migrations: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = field(
        default_factory=dict[int, Callable[[dict[str, Any]], dict[str, Any]]]
    )
    retired: Mapping[str, StrEnum] = field(default_factory=dict[str, StrEnum])
    help: Msg | None = None

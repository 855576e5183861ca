"""What is said about reminders, and the answers it is said from."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from bot.dialogs.reminders.consent import CURRENT
from bot.dialogs.reminders.effects import Dropped, Ending, Known, Person
from bot.i18n.text import N_, NP_, Arg, Code, Day, Local, Msg, Plural, lines, say
from bot.residency.facts import Kin
from bot.residency.reminding import Kind
from bot.residency.words import KINS
from bot.spec import Option

_NAME: Final = 9
"""Letters of a name on a button: with the words around it a WhatsApp row takes 24."""


class Wishes(msgspec.Struct, frozen=True):
    """What is reminded of, and what is wanted.

    Attributes:
        known: how it stands.
        chosen: whose, by their places in ``known.people``.
        kinds: of what.
        one: what to take back: a place with a kind (``2.passport``).
        dropped: what came of taking back.
    """

    known: Known = Known()
    chosen: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    one: str = ""
    dropped: Dropped = Dropped()


KINDS: Final[Mapping[Kind, Msg]] = {
    Kind.RESIDENCY: N_("Residency"),
    Kind.PASSPORT: N_("Passport"),
    Kind.INSURANCE: N_("Health insurance"),
}
_SHORT: Final[Mapping[Kind, Msg]] = {**KINDS, Kind.INSURANCE: N_("Insurance")}
_KIN: Final[Mapping[Kin, Msg]] = {**KINS, Kin.SELF: N_("You"), Kin.DOMESTIC: N_("Household")}
_COMING: Final[Mapping[Kind, Plural]] = {
    Kind.RESIDENCY: NP_(
        "*{n} day* until the residency ends, on {day}. {whose}",
        "*{n} days* until the residency ends, on {day}. {whose}",
    ),
    Kind.PASSPORT: NP_(
        "*{n} day* until the passport ends, on {day}. {whose}",
        "*{n} days* until the passport ends, on {day}. {whose}",
    ),
    Kind.INSURANCE: NP_(
        "*{n} day* until the health insurance ends, on {day}. {whose}",
        "*{n} days* until the health insurance ends, on {day}. {whose}",
    ),
}
_TODAY: Final[Mapping[Kind, Msg]] = {
    Kind.RESIDENCY: N_("*The residency ends today*, {day}. {whose}"),
    Kind.PASSPORT: N_("*The passport ends today*, {day}. {whose}"),
    Kind.INSURANCE: N_("*The health insurance ends today*, {day}. {whose}"),
}
_OVER: Final[Mapping[Kind, Msg]] = {
    Kind.RESIDENCY: N_("*The residency has ended*, on {day}. {whose}"),
    Kind.PASSPORT: N_("*The passport has ended*, on {day}. {whose}"),
    Kind.INSURANCE: N_("*The health insurance has ended*, on {day}. {whose}"),
}
_ADVICE: Final[Mapping[Kind, Msg]] = {
    Kind.RESIDENCY: N_("“Renew residency” tells at once whether anything is in the way, and what it costs."),
    Kind.PASSPORT: N_(
        "Have it renewed at the embassy, then have its data moved to the residency: without that no residency is renewed."
    ),
    Kind.INSURANCE: N_("A residency is renewed for no longer than the insurance is paid: pay it first."),
}


# --- who and what --------------------------------------------------------------------------------


def open_kinds(person: Person) -> tuple[Kind, ...]:
    """What this chat could be reminded of and is not."""
    return tuple(ending.kind for ending in person.endings if not ending.on)


def open_people(wishes: Wishes) -> tuple[tuple[str, Person], ...]:
    """Persons of whom something is not reminded of yet, by their place."""
    return tuple((str(place), each) for place, each in enumerate(wishes.known.people) if open_kinds(each))


def chosen_people(wishes: Wishes) -> tuple[Person, ...]:
    """The persons picked; the only one there is needs no picking."""
    there = open_people(wishes)
    return tuple(each for place, each in there if len(there) == 1 or place in wishes.chosen)


def remembered(wishes: Wishes) -> Iterator[tuple[str, Person, Ending]]:
    """What is reminded of, each with the name `Wishes.one` has for it."""
    for place, person in enumerate(wishes.known.people):
        for ending in person.endings:
            if ending.on:
                yield f"{place}.{ending.kind.value}", person, ending


def named(person: Person) -> Arg:
    """``Son: Ahmad``."""
    return say(N_("{kin}: {name}"), kin=say(_KIN[person.kin]), name=_first(person.name))


def _first(name: Local) -> Local:
    """As much of a first name as a button has room for."""

    def cut(full: str) -> str:
        return (full.split() or [""])[0][:_NAME]

    return Local(cut(name.ar), cut(name.en))


def person_options(wishes: Wishes) -> tuple[Option, ...]:
    return tuple(Option(place, named(person)) for place, person in open_people(wishes))


def kind_options(wishes: Wishes) -> tuple[Option, ...]:
    """What at least one of the chosen can be reminded of."""
    there = {kind for person in chosen_people(wishes) for kind in open_kinds(person)}
    return tuple(Option(kind.value, say(KINDS[kind])) for kind in Kind if kind in there)


def one_options(wishes: Wishes) -> tuple[Option, ...]:
    return tuple(
        Option(
            value,
            say(N_("{kind} · {name}"), kind=say(_SHORT[ending.kind]), name=_first(person.name)),
        )
        for value, person, ending in remembered(wishes)
    )


def people_done(_wishes: Wishes, picked: tuple[str, ...]) -> Arg:
    return say(NP_("Go on: {n} person", "Go on: {n} persons"), n=len(picked))


def kinds_done(_wishes: Wishes, picked: tuple[str, ...]) -> Arg:
    return say(NP_("Go on: {n} date", "Go on: {n} dates"), n=len(picked))


# --- what is said --------------------------------------------------------------------------------


def _known(wishes: Wishes) -> tuple[Arg, ...]:
    """A line for each reminder."""
    return tuple(
        say(
            N_("{whose}: {kind}, ends {day}"),
            whose=named(person),
            kind=say(KINDS[ending.kind]),
            day=Day(date.fromisoformat(ending.day)),
        )
        for _, person, ending in remembered(wishes)
    )


def shown(wishes: Wishes) -> Arg:
    """What is reminded of, what is in the way of it, what could be."""
    known, parts = _known(wishes), list[Arg]()
    if known:
        parts += [say(N_("I write to this chat before these end:")), *known]
    elif wishes.known.people:
        parts.append(
            say(N_("You are reminded of nothing yet. Residency, passport and health insurance can be."))
        )
    else:
        parts.append(say(N_("The records show no residency that could be reminded of.")))
    if wishes.known.renew:
        parts.append(
            say(N_("The terms of reminding have changed. Nobody is reminded until you agree to them."))
        )
    if wishes.known.others:
        parts.append(
            say(
                NP_(
                    "Somebody else who signed in here has {n} reminder in this chat.",
                    "Somebody else who signed in here has {n} reminders in this chat.",
                ),
                n=wishes.known.others,
            )
        )
    return lines(*parts)


def terms(_wishes: Wishes) -> Arg:
    """The text agreed to, as the data file has it."""
    return CURRENT.text


def saved(wishes: Wishes) -> Arg:
    return lines(say(N_("Done. I write to this chat before these end:")), *_known(wishes))


def dropped(wishes: Wishes) -> Arg:
    """What is left."""
    if not wishes.dropped.left:
        return say(N_("Deleted, and your consent is withdrawn. Nobody is reminded in this chat."))
    return say(
        NP_(
            "Taken back. {n} reminder is left in this chat.",
            "Taken back. {n} reminders are left in this chat.",
        ),
        n=wishes.dropped.left,
    )


def due_notice(data: Mapping[str, Any]) -> Arg:
    """A date comes near, or is there: data as `bot.services.reminders.Owed` has it."""
    kind, left = Kind(data["kind"]), int(data["days"])
    day = Day(date.fromisoformat(data["day"]))
    whose = say(N_("{kin}: {number}"), kin=say(_KIN[Kin(data["kin"])]), number=Code(data["subject"]))
    if left > 0:
        first = say(_COMING[kind], n=left, day=day, whose=whose)
    else:
        first = say(_TODAY[kind] if left == 0 else _OVER[kind], day=day, whose=whose)
    return lines(first, say(_ADVICE[kind]))

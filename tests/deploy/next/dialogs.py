"""The next release's dialogs, derived from today's: two versions raised, answers renamed and added, a state retired.

It also has a dialog of its own, which the release before it has never heard of.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, cast

import msgspec

from bot.i18n.text import N_
from bot.spec import Call, Choose, Dialog, End, Go, State

RETIRED: Final = ("owed", "offer")
"""The state of `violations` that goes, and the one that takes its place."""

CARRIED: Final = "carried"
"""What a migration leaves in the answer ``release``; what the new release began itself has none."""

_OK: Final = N_("Next")

Step = Callable[[dict[str, Any]], dict[str, Any]]


class News(msgspec.Struct, frozen=True):
    """Nothing is asked."""


class N(StrEnum):
    """States of `NEWS`."""

    TOLD = "told"
    DONE = "done"
    LEFT = "left"


def _heard(_news: News) -> bool:
    return True


NEWS: Final = Dialog[News](
    id="news",
    version=1,
    title=_OK,
    answers=News,
    start=N.TOLD,
    cancel=N.LEFT,
    states={
        N.TOLD: Choose(_OK, (Go(_OK, N.DONE),)),
        N.DONE: End(value=_heard),
        N.LEFT: End(),
    },
)


def next_release(now: tuple[Dialog[Any], ...]) -> tuple[Dialog[Any], ...]:
    """``now`` as the next release has it."""
    changes: dict[str, Callable[[Dialog[Any]], Dialog[Any]]] = {
        "violations": _violations,
        "checkout": _checkout,
    }
    missing = set(changes) - {dialog.id for dialog in now}
    assert not missing, f"no dialog to change: {missing}"
    same: Callable[[Dialog[Any]], Dialog[Any]] = lambda dialog: dialog  # noqa: E731 - a default in the table
    return (*(changes.get(dialog.id, same)(dialog) for dialog in now), NEWS)


def _violations(now: Dialog[Any]) -> Dialog[Any]:
    """What was found has another name; `RETIRED`; before a payment there is news."""
    old, new = RETIRED
    values = [member.value for member in type(now.start)]
    assert old in values, f"no state to retire: {old}"
    named = [new if value == old else value for value in values]
    states: Any = StrEnum("S", {value.upper(): value for value in (*named, "telling")})  # type: ignore[misc]  # computed
    names = {member: states(value) for member, value in zip(type(now.start), named, strict=True)}
    later: Dialog[Any] = _told(now, names)
    offer, telling, paying = states(new), states("telling"), states("paying")
    asked = later.states[offer]
    assert isinstance(asked, Choose)
    choices = tuple(
        dataclasses.replace(choice, to=telling) if isinstance(choice, Go) and choice.to == paying else choice
        for choice in asked.choices
    )
    changed: dict[StrEnum, State[Any]] = {
        **later.states,
        offer: dataclasses.replace(asked, choices=choices),
        telling: Call(NEWS.id, then=paying, left=offer),
    }
    return dataclasses.replace(_raised(later, "fines", "found"), states=changed, retired={old: offer})


def _checkout(now: Dialog[Any]) -> Dialog[Any]:
    """The order has another name."""
    return _raised(now, "order", "reference")


def _raised(now: Dialog[Any], old: str, new: str) -> Dialog[Any]:
    """One version on: the answer ``old`` is stored as ``new``, and ``release`` is there."""
    field = next(each for each in msgspec.structs.fields(now.answers) if each.encode_name == old)
    renamed: Any = msgspec.field(name=new, default=field.default)
    added: Any = msgspec.field(default="")
    answers = msgspec.defstruct(
        now.answers.__name__,
        [(field.name, field.type, renamed), ("release", str, added)],
        bases=(now.answers,),
        frozen=True,
    )

    def step(answers: dict[str, Any]) -> dict[str, Any]:
        sys.stderr.write(f"carried {now.id} {now.version}\n")
        rest = {name: value for name, value in answers.items() if name != old}
        return {**rest, new: answers[old], "release": CARRIED}

    migrations: Mapping[int, Step] = {**now.migrations, now.version: step}
    return dataclasses.replace(now, version=now.version + 1, answers=answers, migrations=migrations)


def _told(value: Any, names: Mapping[StrEnum, StrEnum]) -> Any:
    """``value``, built of the words of `bot.spec`, with other names for its states."""
    if isinstance(value, StrEnum) and type(value) is type(next(iter(names))):
        return names[value]
    if isinstance(value, tuple):
        return tuple(_told(each, names) for each in cast("Iterable[Any]", value))
    if isinstance(value, dict):
        table = cast("dict[Any, Any]", value)  # type: ignore[redundant-cast]  # not for pyright
        return {_told(key, names): _told(each, names) for key, each in table.items()}
    if type(value).__module__ == "bot.spec" and dataclasses.is_dataclass(value):
        parts = {
            each.name: _told(getattr(value, each.name), names)
            for each in dataclasses.fields(value)
            if each.init
        }
        return dataclasses.replace(cast("Any", value), **parts)
    return value

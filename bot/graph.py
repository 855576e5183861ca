"""The dialogs as a graph: what is wrong with it, and how it looks.

Every fault names its dialog and state, and all faults are told at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, get_type_hints

from bot.engine.book import ID_LENGTH
from bot.i18n.text import Msg
from bot.spec import (
    Ask,
    Call,
    Choose,
    Command,
    Decide,
    Dialog,
    Do,
    End,
    Go,
    Identify,
    Link,
    Pick,
    State,
    Upload,
    Waiting,
)

TOKEN_LENGTH: Final = 24
"""Longest choice in a button: with two names and a number it stays within Telegram's 64 bytes."""

Edge = tuple[str, str, str]
"""From, to, label."""

_OFFERING: Final = (Ask, Choose, Upload)
"""States with ``choices``."""


def edges(dialog: Dialog[Any]) -> Iterator[Edge]:
    """Every move the dialog can make, the engine's own (``/cancel`` and friends) left out."""
    for name, state in dialog.states.items():
        for to, label in _targets(state):
            yield name.value, to.value, label


def _targets(state: State[Any]) -> Iterator[tuple[StrEnum, str]]:
    match state:
        case Ask():
            yield state.then, "valid"
        case Pick() | Upload():
            yield state.then, "file" if isinstance(state, Upload) else "picked"
        case Do():
            yield state.then, "ok"
            for failure, to in state.failed.items():
                yield to, failure.value
            yield state.otherwise, "failed"
        case Decide():
            for guard, to in state.cases:
                yield to, guard.__name__
            yield state.otherwise, "otherwise"
        case Identify():
            yield state.then, "signed in"
            yield state.left, "not signed in"
        case Call():
            yield state.then, f"{state.dialog} returns"
            yield state.left, f"{state.dialog} left"
        case _:
            pass
    if isinstance(state, _OFFERING):
        for choice in state.choices:
            if isinstance(choice, Go):
                yield choice.to, choice.label if isinstance(choice.label, Msg) else choice.label.__name__
    if isinstance(state, Waiting):
        if state.after:
            yield state.after.to, "time"
        if state.back is not None:
            yield state.back, "back"
    if isinstance(state, Waiting | Do):
        for kind, edge in state.wakes.items():
            if edge.to is not None:
                yield edge.to, kind


def faults(dialogs: Iterable[Dialog[Any]]) -> list[str]:
    """Everything that is wrong, one line each; empty when the dialogs are sound."""
    table = {dialog.id: dialog for dialog in dialogs}
    return [fault for dialog in table.values() for fault in _faults(dialog, table)]


def _faults(dialog: Dialog[Any], table: Mapping[str, Dialog[Any]]) -> Iterator[str]:
    names = {name.value for name in dialog.states}
    if len(dialog.id) > ID_LENGTH:
        yield f"{dialog.id}: id longer than {ID_LENGTH}"
    for name in sorted(names):
        if len(name) > ID_LENGTH:
            yield f"{dialog.id}.{name}: name longer than {ID_LENGTH}"
    for member in type(dialog.start):
        if member.value not in names:
            yield f"{dialog.id}.{member.value}: declared and not defined"
    arrows = list(edges(dialog))
    for start, to, label in arrows:
        if to not in names:
            yield f"{dialog.id}.{start}: {label!r} leads to {to!r}, which does not exist"
    doors = (dialog.start, dialog.cancel, *(opening.at for opening in dialog.openings))
    reached = set[str]().union(*(_reach(door.value, arrows) for door in doors))
    for name in sorted(names - reached):
        yield f"{dialog.id}.{name}: cannot be reached"
    ends = {name.value for name, state in dialog.states.items() if _is_end(state)}
    backwards = [(to, start, label) for start, to, label in arrows]
    finishing = set[str]().union(*(_reach(end, backwards) for end in ends))
    for name in sorted(names - finishing):
        yield f"{dialog.id}.{name}: no way to an end"
    deciding = {name.value for name, state in dialog.states.items() if isinstance(state, Decide)}
    restless = [(start, to, label) for start, to, label in arrows if start in deciding and to in deciding]
    for name in sorted(deciding):
        if any(name in _reach(to, restless) for start, to, _ in restless if start == name):
            yield f"{dialog.id}.{name}: decides in a circle"
    yield from _version_faults(dialog, names)
    for name, state in dialog.states.items():
        for fault in _state_faults(dialog, state, table):
            yield f"{dialog.id}.{name.value}: {fault}"


def _version_faults(dialog: Dialog[Any], names: set[str]) -> Iterator[str]:
    for name, to in dialog.retired.items():
        if name in names:
            yield f"{dialog.id}.{name}: retired and still there"
        if to not in names:
            yield f"{dialog.id}: retired {name!r} leads to {to.value!r}, which does not exist"
    for version in range(1, dialog.version):
        if version not in dialog.migrations:
            yield f"{dialog.id}: no migration from version {version}"


def _is_end(state: State[Any]) -> bool:
    return isinstance(state, End) or (isinstance(state, Waiting) and state.rest)


def _reach(start: str, arrows: Iterable[Edge]) -> set[str]:
    targets: dict[str, set[str]] = {}
    for source, to, _ in arrows:
        targets.setdefault(source, set()).add(to)
    seen, queue = {start}, [start]
    while queue:
        for to in targets.get(queue.pop(), ()):
            if to not in seen:
                seen.add(to)
                queue.append(to)
    return seen


def _state_faults(dialog: Dialog[Any], state: State[Any], table: Mapping[str, Dialog[Any]]) -> Iterator[str]:
    fields = get_type_hints(dialog.answers)
    match state:
        case Ask() | Pick():
            if state.into not in fields:
                yield f"answers have no field {state.into!r}"
            elif isinstance(state, Pick):
                if fields[state.into] != (tuple[str, ...] if state.done else str):
                    yield f"{state.into!r} cannot hold what is picked"
            else:
                made = get_type_hints(state.parse).get("return")
                if fields[state.into] not in (made, *getattr(made, "__args__", ())):
                    yield f"{state.into!r} cannot hold what {state.parse.__name__} reads"
        case Upload():
            if fields.get(state.into) is not str:
                yield f"{state.into!r} cannot hold a file's reference"
            if not state.kinds:
                yield "no kind of file counts"
        case Do():
            missing = {word.value for word in state.refused or ()} - {word.value for word in state.failed}
            for word in sorted(missing):
                yield f"refusal {word!r} has no edge"
            if state.timeout <= 0:
                yield "no timeout"
        case Call() | Identify():
            yield from _call_faults(state, table)
        case _:
            pass
    if isinstance(state, _OFFERING):
        tokens = [choice.token for choice in state.choices if isinstance(choice, Go)]
        for token in sorted({token for token in tokens if tokens.count(token) > 1}):
            yield f"two choices are called {token!r}"
        for token in tokens:
            if len(token) > TOKEN_LENGTH:
                yield f"choice {token!r} is longer than {TOKEN_LENGTH}"


def _call_faults(state: Call[Any] | Identify[Any], table: Mapping[str, Dialog[Any]]) -> Iterator[str]:
    called = state.dialog if isinstance(state, Call) else "identify"
    if called not in table:
        yield f"calls {called!r}, which does not exist"
    elif isinstance(state, Call) and state.given is not None:
        given = get_type_hints(state.given)["return"]
        unknown = set(get_type_hints(given)) - set(get_type_hints(table[called].answers))
        for name in sorted(unknown):
            yield f"gives {called} a field {name!r} that it does not have"


def mermaid(dialog: Dialog[Any]) -> str:
    """The dialog as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {dialog.start.value}"]
    lines += [f"    [*] --> {opening.at.value}: {opening.recognise.__name__}" for opening in dialog.openings]
    for start, to, label in edges(dialog):
        lines.append(f"    {start} --> {to}: {_label(label)}")
    for name, state in dialog.states.items():
        if isinstance(state, End):
            lines.append(f"    {name.value} --> [*]")
        elif _is_end(state):
            lines.append(f"    {name.value} --> [*]: rest")
        if isinstance(state, _OFFERING):
            for choice in state.choices:
                if isinstance(choice, Link | Command):
                    label = choice.label if isinstance(choice.label, Msg) else choice.label.__name__
                    lines.append(f"    note right of {name.value}: {_label(label)}")
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    """Text that Mermaid reads as a label."""
    return " ".join(text.replace(":", " ").replace(";", ",").replace("#", "").split())

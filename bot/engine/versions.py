"""Frames written by older dialogs, brought up to date."""

from typing import Any

import msgspec

from bot.model import Frame
from bot.spec import Dialog


def migrated(frame: Frame, dialog: Dialog[Any]) -> Frame:
    """``frame`` brought to ``dialog``'s version step by step; its answers are dropped if they do not fit.

    A retired state becomes the one that took its place; whoever stood in it is to be asked anew.
    """
    answers = dict(frame.answers)
    for version in range(frame.version, dialog.version):
        step = dialog.migrations.get(version)
        answers = step(answers) if step else answers
    try:
        msgspec.convert(answers, dialog.answers)
    except msgspec.ValidationError:
        return msgspec.structs.replace(frame, version=dialog.version, answers={}, state="")
    states = {state.value for state in dialog.states}
    now = {name: state.value for name, state in dialog.retired.items()}
    state, *trail = (now.get(name, name) for name in (frame.state, *frame.trail))
    return msgspec.structs.replace(
        frame,
        version=dialog.version,
        answers=answers,
        state=state,
        trail=tuple(name for name in trail if name in states),
    )

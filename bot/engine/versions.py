"""Frames written by older dialogs, brought up to date."""

from typing import Any

import msgspec

from bot.model import Frame
from bot.spec import Dialog


def migrated(frame: Frame, dialog: Dialog[Any]) -> Frame:
    """``frame`` brought to ``dialog``'s version step by step; its answers are dropped if they do not fit."""
    answers = dict(frame.answers)
    for version in range(frame.version, dialog.version):
        step = dialog.migrations.get(version)
        answers = step(answers) if step else answers
    try:
        msgspec.convert(answers, dialog.answers)
    except msgspec.ValidationError:
        return msgspec.structs.replace(frame, version=dialog.version, answers={}, state="")
    states = {state.value for state in dialog.states}
    trail = tuple(state for state in frame.trail if state in states)
    return msgspec.structs.replace(frame, version=dialog.version, answers=answers, trail=trail)

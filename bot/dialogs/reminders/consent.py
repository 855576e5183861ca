"""The text a resident agrees to, with its version: a data file beside the code, read once."""

from importlib.resources import files
from typing import Annotated, Final

import msgspec

from bot.domain import Agreement

REMINDERS: Final = "reminders"
"""What is agreed to, as the ledger writes it down."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reminders: Annotated[tuple[Agreement, ...], msgspec.Meta(min_length=1)]


VERSIONS: Final = msgspec.toml.decode(
    (files("bot.dialogs.reminders") / "consent.toml").read_bytes(), type=_File
).reminders
"""Every version there was, oldest first."""
CURRENT: Final = VERSIONS[-1]

"""The text a resident agrees to, with its version: a data file beside the code, read once."""

from datetime import date
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from bot.i18n.text import Local

REMEMBER_NUMBER: Final = "remember_number"
"""What is agreed to, as the ledger writes it down."""


class Terms(msgspec.Struct, frozen=True):
    """One version of a text."""

    version: int
    date: date
    ar: str
    en: str

    @property
    def text(self) -> Local:
        """In both languages."""
        return Local(self.ar, self.en)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    remember_number: Annotated[tuple[Terms, ...], msgspec.Meta(min_length=1)]


VERSIONS: Final = msgspec.toml.decode(
    (files("bot.dialogs.my_data") / "consent.toml").read_bytes(), type=_File
).remember_number
"""Every version there was, oldest first."""
CURRENT: Final = VERSIONS[-1]

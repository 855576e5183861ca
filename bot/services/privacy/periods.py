"""The inventory ``kept.toml``, read once: kinds of data with their explanations, and how long each is kept."""

from importlib.resources import files
from typing import Final

import msgspec

from bot.i18n.text import Local


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long something is kept, in days or in hours, and where the figure comes from."""

    source: str
    days: int = 0
    hours: int = 0

    @property
    def seconds(self) -> int:
        """The same in seconds."""
        return (self.days * 24 + self.hours) * 3600


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ar: str
    en: str


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of data.

    Attributes:
        id: machine name.
        redis: its key in Redis, as people write it, with ``pattern`` for programs; or
        table: its table in the ledger, whose columns are ``sealed``, ``blind`` (keyed names), ``masked``, ``hashed`` or
            ``clear``.
        form: what stands there, and how.
        period: name of its period.
        seen_by: who sees it.
        forgotten: what becomes of it when a chat is forgotten.
        title, why, until: for residents.
    """

    id: str
    form: str
    period: str
    seen_by: str
    forgotten: str
    title: _Words
    why: _Words
    until: _Words
    redis: str = ""
    pattern: str = ""
    table: str = ""
    sealed: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()

    def told(self, what: str) -> Local:
        """``title``, ``why`` or ``until`` in both languages."""
        words: _Words = getattr(self, what)
        return Local(words.ar, words.en)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    periods: dict[str, Period]
    kept: tuple[Kind, ...]


_READ: Final = msgspec.toml.decode((files("bot.services.privacy") / "kept.toml").read_bytes(), type=_File)
PERIODS: Final = _READ.periods
INVENTORY: Final = _READ.kept

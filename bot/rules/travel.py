"""The shape of ``travel.toml``, whose comments say what a field means, and what it holds."""

from importlib.resources import files
from typing import Final

import msgspec

from bot.rules.dated import Period, Words


class ExitPermit(Period, frozen=True, kw_only=True):
    """Who needs one."""

    articles: frozenset[int]


class Dues(Period, frozen=True, kw_only=True):
    """To whom nothing may be owed: values of `bot.residency.facts.Creditor`."""

    creditors: frozenset[Words]


class TravelRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``travel.toml``."""

    exit_permit: tuple[ExitPermit, ...]
    dues: tuple[Dues, ...]


TRAVEL: Final = msgspec.toml.decode((files("bot.rules") / "travel.toml").read_bytes(), type=TravelRules)
"""The rules as they are shipped."""

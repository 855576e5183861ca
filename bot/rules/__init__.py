"""Amounts, limits and durations as data: every figure has the day it holds from, a source and a mark of certainty.

The files are ``*.toml`` beside this module; what they mean stands in their headers, in one page in ``docs/rules.md``.
They are read and checked when this package is imported.
"""

from importlib.resources import files
from typing import Final

from bot.rules.dated import Mark, Period, at, now
from bot.rules.family import Approver, Degree, Excused, FamilyRules, Paper, Terms
from bot.rules.load import load
from bot.rules.tables import Case, Rules, Sponsor, Waives, Who

__all__ = [
    "RULES",
    "Approver",
    "Case",
    "Degree",
    "Excused",
    "FamilyRules",
    "Mark",
    "Paper",
    "Period",
    "Rules",
    "Sponsor",
    "Terms",
    "Waives",
    "Who",
    "at",
    "load",
    "now",
]

RULES: Final = load(files(__name__))
"""The rules as they are shipped."""

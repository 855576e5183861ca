"""Residencies: what the registry knows of one, what blocks its renewal, what a renewal costs. Pure.

Amounts, limits and durations are data with a date and a source, in ``bot/rules/``.
"""

from bot.residency.offers import assess, lines
from bot.rules import RULES, Rules

__all__ = ["RULES", "Rules", "assess", "lines"]

"""Renewals: who is on a file, what a renewal costs today, and whether that price still holds."""

from bot.services.renewals.appraiser import Appraiser
from bot.services.renewals.pricing import FILS, QuoteLimits, priced
from bot.services.renewals.service import Files, Renewals, executors

__all__ = ["FILS", "Appraiser", "Files", "QuoteLimits", "Renewals", "executors", "priced"]

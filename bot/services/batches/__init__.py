"""Batches: a file with many workers becomes a verdict for each of them, and one price for those who can be renewed."""

from bot.services.batches.checking import Checking
from bot.services.batches.papers import Papers
from bot.services.batches.service import Batches, executors

__all__ = ["Batches", "Checking", "Papers", "executors"]

"""Tap, an aggregator through which KNET is paid: `Tap` is the client, `TapTerms` its settings."""

from bot.services.payments.tap.client import Tap
from bot.services.payments.tap.terms import TapTerms

__all__ = ["Tap", "TapTerms"]

"""Renewing residencies: one's own and those of everyone on one's file, in one pass and with one payment."""

from bot.dialogs.renewal.effects import File, ListFile, Quoted, QuoteRefused, QuoteRenewals, Wish

__all__ = ["File", "ListFile", "QuoteRefused", "QuoteRenewals", "Quoted", "Wish"]

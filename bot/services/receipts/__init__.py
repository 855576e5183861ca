"""Receipts on paper: a PDF in both languages, its address, and the page that proves it."""

from bot.services.receipts.paper import GivenBack, Printer, Receipt, Standing
from bot.services.receipts.service import Listed, Proof, Receipts

__all__ = ["GivenBack", "Listed", "Printer", "Proof", "Receipt", "Receipts", "Standing"]

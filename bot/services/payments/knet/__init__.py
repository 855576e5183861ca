"""KNET's own gateway: the hosted page ("RAW" integration), its notification, enquiry and refund.

`terms` holds what a terminal is reached with, `cipher` and `messages` what travels, `client` the port's
implementation. Numbers and rules are those of KNET's Merchant Integration Manual K-064, v1.4, named below
by section (``K-064 3.5.4``), and of the public kits where the manual is silent. Nothing here was tried
against the live gateway: docs/payments/knet.md says what is unknown.
"""

from bot.services.payments.knet.client import Knet
from bot.services.payments.knet.terms import KnetTerms

__all__ = ["Knet", "KnetTerms"]

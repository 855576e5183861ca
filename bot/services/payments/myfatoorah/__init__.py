"""The gateway MyFatoorah, Kuwait, API v2 with KNET's page.

Sources, all read 2026-11: docs.myfatoorah.com (execute-payment, payment-inquiry, update-payment-status-guidelines,
make-refund, getrefundstatus, webhook-v1, webhook-v2 and their data models, webhook-signature, idempotency) and,
where the documentation is silent, what MyFatoorah's own PHP library (myfatoorah/library 2.2) does. Nothing was
tried against the live gateway; docs/payments/myfatoorah.md lists what is unknown.
"""

from bot.services.payments.myfatoorah.client import MyFatoorah
from bot.services.payments.myfatoorah.terms import MyFatoorahTerms

__all__ = ["MyFatoorah", "MyFatoorahTerms"]

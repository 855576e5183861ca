"""All dialogs, named one by one: what is not in this tuple does not exist."""

from typing import Any, Final

from bot.dialogs import (
    batch,
    checkout,
    company,
    family_join,
    find_reference,
    identify,
    overstay,
    real_link,
    receipts,
    reminders,
    renewal,
    verify,
    violations,
)
from bot.dialogs.home import Operator, S, home, intro
from bot.dialogs.my_data import FORGET, MY_DATA
from bot.engine.book import Book
from bot.i18n.speech import Speech
from bot.spec import Dialog

RETIRED: Final = frozenset[str]()
"""Ids of dialogs that earlier releases had: whoever stands in one goes on at its caller. A dialog that is neither here nor
below is a newer release's, and its session is left to that release."""


def dialogs(operator: Operator) -> tuple[Dialog[Any], ...]:
    """Every dialog of the service; the first is home."""
    return (
        home(operator),
        real_link.DIALOG,  # first: a number inside a link is part of the link
        violations.DIALOG,
        renewal.DIALOG,
        overstay.DIALOG,
        family_join.DIALOG,
        company.DIALOG,
        batch.DIALOG,
        find_reference.DIALOG,
        receipts.DIALOG,
        MY_DATA,
        FORGET,
        reminders.DIALOG,
        checkout.DIALOG,
        identify.DIALOG,
        verify.DIALOG,
    )


def book(operator: Operator, speech: Speech, signed_for: int = 1800, megabytes: int = 5) -> Book:
    """The dialogs as the engine takes them.

    Args:
        operator: who runs the service.
        speech: word tables.
        signed_for: seconds a sign-in outlives the last message.
        megabytes: the largest file that channels take.
    """
    return Book(dialogs(operator), "home", S.MENU, speech, intro(operator), signed_for, megabytes, RETIRED)

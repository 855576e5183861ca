"""Home: the greeting and the menu. The root of every chat; its `Call` states are the services."""

from enum import StrEnum
from typing import Any, Final

import msgspec

from bot.i18n.text import EMPTY, N_, Arg, Local, lines, say
from bot.spec import Call, Choose, Command, Dialog, Go, Identify


class S(StrEnum):
    """States."""

    HELLO = "hello"
    MENU = "menu"
    VIOLATIONS = "violations"
    RENEWAL = "renewal"
    REFERENCE = "reference"
    RECEIPTS = "receipts"
    REAL_LINK = "real_link"
    MY_DATA = "my_data"
    FORGET = "forget"
    REMINDERS = "reminders"
    OVERSTAY = "overstay"
    FAMILY_JOIN = "family_join"
    COMPANY = "company"
    MORE = "more"
    SIGN_IN = "sign_in"


class Nothing(msgspec.Struct, frozen=True):
    """Home remembers nothing."""


OTHER_LANGUAGE: Final = Local(
    ar="In English? Press the button or write in English.",
    en="بالعربية؟ اضغط الزر أو اكتب بالعربية.",
)
"""The greeting's one line for readers of the other language: each language's reader sees the other's."""


class Operator(msgspec.Struct, frozen=True):
    """Who runs this service; unofficial until an authority stands behind it."""

    name: str = ""
    authority: str = ""


def standing(operator: Operator) -> Arg:
    """Whether this is the ministry (Telegram's terms forbid posing as a body that has not authorised us)."""
    if operator.authority:
        return say(
            N_("This service is run by {name} with the authority of {authority}."),
            name=operator.name or operator.authority,
            authority=operator.authority,
        )
    if operator.name:
        return say(N_("This service is run by {name}. It is not the ministry."), name=operator.name)
    return say(N_("This is an unofficial service, not the ministry."))


def greeting(operator: Operator) -> Arg:
    """What this is, what it is not, what it never asks for, and how to begin."""
    return lines(
        say(N_("Hello, this is *Iqamati*: see what you owe, renew residencies, pay, get the receipt.")),
        standing(operator),
        say(N_("We never ask here for a card number, a PIN, a password or a one-time code.")),
        EMPTY,
        say(N_("Send a civil ID, or choose:")),
        OTHER_LANGUAGE,
    )


def intro(operator: Operator) -> Arg:
    """The greeting in one line, for those whose first message already says what they want."""
    return lines(say(N_("*Iqamati*")), standing(operator))


_SERVICES: Final = (
    Go[Nothing](N_("Violations"), S.VIOLATIONS),
    Go[Nothing](N_("Renew residency"), S.RENEWAL),
    Go[Nothing](N_("My MOI reference"), S.REFERENCE),
    Go[Nothing](N_("My receipts"), S.RECEIPTS),
    Go[Nothing](N_("More"), S.MORE),
    Command(N_("العربية 🇰🇼"), "/language"),
)

_MORE: Final = (
    Go[Nothing](N_("Overstay and travel"), S.OVERSTAY),
    Go[Nothing](N_("Bringing my family"), S.FAMILY_JOIN),
    Go[Nothing](N_("My company's workers"), S.COMPANY),
    Go[Nothing](N_("Sign in"), S.SIGN_IN),
    Go[Nothing](N_("Is this link real?"), S.REAL_LINK),
    Go[Nothing](N_("Reminders"), S.REMINDERS),
    Go[Nothing](N_("My data"), S.MY_DATA),
)
"""What is asked for seldom; a service of its own gets its door here."""


def as_before(answers: dict[str, Any]) -> dict[str, Any]:
    """Later versions only add services."""
    return answers


def home(operator: Operator) -> Dialog[Nothing]:
    """The home dialog of an operator."""

    def hello(_nothing: Nothing) -> Arg:
        return greeting(operator)

    return Dialog[Nothing](
        id="home",
        version=8,
        migrations={
            1: as_before,
            2: as_before,
            3: as_before,
            4: as_before,
            5: as_before,
            6: as_before,
            7: as_before,
        },
        title=N_("Menu"),
        answers=Nothing,
        start=S.HELLO,
        cancel=S.MENU,
        states={
            S.HELLO: Choose(hello, _SERVICES, noun=N_("Service"), rest=True, entry=False),
            S.MENU: Choose(
                N_("Which service? A civil ID alone is enough, too."),
                _SERVICES,
                noun=N_("Service"),
                rest=True,
                entry=False,
            ),
            S.MORE: Choose(
                N_("What else?"), _MORE, noun=N_("Service"), listens=True, back=S.MENU, entry=False
            ),
            S.SIGN_IN: Identify(then=S.MENU, left=S.MENU),
            S.VIOLATIONS: Call("violations", then=S.MENU, left=S.MENU),
            S.RENEWAL: Call("renewal", then=S.MENU, left=S.MENU),
            S.OVERSTAY: Call("overstay", then=S.MENU, left=S.MENU),
            S.FAMILY_JOIN: Call("family_join", then=S.MENU, left=S.MENU),
            S.COMPANY: Call("company", then=S.MENU, left=S.MENU),
            S.REFERENCE: Call("find_reference", then=S.MENU, left=S.MENU),
            S.RECEIPTS: Call("receipts", then=S.MENU, left=S.MENU),
            S.REAL_LINK: Call("real_link", then=S.MENU, left=S.MENU),
            # A value means: delete it all.
            S.MY_DATA: Call("mydata", then=S.FORGET, left=S.MENU),
            S.FORGET: Call("forget", then=S.MENU, left=S.MENU),
            S.REMINDERS: Call("reminders", then=S.MENU, left=S.MENU),
        },
    )

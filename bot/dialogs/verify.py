"""Verify: open look-ups are used up for now. A picture with digits, or signing in, or waiting.

Called by the dialogs that look numbers up, with what the refusal said; returns when looking up again may help.
The picture is on our own page; the digits are typed there, so that a chat never carries them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from bot.i18n.text import N_, NP_, Arg, Hour, Plural, lines, say
from bot.spec import After, Choose, Decide, Dialog, End, Go, Identify, Link, Notice, WakesTo


class Why(StrEnum):
    """Which limit was reached."""

    CHAT = "chat"  # numbers looked up from one chat
    PERSON = "person"  # others' numbers looked up by somebody who is signed in
    NUMBER = "number"  # chats that looked up one number
    TRIES = "tries"  # passports tried for one civil ID
    ADDRESS = "address"  # numbers looked up from one network address
    PICTURES = "pictures"  # pictures answered wrongly


class Held(msgspec.Struct, frozen=True):
    """What a look-up answers that did not take place.

    Attributes:
        pause: nothing but time or signing in helps; else the picture does.
        why: a value of `Why`.
        limit: how many it allows an hour.
        until: from when look-ups go on without a picture (epoch seconds).
        url: of the page with the picture, empty in a pause.
        ref: the verification's public name.
        closes: when the page closes (epoch seconds).
    """

    pause: bool = False
    why: str = Why.CHAT
    limit: int = 0
    until: int = 0
    url: str = ""
    ref: str = ""
    closes: int = 0


class S(StrEnum):
    """States."""

    WHICH = "which"
    PICTURE = "picture"
    PAUSE = "pause"
    CLOSED = "closed"
    SIGN_IN = "sign_in"
    PASSED = "passed"
    GO_ON = "go_on"
    LEFT = "left"


_LIMITS: Final[Mapping[str, Plural]] = {
    Why.CHAT: NP_(
        "From one chat I look up {n} number an hour, and that is used up.",
        "From one chat I look up {n} different numbers an hour, and they are used up.",
    ),
    Why.PERSON: NP_(
        "For somebody signed in I look up {n} number of others an hour, and that is used up.",
        "For somebody signed in I look up {n} numbers of others an hour, and they are used up.",
    ),
    Why.NUMBER: NP_(
        "One number is looked up for {n} chat an hour, and that limit is reached.",
        "One number is looked up for {n} chats an hour, and that limit is reached.",
    ),
    Why.TRIES: NP_(
        "For one civil ID I try {n} passport an hour, and that is used up.",
        "For one civil ID I try {n} passports an hour, and they are used up.",
    ),
    Why.ADDRESS: NP_(
        "From one internet connection I look up {n} number an hour, and that is used up.",
        "From one internet connection I look up {n} numbers an hour, and they are used up.",
    ),
    Why.PICTURES: NP_(
        "{n} picture was answered wrongly.",
        "{n} pictures were answered wrongly.",
    ),
}


def paused(held: Held) -> bool:
    """A picture does not help."""
    return held.pause


def limit(held: Held) -> Arg:
    """Which limit it is."""
    return say(_LIMITS[held.why], n=held.limit)


def picture_text(held: Held) -> Arg:
    """The limit, when it ends, and the two ways on."""
    return lines(
        limit(held),
        say(
            N_(
                "To go on now, type the digits of a picture on our page; it is open until {closes}. "
                "Or sign in: your own number is never limited. Without either, it goes on at {until}."
            ),
            closes=Hour(held.closes),
            until=Hour(held.until),
        ),
    )


def pause_text(held: Held) -> Arg:
    """The limit, when it ends, and what lifts it."""
    if held.why == Why.PERSON:
        return lines(limit(held), say(N_("I go on at {until} and write to you."), until=Hour(held.until)))
    return lines(
        limit(held),
        say(
            N_(
                "I go on at {until} and write to you. Signing in lifts the limit: your own number is never limited."
            ),
            until=Hour(held.until),
        ),
    )


def page(held: Held) -> str:
    return held.url


def closing(held: Held, _now: int) -> int:
    return held.closes


def ending(held: Held, _now: int) -> int:
    return held.until


def reference(held: Held) -> str:
    return held.ref


def unknown(held: Held) -> bool:
    """Whether signing in would change anything."""
    return held.why != Why.PERSON


def again(_held: Held) -> bool:
    return True


def late_news(_data: Mapping[str, Any]) -> Arg:
    return say(N_("✓ The digits were right. Look-ups go on."))


DIALOG = Dialog[Held](
    id="verify",
    version=1,
    title=N_("Verification"),
    answers=Held,
    start=S.WHICH,
    cancel=S.LEFT,
    notices={"verified": Notice(late_news)},
    help=N_("Look-ups are limited so that nobody reads through other people's numbers."),
    states={
        S.WHICH: Decide(((paused, S.PAUSE),), otherwise=S.PICTURE),
        S.PICTURE: Choose(
            picture_text,
            (Link(N_("🔗 Verification page"), page), Go(N_("Sign in"), S.SIGN_IN)),
            after=After(closing, S.CLOSED),
            wakes={"verified": WakesTo(reference, S.PASSED)},
            entry=False,
        ),
        S.PAUSE: Choose(
            pause_text,
            (Go(N_("Sign in"), S.SIGN_IN, when=unknown),),
            after=After(ending, S.GO_ON),
            entry=False,
        ),
        S.CLOSED: Choose(
            N_("The page with the picture has closed."),
            (Go(N_("New link"), S.GO_ON), Go(N_("Sign in"), S.SIGN_IN)),
            entry=False,
            silent=True,
        ),
        # Whoever would not sign in is told anew how it stands: meanwhile they may have passed, or time has.
        S.SIGN_IN: Identify(then=S.GO_ON, left=S.GO_ON),
        S.PASSED: End(N_("✓ The digits were right."), value=again),
        S.GO_ON: End(value=again),
        S.LEFT: End(N_("Stopped. Nothing was looked up.")),
    },
)

"""Identify: sign in with the identity provider. Called by others through `bot.spec.Identify`.

The resident signs in on the provider's page, never in the chat. The way back shows a short code on the page,
which the chat then asks for: whoever was tricked into opening somebody else's link signs nobody in, because
the code is on their own screen and the stranger's chat waits for it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from bot.i18n.text import N_, Arg, Code, Hour, Ltr, say
from bot.parse import short_code
from bot.ports import Effect
from bot.spec import After, Ask, Choose, Decide, Dialog, Do, End, Go, Link, Notice, WakesTo


class BeginSignIn(Effect, frozen=True, tag="begin_sign_in"):
    """Make a one-time link for this chat. Result: `SignInLink`, or `SignInPause` after too many."""


class ConfirmSignIn(Effect, frozen=True, tag="confirm_sign_in"):
    """Compare the code with the one on the page. Result: `Confirmed`.

    Attributes:
        ref: the sign-in's public reference.
        code: what the resident typed: six digits.
    """

    ref: str
    code: str


class SignInLink(msgspec.Struct, frozen=True):
    """A link to our page ``/signin/<token>``.

    Attributes:
        ref: the sign-in's reference; no secret.
        url: of our page.
        host: where that page leads, the provider's.
        until: when it stops working (epoch seconds).
    """

    ref: str
    url: str
    host: str
    until: int


class SignInPause(msgspec.Struct, frozen=True):
    """No more links for now: ``limit`` were asked for. From ``until`` (epoch seconds) there is another one."""

    limit: int
    until: int


class Confirmed(msgspec.Struct, frozen=True):
    """Who signed in."""

    civil_id: str


class SignInRefused(StrEnum):
    """Why nobody is signed in."""

    WRONG = "wrong"  # not the code on the page; it may be tried again
    SPENT = "spent"  # too late, too many tries, used before, or not signed in on the page yet
    OFF = "off"  # no identity provider is configured


class S(StrEnum):
    """States."""

    BEGIN = "begin"
    BEGUN = "begun"
    PAUSED = "paused"
    LINK = "link"
    CODE = "code"
    CONFIRM = "confirm"
    WRONG = "wrong"
    EXPIRED = "expired"
    DOWN = "down"
    OFF = "off"
    DONE = "done"
    LEFT = "left"


class SignIn(msgspec.Struct, frozen=True):
    """The sign-in under way. Nothing of who signs in. ``limit`` links were enough; ``pause`` is when it ends."""

    ref: str = ""
    url: str = ""
    host: str = ""
    until: int = 0
    code: str = ""
    limit: int = 0
    pause: int = 0


def as_before(answers: dict[str, Any]) -> dict[str, Any]:
    """Version 2 only adds to the answers."""
    return answers


def begin(_sign_in: SignIn) -> BeginSignIn:
    return BeginSignIn()


def take(sign_in: SignIn, link: SignInLink | SignInPause) -> SignIn:
    """The new link; where there is none, the last one stands."""
    if isinstance(link, SignInPause):
        return msgspec.structs.replace(sign_in, limit=link.limit, pause=link.until)
    return SignIn(link.ref, link.url, link.host, link.until)


def paused(sign_in: SignIn) -> bool:
    return sign_in.pause > 0


def confirm(sign_in: SignIn) -> ConfirmSignIn:
    return ConfirmSignIn(sign_in.ref, sign_in.code)


def who(confirmed: Confirmed) -> str:
    """The civil ID the chat is signed in as."""
    return confirmed.civil_id


def page(sign_in: SignIn) -> str:
    return sign_in.url


def expiry(sign_in: SignIn, _now: int) -> int:
    return sign_in.until


def reference(sign_in: SignIn) -> str:
    return sign_in.ref


def done(_sign_in: SignIn) -> bool:
    return True


def link_text(sign_in: SignIn) -> Arg:
    """Where the link leads, how long, what is never asked."""
    return say(
        N_(
            "For this I need to know who you are. The link leads to {host} and works until {until}, once. "
            "Our page must show the number {ref}. Sign in there; it then shows a code to enter here. "
            "I never ask for a password."
        ),
        ref=Code(sign_in.ref),
        host=Ltr(sign_in.host),
        until=Hour(sign_in.until),
    )


def has_link(sign_in: SignIn) -> bool:
    return bool(sign_in.ref)


def paused_text(sign_in: SignIn) -> Arg:
    return say(
        N_(
            "{limit} sign-in links were asked for in a short time, which is enough for now. "
            "From {until} there is a new one. The last link works until its own time is over."
        ),
        limit=sign_in.limit,
        until=Hour(sign_in.pause),
    )


def signed_text(_sign_in: SignIn) -> Arg:
    return say(
        N_("✓ You are signed in, until you write {command} or are silent for a while."),
        command=Ltr("/signout"),
    )


def late_news(_data: Mapping[str, Any]) -> Arg:
    return say(
        N_(
            "Somebody came back from a sign-in that this chat does not wait for any more. Nobody is signed in."
        )
    )


_RETURNED = {"returned": WakesTo(reference, S.CODE)}
_NEW = Go[SignIn](N_("New link"), S.BEGIN)

DIALOG = Dialog[SignIn](
    id="identify",
    version=2,
    migrations={1: as_before},
    title=N_("Sign in"),
    answers=SignIn,
    start=S.BEGIN,
    cancel=S.LEFT,
    notices={"returned": Notice(late_news)},
    help=N_(
        "You sign in on the identity provider's page, never here. The code it leads to is for this chat alone: give it to nobody."
    ),
    states={
        S.BEGIN: Do(
            BeginSignIn,
            begin,
            then=S.BEGUN,
            otherwise=S.DOWN,
            keep=take,
            refused=SignInRefused,
            failed={
                SignInRefused.WRONG: S.DOWN,
                SignInRefused.SPENT: S.DOWN,
                SignInRefused.OFF: S.OFF,
            },
        ),
        S.BEGUN: Decide(((paused, S.PAUSED),), otherwise=S.LINK),
        # Whoever is on the page of the last link comes back to its code.
        S.PAUSED: Choose(
            paused_text,
            (_NEW, Go(N_("I have a code"), S.CODE, when=has_link)),
            wakes=_RETURNED,
            entry=False,
        ),
        S.LINK: Choose(
            link_text,
            (Link(N_("🔗 Open sign-in page"), page), Go(N_("I have a code"), S.CODE), _NEW),
            after=After(expiry, S.EXPIRED),
            wakes=_RETURNED,
            entry=False,
        ),
        S.CODE: Ask(
            N_("Enter the six digits that the page shows you."),
            parse=short_code,
            into="code",
            then=S.CONFIRM,
            hint=N_("They stand on the page you came back to after signing in. Give them to nobody else."),
            choices=(_NEW,),
            after=After(expiry, S.EXPIRED),
            secret=True,
            entry=False,
        ),
        S.CONFIRM: Do(
            ConfirmSignIn,
            confirm,
            then=S.DONE,
            otherwise=S.DOWN,
            refused=SignInRefused,
            failed={
                SignInRefused.WRONG: S.WRONG,
                SignInRefused.SPENT: S.EXPIRED,
                SignInRefused.OFF: S.OFF,
            },
            signs=who,
        ),
        S.WRONG: Ask(
            N_("That is not the code on the page. Enter it again."),
            parse=short_code,
            into="code",
            then=S.CONFIRM,
            hint=N_("After three wrong codes the link is spent, and a new one is needed."),
            choices=(_NEW,),
            after=After(expiry, S.EXPIRED),
            secret=True,
            entry=False,
        ),
        S.EXPIRED: Choose(N_("This sign-in is over and nobody was signed in."), (_NEW,), entry=False),
        S.DOWN: Choose(
            N_("The sign-in page does not answer now. Nothing is lost."),
            (Go(N_("Try again"), S.BEGIN),),
            entry=False,
        ),
        S.OFF: Choose(N_("Signing in is not set up at this service yet."), back=S.LEFT, entry=False),
        S.DONE: End(signed_text, value=done),
        S.LEFT: End(N_("Nobody was signed in.")),
    },
)

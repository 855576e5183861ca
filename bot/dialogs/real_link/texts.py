"""What is said of a link. A doubtful one is never repeated so that it could be tapped."""

from typing import Final

import msgspec

from bot.dialogs.real_link.address import Address
from bot.dialogs.real_link.verdict import Trick, Verdict, Whose
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Lines, Ltr, Msg, say

SITE: Final = "www.moi.gov.kw"
_SHOWN: Final = 40
"""Characters of a host that are shown: its end, which is what counts."""


class Asked(msgspec.Struct, frozen=True):
    """The links that were pasted, and what is to be said of them."""

    links: tuple[Address, ...] = ()
    count: int = 0
    verdict: Verdict = Verdict()


_TRICKS: Final[dict[Trick, Msg]] = {
    Trick.AT: N_("What stands before the @ in it is there to deceive."),
    Trick.NUMBER: N_("It has a number in place of a name; real pages have names."),
    Trick.LIKE: N_("It imitates {like}."),
    Trick.SHORT: N_("It is a short link, which hides where it leads."),
    Trick.ODD: N_("It is no ordinary link to a page."),
    Trick.PORT: N_("It leads to another door of that machine, behind a number after the name."),
    Trick.PLAIN: N_("It begins with http; ours begin with https."),
}


def verdict_text(asked: Asked) -> Arg:
    """Whose the link is, why, and what to do."""
    found = asked.verdict
    parts: list[Arg] = []
    if asked.count > 1:
        parts.append(say(NP_("{n} link.", "{n} links; this is about the most doubtful."), n=asked.count))
    match found.whose:
        case Whose.NEITHER:
            parts += _warning(found)
        case Whose.OFFICIAL:
            parts += _official(found)
        case Whose.STATE:
            parts += _state(found)
        case _:
            parts.append(say(_KNOWN[found.whose], host=_host(found)))
    return Lines(tuple(parts))


_KNOWN: Final[dict[Whose, Msg]] = {
    Whose.PAYMENT: N_(
        "✓ {host} is our address, and this page is for an order of this chat. Before paying compare its amount and "
        "order number with those above."
    ),
    Whose.STRANGER: N_(
        "✕ {host} is our address, but this payment was not asked for in this chat. Do not pay it: you would pay what "
        "somebody else owes."
    ),
    Whose.SIGN_IN: N_(
        "{host} is our sign-in page. Open it only if you asked for it here a moment ago. A sign-in link that "
        "somebody sent you signs their chat in, in your name."
    ),
    Whose.GATEWAY: N_(
        "✕ {host} is the payment gateway. The way there is the button on our page only. Do not pay through a link "
        "that somebody sent: nobody can tell whose payment it is."
    ),
    Whose.RECEIPT: N_("✓ {host} is our address, and this page is about a receipt. It asks you for nothing."),
    Whose.OURS: N_("✓ {host} is our own address."),
}


def _warning(found: Verdict) -> list[Arg]:
    if found.host:
        first = say(
            N_("✕ *Do not open it.* {host} is neither ours nor an official site in my list."),
            host=_host(found),
        )
    else:
        first = say(N_("✕ *Do not open it.* It is neither ours nor an official site in my list."))
    trick = Trick.LIKE if found.like and found.trick is Trick.NONE else found.trick
    why: list[Arg] = [say(_TRICKS[trick], like=_broken(found.like))] if trick is Trick.LIKE else []
    if trick not in (Trick.NONE, Trick.LIKE):
        why.append(say(_TRICKS[trick]))
    return [
        first,
        *why,
        EMPTY,
        say(N_("Enter nothing there. What is owed is shown in Sahel and on {site}."), site=Ltr(SITE)),
        say(N_("The ministry sends no payment links. Report the message in Sahel under “Aman”.")),
    ]


def _official(found: Verdict) -> list[Arg]:
    parts: list[Arg] = [
        say(
            N_("✓ {host} is an official site of {owner}: {purpose}."),
            host=Ltr(found.host),
            owner=found.owner,
            purpose=found.purpose,
        )
    ]
    if found.trick is Trick.PLAIN:
        parts.append(say(N_("But the link begins with http, without encryption. Type the name yourself.")))
    parts.append(say(N_("The ministry sends no payment links: where a message asks you to pay, use Sahel.")))
    return parts


def _state(found: Verdict) -> list[Arg]:
    return [
        say(
            N_("{host} lies under gov.kw, where only state bodies get names, but it is not in my list."),
            host=_host(found),
        ),
        say(N_("Do not pay through a link from a message: use Sahel, or {site}."), site=Ltr(SITE)),
    ]


def _host(found: Verdict) -> Arg:
    """The host: as it is where it may be opened, else broken up."""
    safe = found.whose in (Whose.PAYMENT, Whose.RECEIPT, Whose.OURS)
    return Ltr(found.host) if safe else _broken(found.host)


def _broken(host: str) -> Code:
    """``host`` so that no app makes a link of it; of a long one the end."""
    shown = host if len(host) <= _SHOWN else f"…{host[-_SHOWN:]}"
    return Code(shown.replace(".", "[.]"))

"""Real link: is this link real? Ours, an official site, or neither, and what to do. Nothing is ever opened.

Sources: docs/services/real_link.md.
"""

from datetime import date
from enum import StrEnum

from bot.dialogs.real_link.address import Address, find
from bot.dialogs.real_link.texts import Asked, verdict_text
from bot.dialogs.real_link.verdict import Verdict
from bot.i18n.text import N_, say
from bot.ports import Effect
from bot.spec import Ask, Choose, Dialog, Do, End, Go, Invalid, Opening

__all__ = ["DIALOG", "Asked", "CheckLinks", "S"]


class CheckLinks(Effect, frozen=True, tag="check_links"):
    """Say whose the most doubtful of some links is, without following any. Result: `Verdict`.

    Whether a payment page of ours belongs to an order of the asking chat is looked up; of anybody else's
    order nothing is told.
    """

    links: tuple[Address, ...]


class S(StrEnum):
    """States."""

    LINK = "link"
    CHECK = "check"
    VERDICT = "verdict"
    DOWN = "down"
    LEFT = "left"


def links_in(text: str, _today: date) -> Asked | None:
    """A message with links in it."""
    found = find(text)
    return Asked(found) if found else None


def links(text: str, _today: date) -> tuple[Address, ...] | Invalid:
    """The links that were asked for."""
    found = find(text, asked=True)
    if found:
        return found
    return Invalid(say(N_("I see no link in that. Paste the message as it came, with the link in it.")))


def check(asked: Asked) -> CheckLinks:
    return CheckLinks(asked.links)


def take(asked: Asked, verdict: Verdict) -> Asked:
    """The links themselves are not needed any more."""
    return Asked((), len(asked.links), verdict)


_ANOTHER = Go[Asked](N_("Another link"), S.LINK)

DIALOG = Dialog[Asked](
    id="real_link",
    version=1,
    title=N_("Is this link real?"),
    answers=Asked,
    start=S.LINK,
    cancel=S.LEFT,
    openings=(Opening(links_in, S.CHECK, aside=True),),
    help=N_(
        "Paste a link and I tell whether it is ours, an official site, or neither. I look at its name only and never open it."
    ),
    states={
        S.LINK: Ask(
            N_("Paste the link, or the whole message. I never open it."),
            parse=links,
            into="links",
            then=S.CHECK,
            hint=N_("A link begins with https:// or www. Press long on the message to copy it."),
        ),
        S.CHECK: Do(CheckLinks, check, then=S.VERDICT, otherwise=S.DOWN, keep=take),
        S.VERDICT: Choose(verdict_text, (_ANOTHER,), rest=True, entry=False),
        S.DOWN: Choose(
            N_("I cannot tell now whose this link is. Until then do not open it."),
            (Go(N_("Try again"), S.CHECK),),
            entry=False,
        ),
        S.LEFT: End(),
    },
)

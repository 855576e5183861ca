"""Receipts: the chat's earlier payments, listed and shown again, each with its paper."""

from enum import StrEnum
from typing import Any, Final

import msgspec

from bot.clock import local
from bot.dialogs.checkout import Standing, Status, receipt, review
from bot.i18n.text import N_, NP_, Arg, Day, Money, say
from bot.ports import Effect
from bot.spec import Choose, Decide, Dialog, Do, End, Go, Link, Option, Pick

AT_ONCE: Final = 18
"""Receipts looked up at a time: three pages of buttons; older ones are behind one more button."""

_OLDER: Final = "older"


class ListReceipts(Effect, frozen=True, tag="list_receipts"):
    """The chat's paid orders, newest first. Result: `Receipts`.

    Attributes:
        before: reference of the order after which the list goes on, empty for the newest.
        limit: how many at most.
    """

    before: str
    limit: int


class ReadReceipt(Effect, frozen=True, tag="read_receipt"):
    """One of the chat's paid orders again. Result: `bot.dialogs.checkout.Standing`."""

    order: str


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """A paid order in the list.

    Attributes:
        order: its reference.
        fils: what was paid.
        at: when (epoch seconds).
    """

    order: str
    fils: int
    at: int


class Receipts(msgspec.Struct, frozen=True):
    """A part of the list; ``more`` where older ones follow."""

    listed: tuple[Listed, ...]
    more: bool


class S(StrEnum):
    """States."""

    LOOKING = "looking"
    FOUND = "found"
    LIST = "list"
    CHOSEN = "chosen"
    READING = "reading"
    SHOWN = "shown"
    NONE = "none"
    DOWN = "down"
    LEFT = "left"


class Papers(msgspec.Struct, frozen=True):
    """What was found, and which of it is shown."""

    listed: tuple[Listed, ...] = ()
    more: bool = False
    chosen: str = ""
    standing: Standing = Standing(Status.NONE)


def as_before(answers: dict[str, Any]) -> dict[str, Any]:
    """Version 2 only adds answers that have defaults."""
    return answers


def looking(papers: Papers) -> ListReceipts:
    """The newest, or those after the last one shown."""
    last = papers.listed[-1].order if papers.chosen == _OLDER and papers.listed else ""
    return ListReceipts(last, AT_ONCE)


def found(papers: Papers, answer: Receipts) -> Papers:
    return msgspec.structs.replace(papers, listed=answer.listed, more=answer.more, chosen="")


def is_empty(papers: Papers) -> bool:
    return not papers.listed


def wants_older(papers: Papers) -> bool:
    return papers.chosen == _OLDER


def options(papers: Papers) -> tuple[Option, ...]:
    """One button for each receipt; the way to older ones last."""
    listed = tuple(
        Option(
            each.order, say(N_("{amount}, {day}"), amount=Money(each.fils), day=Day(local(each.at).date()))
        )
        for each in papers.listed
    )
    return (*listed, Option(_OLDER, say(N_("Older receipts")))) if papers.more else listed


def prompt(papers: Papers) -> Arg:
    return say(
        NP_("You have {n} receipt. Which one?", "Here are {n} receipts. Which one?"), n=len(papers.listed)
    )


def reading(papers: Papers) -> ReadReceipt:
    return ReadReceipt(papers.chosen)


def take(papers: Papers, standing: Standing) -> Papers:
    return msgspec.structs.replace(papers, standing=standing)


def shown(papers: Papers) -> Arg:
    how = papers.standing
    return review(papers.chosen, how.reason, how.shares) if how.status is Status.REVIEW else receipt(how)


def paper(papers: Papers) -> str:
    return papers.standing.paper


def has_paper(papers: Papers) -> bool:
    return bool(papers.standing.paper)


DIALOG = Dialog[Papers](
    id="receipts",
    version=2,
    migrations={1: as_before},
    title=N_("My receipts"),
    answers=Papers,
    start=S.LOOKING,
    cancel=S.LEFT,
    help=N_("Receipts of what was paid from this chat. Each can be opened as a PDF and checked by its code."),
    states={
        S.LOOKING: Do(
            ListReceipts,
            looking,
            then=S.FOUND,
            otherwise=S.DOWN,
            keep=found,
        ),
        S.FOUND: Decide(((is_empty, S.NONE),), otherwise=S.LIST),
        S.LIST: Pick(prompt, options, into="chosen", then=S.CHOSEN),
        S.CHOSEN: Decide(((wants_older, S.LOOKING),), otherwise=S.READING),
        S.READING: Do(ReadReceipt, reading, then=S.SHOWN, otherwise=S.DOWN, keep=take),
        S.SHOWN: Choose(
            shown,
            (
                Link(N_("🔗 Receipt (PDF)"), paper, when=has_paper),
                Go(N_("Another receipt"), S.LIST),
            ),
            back=S.LIST,
            rest=True,
            entry=False,
        ),
        S.NONE: Choose(
            N_("Nothing was paid from this chat yet, so there is no receipt here."),
            rest=True,
            entry=False,
        ),
        S.DOWN: Choose(
            N_("The receipts cannot be read now. Nothing is lost."),
            (Go(N_("Try again"), S.LOOKING),),
            entry=False,
        ),
        S.LEFT: End(),
    },
)

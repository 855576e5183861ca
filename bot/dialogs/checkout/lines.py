"""What a line of an order says, in the chat, on the payment page and on paper."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from bot.dialogs.checkout.effects import Recording, Share, Shares
from bot.domain import Item, ItemKind
from bot.i18n.text import N_, NP_, Arg, Day, Msg, Plural, say

PEOPLE: Final = 10
"""Persons one message tells of; more are counted."""

_STATES: Final[dict[Recording, Msg]] = {
    Recording.POSTED: N_("✓ {who}: residency until {day}"),
    Recording.PENDING: N_("· {who}: residency until {day}, being recorded"),
    Recording.REFUSED: N_("✕ {who}: not recorded"),
}
_FINES: Final[dict[Recording, Msg]] = {
    Recording.POSTED: N_("✓ {who}: recorded"),
    Recording.PENDING: N_("· {who}: being recorded"),
    Recording.REFUSED: _STATES[Recording.REFUSED],
}
_COUNTS: Final[dict[Recording, Plural]] = {
    Recording.REFUSED: NP_("✕ {n} residency not recorded", "✕ {n} residencies not recorded"),
    Recording.PENDING: NP_("· {n} residency being recorded", "· {n} residencies being recorded"),
    Recording.POSTED: NP_("✓ {n} residency recorded", "✓ {n} residencies recorded"),
}


def describe(item: Item) -> Arg:
    """What the line pays for: of a renewal whose, for how long, until when."""
    if item.kind is not ItemKind.RENEWAL or not item.until:  # a line the books have cleared says nothing
        return item.title
    return say(
        NP_("{who}: residency for {n} year, until {day}", "{who}: residency for {n} years, until {day}"),
        n=item.years,
        who=item.title,
        day=Day(date.fromisoformat(item.until)),
    )


def counts(items: Iterable[Item]) -> tuple[int, int]:
    """How many fines and how many renewals."""
    kinds = [item.kind is ItemKind.RENEWAL for item in items]
    return kinds.count(False), kinds.count(True)


def counted(fines: int, renewals: int) -> Arg:
    """What an order pays for, in numbers."""
    violations = say(NP_("{n} violation", "{n} violations"), n=fines)
    residencies = say(NP_("the renewal of {n} residency", "the renewal of {n} residencies"), n=renewals)
    if not renewals:
        return violations
    if not fines:
        return residencies
    return say(N_("{residencies} and {violations}"), residencies=residencies, violations=violations)


def and_more(count: int) -> tuple[Arg, ...]:
    """How many are not listed; nothing where all are."""
    return (say(NP_("and {n} more line", "and {n} more lines"), n=count),) if count > 0 else ()


def listed(items: Sequence[Item], most: int) -> tuple[Arg, ...]:
    """The first lines, and how many more there are."""
    return (*(describe(item) for item in items[:most]), *and_more(len(items) - most))


def told(shares: Shares) -> tuple[Arg, ...]:
    """What became of each person's part; of many, only those that are not recorded one by one."""
    if shares.renewals <= PEOPLE:
        return tuple(_share(each) for each in shares.people)
    pending = shares.renewals - shares.recorded - shares.refused
    refused = [each for each in shares.people if each.state is Recording.REFUSED]
    numbers = {
        Recording.POSTED: shares.recorded,
        Recording.PENDING: pending,
        Recording.REFUSED: shares.refused,
    }
    return (
        *(say(_COUNTS[state], n=count) for state, count in numbers.items() if count),
        *(_share(each) for each in refused),
        *(and_more(shares.refused - len(refused)) if refused else ()),
    )


def _share(share: Share) -> Arg:
    if not share.until:
        return say(_FINES[share.state], who=share.who)
    if share.state is Recording.REFUSED and share.fines:
        return say(
            NP_(
                "✕ {who}: not recorded, and neither is {n} violation",
                "✕ {who}: not recorded, and neither are {n} violations",
            ),
            n=share.fines,
            who=share.who,
        )
    return say(_STATES[share.state], who=share.who, day=Day(date.fromisoformat(share.until)))

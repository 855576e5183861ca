"""What wishes cost on a day: one part of an order a person, from the registry's permits and the rules."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from bot.dialogs.renewal import Quoted, QuoteRefused, Wish
from bot.domain import Bill, Item
from bot.ports import Failed
from bot.residency import assess, lines
from bot.residency.facts import Permit

FILS: Final = 1000
"""Of a Kuwaiti dinar."""


class QuoteLimits(msgspec.Struct, frozen=True):
    """What an operator decides about quotes.

    Attributes:
        holds_for: seconds a price holds.
        sign_in_above: fils above which a fresh sign-in is asked for; 0 for every sum.
    """

    holds_for: int = 1800
    sign_in_above: int = 100 * FILS


def priced(
    permits: Mapping[str, Permit],
    wishes: tuple[Wish, ...],
    bill: Bill,
    *,
    today: date,
    now: int,
    limits: QuoteLimits,
) -> Quoted:
    """A price for ``wishes``, each person a part of its own, in their order.

    Args:
        permits: of those the resident may renew, by civil ID; everyone wished for is among them.
        wishes: at least one, each of somebody else.
        bill: whose number the order shows, and the body they work for; lines and owners are put in here.
        today: the day in Kuwait.
        now: epoch seconds.
        limits: how long it holds, from when a fresh sign-in is asked for.

    Raises:
        Failed: a word of `QuoteRefused`.
    """
    chosen = [permits[wish.civil_id] for wish in wishes]
    people = tuple(assess(permit, today) for permit in chosen)
    if any(not one.ready for one in people):
        raise Failed(QuoteRefused.BLOCKED)
    items: list[Item] = []
    for part, (wish, permit) in enumerate(zip(wishes, chosen, strict=True)):
        found = lines(permit, wish.years, today, part)
        if not found:
            raise Failed(QuoteRefused.NOT_OFFERED)
        items += found
    total = sum(item.fils for item in items)
    return Quoted(
        msgspec.structs.replace(bill, items=tuple(items), owners=tuple(wish.civil_id for wish in wishes)),
        people,
        now + limits.holds_for,
        changed=total != sum(wish.fils for wish in wishes),
        large=total > limits.sign_in_above,
    )

"""A renewal as it stands today, and the lines of an order for it. Both from the same look, so that they agree."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from bot.domain import Fine, Item, ItemKind
from bot.i18n.text import Local, masked
from bot.residency.calendar import add_years
from bot.residency.durations import durations
from bot.residency.facts import Kin, Permit
from bot.residency.preflight import barriers
from bot.residency.prices import fee_year
from bot.residency.verdict import Candidate, Offer
from bot.rules import RULES, Rules

_RELATIONS: Final[Mapping[Kin, Local]] = {
    Kin.WIFE: Local("الزوجة", "Wife"),
    Kin.HUSBAND: Local("الزوج", "Husband"),
    Kin.SON: Local("الابن", "Son"),
    Kin.DAUGHTER: Local("الابنة", "Daughter"),
    Kin.MOTHER: Local("الوالدة", "Mother"),
    Kin.FATHER: Local("الوالد", "Father"),
    Kin.BROTHER: Local("الأخ", "Brother"),
    Kin.SISTER: Local("الأخت", "Sister"),
    Kin.OTHER: Local("معال", "Dependant"),
}


def assess(permit: Permit, today: date, rules: Rules = RULES) -> Candidate:
    """The renewal of ``permit`` as it stands on ``today``: every block, or what is offered.

    Args:
        permit: what the registry knows.
        today: the day in Kuwait; it decides which rules hold.
        rules: amounts, limits and durations.
    """
    blocked = barriers(permit, today, rules)
    span = durations(permit, today, rules)
    fines = payable(permit)
    offers: tuple[Offer, ...] = ()
    if not blocked:
        year, owed = fee_year(permit, today, rules) or 0, sum(fine.fils for fine in fines)
        offers = tuple(
            Offer(years, add_years(permit.expires, years).isoformat(), years * year, years * year + owed)
            for years in span.allowed
        )
    return Candidate(
        permit=permit.number,
        civil_id=permit.civil_id,
        kin=permit.kin,
        name=permit.name,
        latin=permit.latin,
        article=permit.article,
        expires=permit.expires.isoformat(),
        days=(permit.expires - today).days,
        barriers=blocked,
        offers=offers,
        cap=span.cap,
        cap_day=span.cap_day.isoformat() if span.cap_day else "",
        fines=fines,
    )


def lines(permit: Permit, years: int, today: date, part: int = 0, rules: Rules = RULES) -> tuple[Item, ...]:
    """What is paid for renewing ``permit`` by ``years``: its fines, oldest first, then the renewal.

    Args:
        permit: what the registry knows.
        years: whole years.
        today: the day in Kuwait.
        part: of the order, which is recorded on its own.
        rules: amounts, limits and durations.

    Returns:
        The lines; none where ``years`` is not offered.
    """
    candidate = assess(permit, today, rules)
    offer = candidate.offer(years)
    if offer is None:
        return ()
    renewal = Item(
        permit.number,
        ItemKind.RENEWAL,
        title(permit),
        offer.fee,
        years=years,
        until=offer.until,
        part=part,
    )
    fines = [Item(fine.id, ItemKind(fine.kind), fine.title, fine.fils, part=part) for fine in candidate.fines]
    return (*fines, renewal)


def title(permit: Permit) -> Local:
    """Whose renewal it is, without a name: the relation, else the masked number."""
    number = masked(permit.civil_id).text
    return _RELATIONS.get(permit.kin, Local(number, number))


def payable(permit: Permit) -> tuple[Fine, ...]:
    """The fines that are paid together with the renewal, oldest first."""
    return tuple(sorted((fine for fine in permit.fines if fine.payable), key=lambda fine: (fine.on, fine.id)))

"""What a year costs, from the rules: of residency, paid here, and of health insurance, paid to the Ministry of Health."""

from collections.abc import Sequence
from datetime import date

from bot.residency.calendar import add_years
from bot.residency.facts import Kin, Permit
from bot.rules import Rules, Who, at, now
from bot.rules.tables import Price


def fee_year(permit: Permit, today: date, rules: Rules) -> int | None:
    """Fils of residency fee for a year by the schedule of ``today``, None where the rules know none."""
    kin = related(permit)
    who = [Who.WIDOW] if permit.kuwaiti_widow else [Who.HOLDER]
    if kin is not None:
        who.append(Who.NEAR if kin.near else Who.OTHER)
    return _first(rules.fees.fee, who, permit, today)


def insurance_year(permit: Permit, today: date, rules: Rules) -> int | None:
    """Fils of health insurance for a year by the schedule of ``today``, None where the rules know none."""
    who = [Who.HOLDER]
    match related(permit):
        case None:
            pass
        case Kin.WIFE | Kin.HUSBAND:
            who.append(Who.SPOUSE)
        case Kin.SON | Kin.DAUGHTER if today < add_years(permit.born, now(rules.insurance.grown, today).age):
            who.append(Who.CHILD)
        case _:
            who.append(Who.OTHER)
    farms = [price for price in rules.insurance.insurance if price.farm]
    rest = [price for price in rules.insurance.insurance if not price.farm]
    return _first(farms + rest if permit.farm_work else rest, who, permit, today)


def related(permit: Permit) -> Kin | None:
    """What the person is to their family sponsor, None where they have none or it is not known."""
    kin = permit.sponsor_kin if permit.kin is Kin.SELF else permit.kin
    return None if kin in {Kin.SELF, Kin.WORKER, Kin.DOMESTIC} else kin


def _first(prices: Sequence[Price], who: Sequence[Who], permit: Permit, today: date) -> int | None:
    for one in who:
        for price in prices:
            if price.fits(
                one,
                permit.article,
                kuwaiti=permit.kuwaiti_sponsor,
                sponsor_article=permit.sponsor_article,
            ):
                amount = at(price.period, today)
                return None if amount is None else amount.fils
    return None

"""Made-up residencies of whoever is signed in, answered by the real rules."""

from datetime import date, timedelta
from typing import Any, Final

import msgspec

from bot.clock import local
from bot.dialogs.family_join import AskDay, Today
from bot.dialogs.overstay import CheckOverstay, CheckTravel, Clearance, EstimateOverstay, Stay
from bot.domain import Fine, FineKind
from bot.i18n.text import Local
from bot.model import Signed
from bot.residency.facts import Kin, Permit
from bot.residency.overstay import Case, newborn_due
from bot.rules import RULES
from bot.rules.travel import TRAVEL
from bot.services.travel import clearance, own_stay, stay
from tests.dialogs.harness import CIVIL_ID, NOON, Chat

TODAY: Final = local(NOON).date()
SIGNED: Final = Signed(CIVIL_ID, NOON, NOON + 1800)


def fine(number: int, fils: int, kind: FineKind = FineKind.RESIDENCY, barrier: str = "") -> Fine:
    """A fine the registry holds."""
    title = Local(f"مخالفة رقم {number}", f"Violation no. {number}")
    return Fine(f"R{number}", kind, title, f"2026-10-0{number}", fils, barrier)


def permit(days: int = 200, **other: Any) -> Permit:
    """One's own residency with ``days`` left; a partner's, so that nothing else is asked, unless said otherwise."""
    given: dict[str, Any] = {
        "article": 19,
        "passport_expires": date(2030, 1, 1),
        "insured_until": date(2030, 1, 1),
        "born": date(1985, 1, 15),
        **other,
    }
    return Permit(
        number="P-1",
        civil_id=CIVIL_ID,
        kin=Kin.SELF,
        name=Local("اسم", "Name"),
        latin="NAME",
        expires=TODAY + timedelta(days=days),
        **given,
    )


def stayed(days: int = 200, **other: Any) -> Stay:
    """What is answered of an overstay."""
    return own_stay(permit(days, **other), TODAY, RULES)


def cleared(days: int = 200, **other: Any) -> Clearance:
    """What is answered before a journey."""
    return clearance(permit(days, **other), TODAY, RULES, TRAVEL)


def estimated(effect: EstimateOverstay) -> Stay:
    """What is answered of a date."""
    last = date.fromisoformat(effect.last)
    return stay(effect.case, newborn_due(last, TODAY) if effect.case is Case.NEWBORN else last, TODAY, RULES)


def signed_in(chat: Chat) -> Chat:
    """The chat is signed in."""
    chat.session = msgspec.structs.replace(chat.session, signed=SIGNED)
    return chat


def records(chat: Chat, days: int = 200, **other: Any) -> Chat:
    """The registry knows this of whoever is signed in."""
    chat.answers(CheckOverstay, stayed(days, **other))
    chat.answers(CheckTravel, cleared(days, **other))
    chat.answers(AskDay, Today(TODAY.isoformat()))
    chat.world[EstimateOverstay] = estimated
    return chat

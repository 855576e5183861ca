"""What is said of a renewal: what blocks it, or how long it may be and what it costs.

`bot.residency.assess` makes these values; dialogs render them and never compute.
"""

from enum import StrEnum

import msgspec

from bot.domain import Fine
from bot.i18n.text import Local
from bot.residency.facts import Creditor, Kin

NOWHERE = Local("", "")


class Block(StrEnum):
    """A block on renewal (مانع)."""

    WINDOW = "window"  # too early: more than the renewal window remains
    FINES = "fines"  # fines that cannot be paid together with the renewal
    DEBTS = "debts"  # owed to another state body
    INSURANCE = "insurance"  # health insurance not paid, or for less than a year
    PASSPORT_EXPIRY = "passport_expiry"  # the passport is valid for too short a time
    PASSPORT_DATA = "passport_data"  # نقل معلومات الجواز
    LATIN_NAME = "latin_name"  # تعديل الاسم اللاتيني
    WORK_PERMIT = "work_permit"  # expired or not renewed
    SPONSOR_FILE = "sponsor_file"  # a block on the sponsor's or employer's file
    ABSENCE_REPORT = "absence_report"  # بلاغ تغيب
    BIOMETRIC = "biometric"
    ABROAD = "abroad"  # longer abroad than the law allows
    MEDICAL = "medical"
    PHOTO = "photo"
    ADDRESS = "address"
    EMPLOYER = "employer"  # one's own residency of article 17, 18 or 20: the employer renews it
    UNDERWAY = "underway"  # being paid or recorded just now
    FEE = "fee"  # the rules know no fee for this case
    OTHER = "other"  # the registry gives a reason of its own


class Cap(StrEnum):
    """Why a longer duration is not offered."""

    INSURANCE = "insurance"  # paid for no longer
    ARTICLE = "article"  # the law's limit for the article
    REGISTRY = "registry"  # the registry's own limit
    PASSPORT = "passport"  # valid for no longer; only where the rules tie the residency to it


class Barrier(msgspec.Struct, frozen=True, array_like=True):
    """One block on one person's renewal; only the fields that its kind needs are filled.

    Where the registry adds a block without saying more, its days are empty.

    Attributes:
        block: which.
        day: ISO 8601: of `WINDOW` when renewal opens; of `INSURANCE` until when it is paid; of
            `PASSPORT_EXPIRY` the passport's last day; of `WORK_PERMIT` its last day; of `ABROAD` since when.
        until: ISO 8601: until when it must be valid (`PASSPORT_EXPIRY`, `INSURANCE`).
        fils: of `FINES` and `DEBTS` how much, 0 for unknown; of `INSURANCE` what a year costs (0: unknown).
        creditor: of `DEBTS`.
        department: who explains `OTHER` and the like.
        phone: of that department.
        written: of `LATIN_NAME`: as the residency has it.
        printed: of `LATIN_NAME`: as the passport has it.
    """

    block: Block
    day: str = ""
    until: str = ""
    fils: int = 0
    creditor: Creditor = Creditor.OTHER
    department: Local = NOWHERE
    phone: str = ""
    written: str = ""
    printed: str = ""


class Offer(msgspec.Struct, frozen=True, array_like=True):
    """One duration a person may have today.

    Attributes:
        years: whole years.
        until: new last day of the residency, ISO 8601.
        fee: fils of residency fee, for all the years.
        fils: all that is paid: the fee and the person's payable fines.
    """

    years: int
    until: str
    fee: int
    fils: int


class Candidate(msgspec.Struct, frozen=True):
    """One person's renewal, as it stands today.

    Attributes:
        permit: number of the permit.
        civil_id: 12 digits; shown masked.
        kin: what the person is to whoever renews.
        name: as the records have it.
        latin: the Latin name to be checked.
        article: of the residency.
        expires: last day of the residency, ISO 8601.
        days: from today to that day; negative once it is over.
        barriers: every block at once; none means that it can be renewed now.
        offers: durations, shortest first; at least one where there is no barrier, else none.
        cap: why the longest offer is the longest.
        cap_day: of `Cap.INSURANCE`: until when it is paid, of `Cap.PASSPORT`: its last day; ISO 8601.
        fines: payable fines that are paid together with the renewal, oldest first.
    """

    permit: str
    civil_id: str
    kin: Kin
    name: Local
    latin: str
    article: int
    expires: str
    days: int
    barriers: tuple[Barrier, ...] = ()
    offers: tuple[Offer, ...] = ()
    cap: Cap = Cap.ARTICLE
    cap_day: str = ""
    fines: tuple[Fine, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether it can be renewed now."""
        return not self.barriers

    def offer(self, years: int) -> Offer | None:
        """The offer for ``years``, None where there is none."""
        return next((offer for offer in self.offers if offer.years == years), None)

"""What the registry knows of a person's residency."""

from datetime import date
from enum import StrEnum

import msgspec

from bot.domain import Fine
from bot.i18n.text import Local


class Kin(StrEnum):
    """What the person is to whoever renews. Anything else the registry says reads as `OTHER`."""

    SELF = "self"
    WIFE = "wife"
    HUSBAND = "husband"
    SON = "son"
    DAUGHTER = "daughter"
    MOTHER = "mother"
    FATHER = "father"
    BROTHER = "brother"
    SISTER = "sister"
    OTHER = "other"
    WORKER = "worker"
    DOMESTIC = "domestic"  # عمالة منزلية ومن في حكمهم

    @property
    def near(self) -> bool:
        """Spouse or child: the regulation's ordinary dependants."""
        return self in {Kin.WIFE, Kin.HUSBAND, Kin.SON, Kin.DAUGHTER}


class Creditor(StrEnum):
    """A state body that is owed something. Anything else the registry says reads as `OTHER`."""

    TRAFFIC = "traffic"
    ELECTRICITY = "electricity"  # electricity and water
    TELECOM = "telecom"
    JUSTICE = "justice"
    HEALTH = "health"
    OTHER = "other"


class Debt(msgspec.Struct, frozen=True, array_like=True):
    """``fils`` owed to ``creditor``; 0 where the registry does not say how much."""

    creditor: Creditor
    fils: int = 0


class Stop(msgspec.Struct, frozen=True, array_like=True):
    """A block that the registry itself adds.

    Attributes:
        code: a value of `bot.residency.verdict.Block`, or anything else: then the department explains it.
        department: who can clear it, in both languages; may be empty.
        phone: of that department; may be empty.
    """

    code: str
    department: Local = Local("", "")
    phone: str = ""


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """One person's residency.

    Attributes:
        number: the registry's number of the permit; no personal data, at most 40 of ``A-Z0-9-``.
        civil_id: 12 digits.
        kin: what the person is to whoever asked for the permit.
        name: as the records have it.
        latin: the Latin name on the residency.
        passport_latin: the Latin name in the passport, empty where the registry does not know it.
        article: of the residency (``17`` … ``31``).
        sponsor_article: article of the family sponsor's own residency; 0 for a Kuwaiti sponsor or none.
        kuwaiti_sponsor: whether the sponsor or employer is a Kuwaiti person.
        born: birth date.
        expires: last day of the residency.
        insured_until: last day health insurance is paid for, None where none is.
        insurance_exempt: whether none is needed.
        passport_expires: last day of the passport.
        passport_moved: whether the present passport's data are on the residency.
        work_permit_until: last day of the work permit, None where none is needed.
        abroad_since: first day of a stay abroad that lasts, None when in Kuwait.
        absence_permit_until: last day of an absence permit, None for none.
        biometric: whether the fingerprint is taken.
        travel_ban: whether a court or prosecution keeps the person from leaving.
        exit_permit_until: last day of an exit permit, None for none.
        debts: owed to state bodies, fines apart.
        fines: residency and traffic fines.
        stops: further blocks.
        most_years: the registry's own limit on the duration, None for none.
        sponsor_kin: what the person is to their family sponsor, where they ask for themselves; None for unknown.
        kuwaiti_mother: child of a Kuwaiti woman.
        kuwaiti_widow: widow or divorcee of a Kuwaiti, with children.
        farm_work: farm worker, herder, fisherman or dairy worker.
    """

    number: str
    civil_id: str
    kin: Kin
    name: Local
    latin: str
    passport_latin: str = ""
    article: int
    sponsor_article: int = 0
    kuwaiti_sponsor: bool = False
    born: date
    expires: date
    insured_until: date | None = None
    insurance_exempt: bool = False
    passport_expires: date
    passport_moved: bool = True
    work_permit_until: date | None = None
    abroad_since: date | None = None
    absence_permit_until: date | None = None
    biometric: bool = True
    travel_ban: bool = False
    exit_permit_until: date | None = None
    debts: tuple[Debt, ...] = ()
    fines: tuple[Fine, ...] = ()
    stops: tuple[Stop, ...] = ()
    most_years: int | None = None
    sponsor_kin: Kin | None = None
    kuwaiti_mother: bool = False
    kuwaiti_widow: bool = False
    farm_work: bool = False


class Body(msgspec.Struct, frozen=True, array_like=True):
    """A company or government body somebody is an authorised user of.

    Attributes:
        number: its unified number (الرقم الموحد).
        name: in both languages.
        government: whether it is a government body.
        due: how many of its workers can be renewed by their dates.
    """

    number: str
    name: Local
    government: bool = False
    due: int = 0

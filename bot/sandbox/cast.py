"""The named cast: people to try the service with, each an interesting case. All synthetic."""

from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from bot.i18n.text import Local
from bot.sandbox import fines as law
from bot.sandbox.fines import FineRecord, Offence, Words
from bot.sandbox.people import Person
from bot.sandbox.scripts import Script, late, records, somebody


class Temper(StrEnum):
    """How the registry behaves when asked about somebody."""

    CALM = "calm"
    SLOW = "slow"  # answers after 7 seconds
    DOWN = "down"  # always 503
    BUSY = "busy"  # always 429


class DemoPerson(msgspec.Struct, frozen=True):
    """Somebody to try things with.

    Attributes:
        person: index, civil ID, reference, passport, expiry.
        note: what to expect.
        fines: what is owed, oldest first.
        temper: how the registry behaves.
    """

    person: Person
    note: Local
    fines: tuple[FineRecord, ...] = ()
    temper: Temper = Temper.CALM

    @property
    def civil_id(self) -> str:
        """12 digits."""
        return self.person.civil_id

    @property
    def reference(self) -> str:
        """MOI reference number, 10 digits."""
        return self.person.reference

    @property
    def passport(self) -> str:
        """Passport number."""
        return self.person.passport

    @property
    def expiry(self) -> date:
        """Last day of the passport."""
        return self.person.expiry


_OLD_BELT = 10_000  # the amount before 22 April 2025, which old tickets keep
_ADMINISTRATIVE = Offence(Words("غرامة إدارية لشؤون الإقامة", "Residency administrative fine"))


def _cast(civil_id: str, ar: str, en: str, *scripts: Script, temper: Temper = Temper.CALM) -> DemoPerson:
    person = somebody(civil_id)
    return DemoPerson(person, Local(ar, en), records(person, *scripts), temper)


def _many() -> tuple[Script, ...]:
    """Twenty-three tickets, one a fortnight: 12 of parking, 11 of other offences."""
    offences = (law.PARKING, law.BELT, law.PARKING, law.PHONE)
    day = date(2025, 5, 4).toordinal()
    return tuple(
        Script(offence, date.fromordinal(day + 14 * n).isoformat(), offence.amounts[0] * 1000)
        for n in range(23)
        for offence in (offences[n % 4],)
    )


DEMO: Final[tuple[DemoPerson, ...]] = (
    _cast(
        "285011500029",
        "ثلاث مخالفات تُدفع إلكترونياً بمجموع 45.000 د.ك. ورابعة لا تُدفع؛ وأسرة لتجديد إقاماتها",
        "three payable fines, 45.000 KWD in all, one that is not; a family to renew",
        Script(law.BELT, "2025-04-14", _OLD_BELT),
        late(law.EXPIRED, "2026-03-12", 10),
        Script(law.RECKLESS, "2026-05-02", 150_000, "court"),
        Script(law.PARKING, "2026-08-30", 15_000),
    ),
    _cast("290063001017", "لا شيء عليه", "nothing owed"),
    _cast(
        "272120100478",
        "كل ما عليه لا يُدفع إلكترونياً، ولكلٍّ سبب",
        "everything unpayable, each for another reason",
        Script(law.SPEED, "2025-07-19", 130_000, "court"),
        Script(law.NOISE, "2025-11-03", 75_000, "impound"),
        late(law.TEMPORARY, "2026-02-08", 31, "office"),
        Script(law.DISABLED, "2026-06-27", 150_000, "audit"),
    ),
    _cast(
        "300022900127",
        "ثلاث وعشرون مخالفة تُدفع إلكترونياً",
        "twenty-three payable fines",
        *_many(),
    ),
    _cast(
        "299123190026",
        "مخالفة واحدة، 5.250 د.ك.",
        "one single fine, 5.250 KWD",
        Script(_ADMINISTRATIVE, "2026-09-15", 5_250),
    ),
    _cast(
        "268032105138",
        "السجل بطيء (7 ثوانٍ)، ثم مخالفتان",
        "the registry is slow (7 seconds), then two fines",
        late(law.EXPIRED, "2026-01-20", 45),
        Script(law.PHONE, "2026-10-05", 75_000),
        temper=Temper.SLOW,
    ),
    _cast("315090908042", "السجل لا يجيب", "the registry is down", temper=Temper.DOWN),
    _cast(
        "324110503339",
        "مخالفتان بالضبط",
        "exactly two fines",
        late(law.NEWBORN, "2025-06-10", 20),
        late(law.EXPIRED, "2026-07-01", 6),
    ),
    _cast("286101901541", "السجل مشغول", "the registry is busy", temper=Temper.BUSY),
    _cast("279051704121", "كفيل نفسه، تجديد إقامته ممكن الآن", "a self-sponsor who can renew now"),
    _cast("276100302556", "أسرة لكل فرد فيها موانع أخرى", "a family in which everybody has other blocks"),
    _cast(
        "283020807189",
        "إقامة منتهية منذ 45 يوماً وغرامتها تُدفع إلكترونياً",
        "45 days late, with a payable residency fine",
    ),
    _cast("271031406032", "مواطن ليس على ملفه أحد", "a citizen with nobody on the file"),
    _cast(
        "274090908407",
        "مفوض عن شركة، 12 من العاملين فيها حان تجديد إقاماتهم",
        "acts for one company with 12 workers who are due",
    ),
    _cast(
        "281072203302",
        "مفوض عن شركتين، في إحداهما أكثر من 5000 عامل، وعن جهة حكومية",
        "acts for two companies, one of over 5,000 workers, and a government body",
    ),
)

FIRST: Final = (
    "285011500029",
    "299123190026",
    "276100302556",
    "283020807189",
    "274090908407",
    "281072203302",
)
"""Those of the cast that show most, for whoever looks at the service for the first time."""

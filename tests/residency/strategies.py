"""Residencies of any kind, with and without blocks, for property tests."""

from datetime import date, timedelta
from typing import Final

from hypothesis import strategies as st

from bot.domain import Fine, FineKind, Unpayable
from bot.i18n.text import Local
from bot.residency.facts import Creditor, Debt, Kin, Permit, Stop
from bot.residency.verdict import Block

todays: Final = st.one_of(
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    st.sampled_from(
        [date(2025, 1, 4), date(2025, 1, 5), date(2025, 12, 22), date(2025, 12, 23), date(2028, 2, 29)]
    ),
)
_ARTICLES: Final = (14, 17, 18, 19, 20, 21, 22, 23, 24, 25, 29, 30, 31)


@st.composite
def fines(draw: st.DrawFn) -> tuple[Fine, ...]:
    """Up to three; most can be paid, some cannot."""
    one = st.builds(
        Fine,
        st.uuids(version=4).map(str),
        st.sampled_from(FineKind),
        st.just(Local("مخالفة", "Violation")),
        st.dates(date(2024, 1, 1), date(2026, 12, 31)).map(date.isoformat),
        st.integers(1, 2_000_000),
        st.sampled_from(["", "", "", Unpayable.SETTLING, Unpayable.COURT, "new word"]),
    )
    return tuple(draw(st.lists(one, max_size=3)))


@st.composite
def permits(draw: st.DrawFn, today: date, *, clear: bool = False) -> Permit:
    """A residency near its last day; ``clear`` leaves out what can only block."""

    def near(days: int, further: int) -> date:
        return today + timedelta(days=draw(st.integers(-days, further)))

    def rare() -> bool:
        return not clear and draw(st.integers(0, 9)) == 0

    kin = draw(st.sampled_from([Kin.WIFE, Kin.SON, Kin.MOTHER, Kin.WORKER] if clear else list(Kin)))
    return Permit(
        number="P-1",
        civil_id="290063001017",
        kin=kin,
        name=Local("أمينة", "Amina"),
        latin="AMINA YUSUF",
        passport_latin="AMINAH YUSUF" if rare() else draw(st.sampled_from(["", "Amina-Yusuf"])),
        article=draw(
            st.sampled_from([17, 18, 19, 21, 24] if kin is Kin.WORKER else (22,) if clear else _ARTICLES)
        ),
        sponsor_article=draw(st.sampled_from((17, 18, 19, 24) if clear else (0, *_ARTICLES))),
        kuwaiti_sponsor=rare(),
        born=draw(st.dates(date(1940, 1, 1), date(2019, 12, 31))),
        expires=near(1000, 59 if clear else 90),
        insured_until=None if rare() else near(0, 365 * 8),
        insurance_exempt=draw(st.booleans()),
        passport_expires=near(0 if not clear else -400, 365 * 9),
        passport_moved=not rare(),
        work_permit_until=near(2, 400) if rare() else None,
        abroad_since=near(400, 0) if rare() else None,
        absence_permit_until=near(10, 100) if rare() else None,
        biometric=not rare(),
        debts=(Debt(draw(st.sampled_from(Creditor)), draw(st.integers(0, 9_000))),) if rare() else (),
        fines=draw(fines()),
        stops=(Stop(draw(st.sampled_from([*Block, "quarantine"]))),) if rare() else (),
        most_years=draw(st.one_of(st.none(), st.integers(1 if clear else 0, 12))),
        sponsor_kin=draw(st.one_of(st.none(), st.sampled_from(Kin))),
        kuwaiti_mother=draw(st.booleans()),
        kuwaiti_widow=rare(),
    )

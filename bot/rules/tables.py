"""The shape of the rule files of renewing and overstaying. What a field means stands in the file's header."""

from enum import StrEnum

import msgspec

from bot.rules.dated import Count, Period, Positive, Words
from bot.rules.family import FamilyRules


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file, or an entry of one: an unknown word in it is a fault."""


class Who(StrEnum):
    """What a fee or an insurance is priced by."""

    HOLDER = "holder"  # in one's own right
    NEAR = "near"  # spouse or child of the family sponsor
    SPOUSE = "spouse"
    CHILD = "child"
    OTHER = "other"
    WIDOW = "widow"  # widow or divorcee of a Kuwaiti, with children


class Sponsor(StrEnum):
    """Whose sponsor or employer."""

    ANY = "any"
    KUWAITI = "kuwaiti"
    FOREIGN = "foreign"


class Amount(Period, frozen=True, kw_only=True):
    """A year's price."""

    fils: Count


class Price(Table, frozen=True, kw_only=True):
    """A year's price for one case; an empty set of articles is any article."""

    name: Words
    who: Who
    period: tuple[Amount, ...]
    articles: frozenset[int] = frozenset()
    sponsor: Sponsor = Sponsor.ANY
    sponsor_articles: frozenset[int] = frozenset()
    farm: bool = False

    def fits(self, who: Who, article: int, *, kuwaiti: bool, sponsor_article: int) -> bool:
        """Whether the case is this one."""
        sponsor = Sponsor.KUWAITI if kuwaiti else Sponsor.FOREIGN
        return (
            self.who is who
            and (not self.articles or article in self.articles)
            and self.sponsor in {Sponsor.ANY, sponsor}
            and (not self.sponsor_articles or sponsor_article in self.sponsor_articles)
        )

    def clashes(self, other: "Price") -> bool:
        """Whether somebody could be both cases."""
        return (
            self.who is other.who
            and self.farm is other.farm
            and _meet(self.articles, other.articles)
            and _meet(self.sponsor_articles, other.sponsor_articles)
            and (Sponsor.ANY in {self.sponsor, other.sponsor} or self.sponsor is other.sponsor)
        )


def _meet(one: frozenset[int], other: frozenset[int]) -> bool:
    return not one or not other or bool(one & other)


class Fees(Table, frozen=True, kw_only=True):
    """``residency_fees.toml``."""

    fee: tuple[Price, ...]


class Age(Period, frozen=True, kw_only=True):
    """From which birthday on a child is grown."""

    age: Count


class Insurance(Table, frozen=True, kw_only=True):
    """``health_insurance.toml``."""

    grown: tuple[Age, ...]
    insurance: tuple[Price, ...]


class Days(Period, frozen=True, kw_only=True):
    """A number of days."""

    days: Count


class Limit(Period, frozen=True, kw_only=True):
    """A limit of months; none: no limit."""

    months: Count | None = None


class Term(Period, frozen=True, kw_only=True):
    """A number of months."""

    months: Count


class Years(Period, frozen=True, kw_only=True):
    """A number of years."""

    years: Count


class Passport(Period, frozen=True, kw_only=True):
    """How long a passport must be valid, and whether the residency ends with it."""

    months: Count
    caps: bool


class Kind(Table, frozen=True, kw_only=True):
    """Whom a limit is for; with neither field, everybody else."""

    name: Words
    articles: frozenset[int] = frozenset()
    kuwaiti_mother: bool = False
    period: tuple[Period, ...]

    @property
    def rest(self) -> bool:
        """Whether it is for everybody whom no other one is for."""
        return not self.articles and not self.kuwaiti_mother

    def fits(self, article: int, *, kuwaiti_mother: bool) -> bool:
        """Whether it names the case."""
        return article in self.articles or (self.kuwaiti_mother and kuwaiti_mother)


class MostYears(Kind, frozen=True, kw_only=True):
    """The longest renewal."""

    period: tuple[Years, ...]


class MostAbroad(Kind, frozen=True, kw_only=True):
    """The longest stay abroad."""

    period: tuple[Limit, ...]


class Articles(Period, frozen=True, kw_only=True):
    """Articles of the regulation."""

    articles: frozenset[int]


class Blocks(Period, frozen=True, kw_only=True):
    """Whether something blocks renewal."""

    blocks: bool


class Renewal(Table, frozen=True, kw_only=True):
    """``renewal.toml``."""

    window: tuple[Days, ...]
    passport: tuple[Passport, ...]
    years: tuple[MostYears, ...]
    abroad: tuple[MostAbroad, ...]
    employer: tuple[Articles, ...]
    debts: tuple[Blocks, ...]
    biometric: tuple[Blocks, ...]


class Case(StrEnum):
    """Why somebody stays without a valid residency."""

    NEWBORN = "newborn"  # not registered in time
    EXPIRED = "expired"  # expired, refused, or not obtained after entry on a residence visa
    TEMPORARY = "temporary"  # temporary residence overrun
    WORK_CANCELLED = "work_cancelled"  # articles 17 and 18, cancelled and not left
    DOMESTIC = "domestic"  # article 20
    VISIT = "visit"  # visit visa overstayed


class Daily(Period, frozen=True, kw_only=True):
    """What a late day costs."""

    first_month: Positive
    month_days: Count
    after: Positive
    cap: Count


class Overstaying(Table, frozen=True, kw_only=True):
    """The settlement amounts of one case."""

    case: Case
    period: tuple[Daily, ...]
    articles: frozenset[int] = frozenset()


class Number(Period, frozen=True, kw_only=True):
    """How many."""

    count: Count


class Overstay(Table, frozen=True, kw_only=True):
    """``overstay.toml``."""

    weeks: tuple[Number, ...]
    newborn: tuple[Term, ...]
    overstay: tuple[Overstaying, ...]

    def of(self, case: Case) -> Overstaying:
        """The amounts of ``case``; the loader has seen that each is there."""
        return next(one for one in self.overstay if one.case is case)


class Waives(StrEnum):
    """What a waiver spares."""

    FINES = "fines"
    ABSENCE = "absence"


class Waiver(Period, frozen=True, kw_only=True):
    """Something the ministry waived for a while."""

    name: Words
    waives: Waives
    cases: frozenset[Case] = frozenset()


class Waivers(Table, frozen=True, kw_only=True):
    """``waivers.toml``."""

    waiver: tuple[Waiver, ...]

    @property
    def absence(self) -> list[Waiver]:
        """Those for people abroad."""
        return [one for one in self.waiver if one.waives is Waives.ABSENCE]

    def fines(self, case: Case) -> list[Waiver]:
        """Those for late days of ``case``."""
        return [one for one in self.waiver if case in one.cases]


class Rules(msgspec.Struct, frozen=True):
    """All of them.

    Attributes:
        fees: a year of residency.
        insurance: a year of health insurance.
        renewal: when and for how long.
        overstay: settlement amounts.
        waivers: what was waived.
        family: bringing a family.
    """

    fees: Fees
    insurance: Insurance
    renewal: Renewal
    overstay: Overstay
    waivers: Waivers
    family: FamilyRules

"""The shape of ``family_join.toml``, whose comments say what a field means."""

from enum import StrEnum

import msgspec

from bot.i18n.text import Local
from bot.rules.dated import Count, Period, Words


class Degree(StrEnum):
    """Whose sponsor needs a degree."""

    EVERYONE = "everyone"
    OLDER_CHILD = "older_child"  # a child of `Terms.degree_age` or more
    NOBODY = "nobody"


class Excused(StrEnum):
    """What the listed professions are excused."""

    DEGREE = "degree"
    SALARY = "salary"  # then with a degree that fits the profession


class Approver(StrEnum):
    """Who must agree."""

    DIRECTOR_GENERAL = "director_general"  # of residency affairs, or an assistant
    RESIDENCY_AFFAIRS = "residency_affairs"  # the department: our rules do not know the case


class Paper(StrEnum):
    """Something to bring."""

    FORM = "form"  # application for the entry visa
    PASSPORT = "passport"  # copy, of whoever joins
    CIVIL_ID = "civil_id"  # copy, of the sponsor
    KINSHIP = "kinship"  # a passport or certificate that shows the relation
    WORK_PERMIT = "work_permit"  # copy: it proves the salary
    DEGREE = "degree"
    CONTRACT = "contract"  # copy of the partner's contract or the company's licence
    APPROVAL = "approval"  # in writing


class Article(Period, frozen=True, kw_only=True):
    """An article of the regulation."""

    article: int


class Terms(Period, frozen=True, kw_only=True):
    """What the sponsor must have."""

    salary: Count
    young: Count
    degree: Degree
    degree_age: Count = 0
    excused: Excused


class Since(Period, frozen=True, kw_only=True):
    """Only when."""


class SponsorKind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of sponsors of some articles."""

    name: Words
    articles: frozenset[int]
    period: tuple[Since, ...]
    work_permit: bool = False
    paper: Paper | None = None
    approval: Approver | None = None


class Validity(Period, frozen=True, kw_only=True):
    """For how long passports are valid."""

    months: Count


class Papers(Period, frozen=True, kw_only=True):
    """What everybody brings."""

    needed: tuple[Paper, ...]


class Professions(Period, frozen=True, kw_only=True):
    """Professions, in words."""

    names: tuple[Local, ...]


class FamilyRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``family_join.toml``."""

    residency: tuple[Article, ...]
    terms: tuple[Terms, ...]
    sponsor: tuple[SponsorKind, ...]
    passports: tuple[Validity, ...]
    papers: tuple[Papers, ...]
    professions: tuple[Professions, ...]

"""What the loader refuses, each fault with the file and the entry in one line."""

from datetime import date
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.rules import RULES, Rules, at, load, now
from bot.rules.dated import Mark
from bot.rules.tables import Days
from tests.residency.permits import RULES_FOLDER, changed

FEES, RENEWAL, OVERSTAY, WAIVERS = "residency_fees.toml", "renewal.toml", "overstay.toml", "waivers.toml"
HEALTH, FAMILY = "health_insurance.toml", "family_join.toml"
WORK_ENDS = "to = 2025-12-22\nfils = 10_000"


def refused(folder: Path, file: str, old: str, new: str) -> str:
    with pytest.raises(ConfigError) as wrong:
        load(changed(folder, file, old, new))
    text = str(wrong.value)
    assert "\n" not in text
    return text


def test_shipped_rules_are_those_of_the_files() -> None:
    assert load(RULES_FOLDER) == RULES
    assert isinstance(RULES, Rules)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            FEES,
            WORK_ENDS,
            "to = 2025-12-23\nfils = 10_000",
            '{file}, fee "work": two periods overlap on 2025-12-23',
        ),
        (FEES, "to = 2025-12-22\n", "", '{file}, fee "work": two periods overlap on 2025-12-23'),
        (
            FEES,
            WORK_ENDS,
            "to = 2025-12-20\nfils = 10_000",
            '{file}, fee "work": nothing holds from 2025-12-21 to 2025-12-22',
        ),
        (
            FEES,
            "from = 2025-12-23\nfils = 20_000",
            "from = 2025-12-23\nto = 2026-12-31\nfils = 20_000",
            '{file}, fee "work": nothing holds from 2027-01-01 on',
        ),
        (
            FEES,
            "from = 2020-01-01",
            "from = 2026-01-01",
            '{file}, fee "work": ends on 2025-12-22 before it begins on 2026-01-01',
        ),
        (FEES, "fils = 10_000", "fils = -1", '{file}, fee "work": Expected `int` >= 0 (period[0].fils)'),
        (
            FEES,
            "fils = 10_000",
            "fils = 10.0",
            '{file}, fee "work": Expected `int`, got `float` (period[0].fils)',
        ),
        (FEES, "fils = 10_000\n", "", '{file}, fee "work": Object missing required field `fils` (period[0])'),
        (
            FEES,
            "fils = 10_000",
            "fils = 10_000\nfee = 1",
            '{file}, fee "work": Object contains unknown field `fee` (period[0])',
        ),
        (
            FEES,
            'who = "holder"',
            'who = "holders"',
            "{file}, fee \"work\": Invalid enum value 'holders' (who)",
        ),
        (FEES, 'mark = "H"', 'mark = "X"', "{file}, fee \"work\": Invalid enum value 'X' (period[0].mark)"),
        (
            FEES,
            "from = 2020-01-01",
            'from = "soon"',
            '{file}, fee "work": Invalid RFC3339 encoded date (period[0].from)',
        ),
        (
            FEES,
            'source = "Resolution 957/2019; Times Kuwait 2019"',
            'source = ""',
            '{file}, fee "work": Expected `str` of length >= 1 (period[0].source)',
        ),
        (
            FEES,
            "articles = [23, 30, 31]",
            "articles = [18, 23]",
            '{file}, fee "students, former bedoun, clergy": overlaps with "work"',
        ),
        (
            FEES,
            'sponsor = "foreign"',
            'sponsor = "any"',
            '{file}, fee "domestic, foreign employer": overlaps with "domestic, Kuwaiti employer"',
        ),
        (FEES, 'name = "self-sponsor"', 'name = "work"', '{file}, fee "work": overlaps with "work"'),
        (
            FEES,
            "sponsor_articles = [24]",
            "sponsor_articles = [18, 24]",
            '{file}, fee "family of self-sponsors": overlaps with "family of staff and students"',
        ),
        (RENEWAL, "[[window]]", "[[windows]]", "{file}, Object contains unknown field `windows`"),
        (FEES, "[[fee]]", "[[fee", "{file}: "),
        (
            HEALTH,
            "to = 2025-12-22\nfils = 40_000",
            "to = 2025-12-24\nfils = 40_000",
            '{file}, insurance "spouse": two periods overlap on 2025-12-23',
        ),
        (HEALTH, 'who = "spouse"', 'who = "child"', '{file}, insurance "child": overlaps with "spouse"'),
        (HEALTH, "age = 18", "age = -18", '{file}, grown "1": Expected `int` >= 0 (age)'),
        (
            RENEWAL,
            "from = 2020-01-01\ndays = 60",
            "from = 2020-01-01\nto = 2026-12-31\ndays = 60",
            "{file}, window: nothing holds from 2027-01-01 on",
        ),
        (
            RENEWAL,
            "from = 2025-12-23\nmonths = 6",
            "from = 2025-12-22\nmonths = 6",
            "{file}, passport: two periods overlap on 2025-12-22",
        ),
        (
            RENEWAL,
            "from = 2025-12-23\nmonths = 6",
            "from = 2025-12-25\nmonths = 6",
            "{file}, passport: nothing holds from 2025-12-23 to 2025-12-24",
        ),
        (RENEWAL, "to = 2023-09-09", "to = 2023-09-10", "{file}, debts: two periods overlap on 2023-09-10"),
        (
            RENEWAL,
            "to = 2024-12-30",
            "to = 2024-12-29",
            "{file}, biometric: nothing holds from 2024-12-30 to 2024-12-30",
        ),
        (
            RENEWAL,
            'name = "property owner"\narticles = [25]',
            'name = "property owner"',
            "{file}, years: 2 entries for everybody else, not one",
        ),
        (
            RENEWAL,
            'name = "ordinary residence"',
            'name = "ordinary residence"\narticles = [17]',
            "{file}, years: 0 entries for everybody else, not one",
        ),
        (
            RENEWAL,
            'name = "investor"\narticles = [21]',
            'name = "investor"\narticles = [21, 25]',
            '{file}, years "investor": overlaps with "property owner"',
        ),
        (
            RENEWAL,
            "years = 15",
            "years = -15",
            '{file}, years "investor": Expected `int` >= 0 (period[1].years)',
        ),
        (
            OVERSTAY,
            'case = "visit"',
            'case = "visits"',
            "{file}, overstay \"visits\": Invalid enum value 'visits' (case)",
        ),
        (OVERSTAY, 'case = "visit"', 'case = "expired"', '{file}, overstay "expired": 2 entries, not one'),
        (
            OVERSTAY,
            "first_month = 2_000",
            "first_month = 0",
            '{file}, overstay "newborn": Expected `int` >= 1 (period[0].first_month)',
        ),
        (
            OVERSTAY,
            "to = 2025-01-04",
            "to = 2025-01-05",
            '{file}, overstay "newborn": two periods overlap on 2025-01-05',
        ),
        (
            OVERSTAY,
            "articles = [14]",
            "articles = [20]",
            '{file}, overstay "domestic": overlaps with "temporary"',
        ),
        (WAIVERS, "to = 2026-03-27\n", "", '{file}, waiver "visit visas, spring 2026": has no last day'),
        (
            WAIVERS,
            "to = 2026-03-27",
            "to = 2026-02-27",
            '{file}, waiver "visit visas, spring 2026": ends on 2026-02-27 before it begins',
        ),
        (
            WAIVERS,
            'cases = ["visit"]\n',
            "",
            '{file}, waiver "visit visas, spring 2026": cases are for fines, and fines need them',
        ),
        (
            FAMILY,
            "to = 2025-12-22\nsalary",
            "to = 2025-12-21\nsalary",
            "{file}, terms: nothing holds from 2025-12-22 to 2025-12-22",
        ),
        (FAMILY, "salary = 800_000", "salary = -800_000", '{file}, terms "1": Expected `int` >= 0 (salary)'),
        (
            FAMILY,
            "articles = [24]",
            "articles = [19, 24]",
            '{file}, sponsor "self-sponsor": overlaps with "partner"',
        ),
    ],
)
def test_a_fault_names_file_and_entry(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    text = refused(tmp_path, file, old, new)
    said = said.format(file=file)
    assert text.startswith(said) if said.endswith(": ") else text == said


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = changed(tmp_path, FEES, "fils", "fils")
    (folder / OVERSTAY).unlink()
    with pytest.raises(ConfigError, match=r"^overstay\.toml: "):
        load(folder)


def _days(first: date, last: date | None, days: int) -> Days:
    return Days(first=first, last=last, days=days, mark=Mark.LOW, source="test")


def test_what_holds_on_a_day() -> None:
    series = (_days(date(2025, 1, 1), date(2025, 6, 30), 1), _days(date(2025, 7, 1), None, 2))
    assert at(series, date(2024, 12, 31)) is None
    assert [now(series, day).days for day in (date(2025, 1, 1), date(2025, 6, 30), date(2025, 7, 1))] == [
        1,
        1,
        2,
    ]
    assert now(series, date.max).days == 2
    with pytest.raises(LookupError, match="2024-12-31"):
        now(series, date(2024, 12, 31))

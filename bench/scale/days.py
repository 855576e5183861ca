"""Days of 4 million and of 100 million residents: usual, when salaries come, after an announcement; and a day of outages."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from bench.plots import line_plot
from bench.scale.model import DAY, HOUR, Habits, Outage, Plant, Second, drained_after, simulate

RESIDENTS: Final = (4_000_000, 100_000_000)
RUSH: Final = 3.0
ANNOUNCED: Final = 0.05
CPU_US: Final = 350.0
"""Of a turn, with Telegram's webhook and calls: docs/performance.md, on a busy machine."""
LOAD: Final = 0.5
"""Share of a core that a process is planned to use at the worst moment."""
POSTS: Final = 35.0
"""Payments that one process's sweep records in a second at a registry that takes 50 ms; see `bench.scale.recording`."""
FREE: Final = 30.0
"""Telegram's own figure for one bot; see docs/scale.md."""
PAID: Final = 1000.0
"""With paid broadcasts."""
WHATSAPP: Final = 80.0
STEP: Final = 60
"""Seconds between points of a plot."""

OUTAGES: Final = (
    Outage("redis", 9 * HOUR, 5),
    Outage("Telegram", 9 * HOUR + 1800, 600),
    Outage("ledger", 10 * HOUR + 1800, 60),
    Outage("registry", 11 * HOUR, HOUR),
)


class Day(msgspec.Struct, frozen=True):
    """What a day asks for.

    Attributes:
        visits: in all.
        peak_turns: a second, in the busiest one.
        processes: that carry the peak at `LOAD`.
        peak_telegram: messages a second that Telegram would have to take.
        owed: messages Telegram owes at worst with one bot (30 a second), and with paid broadcasts (1,000).
        hours: until that is over, after the busiest second; None for not on that day.
    """

    residents: int
    name: str
    visits: float
    peak_turns: float
    processes: int
    peak_telegram: float
    owed: tuple[float, float]
    hours: tuple[float | None, float | None]


def habits(residents: int) -> dict[str, Habits]:
    """The three kinds of day."""
    return {
        "usual": Habits(residents=residents),
        "salaries": Habits(residents=residents, rush=RUSH),
        "announcement": Habits(residents=residents, announced=ANNOUNCED),
    }


def processes(peak_turns: float) -> int:
    """How many carry the peak."""
    return max(2, -int(-peak_turns * CPU_US / 1e6 // LOAD))


def plant(peak_turns: float, telegram: float) -> Plant:
    """Processes for the peak, and channels with their limits."""
    count = processes(peak_turns)
    return Plant(
        turns_a_second=count * 1e6 / CPU_US,
        limits={"Telegram": telegram, "WhatsApp": WHATSAPP if telegram == FREE else PAID},
        posts_a_second=POSTS * count,
    )


def course(of: Habits, telegram: float, outages: tuple[Outage, ...] = (), seconds: int = DAY) -> list[Second]:
    """A day, second by second."""
    peak = max(of.turns_a_second(second) for second in range(0, DAY, 10))
    return list(simulate(of, plant(peak, telegram), outages, 0, seconds))


def _day(residents: int, name: str, of: Habits) -> Day:
    courses = [course(of, limit) for limit in (FREE, PAID)]
    busiest = max(courses[0], key=lambda second: second.arrived)
    owed, hours = list[float](), list[float | None]()
    for limit, found in zip((FREE, PAID), courses, strict=True):
        worst = max(found, key=lambda second: second.outbox["Telegram"])
        owed.append(worst.outbox["Telegram"])
        over = drained_after(found, "Telegram", max(worst.at, busiest.at), limit)
        hours.append(None if over is None else (max(worst.at, busiest.at) + over - busiest.at) / HOUR)
    return Day(
        residents=residents,
        name=name,
        visits=sum(second.arrived for second in courses[0]) / of.turns,
        peak_turns=busiest.arrived,
        processes=processes(busiest.arrived),
        peak_telegram=busiest.arrived * of.messages * of.shares["Telegram"],
        owed=(owed[0], owed[1]),
        hours=(hours[0], hours[1]),
    )


def days() -> list[Day]:
    """All of them."""
    return [_day(residents, name, of) for residents in RESIDENTS for name, of in habits(residents).items()]


def days_lines(found: Iterable[Day]) -> str:
    """The table."""
    head = (
        "\n| residents | day | visits | turns/s at worst | processes | Telegram messages/s at worst | owed at 30/s"
        " | over after, h | owed at 1,000/s | over after, h |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    lines = [head]
    for day in found:
        first, second = ("not that day" if hours is None else f"{hours:.1f}" for hours in day.hours)
        lines.append(
            f"| {day.residents:,} | {day.name} | {day.visits:,.0f} | {day.peak_turns:,.0f} | {day.processes}"
            f" | {day.peak_telegram:,.0f} | {day.owed[0]:,.0f} | {first} | {day.owed[1]:,.0f} | {second} |"
        )
    return "\n".join(lines)


def plots(folder: Path, note: str) -> None:
    """Draw a day's turns, what Telegram owes after an announcement, and a morning of outages, for 4 million residents."""
    kinds = habits(RESIDENTS[0])
    minutes = range(0, DAY, STEP)
    line_plot(
        folder / "scale-days.svg",
        "Turns a second, 4 million residents",
        "hour of the day",
        "turns a second",
        {name: [(at / HOUR, of.turns_a_second(at)) for at in minutes] for name, of in kinds.items()},
        note=note,
    )
    owed = {
        f"{limit:,.0f} messages a second": _points(course(kinds["announcement"], limit))
        for limit in (FREE, 4 * FREE, PAID)
    }
    line_plot(
        folder / "scale-announcement.svg",
        "Owed on Telegram after an announcement at ten, 4 million residents",
        "hour of the day",
        "messages, thousands",
        owed,
        note=note,
    )
    _outages(kinds["salaries"], folder / "scale-outages.svg", note)


def _points(found: Iterable[Second]) -> list[tuple[float, float]]:
    return [(second.at / HOUR, second.outbox["Telegram"] / 1000) for second in found if second.at % STEP == 0]


def _outages(of: Habits, path: Path, note: str) -> None:
    found = course(of, PAID, OUTAGES, 14 * HOUR)
    redis, telegram, ledger, registry = (outage.begins for outage in OUTAGES)
    waits = {
        "turns; Redis away 5 s": [(one.at, one.refused) for one in found[redis:telegram]],
        "messages; Telegram away 10 min": [
            (one.at, one.outbox["Telegram"]) for one in found[telegram:ledger]
        ],
        "payments; PostgreSQL away 1 min": [(one.at, one.unposted) for one in found[ledger:registry]],
        "payments; registry away 1 h": [(one.at, one.unposted) for one in found[registry:]],
    }
    line_plot(
        path,
        "What waits while something is away, 4 million residents",
        "hour of a salary day",
        "how much waits",
        {name: [(at / HOUR, count) for at, count in points if count >= 1] for name, points in waits.items()},
        log_y=True,
        note=note,
    )

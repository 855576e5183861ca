"""The tables and plots of `bench.size`."""

from pathlib import Path
from typing import Final

import msgspec

from bench.plots import line_plot
from bench.size.measure import Round, Turns

ENOUGH: Final = 1_000
"""Sessions of which an average says something."""


class Grown(msgspec.Struct, frozen=True):
    """One size.

    Attributes:
        spread: CPU a turn, least and greatest of the runs.
        bytes: of Redis's memory for each session that was added, with what is kept beside it.
        rounds: all of an idle process's rounds, for each second.
        show_ms: to tell which keys a chat has.
        forget_ms: to forget a chat.
        walk_ms: to look through all keys, once an hour.
    """

    sessions: int
    turns: Turns
    spread: tuple[float, float]
    bytes: float
    rounds: Round
    each: dict[str, Round]
    show_ms: float
    forget_ms: float
    walk_ms: float


class Shared(msgspec.Struct, frozen=True):
    """So many processes on the shards; ``shards``: per cent of the commands, ``keys``: of the keys, on each."""

    processes: int
    cpu_us: float
    spread: tuple[float, float]
    redis_us: float
    calls: float
    inner: float
    shards: tuple[float, ...]
    keys: tuple[float, ...]


class Found(msgspec.Struct, frozen=True):
    """All that was measured."""

    sizes: list[Grown]
    processes: list[Shared]


def grown_line(row: Grown | None) -> str:
    """A line of the first table; its head without a row."""
    if row is None:
        return (
            "| sessions | CPU µs/turn | lowest–highest | Redis µs/turn | commands/turn | p50 ms, 50 at once | p50 ms, alone"
            " | B/session | rounds, CPU µs/s | rounds, Redis µs/s | a chat's keys shown, ms | a chat forgotten, ms | the hourly walk, ms |\n"
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
        )
    turns, (least, most) = row.turns, row.spread
    return (
        f"| {row.sessions:,} | {turns.cpu_us:.0f} | {least:.0f}–{most:.0f} | {turns.redis_us:.0f} | {turns.calls:.2f}"
        f" | {turns.p50_ms:.1f} | {turns.alone_ms:.2f} | {_bytes(row)} | {row.rounds.cpu_us:,.0f}"
        f" | {row.rounds.redis_us:,.0f} | {row.show_ms:.1f} | {row.forget_ms:.1f} | {row.walk_ms:,.1f} |"
    )


def shared_line(row: Shared | None) -> str:
    """A line of the second table; its head without a row."""
    if row is None:
        return (
            "| processes | CPU µs/turn | lowest–highest | Redis µs/turn | commands/turn | inside scripts"
            " | commands on each shard, % | keys, % |\n|---|---|---|---|---|---|---|---|"
        )
    least, most = row.spread
    return (
        f"| {row.processes} | {row.cpu_us:.0f} | {least:.0f}–{most:.0f} | {row.redis_us:.0f} | {row.calls:.2f}"
        f" | {row.inner:.1f} | {_shares(row.shards)} | {_shares(row.keys)} |"
    )


def _bytes(row: Grown) -> str:
    return f"{row.bytes:,.0f}" if row.sessions >= ENOUGH else "–"


def _shares(parts: tuple[float, ...]) -> str:
    return " / ".join(f"{part:.0f}" for part in parts)


def plots(found: Found, folder: Path, note: str) -> None:
    """Draw both tables, and what a session takes."""
    sizes, shared = found.sizes, found.processes
    line_plot(
        folder / "size-turn.svg",
        "A turn against what is stored",
        "stored sessions",
        "CPU microseconds a turn",
        {
            "a process": [(row.sessions, row.turns.cpu_us) for row in sizes],
            "Redis": [(row.sessions, row.turns.redis_us) for row in sizes],
        },
        log_x=True,
        note=note,
    )
    line_plot(
        folder / "size-rounds.svg",
        "The rounds of an idle process against what is stored",
        "stored sessions",
        "CPU microseconds each second",
        {
            "a process": [(row.sessions, row.rounds.cpu_us) for row in sizes],
            "Redis": [(row.sessions, row.rounds.redis_us) for row in sizes],
        },
        log_x=True,
        note=note,
    )
    line_plot(
        folder / "size-processes.svg",
        "A turn against processes on the shards of a cluster",
        "processes",
        "CPU microseconds a turn",
        {
            "a process": [(row.processes, row.cpu_us) for row in shared],
            "all shards": [(row.processes, row.redis_us) for row in shared],
        },
        note=note,
    )

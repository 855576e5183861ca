"""The command line: ``python -m bench.soak --seconds 3600 --per-second 10 --json soak.json --plot docs/images/plots``."""

import argparse
import asyncio
import json
import random
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from statistics import fmean
from typing import Any

import uvloop

from bench.soak.leaks import KINDS
from bench.soak.run import Size, soak
from bench.soak.verdict import MIB, Record, Row, derived, grown, told, verdict

SIX_DAYS = 6 * 86_400
"""Seconds of the hurried clock: after a week what was not delivered is let go of, by Redis's own clock."""


def main() -> int:
    """Soak, print, and say with the exit status whether it is flat."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description="The soak.")
    parser.add_argument("--seconds", type=float, default=3600.0, help="of steady load (default: 3600)")
    parser.add_argument("--per-second", type=float, default=10.0, help="updates of residents (default: 10)")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between samples (default: 5)")
    parser.add_argument(
        "--first", type=float, default=180.0, help="seconds of the first round (default: 180)"
    )
    parser.add_argument(
        "--greetings",
        type=int,
        default=23_000,
        help="chats that only greet, before all else (default: 23000)",
    )
    parser.add_argument(
        "--lives",
        type=float,
        default=0.0,
        help="seconds after which Redis lets go of what it would keep longer (default: 900, at most a quarter of all)",
    )
    parser.add_argument(
        "--faster", type=float, default=24.0, help="times the service's clock runs faster (default: 24)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of every chance; drawn and printed when 0")
    parser.add_argument("--sqlite", action="store_true", help="the ledger in SQLite, not PostgreSQL")
    parser.add_argument(
        "--leak", choices=list(KINDS), default="", help="leak on purpose: the verdict must see it"
    )
    parser.add_argument(
        "--trace", action="store_true", help="name the lines whose memory grew; takes twice the time"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, too")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="draw there; needs the group bench")
    parser.add_argument("--note", default="", help="below the plots: date, machine")
    arguments = parser.parse_args()
    if (arguments.seconds + arguments.first) * arguments.faster > SIX_DAYS:
        parser.error("--seconds times --faster is more than six days")
    size = Size(
        seconds=arguments.seconds,
        per_second=arguments.per_second,
        first=arguments.first,
        greetings=arguments.greetings,
        every=arguments.every,
        lives=arguments.lives or min(900.0, arguments.seconds / 4),
        faster=arguments.faster,
        leak=arguments.leak,
        sqlite=arguments.sqlite,
        trace=arguments.trace,
    )
    seed = arguments.seed or random.randrange(1, 1_000_000)  # noqa: S311 - no secret
    record = uvloop.run(_ended(soak(size, seed)))
    rows = verdict(record, warm_up(size))
    sys.stdout.write(table(record, rows, warm_up(size)))
    if arguments.json:
        found = {"verdict": [vars(row) | {"good": row.good} for row in rows], **told(record)}
        arguments.json.write_text(json.dumps(found, ensure_ascii=False) + "\n")
    if arguments.plot:
        from bench.soak.pictures import draw  # noqa: PLC0415 - matplotlib is not needed for the figures

        draw(record, arguments.plot, arguments.note)
    return 0 if all(row.good for row in rows) else 1


async def _ended(work: Coroutine[Any, Any, Record]) -> Record:
    """What ``work`` returns; told to end, it takes everything down first."""
    running = asyncio.get_running_loop().create_task(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await running


def warm_up(size: Size) -> float:
    """Seconds until Redis lets go of as much as comes in."""
    return min(size.lives * 1.25, size.seconds / 2)


def table(record: Record, rows: list[Row], warm: float) -> str:
    """The record and its verdict as they are read."""
    samples = derived([each for each in record.samples if each["at"] >= warm])
    last = record.samples[-1]
    about = {
        "ledger": record.ledger,
        "seed": record.seed,
        "seconds": round(last["at"]),
        "updates a second": round((last["updates"] - record.samples[0]["updates"]) / max(1.0, last["at"]), 1),
        "updates": record.counts["update"],
        "walks": record.walks,
        "papers fetched": record.papers,
        "samples after warm-up": len(samples),
    }
    means = {
        f"{name} ({unit})" if unit else name: (
            values[0] / factor,
            fmean(values) / factor,
            values[-1] / factor,
            max(values) / factor,
        )
        for name, unit, factor in (
            ("rss", "MiB", MIB),
            ("private", "MiB", MIB),
            ("objects", "", 1.0),
            ("fds", "", 1.0),
            ("tasks", "", 1.0),
            ("walking", "", 1.0),
            ("streams", "", 1.0),
            ("cpu per turn", "µs", 1.0),
            ("redis", "MiB", MIB),
            ("redis per session", "bytes", 1.0),
            ("redis clients", "", 1.0),
            ("keys", "", 1.0),
            ("keys sessions", "", 1.0),
            ("keys logs", "", 1.0),
            ("keys outbox streams", "", 1.0),
            ("ledger", "MiB", MIB),
            ("ledger connections", "", 1.0),
        )
        if (values := [each[name] for each in samples if name in each])
    }
    lines = ["The run", *(f"  {name:<40}{value!s:>12}" for name, value in about.items())]
    lines += ["", f"  {'after warm-up':<30}{'first':>12}{'mean':>12}{'last':>12}{'most':>12}"]
    lines += [f"  {name:<30}" + "".join(f"{each:>12,.1f}" for each in row) for name, row in means.items()]
    lines += ["", "How the walks ended", *(f"  {name:<40}{n:>12}" for name, n in sorted(record.ends.items()))]
    for what in ("tasks by kind", "fds by kind", "objects by kind", "bytes by line"):
        more = list(grown(record.before, record.after, what).items())[:12]
        lines += ["", f"At rest, more or less of: {what}", *(f"  {name:<60}{n:>+10}" for name, n in more)]
    left = sorted(record.after["garbage by kind"].items(), key=lambda each: -each[1])[:12]
    lines += ["", "Left in cycles by the load", *(f"  {name:<60}{n:>8}" for name, n in left)]
    if record.errors or record.odd:
        lines += ["", "Odd", *(f"  {name}: {n}" for name, n in record.errors.items())]
        lines += [f"  {each}" for each in record.odd[-12:]]
    lines += ["", f"{'Verdict':<42}{'value':>14}{'at most':>14}"]
    lines += [
        f"  {row.name:<40}{row.value:>14,.2f}{row.most:>14,.2f} {row.unit:<6}{'' if row.good else '  NOT FLAT'}"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())

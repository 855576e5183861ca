"""The command line: ``python -m tests.chaos --walks 200 --json run.json``."""

import argparse
import asyncio
import json
import random
import signal
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop

from tests.chaos.audit import Evidence, Report, audit
from tests.chaos.run import run
from tests.chaos.size import SMALL, Size


def main() -> int:
    """Run, print, and say with the exit status whether everything is accounted for."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="The fault run.")
    parser.add_argument("--walks", type=int, default=100, help="residents (default: 100)")
    parser.add_argument(
        "--seconds", type=float, default=3600.0, help="for so long residents are let in (default: 3600)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of every chance; drawn and printed when 0")
    parser.add_argument("--at-once", type=int, default=40, help="residents at one moment (default: 40)")
    parser.add_argument("--processes", type=int, default=3, help="of the service (default: 3)")
    parser.add_argument(
        "--failing", type=float, default=0.3, help="share of failing calls outside (default: 0.3)"
    )
    parser.add_argument(
        "--small",
        action="store_true",
        help="a round of troubles, one after the other; but for --sqlite whatever else is given",
    )
    parser.add_argument("--sqlite", action="store_true", help="the ledger in SQLite, not PostgreSQL")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, too")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="put evidence, journal and logs there")
    parser.add_argument(
        "--audit", type=Path, metavar="FOLDER", help="run nothing: compare again what a run kept there"
    )
    arguments = parser.parse_args()
    if arguments.audit:
        return _said(audit(Evidence.read(arguments.audit)), arguments.json)
    seed = arguments.seed or random.randrange(1, 1_000_000)
    size = (
        replace(SMALL, sqlite=arguments.sqlite)
        if arguments.small
        else replace(
            Size(),
            walks=arguments.walks,
            seconds=arguments.seconds,
            at_once=arguments.at_once,
            processes=arguments.processes,
            failing=arguments.failing,
            sqlite=arguments.sqlite,
        )
    )
    report = uvloop.run(_ended_whole(run(size, seed, arguments.keep)))
    report.about["seed"] = seed
    return _said(report, arguments.json)


def _said(report: Report, file: Path | None) -> int:
    """Print it, and write it into ``file``; the exit status."""
    sys.stdout.write(table(report))
    if file:
        file.write_text(json.dumps(report.json(), indent=1, ensure_ascii=False) + "\n")
    return 0 if report.good else 1


async def _ended_whole(work: Coroutine[Any, Any, Report]) -> Report:
    """``work``, which takes its processes along when it is told to end."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await work


def table(report: Report) -> str:
    """The report as it is read."""
    lines: list[str] = []
    for title, rows in (
        ("The run", report.about),
        ("Troubles", report.troubles),
        ("How the walks ended", report.ends),
        ("Counted", report.counts),
        ("Must be nothing", report.must_be_nothing),
        ("Error lines in the service's logs", report.errors),
    ):
        lines += ["", title, *(f"  {name:<52}{value!s:>12}" for name, value in rows.items())]
    if report.findings:
        lines += ["", "Findings", *(f"  {each}" for each in report.findings)]
    return "\n".join(lines).lstrip("\n") + "\n"


if __name__ == "__main__":
    sys.exit(main())

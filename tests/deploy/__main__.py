"""The command line: ``python -m tests.deploy --walks 160 --json run.json``."""

import argparse
import json
import random
import sys
from dataclasses import replace
from pathlib import Path

import uvloop

from tests.chaos.audit import Report
from tests.deploy.rehearsal import SMALL, Size, rehearse
from tests.deploy.releases import WITHOUT


def main() -> int:
    """Rehearse, print, and say with the exit status whether nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy", description="A deploy, rehearsed.")
    parser.add_argument("--walks", type=int, default=160, help="residents (default: 160)")
    parser.add_argument("--seed", type=int, default=0, help="of every chance; drawn and printed when 0")
    parser.add_argument("--small", action="store_true", help="as `make test` has it; whatever else is given")
    parser.add_argument("--sqlite", action="store_true", help="the ledger in SQLite, not PostgreSQL")
    parser.add_argument("--without", default="", choices=WITHOUT, help="leave it out, to see what is noticed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, too")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="put the journal and the logs there")
    arguments = parser.parse_args()
    seed = arguments.seed or random.randrange(1, 1_000_000)
    size = replace(
        SMALL if arguments.small else replace(Size(), walks=arguments.walks), sqlite=arguments.sqlite
    )
    if arguments.without:  # nobody waits for what does not come
        size = replace(size, most=10.0, end=15.0, settle=5.0)
    report = uvloop.run(rehearse(size, seed, arguments.keep, arguments.without))
    sys.stdout.write(table(report))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.json(), indent=1, ensure_ascii=False) + "\n")
    return 0 if report.good else 1


def table(report: Report) -> str:
    """The report as it is read."""
    lines: list[str] = []
    for title, rows in (
        ("The run", report.about),
        ("How the walks ended", report.ends),
        ("Counted", report.counts),
        ("Must be nothing", report.must_be_nothing),
        ("Warnings and errors in the processes' logs", report.errors),
    ):
        lines += ["", title, *(f"  {name:<64}{value!s:>12}" for name, value in rows.items())]
    if report.findings:
        lines += ["", "Findings", *(f"  {each}" for each in report.findings)]
    return "\n".join(lines).lstrip("\n") + "\n"


if __name__ == "__main__":
    sys.exit(main())

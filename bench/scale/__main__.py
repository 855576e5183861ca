"""The service at the size of a country: backlogs in the real outbox, rounds over a real ledger, and a simulated day.

    python -m bench.scale [--backlogs 10000,100000,1000000] [--orders 100000,1000000] [--json FILE] [--plots FOLDER]

Servers are started here and ended here, on loopback. Without PostgreSQL its part is left out. ``--backlogs ''`` and
``--orders ''`` leave out the measurements, which take some minutes; the simulation takes seconds.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

import msgspec

from bench.scale import backlog, ledger, postgres, recording
from bench.scale.days import Day, days, days_lines, plots
from bench.scale.ordering import Ordered, ordered, ordered_line


class Found(msgspec.Struct, frozen=True):
    """All that was measured and simulated."""

    backlogs: list[backlog.Drained]
    ledgers: list[ledger.Grown]
    recorded: list[recording.Recorded]
    days: list[Day]
    order: Ordered


def _backlogs(sizes: list[int]) -> list[backlog.Drained]:
    found: list[backlog.Drained] = []
    if sizes:
        print(backlog.line(None))
    for entries in sizes:
        with tempfile.TemporaryDirectory(prefix="scale-") as folder:
            found.append(asyncio.run(backlog.measured(entries, Path(folder))))
        print(backlog.line(found[-1]), flush=True)
    return found


def _ledgers(sizes: list[int]) -> list[ledger.Grown]:
    found: list[ledger.Grown] = []
    for orders in sizes:
        try:
            with postgres.running() as url:
                found.append(asyncio.run(ledger.measured(url, orders)))
        except postgres.Missing as missing:
            print(f"left out: {missing}")
            return found
        if len(found) == 1:
            print(ledger.line(None))
        print(ledger.line(found[-1]), flush=True)
    return found


def _recorded() -> list[recording.Recorded]:
    try:
        with postgres.running() as url:
            found = asyncio.run(recording.measured(url))
    except postgres.Missing as missing:
        print(f"left out: {missing}")
        return []
    print(recording.line(None))
    for row in found:
        print(recording.line(row), flush=True)
    return found


def _sizes(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    """Measure, simulate, print, write."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--backlogs", type=_sizes, default=[10_000, 100_000, 1_000_000], help="entries left behind"
    )
    parser.add_argument("--orders", type=_sizes, default=[100_000, 1_000_000], help="orders in the ledger")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plots", type=Path, help="folder for the plots")
    parser.add_argument("--note", default="", help="under the plots: date and machine")
    given = parser.parse_args()
    backlogs = _backlogs(given.backlogs)
    ledgers = _ledgers(given.orders)
    recorded = _recorded() if given.orders else []
    simulated = days()
    print(days_lines(simulated))
    order = ordered()
    print(ordered_line(order))
    if given.json:
        found = Found(backlogs, ledgers, recorded, simulated, order)
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if given.plots:
        plots(given.plots, given.note)


if __name__ == "__main__":
    main()

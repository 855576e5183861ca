"""Receipts as PDF, in both languages on each: how many a second, and what a burst of askers sees.

    python -m bench.receipts [--seconds 4] [--burst 200] [--json receipts.json]

The printer is the service's, with its template and font; orders have a few lines, or as many as are listed one by one.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench.table import Row, shown, written
from bench.telegram.harness import rss_mib
from bot.dialogs.home import Operator
from bot.domain import Item, ItemKind
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.text import Local
from bot.services.receipts import Printer, Receipt, Standing
from bot.services.receipts.paper import MOST_LINES

AT: Final = 1_795_251_600

COLUMNS: Final = {
    "what": "what",
    "askers": "askers",
    "printed": "printed",
    "per_s": "receipts/s",
    "cpu_ms": "CPU ms/receipt",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "kb": "kB each",
    "rss_mib": "RSS MiB",
}


def receipt(number: int, lines: int) -> Receipt:
    """One of many that differ; ``lines`` fines or, where there are many, renewals."""
    kind = ItemKind.TRAFFIC if lines < MOST_LINES else ItemKind.RENEWAL
    title = Local("تجاوز السرعة المقررة", "Exceeding the speed limit")
    items = tuple(
        Item(kind=kind, number=f"F{number}-{line}", title=title, fils=20_000 + line) for line in range(lines)
    )
    if kind is ItemKind.RENEWAL:
        items = tuple(msgspec.structs.replace(item, years=1, until="2027-11-22") for item in items)
    return Receipt(
        order=f"IQ-{number:04X}-9A1D",
        subject="2850****0029",
        items=items,
        total=sum(item.fils for item in items),
        paid_at=AT,
        provider="knet",
        bank=f"{number:012d}",
        payment="100202632612345678",
        track=f"T{number}",
        transaction="202632612345678",
        auth="B12345",
        standing=Standing.RECORDED,
        proof=f"https://iqamati.example/r/IQ-{number:04X}-9A1D_0123456789abcdef01234567",
        operator=Operator("Iqamati", ""),
    )


async def measured(what: str, printer: Printer, receipts: list[Receipt], seconds: float = 0.0) -> Row:
    """Print ``receipts``, all asked for at once; again and again, one asker each, for ``seconds``."""
    took: list[float] = []
    size = 0
    end = time.perf_counter() + seconds

    async def asker(of: Callable[[int], Receipt]) -> None:
        nonlocal size
        turn = 0
        while not turn or time.perf_counter() < end:
            began = time.perf_counter()
            size = len(await printer.print(of(turn)))
            took.append(time.perf_counter() - began)
            turn += 1

    def fresh(first: Receipt) -> Callable[[int], Receipt]:
        return lambda turn: (
            first if not turn else msgspec.structs.replace(first, track=f"{first.track}-{turn}")
        )

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(asker(fresh(each)) for each in receipts))
    cpu, whole = time.process_time() - cpu, time.perf_counter() - began
    waits = sorted(took)
    return {
        "what": what,
        "askers": len(receipts),
        "printed": len(took),
        "per_s": round(len(took) / whole, 1),
        "cpu_ms": round(cpu / len(took) * 1e3, 1),
        "p50_ms": round(waits[len(waits) // 2] * 1e3),
        "p99_ms": round(waits[int(len(waits) * 0.99)] * 1e3),
        "kb": round(size / 1024),
        "rss_mib": round(rss_mib(os.getpid()), 1),
    }


async def main(argv: list[str]) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.receipts", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--burst", type=int, default=200)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(argv)
    printer = Printer(Renderer(Catalog()))
    rows = [await measured("the first", printer, [receipt(0, 3)])]
    for lines in (3, MOST_LINES):
        for askers in (1, 8):
            orders = [receipt(1 + lines * 100 + number, lines) for number in range(askers)]
            rows.append(await measured(f"{lines} lines", printer, orders, args.seconds))
    burst = [receipt(20_000 + number, 3) for number in range(args.burst)]
    rows.append(await measured("burst, an order each", printer, burst))
    rows.append(await measured("burst, one order", printer, [receipt(30_000, 3)] * args.burst))
    print(shown(rows, COLUMNS))
    written(args.json, rows)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))

"""``python -m bench.soak.hurried BASE FASTER MODULE …``: a module of this project on a clock that runs faster.

So that an hour holds days of deadlines, enquiries, retention and midnights. Only the wall clock runs faster, and long
pauses between rounds end sooner; a second of waiting for an answer stays one.
"""

import asyncio
import runpy
import sys
import time
from typing import Any, Final

LONG: Final = 60.0
"""Seconds: pauses of at least that length belong to rounds and are shortened."""

KINDS: Final = ("unpaid", "paid", "links", "payloads", "batches", "reminders")
"""Periods of the ledger that are shortened. Not ``undelivered``: it is measured by Redis's own clock."""

SHORTER: Final = 400
"""Times: 90 days are five hours of the hurried clock; never less than one."""


def hurry(base: float, faster: float) -> None:
    """Let the wall clock run ``faster`` times as fast since ``base``; before anything of the service is imported."""
    right = time.time  # noqa: TID251 - the very clock
    time.time = lambda: base + (right() - base) * faster  # noqa: TID251
    from bot.clock import SystemClock  # noqa: PLC0415 - see above

    async def sleep(_self: Any, seconds: float) -> None:
        await asyncio.sleep(seconds / faster if seconds >= LONG else seconds)

    SystemClock.sleep = sleep  # type: ignore[method-assign,assignment]  # the bench's business, not the product's


def let_go_sooner() -> None:
    """Shorten what the ledger keeps."""
    from bot.services.privacy.periods import PERIODS, Period  # noqa: PLC0415 - imports much of the service

    for name in KINDS:
        PERIODS[name] = Period(
            source=PERIODS[name].source, hours=max(1, PERIODS[name].seconds // SHORTER // 3600)
        )


def main() -> None:
    """Set the clock, then be the module."""
    base, faster, module = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    sys.argv[1:4] = []
    hurry(base, faster)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""The one place that reads the wall clock."""

import asyncio
import time
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

KUWAIT: Final = ZoneInfo("Asia/Kuwait")
"""Deadlines and dates are told in the resident's zone; UTC+3 all year."""


class SystemClock:
    """Implements `bot.ports.Clock` on the machine's clock."""

    def now(self) -> int:
        """Epoch seconds, UTC."""
        return int(time.time())  # noqa: TID251 - the owner of the ban

    def monotonic(self) -> float:
        """Seconds that only go forward, for measuring."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""
        await asyncio.sleep(seconds)


def local(at: int) -> datetime:
    """The Kuwaiti wall-clock time of epoch seconds ``at``."""
    return datetime.fromtimestamp(at, KUWAIT)

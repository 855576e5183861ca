"""Retention: what is older than its period goes by itself, a batch at a time, whichever process finds it."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from bot.clock import local
from bot.ports import Clock
from bot.services.ledger import Ledger
from bot.services.ledger.batches import BatchWork
from bot.services.ledger.privacy import Letting
from bot.services.privacy.periods import PERIODS

log = structlog.get_logger(__name__)

BATCH: Final = 100
"""Rows of one transaction."""
_ROUNDS: Final = 1000
"""Batches of one kind in one pass: the rest waits for the next one."""

Step = Callable[[Letting, int], Awaitable[int]]
"""Lets go of at most a batch at the time given; returns how many rows."""


def _before(period: str, now: int) -> int:
    return now - PERIODS[period].seconds


async def _unpaid(letting: Letting, now: int) -> int:
    return await letting.clear_unpaid(now, _before("unpaid", now), BATCH)


async def _paid(letting: Letting, now: int) -> int:
    return await letting.clear_paid(now, _before("paid", now), BATCH)


async def _books(letting: Letting, now: int) -> int:
    return await letting.clear_books(_before("books", now), BATCH)


async def _payloads(letting: Letting, now: int) -> int:
    return await letting.drop_payloads(_before("payloads", now), BATCH)


async def _audit(letting: Letting, now: int) -> int:
    return await letting.drop_audit(now, PERIODS["audit"].seconds, BATCH)


async def _remembered(letting: Letting, now: int) -> int:
    return await letting.drop_remembered(now, _before("consents", now))


async def _reminders(letting: Letting, now: int) -> int:
    return await letting.drop_past(local(_before("reminders", now)).date(), BATCH)


async def _batches(letting: Letting, now: int) -> int:
    return await BatchWork.of(letting).drop_batches_before(_before("batches", now), BATCH)


async def _hushed(letting: Letting, now: int) -> int:
    return await letting.hush(now)


STEPS: Final[dict[str, Step]] = {
    "unpaid orders": _unpaid,
    "chats of paid orders": _paid,
    "masked numbers of old orders": _books,
    "notifications": _payloads,
    "audit": _audit,
    "reminders": _reminders,
    "files with many workers": _batches,
    "remembered numbers and consents": _remembered,
    "notices for nobody": _hushed,
}
"""What a pass lets go of, in this order. Expired links go with the orders' own sweep."""


class Retention:
    """Passes over the ledger. Any number of processes may make them at once."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def run(self) -> dict[str, int]:
        """Let go of everything whose time has come; how many rows of each kind.

        Raises:
            Unavailable: the ledger does not answer; what is gone is gone.
        """
        done: dict[str, int] = {}
        for name, step in STEPS.items():
            gone = 0
            for _ in range(_ROUNDS):
                async with self._ledger.write() as work:
                    rows = await step(Letting.of(work), self._clock.now())
                gone += rows
                if rows < BATCH:
                    break
            if gone:
                done[name] = gone
        if done:
            log.info("let go", **{name.replace(" ", "_"): rows for name, rows in done.items()})
        return done

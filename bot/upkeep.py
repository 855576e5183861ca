"""What a running service does for personal data by itself: it lets go, finishes forgetting, follows its keys."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import structlog

from bot.crypto import Keyring
from bot.ports import Clock, Effect, Executor
from bot.services.ledger import Ledger
from bot.services.ledger.resealing import reseal
from bot.services.privacy import PERIODS, Exports, Privacy, Retention, executors
from bot.store.privacy import ChatMemory
from bot.tasks import Tasks

log = structlog.get_logger(__name__)

KEYS_EVERY: Final = 5.0
FORGET_EVERY: Final = 10.0
LET_GO_EVERY: Final = 3600.0
"""Seconds between rounds."""


class Upkeep:
    """The rounds of one process. Any number of processes may make them at once.

    Args:
        ledger: migrated.
        memory: what Redis keeps of chats.
        keyring: followed, and what is sealed in the ledger with it.
        clock: the time.
        tasks: owns the rounds.
    """

    def __init__(
        self, ledger: Ledger, memory: ChatMemory, keyring: Keyring, clock: Clock, tasks: Tasks
    ) -> None:
        self._ledger = ledger
        self._memory = memory
        self._retention = Retention(ledger, clock)
        self._keyring = keyring
        self._clock = clock
        self._tasks = tasks
        self._sealed_with = b""
        """The key under which this process last saw the whole ledger."""

    def start(self) -> None:
        """Begin all rounds; they end with ``tasks``."""
        self.attend()
        self._begin(FORGET_EVERY, self._memory.round, "forgetting")
        self._begin(LET_GO_EVERY, self.let_go, "retention")

    def attend(self) -> None:
        """Begin the round of a process that helps another one: following the keys."""
        self._begin(KEYS_EVERY, self.follow_keys, "keys")

    async def let_go(self) -> None:
        """One pass of retention over the ledger and the outbox."""
        await self._retention.run()
        await self._memory.drop_undelivered(PERIODS["undelivered"].seconds)

    async def follow_keys(self) -> None:
        """Take a rotated ring over, and seal the ledger anew until all of it is under the newest key."""
        self._keyring.refresh()
        newest = self._keyring.newest
        if newest == self._sealed_with:
            return
        if rows := await reseal(self._ledger, self._keyring):
            log.info("sealed anew", rows=rows)
        self._sealed_with = newest

    def _begin(self, every: float, work: Callable[[], Awaitable[object]], name: str) -> None:
        self._tasks.spawn(self._forever(every, work, name), name)

    async def _forever(self, every: float, work: Callable[[], Awaitable[object]], name: str) -> None:
        failing = False
        while True:
            try:
                await work()
                failing = False
            except Exception as error:  # noqa: BLE001 - a round that ended would be missed by nobody but residents
                if not failing:  # once, not every few seconds while the store is away
                    log.warning("round failed", round=name, error=type(error).__name__)
                failing = True
            await self._clock.sleep(every)


class Personal(NamedTuple):
    """All that a service has for personal data, joined together."""

    executors: dict[type[Effect], Executor]
    exports: Exports
    upkeep: Upkeep


def personal(
    ledger: Ledger, memory: ChatMemory, keyring: Keyring, clock: Clock, tasks: Tasks, *, base_url: str
) -> Personal:
    """Join it together; ``base_url``: where browsers find us."""
    exports = Exports(ledger=ledger, memory=memory, keyring=keyring, clock=clock, base_url=base_url)
    privacy = Privacy(ledger=ledger, memory=memory, exports=exports, keyring=keyring, clock=clock)
    return Personal(executors(privacy), exports, Upkeep(ledger, memory, keyring, clock, tasks))

"""Long polling: updates are asked for, and confirmed only once they are saved.

Telegram forgets an update when it is asked for later ones (``offset``). So the next offset is the first
update that was not seen through: after a crash, or while Redis is away, Telegram gives it again.
"""

import asyncio
from collections import Counter, defaultdict
from typing import Any, NoReturn

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramConflictError
from aiogram.methods import TelegramMethod

from bot.errors import StoreAway
from bot.handlers.telegram.errors import FAILURES
from bot.handlers.telegram.retry import Backoff, insist, token_fault
from bot.handlers.telegram.types import Update
from bot.handlers.telegram.updates import WANTED, Inbox, chat_of
from bot.ports import Clock

log = structlog.get_logger(__name__)

HOLD = 30
"""Seconds Telegram holds a request when there is nothing new (getUpdates, ``timeout``)."""

GRACE = 15
"""Seconds beyond `HOLD` after which the connection is given up."""

BATCH = 100
"""Updates asked for at once; Telegram gives no more (getUpdates, ``limit``)."""

AT_ONCE = 32
"""Chats of one batch in work at the same time."""

ATTEMPTS = 3
"""Times an update is tried that fails for a reason of ours; then it is dropped, or it would stop all chats."""


class _GetUpdates(TelegramMethod[list[dict[str, Any]]]):
    """``getUpdates`` with each update as it came.

    aiogram's own reads the whole batch or none of it, so one update of a shape it does not know would
    come again for ever and hold up all the others.
    """

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int
    limit: int = BATCH
    timeout: int = HOLD
    allowed_updates: list[str] = WANTED


class Poller:
    """Asks for updates and hands them to the inbox.

    Args:
        bot: whose updates.
        inbox: sees them through.
        clock: to wait on after failures.
    """

    def __init__(self, bot: Bot, inbox: Inbox, clock: Clock) -> None:
        self._bot = bot
        self._inbox = inbox
        self._clock = clock
        self._backoff = Backoff(clock)
        self._offset = 0
        # Of the updates Telegram will give again: the ones already seen through, and how often one failed.
        self._done: set[int] = set()
        self._failures: Counter[int] = Counter()
        self._contested = False

    async def run(self) -> NoReturn:
        """Poll until cancelled.

        Raises:
            ConfigError: Telegram does not know the token (any more).
        """
        # Telegram refuses to be polled while a webhook is set. What waits there is kept.
        await insist(
            self._clock, "deleteWebhook", lambda: self._bot.delete_webhook(drop_pending_updates=False)
        )
        while True:
            batch = await self._fetch()
            await self._see_through(batch)

    async def _fetch(self) -> list[dict[str, Any]]:
        while True:
            try:
                batch = await self._bot(_GetUpdates(offset=self._offset), request_timeout=HOLD + GRACE)
            except FAILURES as error:
                failed = error
            else:
                self._contested = False
                return batch
            if (fault := token_fault(failed)) is not None:
                raise fault
            self._report(failed)
            await self._backoff.wait(failed)

    async def _see_through(self, batch: list[dict[str, Any]]) -> None:
        ids = [int(raw["update_id"]) for raw in batch]
        chats: defaultdict[int | None, list[Update]] = defaultdict(list)
        for raw, number in zip(batch, ids, strict=True):
            update = None if number in self._done else self._inbox.read(raw)
            if update is None:
                self._done.add(number)
            else:
                chats[chat_of(update)].append(update)
        gate = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for updates in chats.values():
                group.create_task(self._chat(updates, gate))
        left = [number for number in ids if number not in self._done]
        self._offset = min(left) if left else max(ids, default=self._offset - 1) + 1
        self._done = {number for number in self._done if number > self._offset}
        self._failures = Counter({number: self._failures[number] for number in left})
        if left:
            await self._backoff.wait()
        else:
            self._backoff.reset()

    async def _chat(self, updates: list[Update], gate: asyncio.Semaphore) -> None:
        # One chat's updates in order; the first that fails leaves the later ones for the next time.
        async with gate:
            for update in updates:
                if not await self._one(update):
                    return
                self._done.add(update.update_id)

    async def _one(self, update: Update) -> bool:
        number = update.update_id
        try:
            await self._inbox.take(update)
        except StoreAway as error:
            log.warning("updates cannot be taken now: telegram will give them again", why=str(error))
            return False
        except Exception as error:  # noqa: BLE001 - one chat's fault must not stop the others' updates
            self._failures[number] += 1
            last = self._failures[number] >= ATTEMPTS
            # The type only: an exception's text may quote what a resident wrote.
            log.error("an update failed", error=type(error).__name__, dropped=last)  # noqa: TRY400 - the same
            return last
        return True

    def _report(self, error: BaseException) -> None:
        if not isinstance(error, TelegramConflictError):
            log.warning("telegram does not answer", call="getUpdates", error=type(error).__name__)
        elif not self._contested:
            self._contested = True
            log.error(
                "another process polls Telegram with this token, or set a webhook:"
                " stop it, or set PUBLIC_URL to run several processes"
            )

"""Calls that the service cannot start without: tried until Telegram answers."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiogram.exceptions import TelegramNotFound, TelegramRetryAfter, TelegramUnauthorizedError

from bot.errors import ConfigError
from bot.handlers.telegram.errors import FAILURES
from bot.ports import Clock

log = structlog.get_logger(__name__)

FIRST, LONGEST = 1.0, 30.0
"""Seconds waited after the first failure in a row, and at most; each wait is twice the one before."""

_T = TypeVar("_T")


class Backoff:
    """Waits longer after each failure in a row."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = FIRST

    async def wait(self, error: BaseException | None = None) -> None:
        """Wait, for as long as Telegram asks in a 429."""
        asked = error.retry_after if isinstance(error, TelegramRetryAfter) else 0
        await self._clock.sleep(max(asked, self._next))
        self._next = min(LONGEST, self._next * 2)

    def reset(self) -> None:
        """Something worked."""
        self._next = FIRST


async def insist(clock: Clock, what: str, call: Callable[[], Awaitable[_T]]) -> _T:
    """The result of ``call``, tried until there is one.

    Raises:
        ConfigError: Telegram does not know the token.
    """
    backoff = Backoff(clock)
    while True:
        try:
            return await call()
        except FAILURES as error:
            fault = token_fault(error)
            log.warning("telegram does not answer", call=what, error=type(error).__name__)
            failed = error
        if fault is not None:
            raise fault
        await backoff.wait(failed)


def token_fault(error: BaseException) -> ConfigError | None:
    """The operator's line for a refused token (401; 404 for one that is not even shaped like one)."""
    if isinstance(error, TelegramUnauthorizedError | TelegramNotFound):
        return ConfigError("TELEGRAM_TOKEN: the Bot API server does not know this token")
    return None

"""What the Telegram tests share: a clock of their own, a scripted turn, settings for the loopback server."""

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable

from bot.config import Settings
from bot.i18n.text import Msg
from bot.model import Event
from tests.telegram.bot_api import PATIENCE, TOKEN


class FakeClock:
    """Time that moves only when something sleeps (``flowing``) or when a test advances it."""

    def __init__(self, *, flowing: bool = True) -> None:
        self.time = 1000.0
        self.slept: list[float] = []
        self._flowing = flowing
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def now(self) -> int:
        return int(self.time)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self._flowing:
            self.time += seconds
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.time + seconds, len(self.slept), woken))
        await woken.wait()

    async def advance(self, seconds: float) -> None:
        end = self.time + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.time, _, woken = heapq.heappop(self._sleepers)
            woken.set()
            await settle()
        self.time = end


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


class Turns:
    """A scripted `bot.ports.Handle`: raises what it was told to raise, else remembers the event."""

    def __init__(self) -> None:
        self.tried: list[Event] = []
        self.saved: list[Event] = []
        self.faults: deque[Exception] = deque()
        self.before: Callable[[Event], Awaitable[None]] | None = None
        self._changed = asyncio.Condition()

    async def __call__(self, event: Event) -> None:
        async with self._changed:
            self.tried.append(event)
            self._changed.notify_all()
        if self.before is not None:
            await self.before(event)
        if self.faults:
            raise self.faults.popleft()
        async with self._changed:
            self.saved.append(event)
            self._changed.notify_all()

    async def until_tried(self, times: int) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: len(self.tried) >= times)

    async def until_saved(self, times: int) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: len(self.saved) >= times)


def translate(msg: Msg, language: str) -> str:
    """The English text, marked as if it were Arabic where that was asked for."""
    return str(msg) if language == "en" else f"ع {msg}"


def settings(base: str, *, public_url: str = "", secret: str = "", token: str = TOKEN) -> Settings:
    return Settings.model_validate(
        {
            "telegram_token": token,
            "telegram_api_base": base,
            "telegram_webhook_secret": secret,
            "public_url": public_url,
        }
    )

"""A Bot API server, and the Telegram side of the service on it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiogram.client.session.aiohttp import AiohttpSession

from bot.handlers.telegram import Telegram
from bot.tasks import Tasks
from tests.telegram.bot_api import BotApi, serve
from tests.telegram.kit import FakeClock, Turns, settings, translate


@pytest_asyncio.fixture
async def api() -> AsyncIterator[BotApi]:
    async with serve() as server:
        yield server


@pytest_asyncio.fixture
async def tasks() -> AsyncIterator[Tasks]:
    running = Tasks()
    yield running
    await running.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest_asyncio.fixture
async def telegram(api: BotApi, clock: FakeClock, tasks: Tasks) -> AsyncIterator[Telegram]:
    """The bot, polling."""
    made = Telegram(settings(api.base), clock, tasks, translate)
    yield made
    await tasks.close()
    await hang_up(made)


@pytest_asyncio.fixture
async def hooked(api: BotApi, clock: FakeClock, tasks: Tasks) -> AsyncIterator[Telegram]:
    """The bot, behind a webhook."""
    made = Telegram(settings(api.base, public_url="https://bot.example"), clock, tasks, translate)
    yield made
    await tasks.close()
    await hang_up(made)


async def hang_up(telegram: Telegram) -> None:
    """Close without the quarter of a second that aiogram leaves to TLS, which is not spoken here."""
    session = telegram._bot.session
    assert isinstance(session, AiohttpSession)
    if session._session is not None:
        await session._session.close()
    await telegram.close()

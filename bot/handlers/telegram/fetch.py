"""Files that residents send on Telegram: fetched only where the chat's question asks for one.

Telegram's server keeps them for an hour under an address with the bot's token in it (Bot API, getFile), so nothing of
an error that comes from there is kept.
"""

import asyncio
from contextlib import aclosing
from typing import Final

import aiohttp
import structlog
from aiogram import Bot

from bot.handlers.files import LARGE, LOST, Intake, Kept
from bot.handlers.telegram.errors import FAILURES
from bot.model import Chat

log = structlog.get_logger(__name__)

TIME: Final = 25.0
"""Seconds for asking and fetching. Telegram waits for a webhook's answer about a minute, and other chats of a polled
batch wait for the slowest."""

_CHUNK: Final = 65_536


class Fetcher:
    """Fetches files.

    Args:
        bot: who asks.
        intake: takes them in.
        seconds: for one file.
    """

    def __init__(self, bot: Bot, intake: Intake, seconds: float = TIME) -> None:
        self._bot = bot
        self._intake = intake
        self._seconds = seconds
        self.awaits = intake.awaits

    async def fetch(self, chat: Chat, file_id: str, size: int, name: str) -> Kept:
        """Fetch and keep a file.

        Args:
            chat: who sent it.
            file_id: by which Telegram knows it.
            size: bytes, as Telegram says; 0 where it does not.
            name: as the resident has it.

        Raises:
            StoreAway: the file came and could not be kept.
        """
        if size > self._intake.limit:
            return Kept(missing=LARGE)
        try:
            async with asyncio.timeout(self._seconds):
                content = await self._content(file_id)
        except (*FAILURES, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("a file was not fetched", error=type(error).__name__)
            return Kept(missing=LOST)
        return Kept(missing=LARGE) if content is None else await self._intake.keep(chat, content, name)

    async def _content(self, file_id: str) -> bytes | None:
        """What is in the file; None when it is too large after all."""
        found = await self._bot.get_file(file_id)
        if (found.file_size or 0) > self._intake.limit:
            return None
        session = self._bot.session
        address = session.api.file_url(self._bot.token, found.file_path or "")
        content = bytearray()
        async with aclosing(session.stream_content(address, chunk_size=_CHUNK)) as chunks:
            async for chunk in chunks:
                content += chunk
                if len(content) > self._intake.limit:
                    return None
        return bytes(content)

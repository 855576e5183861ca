"""Telegram, whole: one bot, its updates by long polling or webhook, and the channel back.

Set-up and both ways of running are described in docs/telegram.md.
"""

import hashlib
import hmac
import re

import msgspec
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.utils.token import TokenValidationError
from starlette.routing import Route

from bot.config import Settings
from bot.errors import ConfigError
from bot.handlers.files import Intake
from bot.handlers.telegram.calls import Calls
from bot.handlers.telegram.fetch import Fetcher
from bot.handlers.telegram.lane import WebhookLane
from bot.handlers.telegram.pace import PER_SECOND
from bot.handlers.telegram.poll import Poller
from bot.handlers.telegram.retry import insist
from bot.handlers.telegram.send import TelegramChannel
from bot.handlers.telegram.setup import Translate, introduce
from bot.handlers.telegram.updates import Inbox
from bot.handlers.telegram.webhook import register, route
from bot.ports import Clock, Handle
from bot.tasks import Tasks

TIMEOUT = 30.0
"""Seconds for one call. A message given up too early may have arrived, and would be sent twice."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")  # Bot API, setWebhook, secret_token


class Telegram:
    """The Telegram side of the service.

    Args:
        settings: token, Bot API server, public address.
        clock: for pace and back-off.
        tasks: for what a turn does not wait for.
        translate: a text in ``ar`` or ``en``.
        per_second: messages and edits a second, overall.

    Raises:
        ConfigError: the token or the webhook secret is not shaped like one.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        tasks: Tasks,
        translate: Translate,
        *,
        per_second: int = PER_SECOND,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tasks = tasks
        self._translate = translate
        self._secret = telegram_secret(settings)
        self._bot = _open(settings)
        self._username = ""
        token = settings.telegram_token.get_secret_value()
        self._calls = Calls(settings.telegram_api_base, token, TIMEOUT)
        self.channel = TelegramChannel(self._calls, clock, per_second)

    def link(self) -> str:
        """Where the bot's chats are; Telegram's own address until its name is known."""
        return f"https://t.me/{self._username}"

    def routes(self, handle: Handle, intake: Intake | None = None) -> list[Route]:
        """The webhook's route; none without ``PUBLIC_URL``, when the bot polls.

        Args:
            handle: one event through one turn.
            intake: takes files in; without it they stay with Telegram.
        """
        return [route(self._inbox(handle, intake), self._secret)] if self._settings.public_url else []

    def lane(self, handle: Handle, intake: Intake | None = None) -> WebhookLane | None:
        """The webhook's way past the application, with arguments as for `routes`; None when the bot polls."""
        return WebhookLane(self._inbox(handle, intake), self._secret) if self._settings.public_url else None

    async def run(self, handle: Handle, intake: Intake | None = None) -> None:
        """Poll until cancelled; with ``PUBLIC_URL``, register the webhook and return.

        Args:
            handle: as for `routes`.
            intake: likewise.

        Raises:
            ConfigError: Telegram does not know the token, or refuses ``PUBLIC_URL``.
        """
        me = await insist(self._clock, "getMe", self._bot.me)
        self._username = me.username or ""
        official = bool(self._settings.operator_authority)
        self._tasks.spawn(introduce(self._bot, self._translate, official=official), "telegram profile")
        if self._settings.public_url:
            await register(self._bot, self._clock, self._settings.public_url, self._secret)
        else:
            await Poller(self._bot, self._inbox(handle, intake), self._clock).run()

    async def close(self) -> None:
        """Close the connections. The webhook stays: Telegram keeps what comes meanwhile."""
        await self._calls.close()
        await self._bot.session.close()

    def _inbox(self, handle: Handle, intake: Intake | None) -> Inbox:
        fetcher = Fetcher(self._bot, intake) if intake is not None else None
        return Inbox(self._calls, self.link, handle, self.channel, self._tasks, self._translate, fetcher)


def telegram_secret(settings: Settings) -> str:
    """The webhook's secret: the given one, else derived from the token so that every process agrees.

    Raises:
        ConfigError: the given one has characters that setWebhook does not take.
    """
    given = settings.telegram_webhook_secret.get_secret_value()
    if not given:
        token = settings.telegram_token.get_secret_value().encode()
        return hmac.new(token, b"iqamati telegram webhook", hashlib.sha256).hexdigest()
    if _SECRET.fullmatch(given) is None:
        raise ConfigError("TELEGRAM_WEBHOOK_SECRET: 1 to 256 of A-Z, a-z, 0-9, _ and -")
    return given


def _open(settings: Settings) -> Bot:
    session = AiohttpSession(
        api=TelegramAPIServer.from_base(settings.telegram_api_base),
        json_loads=msgspec.json.decode,
        json_dumps=_dumps,
        timeout=TIMEOUT,
    )
    try:
        return Bot(settings.telegram_token.get_secret_value(), session=session)
    except TokenValidationError:
        pass
    raise ConfigError("TELEGRAM_TOKEN: not a bot token; @BotFather gives one like 123456:ABC…")


def _dumps(value: object) -> str:
    return msgspec.json.encode(value).decode()

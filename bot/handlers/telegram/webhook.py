"""The webhook: Telegram brings the updates, and brings again what is not answered with 200."""

import hmac
from typing import Final

import msgspec
import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import UNDECODABLE, ConfigError, StoreAway
from bot.handlers.telegram.retry import insist
from bot.handlers.telegram.types import Method, Numbered
from bot.handlers.telegram.updates import WANTED, Inbox
from bot.ports import Clock

log = structlog.get_logger(__name__)

PATH = "/telegram/webhook"

HEADER = "X-Telegram-Bot-Api-Secret-Token"
"""Carries the secret given to setWebhook, in every request of Telegram's."""

LARGEST = 1 << 20
"""Bytes of a body that are read at most. An update carries no files; the largest are some tens of KiB."""

CONNECTIONS = 100
"""``max_connections`` of setWebhook: the most Telegram opens."""


_ENCODE: Final = msgspec.json.Encoder().encode
_HEADER: Final = HEADER.lower().encode()


class WebhookLane:
    """The same as `route` for what carries the secret (`bot.serve.Lane`): nearly every request that comes.

    A press is answered in the body, which saves a call: Telegram takes one method from there, and does not tell how it
    went, so that what must arrive is never sent so (Bot API, "Making requests when getting updates").
    """

    def __init__(self, inbox: Inbox, secret: str) -> None:
        self.path = PATH.encode()
        self._inbox = inbox
        self._secret = secret.encode()

    def admits(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """See `bot.serve.Lane`."""
        given = next((value for name, value in headers if name == _HEADER), b"")
        return hmac.compare_digest(given, self._secret)

    async def serve(self, body: bytes) -> tuple[int, bytes]:
        """See `bot.serve.Lane`."""
        return await _take(self._inbox, body)


def route(inbox: Inbox, secret: str) -> Route:
    """``POST /telegram/webhook``.

    Answers 401 before the body is read when the secret is wrong, 413 over `LARGEST`, 400 for what is not
    an update, 503 while Redis is away and 500 when the turn failed (Telegram brings it again), else 200.
    All of them empty, but for the answer to a press.
    """
    expected = secret.encode()

    async def receive(request: Request) -> Response:
        given = request.headers.get(HEADER, "").encode("latin-1")  # as HTTP headers are decoded
        if not hmac.compare_digest(given, expected):
            return Response(status_code=401)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413)
        status, answer = await _take(inbox, body)
        return Response(answer, status, media_type="application/json" if answer else None)

    return Route(PATH, receive, methods=["POST"], name="telegram")


async def register(bot: Bot, clock: Clock, public_url: str, secret: str) -> None:
    """Tell Telegram where to bring updates; the ones that wait there are kept.

    Raises:
        ConfigError: Telegram does not know the token, or refuses the address.
    """

    async def call() -> str:
        try:
            await bot.set_webhook(
                url=f"{public_url}{PATH}",
                secret_token=secret,
                allowed_updates=WANTED,
                max_connections=CONNECTIONS,
                drop_pending_updates=False,
            )
        except TelegramBadRequest as error:
            return error.message
        return ""

    if refusal := await insist(clock, "setWebhook", call):
        # Telegram says what is wrong with the address ("Failed to resolve host"); no secret is part of it,
        # and should a server ever quote them, they are taken out.
        reason = refusal.replace(bot.token, "…").replace(secret, "…")
        raise ConfigError(f"PUBLIC_URL: Telegram refused the webhook ({reason})")


async def _take(inbox: Inbox, body: bytes) -> tuple[int, bytes]:
    """Status and body of the answer."""
    update = inbox.read(body)
    if update is None:
        return (200 if _is_update(body) else 400), b""
    try:
        answer = await inbox.take(update, by_call=False)
    except StoreAway as error:
        log.warning("an update cannot be taken now: telegram will bring it again", why=str(error))
        return 503, b""
    except Exception as error:  # noqa: BLE001 - the server would log its text, which may quote a resident
        log.error("an update failed", error=type(error).__name__)  # noqa: TRY400 - the same
        return 500, b""
    return 200, b"" if answer is None else _ENCODE(Method("answerCallbackQuery", answer.callback_query_id))


def _is_update(body: bytes) -> bool:
    """Whether it is one at all: one of an unknown shape would be no better next time."""
    try:
        msgspec.json.decode(body, type=Numbered)
    except UNDECODABLE:
        return False
    return True


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)

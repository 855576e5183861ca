"""The webhook: Telegram brings the updates, and brings again what is not answered with 200."""

import hmac

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import ConfigError
from bot.handlers.telegram.lane import HEADER, PATH, taken
from bot.handlers.telegram.retry import insist
from bot.handlers.telegram.updates import WANTED, Inbox
from bot.ports import Clock

LARGEST = 1 << 20
"""Bytes of a body that are read at most. An update carries no files; the largest are some tens of KiB."""

CONNECTIONS = 100
"""``max_connections`` of setWebhook: the most Telegram opens."""


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
        status, answer = await taken(inbox, body)
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


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)

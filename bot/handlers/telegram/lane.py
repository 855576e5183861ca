"""Updates past the application and its guard: nearly every request that Telegram makes."""

import hmac
from typing import Final

import msgspec
import structlog

from bot.errors import UNDECODABLE, StoreAway
from bot.handlers.telegram.types import Method, Numbered
from bot.handlers.telegram.updates import Inbox

log = structlog.get_logger(__name__)

PATH: Final = "/telegram/webhook"

HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
"""Carries the secret given to setWebhook, in every request of Telegram's."""

_ENCODE: Final = msgspec.json.Encoder().encode
_HEADER: Final = HEADER.lower().encode()


class WebhookLane:
    """The same as `bot.handlers.telegram.webhook.route` for what carries the secret (`bot.whole.Lane`): nearly every request that comes.

    A press is answered in the body, which saves a call: Telegram takes one method from there, and does not tell how it
    went, so that what must arrive is never sent so (Bot API, "Making requests when getting updates").
    """

    def __init__(self, inbox: Inbox, secret: str) -> None:
        self.path = PATH.encode()
        self._inbox = inbox
        self._secret = secret.encode()

    def admits(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """See `bot.whole.Lane`."""
        given = next((value for name, value in headers if name == _HEADER), b"")
        return hmac.compare_digest(given, self._secret)

    async def serve(self, body: bytes) -> tuple[int, bytes]:
        """See `bot.whole.Lane`."""
        return await taken(self._inbox, body)


async def taken(inbox: Inbox, body: bytes) -> tuple[int, bytes]:
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

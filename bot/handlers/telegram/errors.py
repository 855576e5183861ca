"""What Telegram's refusals mean to us, in our words only.

Telegram's words may hold the chat's id or a link with its token, and a text of aiogram's (through aiohttp) the address
with the bot's token. So nothing of them is kept, neither as text nor as the cause of an error of ours.
"""

from typing import Final

from aiogram.exceptions import AiogramError

from bot.errors import DeliveryError, Rejected, RetryLater, Unavailable, Unreachable
from bot.handlers.telegram.types import Refusal

FAILURES = (AiogramError, UnicodeError)
"""What a call through aiogram raises; the second when a proxy answers something that is not text."""

SAME = ("message is not modified",)
"""The message already reads so."""

STUCK = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no text in the message to edit",
)
"""The message cannot be changed any more: deleted, too old, not ours."""

BAD_LINK = ("button url", "button_url_invalid", "wrong http url")
"""A link button leads where Telegram lets none lead (``http://127.0.0.1…``)."""

_GONE = ("chat not found", "user not found", "user is deactivated", "peer_id_invalid", "bot was blocked")

# The words of a description that are worth a log line; the rest of it may quote the message.
_KNOWN = ("can't parse entities", "message is too long", "message text is empty", "button_data_invalid")


_BAD_REQUEST: Final = 400
_FORBIDDEN: Final = 403
_TOO_LARGE: Final = 413
_TOO_MANY: Final = 429
_LONGEST: Final = 86_400
"""Seconds. Floods have cost bots a day; more is no figure of Telegram's."""
_MIGRATED: Final = "group chat was upgraded to a supergroup"


def says(refusal: Refusal, phrases: tuple[str, ...]) -> bool:
    """Whether ``refusal`` is a 400 with one of ``phrases``."""
    return refusal.code == _BAD_REQUEST and any(phrase in refusal.description for phrase in phrases)


def failure(refusal: Refusal) -> DeliveryError | Unavailable:
    """Our error for a refusal."""
    if refusal.code == _TOO_MANY or refusal.retry_after > 0:
        return RetryLater(min(refusal.retry_after, _LONGEST) if refusal.retry_after > 0 else 1)
    if refusal.code == _FORBIDDEN or says(refusal, (*_GONE, _MIGRATED)):
        return Unreachable("the chat is blocked or gone")
    if refusal.code == _BAD_REQUEST:
        return Rejected(next((p for p in _KNOWN if says(refusal, (p,))), "Telegram refused the message"))
    if refusal.code == _TOO_LARGE:
        return Rejected("message is too long")
    return Unavailable("telegram", f"answered {refusal.code}")

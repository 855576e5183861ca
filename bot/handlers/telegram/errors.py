"""What Telegram's refusals mean to us, in our words only.

A text of aiogram's may hold the chat's id, a link with its token, or (through aiohttp) the address with
the bot's token. So nothing of it is kept, neither as text nor as the cause of an error of ours.
"""

from typing import cast

from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramRetryAfter,
)

from bot.errors import DeliveryError, Rejected, RetryLater, Unavailable, Unreachable

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


def says(error: BaseException, phrases: tuple[str, ...]) -> bool:
    """Whether ``error`` is Telegram's 400 with one of ``phrases``."""
    return isinstance(error, TelegramBadRequest) and any(p in error.message.lower() for p in phrases)


def went_well(error: BaseException) -> bool:
    """Whether Telegram did what was asked and aiogram merely could not read what it returned."""
    return isinstance(error, ClientDecodeError) and _says_ok(error.data)


def failure(error: BaseException) -> DeliveryError | Unavailable:
    """Our error for one of `FAILURES`. To be raised outside the ``except`` block, so that it has no cause."""
    if isinstance(error, TelegramRetryAfter):
        return RetryLater(error.retry_after)
    if isinstance(error, TelegramForbiddenError | TelegramMigrateToChat) or says(error, _GONE):
        return Unreachable("the chat is blocked or gone")
    if isinstance(error, TelegramBadRequest):
        return Rejected(next((p for p in _KNOWN if says(error, (p,))), "Telegram refused the message"))
    if isinstance(error, TelegramEntityTooLarge):
        return Rejected("message is too long")
    return Unavailable("telegram", type(error).__name__)


def _says_ok(answer: object) -> bool:
    # The decoded answer; its text when it was not even JSON.
    return isinstance(answer, dict) and cast("dict[str, object]", answer).get("ok") is True

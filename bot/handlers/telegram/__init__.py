"""Telegram through aiogram: updates in, messages out, long polling or a webhook."""

from bot.handlers.telegram.bot import Telegram, telegram_secret
from bot.handlers.telegram.send import TelegramChannel

__all__ = ["Telegram", "TelegramChannel", "telegram_secret"]

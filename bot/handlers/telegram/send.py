"""What we say, as calls of the Bot API."""

from collections import OrderedDict
from typing import Any

from aiogram import Bot
from aiogram.enums import ChatAction, ParseMode
from aiogram.methods import (
    DeleteMessage,
    EditMessageReplyMarkup,
    EditMessageText,
    SendChatAction,
    SendMessage,
    TelegramMethod,
)
from aiogram.types import InlineKeyboardMarkup, LinkPreviewOptions

from bot.errors import Rejected, RetryLater
from bot.handlers.telegram.errors import BAD_LINK, FAILURES, SAME, STUCK, failure, says, went_well
from bot.handlers.telegram.pace import PER_SECOND, Pacer
from bot.handlers.telegram.text import html, keyboard, links_in_text, pieces
from bot.model import Chat, Disarm, Erase, Outgoing, Say, Settle, Span
from bot.ports import Clock

NAME = "telegram"

_UNFINISHED = 1000  # messages in several pieces that are remembered half sent

# Previews would have Telegram's servers fetch the links we send.
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

_NOT_ERASED = ("message to delete not found", "message can't be deleted", "message_id_invalid")


class _BadLink(Rejected):
    """Telegram does not take a link button of this message."""


class TelegramChannel:
    """Implements `bot.ports.Channel` on one bot.

    Args:
        bot: the bot, with its session.
        clock: for the pace.
        per_second: messages and edits a second, overall.
    """

    name = NAME

    def __init__(self, bot: Bot, clock: Clock, per_second: int = PER_SECOND) -> None:
        self._bot = bot
        self._pacer = Pacer(clock, per_second)
        # (chat, key) → pieces already sent, so that a retry of a long text does not repeat its beginning.
        self._sent: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def deliver(self, chat: Chat, outgoing: Outgoing) -> None:
        """Do ``outgoing`` in ``chat``.

        Raises:
            Unreachable: the resident blocked the bot or is gone.
            RetryLater: Telegram asked to wait, or the queue for this chat is long.
            Rejected: Telegram will never take this message.
            Unavailable: Telegram does not answer, or answers 5xx.
        """
        match outgoing:
            case Say():
                await self._say(chat, outgoing)
            case Settle():
                await self._edit(chat, outgoing.source, pieces(outgoing.spans)[0], None)
            case Disarm():
                await self._disarm(chat, outgoing)
            case Erase():
                await self._erase(chat, outgoing)

    async def typing(self, chat: Chat) -> None:
        """Show "typing…" for five seconds or until the next message (Bot API, sendChatAction)."""
        try:
            self._pacer.check(chat.id)
            await self._bot(SendChatAction(chat_id=int(chat.id), action=ChatAction.TYPING))
        except (*FAILURES, RetryLater):
            return

    async def _say(self, chat: Chat, say: Say) -> None:
        try:
            await self._show(chat, say, say.spans, keyboard(say.rows))
        except _BadLink:
            spans, rows = links_in_text(say.spans, say.rows)
            await self._show(chat, say, spans, keyboard(rows))

    async def _show(
        self, chat: Chat, say: Say, spans: tuple[Span, ...], markup: InlineKeyboardMarkup | None
    ) -> None:
        texts = pieces(spans)
        progress = (chat.id, say.key)
        for index in range(self._sent.get(progress, 0), len(texts)):
            last = index == len(texts) - 1
            edits = say.edits if index == 0 else ""
            await self._put(chat, edits, texts[index], markup if last else None)
            if not last:
                self._sent[progress] = index + 1
                if len(self._sent) > _UNFINISHED:
                    self._sent.popitem(last=False)
        self._sent.pop(progress, None)

    async def _put(
        self, chat: Chat, edits: str, spans: tuple[Span, ...], markup: InlineKeyboardMarkup | None
    ) -> None:
        if edits and await self._edit(chat, edits, spans, markup):
            return
        await self._pacer.send(chat.id)
        method = SendMessage(
            chat_id=int(chat.id),
            text=html(spans),
            parse_mode=ParseMode.HTML,
            link_preview_options=_NO_PREVIEW,
            reply_markup=markup,
        )
        await self._call(chat, method)

    async def _edit(
        self, chat: Chat, source: str, spans: tuple[Span, ...], markup: InlineKeyboardMarkup | None
    ) -> bool:
        # False when that message cannot be changed any more.
        await self._pacer.change(chat.id)
        method = EditMessageText(
            chat_id=int(chat.id),
            message_id=_message(source),
            text=html(spans),
            parse_mode=ParseMode.HTML,
            link_preview_options=_NO_PREVIEW,
            reply_markup=markup,
        )
        return await self._call(chat, method, done=SAME, lost=STUCK)

    async def _disarm(self, chat: Chat, disarm: Disarm) -> None:
        await self._pacer.change(chat.id)
        method = EditMessageReplyMarkup(chat_id=int(chat.id), message_id=_message(disarm.source))
        await self._call(chat, method, done=SAME, lost=STUCK)

    async def _erase(self, chat: Chat, erase: Erase) -> None:
        self._pacer.check(chat.id)
        method = DeleteMessage(chat_id=int(chat.id), message_id=_message(erase.source))
        await self._call(chat, method, lost=_NOT_ERASED)

    async def _call(
        self,
        chat: Chat,
        method: TelegramMethod[Any],
        *,
        done: tuple[str, ...] = (),
        lost: tuple[str, ...] = (),
    ) -> bool:
        """Call Telegram. False for a refusal with a phrase of ``lost``; one of ``done`` is a success."""
        try:
            await self._bot(method)
        except FAILURES as error:
            if went_well(error):
                return True
            if says(error, done + lost):
                return says(error, done)
            refused = _BadLink("a link button was refused") if says(error, BAD_LINK) else failure(error)
        else:
            return True
        if isinstance(refused, RetryLater):
            self._pacer.told(chat.id, refused.after)
        raise refused


def _message(source: str) -> int:
    if not source.isdecimal():
        raise Rejected("not a message of Telegram's")
    return int(source)

"""What we say, as calls of the Bot API."""

from collections import OrderedDict
from typing import Final

from bot.errors import Rejected, RetryLater, Unavailable
from bot.handlers.telegram.calls import Calls, said
from bot.handlers.telegram.errors import BAD_LINK, SAME, STUCK, failure, says
from bot.handlers.telegram.pace import PER_SECOND, Pacer
from bot.handlers.telegram.text import html, keyboard, links_in_text, pieces
from bot.handlers.telegram.types import Call, Markup, Refusal
from bot.model import Chat, Disarm, Erase, Outgoing, Say, Settle, Span
from bot.ports import Clock

NAME: Final = "telegram"

_UNFINISHED: Final = 1000  # messages in several pieces that are remembered half sent

_NOT_ERASED: Final = ("message to delete not found", "message can't be deleted", "message_id_invalid")


class _BadLink(Rejected):
    """Telegram does not take a link button of this message."""


class TelegramChannel:
    """Implements `bot.ports.Channel` on one bot.

    Args:
        calls: the bot's.
        clock: for the pace.
        per_second: messages and edits a second, overall.
    """

    def __init__(self, calls: Calls, clock: Clock, per_second: int = PER_SECOND) -> None:
        self.name = NAME
        self._calls = calls
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
            await self._calls.do("sendChatAction", Call(chat_id=int(chat.id), action="typing"))
        except (Unavailable, RetryLater):
            return

    async def _say(self, chat: Chat, say: Say) -> None:
        refused = False
        try:
            await self._show(chat, say, say.spans, keyboard(say.rows))
        except _BadLink:
            refused = True
        if refused:
            spans, rows = links_in_text(say.spans, say.rows)
            await self._show(chat, say, spans, keyboard(rows))

    async def _show(self, chat: Chat, say: Say, spans: tuple[Span, ...], markup: Markup | None) -> None:
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

    async def _put(self, chat: Chat, edits: str, spans: tuple[Span, ...], markup: Markup | None) -> None:
        if edits and await self._edit(chat, edits, spans, markup):
            return
        await self._pacer.send(chat.id)
        await self._call(chat, "sendMessage", said(int(chat.id), html(spans), markup))

    async def _edit(self, chat: Chat, source: str, spans: tuple[Span, ...], markup: Markup | None) -> bool:
        # False when that message cannot be changed any more.
        await self._pacer.change(chat.id)
        edit = said(int(chat.id), html(spans), markup, _message(source))
        return await self._call(chat, "editMessageText", edit, done=SAME, lost=STUCK)

    async def _disarm(self, chat: Chat, disarm: Disarm) -> None:
        await self._pacer.change(chat.id)
        bare = Call(chat_id=int(chat.id), message_id=_message(disarm.source))
        await self._call(chat, "editMessageReplyMarkup", bare, done=SAME, lost=STUCK)

    async def _erase(self, chat: Chat, erase: Erase) -> None:
        self._pacer.check(chat.id)
        what = Call(chat_id=int(chat.id), message_id=_message(erase.source))
        await self._call(chat, "deleteMessage", what, lost=_NOT_ERASED)

    async def _call(
        self,
        chat: Chat,
        method: str,
        arguments: Call,
        *,
        done: tuple[str, ...] = (),
        lost: tuple[str, ...] = (),
    ) -> bool:
        """Call Telegram. False for a refusal with a phrase of ``lost``; one of ``done`` is a success."""
        refusal = await self._calls.do(method, arguments)
        if refusal is None or says(refusal, done):
            return True
        if says(refusal, lost):
            return False
        raise self._refused(chat, refusal)

    def _refused(self, chat: Chat, refusal: Refusal) -> Exception:
        if says(refusal, BAD_LINK):
            return _BadLink("a link button was refused")
        error = failure(refusal)
        if isinstance(error, RetryLater):
            self._pacer.told(chat.id, error.after)
        return error


def _message(source: str) -> int:
    if not source.isdecimal():
        raise Rejected("not a message of Telegram's")
    return int(source)

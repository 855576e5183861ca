"""What residents send on Telegram, as events."""

import re
from typing import Any

import structlog
from aiogram import Bot
from aiogram.enums import ChatType, ContentType
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message, Update
from pydantic import ValidationError

from bot.errors import DeliveryError, Unavailable
from bot.handlers.telegram.errors import FAILURES
from bot.handlers.telegram.send import NAME, TelegramChannel
from bot.handlers.telegram.setup import Translate
from bot.i18n.text import N_
from bot.model import Attached, Button, Chat, Event, Pressed, Say, Span, Typed
from bot.ports import Handle
from bot.tasks import Tasks

log = structlog.get_logger(__name__)

WANTED = ["message", "callback_query", "channel_post"]
"""``allowed_updates``: what we act upon. Whether the bot was blocked shows when something is sent."""

PRIVATE_ONLY = N_("This service works in private chats only: personal details do not belong in a group.")
OPEN_PRIVATE = N_("Open a private chat")

_COMMAND_TO = re.compile(r"(/\w+)@\w+")  # "/menu@iqamati_bot": how clients write a command in some places

# What a resident may send that is not text, by aiogram's names. Anything else that comes as a message is
# a notice of Telegram's own (a pinned message, a timer changed) and nobody waits for an answer to it.
_ATTACHED = frozenset(
    {
        ContentType.ANIMATION,
        ContentType.AUDIO,
        ContentType.CHECKLIST,
        ContentType.CONTACT,
        ContentType.DICE,
        ContentType.DOCUMENT,
        ContentType.GAME,
        ContentType.GIVEAWAY,
        ContentType.LIVE_PHOTO,
        ContentType.LOCATION,
        ContentType.PAID_MEDIA,
        ContentType.PHOTO,
        ContentType.POLL,
        ContentType.STICKER,
        ContentType.STORY,
        ContentType.VENUE,
        ContentType.VIDEO,
        ContentType.VIDEO_NOTE,
        ContentType.VOICE,
    }
)


def chat_of(update: Update) -> int | None:
    """The chat an update belongs to; None for one we do not act upon. Order matters within a chat."""
    if (message := update.message or update.channel_post) is not None:
        return message.chat.id
    if update.callback_query is not None and update.callback_query.message is not None:
        return update.callback_query.message.chat.id
    return None


def event_of(update: Update) -> Event | None:
    """The event in a private chat, None for whatever is not for us (edits, bots, groups, notices)."""
    if update.callback_query is not None:
        return _pressed(update.update_id, update.callback_query)
    message = update.message
    if message is None or message.chat.type != ChatType.PRIVATE:
        return None
    return _written(update.update_id, message)


def misplaced(update: Update) -> int | None:
    """The group or channel somebody wrote to us in, None when it was a private chat or nothing was said."""
    message = update.message or update.channel_post
    if message is None or message.chat.type == ChatType.PRIVATE or _by_bot(message):
        return None
    return message.chat.id if message.text or message.content_type in _ATTACHED else None


class Inbox:
    """Takes Telegram's updates one by one, however they came.

    Args:
        bot: to answer presses.
        handle: one event through one turn.
        channel: to refuse groups.
        tasks: for what a turn does not wait for.
        translate: a text in ``ar`` or ``en``.
    """

    def __init__(
        self, bot: Bot, handle: Handle, channel: TelegramChannel, tasks: Tasks, translate: Translate
    ) -> None:
        self._bot = bot
        self._handle = handle
        self._channel = channel
        self._tasks = tasks
        self._translate = translate

    def read(self, raw: dict[str, Any]) -> Update | None:
        """The update, None for one that aiogram does not understand: it would be no better next time."""
        try:
            return Update.model_validate(raw)
        except ValidationError:
            log.warning("an update of an unknown shape was passed over")
            return None

    async def take(self, update: Update) -> None:
        """See one update through: on return it is saved, or there was nothing to save.

        Raises:
            StoreAway: nothing was saved; Telegram must deliver it again.
        """
        if update.callback_query is not None:
            self._tasks.spawn(self._answer(update.callback_query.id), "telegram answer")
        if (event := event_of(update)) is not None:
            await self._handle(event)
        elif (group := misplaced(update)) is not None:
            self._tasks.spawn(self._refuse(group, update.update_id), "telegram group")

    async def _answer(self, callback: str) -> None:
        # Stops the clock on the button. Best effort: an old press cannot be answered any more.
        try:
            await self._bot(AnswerCallbackQuery(callback_query_id=callback))
        except FAILURES as error:
            log.debug("a press was not answered", error=type(error).__name__)

    async def _refuse(self, group: int, update: int) -> None:
        both = ("ar", "en")
        text = "\n\n".join(self._translate(PRIVATE_ONLY, language) for language in both)
        label = " · ".join(self._translate(OPEN_PRIVATE, language) for language in both)
        try:
            me = await self._bot.me()
            rows = ((Button(label, url=f"https://t.me/{me.username}"),),)
            refusal = Say(key=f"tg:{update}", language="ar", spans=(Span(text),), rows=rows)
            await self._channel.deliver(Chat(NAME, str(group)), refusal)
        except (*FAILURES, DeliveryError, Unavailable) as error:
            log.debug("a group was not answered", error=type(error).__name__)


def _written(update: int, message: Message) -> Event | None:
    if _by_bot(message):
        return None
    event, chat, source = f"tg:{update}", Chat(NAME, str(message.chat.id)), str(message.message_id)
    language = (message.from_user.language_code if message.from_user else None) or ""
    if message.text:
        command = _COMMAND_TO.match(message.text)
        text = command[1] + message.text[command.end() :] if command else message.text
        return Typed(id=event, chat=chat, language=language, source=source, text=text)
    kind = message.content_type
    if kind in _ATTACHED:
        return Attached(id=event, chat=chat, language=language, source=source, kind=ContentType(kind).value)
    return None


def _pressed(update: int, callback: CallbackQuery) -> Event | None:
    # The message may be too old for Telegram to show, but it still names the chat. There is none for a
    # message sent "via" the bot elsewhere, which we never send.
    message = callback.message
    if message is None or message.chat.type != ChatType.PRIVATE or not callback.data:
        return None
    return Pressed(
        id=f"tg:{update}",
        chat=Chat(NAME, str(message.chat.id)),
        language=callback.from_user.language_code or "",
        source=str(message.message_id),
        token=callback.data,
    )


def _by_bot(message: Message) -> bool:
    return message.from_user is not None and message.from_user.is_bot

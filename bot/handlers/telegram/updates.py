"""What residents send on Telegram, as events."""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog

from bot.errors import UNDECODABLE, DeliveryError, Unavailable
from bot.handlers.files import shown_name
from bot.handlers.telegram.calls import Calls
from bot.handlers.telegram.fetch import Fetcher
from bot.handlers.telegram.send import NAME
from bot.handlers.telegram.setup import Translate
from bot.handlers.telegram.types import PRIVATE, Answered, Message, Press, Update
from bot.i18n.text import N_
from bot.model import Attached, Button, Chat, Event, Pressed, Say, Span, Typed
from bot.ports import Channel, Handle
from bot.tasks import Tasks

log = structlog.get_logger(__name__)

WANTED: Final = ["message", "callback_query", "channel_post"]
"""``allowed_updates``: what we act upon. Whether the bot was blocked shows when something is sent."""

PRIVATE_ONLY: Final = N_(
    "This service works in private chats only: personal details do not belong in a group."
)
OPEN_PRIVATE: Final = N_("Open a private chat")

_COMMAND_TO: Final = re.compile(
    r"(/\w+)@\w+"
)  # "/menu@iqamati_bot": how clients write a command in some places

_DECODE: Final = msgspec.json.Decoder(Update).decode


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
    if message is None or message.chat.type != PRIVATE:
        return None
    return _written(update.update_id, message)


def misplaced(update: Update) -> int | None:
    """The group or channel somebody wrote to us in, None when it was a private chat or nothing was said."""
    message = update.message or update.channel_post
    if message is None or message.chat.type == PRIVATE or _by_bot(message):
        return None
    return message.chat.id if message.text or message.kind() else None


class Inbox:
    """Takes Telegram's updates one by one, however they came.

    Args:
        calls: to answer presses.
        link: where the bot's private chat is.
        handle: one event through one turn.
        channel: to refuse groups.
        tasks: for what a turn does not wait for.
        translate: a text in ``ar`` or ``en``.
        fetcher: fetches files that a question asks for; None where none are.
    """

    def __init__(
        self,
        calls: Calls,
        link: Callable[[], str],
        handle: Handle,
        channel: Channel,
        tasks: Tasks,
        translate: Translate,
        fetcher: Fetcher | None = None,
    ) -> None:
        self._calls = calls
        self._fetcher = fetcher
        self._link = link
        self._handle = handle
        self._channel = channel
        self._tasks = tasks
        self._translate = translate

    def read(self, raw: bytes | dict[str, Any]) -> Update | None:
        """The update, None for one of another shape than Telegram's: it would be no better next time."""
        try:
            return _DECODE(raw) if isinstance(raw, bytes) else msgspec.convert(raw, Update)
        except UNDECODABLE:
            log.warning("an update of an unknown shape was passed over")
            return None

    async def take(self, update: Update, *, by_call: bool = True) -> Answered | None:
        """See one update through: on return it is saved, or there was nothing to save.

        Args:
            update: what happened.
            by_call: answer a press by a call of its own, at once.

        Returns:
            Without ``by_call`` the answer to a press, which the caller sends.

        Raises:
            StoreAway: nothing was saved; Telegram must deliver it again.
        """
        press = update.callback_query
        if press is not None and by_call:
            self._tasks.spawn(self._answer(press.id), "telegram answer")
        if (event := event_of(update)) is not None:
            await self._handle(await self._fetched(event, update))
        elif (group := misplaced(update)) is not None:
            self._tasks.spawn(self._refuse(group, update.update_id), "telegram group")
        return None if press is None or by_call else Answered(press.id)

    async def _fetched(self, event: Event, update: Update) -> Event:
        """``event``, with the file that came with it where the chat's question asks for one."""
        document = update.message.document if update.message is not None else None
        if self._fetcher is None or document is None or not isinstance(event, Attached):
            return event
        if event.kind not in await self._fetcher.awaits(event.chat):
            return event
        name = shown_name(document.file_name or "")
        kept = await self._fetcher.fetch(event.chat, document.file_id, document.file_size or 0, name)
        return msgspec.structs.replace(event, file=kept.file, missing=kept.missing, name=name)

    async def _answer(self, callback: str) -> None:
        # Stops the clock on the button. Best effort: an old press cannot be answered any more.
        try:
            await self._calls.do("answerCallbackQuery", Answered(callback))
        except Unavailable as error:
            log.debug("a press was not answered", error=type(error).__name__)

    async def _refuse(self, group: int, update: int) -> None:
        both = ("ar", "en")
        text = "\n\n".join(self._translate(PRIVATE_ONLY, language) for language in both)
        label = " · ".join(self._translate(OPEN_PRIVATE, language) for language in both)
        try:
            rows = ((Button(label, url=self._link()),),)
            refusal = Say(key=f"tg:{update}", language="ar", spans=(Span(text),), rows=rows)
            await self._channel.deliver(Chat(NAME, str(group)), refusal)
        except (DeliveryError, Unavailable) as error:
            log.debug("a group was not answered", error=type(error).__name__)


def _written(update: int, message: Message) -> Event | None:
    if _by_bot(message):
        return None
    event, chat, source = f"tg:{update}", Chat(NAME, str(message.chat.id)), str(message.message_id)
    language = (message.sender.language_code if message.sender else None) or ""
    if message.text:
        command = _COMMAND_TO.match(message.text)
        text = command[1] + message.text[command.end() :] if command else message.text
        return Typed(id=event, chat=chat, language=language, source=source, text=text)
    if kind := message.kind():
        return Attached(id=event, chat=chat, language=language, source=source, kind=kind)
    return None


def _pressed(update: int, callback: Press) -> Event | None:
    message = callback.message
    if message is None or message.chat.type != PRIVATE or not callback.data:
        return None
    return Pressed(
        id=f"tg:{update}",
        chat=Chat(NAME, str(message.chat.id)),
        language=callback.sender.language_code or "",
        source=str(message.message_id),
        token=callback.data,
    )


def _by_bot(message: Message) -> bool:
    return message.sender is not None and message.sender.is_bot
